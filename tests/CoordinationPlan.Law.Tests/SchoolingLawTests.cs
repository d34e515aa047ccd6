using static CoordinationPlan.Law.SchoolingStage;

namespace CoordinationPlan.Law.Tests;

/// <summary>The arrangement's steps, with everything that it can lack, and the rules of attendance on both sides of their limits.</summary>
public sealed class SchoolingLawTests
{
    private static readonly DateOnly Today = new(2026, 11, 24);
    private static readonly AbsenceLimits Limits = new(Weeks: 4, AbsencePercent: 20, InvalidPercent: 10);

    [Fact]
    public void Stages_are_the_contracts() => Assert.Equal(
        V1.SchoolArrangementReflection.Descriptor.EnumTypes.Single(type => type.Name == "SchoolArrangementState").Values
            .Select(value => (Name: value.Name["SCHOOL_ARRANGEMENT_STATE_".Length..].Replace("_", ""), value.Number)),
        Enum.GetValues<SchoolingStage>().Select(stage => (Name: stage.ToString().ToUpperInvariant(), Number: (int)stage)));

    [Fact]
    public void There_is_a_step_where_one_is_expected_and_nowhere_else()
    {
        foreach (var from in Enum.GetValues<SchoolingStage>())
        {
            foreach (var to in Enum.GetValues<SchoolingStage>())
            {
                Assert.Equal((from, to, Leads(from, to)), (from, to, SchoolingLaw.StepBetween(from, to) is not null));
                Assert.InRange(SchoolingLaw.Steps.Count(step => step.To == to && step.From.Contains(from)), 0, 1);
            }
        }
    }

    [Fact]
    public void A_step_lacks_what_is_expected_of_all_that_an_arrangement_can_hold()
    {
        var days = new DateOnly?[] { null, Today.AddDays(-1), Today, Today.AddDays(1) };
        foreach (var step in SchoolingLaw.Steps)
        {
            for (var bits = 0; bits < 1 << 8; bits++)
            {
                var has = (int bit) => (bits >> bit & 1) == 1;
                foreach (var (start, end) in from start in days from end in days select (start, end))
                {
                    var content = new SchoolingContent(has(0), has(1), has(2), has(3), start, has(4), has(5), has(6), end, has(7), has(0) ^ has(7));
                    Assert.Equal(
                        ExpectedToLack(step.From, step.To, content).Order(),
                        SchoolingLaw.MissingFor(step, content, Today).Select(unmet => unmet.Rule.Id).Order());
                }
            }
        }
    }

    [Fact]
    public void A_rule_that_is_not_in_force_demands_nothing()
    {
        var step = SchoolingLaw.StepBetween(SchoolingStage.Unknown, Secured)!;
        Assert.DoesNotContain(SchoolingLaw.MissingFor(step, new SchoolingContent(), new DateOnly(2024, 3, 31)), unmet => unmet.Rule == SchoolingLaw.School);
        Assert.Contains(SchoolingLaw.MissingFor(step, new SchoolingContent(), new DateOnly(2024, 4, 1)), unmet => unmet.Rule == SchoolingLaw.School);
    }

    [Fact]
    public void The_school_has_a_view_from_the_place_to_the_handover() => Assert.Equal([Secured, InPlace, Interrupted, HandedOver], SchoolingLaw.InView);

    [Theory]
    // A fifth of all hours, and a tenth without a valid reason: just on the limit it is a pattern, just below it is none.
    [InlineData(100, 20, 0, true)]
    [InlineData(100, 19, 0, false)]
    [InlineData(100, 0, 10, true)]
    [InlineData(100, 0, 9, false)]
    [InlineData(100, 11, 9, true)]
    [InlineData(100, 10, 9, false)]
    [InlineData(0, 0, 0, false)]
    public void Absence_is_a_pattern_from_its_limits_on(int possible, int valid, int invalid, bool isPattern) =>
        Assert.Equal(isPattern, SchoolingLaw.IsPattern([new Attended(possible, possible - valid - invalid, valid, invalid)], Limits));

    [Fact]
    public void So_many_of_the_latest_weeks_are_looked_at_together()
    {
        Attended bad = new(20, 0, 20, 0), good = new(20, 20, 0, 0);
        // One bad week of four is a quarter of the hours; the fifth week back does not count.
        Assert.True(SchoolingLaw.IsPattern([good, good, good, bad], Limits));
        Assert.False(SchoolingLaw.IsPattern([good, good, good, good, bad], Limits));
        Assert.True(SchoolingLaw.IsPattern([good, good, good, good, bad], Limits with { Weeks = 5 }));
        Assert.False(SchoolingLaw.IsPattern([], Limits));
    }

    [Theory]
    [InlineData(2026, 1, "2025-12-29")]
    [InlineData(2026, 53, "2026-12-28")]
    [InlineData(2025, 53, null)]
    [InlineData(2026, 0, null)]
    [InlineData(2026, 54, null)]
    [InlineData(2026, -1, null)]
    [InlineData(1999, 10, null)]
    [InlineData(2201, 10, null)]
    [InlineData(int.MaxValue, 10, null)]
    public void A_week_is_one_of_the_calendar(int year, int week, string? monday) => Assert.Equal(
        monday is null ? null : DateOnly.Parse(monday, System.Globalization.CultureInfo.InvariantCulture), SchoolingLaw.MondayOf(year, week));

    [Fact]
    public void A_week_is_reported_that_has_begun_and_holds_a_day_of_the_arrangement()
    {
        var monday = new DateOnly(2026, 11, 23);
        Assert.True(SchoolingLaw.IsReportable(monday, monday, null, monday));
        Assert.False(SchoolingLaw.IsReportable(monday, monday, null, monday.AddDays(-1)));
        Assert.True(SchoolingLaw.IsReportable(monday, monday.AddDays(6), null, Today));
        Assert.False(SchoolingLaw.IsReportable(monday, monday.AddDays(7), null, Today));
        Assert.True(SchoolingLaw.IsReportable(monday, monday.AddDays(-30), monday, Today));
        Assert.False(SchoolingLaw.IsReportable(monday, monday.AddDays(-30), monday.AddDays(-1), Today));
        Assert.False(SchoolingLaw.IsReportable(monday, null, null, Today));
    }

    [Theory]
    [InlineData(20, 18, 1, 1, true)]
    [InlineData(0, 0, 0, 0, true)]
    [InlineData(60, 60, 0, 0, true)]
    [InlineData(61, 61, 0, 0, false)]
    [InlineData(20, 18, 1, 0, false)]
    [InlineData(20, 18, 2, 1, false)]
    [InlineData(20, 21, -1, 0, false)]
    [InlineData(20, 20, 1, -1, false)]
    [InlineData(20, -1, 21, 0, false)]
    [InlineData(-1, -1, 0, 0, false)]
    [InlineData(0, int.MaxValue, int.MaxValue, 2, false)]
    public void The_hours_of_a_week_add_up(int possible, int present, int valid, int invalid, bool addsUp) =>
        Assert.Equal(addsUp, SchoolingLaw.AddsUp(new(possible, present, valid, invalid)));

    private static bool Leads(SchoolingStage from, SchoolingStage to) => to switch
    {
        BeingArranged => from == SchoolingStage.Unknown,
        Secured => from is SchoolingStage.Unknown or BeingArranged,
        InPlace => from is Secured or Interrupted,
        Interrupted => from is Secured or InPlace,
        HandedOver => from is Secured or InPlace or Interrupted,
        Ended => from is not (Unspecified or Ended),
        _ => false,
    };

    private static IEnumerable<string> ExpectedToLack(IReadOnlyList<SchoolingStage> from, SchoolingStage to, SchoolingContent content) =>
        ((string Rule, bool Lacks)[])
        [
            ("schooling.case_worker", to == BeingArranged && !content.HasCaseWorker),
            ("schooling.school", to == Secured && !content.HasSchool),
            ("schooling.form", to == Secured && !content.HasForm),
            ("schooling.solution", to == Secured && !content.HasSolution),
            ("schooling.first_day", to == Secured && content.StartsOn is null),
            ("schooling.child_heard", to == Secured && !content.ChildHeard),
            ("schooling.begun", to == InPlace && (content.StartsOn is null || content.StartsOn > Today)),
            ("schooling.school_may_know", to == InPlace && !content.SchoolMayKnow),
            ("schooling.obstacle", to == Interrupted && !content.HasObstacle),
            ("schooling.last_day", (to == HandedOver || (to == Ended && !from.Contains(HandedOver))) && content.EndsOn is null),
            ("schooling.over", to == Ended && content.EndsOn > Today),
            ("schooling.office_informed", to == Ended && from.Contains(HandedOver) && !content.OfficeInformed),
            ("schooling.school_informed", to == Ended && from.Contains(HandedOver) && !content.SchoolInformed),
        ] is var rules
            ? rules.Where(rule => rule.Lacks).Select(rule => rule.Rule)
            : [];
}
