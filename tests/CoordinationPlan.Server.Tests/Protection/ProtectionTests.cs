using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Protection;

/// <summary>Protection level, blocks, location secrecy and whereabouts, through the front door.</summary>
public sealed class ProtectionTests(Service service) : IClassFixture<Service>
{
    private const int Readers = 100;

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task A_new_persons_level_is_the_registers_and_not_known_where_it_is_down()
    {
        var register = service.Infrastructure.Register;
        var marked = Cases.NewPerson();
        register.Levels[marked.IdentityNumber.Value] = ProtectionLevel.ConfidentialityMarked;
        var plan = await service.OpenPlan(marked);
        Assert.Equal(ProtectionLevel.ConfidentialityMarked, (await Protection(plan)).Level);
        await service.As(DemonstrationDirectory.NewCaseWorker).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();

        var person = Cases.NewPerson();
        register.DownFor[person.IdentityNumber.Value] = true;
        var unknown = await service.OpenPlan(person);
        Assert.Equal(ProtectionLevel.Unspecified, (await Protection(unknown)).Level);
        await service.As(DemonstrationDirectory.NewCaseWorker).Plans.GetPlanAsync(new() { Name = unknown.Name }).IsRefused();
        Assert.Contains(
            (await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks,
            task => task.Kind == TaskKind.FindOutProtectionLevel && task.Subject == unknown.Name + "/protection");

        register.DownFor.Clear();
        await service.CaseWorker.Protection.DecideProtectionLevelAsync(new()
        {
            Parent = unknown.Name,
            Decision = new() { Source = ProtectionSource.PopulationRegister },
            Etag = unknown.Etag,
            RequestId = Cases.NewId(),
        });
        Assert.Equal(ProtectionLevel.None, (await Protection(unknown)).Level);
        Assert.NotEmpty((await service.Read(DemonstrationDirectory.NewCaseWorker, unknown)).SocialSituation);
    }

    [Fact]
    public async Task At_the_highest_level_a_participant_does_not_learn_who_it_is()
    {
        var plan = await Released(InformationCategory.Identity, InformationCategory.Health);
        Assert.NotNull((await service.Read(Care, plan)).Subject);

        await service.Protect(plan, ProtectionLevel.AssumedIdentity);

        var read = await service.Read(Care, plan);
        Assert.Null(read.Subject);
        Assert.NotEmpty(read.HealthSituation);
        Assert.NotNull((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Subject);
        Assert.Equal([ProtectionLevel.AssumedIdentity], (await Protection(plan)).Decisions.Select(decision => decision.Level));
    }

    [Fact]
    public async Task An_assumed_identity_is_not_joined_to_the_old_one()
    {
        var old = Cases.NewPerson();
        var plan = await service.OpenPlan(old);
        var start = (await service.Now()).AddMinutes(-1);
        var assumed = Cases.NewPerson();
        assumed.GivenName = "Antagen";
        await service.CaseWorker.Protection.ReplaceIdentityAsync(new()
        {
            Name = plan.Name,
            Subject = assumed,
            Decision = new() { Level = ProtectionLevel.AssumedIdentity, Source = ProtectionSource.CourtOrPolice, DecideDate = Cases.Today },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });

        Assert.Empty(await Find(old.IdentityNumber));
        Assert.Empty((await service.CaseWorker.Plans.FindPlansAsync(new() { GivenName = old.GivenName, FamilyName = old.FamilyName })).Plans);
        Assert.Equal([plan.Name], await Find(assumed.IdentityNumber));
        Assert.Equal(assumed, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Subject);
        foreach (var number in new[] { old.IdentityNumber, assumed.IdentityNumber })
        {
            Assert.Empty((await service.As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(new()
            {
                StartTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(start),
                EndTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(start.AddHours(1)),
                Person = number,
            })).Entries);
        }

        // The old number is nobody's: a plan for it is another person's.
        Assert.Null((await service.OpenPlan(old)).Releases.FirstOrDefault());
        Assert.Equal([plan.Name], await Find(assumed.IdentityNumber));
    }

    [Theory]
    [InlineData("employee")]
    [InlineData("unit")]
    [InlineData("guardian")]
    public async Task A_block_beats_every_permit_in_every_plan_and_is_not_to_be_found_out(string kind)
    {
        var person = Cases.NewPerson();
        var blocked = kind == "guardian" ? DemonstrationDirectory.Jonas : Care;
        var plan = await Released(person, blocked, InformationCategory.Identity, InformationCategory.Health);
        Assert.NotEmpty((await service.Read(blocked, plan)).HealthSituation);
        var block = new Block { Ground = BlockGround.ExposesToViolence, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) };
        switch (kind)
        {
            case "employee":
                block.Employee = "employees/" + blocked.Id;
                break;
            case "unit":
                block.Unit = Cases.UnitOf(blocked);
                break;
            default:
                block.Guardian = DemonstrationPersons.Jonas;
                break;
        }

        var added = (await service.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = block, Etag = plan.Etag, RequestId = Cases.NewId() })).Block;

        // A later plan, of a unit that may not know of the first.
        var other = DemonstrationDirectory.OtherCaseWorker;
        var later = await service.OpenPlan(person, owner: other);
        await service.Join(later, blocked, owner: other);
        await service.Consent(later, blocked, [InformationCategory.Identity, InformationCategory.Health], owner: other);
        var plans = service.As(blocked).Plans;
        var missing = await plans.GetPlanAsync(new() { Name = "plans/" + Cases.NewId() }).IsRefused();
        foreach (var name in new[] { plan.Name, later.Name })
        {
            var refused = await plans.GetPlanAsync(new() { Name = name }).IsRefused();
            Assert.Equal(missing.Status.Detail, refused.Status.Detail);
        }

        Assert.DoesNotContain((await plans.ListPlansAsync(new() { PageSize = 100 })).Plans, listed => listed.Name == plan.Name || listed.Name == later.Name);
        Assert.Empty((await plans.FindPlansAsync(new() { IdentityNumber = person.IdentityNumber })).Plans);
        var access = await service.OpenEmergencyAccess(blocked, person);
        Assert.Empty((await service.As(blocked).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = access.Name })).Plans);
        Assert.Contains((await service.CaseWorker.Oversight.ListAlertsAsync(new())).Alerts, alert =>
            alert.Kind == AlertKind.BlockedAttempt && alert.Plan == plan.Name && alert.Employee == "employees/" + blocked.Id);

        await service.CaseWorker.Protection.LiftBlockAsync(new() { Name = added.Name, Etag = added.Etag, RequestId = Cases.NewId() });
        Assert.NotEmpty((await service.Read(blocked, plan)).HealthSituation);
    }

    [Fact]
    public async Task Whoever_declares_a_relation_is_kept_out_and_learns_nothing()
    {
        var (known, unknown) = (Cases.NewPerson(), Cases.NewPerson());
        var plan = await Released(known, Care, InformationCategory.Health);
        Assert.NotEmpty((await service.Read(Care, plan)).HealthSituation);

        var declared = await Declare(known);
        Assert.Equal(declared, await Declare(unknown));

        await service.As(Care).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        var later = await Released(unknown, Care, InformationCategory.Health);
        await service.As(Care).Plans.GetPlanAsync(new() { Name = later.Name }).IsRefused();
        // Nor does a blocked employee open a plan for the person.
        await service.As(Care).Plans.CreatePlanAsync(new() { Plan = new Plan { Subject = known }, RequestId = Cases.NewId() }).IsRefused();

        async Task<DeclareRelationResponse> Declare(Subject person) => await service.As(Care).Protection.DeclareRelationAsync(
            new() { Person = person.IdentityNumber, Ground = BlockGround.RelatedToPerson, RequestId = Cases.NewId() });
    }

    [Fact]
    public async Task No_read_gets_past_a_block()
    {
        var plan = await Released(InformationCategory.Health);
        var (reads, calls, stop, blockedAt) = (0, 0, false, long.MaxValue);
        var late = 0;
        var readers = Enumerable.Range(0, Readers).Select(_ => Task.Run(async () =>
        {
            var plans = service.As(Care).Plans;
            while (!Volatile.Read(ref stop))
            {
                var started = TimeProvider.System.GetTimestamp();
                try
                {
                    // Every fifth call writes, or tries to: another writer may have been first.
                    await (Interlocked.Increment(ref calls) % 5 == 0 ? Write() : plans.GetPlanAsync(new() { Name = plan.Name }).ResponseAsync);
                    Interlocked.Increment(ref reads);
                    if (started > Volatile.Read(ref blockedAt))
                    {
                        Interlocked.Increment(ref late);
                    }
                }
                catch (RpcException error) when (error.StatusCode == StatusCode.PermissionDenied)
                {
                    // Kept out from here on.
                }
                catch (RpcException error) when (error.StatusCode == StatusCode.Aborted)
                {
                    // Another writer was first.
                }
            }

            Task Write() => plans.UpdatePlanAsync(new()
            {
                Plan = new() { Name = plan.Name, HealthSituation = "Sover bättre." },
                UpdateMask = new() { Paths = { "health_situation" } },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            }).ResponseAsync;
        })).ToArray();
        while (Volatile.Read(ref reads) < 3 * Readers)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        var start = await service.Now();
        await service.BlockEmployee(await service.Read(DemonstrationDirectory.CaseWorker, plan), Care);
        Volatile.Write(ref blockedAt, TimeProvider.System.GetTimestamp());
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Volatile.Write(ref stop, true);
        await Task.WhenAll(readers);

        Assert.Equal(0, late);
        var log = (await service.LogSince(start)).FindAll(row => $"plans/{row.PlanId}" == plan.Name);
        var block = log.FindIndex(row => row.Act == Act.WriteBlock);
        Assert.DoesNotContain(log.Skip(block + 1), row => row.Outcome == AccessOutcome.Permitted);
        Assert.Contains(log.Skip(block), row => row is { Act: Act.ReadPlan, Outcome: AccessOutcome.Refused, Reason: "BLOCKED" });
    }

    [Fact]
    public async Task Whereabouts_are_for_the_owning_unit_and_for_where_the_person_stays()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.GoalsAndInterventions]);
        var name = plan.Name + "/whereabouts";
        Assert.Equal("new", (await service.CaseWorker.Protection.GetWhereaboutsAsync(new() { Name = name })).Whereabouts.Etag);
        await service.As(DemonstrationDirectory.Shelter).Protection.GetWhereaboutsAsync(new() { Name = name }).IsRefused();

        var set = (await Set(Cases.UnitOf(DemonstrationDirectory.Shelter), "Gömvägen 17", "new")).Whereabouts;

        foreach (var employee in new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.Shelter })
        {
            var read = (await service.As(employee).Protection.GetWhereaboutsAsync(new() { Name = name })).Whereabouts;
            Assert.Equal(("Gömvägen 17", set.Etag), (read.Address, read.Etag));
        }

        foreach (var employee in new[] { DemonstrationDirectory.NewCaseWorker, Care, DemonstrationDirectory.School, DemonstrationDirectory.LogReviewer, DemonstrationDirectory.OtherCaseWorker })
        {
            await service.As(employee).Protection.GetWhereaboutsAsync(new() { Name = name }).IsRefused();
        }

        // Where the person went next is not for where the person was.
        await Set("", "Annan plats", set.Etag);
        await service.As(DemonstrationDirectory.Shelter).Protection.GetWhereaboutsAsync(new() { Name = name }).IsRefused();
        await Assert.ThrowsAsync<RpcException>(async () => await Set(Cases.UnitOf(Care), "", "new"));

        AsyncUnaryCall<SetWhereaboutsResponse> Set(string unit, string address, string etag) => service.CaseWorker.Protection.SetWhereaboutsAsync(
            new() { Whereabouts = new Whereabouts { Name = name, Unit = unit, Address = address }, Etag = etag, RequestId = Cases.NewId() });
    }

    [Fact]
    public async Task Location_secrecy_is_reviewed_within_six_months_and_never_opens_by_lapsing()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var tooLong = Cases.SecretFromJonas();
        tooLong.ReviewDate = Cases.ToDate(new DateOnly(Cases.InMonths(6).Year, Cases.InMonths(6).Month, Cases.InMonths(6).Day).AddDays(1));
        await service.CaseWorker.Protection.DecideLocationSecrecyAsync(new() { Parent = plan.Name, LocationSecrecy = tooLong, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        var secrecy = await service.KeepSecretFromJonas(plan);
        await using (var lapse = service.Administrator.CreateCommand(
            "UPDATE coordinationplan.location_secrecy SET decided_on = current_date - 190, review_on = current_date - 10 WHERE decision_id = $1"))
        {
            lapse.Parameters.Add(new() { Value = Guid.Parse(secrecy.Name.Split('/')[^1]) });
            await lapse.ExecuteNonQueryAsync();
        }

        var task = Assert.Single((await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks, task => task.Subject == secrecy.Name);
        Assert.Equal((TaskKind.ReviewLocationSecrecy, true), (task.Kind, task.Overdue));
        Assert.Null((await Protection(plan)).LocationSecrecies.Single().EndTime);

        var reviewed = (await service.CaseWorker.Protection.ReviewLocationSecrecyAsync(new()
        {
            Name = secrecy.Name,
            DecideDate = Cases.Today,
            ReviewDate = Cases.InMonths(3),
            Decider = "Delegationen",
            Etag = secrecy.Etag,
            RequestId = Cases.NewId(),
        })).LocationSecrecy;
        Assert.False((await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks.Single(task => task.Subject == secrecy.Name).Overdue);
        var ended = (await service.CaseWorker.Protection.ReviewLocationSecrecyAsync(new()
        {
            Name = secrecy.Name,
            DecideDate = Cases.Today,
            Decider = "Delegationen",
            Etag = reviewed.Etag,
            RequestId = Cases.NewId(),
        })).LocationSecrecy;
        Assert.NotNull(ended.EndTime);
    }

    private async Task<V1.Protection> Protection(Plan plan) => (await service.CaseWorker.Protection.GetProtectionAsync(new() { Name = plan.Name + "/protection" })).Protection;

    private async Task<List<string>> Find(IdentityNumber number) =>
        [.. (await service.CaseWorker.Plans.FindPlansAsync(new() { IdentityNumber = number })).Plans.Select(plan => plan.Name)];

    private Task<Plan> Released(params InformationCategory[] categories) => Released(Cases.NewPerson(), Care, categories);

    private async Task<Plan> Released(Subject person, DemonstrationEmployee to, params InformationCategory[] categories)
    {
        var plan = await service.OpenPlan(person);
        await service.Join(plan, to);
        await service.Consent(plan, to, categories);
        return plan;
    }
}
