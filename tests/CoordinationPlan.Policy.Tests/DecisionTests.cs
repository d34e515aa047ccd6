namespace CoordinationPlan.Policy.Tests;

/// <summary>The shape of every answer, and that the rule book has no dead row and no dead reason.</summary>
public sealed class DecisionTests
{
    [Fact]
    public void The_default_decision_is_a_refusal_that_opens_nothing() =>
        Assert.Equal((false, Categories.None, Categories.None), (default(Decision).IsPermit, default(Decision).Reads, default(Decision).Writes));

    [Fact]
    public void A_refusal_carries_a_reason_and_nothing_else_but_the_alert_about_the_blocked() =>
        World.Holds(
            World.All(),
            (_, answer) => answer.IsPermit
                || (answer is { Reason: not RefusalReason.None, Reads: Categories.None, Writes: Categories.None, Basis: Basis.None }
                    && (answer.Obligations == Obligations.None || answer is { Reason: RefusalReason.Blocked, Obligations: Obligations.AlertReviewers })));

    [Fact]
    public void A_permit_carries_what_it_rests_on_what_it_covers_and_no_reason() =>
        World.Holds(
            World.Permitted(),
            (_, answer) => answer is { IsPermit: true, Basis: not Basis.None, Reason: RefusalReason.None } && answer.Reads != Categories.None);

    [Fact]
    public void Every_act_is_permitted_to_somebody() =>
        Assert.Equal(World.Acts.Except([Act.Unspecified]), World.Permitted().Select(question => question.Act).Distinct().Order());

    [Fact]
    public void Every_basis_carries_a_permit() =>
        Assert.Equal(Enum.GetValues<Basis>().Except([Basis.None]), World.Permitted().Select(question => question.Answer().Basis).Distinct().Order());

    [Fact]
    public void Every_obligation_follows_from_something() =>
        Assert.Equal(
            Enum.GetValues<Obligations>().Aggregate((all, one) => all | one),
            World.EveryCaller().Concat(World.Draw(10_000)).Aggregate(Obligations.None, (all, question) => all | question.Answer().Obligations));

    // An error in deciding and a field beyond the permit are the gate's to give.
    [Fact]
    public void Every_reason_to_refuse_is_given_to_somebody() =>
        Assert.Equal(
            Enum.GetValues<RefusalReason>().Except([RefusalReason.ErrorInDeciding, RefusalReason.FieldMayNot]),
            World.EveryCaller().Concat(World.EveryFact()).Select(question => question.Answer().Reason).Distinct().Order());
}
