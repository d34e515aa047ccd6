using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>A withdrawal reaches everything at once: what has not been answered when it is answered is not answered with content.</summary>
public sealed class WithdrawalTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private const int Readers = 80;
    private const int Writers = 20;

    [Fact]
    public async Task No_read_gets_past_a_withdrawal()
    {
        var (plan, consent) = await ReleasedPlan();
        var start = await service.Now();
        var readings = new Readings();
        Task[] callers =
        [
            .. Enumerable.Range(0, Readers).Select(_ => ReadUntilRefused(plan, readings)),
            .. Enumerable.Range(0, Writers).Select(_ => WriteUntilRefused(plan)),
        ];
        await readings.WaitForAnswers(5 * Readers);

        var asked = TimeProvider.System.GetTimestamp();
        await Withdraw(consent);
        var answered = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(callers);

        var content = readings.WithContent;
        Assert.DoesNotContain(content, reading => reading.Started > answered);

        // What the lock gives: in the order in which the database committed, nothing was disclosed after the withdrawal.
        var log = (await service.LogSince(start)).FindAll(row => $"plans/{row.PlanId}" == plan.Name);
        var withdrawal = log.FindIndex(row => row.Act == Act.WithdrawConsent);
        Assert.DoesNotContain(log.Skip(withdrawal + 1), row => row.Outcome == AccessOutcome.Permitted);
        Assert.Contains(log.Take(withdrawal), row => row is { Act: Act.UpdatePlan, Outcome: AccessOutcome.Permitted });
        Assert.True(content.Count <= log.Count(row => row is { Act: Act.ReadPlan, Outcome: AccessOutcome.Permitted }));
        output.WriteLine(
            $"{content.Count} reads with content, {content.Count(reading => reading.Ended > asked)} of them under way when the withdrawal was asked for, "
            + $"{content.Count(reading => reading.Ended > answered)} committed before it and received after its answer");
    }

    [Fact]
    public async Task A_request_that_is_repeated_names_no_school_that_is_hidden_by_now()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.SecureSchool(plan);
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings, InformationCategory.SchoolPlacement]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.School], TimeSpan.FromDays(5));
        var meetings = service.As(DemonstrationDirectory.PrimaryCare).Meetings;
        var request = new ReplyToCallRequest { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = Cases.NewId() };
        var first = await meetings.ReplyToCallAsync(request);
        Assert.Equal(3, first.Meeting.Calls.Count);
        Assert.Equal(first, await meetings.ReplyToCallAsync(request));

        await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömvägen 17, 123 45 Tystberga" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        var start = await service.Now();
        var again = await meetings.ReplyToCallAsync(request);

        Assert.Equal((first.Call, first.Meeting.Name), (again.Call, again.Meeting.Name));
        Assert.DoesNotContain(Cases.UnitOf(DemonstrationDirectory.School), again.ToString(), StringComparison.Ordinal);
        Assert.False(Assert.Single(await service.LogSince(start)).Categories.HasFlag(Policy.Categories.SchoolPlacement));
    }

    [Fact]
    public async Task A_read_under_way_and_a_withdrawal_come_one_after_the_other()
    {
        var (plan, consent) = await ReleasedPlan();
        Task<GetPlanResponse> read;
        Task withdrawal;
        await using (var held = await HeldTable.Hold(service.Administrator, "plan_part"))
        {
            read = service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name }).ResponseAsync;
            await held.IsReached();
            withdrawal = Withdraw(consent);
            Assert.True(await held.Blocks(withdrawal));
        }

        Assert.NotEmpty((await read).Plan.HealthSituation);
        await withdrawal;
    }

    [Fact]
    public async Task A_list_under_way_does_not_show_what_has_been_withdrawn_meanwhile()
    {
        var (plan, consent) = await ReleasedPlan();
        Task<ListPlansResponse> list;
        await using (var held = await HeldTable.Hold(service.Administrator, "plan_part"))
        {
            list = service.As(DemonstrationDirectory.PrimaryCare).Plans.ListPlansAsync(new ListPlansRequest()).ResponseAsync;
            await held.IsReached();
            var withdrawal = Withdraw(consent);
            if (await held.Blocks(withdrawal))
            {
                return; // The withdrawal waits for the list: it is not answered before.
            }
        }

        Assert.DoesNotContain((await list).Plans, listed => listed.Name == plan.Name);
    }

    [Fact]
    public async Task A_read_under_way_does_not_show_anything_to_an_assignment_that_has_been_revoked_meanwhile()
    {
        var (plan, _) = await ReleasedPlan();
        var assignment = new Assignment
        {
            Name = "assignments/" + Cases.NewId(),
            Employee = "employees/" + DemonstrationDirectory.PrimaryCare.Id,
            Unit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare),
            Role = DemonstrationDirectory.PrimaryCare.Role,
            Purposes = { DemonstrationDirectory.PrimaryCare.Purpose },
            Period = Cases.HalfAYear,
        };
        var etag = await Put(assignment, "new");
        var under = service.As(
            service.Infrastructure.Choice(DemonstrationDirectory.PrimaryCare) with { Assignment = assignment.Name },
            Development.DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.PrimaryCare));
        Task<GetPlanResponse> read;
        await using (var held = await HeldTable.Hold(service.Administrator, "plan_part"))
        {
            read = under.Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name }).ResponseAsync;
            await held.IsReached();
            var revocation = Put(new Assignment(assignment) { Revoked = true }, etag);
            if (await held.Blocks(revocation))
            {
                return; // The revocation waits for the read: it is not answered before.
            }
        }

        await read.Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
    }

    [Fact]
    public async Task A_retry_after_a_withdrawal_is_refused()
    {
        var (plan, consent) = await ReleasedPlan();
        var care = service.As(DemonstrationDirectory.PrimaryCare).Plans;
        var request = new AddInterventionRequest
        {
            Parent = plan.Name,
            Intervention = new Intervention { Title = "Samtal", ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        var first = await care.AddInterventionAsync(request);
        Assert.Equal(first, await care.AddInterventionAsync(request));

        await Withdraw(consent);

        await care.AddInterventionAsync(request).IsRefused();
    }

    [Fact]
    public async Task A_retry_after_a_narrower_consent_tells_what_the_narrower_one_releases()
    {
        var (plan, consent) = await ReleasedPlan();
        var request = new UpdatePlanRequest
        {
            Plan = new Plan { Name = plan.Name, HealthSituation = "Sover bättre." },
            UpdateMask = new() { Paths = { "health_situation" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        var care = service.As(DemonstrationDirectory.PrimaryCare).Plans;
        Assert.NotEmpty((await care.UpdatePlanAsync(request)).Plan.SocialSituation);
        await Withdraw(consent);
        await service.Consent(
            await service.Read(DemonstrationDirectory.CaseWorker, plan), DemonstrationDirectory.PrimaryCare, [InformationCategory.Health]);

        var again = (await care.UpdatePlanAsync(request)).Plan;

        Assert.Equal(("", "Sover bättre."), (again.SocialSituation, again.HealthSituation));
    }

    private async Task<(Plan Plan, Consent Consent)> ReleasedPlan()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        var consent = await service.Consent(
            plan,
            DemonstrationDirectory.PrimaryCare,
            [InformationCategory.Health, InformationCategory.SocialSituation, InformationCategory.GoalsAndInterventions]);
        return (plan, consent);
    }

    private async Task Withdraw(Consent consent) =>
        await service.CaseWorker.Consents.WithdrawConsentAsync(new WithdrawConsentRequest { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });

    private async Task<string> Put(Assignment assignment, string etag) =>
        (await SameRequest.Administrator(service).Directory.PutAssignmentAsync(new PutAssignmentRequest { Assignment = assignment, Etag = etag, RequestId = Cases.NewId() }))
            .Assignment.Etag;

    private async Task ReadUntilRefused(Plan plan, Readings readings)
    {
        var care = service.As(DemonstrationDirectory.PrimaryCare).Plans;
        for (var refused = 0; refused < 5;)
        {
            var started = TimeProvider.System.GetTimestamp();
            try
            {
                var read = await care.GetPlanAsync(new GetPlanRequest { Name = plan.Name });
                Assert.NotEmpty(read.Plan.HealthSituation);
                readings.Add(new Reading(started, TimeProvider.System.GetTimestamp()));
            }
            catch (RpcException error)
            {
                Assert.Equal(ErrorReason.AccessDenied, error.Reason());
                refused++;
            }
        }
    }

    /// <summary>Writes health care's own account from whatever version is current, until it may not.</summary>
    private async Task WriteUntilRefused(Plan plan)
    {
        var care = service.As(DemonstrationDirectory.PrimaryCare).Plans;
        for (var (refused, etag) = (0, plan.Etag); refused < 5;)
        {
            try
            {
                etag = (await care.UpdatePlanAsync(new UpdatePlanRequest
                {
                    Plan = new Plan { Name = plan.Name, HealthSituation = "Sover bättre." },
                    UpdateMask = new() { Paths = { "health_situation" } },
                    Etag = etag,
                    RequestId = Cases.NewId(),
                })).Plan.Etag;
            }
            catch (RpcException error) when (error.Reason() == ErrorReason.StaleEtag)
            {
                // Another writer was first; a reader of the current version may be refused itself by now.
                try
                {
                    etag = (await care.GetPlanAsync(new GetPlanRequest { Name = plan.Name })).Plan.Etag;
                }
                catch (RpcException denied)
                {
                    Assert.Equal(ErrorReason.AccessDenied, denied.Reason());
                }
            }
            catch (RpcException error)
            {
                Assert.Equal(ErrorReason.AccessDenied, error.Reason());
                refused++;
            }
        }
    }

    private sealed record Reading(long Started, long Ended);

    private sealed class Readings
    {
        private readonly Lock _lock = new();
        private readonly List<Reading> _readings = [];
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _wanted = int.MaxValue;

        public IReadOnlyList<Reading> WithContent => _readings;

        public Task WaitForAnswers(int count)
        {
            lock (_lock)
            {
                _wanted = count;
                return _enough.Task;
            }
        }

        public void Add(Reading reading)
        {
            lock (_lock)
            {
                _readings.Add(reading);
                if (_readings.Count >= _wanted)
                {
                    _enough.TrySetResult();
                }
            }
        }
    }
}
