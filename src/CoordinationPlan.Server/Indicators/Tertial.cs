namespace CoordinationPlan.Server.Indicators;

/// <summary>Four months of a year, which is what the city's boards report by.</summary>
internal readonly record struct Tertial(int Year, int Number)
{
    public const int FirstYear = 2020;
    public const int LastYear = 2199;

    /// <summary>Minutes are written some days after a meeting; what is not there by then is not counted.</summary>
    private const int DaysToSettle = 14;

    private const int MonthsOfOne = 4;

    public DateOnly FirstDay => new(Year, ((Number - 1) * MonthsOfOne) + 1, 1);

    public DateOnly LastDay => FirstDay.AddMonths(MonthsOfOne).AddDays(-1);

    /// <summary>
    /// At the beginning of this day the counts are fixed, and from this day on they are given. A tertial that was still growing would show single meetings to who
    /// asks every day.
    /// </summary>
    public DateOnly SettledOn => LastDay.AddDays(DaysToSettle + 1);
}
