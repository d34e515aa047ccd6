namespace CoordinationPlan.Law.Tests;

/// <summary>How long files are kept: the day before, the day and the day after; who is born when; who keeps what longer.</summary>
public sealed class RetentionTests
{
    private static readonly DateOnly OutsideTheSample = new(1988, 4, 12);

    [Theory]
    // Five years are over with the day of the same number; what is kept so long may be disposed of from the day after.
    [InlineData(RetentionClass.SocialServicesFile, "2021-11-24", 5, "2026-11-25")]
    [InlineData(RetentionClass.HealthCareRecord, "2016-11-24", 10, "2026-11-25")]
    [InlineData(RetentionClass.AccessLog, "2021-11-24", 5, "2026-11-25")]
    // A leap day has no day of its number in a common year: the last of the month.
    [InlineData(RetentionClass.SocialServicesFile, "2024-02-29", 5, "2029-03-01")]
    [InlineData(RetentionClass.HealthCareRecord, "2024-02-29", 10, "2034-03-01")]
    [InlineData(RetentionClass.SocialServicesFile, "2024-02-29", 8, "2032-03-01")]
    [InlineData(RetentionClass.SocialServicesFile, "2023-02-28", 5, "2028-02-29")]
    // Over a change of year, and the night in which the clock changes.
    [InlineData(RetentionClass.SocialServicesFile, "2021-12-31", 5, "2027-01-01")]
    [InlineData(RetentionClass.SocialServicesFile, "2021-03-28", 5, "2026-03-29")]
    // Longer where the controller has decided so; never shorter than the law's lowest.
    [InlineData(RetentionClass.SocialServicesFile, "2021-11-24", 12, "2033-11-25")]
    [InlineData(RetentionClass.SocialServicesFile, "2021-11-24", 4, "2026-11-25")]
    [InlineData(RetentionClass.HealthCareRecord, "2016-11-24", 5, "2026-11-25")]
    public void A_file_may_be_disposed_of_from_the_day_after_its_last_year(RetentionClass of, string lastNote, int years, string first)
    {
        var expected = Day(first);
        Assert.Equal(expected, PlanRetention.DisposableFrom(of, Day(lastNote), OutsideTheSample, years, keepsSample: true));
        // A note a day later keeps it no shorter.
        Assert.True(PlanRetention.DisposableFrom(of, Day(lastNote).AddDays(1), OutsideTheSample, years, keepsSample: true) >= expected);
    }

    [Fact]
    public void Files_of_the_social_services_of_those_born_on_the_fifth_fifteenth_and_twenty_fifth_are_kept_for_good_where_the_sample_is_kept()
    {
        var lastNote = new DateOnly(2000, 1, 1);
        for (var born = new DateOnly(2008, 1, 1); born.Year == 2008; born = born.AddDays(1))
        {
            var sampled = born.Day is 5 or 15 or 25;
            Assert.Equal((born, sampled ? null : new DateOnly(2005, 1, 2)), (born, PlanRetention.DisposableFrom(RetentionClass.SocialServicesFile, lastNote, born, 5, keepsSample: true)));
            Assert.Equal(new DateOnly(2005, 1, 2), PlanRetention.DisposableFrom(RetentionClass.SocialServicesFile, lastNote, born, 5, keepsSample: false));
            Assert.Equal(new DateOnly(2010, 1, 2), PlanRetention.DisposableFrom(RetentionClass.HealthCareRecord, lastNote, born, 10, keepsSample: true));
        }
    }

    [Fact]
    public void Who_is_not_known_to_be_outside_the_sample_is_in_it() =>
        Assert.Null(PlanRetention.DisposableFrom(RetentionClass.SocialServicesFile, new DateOnly(2000, 1, 1), null, 5, keepsSample: true));

    [Fact]
    public void There_is_one_rule_for_each_class() =>
        Assert.All(Enum.GetValues<RetentionClass>(), of => Assert.Equal(of, Assert.Single(PlanRetention.Rules, rule => rule.Class == of).Class));

    private static DateOnly Day(string day) => DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture);
}
