using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>When what is written about a person may be disposed of.</summary>
public sealed class RetentionTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_plan_of_the_social_services_is_disposed_of_when_five_years_have_passed_and_not_the_day_before()
    {
        var plan = await service.OpenAndClosePlan(Cases.NewPerson());
        var last = FirstDayAfterYears(5);
        await IsKept(plan, 0);
        await IsKept(plan, DaysTo(last) - 1);
        await IsKept(plan, DaysTo(last), options => options.Law.Default.SocialServicesFileYears = 6);

        await IsDisposedOf(plan, DaysTo(last));
    }

    [Fact]
    public async Task Who_is_born_on_a_day_of_the_sample_is_kept_unless_the_controller_keeps_none()
    {
        var plan = await service.OpenAndClosePlan(Cases.NewPerson(new DateOnly(1971, 6, 15)));
        var neighbour = await service.OpenAndClosePlan(Cases.NewPerson(new DateOnly(1971, 6, 16)));
        await IsDisposedOf(neighbour, DaysTo(FirstDayAfterYears(5)));
        await IsKept(plan, DaysTo(FirstDayAfterYears(5)));
        await IsKept(plan, DaysTo(FirstDayAfterYears(50)));

        await IsDisposedOf(plan, DaysTo(FirstDayAfterYears(5)), options => options.Law.Default.KeepsSampledBirths = false);
    }

    [Fact]
    public async Task A_persons_plans_are_kept_as_long_as_the_one_that_is_kept_longest()
    {
        var person = Cases.NewPerson();
        var ofCare = (await service.As(DemonstrationDirectory.PrimaryCare).Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId() })).Plan;
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.ClosePlanAsync(
            new() { Name = ofCare.Name, Reason = PlanClosingReason.Moved, Etag = ofCare.Etag, RequestId = Cases.NewId() });
        var plan = await service.OpenAndClosePlan(person);
        await IsKept(plan, DaysTo(FirstDayAfterYears(5)));
        await IsKept(plan, DaysTo(FirstDayAfterYears(10)) - 1);

        await IsDisposedOf(plan, DaysTo(FirstDayAfterYears(10)));
    }

    [Fact]
    public async Task What_is_written_after_the_plan_was_closed_counts()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var consent = await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity]);
        plan = (await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        await service.LetRetentionPass(plan);
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        await IsKept(plan, 0);

        await service.LetRetentionPass(plan);
        await IsDisposedOf(plan, 0);
    }

    private async Task IsKept(Plan plan, int days, Action<ServerOptions>? configure = null)
    {
        await using var later = await LaterService.Start(service, days, configure);
        var error = await Dispose(later, plan).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        // One text, whatever it is kept for: it does not say when the person was born, nor whose another plan is.
        Assert.Equal(["What is written about the person is still to be kept (docs/law.md, retention)."], error.UnmetPreconditions().Select(unmet => unmet.Description));
        Assert.Equal(plan.Name, (await later.CaseWorker.Plans.GetPlanAsync(new() { Name = plan.Name })).Plan.Name);
    }

    private async Task IsDisposedOf(Plan plan, int days, Action<ServerOptions>? configure = null)
    {
        await using var later = await LaterService.Start(service, days, configure);
        await Dispose(later, plan);
        await later.CaseWorker.Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
    }

    private static AsyncUnaryCall<DisposeSubjectResponse> Dispose(LaterService later, Plan plan) => later.As(DemonstrationDirectory.UnitManager).Plans.DisposeSubjectAsync(
        new() { Name = plan.Name, DecisionReference = "GALL-1", Etag = plan.Etag, RequestId = Cases.NewId() });

    private static DateOnly FirstDayAfterYears(int years) => TimeProvider.System.Today().AddYears(years).AddDays(1);

    private static int DaysTo(DateOnly day) => day.DayNumber - TimeProvider.System.Today().DayNumber;
}
