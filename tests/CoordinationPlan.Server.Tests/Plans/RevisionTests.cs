using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>What was agreed stays as it was, and what differs is shown within the permit of who asks.</summary>
public sealed class RevisionTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Two_revisions_are_compared_field_by_field_and_what_was_removed_shows()
    {
        var plan = await Establish(await service.OpenCompletePlan(Cases.NewPerson()));
        var first = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        await service.CaseWorker.Plans.UpdateGoalAsync(new()
        {
            Goal = new() { Name = first.Goals[0].Name, Title = "Ett annat mål" },
            UpdateMask = new() { Paths = { "title" } },
            Etag = first.Goals[0].Etag,
            RequestId = Cases.NewId(),
        });
        await service.CaseWorker.Plans.EndInterventionAsync(new() { Name = first.Interventions[0].Name, Ending = ItemEnding.Completed, Outcome = "Klart.", Etag = first.Interventions[0].Etag, RequestId = Cases.NewId() });
        await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker);
        plan = await Establish(await Update(plan, changed => changed.SocialSituation = "", "social_situation"));
        await service.CaseWorker.Plans.UpdateGoalAsync(new()
        {
            Goal = new() { Name = first.Goals[0].Name, Title = "Inte fastställt" },
            UpdateMask = new() { Paths = { "title" } },
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals[0].Etag,
            RequestId = Cases.NewId(),
        });

        var listed = (await service.CaseWorker.Plans.ListPlanRevisionsAsync(new() { Name = plan.Name })).Revisions;
        Assert.Equal([2, 1], listed.Select(revision => revision.Revision));
        Assert.All(listed, revision => Assert.Equal("employees/" + DemonstrationDirectory.CaseWorker.Id, revision.EstablishedBy));

        var compared = await Compare(DemonstrationDirectory.CaseWorker, plan, 1, 2);
        Assert.Equal(first.Goals[0].Title, compared.Before.Goals[0].Title);
        Assert.Equal("Ett annat mål", compared.After.Goals[0].Title);
        Assert.Equal(
            new[]
            {
                (plan.Name, "social_situation", PlanChangeKind.Removed), (first.Goals[0].Name, "title", PlanChangeKind.Changed),
                (first.Interventions[0].Name, "state", PlanChangeKind.Changed), (first.Interventions[0].Name, "outcome", PlanChangeKind.Added),
                (compared.After.Interventions[1].Name, "", PlanChangeKind.Added),
            }.Order(),
            compared.Changes.Select(change => (change.Subject, change.Field, change.Kind)).Order());

        Assert.Equal([(first.Goals[0].Name, "title")], (await Compare(DemonstrationDirectory.CaseWorker, plan, 2, 0)).Changes.Select(change => (change.Subject, change.Field)));
        var all = await Compare(DemonstrationDirectory.CaseWorker, plan, 0, 1);
        Assert.Null(all.Before);
        Assert.All(all.Changes, change => Assert.Equal(PlanChangeKind.Added, change.Kind));
        await service.CaseWorker.Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name, BaseRevision = 1, Revision = 3 }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await service.CaseWorker.Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name, BaseRevision = 2, Revision = 1 }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
    }

    [Fact]
    public async Task A_reader_sees_of_the_comparison_what_its_permit_covers_now_and_never_another_identity()
    {
        var person = Cases.NewPerson();
        var plan = await Establish(await service.OpenCompletePlan(person));
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.AddIntervention(plan, DemonstrationDirectory.Shelter);
        plan = await Establish(await Update(plan, changed => changed.SocialSituation = "Något annat.", "social_situation"));
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity, InformationCategory.Health]);

        var seen = await Compare(DemonstrationDirectory.PrimaryCare, plan, 1, 2);
        // The situation is not released to it, nor where the person is; of the goals it may know nothing changed.
        Assert.Empty(seen.Changes);
        Assert.Equal("", seen.After.SocialSituation);
        Assert.DoesNotContain(Cases.UnitOf(DemonstrationDirectory.Shelter), seen.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(person.IdentityNumber.Value, (await Compare(DemonstrationDirectory.CaseWorker, plan, 0, 1)).ToString(), StringComparison.Ordinal);
        Assert.Contains((await Compare(DemonstrationDirectory.CaseWorker, plan, 1, 2)).Changes, change => change.Kind == PlanChangeKind.Added);
        await service.As(DemonstrationDirectory.OtherCaseWorker).Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task A_proposal_is_answered_by_each_unit_for_itself_and_established_while_it_is_still_what_was_proposed()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.GoalsAndInterventions]);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health]);
        var proposal = await Propose(plan);
        await Answer(DemonstrationDirectory.PrimaryCare, proposal, ProposalAnswerKind.Objects).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Answer(DemonstrationDirectory.PrimaryCare, proposal, ProposalAnswerKind.Objects, "Vi kan inte ge den tiden.");
        await Answer(DemonstrationDirectory.Shelter, proposal, ProposalAnswerKind.Agrees);
        // Who may not read what is proposed cannot agree to it.
        await Answer(DemonstrationDirectory.ChildPsychiatry, proposal, ProposalAnswerKind.Agrees).IsRefused();
        Assert.Empty((await service.As(DemonstrationDirectory.ChildPsychiatry).Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals);
        Assert.DoesNotContain("Vi kan inte ge", await service.Dump(), StringComparison.Ordinal);

        var own = Assert.Single((await service.CaseWorker.Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals);
        Assert.Equal(
            [(Cases.UnitOf(DemonstrationDirectory.PrimaryCare), ProposalAnswerKind.Objects, "Vi kan inte ge den tiden."), (Cases.UnitOf(DemonstrationDirectory.Shelter), ProposalAnswerKind.Agrees, "")],
            own.Answers.Select(answer => (answer.Unit, answer.Answer, answer.Reason)));
        var seenByCare = (await Answer(DemonstrationDirectory.PrimaryCare, proposal, ProposalAnswerKind.Agrees)).Proposal;
        Assert.Equal([(Cases.UnitOf(DemonstrationDirectory.PrimaryCare), ProposalAnswerKind.Agrees)], seenByCare.Answers.Select(answer => (answer.Unit, answer.Answer)));
        Assert.Equal(seenByCare.Answers, (await service.As(DemonstrationDirectory.PrimaryCare).Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals[0].Answers);

        // What tells where the person is changes for those who know of it only.
        await service.AddIntervention(plan, DemonstrationDirectory.Shelter);
        Assert.False((await service.CaseWorker.Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals[0].Current);
        Assert.True((await service.As(DemonstrationDirectory.PrimaryCare).Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals[0].Current);
        await Answer(DemonstrationDirectory.PrimaryCare, proposal, ProposalAnswerKind.Agrees);
        await EstablishProposed(plan, proposal).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        // A changed content leaves the proposal behind.
        await service.AddGoal(plan);
        Assert.False((await service.CaseWorker.Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals[0].Current);
        await Answer(DemonstrationDirectory.PrimaryCare, proposal, ProposalAnswerKind.Agrees).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await EstablishProposed(plan, proposal).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        var next = await Propose(plan);
        var established = (await EstablishProposed(plan, next)).Plan;
        Assert.Equal((PlanState.Established, 1), (established.State, established.Revision));
        Assert.Equal([1, 0], (await service.CaseWorker.Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals.Select(listed => listed.EstablishedRevision));
        await EstablishProposed(established, next).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await EstablishProposed(established, new() { Name = plan.Name + "/proposals/" + Cases.NewId() }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
    }

    private async Task<Proposal> Propose(Plan plan) =>
        (await service.CaseWorker.Plans.ProposeRevisionAsync(new() { Parent = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Proposal;

    private AsyncUnaryCall<AnswerProposalResponse> Answer(DemonstrationEmployee employee, Proposal proposal, ProposalAnswerKind answer, string reason = "") =>
        service.As(employee).Plans.AnswerProposalAsync(new() { Name = proposal.Name, Answer = answer, Reason = reason, Etag = proposal.Etag, RequestId = Cases.NewId() });

    private AsyncUnaryCall<EstablishPlanResponse> EstablishProposed(Plan plan, Proposal proposal) =>
        service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Proposal = proposal.Name, Etag = plan.Etag, RequestId = Cases.NewId() });

    private async Task<Plan> Establish(Plan plan) =>
        (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;

    private async Task<Plan> Update(Plan plan, Action<Plan> change, string path)
    {
        var changed = new Plan { Name = plan.Name };
        change(changed);
        return (await service.CaseWorker.Plans.UpdatePlanAsync(new() { Plan = changed, UpdateMask = new() { Paths = { path } }, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
    }

    private async Task<ComparePlanRevisionsResponse> Compare(DemonstrationEmployee employee, Plan plan, int before, int after) =>
        await service.As(employee).Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name, BaseRevision = before, Revision = after });
}
