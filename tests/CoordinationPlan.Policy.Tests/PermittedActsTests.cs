namespace CoordinationPlan.Policy.Tests;

/// <summary>The buttons that a case system draws are the acts that would be permitted.</summary>
public sealed class PermittedActsTests
{
    [Fact]
    public void They_are_the_acts_about_the_plan_that_would_be_permitted_in_their_order()
    {
        foreach (var (_, caller, facts) in World.Draw(20_000))
        {
            var expected = World.Acts.Where(World.IsAboutAPlan).Where(act => Expected.Permit(new(act, caller, act == Act.WriteIntervention
                ? facts with { NewItem = true, ResponsibleUnit = true }
                : facts)) is not null);
            Assert.Equal(expected, AccessPolicy.PermittedActs(caller, facts));
        }
    }

    [Fact]
    public void They_are_those_that_are_permitted_when_each_is_decided_by_itself()
    {
        foreach (var (_, caller, facts) in World.Draw(20_000))
        {
            var decided = World.Acts.Where(act => World.IsAboutAPlan(act) && AccessPolicy.Decide(act, caller, act == Act.WriteIntervention
                ? facts with { NewItem = true, ResponsibleUnit = true }
                : facts).IsPermit);
            Assert.Equal(decided, AccessPolicy.PermittedActs(caller, facts));
        }
    }

    [Fact]
    public void An_owning_case_worker_may_change_an_open_plan_but_not_dispose_of_it() =>
        Assert.Equal(
            [
                Act.ReadPlan, Act.UpdatePlan, Act.EstablishPlan, Act.ClosePlan, Act.WriteGoal, Act.WriteIntervention, Act.WriteOtherMeasure,
                Act.WriteParticipation, Act.RecordConsent, Act.WithdrawConsent, Act.WriteRelease, Act.AdvancePlan, Act.WriteMeeting, Act.ReplyToCall, Act.ReadRiskAssessment,
                Act.WriteRiskAssessment, Act.AnswerProposal, Act.WriteRelatedPlan, Act.WriteDischarge, Act.ReadOwnCalls, Act.IssueCopy, Act.ListCopies,
                Act.WriteProtectionMeasure, Act.ReadDelivery, Act.AnswerSyncedParticipation, Act.ReadSyncedParticipations,
            ],
            AccessPolicy.PermittedActs(
                new(true, true, Role.SocialCaseWorker, Purpose.SocialServicesCase, true, AssuranceLevel.Level3, UnitKind.SocialServices, true),
                World.Open with { Relation = Relation.Owning }));

    [Fact]
    public void A_participant_that_may_read_goals_may_add_an_intervention_of_its_own() =>
        Assert.Equal(
            [Act.ReadPlan, Act.WriteIntervention, Act.ReplyToCall, Act.AnswerProposal, Act.ReadOwnCalls, Act.IssueCopy, Act.ListCopies],
            AccessPolicy.PermittedActs(
                new(true, true, Role.ShelterContactPerson, Purpose.SocialServicesCase, true, AssuranceLevel.Level3, UnitKind.ShelteredHousing, false),
                World.Open with { Relation = Relation.Participating, Released = Categories.GoalsAndInterventions }));

    [Fact]
    public void Nobody_may_do_anything_to_what_is_not_known() => Assert.Empty(AccessPolicy.PermittedActs(default, default));
}
