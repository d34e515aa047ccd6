namespace CoordinationPlan.Law;

/// <summary>What is kept alike.</summary>
public enum RetentionClass
{
    /// <summary>A file of the social services (personakt).</summary>
    SocialServicesFile,

    /// <summary>A patient record (journal).</summary>
    HealthCareRecord,

    /// <summary>The access log.</summary>
    AccessLog,
}

/// <summary>How long a class is kept, at least: so many whole years after the day of its last note.</summary>
/// <param name="Parameter">The name that an organisation configures a longer time by; null where nothing is disposed of.</param>
/// <param name="Years">The law's lowest level.</param>
public sealed record RetentionRule(
    RetentionClass Class,
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, string? Parameter, int Years)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note);

/// <summary>Whose files are kept for good, by the day of the month on which they were born.</summary>
public sealed record Sample(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, string Parameter, IReadOnlyList<int> Days)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note)
{
    /// <summary>Whether somebody born on a day is in the sample. Who is not known to be outside it is in it.</summary>
    public bool Holds(DateOnly? born) => born is not { } day || Days.Contains(day.Day);
}

/// <summary>How long what is written is kept, as data.</summary>
public static class PlanRetention
{
    private const string Placed = " The files of a child that was placed are kept; the service holds no decision on placement, so that whoever decides the disposal must know it.";

    /// <summary>A file of the social services.</summary>
    public static readonly RetentionRule SocialServicesFile = new(
        RetentionClass.SocialServicesFile,
        "retention.social_services_file", "plans of social services", "A file of the social services is disposed of when five years have passed since its last note.",
        "En personakt gallras när fem år har gått sedan den sista anteckningen gjordes.",
        Certainty.Uncertain, [new("SoL (2025:400) 16 kap. 4 §, 17 kap. 5 §", new DateOnly(2025, 7, 1))], "Known by number only; the sections' words were not read." + Placed,
        "SocialServicesFileYears", 5);

    /// <summary>A patient record.</summary>
    public static readonly RetentionRule HealthCareRecord = new(
        RetentionClass.HealthCareRecord,
        "retention.health_care_record", "plans of health care", "A patient record is kept at least ten years after its last note.", "En journalhandling ska bevaras minst tio år efter den sista uppgiften.",
        Certainty.Statute, [new("PDL (2008:355) 3 kap. 17 §", new DateOnly(2008, 7, 1))],
        "By the unit that owns the plan: what health care does is in its own journal. A plan whose owner is of neither kind is kept as long as this.", "HealthCareRecordYears", 10);

    /// <summary>The access log of a year.</summary>
    public static readonly RetentionRule AccessLog = new(
        RetentionClass.AccessLog,
        "retention.access_log", "access log", "The access log is kept at least five years.", "Åtkomstloggen ska bevaras minst fem år.",
        Certainty.Reported, [new("HSLF-FS 2016:40 4 kap. 9 §", DateOnly.MinValue)], "Counted from the end of the log's year, and disposed of a year at a time, by two persons (AuditService). A board may keep it longer.", "AccessLogYears", 5);

    /// <summary>Those whose files of the social services are kept for research.</summary>
    public static readonly Sample SampledBirths = new(
        "retention.sampled_births", "plans of social services", "Files of persons born on the 5th, 15th or 25th of a month are not disposed of.",
        "Personakter för personer födda den 5, 15 eller 25 i en månad gallras inte.",
        Certainty.Statute, [new("Socialtjänstförordning (2025:468) 13 kap. 1 §", new DateOnly(2025, 7, 1))],
        "For Stockholm among others. It applies unless a controller says that it is not one of those.", "KeepsSampledBirths", [5, 15, 25]);

    /// <summary>How long each class is kept.</summary>
    public static IReadOnlyList<RetentionRule> Rules { get; } = [SocialServicesFile, HealthCareRecord, AccessLog];

    /// <summary>The rule of a class.</summary>
    public static RetentionRule RuleOf(RetentionClass of) => Rules.Single(rule => rule.Class == of);

    /// <summary>
    /// The first day on which something may be disposed of: the day after the one that ends the last year. A time in years ends on the day of the same number, or where the
    /// month has none, on its last day. Null: never.
    /// </summary>
    /// <param name="years">How long its controller keeps it.</param>
    /// <param name="keepsSample">Its controller is one of those that keep the sample.</param>
    public static DateOnly? DisposableFrom(RetentionClass of, DateOnly lastNote, DateOnly? born, int years, bool keepsSample) =>
        of == RetentionClass.SocialServicesFile && keepsSample && SampledBirths.Holds(born) ? null : lastNote.AddYears(Math.Max(years, RuleOf(of).Years)).AddDays(1);
}
