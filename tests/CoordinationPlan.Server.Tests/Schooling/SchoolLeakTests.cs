using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>Which school a placed or protected child goes to reaches nobody else, by whatever call; that it would be seen otherwise is shown first.</summary>
public sealed class SchoolLeakTests(Service service) : IClassFixture<Service>
{
    private static readonly InformationCategory[] Everything =
    [
        InformationCategory.Identity, InformationCategory.ContactDetails, InformationCategory.GoalsAndInterventions, InformationCategory.SocialSituation, InformationCategory.Health,
        InformationCategory.Schooling, InformationCategory.ProtectionMeasures, InformationCategory.ChildsOwnWords, InformationCategory.Meetings, InformationCategory.SchoolPlacement,
    ];

    private static readonly DemonstrationEmployee[] Others = [DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Cousin];

    // The school's code is its unit's id too.
    private static readonly string[] Traces = ["12345678", "Skola i annan kommun", DemonstrationDirectory.OtherMunicipality, DemonstrationDirectory.School.Id];

    [Theory]
    [InlineData("placed")]
    [InlineData("protected")]
    [InlineData("not known")]
    [InlineData("kept secret")]
    [InlineData("housed")]
    public async Task Those_who_could_see_the_school_see_it_no_longer_by_any_call(string how)
    {
        var (world, plan) = await Family();
        var before = await Collect(world, DemonstrationDirectory.ChildPsychiatry);
        Assert.Contains("12345678", before, StringComparison.Ordinal);
        Assert.Contains("12345678", string.Concat((await service.Read(DemonstrationDirectory.PrimaryCare, plan)).Participations), StringComparison.Ordinal);

        await (how switch
        {
            "placed" => Place(service, plan, DemonstrationDirectory.Shelter),
            "protected" => service.Protect(plan, ProtectionLevel.ConfidentialityMarked),
            "kept secret" => service.KeepSecretFromJonas(plan),
            "housed" => service.Join(plan, DemonstrationDirectory.Shelter),
            _ => Forget(plan),
        });

        foreach (var employee in Others)
        {
            var told = await Collect(world, employee);
            Assert.All(Traces, trace => Assert.DoesNotContain(trace, told, StringComparison.OrdinalIgnoreCase));
        }

        Assert.Contains("12345678", await Collect(world, DemonstrationDirectory.CaseWorker), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_intervention_that_was_written_before_there_was_a_category_for_it_is_hidden_too_now_and_in_revisions()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson(9));
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, Everything);
        var intervention = await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker, "Stöd i skolan");
        // As if it had been written so: without a version of it in the history.
        await using var old = service.Administrator.CreateCommand(
            $"""
            BEGIN;
            SET LOCAL session_replication_role = replica;
            UPDATE coordinationplan.plan_part SET unit_id = '{service.Names.Stored(ResourceName.Units, DemonstrationDirectory.School.UnitId)}'
            WHERE part_id = '{intervention.Name[(intervention.Name.LastIndexOf('/') + 1)..]}';
            COMMIT
            """);
        await old.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() });
        await service.CaseWorker.Plans.EndInterventionAsync(new() { Name = intervention.Name, Ending = ItemEnding.Completed, Etag = intervention.Etag, RequestId = Cases.NewId() });
        Assert.Contains(intervention.Name, await Titles(), StringComparison.Ordinal);
        await Place(service, plan, DemonstrationDirectory.Shelter);

        Assert.DoesNotContain(intervention.Name, await Titles(), StringComparison.Ordinal);
        Assert.Contains(intervention.Name, string.Concat((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Interventions), StringComparison.Ordinal);

        async Task<string> Titles() => string.Concat((await service.Read(DemonstrationDirectory.PrimaryCare, plan)).Interventions)
            + (await service.As(DemonstrationDirectory.PrimaryCare).Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name, Revision = 1 }));
    }

    [Fact]
    public async Task Where_health_care_owns_the_plan_it_names_and_finds_no_school_of_a_placed_child()
    {
        var person = Cases.NewPerson(9);
        var cares = service.As(DemonstrationDirectory.PrimaryCare);
        var plan = (await cares.Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId() })).Plan;
        AddParticipationRequest Bring() => new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = Cases.UnitOf(DemonstrationDirectory.School), Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        await cares.Participations.AddParticipationAsync(Bring());
        Assert.Single((await service.Read(DemonstrationDirectory.PrimaryCare, plan)).Participations);
        await cares.Participations.AddParticipationAsync(Bring()).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        await Place(service, await service.OpenPlan(person), DemonstrationDirectory.Shelter);

        Assert.Empty((await service.Read(DemonstrationDirectory.PrimaryCare, plan)).Participations);
        // The one that takes part is as unknown as one that does not.
        var taking = await cares.Participations.AddParticipationAsync(Bring()).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        var another = Bring();
        another.Participation.Unit = Cases.UnitOf(DemonstrationDirectory.Cousin);
        var other = await cares.Participations.AddParticipationAsync(another).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        Assert.Equal(taking.UnmetPreconditions(), other.UnmetPreconditions());
        await cares.Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task Oversight_and_the_log_of_another_controller_do_not_name_the_school_or_who_acted_from_it()
    {
        var (_, plan) = await Family();
        async Task<string> Readers(DemonstrationEmployee employee) => string.Concat((await service.As(employee).Oversight.ExplainAccessAsync(new() { Parent = plan.Name, PageSize = 500 })).Readers);
        await service.As(DemonstrationDirectory.School).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" });
        Assert.Contains("12345678", await Readers(DemonstrationDirectory.DataProtectionOfficer), StringComparison.Ordinal);
        Assert.Contains("12345678", string.Concat(await Log(plan)), StringComparison.Ordinal);

        await Place(service, plan, DemonstrationDirectory.Shelter);
        Assert.Contains("12345678", await Readers(DemonstrationDirectory.UnitManager), StringComparison.Ordinal);
        Assert.DoesNotContain("12345678", await Readers(DemonstrationDirectory.DataProtectionOfficer), StringComparison.Ordinal);
        // What the school tried after it had no right any more, and who has nothing to do with the child at all.
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents.Single(one => one.RecipientUnits.Contains(Cases.UnitOf(DemonstrationDirectory.School)));
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        await service.As(DemonstrationDirectory.School).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" }).IsRefused();
        var stranger = DemonstrationDirectory.Cousin;
        await service.As(stranger).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" }).IsRefused();

        var log = await Log(plan);
        Assert.All(Traces, trace => Assert.DoesNotContain(trace, string.Concat(log), StringComparison.Ordinal));
        Assert.Contains(log, entry => entry is { Act: Act.ReadPupil, Outcome: AccessOutcome.Permitted, Employee: "", Unit: "", Assignment: "" });
        Assert.Contains(log, entry => entry.Act == Act.ReadPupil && entry.Outcome == AccessOutcome.Refused && entry.Employee == "employees/" + stranger.Id);
    }

    [Theory]
    [InlineData("Bor på Gömstigen 4.", "ADDRESS")]
    [InlineData("Ring 070 123-4567 om något händer.", "PHONE_NUMBER")]
    [InlineData("Ring Kriscentrum om något händer.", "UNIT_NAME")]
    public async Task What_is_written_for_those_who_are_not_to_know_does_not_tell_where_the_child_is(string text, string kind)
    {
        var plan = await service.OpenPlan(Cases.NewPerson(9));
        var arrangement = await service.SecureSchool(plan);
        await service.Join(plan, DemonstrationDirectory.Shelter);
        var name = plan.Name + "/whereabouts";
        await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = name, Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömstigen 4, 185 39 Vaxholm", SafeContact = "070-1234567" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        var start = await service.Now();

        foreach (var (field, change) in new (string, Action<SchoolArrangement>)[]
        {
            ("support_needs", school => school.SupportNeeds = text), ("contact_for_school", school => school.ContactForSchool = text),
            ("contact_phone", school => school.ContactPhone = text), ("safe_contact_rules", school => school.SafeContactRules = text),
            ("pick_up_rules", school => school.PickUpRules = text), ("alias", school => school.Alias = new() { GivenName = text, FamilyName = "Ek" }),
        })
        {
            var changed = new SchoolArrangement { Name = arrangement.Name };
            change(changed);
            var refused = await service.CaseWorker.Schooling.UpdateSchoolArrangementAsync(new()
            {
                SchoolArrangement = changed,
                UpdateMask = new() { Paths = { field } },
                Etag = arrangement.Etag,
                RequestId = Cases.NewId(),
            }).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
            Assert.Equal("school_arrangement." + field, Assert.Single(refused.UnmetPreconditions()).Subject);
            Assert.Equal(kind, Assert.Single(refused.GetRpcStatus()!.GetDetail<Google.Rpc.PreconditionFailure>()!.Violations).Type);

            changed.Name = "";
            changed.SchoolUnit = Cases.UnitOf(DemonstrationDirectory.Cousin);
            await service.CaseWorker.Schooling.AddSchoolArrangementAsync(new() { Parent = plan.Name, SchoolArrangement = changed, Etag = plan.Etag, RequestId = Cases.NewId() })
                .Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        }

        // A measure is told to whom it concerns; the housing knows where it is.
        await AddMeasure(null, text).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await AddMeasure(DemonstrationDirectory.School, text).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await AddMeasure(DemonstrationDirectory.Shelter, text);
        var measure = await AddMeasure(DemonstrationDirectory.School, "Ring bara handläggaren.");
        await service.CaseWorker.Plans.UpdateProtectionMeasureAsync(new()
        {
            ProtectionMeasure = new() { Name = measure.Name, Instruction = text },
            UpdateMask = new() { Paths = { "instruction" } },
            Etag = measure.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        // The school may be named to itself.
        await AddMeasure(DemonstrationDirectory.School, "Skola i annan kommun ringer bara handläggaren.");

        // What was refused stands in the log as an attempt.
        Assert.Equal(6 + 6 + 2 + 1, (await service.LogSince(start)).Count(row => row is { Outcome: AccessOutcome.Failed, Reason: "WHEREABOUTS_FOUND" }));

        Task<ProtectionMeasure> AddMeasure(DemonstrationEmployee? concerned, string instruction) => service.AddProtectionMeasure(plan, concerned, instruction);
    }

    [Fact]
    public async Task A_writer_who_may_not_know_where_the_person_is_is_not_told_by_what_is_refused()
    {
        var person = Cases.NewPerson(9);
        var plan = await service.OpenPlan(person, owner: DemonstrationDirectory.PrimaryCare);
        var social = await service.OpenPlan(person);
        await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = social.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömstigen 4, 185 39 Vaxholm" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        foreach (var text in new[] { "Bor på Gömstigen 4.", "Bor på Rosenvägen 9." })
        {
            await service.As(DemonstrationDirectory.PrimaryCare).Plans.AddProtectionMeasureAsync(new()
            {
                Parent = plan.Name,
                ProtectionMeasure = new() { Instruction = text },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        }
    }

    /// <summary>A child's plan with everything that names the school, and what others are told, with all that there is released to them.</summary>
    private async Task<(World World, Plan Plan)> Family()
    {
        var world = await World.Make(service, Cases.NewPerson(9));
        // The world keeps the child's whereabouts secret from a guardian, which alone hides the school; here nothing does at first.
        await using var open = service.Administrator.CreateCommand(
            "DELETE FROM coordinationplan.location_secrecy d USING coordinationplan.plan p WHERE p.subject_id = d.subject_id AND p.plan_id = $1");
        open.Parameters.Add(new() { Value = IdOf(world.Plan) });
        Assert.Equal(1, await open.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        await service.Join(world.Plan, DemonstrationDirectory.ChildPsychiatry);
        foreach (var employee in Others[..2])
        {
            await service.Consent(world.Plan, employee, Everything);
        }

        await service.AddIntervention(world.Plan, DemonstrationDirectory.School, "Extra stöd i skolan");
        await service.CallMeeting(world.Plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.School], TimeSpan.FromDays(7));
        // A sibling, whose school takes part in its own plan and reads of it all that a school may.
        var sibling = await service.OpenPlan(Cases.NewPerson(12));
        await service.SecureSchool(sibling, DemonstrationDirectory.Cousin, categories: Everything);
        return (world, world.Plan);
    }

    /// <summary>All that a caller is told by every call of the contract, answers and errors. Nothing is changed.</summary>
    private async Task<string> Collect(World world, DemonstrationEmployee employee)
    {
        var told = new System.Text.StringBuilder();
        foreach (var method in World.Methods.Where(method => method.Service.Name != "DirectoryService" && method.Name != "OpenEmergencyAccess"))
        {
            var request = world.Request(method);
            request.Descriptor.FindFieldByName("validate_only")?.Accessor.SetValue(request, true);
            try
            {
                told.Append(await World.Call(service.As(employee), method, request));
            }
            catch (RpcException error)
            {
                told.Append(error.Status.Detail).AppendJoin(' ', error.FieldFaults()).AppendJoin(' ', error.UnmetPreconditions());
            }
        }

        return told.ToString();
    }

    private async Task<List<AccessLogEntry>> Log(Plan plan)
    {
        var now = TimeProvider.System.GetUtcNow();
        return [.. (await service.As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(now.AddHours(-1)), EndTime = Timestamp.FromDateTimeOffset(now.AddHours(1)), Plan = plan.Name, PageSize = 500,
        })).Entries];
    }

    private async Task Forget(Plan plan)
    {
        await using var forget = service.Administrator.CreateCommand(
            "UPDATE coordinationplan.subject s SET protection = 0 FROM coordinationplan.plan p WHERE p.subject_id = s.subject_id AND p.plan_id = $1");
        forget.Parameters.Add(new() { Value = IdOf(plan) });
        Assert.Equal(1, await forget.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }

    internal static async Task Place(Service service, Plan plan, DemonstrationEmployee housing, int daysAgo = 0)
    {
        var name = plan.Name + "/whereabouts";
        var etag = (await service.CaseWorker.Protection.GetWhereaboutsAsync(new() { Name = name })).Whereabouts.Etag;
        await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = name, Unit = Cases.UnitOf(housing), SinceDate = Cases.Period(-daysAgo, null).StartDate },
            Etag = etag,
            RequestId = Cases.NewId(),
        });
    }

    private static Guid IdOf(Plan plan) => Guid.Parse(plan.Name["plans/".Length..]);
}
