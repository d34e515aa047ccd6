using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Access;

public sealed class DisclosureTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Care = DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task Participation_without_consent_opens_nothing()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);

        await ReadAs(Care, plan).IsRefused();
    }

    [Fact]
    public async Task Consent_without_participation_opens_nothing()
    {
        var plan = await service.OpenPlan();
        await service.Consent(plan, Care, [Identity]);

        await ReadAs(Care, plan).IsRefused();
    }

    [Fact]
    public async Task A_participant_reads_the_released_categories_and_no_others()
    {
        var plan = await service.OpenCompletePlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity, Health]);

        var read = await service.Read(Care, plan);

        Assert.Equal(plan.Subject, read.Subject);
        Assert.Equal(plan.HealthSituation, read.HealthSituation);
        // The complete plan's own consent releases goals and interventions to the same unit.
        Assert.NotEmpty(read.Goals);
        Assert.Empty(read.SocialSituation);
        Assert.Empty(read.Participations);
        Assert.Empty(read.Consents);
        Assert.Empty(read.OwningUnit);
        Assert.Empty(read.Coordinator);
    }

    [Fact]
    public async Task What_is_dropped_leaves_no_trace_on_the_wire()
    {
        var plan = await service.OpenCompletePlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Meetings], consent => consent.ExcludedCategories.Add(GoalsAndInterventions));

        var read = await service.Read(Care, plan);

        Assert.Equal(
            new Plan
            {
                PermittedActs = { Act.ReadPlan, Act.ReplyToCall, Act.ReadOwnCalls, Act.IssueCopy, Act.ListCopies },
                Name = read.Name,
                Etag = read.Etag,
                State = read.State,
                LegalBasis = read.LegalBasis,
                OwningUnit = read.OwningUnit,
                Participations = { read.Participations },
            },
            read);
    }

    [Fact]
    public async Task An_exclusion_and_a_refusal_beat_every_consent()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity, Health, SocialSituation]);
        await service.Consent(plan, Care, [InformationCategory.Meetings], consent => consent.ExcludedCategories.Add(SocialSituation));
        await service.Consent(plan, Care, [Health], consent => consent.State = ConsentState.Refused);

        var read = await service.Read(Care, plan);

        Assert.NotNull(read.Subject);
        Assert.Empty(read.SocialSituation);
        Assert.Empty(read.HealthSituation);
    }

    [Fact]
    public async Task A_refusal_that_is_withdrawn_no_longer_holds_back()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity, Health]);
        var refusal = await service.Consent(plan, Care, [Health], consent => consent.State = ConsentState.Refused);
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = refusal.Name, Etag = refusal.Etag, RequestId = Cases.NewId() });

        Assert.NotEmpty((await service.Read(Care, plan)).HealthSituation);
    }

    [Theory]
    [InlineData(-10, -1)]
    [InlineData(1, 10)]
    public async Task A_consent_opens_nothing_outside_its_period(int from, int to)
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity], consent => consent.Period = Cases.Period(from, to));

        await ReadAs(Care, plan).IsRefused();
    }

    [Theory]
    [InlineData(-10, -1)]
    [InlineData(1, 10)]
    [InlineData(1, null)]
    public async Task A_participation_opens_nothing_outside_its_period(int from, int? to)
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care, Cases.Period(from, to));
        await service.Consent(plan, Care, [Identity]);

        await ReadAs(Care, plan).IsRefused();
        Assert.DoesNotContain((await service.As(Care).Plans.ListPlansAsync(new ListPlansRequest { PageSize = 100 })).Plans, listed => listed.Name == plan.Name);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-5, 0)]
    public async Task The_last_day_of_a_period_belongs_to_it(int from, int to)
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care, Cases.Period(from, to));
        await service.Consent(plan, Care, [Identity], consent => consent.Period = Cases.Period(from, to));

        Assert.NotNull((await service.Read(Care, plan)).Subject);
    }

    [Fact]
    public async Task A_consent_for_another_purpose_opens_nothing()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity], consent => consent.Purpose = Purpose.SocialServicesCase);

        await ReadAs(Care, plan).IsRefused();
    }

    [Fact]
    public async Task Withdrawal_end_of_participation_and_closing_stop_reads_lists_and_retries_at_once()
    {
        foreach (var stop in new Func<Plan, Participation, Consent, Task>[]
        {
            async (_, _, consent) => await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() }),
            async (_, participation, _) => await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() }),
            async (plan, _, _) => await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Etag = plan.Etag, Reason = PlanClosingReason.Moved, RequestId = Cases.NewId() }),
        })
        {
            var plan = await service.OpenPlan();
            var participation = await service.Join(plan, Care);
            var consent = await service.Consent(plan, Care, [Identity, GoalsAndInterventions]);
            var own = new AddInterventionRequest
            {
                Parent = plan.Name,
                Intervention = new Intervention { Title = "Behandling", ResponsibleUnit = Cases.UnitOf(Care) },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            };
            await service.As(Care).Plans.AddInterventionAsync(own);
            Assert.Contains((await service.As(Care).Plans.ListPlansAsync(new() { PageSize = 100 })).Plans, listed => listed.Name == plan.Name);

            await stop(plan, participation, consent);

            await ReadAs(Care, plan).IsRefused();
            await service.As(Care).Plans.AddInterventionAsync(own).IsRefused();
            Assert.DoesNotContain((await service.As(Care).Plans.ListPlansAsync(new() { PageSize = 100 })).Plans, listed => listed.Name == plan.Name);
        }
    }

    [Fact]
    public async Task That_a_sheltered_housing_takes_part_is_told_to_the_owning_unit_and_the_shelter_only()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Join(plan, Care);
        await service.AddIntervention(plan, DemonstrationDirectory.Shelter, "Boende och trygghet");
        InformationCategory[] everything = [Identity, ContactDetails, GoalsAndInterventions, SocialSituation, Health, InformationCategory.Schooling, ProtectionMeasures, ChildsOwnWords, InformationCategory.Meetings];
        await service.Consent(plan, Care, everything);
        await service.Consent(plan, DemonstrationDirectory.Shelter, everything);

        var (care, shelter, owner) = (await service.Read(Care, plan), await service.Read(DemonstrationDirectory.Shelter, plan), await service.Read(DemonstrationDirectory.CaseWorker, plan));

        Assert.DoesNotContain("KRISCENTRUM", care.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(care.Interventions);
        Assert.Single(care.Participations);
        Assert.Equal((2, 1), (shelter.Participations.Count, shelter.Interventions.Count));
        Assert.Equal((2, 1), (owner.Participations.Count, owner.Interventions.Count));
    }

    [Fact]
    public async Task The_school_never_gets_more_than_its_role_may_have_whatever_the_consent_says()
    {
        var plan = await service.OpenCompletePlan();
        await service.Join(plan, DemonstrationDirectory.School);
        await service.Consent(plan, DemonstrationDirectory.School, [Identity, GoalsAndInterventions, SocialSituation, Health, InformationCategory.Schooling, InformationCategory.Meetings]);

        var read = await service.Read(DemonstrationDirectory.School, plan);

        Assert.Equal(plan.Subject, read.Subject);
        Assert.Equal("", read.SocialSituation + read.HealthSituation + read.OwningUnit + read.LeadPrincipal);
        Assert.Empty(read.Goals.Concat<object>(read.Interventions).Concat(read.OtherMeasures).Concat(read.Participations));
    }

    [Fact]
    public async Task A_participant_writes_its_own_interventions_and_nobody_elses()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [GoalsAndInterventions]);
        var owners = await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker);
        var cares = await service.AddIntervention(plan, Care);

        await service.As(Care).Plans.UpdateInterventionAsync(Update(owners)).IsRefused();
        await service.CaseWorker.Plans.UpdateInterventionAsync(Update(cares)).IsRefused();
        Assert.Equal("Ändrad", (await service.As(Care).Plans.UpdateInterventionAsync(Update(cares))).Intervention.Title);
        await service.As(Care).Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål" }, Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
    }

    [Fact]
    public async Task The_owning_unit_ends_the_interventions_of_a_unit_that_has_left()
    {
        var plan = await service.OpenPlan();
        var participation = await service.Join(plan, Care);
        var intervention = await service.AddIntervention(plan, Care);
        var end = new EndInterventionRequest { Name = intervention.Name, Ending = ItemEnding.Discontinued, Etag = intervention.Etag, RequestId = Cases.NewId() };

        await service.CaseWorker.Plans.EndInterventionAsync(end).IsRefused();
        await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() });
        end.RequestId = Cases.NewId();
        Assert.Equal(ItemState.Discontinued, (await service.CaseWorker.Plans.EndInterventionAsync(end)).Intervention.State);
    }

    [Fact]
    public async Task Health_care_writes_its_own_account_where_health_is_released_and_no_other_field()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Health]);
        UpdatePlanRequest Request(string path) => new()
        {
            Plan = new Plan { Name = plan.Name, HealthSituation = "Vårdens bedömning", SocialSituation = "Inte vårdens" },
            UpdateMask = new() { Paths = { path } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };

        await service.As(Care).Plans.UpdatePlanAsync(Request("social_situation")).IsRefused();
        var updated = (await service.As(Care).Plans.UpdatePlanAsync(Request("health_situation"))).Plan;

        Assert.Equal("Vårdens bedömning", updated.HealthSituation);
        Assert.Equal("", updated.SocialSituation);
        Assert.Null(updated.Subject);
    }

    [Fact]
    public async Task Another_unit_of_the_same_organisation_learns_nothing()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity]);

        await ReadAs(DemonstrationDirectory.Colleague, plan).IsRefused();
        await ReadAs(DemonstrationDirectory.OtherCaseWorker, plan).IsRefused();
    }

    [Fact]
    public async Task Sheltered_housing_is_listed_to_social_services_only()
    {
        Assert.Contains((await service.CaseWorker.Directory.ListUnitsAsync(new() { PageSize = 500 })).Units, unit => unit.Kind == UnitKind.ShelteredHousing);
        foreach (var employee in new[] { Care, DemonstrationDirectory.Jonas, DemonstrationDirectory.School, DemonstrationDirectory.LogReviewer })
        {
            var units = (await service.As(employee).Directory.ListUnitsAsync(new() { PageSize = 500 })).Units;
            Assert.NotEmpty(units);
            Assert.DoesNotContain(units, unit => unit.Kind == UnitKind.ShelteredHousing);
        }
    }

    [Theory]
    [InlineData(InformationCategory.RiskAssessment)]
    [InlineData(InformationCategory.Whereabouts)]
    [InlineData(ThirdParties)]
    [InlineData(ConsentDocuments)]
    [InlineData(AccessLog)]
    [InlineData(InformationCategory.Directory)]
    public async Task A_consent_cannot_release_what_is_not_the_persons_to_release(InformationCategory category)
    {
        var plan = await service.OpenPlan();

        var error = await Assert.ThrowsAsync<RpcException>(() => service.Consent(plan, Care, [category]));

        Assert.Equal((StatusCode.InvalidArgument, "consent.categories"), (error.StatusCode, error.FieldFaults().Single().Field));
    }

    [Fact]
    public async Task A_consent_has_an_end()
    {
        var plan = await service.OpenPlan();

        var error = await Assert.ThrowsAsync<RpcException>(() => service.Consent(plan, Care, [Identity], consent => consent.Period = Cases.Period(0, null)));

        Assert.Equal("consent.period.end_date", error.FieldFaults().Single().Field);
    }

    [Fact]
    public async Task A_system_of_the_region_reads_no_plans()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Identity]);

        await ReadAs(DemonstrationDirectory.RegionIntegration, plan).IsRefused();
        Assert.NotEmpty((await service.As(DemonstrationDirectory.RegionIntegration).Directory.ListUnitsAsync(new())).Units);
    }

    private static UpdateInterventionRequest Update(Intervention intervention) => new()
    {
        Intervention = new Intervention { Name = intervention.Name, Title = "Ändrad" },
        UpdateMask = new() { Paths = { "title" } },
        Etag = intervention.Etag,
        RequestId = Cases.NewId(),
    };

    private AsyncUnaryCall<GetPlanResponse> ReadAs(DemonstrationEmployee employee, Plan plan) => service.As(employee).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name });
}
