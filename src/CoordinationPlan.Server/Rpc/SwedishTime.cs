using Google.Type;

namespace CoordinationPlan.Server.Rpc;

/// <summary>Dates of law are Swedish days: they begin at midnight in Stockholm, not in UTC.</summary>
public static class SwedishTime
{
    private static readonly TimeZoneInfo Stockholm = TimeZoneInfo.FindSystemTimeZoneById("Europe/Stockholm");

    /// <summary>The Swedish day of an instant.</summary>
    public static DateOnly DayOf(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Stockholm).DateTime);

    /// <summary>The instant at which a Swedish day begins. The clocks are never changed at midnight.</summary>
    public static DateTimeOffset StartOf(DateOnly day) => TimeZoneInfo.ConvertTimeToUtc(day.ToDateTime(TimeOnly.MinValue), Stockholm);

    /// <summary>Today in Sweden.</summary>
    public static DateOnly Today(this TimeProvider time) => DayOf(time.GetUtcNow());

    /// <summary>The time of day in Sweden, for people to read.</summary>
    public static string ToSwedishClock(DateTimeOffset instant) =>
        TimeZoneInfo.ConvertTime(instant, Stockholm).ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As fine as the database keeps it, so that the first answer and every later one say the same.</summary>
    internal static DateTimeOffset AsKept(this DateTimeOffset instant) => instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerMicrosecond));

    internal static Date ToDate(this DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };

    internal static Date? ToDate(this DateOnly? day) => day is { } set ? set.ToDate() : null;

    /// <summary>A date that request validation has let through.</summary>
    internal static DateOnly ToDateOnly(this Date date) => new(date.Year, date.Month, date.Day);
}
