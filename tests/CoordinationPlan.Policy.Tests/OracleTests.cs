namespace CoordinationPlan.Policy.Tests;

/// <summary>The policy permits just what <see cref="Expected"/> says, over the whole world.</summary>
public sealed class OracleTests
{
    [Fact]
    public void Callers_are_permitted_just_what_is_expected() => World.Holds(World.EveryCaller(), AsExpected);

    [Fact]
    public void Facts_permit_just_what_is_expected() => World.Holds(World.EveryFact(), AsExpected);

    [Fact]
    public void Releases_permit_just_what_is_expected() => World.Holds(World.EveryRelease(), AsExpected);

    [Fact]
    public void What_does_not_matter_to_an_act_does_not_matter() => World.Holds(World.Draw(400_000), AsExpected);

    private static bool AsExpected(Question question, Decision answer) =>
        Expected.Permit(question) is { } permit ? answer == permit : !answer.IsPermit;
}
