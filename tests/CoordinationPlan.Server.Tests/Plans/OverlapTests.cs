using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>A person has one plan, as far as anybody may know of it.</summary>
public sealed class OverlapTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task Who_may_read_the_persons_plan_is_pointed_to_it_and_opens_no_second_one()
    {
        var person = Cases.NewPerson();
        var plan = await service.OpenPlan(person);
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Identity]);
        var before = await service.Count("plan");
        foreach (var caller in new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.UnitManager, Care })
        {
            foreach (var dryRun in new[] { true, false })
            {
                var start = await service.Now();
                var error = await Create(caller, person, dryRun).Fails(StatusCode.FailedPrecondition, ErrorReason.PlanExists);

                Assert.Equal(plan.Name, error.ExistingPlan());
                // The pointer tells of a plan, so there is an entry that says of which.
                var entry = Assert.Single(await service.LogSince(start));
                Assert.Equal(
                    (Act.CreatePlan, AccessOutcome.Failed, "PLAN_EXISTS", caller.Id, plan.Name, Policy.Categories.Existence),
                    (entry.Act, entry.Outcome, entry.Reason, entry.EmployeeId, $"plans/{entry.PlanId}", entry.Categories));
                Assert.NotNull(entry.SubjectId);
            }
        }

        Assert.Equal(before, await service.Count("plan"));
    }

    [Fact]
    public async Task Who_may_not_know_of_the_persons_plan_is_answered_as_if_there_were_none()
    {
        var never = Cases.NewPerson();
        var (unrelated, healthOnly, withdrawn, unknownLevel) = (Cases.NewPerson(), Cases.NewPerson(), Cases.NewPerson(), Cases.NewPerson());
        await service.OpenCompletePlan(unrelated);
        // May read the plan, and not whose it is.
        var plan = await service.OpenPlan(healthOnly);
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Health]);
        plan = await service.OpenPlan(withdrawn);
        await service.Join(plan, Care);
        var consent = await service.Consent(plan, Care, [InformationCategory.Identity]);
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        // At the highest level who it is about is the owning unit's alone.
        plan = await service.OpenPlan(unknownLevel);
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Identity, InformationCategory.Health]);
        await service.Protect(plan, ProtectionLevel.AssumedIdentity);
        await Create(Care, Cases.NewPerson());

        var start = await service.Now();
        var first = await Whole(never, dryRun: false);
        var firstDry = await Whole(Cases.NewPerson(), dryRun: true);
        foreach (var person in new[] { unrelated, healthOnly, withdrawn, unknownLevel })
        {
            Assert.Equal(firstDry, await Whole(person, dryRun: true));
            Assert.Equal(first, await Whole(person, dryRun: false));
        }

        // Nor by the log, which the caller's own reviewers read: each entry names the plan that was opened.
        var entries = (await service.LogSince(start)).ToList();
        Assert.Equal(10, entries.Count);
        Assert.All(entries, entry => Assert.Equal(
            (Act.CreatePlan, entry.Outcome == AccessOutcome.Validated), (entry.Act, entry.PlanId is null && entry.SubjectId is null)));

        async Task<string> Whole(Subject person, bool dryRun)
        {
            var call = Create(Care, person, dryRun);
            var answer = (await call).Plan;
            Assert.Equal(person, answer.Subject);
            // What is random or given by the request, and only that, is made alike.
            (answer.Name, answer.Etag, answer.Subject) = (answer.Name[.."plans/".Length], new string('.', answer.Etag.Length), null);
            return $"{Convert.ToHexString(answer.ToByteArray())} {call.GetStatus()} {string.Join(',', call.GetTrailers().Select(entry => entry.Key))}";
        }
    }

    [Fact]
    public async Task The_first_plans_unit_has_the_task_to_coordinate_until_one_open_plan_is_left_and_is_not_told_whose_the_other_is()
    {
        var person = Cases.NewPerson();
        var first = await service.OpenPlan(person);
        Assert.DoesNotContain(await Tasks(DemonstrationDirectory.CaseWorker), IsToCoordinate(first));
        var second = (await Create(Care, person)).Plan;
        var third = (await Create(DemonstrationDirectory.OtherCaseWorker, person)).Plan;

        var task = Assert.Single(await Tasks(DemonstrationDirectory.CaseWorker), IsToCoordinate(first));

        Assert.Equal(new UnitTask { Subject = first.Name + "/relatedPlans", Kind = TaskKind.CoordinatePlans, DueDate = Cases.Period(0, 3).EndDate, State = TaskState.Due, Name = task.Name }, task);
        foreach (var (worker, plan) in new[] { (Care, second), (DemonstrationDirectory.OtherCaseWorker, third) })
        {
            Assert.DoesNotContain(await Tasks(worker), task => task.Kind == TaskKind.CoordinatePlans);
            Assert.DoesNotContain(await Tasks(DemonstrationDirectory.CaseWorker), task => task.Subject.StartsWith(plan.Name, StringComparison.Ordinal));
        }

        // The first is closed: the next one is the first by now.
        await Close(DemonstrationDirectory.CaseWorker, first);
        Assert.DoesNotContain(await Tasks(DemonstrationDirectory.CaseWorker), IsToCoordinate(first));
        Assert.Single(await Tasks(Care), IsToCoordinate(second));
        await Close(DemonstrationDirectory.OtherCaseWorker, third);
        Assert.DoesNotContain(await Tasks(Care), IsToCoordinate(second));
    }

    [Fact]
    public async Task Who_may_read_that_another_plan_is_established_establishes_no_second_one_but_revises_its_own()
    {
        var person = Cases.NewPerson();
        var first = await service.OpenCompletePlan(person);
        var second = await OpenCompletePlanOf(Care, person);
        first = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = first.Name, Etag = first.Etag, RequestId = Cases.NewId() })).Plan;
        await service.Join(first, Care);
        var consent = await service.Consent(first, Care, [InformationCategory.Identity]);

        var start = await service.Now();
        var error = await Establish(Care, second).Fails(StatusCode.FailedPrecondition, ErrorReason.PlanExists);

        Assert.Equal(first.Name, error.ExistingPlan());
        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.EstablishPlan, AccessOutcome.Failed, first.Name, Policy.Categories.Existence), (entry.Act, entry.Outcome, $"plans/{entry.PlanId}", entry.Categories));

        // Who may not know of it any more establishes its own, and goes on revising it when it may know again.
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        second = (await Establish(Care, second)).Plan;
        await service.Consent(first, Care, [InformationCategory.Identity]);
        Assert.Equal(2, (await Establish(Care, second)).Plan.Revision);
    }

    [Fact]
    public async Task A_plan_is_not_taken_up_again_beside_another_that_the_caller_may_read()
    {
        var person = Cases.NewPerson();
        var closed = await service.OpenAndClosePlan(person);
        var open = await service.OpenPlan(person);

        var error = await Reopen(closed).Fails(StatusCode.FailedPrecondition, ErrorReason.PlanExists);

        Assert.Equal(open.Name, error.ExistingPlan());
        await Close(DemonstrationDirectory.CaseWorker, open);
        await Create(Care, person);
        // Beside one that it may not know of, it is.
        Assert.Equal(PlanState.Noted, (await Reopen(closed)).Plan.State);

        AsyncUnaryCall<ReopenPlanResponse> Reopen(Plan plan) =>
            service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() });
    }

    [Fact]
    public async Task Of_many_who_take_up_and_open_plans_of_one_person_at_once_one_does()
    {
        for (var round = 0; round < 8; round++)
        {
            var person = Cases.NewPerson();
            var closed = new List<Plan>();
            while (closed.Count < 6)
            {
                closed.Add(await service.OpenAndClosePlan(person));
            }

            var answers = await Task.WhenAll(closed.Select(Reopened).Append(Opened(person)));

            Assert.Single(answers, ErrorReason.Unspecified);
            Assert.Equal(closed.Count, answers.Count(reason => reason == ErrorReason.PlanExists));
        }

        Task<ErrorReason> Reopened(Plan plan) =>
            ReasonOf(service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() }).ResponseAsync);

        Task<ErrorReason> Opened(Subject person) => ReasonOf(Create(DemonstrationDirectory.CaseWorker, person).ResponseAsync);

        static async Task<ErrorReason> ReasonOf(Task call)
        {
            try
            {
                await call;
                return ErrorReason.Unspecified;
            }
            catch (RpcException error)
            {
                return error.Reason();
            }
        }
    }

    private AsyncUnaryCall<CreatePlanResponse> Create(DemonstrationEmployee employee, Subject person, bool dryRun = false) =>
        service.As(employee).Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId(), ValidateOnly = dryRun });

    private AsyncUnaryCall<EstablishPlanResponse> Establish(DemonstrationEmployee employee, Plan plan) =>
        service.As(employee).Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() });

    private async Task Close(DemonstrationEmployee employee, Plan plan) =>
        await service.As(employee).Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() });

    private async Task<Plan> OpenCompletePlanOf(DemonstrationEmployee employee, Subject person)
    {
        var clients = service.As(employee);
        var plan = (await clients.Plans.CreatePlanAsync(new()
        {
            Plan = new() { Subject = person, LeadPrincipal = Cases.City, NoOtherMeasures = true },
            RequestId = Cases.NewId(),
        })).Plan;
        await clients.Plans.AddInterventionAsync(new()
        {
            Parent = plan.Name,
            Intervention = new() { Title = "Behandling", ResponsibleUnit = Cases.UnitOf(employee) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        await clients.Consents.RecordConsentAsync(new()
        {
            Parent = plan.Name,
            Consent = new()
            {
                State = ConsentState.Given,
                RecipientUnits = { Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry) },
                Categories = { InformationCategory.Health },
                Purpose = Purpose.CareAndTreatment,
                Period = Cases.HalfAYear,
                Form = ConsentForm.Oral,
                GivenBy = ConsentGiver.Self,
            },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        return plan;
    }

    private async Task<IEnumerable<UnitTask>> Tasks(DemonstrationEmployee employee) =>
        (await service.As(employee).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks;

    private static Predicate<UnitTask> IsToCoordinate(Plan plan) =>
        task => task.Kind == TaskKind.CoordinatePlans && task.Subject.StartsWith(plan.Name, StringComparison.Ordinal);
}
