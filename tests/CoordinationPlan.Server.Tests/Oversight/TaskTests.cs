using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Oversight;

/// <summary>What a unit has to do and has done, as the days pass and the facts change.</summary>
public sealed class TaskTests(Service service) : IClassFixture<Service>
{
    private static readonly TaskState[] Every = [TaskState.Due, TaskState.Overdue, TaskState.Done];

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task A_task_is_due_to_its_day_overdue_the_day_after_and_done_when_the_fact_is()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, Care, [InformationCategory.Identity]);
        foreach (var (days, state) in new[] { (0, TaskState.Due), (3, TaskState.Due), (4, TaskState.Overdue), (30, TaskState.Overdue) })
        {
            await using var later = await LaterService.Start(service, days);
            var task = Assert.Single(await Tasks(later.CaseWorker, plan), task => task.Kind == TaskKind.BeginPlan);
            Assert.Equal(
                (days, plan.Name, state, state == TaskState.Overdue, Day(3), null, ""), (days, task.Subject, task.State, task.Overdue, task.DueDate, task.DoneDate, task.Employee));
            Assert.Equal(state == TaskState.Due, (await Tasks(later.CaseWorker, plan, TaskState.Due)).Contains(task));
            Assert.Equal(state == TaskState.Overdue, (await Tasks(later.CaseWorker, plan, TaskState.Overdue)).Contains(task));
        }

        await service.CaseWorker.Plans.AdvancePlanAsync(new() { Name = plan.Name, State = PlanState.Preparing, Etag = plan.Etag, RequestId = Cases.NewId() });

        Assert.DoesNotContain(await Tasks(service.CaseWorker, plan), task => task.Kind == TaskKind.BeginPlan);
        var done = Assert.Single(await Tasks(service.CaseWorker, plan, TaskState.Done));
        Assert.Equal((TaskKind.BeginPlan, plan.Name, Day(3), Cases.Today, false), (done.Kind, done.Subject, done.DueDate, done.DoneDate, done.Overdue));
    }

    [Fact]
    public async Task One_task_waits_for_its_own_plan_and_for_no_other()
    {
        var (held, free) = (await service.OpenPlan(Cases.NewPerson()), await service.OpenPlan(Cases.NewPerson()));
        var (heldTask, freeTask) = (await service.TaskOf(held), await service.TaskOf(free));
        await using var connection = await service.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var hold = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection);
        hold.Parameters.Add(new() { Value = BitConverter.ToInt64(Guid.Parse(held.Name["plans/".Length..]).ToByteArray()) });
        await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        Assert.Equal(freeTask, (await service.CaseWorker.Oversight.GetTaskAsync(new() { Name = freeTask.Name })).Task);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await service.CaseWorker.Oversight.GetTaskAsync(new() { Name = heldTask.Name }, deadline: TimeProvider.System.GetUtcNow().AddSeconds(1).UtcDateTime));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task A_reopened_plan_is_begun_within_the_days_after_it_was_taken_up_again()
    {
        var plan = await service.OpenAndClosePlan(Cases.NewPerson());
        await Sql("UPDATE coordinationplan.plan SET created_at = created_at - interval '100 days' WHERE plan_id = $1", plan.Name);
        await service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() });

        var task = Assert.Single(await Tasks(service.CaseWorker, plan), task => task.Kind == TaskKind.BeginPlan);

        Assert.Equal((Day(3), TaskState.Due), (task.DueDate, task.State));
        Assert.DoesNotContain(await Tasks(service.CaseWorker, plan, Every), task => task.State == TaskState.Done);
    }

    [Fact]
    public async Task What_was_done_is_listed_for_every_kind_whose_doing_leaves_a_fact()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        var clients = service.CaseWorker;
        var manager = service.As(DemonstrationDirectory.UnitManager);
        await service.Join(plan, Care);

        // One thing to do of each kind that the owning unit has.
        var secrecy = await service.KeepSecretFromJonas(plan);
        var block = await AddBlock(plan, DemonstrationDirectory.Colleague, reviewIn: 20);
        var release = await service.Release(plan, Care, [InformationCategory.Identity]);
        var access = await service.OpenEmergencyAccess(DemonstrationDirectory.ChildPsychiatry, plan.Subject);
        var consent = await service.Consent(plan, Care, [InformationCategory.Health], consent => consent.Period = Cases.Period(0, 20));
        var ending = await service.Consent(plan, Care, [InformationCategory.SocialSituation], consent => consent.Period = Cases.Period(0, 10));
        var assessment = await Assess(plan, null);
        var notice = (await clients.Discharge.AddDischargeNoticeAsync(new()
        {
            Parent = plan.Name,
            DischargeNotice = new() { Kind = DischargeNoticeKind.Ready, NoticeTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-5)) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).DischargeNotice;
        var intervention = await Intervene(plan, DemonstrationDirectory.CaseWorker, 0, 30);
        plan = (await clients.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, FollowUpDate = Day(5), Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id },
            UpdateMask = new() { Paths = { "follow_up_date", "coordinator" } },
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        })).Plan;
        plan = (await clients.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        TaskKind[] todo =
        [
            TaskKind.ReviewLocationSecrecy, TaskKind.ReviewBlock, TaskKind.ReviewRelease, TaskKind.ReviewEmergencyAccess, TaskKind.FollowUpPlan, TaskKind.RenewConsent, TaskKind.RenewConsent,
            TaskKind.ReassessRisk, TaskKind.SummonForDischarge, TaskKind.DoIntervention,
        ];
        Assert.Equal(todo.Order(), (await Tasks(clients, plan)).Select(task => task.Kind).Order());
        Assert.Equal([TaskKind.BeginPlan, TaskKind.AssessRisk], (await Tasks(clients, plan, TaskState.Done)).Select(task => task.Kind));

        // It is done: the facts change, and nothing is ticked off.
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(6), MeetingKind.FollowUp);
        await clients.Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = Cases.NewId() });
        await clients.Protection.ReviewLocationSecrecyAsync(new()
        {
            Name = secrecy.Name,
            DecideDate = Cases.Today,
            ReviewDate = Cases.InMonths(3),
            Decider = "Delegationen",
            Etag = secrecy.Etag,
            RequestId = Cases.NewId(),
        });
        await clients.Protection.LiftBlockAsync(new() { Name = block.Name, Etag = block.Etag, RequestId = Cases.NewId() });
        await manager.Releases.ReviewReleaseAsync(new() { Name = release.Name, Outcome = ReviewOutcome.Justified, Etag = release.Etag, RequestId = Cases.NewId() });
        var opened = Assert.Single((await manager.EmergencyAccess.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses);
        await manager.EmergencyAccess.ReviewEmergencyAccessAsync(new() { Name = opened.Name, Outcome = ReviewOutcome.Justified, Etag = opened.Etag, RequestId = Cases.NewId() });
        await clients.Consents.RenewConsentAsync(new() { Name = consent.Name, EndDate = Cases.InMonths(12), Form = ConsentForm.Oral, Etag = consent.Etag, RequestId = Cases.NewId() });
        await service.Consent(plan, Care, [InformationCategory.SocialSituation, InformationCategory.Identity], consent => consent.Period = Cases.Period(0, 60));
        var reassessed = await Assess(plan, assessment.Name);
        await clients.Plans.EndInterventionAsync(new() { Name = intervention.Name, Ending = ItemEnding.Completed, Etag = intervention.Etag, RequestId = Cases.NewId() });
        await using var later = await LaterService.Start(service, 7);
        await later.CaseWorker.Meetings.RecordMeetingAsync(new()
        {
            Name = meeting.Name,
            AttendingUnits = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        });

        var done = await Tasks(later.CaseWorker, plan, TaskState.Done);

        var owner = "employees/" + DemonstrationDirectory.CaseWorker.Id;
        Assert.Equal(
            new (TaskKind, string, Google.Type.Date, Google.Type.Date, string)[]
            {
                (TaskKind.ReviewLocationSecrecy, secrecy.Name, secrecy.ReviewDate, Cases.Today, owner),
                (TaskKind.ReviewBlock, block.Name, block.ReviewDate, Cases.Today, owner),
                (TaskKind.ReviewRelease, release.Name, release.ReviewDueDate, Cases.Today, owner),
                (TaskKind.ReviewEmergencyAccess, opened.Name, opened.ReviewDueDate, Cases.Today, owner),
                (TaskKind.BeginPlan, plan.Name, Day(3), Cases.Today, owner),
                (TaskKind.FollowUpPlan, plan.Name, Day(5), Day(6), owner),
                (TaskKind.RenewConsent, consent.Name, Day(20), Cases.Today, owner),
                (TaskKind.RenewConsent, ending.Name, Day(10), Cases.Today, owner),
                (TaskKind.AssessRisk, plan.Name + "/riskAssessments", Day(7), Cases.Today, owner),
                (TaskKind.ReassessRisk, assessment.Name, assessment.ReassessDate, Cases.Today, owner),
                (TaskKind.RecordMeeting, meeting.Name, Day(6), Cases.Today, owner),
                (TaskKind.SummonForDischarge, notice.Name, notice.SummonsDueDate, Cases.Today, owner),
                (TaskKind.AnswerCall, meeting.Name, Day(3), Cases.Today, owner),
                (TaskKind.AttendMeeting, meeting.Name, Day(6), Day(6), owner),
                // Nobody is its contact person.
                (TaskKind.DoIntervention, intervention.Name, Day(30), Cases.Today, ""),
            },
            done.OrderBy(task => task.Kind).ThenByDescending(task => DateOf(task.DueDate)).Select(task => (task.Kind, task.Subject, task.DueDate, task.DoneDate, task.Employee)));
        Assert.All(done, task => Assert.Equal(TaskState.Done, task.State));
        // What is left is the next of each that comes again.
        Assert.Equal(
            new[] { (TaskKind.ReviewLocationSecrecy, secrecy.Name), (TaskKind.ReassessRisk, reassessed.Name) }.Order(),
            (await Tasks(later.CaseWorker, plan)).Select(task => (task.Kind, task.Subject)).Order());
        // What was done on a day is not listed from the day after.
        Assert.Equal(
            [TaskKind.FollowUpPlan, TaskKind.AttendMeeting],
            (await All(later.CaseWorker, new() { States = { TaskState.Done }, DoneSince = Day(1) })).Where(task => Of(task, plan)).Select(task => task.Kind).Order());
        _ = access;
    }

    [Fact]
    public async Task A_follow_up_is_due_until_a_follow_up_meeting_is_held_and_again_when_a_new_day_is_set()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        plan = await SetFollowUp(plan, 10);
        var (planning, followUp) = (
            await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(8)),
            await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(9), MeetingKind.FollowUp));
        await using var later = await LaterService.Start(service, 11);
        Assert.Equal([(Day(10), TaskState.Overdue)], await FollowUps());
        await Record(later, planning);
        Assert.Equal([(Day(10), TaskState.Overdue)], await FollowUps());

        await Record(later, followUp);
        Assert.Empty(await FollowUps());

        plan = await SetFollowUp(plan, 100);
        // The database's clock has not moved: the day counts as set before the meeting that has been held.
        await Sql("UPDATE coordinationplan.meeting SET starts_at = starts_at - interval '30 days' WHERE plan_id = $1 AND kind = 2", plan.Name);
        Assert.Equal([(Day(100), TaskState.Due)], await FollowUps());

        async Task<IEnumerable<(Google.Type.Date, TaskState)>> FollowUps() =>
            (await Tasks(later.CaseWorker, plan)).Where(task => task.Kind == TaskKind.FollowUpPlan).Select(task => (task.DueDate, task.State));
    }

    [Fact]
    public async Task A_called_unit_is_told_to_answer_and_to_come_and_of_no_other_units_call()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        foreach (var unit in new[] { Care, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter })
        {
            await service.Join(plan, unit);
        }

        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        // It takes part, and reads nothing of meetings but its own call.
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health]);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.Meetings]);
        var meeting = await service.CallMeeting(
            plan, [DemonstrationDirectory.CaseWorker, Care, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter], TimeSpan.FromDays(10));
        Assert.Equal([(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Due)], await Of(service.As(Care)));

        foreach (var (days, expected) in new (int, (TaskKind, string, Google.Type.Date, TaskState)[])[]
        {
            (2, [(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Due)]),
            (3, [(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Due), (TaskKind.AttendMeeting, meeting.Name, Day(10), TaskState.Due)]),
            (7, [(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Due), (TaskKind.AttendMeeting, meeting.Name, Day(10), TaskState.Due)]),
            (8, [(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Overdue), (TaskKind.AttendMeeting, meeting.Name, Day(10), TaskState.Due)]),
            (10, [(TaskKind.AnswerCall, meeting.Name, Day(7), TaskState.Overdue), (TaskKind.AttendMeeting, meeting.Name, Day(10), TaskState.Due)]),
            (11, []),
        })
        {
            await using var later = await LaterService.Start(service, days);
            Assert.Equal((days, expected.Length), (days, (await Of(later.As(Care))).Intersect(expected).Count()));
            Assert.Equal(expected.Length, (await Of(later.As(Care))).Count());
            // The housing has its own call, the owning unit its own, and so has who may not read meetings.
            Assert.Equal(expected, await Of(later.As(DemonstrationDirectory.Shelter)));
            Assert.Equal(expected, (await Of(later.CaseWorker)).Where(task => task.Kind is TaskKind.AnswerCall or TaskKind.AttendMeeting));
            Assert.Equal(expected, await Of(later.As(DemonstrationDirectory.ChildPsychiatry)));
            Assert.Empty(await Of(later.As(DemonstrationDirectory.OtherCaseWorker)));
            Assert.Empty(await Of(later.As(DemonstrationDirectory.Kruton)));
        }

        await using var before = await LaterService.Start(service, 9);
        await before.As(Care).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Declined, Etag = meeting.Etag, RequestId = Cases.NewId() });
        Assert.Empty(await Of(before.As(Care)));
        var done = Assert.Single(await Tasks(before.As(Care), plan, TaskState.Done));
        Assert.Equal((TaskKind.AnswerCall, Day(7), Day(9)), (done.Kind, done.DueDate, done.DoneDate));

        // Moved: to be answered anew, and not late at once.
        var moved = (await before.CaseWorker.Meetings.RescheduleMeetingAsync(new()
        {
            Name = meeting.Name,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(30)),
            Form = MeetingForm.Video,
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        })).Meeting;
        Assert.Equal([(TaskKind.AnswerCall, meeting.Name, Day(27), TaskState.Due)], await Of(before.As(Care)));
        await before.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = Cases.BlockOf(Care), Etag = plan.Etag, RequestId = Cases.NewId() });
        Assert.Empty(await Tasks(before.As(Care), plan, Every));
        await before.CaseWorker.Meetings.CancelMeetingAsync(new() { Name = meeting.Name, Etag = moved.Etag, RequestId = Cases.NewId() });
        Assert.Empty(await Of(before.As(DemonstrationDirectory.Shelter)));

        async Task<IEnumerable<(TaskKind Kind, string Subject, Google.Type.Date Due, TaskState State)>> Of(CoordinationPlanClients clients) =>
            (await Tasks(clients, plan)).Select(task => (task.Kind, task.Subject, task.DueDate, task.State));
    }

    [Fact]
    public async Task A_call_to_a_meeting_tomorrow_is_to_be_answered_today()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(1));

        var task = Assert.Single(await Tasks(service.CaseWorker, plan), task => task.Kind == TaskKind.AnswerCall);

        Assert.Equal((meeting.Name, Cases.Today, TaskState.Due), (task.Subject, task.DueDate, task.State));
    }

    [Fact]
    public async Task An_intervention_is_its_units_to_do_from_its_first_day_to_its_last_and_its_contact_persons()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.GoalsAndInterventions]);
        var intervention = await Intervene(plan, Care, 5, 10, contactPerson: true);
        await Intervene(plan, Care, 5, null);
        var stopped = await Intervene(plan, Care, 0, 10);
        await service.As(Care).Plans.EndInterventionAsync(new() { Name = stopped.Name, Ending = ItemEnding.Discontinued, Etag = stopped.Etag, RequestId = Cases.NewId() });
        var employee = "employees/" + Care.Id;

        foreach (var (days, state) in new (int, TaskState?)[] { (4, null), (5, TaskState.Due), (10, TaskState.Due), (11, TaskState.Overdue) })
        {
            await using var later = await LaterService.Start(service, days);
            var tasks = (await Tasks(later.As(Care), plan)).Select(task => (task.Kind, task.Subject, task.DueDate, task.Employee, (TaskState?)task.State));
            Assert.Equal(state is null ? [] : [(TaskKind.DoIntervention, intervention.Name, Day(10), employee, state)], tasks);
            // Not the owning unit's, whose plan it is.
            Assert.DoesNotContain(await Tasks(later.CaseWorker, plan), task => task.Kind == TaskKind.DoIntervention);
            Assert.Equal(state is null ? 0 : 1, (await All(later.As(Care), new() { Employee = employee })).Count(task => Of(task, plan)));
            Assert.Empty(await All(later.As(Care), new() { Employee = "employees/" + DemonstrationDirectory.CaseWorker.Id }));
        }

        // Planned anew: its days follow; nothing else of it moves them.
        intervention = (await service.As(Care).Plans.UpdateInterventionAsync(new()
        {
            Intervention = new() { Name = intervention.Name, Period = Cases.Period(0, 3) },
            UpdateMask = new() { Paths = { "period" } },
            Etag = intervention.Etag,
            RequestId = Cases.NewId(),
        })).Intervention;
        intervention = (await service.As(Care).Plans.UpdateInterventionAsync(new()
        {
            Intervention = new() { Name = intervention.Name, Title = "Annat" },
            UpdateMask = new() { Paths = { "title" } },
            Etag = intervention.Etag,
            RequestId = Cases.NewId(),
        })).Intervention;
        var moved = Assert.Single(await Tasks(service.As(Care), plan));
        Assert.Equal((Day(3), employee), (moved.DueDate, moved.Employee));
        await service.As(Care).Plans.EndInterventionAsync(new() { Name = intervention.Name, Ending = ItemEnding.Completed, Etag = intervention.Etag, RequestId = Cases.NewId() });
        Assert.Empty(await Tasks(service.As(Care), plan));
        Assert.Equal([(TaskKind.DoIntervention, intervention.Name)], (await Tasks(service.As(Care), plan, TaskState.Done)).Select(task => (task.Kind, task.Subject)));
    }

    [Fact]
    public async Task What_a_sheltered_housing_does_for_the_person_is_its_own_to_hear_of()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.GoalsAndInterventions]);
        var intervention = await Intervene(plan, DemonstrationDirectory.Shelter, 0, 10);

        Assert.Equal([intervention.Name], (await Tasks(service.As(DemonstrationDirectory.Shelter), plan)).Select(task => task.Subject));
        Assert.Empty(await Tasks(service.As(DemonstrationDirectory.Kruton), plan));
        Assert.DoesNotContain(await Tasks(service.CaseWorker, plan), task => task.Subject == intervention.Name);
    }

    [Fact]
    public async Task A_block_that_ends_by_its_date_is_a_task_in_time_and_then_no_block()
    {
        var blocked = Care;
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, blocked);
        await service.Consent(plan, blocked, [InformationCategory.Health]);
        var block = await AddBlock(plan, blocked, endsIn: 40);
        Assert.Equal(Day(40), block.EndDate);
        foreach (var (days, isThere) in new[] { (0, false), (9, false), (10, true), (40, true), (41, false) })
        {
            await using var later = await LaterService.Start(service, days);
            var task = (await Tasks(later.CaseWorker, plan)).SingleOrDefault(task => task.Kind == TaskKind.BlockEnds);
            Assert.Equal((days, isThere ? block.Name : null, isThere ? Day(40) : null), (days, task?.Subject, task?.DueDate));
            var read = later.As(blocked).Plans.GetPlanAsync(new() { Name = plan.Name });
            if (days <= 40)
            {
                await read.IsRefused();
            }
            else
            {
                Assert.Equal(plan.Name, (await read).Plan.Name);
            }
        }

        // Another that does not last longer changes nothing; one that does is what was to be considered.
        await AddBlock(plan, blocked, endsIn: 30);
        await using var warned = await LaterService.Start(service, 20);
        Assert.Equal([Day(30), Day(40)], (await Tasks(warned.CaseWorker, plan)).Where(task => task.Kind == TaskKind.BlockEnds).Select(task => task.DueDate));
        await AddBlock(plan, blocked);
        Assert.DoesNotContain(await Tasks(warned.CaseWorker, plan), task => task.Kind == TaskKind.BlockEnds);
        Assert.Equal([Day(30), Day(40)], (await Tasks(warned.CaseWorker, plan, TaskState.Done)).Where(task => task.Kind == TaskKind.BlockEnds).Select(task => task.DueDate));
    }

    [Fact]
    public async Task A_blocks_end_is_not_in_the_past_and_a_guardians_has_none()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var past = Cases.BlockOf(DemonstrationDirectory.Colleague);
        past.EndDate = Day(-1);
        var guardian = new Block
        {
            Guardian = DemonstrationPersons.Jonas,
            Ground = BlockGround.ConsiderableHarm,
            DecideDate = Cases.Today,
            ReviewDate = Cases.InMonths(6),
            EndDate = Cases.InMonths(7),
        };
        foreach (var block in new[] { past, guardian })
        {
            var error = await service.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = block, Etag = plan.Etag, RequestId = Cases.NewId() })
                .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
            Assert.Equal(["block.end_date"], error.FieldFaults().Select(fault => fault.Field));
        }

        Assert.Empty((await service.CaseWorker.Protection.GetProtectionAsync(new() { Name = plan.Name + "/protection" })).Protection.Blocks);
    }

    [Fact]
    public async Task A_block_that_is_decided_anew_has_been_reviewed()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var first = await AddBlock(plan, DemonstrationDirectory.Colleague, reviewIn: 10);
        var second = await AddBlock(plan, DemonstrationDirectory.Colleague, reviewIn: 100);

        Assert.Equal([second.Name], (await Tasks(service.CaseWorker, plan)).Where(task => task.Kind == TaskKind.ReviewBlock).Select(task => task.Subject));
        Assert.Equal([first.Name], (await Tasks(service.CaseWorker, plan, TaskState.Done)).Where(task => task.Kind == TaskKind.ReviewBlock).Select(task => task.Subject));
    }

    [Fact]
    public async Task A_list_is_of_one_employee_of_the_states_asked_for_and_the_same_by_any_page()
    {
        var coordinated = await service.OpenPlan(Cases.NewPerson());
        coordinated = (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = coordinated.Name, Coordinator = "employees/" + DemonstrationDirectory.UnitManager.Id },
            UpdateMask = new() { Paths = { "coordinator" } },
            Etag = coordinated.Etag,
            RequestId = Cases.NewId(),
        })).Plan;
        var other = await service.OpenPlan(Cases.NewPerson());
        await Assess(other, null);
        var block = await AddBlock(other, DemonstrationDirectory.Colleague, reviewIn: 3);
        await service.CaseWorker.Protection.LiftBlockAsync(new() { Name = block.Name, Etag = block.Etag, RequestId = Cases.NewId() });
        var employee = "employees/" + DemonstrationDirectory.UnitManager.Id;

        var theirs = await All(service.CaseWorker, new() { Employee = employee });
        Assert.All(theirs, task => Assert.Equal(employee, task.Employee));
        Assert.Equal([TaskKind.BeginPlan, TaskKind.AssessRisk], theirs.Where(task => Of(task, coordinated)).Select(task => task.Kind));
        Assert.DoesNotContain(theirs, task => Of(task, other));
        Assert.Empty(await All(service.CaseWorker, new() { Employee = "employees/none-such" }));

        var request = new ListTasksRequest { States = { Every }, DoneSince = Day(-400) };
        var whole = await All(service.CaseWorker, request);
        Assert.Equal(whole, await All(service.CaseWorker, new(request) { PageSize = 1 }));
        Assert.Equal(whole.Count, whole.Distinct().Count());
        Assert.Equal(whole.Select(task => DateOf(task.DueDate)).Order(), whole.Select(task => DateOf(task.DueDate)));
        foreach (var state in Every)
        {
            var one = new ListTasksRequest { States = { state }, DoneSince = state == TaskState.Done ? Day(-400) : null };
            Assert.Equal(whole.Where(task => task.State == state), await All(service.CaseWorker, one));
        }

        // A page goes on with the same question only.
        var page = await service.CaseWorker.Oversight.ListTasksAsync(new(request) { PageSize = 1 });
        await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 1, PageToken = page.NextPageToken }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        await service.CaseWorker.Oversight.ListTasksAsync(new(request) { Employee = employee, PageToken = page.NextPageToken }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
    }

    [Fact]
    public async Task What_was_done_is_asked_for_with_a_day_at_most_four_hundred_days_ago()
    {
        foreach (var (states, since) in new (TaskState[], Google.Type.Date?)[]
        {
            ([TaskState.Done], null), ([TaskState.Due, TaskState.Done], null), ([], Day(-1)), ([TaskState.Overdue], Day(-1)), ([TaskState.Done], Day(1)), ([TaskState.Done], Day(-401)),
            ([TaskState.Unspecified], null), ([(TaskState)9], null),
        })
        {
            await service.CaseWorker.Oversight.ListTasksAsync(new() { States = { states }, DoneSince = since }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        await service.CaseWorker.Oversight.ListTasksAsync(new() { Employee = "units/x" }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await service.CaseWorker.Oversight.ListTasksAsync(new() { States = { TaskState.Done }, DoneSince = Day(-400) });
        await service.CaseWorker.Oversight.ListTasksAsync(new() { States = { TaskState.Done }, DoneSince = Day(0) });
    }

    [Fact]
    public async Task A_day_begins_at_midnight_in_Sweden_also_in_the_nights_in_which_the_clock_changes()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var year = TimeProvider.System.Today().Year + 1;
        var (spring, autumn) = (LastSunday(year, 3), LastSunday(year, 10));
        // Midnight in Sweden is at 23 or 22 of the day before in UTC: by winter time before the night in March and after that in October.
        var borders = new (DateOnly Day, int Hour)[] { (spring, 23), (spring.AddDays(1), 22), (autumn, 22), (autumn.AddDays(1), 23), (new(year, 1, 1), 23), (new(year, 7, 1), 22) };
        foreach (var (day, hour) in borders)
        {
            var midnight = new DateTimeOffset(day.AddDays(-1), new TimeOnly(hour, 0), TimeSpan.Zero);
            Assert.Equal((midnight, day.AddDays(-4)), (midnight, DateOf(await DueOfCallTo(midnight.AddSeconds(-1)))));
            Assert.Equal((midnight, day.AddDays(-3)), (midnight, DateOf(await DueOfCallTo(midnight))));
            // And it is that day for the caller, too.
            await using var last = await LaterService.Start(service, midnight.AddSeconds(-1));
            var error = await last.CaseWorker.Oversight.ListTasksAsync(new() { States = { TaskState.Done }, DoneSince = Cases.ToDate(day) }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
            Assert.NotNull(error);
            last.Advance(TimeSpan.FromSeconds(1));
            await last.CaseWorker.Oversight.ListTasksAsync(new() { States = { TaskState.Done }, DoneSince = Cases.ToDate(day) });
        }

        async Task<Google.Type.Date> DueOfCallTo(DateTimeOffset start)
        {
            var meeting = Cases.NewMeeting(TimeSpan.FromDays(1));
            meeting.StartTime = Timestamp.FromDateTimeOffset(start);
            var called = (await service.CaseWorker.Meetings.CallMeetingAsync(new()
            {
                Parent = plan.Name,
                Meeting = meeting,
                Units = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            })).Meeting;
            return (await Tasks(service.CaseWorker, plan)).Single(task => task.Kind == TaskKind.AnswerCall && task.Subject == called.Name).DueDate;
        }
    }

    [Fact]
    public async Task Nobody_hears_of_what_is_to_be_done_for_a_person_whom_he_may_not_know_of()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var colleague = DemonstrationDirectory.NewCaseWorker;
        await Assess(plan, null);
        Assert.NotEmpty(await Tasks(service.As(colleague), plan, Every));

        await service.BlockEmployee(plan, colleague);

        Assert.Empty(await Tasks(service.As(colleague), plan, Every));
        Assert.NotEmpty(await Tasks(service.CaseWorker, plan, Every));
        foreach (var other in new[] { DemonstrationDirectory.OtherCaseWorker, Care, DemonstrationDirectory.Shelter, DemonstrationDirectory.LogReviewer })
        {
            Assert.Empty(await Tasks(service.As(other), plan, Every));
        }

        await service.As(DemonstrationDirectory.School).Oversight.ListTasksAsync(new()).IsRefused();
    }

    private async Task<Intervention> Intervene(Plan plan, DemonstrationEmployee responsible, int from, int? to, bool contactPerson = false) =>
        (await service.CaseWorker.Plans.AddInterventionAsync(new()
        {
            Parent = plan.Name,
            Intervention = new()
            {
                Title = "Insats",
                ResponsibleUnit = Cases.UnitOf(responsible),
                Period = Cases.Period(from, to),
                ContactPerson = contactPerson ? "employees/" + responsible.Id : "",
            },
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        })).Intervention;

    private async Task<Block> AddBlock(Plan plan, DemonstrationEmployee whom, int? reviewIn = null, int? endsIn = null)
    {
        var block = Cases.BlockOf(whom);
        block.ReviewDate = reviewIn is { } review ? Day(review) : null;
        block.EndDate = endsIn is { } end ? Day(end) : null;
        return (await service.CaseWorker.Protection.AddBlockAsync(new()
        {
            Parent = plan.Name,
            Block = block,
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        })).Block;
    }

    private async Task<RiskAssessment> Assess(Plan plan, string? earlier) => (await service.CaseWorker.Risk.RecordRiskAssessmentAsync(new()
    {
        Parent = plan.Name,
        RiskAssessment = Cases.NewRiskAssessment(),
        Supersedes = earlier ?? "",
        Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
        RequestId = Cases.NewId(),
    })).RiskAssessment;

    private async Task<Plan> SetFollowUp(Plan plan, int days) => (await service.CaseWorker.Plans.UpdatePlanAsync(new()
    {
        Plan = new() { Name = plan.Name, FollowUpDate = Day(days) },
        UpdateMask = new() { Paths = { "follow_up_date" } },
        Etag = plan.Etag,
        RequestId = Cases.NewId(),
    })).Plan;

    private static async Task Record(LaterService later, Meeting meeting) =>
        await later.CaseWorker.Meetings.RecordMeetingAsync(new() { Name = meeting.Name, Etag = meeting.Etag, RequestId = Cases.NewId() });

    private async Task Sql(string text, string plan)
    {
        await using var command = service.Administrator.CreateCommand(text);
        command.Parameters.Add(new() { Value = Guid.Parse(plan.AsSpan("plans/".Length)) });
        Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The tasks of a plan in the states; without states, those that the service lists without being told.</summary>
    private static async Task<List<UnitTask>> Tasks(CoordinationPlanClients clients, Plan plan, params TaskState[] states) =>
        [.. (await All(clients, new() { States = { states }, DoneSince = states.Contains(TaskState.Done) ? Day(-100) : null })).Where(task => Of(task, plan))];

    private static async Task<List<UnitTask>> All(CoordinationPlanClients clients, ListTasksRequest request)
    {
        var tasks = new List<UnitTask>();
        var page = new ListTasksRequest(request) { PageSize = request.PageSize == 0 ? 500 : request.PageSize };
        do
        {
            var found = await clients.Oversight.ListTasksAsync(page);
            tasks.AddRange(found.Tasks);
            page.PageToken = found.NextPageToken;
        }
        while (page.PageToken.Length > 0);
        return tasks;
    }

    private static bool Of(UnitTask task, Plan plan) => task.Subject == plan.Name || task.Subject.StartsWith(plan.Name + "/", StringComparison.Ordinal);

    private static Google.Type.Date Day(int fromToday) => Cases.Period(fromToday, null).StartDate;

    private static DateOnly DateOf(Google.Type.Date date) => new(date.Year, date.Month, date.Day);

    private static DateOnly LastSunday(int year, int month)
    {
        var day = new DateOnly(year, month, 31);
        return day.AddDays(-(int)day.DayOfWeek);
    }
}
