namespace CoordinationPlan.Law.Tests;

/// <summary>Each rule on both sides of its dates and of its limit.</summary>
public sealed class RuleTests
{
    private static readonly Rule[] All =
    [
        .. PlanLaw.Conditions, .. PlanLaw.Clocks, .. PlanLaw.Ages, .. PlanRetention.Rules, PlanRetention.SampledBirths,
        .. SchoolingLaw.Conditions, .. SchoolingLaw.Clocks, .. SchoolingLaw.Limits,
    ];

    public static TheoryData<string> Rules => [.. All.Select(rule => rule.Id)];

    [Fact]
    public void The_act_of_2001_applies_until_the_last_of_june_2025_and_that_of_2025_from_the_day_after()
    {
        Assert.Equal("SoL (2001:453) 2 kap. 7 §; HSL (2017:30) 16 kap. 4 §", PlanLaw.BasisOn(new DateOnly(2025, 6, 30)));
        Assert.Equal("SoL (2025:400) 10 kap. 8 §; HSL (2017:30) 16 kap. 4 §", PlanLaw.BasisOn(new DateOnly(2025, 7, 1)));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_rule_has_one_place_on_each_day_from_its_first_to_its_last(string id)
    {
        var rule = Rule(id);
        Assert.NotEmpty(rule.Paragraphs);
        for (var i = 1; i < rule.Paragraphs.Count; i++)
        {
            Assert.Equal(rule.Paragraphs[i].From, rule.Paragraphs[i - 1].To!.Value.AddDays(1));
        }

        foreach (var paragraph in rule.Paragraphs)
        {
            Assert.Equal(paragraph.Place, rule.BasisOn(paragraph.From));
            if (paragraph.From > DateOnly.MinValue)
            {
                Assert.NotEqual(paragraph.Place, rule.BasisOn(paragraph.From.AddDays(-1)));
            }

            if (paragraph.To is { } last)
            {
                Assert.Equal(paragraph.Place, rule.BasisOn(last));
                Assert.NotEqual(paragraph.Place, rule.BasisOn(last.AddDays(1)));
            }
        }

        // No rule ends: what was demanded of a plan is demanded today.
        Assert.Null(rule.Paragraphs[^1].To);
        Assert.EndsWith(".", rule.Demand, StringComparison.Ordinal);
        Assert.EndsWith(".", rule.DemandSv, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_are_unique() => Assert.Equal(Rules.Count, Rules.Select(row => row.Data).Distinct().Count());

    [Fact]
    public void A_rule_that_is_not_in_force_demands_nothing()
    {
        var rule = PlanLaw.Interventions with { Paragraphs = [new("later", new DateOnly(2030, 1, 1))] };
        var step = PlanLaw.StepBetween(Stage.Met, Stage.Established)! with { Demands = [rule] };

        Assert.Empty(PlanLaw.MissingFor(step, new PlanContent(), new DateOnly(2029, 12, 31)));
        Assert.Equal("later", Assert.Single(PlanLaw.MissingFor(step, new PlanContent(), new DateOnly(2030, 1, 1))).Basis);
    }

    [Theory]
    // Three calendar days, over a weekend, a change of year and both changes of the clock.
    [InlineData("clock.discharge", "2026-11-20", "2026-11-23")]
    [InlineData("clock.discharge", "2026-12-30", "2027-01-02")]
    [InlineData("clock.discharge", "2026-03-28", "2026-03-31")]
    [InlineData("clock.discharge", "2026-10-24", "2026-10-27")]
    // Six months: the day of the same number, or the last of a shorter month.
    [InlineData("clock.location_secrecy", "2026-01-15", "2026-07-15")]
    [InlineData("clock.location_secrecy", "2026-08-31", "2027-02-28")]
    [InlineData("clock.location_secrecy", "2027-08-31", "2028-02-29")]
    [InlineData("clock.location_secrecy", "2024-02-29", "2024-08-29")]
    [InlineData("clock.placement", "2026-02-28", "2026-08-28")]
    [InlineData("clock.placement", "2026-10-31", "2027-04-30")]
    [InlineData("clock.start", "2026-02-27", "2026-03-02")]
    [InlineData("clock.risk", "2028-02-24", "2028-03-02")]
    [InlineData("clock.schooling", "2026-12-29", "2027-01-03")]
    [InlineData("clock.schooling_review", "2026-08-31", "2027-02-28")]
    [InlineData("clock.handover", "2028-02-27", "2028-03-01")]
    public void A_clock_ends_on_its_day(string id, string start, string due) => Assert.Equal(
        DateOnly.Parse(due, System.Globalization.CultureInfo.InvariantCulture),
        PlanLaw.Clocks.Concat(SchoolingLaw.Clocks).Single(clock => clock.Id == id).DueOn(DateOnly.Parse(start, System.Globalization.CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("age.own_voice", "2011-11-24", "2026-11-24")]
    [InlineData("age.majority", "2008-11-24", "2026-11-24")]
    [InlineData("age.majority", "2008-02-29", "2026-02-28")]
    [InlineData("age.own_voice", "2012-02-29", "2027-02-28")]
    [InlineData("age.majority", "2010-02-28", "2028-02-28")]
    // Who is born the day after a leap day reaches it on the same date, in a leap year too; eighteen years after a leap day is never one.
    [InlineData("age.majority", "2008-03-01", "2026-03-01")]
    [InlineData("age.own_voice", "2013-03-01", "2028-03-01")]
    public void An_age_is_reached_on_its_day(string id, string born, string reached) => Assert.Equal(
        DateOnly.Parse(reached, System.Globalization.CultureInfo.InvariantCulture),
        PlanLaw.Ages.Single(age => age.Id == id).ReachedOn(DateOnly.Parse(born, System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public void A_clock_without_a_limit_of_its_own_is_one_that_is_configured() =>
        Assert.All(PlanLaw.Clocks.Concat(SchoolingLaw.Clocks), clock => Assert.True(clock.Days is not null || clock.Parameter is not null, clock.Id));

    private static Rule Rule(string id) => All.Single(rule => rule.Id == id);
}
