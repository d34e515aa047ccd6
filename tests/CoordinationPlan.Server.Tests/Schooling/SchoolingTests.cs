using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Schooling;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>The arrangement of a child's schooling, what the school gets of it, and the attendance that it reports.</summary>
public sealed class SchoolingTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee School = DemonstrationDirectory.School;
    private static readonly DemonstrationEmployee NextSchool = DemonstrationDirectory.Cousin;

    [Fact]
    public async Task Each_step_lacks_what_the_law_page_says_until_it_is_there()
    {
        var plan = await Child();
        var arrangement = (await service.CaseWorker.Schooling.AddSchoolArrangementAsync(new() { Parent = plan.Name, SchoolArrangement = new(), Etag = plan.Etag, RequestId = Cases.NewId() })).SchoolArrangement;
        Assert.Equal(SchoolArrangementState.Unknown, arrangement.State);
        await Lacks(arrangement, SchoolArrangementState.BeingArranged, "case_worker");
        await Lacks(arrangement, SchoolArrangementState.Secured, "childs_words", "form", "school_unit", "solution", "start_date");
        await Advancing(arrangement, SchoolArrangementState.InPlace).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        var all = Cases.NewArrangement(School);
        all.StartDate = Cases.Period(1, null).StartDate;
        arrangement = await Update(arrangement, all, "school_unit", "form", "solution", "start_date", "childs_words", "case_worker", "school_contact");
        Assert.Equal(("12345678", "organisations/" + DemonstrationDirectory.OtherMunicipality), (arrangement.SchoolUnitCode, arrangement.SchoolOrganiser));
        arrangement = await service.Advance(arrangement, SchoolArrangementState.BeingArranged);
        arrangement = await service.Advance(arrangement, SchoolArrangementState.Secured);
        await Lacks(arrangement, SchoolArrangementState.InPlace, "school_unit", "start_date");
        arrangement = await Update(arrangement, new() { StartDate = Cases.Today }, "start_date");
        await Lacks(arrangement, SchoolArrangementState.InPlace, "school_unit");
        await service.Join(plan, School);
        await Lacks(arrangement, SchoolArrangementState.InPlace, "school_unit");
        await service.Consent(plan, School, [InformationCategory.Schooling]);
        arrangement = await service.Advance(arrangement, SchoolArrangementState.InPlace);
        await Lacks(arrangement, SchoolArrangementState.Interrupted, "obstacles");
        arrangement = await Update(arrangement, new() { Obstacles = "Skolskjuts saknas." }, "obstacles");
        arrangement = await service.Advance(arrangement, SchoolArrangementState.Interrupted);
        arrangement = await service.Advance(arrangement, SchoolArrangementState.InPlace);
        await Lacks(arrangement, SchoolArrangementState.HandedOver, "end_date");
        arrangement = await service.Advance(arrangement, SchoolArrangementState.HandedOver, Cases.Period(0, 1).EndDate);
        await Lacks(arrangement, SchoolArrangementState.Ended, "end_date", "handover_steps", "handover_steps");
        arrangement = await HandOver(arrangement, HandoverStepKind.HomeEducationOffice);
        arrangement = await HandOver(arrangement, HandoverStepKind.LeavingSchool);
        await Lacks(arrangement, SchoolArrangementState.Ended, "end_date");
        var ended = await service.Advance(arrangement, SchoolArrangementState.Ended, Cases.Today);

        Assert.Equal((SchoolArrangementState.Ended, Cases.Today, 2), (ended.State, ended.EndDate, ended.HandoverSteps.Count));
        Assert.Equal(ended, Assert.Single(await Arrangements(DemonstrationDirectory.CaseWorker, plan)));
        await Updating(ended, new() { SupportNeeds = "Nytt" }, "support_needs").Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task What_is_said_is_checked_and_nothing_changes_where_it_is_wrong()
    {
        var plan = await Child();
        foreach (var (wrong, reason) in new (Action<SchoolArrangement>, ErrorReason)[]
        {
            (arrangement => arrangement.SchoolUnit = Cases.UnitOf(DemonstrationDirectory.Shelter), ErrorReason.UnknownReference),
            (arrangement => arrangement.SchoolUnit = "units/none-such", ErrorReason.UnknownReference),
            (arrangement => arrangement.SchoolContact = "employees/" + NextSchool.Id, ErrorReason.UnknownReference),
            (arrangement => arrangement.CaseWorker = "employees/" + School.Id, ErrorReason.UnknownReference),
            (arrangement => arrangement.EndDate = Cases.Period(-61, null).StartDate, ErrorReason.InvalidFields),
            (arrangement => arrangement.Alias = new() { GivenName = "Bara" }, ErrorReason.InvalidFields),
            (arrangement => arrangement.Decisions.Add(new SchoolDecision { Kind = SchoolDecisionKind.Place }), ErrorReason.InvalidFields),
        })
        {
            var arrangement = Cases.NewArrangement(School);
            wrong(arrangement);
            var error = await Assert.ThrowsAsync<RpcException>(async () => await Adding(plan, arrangement));
            Assert.Equal(reason, error.Reason());
        }

        Assert.Empty(await Arrangements(DemonstrationDirectory.CaseWorker, plan));
        var secured = await service.SecureSchool(plan);
        await Adding(plan, Cases.NewArrangement(School)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await Updating(secured, new() { SchoolUnit = Cases.UnitOf(NextSchool) }, "school_unit").Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await Updating(secured, new(), "start_date").Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await Updating(secured, new(), "state").Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await service.CaseWorker.Schooling.RecordHandoverStepAsync(new()
        {
            Name = secured.Name,
            Step = HandoverStepKind.LeavingSchool,
            TakeDate = Cases.Period(0, 1).EndDate,
            Reference = "A",
            Etag = secured.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal(secured, Assert.Single(await Arrangements(DemonstrationDirectory.CaseWorker, plan)));
    }

    [Fact]
    public async Task The_school_gets_what_it_may_have_in_one_message_and_no_more()
    {
        var plan = await Child();
        await Place(plan, DemonstrationDirectory.Shelter);
        await service.SecureSchool(plan, change: arrangement =>
        {
            arrangement.Obstacles = "Bor i KRISCENTRUM";
            arrangement.Decisions.Add(new SchoolDecision { Kind = SchoolDecisionKind.Transport, Decider = "Enhetschef", DecideDate = Cases.Today, Paragraph = "lag (2024:79) 6 kap. 1 §" });
        });

        var pupil = await Pupil(School, plan);

        Assert.Equal((plan.Subject, null), (pupil.Subject, pupil.Alias));
        Assert.Equal(
            (Cases.UnitOf(School), SchoolForm.Compulsory, SchoolArrangementState.Secured, "Behöver en lugn plats och extra tid.", "Handläggare för skolgång", "08-000 00 00", "Ring bara kontaktpersonen.", "Bara mamma hämtar."),
            (pupil.SchoolUnit, pupil.Form, pupil.State, pupil.SupportNeeds, pupil.Contact, pupil.ContactPhone, pupil.SafeContactRules, pupil.PickUpRules));
        var told = JsonFormatter.Default.Format(pupil) + JsonFormatter.Default.Format(await service.Read(School, plan));
        foreach (var secret in new[] { "KRISCENTRUM", "RVT", "2120000142", "2024:79", "Våld", "vill gå i skolan", "MUNICIPALITY_OF_STAY", "schoolArrangements", DemonstrationDirectory.CaseWorker.Id })
        {
            Assert.DoesNotContain(secret, told, StringComparison.OrdinalIgnoreCase);
        }

        // Nothing says a time of day, and what is not released is not there.
        Assert.DoesNotContain("Time\"", told, StringComparison.Ordinal);
        var little = await Child();
        await service.SecureSchool(little, categories: [InformationCategory.Schooling]);
        var less = await Pupil(School, little);
        Assert.Equal((null, "", "", 0), (less.Subject, less.Contact, less.PickUpRules, less.HandlingInstructions.Count));
        Assert.DoesNotContain("Behöver en lugn plats", await service.Dump(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_an_alias_is_agreed_the_school_gets_the_identity_by_no_call()
    {
        var plan = await Child();
        var arrangement = await service.SecureSchool(plan);
        Assert.Equal([plan.Name], await Find(plan));
        Assert.Equal(plan.Subject, (await service.Read(School, plan)).Subject);
        // Another plan of the same person, which the school takes part in without an arrangement of its own.
        var other = await service.OpenPlan(plan.Subject, owner: DemonstrationDirectory.PrimaryCare);
        await service.Join(other, School, owner: DemonstrationDirectory.PrimaryCare);
        await service.Consent(other, School, [InformationCategory.Identity, InformationCategory.Schooling], owner: DemonstrationDirectory.PrimaryCare);

        await Update(arrangement, new() { Alias = new() { GivenName = "Kim", FamilyName = "Ek" } }, "alias");

        var pupil = await Pupil(School, plan);
        Assert.Equal((null, "Kim", "Ek", ""), (pupil.Subject, pupil.Alias.GivenName, pupil.Alias.FamilyName, pupil.Alias.AgreedNumber));
        Assert.Empty(await Find(plan));
        var told = JsonFormatter.Default.Format(pupil);
        foreach (var each in new[] { plan, other })
        {
            told += JsonFormatter.Default.Format(await service.Read(School, each));
        }

        told += JsonFormatter.Default.Format(await service.As(School).Plans.ListPlansAsync(new()));
        Assert.DoesNotContain(plan.Subject.GivenName, told, StringComparison.Ordinal);
        Assert.DoesNotContain(plan.Subject.IdentityNumber.Value, told, StringComparison.Ordinal);
        Assert.Equal(plan.Subject, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Subject);

        async Task<IEnumerable<string>> Find(Plan sought) => (await service.As(School).Plans.FindPlansAsync(new() { IdentityNumber = sought.Subject.IdentityNumber })).Plans.Select(found => found.Name);
    }

    [Fact]
    public async Task How_a_pupil_is_marked_follows_from_the_protection_and_does_not_tell_of_an_assumed_identity()
    {
        var plan = await Child();
        await service.SecureSchool(plan);
        var none = await Pupil(School, plan);
        Assert.Equal(SecurityMarking.None, none.SecurityMarking);
        await Place(plan, DemonstrationDirectory.Shelter);
        Assert.Equal(SecurityMarking.ConfidentialityMarked, (await Pupil(School, plan)).SecurityMarking);
        await service.Protect(plan, ProtectionLevel.ConfidentialityMarked);
        Assert.Equal(SecurityMarking.ConfidentialityMarked, (await Pupil(School, plan)).SecurityMarking);
        await service.Protect(plan, ProtectionLevel.ProtectedPopulationRegistration);
        var strictest = await Pupil(School, plan);
        Assert.Equal(SecurityMarking.ProtectedPopulationRegistration, strictest.SecurityMarking);
        Assert.True(strictest.HandlingInstructions.Count > none.HandlingInstructions.Count);

        await service.Protect(plan, ProtectionLevel.AssumedIdentity);
        var assumed = await Pupil(School, plan);
        Assert.Equal((strictest.SecurityMarking, strictest.HandlingInstructions, null), (assumed.SecurityMarking, assumed.HandlingInstructions, assumed.Subject));
        Assert.Equal("Handläggare för skolgång", assumed.Contact);
        await Sql("UPDATE coordinationplan.subject s SET protection = 0 FROM coordinationplan.plan p WHERE p.subject_id = s.subject_id AND p.plan_id = $1", plan);
        Assert.Equal(assumed, await Pupil(School, plan));
    }

    [Fact]
    public async Task A_list_of_instructions_with_a_fault_is_refused()
    {
        Assert.Equal(SecurityMarking.None, HandlingInstructions.Load().For(Policy.ProtectionLevel.None, isPlaced: false).Marking);
        Assert.Equal(SecurityMarking.ProtectedPopulationRegistration, HandlingInstructions.Load().For((Policy.ProtectionLevel)77, isPlaced: false).Marking);
        var list = await File.ReadAllTextAsync(Path.Combine(Root(), "src/CoordinationPlan.Server/Schooling/handling-instructions.json"), TestContext.Current.CancellationToken);
        Parse(list);
        foreach (var (from, to) in new[]
        {
            ("\"level\": \"CONFIDENTIALITY_MARKED\"", "\"level\": \"NONE\""), ("\"marking\": \"CONFIDENTIALITY_MARKED\"", "\"marking\": \"NONE\""),
            ("\"NAMED_STAFF_ONLY\"", "\"NAMED_STAFF\""), ("Eleven ska inte fotograferas eller filmas.", " "), ("\"CONFIRM_NOTHING\"", "\"NO_PHOTOGRAPHS\""),
        })
        {
            Assert.Contains(from, list, StringComparison.Ordinal);
            var at = list.LastIndexOf(from, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => Parse(list[..at] + to + list[(at + from.Length)..]));
        }

        static void Parse(string json) => HandlingInstructions.Parse(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public async Task Nobody_else_reads_the_pupil_and_the_school_no_longer_than_it_may()
    {
        var plan = await Child();
        await service.SecureSchool(plan);
        var request = new GetPupilRequest { Name = plan.Name + "/pupil" };
        foreach (var employee in new[]
        {
            NextSchool, DemonstrationDirectory.CaseWorker, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter, DemonstrationDirectory.SchoolRegister,
            DemonstrationDirectory.LogReviewer,
        })
        {
            await service.As(employee).Schooling.GetPupilAsync(request).IsRefused();
        }

        foreach (var employee in new[] { School, DemonstrationDirectory.NewCaseWorker, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter, DemonstrationDirectory.OtherCaseWorker })
        {
            await service.As(employee).Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name }).IsRefused();
        }

        // A relative of the violent person works there.
        await service.BlockEmployee(plan, School);
        await service.As(School).Schooling.GetPupilAsync(request).IsRefused();

        var withdrawn = await Child();
        await service.SecureSchool(withdrawn);
        var consent = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, withdrawn)).Consents);
        await Pupil(School, withdrawn);
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        await service.As(School).Schooling.GetPupilAsync(new() { Name = withdrawn.Name + "/pupil" }).IsRefused();
        await Reporting(School, withdrawn, Cases.WeekOf(0, 20, 20, 0, 0)).IsRefused();
    }

    [Fact]
    public async Task Tasks_follow_from_the_placement_and_the_arrangement_on_both_sides_of_their_limits()
    {
        var plan = await Child();
        Assert.Empty(await Tasks(plan));
        await Place(plan, DemonstrationDirectory.Shelter, daysAgo: 5);
        Assert.Equal((TaskKind.SecureSchooling, Cases.Today, false), Only(await Tasks(plan)));
        await Place(plan, DemonstrationDirectory.Shelter, daysAgo: 6);
        Assert.Equal((TaskKind.SecureSchooling, Cases.Period(-1, null).StartDate, true), Only(await Tasks(plan)));

        // Whose age is not known counts as a child; an adult does not, nor a child too young.
        foreach (var (age, isDue) in new (int?, bool)[] { (null, true), (5, false), (6, true), (18, true), (19, false), (9, true) })
        {
            await Sql($"UPDATE coordinationplan.whereabouts w SET birth_year = {(age is { } years ? TimeProvider.System.GetUtcNow().Year - years : "NULL")} FROM coordinationplan.plan p WHERE p.subject_id = w.subject_id AND p.plan_id = $1", plan);
            Assert.Equal(isDue, (await Tasks(plan)).Count == 1);
        }

        var arrangement = await service.SecureSchool(plan, change: one => (one.StartDate, one.FollowUpDate) = (Cases.Period(-6, null).StartDate, Cases.Period(0, 20).EndDate));
        var tasks = await Tasks(plan);
        Assert.Equal([TaskKind.FollowUpSchooling, TaskKind.ReviewSchooling], tasks.Select(task => task.Kind));
        Assert.All(tasks, task => Assert.Equal(arrangement.Name, task.Subject));
        var placed = TimeProvider.System.Today().AddDays(-6);
        Assert.Equal((Cases.Period(0, 20).EndDate, Cases.ToDate(placed.AddMonths(6))), (tasks[0].DueDate, tasks[1].DueDate));
        arrangement = await Update(arrangement, new() { ReviewDate = Cases.Today }, "review_date", "follow_up_date");
        Assert.Equal((TaskKind.ReviewSchooling, Cases.InMonths(6), false), Only(await Tasks(plan)));

        // The child moves: two steps, until each is taken on the day of the move or later.
        await Place(plan, DemonstrationDirectory.Kruton, daysAgo: 3);
        tasks = await Tasks(plan);
        Assert.Equal([TaskKind.HandoverFirstStep, TaskKind.HandoverSecondStep, TaskKind.ReviewSchooling], tasks.Select(task => task.Kind).Order().OrderBy(kind => kind == TaskKind.ReviewSchooling));
        Assert.All(tasks.Where(task => task.Kind != TaskKind.ReviewSchooling), task => Assert.Equal(Cases.Today, task.DueDate));
        arrangement = await HandOver(arrangement, HandoverStepKind.HomeEducationOffice, daysAgo: 4);
        Assert.Contains(TaskKind.HandoverFirstStep, (await Tasks(plan)).Select(task => task.Kind));
        arrangement = await HandOver(arrangement, HandoverStepKind.HomeEducationOffice, daysAgo: 3);
        Assert.DoesNotContain(TaskKind.HandoverFirstStep, (await Tasks(plan)).Select(task => task.Kind));
        arrangement = await HandOver(arrangement, HandoverStepKind.LeavingSchool);
        Assert.Equal([TaskKind.ReviewSchooling], (await Tasks(plan)).Select(task => task.Kind));

        // On the day after its last day the place is none any more; and a task's text is a code and a name.
        await Sql("UPDATE coordinationplan.school_arrangement SET ends_on = (now() AT TIME ZONE 'Europe/Stockholm')::date WHERE plan_id = $1", plan);
        Assert.DoesNotContain(TaskKind.SecureSchooling, (await Tasks(plan)).Select(task => task.Kind));
        await Sql("UPDATE coordinationplan.school_arrangement SET ends_on = ends_on - 1 WHERE plan_id = $1", plan);
        Assert.Contains(TaskKind.SecureSchooling, (await Tasks(plan)).Select(task => task.Kind));
        Assert.DoesNotContain("12345678", string.Concat(await Tasks(plan)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_done_for_the_schooling_is_listed_with_the_day_it_was_done()
    {
        var plan = await Child();
        await Place(plan, DemonstrationDirectory.Shelter, daysAgo: 10);
        Assert.Empty(await Done());
        var arrangement = await service.SecureSchool(plan, change: one => (one.StartDate, one.FollowUpDate) = (Cases.Period(-9, null).StartDate, Cases.Today));
        Assert.Equal([TaskKind.SecureSchooling], await Done());

        // A follow-up day that has come is followed up when the next is set; one that is moved before it has come is not.
        arrangement = await Update(arrangement, new() { FollowUpDate = Cases.InMonths(1) }, "follow_up_date");
        Assert.Equal([TaskKind.SecureSchooling, TaskKind.FollowUpSchooling], await Done());
        arrangement = await Update(arrangement, new() { FollowUpDate = Cases.InMonths(2) }, "follow_up_date");
        Assert.Equal([TaskKind.SecureSchooling, TaskKind.FollowUpSchooling], await Done());

        arrangement = await Update(arrangement, new() { ReviewDate = Cases.Today }, "review_date");
        Assert.Contains(TaskKind.ReviewSchooling, await Done());

        await Place(plan, DemonstrationDirectory.Kruton, daysAgo: 2);
        arrangement = await HandOver(arrangement, HandoverStepKind.LeavingSchool, daysAgo: 1);
        Assert.Contains(TaskKind.HandoverSecondStep, await Done());
        Assert.DoesNotContain(TaskKind.HandoverFirstStep, await Done());

        await Reporting(School, plan, Cases.WeekOf(1, 20, 10, 10, 0));
        Assert.DoesNotContain(TaskKind.LookAtAttendance, await Done());
        await Reporting(School, plan, Cases.WeekOf(0, 60, 60, 0, 0));
        Assert.Contains(TaskKind.LookAtAttendance, await Done());

        async Task<List<TaskKind>> Done()
        {
            var listed = await service.CaseWorker.Oversight.ListTasksAsync(new() { States = { TaskState.Done }, DoneSince = Cases.Period(-30, null).StartDate, PageSize = 500 });
            Assert.Equal("", listed.NextPageToken);
            return [.. listed.Tasks.Where(task => task.Subject.StartsWith(plan.Name + "/", StringComparison.Ordinal) && task.Kind >= TaskKind.SecureSchooling).Select(task => task.Kind).Order()];
        }
    }

    [Fact]
    public async Task An_arrangement_that_is_handed_over_without_a_move_asks_for_both_steps()
    {
        var plan = await Child();
        var arrangement = await service.SecureSchool(plan);
        arrangement = await service.Advance(arrangement, SchoolArrangementState.HandedOver, Cases.Period(0, 10).EndDate);
        var tasks = await Tasks(plan);
        Assert.Equal([TaskKind.HandoverFirstStep, TaskKind.HandoverSecondStep], tasks.Select(task => task.Kind).Order());
        Assert.All(tasks, task => Assert.Equal(Cases.Period(0, 3).EndDate, task.DueDate));
        arrangement = await HandOver(arrangement, HandoverStepKind.LeavingSchool);
        await HandOver(arrangement, HandoverStepKind.HomeEducationOffice);
        Assert.Empty(await Tasks(plan));
    }

    [Fact]
    public async Task Which_of_an_organisers_schools_a_pupil_goes_to_is_not_found_by_calling_for_each()
    {
        var (next, unrelated) = (await OtherSchool("23456789"), await OtherSchool("34567890"));
        var plan = await Child();
        await service.SecureSchool(plan);
        await service.SecureSchool(plan, next);
        var start = await service.Now();
        foreach (var school in new[] { next, unrelated })
        {
            var register = service.As(
                service.Infrastructure.Choice(DemonstrationDirectory.SchoolRegister) with { Unit = Cases.UnitOf(school) }, DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.SchoolRegister));
            foreach (var isDryRun in new[] { true, false })
            {
                await register.Schooling.ReportAttendanceAsync(new()
                {
                    Name = plan.Name + "/pupil",
                    Attendance = Cases.WeekOf(1, 20, 18, 2, 0),
                    Etag = "new",
                    RequestId = Cases.NewId(),
                    ValidateOnly = isDryRun,
                }).IsRefused();
            }
        }

        Assert.All(await service.LogSince(start), row => Assert.Equal("ASSIGNMENT_NOT_IN_FORCE", row.Reason));
        await Reporting(DemonstrationDirectory.SchoolRegister, plan, Cases.WeekOf(1, 20, 18, 2, 0));

        async Task<DemonstrationEmployee> OtherSchool(string code)
        {
            var school = School with { UnitId = code };
            await service.AddSchool(code);
            await service.Reassign(school, assignment => assignment.Name = "assignments/" + Cases.NewId());
            return school;
        }
    }

    [Fact]
    public async Task A_week_is_reported_by_contact_or_register_and_replaced_and_what_is_wrong_is_refused()
    {
        var plan = await Child();
        var arrangement = await service.SecureSchool(plan, change: one => one.StartDate = Cases.Period(-15, null).StartDate);
        var first = await Reporting(School, plan, Cases.WeekOf(1, 20, 18, 2, 0));
        await Reporting(School, plan, Cases.WeekOf(1, 20, 17, 2, 1)).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
        var second = await Reporting(DemonstrationDirectory.SchoolRegister, plan, Cases.WeekOf(1, 20, 17, 2, 1), first.Attendance.Etag);
        await Reporting(DemonstrationDirectory.SchoolRegister, plan, Cases.WeekOf(0, 10, 10, 0, 0));
        foreach (var wrong in new[]
        {
            Cases.WeekOf(0, 20, 20, 1, 0), Cases.WeekOf(0, 61, 61, 0, 0), Cases.WeekOf(0, 20, 19, 0, 0), Cases.WeekOf(-1, 20, 20, 0, 0), Cases.WeekOf(4, 20, 20, 0, 0),
            new AttendanceWeek(Cases.WeekOf(0, 20, 20, 0, 0)) { Week = 54 }, new AttendanceWeek(Cases.WeekOf(0, 20, 20, 0, 0)) { HoursAttended = -1, HoursAbsentValid = 21 },
        })
        {
            await Reporting(School, plan, wrong).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        await Reporting(NextSchool, plan, Cases.WeekOf(0, 20, 20, 0, 0)).IsRefused();
        await Reporting(DemonstrationDirectory.RegionIntegration, plan, Cases.WeekOf(0, 20, 20, 0, 0)).IsRefused();
        await service.As(DemonstrationDirectory.SchoolRegister).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();

        var listed = await service.CaseWorker.Schooling.ListAttendanceAsync(new() { Parent = arrangement.Name });
        Assert.Equal([(10, 10, 0, 0), (20, 17, 2, 1)], listed.Weeks.Select(week => (week.HoursPossible, week.HoursAttended, week.HoursAbsentValid, week.HoursAbsentInvalid)));
        Assert.Equal(second.Attendance, listed.Weeks[1]);
        Assert.False(listed.AbsencePattern);
        await service.As(School).Schooling.ListAttendanceAsync(new() { Parent = arrangement.Name }).IsRefused();
        await using var kept = service.Administrator.CreateCommand("SELECT present FROM coordinationplan.school_attendance_history WHERE plan_id = $1");
        kept.Parameters.Add(new() { Value = IdOf(plan) });
        Assert.Equal((short)18, await kept.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Absence_from_its_limit_on_is_a_task_until_the_latest_reports_show_it_no_longer()
    {
        var plan = await Child();
        var arrangement = await service.SecureSchool(plan);
        var report = await Reporting(School, plan, Cases.WeekOf(3, 100 / 5, 16, 4, 0));
        Assert.Equal([TaskKind.LookAtAttendance], (await Tasks(plan)).Select(task => task.Kind));
        Assert.True((await service.CaseWorker.Schooling.ListAttendanceAsync(new() { Parent = arrangement.Name })).AbsencePattern);
        await Reporting(School, plan, Cases.WeekOf(2, 20, 20, 0, 0));
        Assert.Empty(await Tasks(plan));

        // An earlier week is corrected, and what the weeks show together with it; the latest week's etag stays.
        var latest = await Reporting(School, plan, Cases.WeekOf(1, 20, 18, 1, 1));
        Assert.Empty(await Tasks(plan));
        await Reporting(School, plan, Cases.WeekOf(3, 20, 8, 12, 0), report.Attendance.Etag);
        Assert.Equal([TaskKind.LookAtAttendance], (await Tasks(plan)).Select(task => task.Kind));
        await Reporting(School, plan, Cases.WeekOf(1, 20, 20, 0, 0), latest.Attendance.Etag);
    }

    [Fact]
    public async Task The_housing_where_the_child_stays_reads_the_arrangement_within_its_release_and_another_does_not()
    {
        var plan = await Child();
        await service.SecureSchool(plan, change: arrangement => arrangement.Obstacles = "Bara för oss");
        foreach (var housing in new[] { DemonstrationDirectory.Shelter, DemonstrationDirectory.Kruton })
        {
            await service.Join(plan, housing);
            await service.Consent(plan, housing, [InformationCategory.Identity, InformationCategory.Meetings]);
            await service.As(housing).Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name }).IsRefused();
        }

        await Place(plan, DemonstrationDirectory.Shelter);
        var read = Assert.Single(await Arrangements(DemonstrationDirectory.Shelter, plan));
        Assert.Equal((Cases.UnitOf(School), "12345678", "", "", ""), (read.SchoolUnit, read.SchoolUnitCode, read.SupportNeeds, read.Obstacles, read.ChildsWords));
        Assert.Contains(Cases.UnitOf(School), (await service.Read(DemonstrationDirectory.Shelter, plan)).Participations.Select(part => part.Unit));
        await service.As(DemonstrationDirectory.Kruton).Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name }).IsRefused();
        Assert.Equal([Cases.UnitOf(DemonstrationDirectory.Kruton)], (await service.Read(DemonstrationDirectory.Kruton, plan)).Participations.Select(part => part.Unit));
    }

    private async Task<Plan> Child(int yearsOld = 9)
    {
        var plan = await service.OpenPlan(Cases.NewPerson(yearsOld));
        // The tasks that every plan has are others' to test: this one is prepared and its risk assessed.
        await Sql("UPDATE coordinationplan.plan SET state = 1 WHERE plan_id = $1", plan);
        await service.CaseWorker.Risk.RecordRiskAssessmentAsync(new() { Parent = plan.Name, RiskAssessment = Cases.NewRiskAssessment(), Etag = plan.Etag, RequestId = Cases.NewId() });
        return plan;
    }

    private async Task Place(Plan plan, DemonstrationEmployee housing, int daysAgo = 0) => await SchoolLeakTests.Place(service, plan, housing, daysAgo);

    private async Task<List<UnitTask>> Tasks(Plan plan)
    {
        var tasks = new List<UnitTask>();
        var request = new ListTasksRequest { PageSize = 500 };
        do
        {
            var page = await service.CaseWorker.Oversight.ListTasksAsync(request);
            tasks.AddRange(page.Tasks.Where(task => task.Subject.StartsWith(plan.Name + "/", StringComparison.Ordinal) && task.Kind is >= TaskKind.SecureSchooling and <= TaskKind.LookAtAttendance));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return tasks;
    }

    private static (TaskKind Kind, Google.Type.Date Due, bool Overdue) Only(List<UnitTask> tasks) => Assert.Single(tasks) is var task ? (task.Kind, task.DueDate, task.Overdue) : default;

    private async Task<Pupil> Pupil(DemonstrationEmployee school, Plan plan) => (await service.As(school).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" })).Pupil;

    private async Task<IList<SchoolArrangement>> Arrangements(DemonstrationEmployee employee, Plan plan) =>
        (await service.As(employee).Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name })).SchoolArrangements;

    private AsyncUnaryCall<ReportAttendanceResponse> Reporting(DemonstrationEmployee reporter, Plan plan, AttendanceWeek week, string etag = "new") =>
        service.As(reporter).Schooling.ReportAttendanceAsync(new() { Name = plan.Name + "/pupil", Attendance = week, Etag = etag, RequestId = Cases.NewId() });

    private AsyncUnaryCall<AddSchoolArrangementResponse> Adding(Plan plan, SchoolArrangement arrangement) =>
        service.CaseWorker.Schooling.AddSchoolArrangementAsync(new() { Parent = plan.Name, SchoolArrangement = arrangement, Etag = plan.Etag, RequestId = Cases.NewId() });

    private AsyncUnaryCall<UpdateSchoolArrangementResponse> Updating(SchoolArrangement arrangement, SchoolArrangement changes, params string[] paths)
    {
        changes = changes.Clone();
        changes.Name = arrangement.Name;
        return service.CaseWorker.Schooling.UpdateSchoolArrangementAsync(new() { SchoolArrangement = changes, UpdateMask = new() { Paths = { paths } }, Etag = arrangement.Etag, RequestId = Cases.NewId() });
    }

    private async Task<SchoolArrangement> Update(SchoolArrangement arrangement, SchoolArrangement changes, params string[] paths) => (await Updating(arrangement, changes, paths)).SchoolArrangement;

    private AsyncUnaryCall<AdvanceSchoolArrangementResponse> Advancing(SchoolArrangement arrangement, SchoolArrangementState state) =>
        service.CaseWorker.Schooling.AdvanceSchoolArrangementAsync(new() { Name = arrangement.Name, State = state, Etag = arrangement.Etag, RequestId = Cases.NewId() });

    private async Task Lacks(SchoolArrangement arrangement, SchoolArrangementState state, params string[] subjects)
    {
        var error = await Advancing(arrangement, state).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);
        Assert.Equal(subjects, error.UnmetPreconditions().Select(unmet => unmet.Subject).Order());
    }

    private async Task<SchoolArrangement> HandOver(SchoolArrangement arrangement, HandoverStepKind step, int daysAgo = 0) =>
        (await service.CaseWorker.Schooling.RecordHandoverStepAsync(new()
        {
            Name = arrangement.Name,
            Step = step,
            TakeDate = Cases.Period(-daysAgo, null).StartDate,
            Reference = "ANT-1",
            Etag = arrangement.Etag,
            RequestId = Cases.NewId(),
        })).SchoolArrangement;

    private async Task Sql(string sql, Plan plan)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        command.Parameters.Add(new() { Value = IdOf(plan) });
        Assert.True(await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken) > 0);
    }

    private static Guid IdOf(Plan plan) => Guid.Parse(plan.Name["plans/".Length..]);

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CoordinationPlan.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}
