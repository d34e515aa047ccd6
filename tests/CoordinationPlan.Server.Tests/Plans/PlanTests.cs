using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

public sealed class PlanTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_new_plan_is_a_noted_need_under_the_law_of_today_and_owned_by_the_callers_unit()
    {
        var plan = await service.OpenPlan();

        Assert.Equal(PlanState.Noted, plan.State);
        Assert.Equal(0, plan.Revision);
        Assert.Equal("units/" + DemonstrationDirectory.CaseWorker.UnitId, plan.OwningUnit);
        Assert.StartsWith("SoL (2025:400) 10 kap. 8 §", plan.LegalBasis, StringComparison.Ordinal);
        Assert.Equal(plan, await service.Read(DemonstrationDirectory.CaseWorker, plan));
    }

    [Fact]
    public async Task A_plan_without_statutory_content_is_not_established_and_says_what_is_missing()
    {
        var plan = await service.OpenPlan();

        var error = await service.CaseWorker.Plans.EstablishPlanAsync(new EstablishPlanRequest { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);

        Assert.Equal(["interventions", "other_measures", "lead_principal", "consents"], error.UnmetPreconditions().Select(unmet => unmet.Subject));
        Assert.All(error.UnmetPreconditions(), unmet => Assert.Contains("10 kap. 8 §", unmet.Description, StringComparison.Ordinal));
        Assert.Equal(PlanState.Noted, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).State);
    }

    [Fact]
    public async Task An_intervention_of_a_unit_outside_the_principals_does_not_count_as_one()
    {
        var plan = await service.OpenCompletePlan();
        await service.CaseWorker.Participations.AddParticipationAsync(new AddParticipationRequest
        {
            Parent = plan.Name,
            Participation = new Participation { Unit = "units/87654321", Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        await service.CaseWorker.Plans.AddInterventionAsync(new AddInterventionRequest
        {
            Parent = plan.Name,
            Intervention = new Intervention { Title = "Anpassning", ResponsibleUnit = "units/87654321" },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });

        var error = await service.CaseWorker.Plans.EstablishPlanAsync(new EstablishPlanRequest { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);

        Assert.Equal(["interventions.responsible_unit"], error.UnmetPreconditions().Select(unmet => unmet.Subject));
    }

    [Fact]
    public async Task A_complete_plan_is_established_and_again_as_the_next_revision()
    {
        var plan = await service.OpenCompletePlan();
        var first = (await service.CaseWorker.Plans.EstablishPlanAsync(new EstablishPlanRequest { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        var second = (await service.CaseWorker.Plans.EstablishPlanAsync(new EstablishPlanRequest { Name = plan.Name, Etag = first.Etag, RequestId = Cases.NewId() })).Plan;

        Assert.Equal((PlanState.Established, 1), (first.State, first.Revision));
        Assert.Equal((PlanState.Established, 2), (second.State, second.Revision));
        Assert.NotNull(first.EstablishedDate);
    }

    [Fact]
    public async Task A_lead_principal_is_a_municipality_or_a_region()
    {
        var plan = await service.OpenPlan();

        foreach (var organisation in new[] { "organisations/5560000001", "organisations/0000000000" })
        {
            await service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
            {
                Plan = new Plan { Name = plan.Name, LeadPrincipal = organisation },
                UpdateMask = new() { Paths = { "lead_principal" } },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        }
    }

    [Fact]
    public async Task An_update_changes_what_the_mask_lists_and_nothing_else()
    {
        var plan = await service.OpenPlan();

        var updated = (await service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
        {
            Plan = new Plan { Name = plan.Name, SocialSituation = "Ny lägesbild.", HealthSituation = "Ska inte sparas." },
            UpdateMask = new() { Paths = { "social_situation" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Plan;

        Assert.Equal("Ny lägesbild.", updated.SocialSituation);
        Assert.Equal(plan.HealthSituation, updated.HealthSituation);
        Assert.Equal(plan.Subject, updated.Subject);
        Assert.NotEqual(plan.Etag, updated.Etag);
        Assert.Equal(updated, await service.Read(DemonstrationDirectory.CaseWorker, plan));
    }

    [Theory]
    [InlineData("subject")]
    [InlineData("etag")]
    [InlineData("state")]
    [InlineData("goals")]
    [InlineData("no_such_field")]
    [InlineData("subject.given_name")]
    [InlineData("*")]
    public async Task A_mask_lists_only_what_can_be_changed(string path)
    {
        var plan = await service.OpenPlan();

        var error = await service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
        {
            Plan = new Plan { Name = plan.Name },
            UpdateMask = new() { Paths = { path } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal("update_mask", error.FieldFaults()[0].Field);
    }

    [Fact]
    public async Task A_stale_etag_is_refused_everywhere_and_changes_nothing()
    {
        var plan = await service.OpenPlan();
        var goal = await service.AddGoal(plan);
        await service.CaseWorker.Plans.UpdateGoalAsync(Update(goal, "Andra ordalag"));

        await service.CaseWorker.Plans.UpdateGoalAsync(Update(goal, "Borttappad text")).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);

        Assert.Equal("Andra ordalag", (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals.Single().Title);
    }

    [Fact]
    public async Task Changes_of_different_items_do_not_disturb_each_other()
    {
        var plan = await service.OpenPlan();
        var first = await service.AddGoal(plan, "Det ena");
        var second = await service.AddGoal(plan, "Det andra");

        await service.CaseWorker.Plans.UpdateGoalAsync(Update(first, "Det ena, ändrat"));
        await service.CaseWorker.Plans.UpdateGoalAsync(Update(second, "Det andra, ändrat"));

        Assert.Equal(["Det ena, ändrat", "Det andra, ändrat"], (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals.Select(goal => goal.Title));
    }

    [Fact]
    public async Task What_has_ended_stays_and_is_not_changed_any_more()
    {
        var plan = await service.OpenPlan();
        var measure = await service.AddOtherMeasure(plan);
        var ended = (await service.CaseWorker.Plans.EndOtherMeasureAsync(new EndOtherMeasureRequest
        {
            Name = measure.Name,
            Ending = ItemEnding.Completed,
            Outcome = "Klart",
            Etag = measure.Etag,
            RequestId = Cases.NewId(),
        })).OtherMeasure;

        Assert.Equal((ItemState.Completed, "Klart"), (ended.State, ended.Outcome));
        await service.CaseWorker.Plans.EndOtherMeasureAsync(new EndOtherMeasureRequest
        {
            Name = measure.Name,
            Ending = ItemEnding.Discontinued,
            Etag = ended.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        Assert.Equal(ended, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).OtherMeasures.Single());
    }

    [Fact]
    public async Task Nothing_in_a_closed_plan_is_changed_but_a_consent_can_still_be_withdrawn()
    {
        var plan = await service.OpenCompletePlan();
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents.Single();
        var closed = (await service.CaseWorker.Plans.ClosePlanAsync(new ClosePlanRequest
        {
            Name = plan.Name,
            Reason = PlanClosingReason.NoLongerNeeded,
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Plan;

        Assert.Equal((PlanState.Closed, PlanClosingReason.NoLongerNeeded), (closed.State, closed.ClosingReason));
        await service.CaseWorker.Plans.AddGoalAsync(new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = "För sent" }, Etag = closed.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await service.CaseWorker.Plans.EstablishPlanAsync(new EstablishPlanRequest { Name = plan.Name, Etag = closed.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await service.CaseWorker.Consents.WithdrawConsentAsync(new WithdrawConsentRequest { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
    }

    [Fact]
    public async Task An_interventions_goals_and_unit_must_be_the_plans()
    {
        var plan = await service.OpenPlan();
        var other = await service.OpenPlan();
        var goalOfOther = await service.AddGoal(other);
        var request = new AddInterventionRequest
        {
            Parent = plan.Name,
            Intervention = new Intervention { Title = "Stöd", ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker), Goals = { goalOfOther.Name } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };

        await service.CaseWorker.Plans.AddInterventionAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        request.Intervention.Goals[0] = goalOfOther.Name.Replace(other.Name, plan.Name, StringComparison.Ordinal);
        await service.CaseWorker.Plans.AddInterventionAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        request.Intervention.Goals.Clear();
        request.Intervention.ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry);
        await service.CaseWorker.Plans.AddInterventionAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
    }

    [Fact]
    public async Task The_caseload_is_paged_newest_first_without_gaps_or_repeats()
    {
        var worker = service.As(DemonstrationDirectory.OtherCaseWorker).Plans;
        var opened = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            var person = Cases.NewPerson();
            person.GivenName = "Nora";
            opened.Insert(0, (await worker.CreatePlanAsync(new CreatePlanRequest { Plan = new Plan { Subject = person }, RequestId = Cases.NewId() })).Plan.Name);
        }

        var listed = new List<string>();
        var token = "";
        do
        {
            var page = await worker.ListPlansAsync(new ListPlansRequest { PageSize = 3, PageToken = token });
            Assert.True(page.Plans.Count is 3 or 1);
            Assert.All(page.Plans, plan => Assert.Equal("Nora", plan.Subject.GivenName));
            listed.AddRange(page.Plans.Select(plan => plan.Name));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(opened, listed);
    }

    [Fact]
    public async Task A_page_token_is_the_callers_and_the_querys_own()
    {
        for (var i = 0; i < 3; i++)
        {
            await service.OpenPlan();
        }

        var token = (await service.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest { PageSize = 1 })).NextPageToken;

        Assert.NotEmpty(token);
        await service.As(DemonstrationDirectory.UnitManager).Plans.ListPlansAsync(new ListPlansRequest { PageSize = 1, PageToken = token })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        await service.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest { PageSize = 1, PageToken = token, State = PlanState.Closed })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        await service.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest { PageToken = "AAAA" }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        Assert.Single((await service.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest { PageSize = 1, PageToken = token })).Plans);
    }

    private static UpdateGoalRequest Update(Goal goal, string title) => new()
    {
        Goal = new Goal { Name = goal.Name, Title = title },
        UpdateMask = new() { Paths = { "title" } },
        Etag = goal.Etag,
        RequestId = Cases.NewId(),
    };
}
