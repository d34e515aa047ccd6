using static CoordinationPlan.Law.SchoolingStage;

namespace CoordinationPlan.Law;

/// <summary>Where the arrangement of a child's schooling stands. Names and numbers are those of the contract's SchoolArrangementState; a test compares them.</summary>
public enum SchoolingStage
{
    Unspecified = 0,
    Unknown = 1,
    BeingArranged = 2,
    Secured = 3,
    InPlace = 4,
    Interrupted = 5,
    HandedOver = 6,
    Ended = 7,
}

/// <summary>What an arrangement holds, as far as a rule asks.</summary>
public sealed record SchoolingContent(
    bool HasCaseWorker = false,
    bool HasSchool = false,
    bool HasForm = false,
    bool HasSolution = false,
    DateOnly? StartsOn = null,
    bool ChildHeard = false,
    bool SchoolMayKnow = false,
    bool HasObstacle = false,
    DateOnly? EndsOn = null,
    bool OfficeInformed = false,
    bool SchoolInformed = false);

/// <summary>What a step of an arrangement demands.</summary>
public sealed record SchoolingCondition(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, Func<SchoolingContent, DateOnly, bool> IsMet)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note);

/// <summary>A number that a board may set otherwise, and that is no number of days.</summary>
/// <param name="Parameter">The name that an organisation configures it by.</param>
/// <param name="Value">What applies otherwise.</param>
/// <param name="Unit">What is counted.</param>
public sealed record Limit(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, string Parameter, int Value, string Unit)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note);

/// <summary>A step of an arrangement from one stage to another.</summary>
public sealed record SchoolingStep(IReadOnlyList<SchoolingStage> From, SchoolingStage To, IReadOnlyList<SchoolingCondition> Demands, string Effect = "");

/// <summary>A condition of an arrangement that is not met, and where it stands.</summary>
public sealed record UnmetOfSchooling(SchoolingCondition Rule, string Basis);

/// <summary>One week of a pupil's attendance, in hours.</summary>
public sealed record Attended(int Possible, int Present, int AbsentValid, int AbsentInvalid);

/// <summary>From which reports on absence is a pattern.</summary>
/// <param name="Weeks">The latest so many reported weeks are looked at together.</param>
/// <param name="AbsencePercent">All absence.</param>
/// <param name="InvalidPercent">Absence without a valid reason.</param>
public sealed record AbsenceLimits(int Weeks, int AbsencePercent, int InvalidPercent);

/// <summary>
/// What law and practice ask of the schooling of a child in sheltered housing, as data like <see cref="PlanLaw"/>. The right to a place is statute; within how many
/// days, by which steps and from which absence on is practice that no law gives numbers for.
/// </summary>
public static class SchoolingLaw
{
    private static readonly DateOnly Always = DateOnly.MinValue;
    private static readonly DateOnly Reform = new(2024, 4, 1);
    private static readonly Paragraph[] OfPractice = [new("practice", Always)];
    private static readonly Paragraph[] OfTheProgramme = [new("the city's programme, goal 4; practice", Always)];
    private static readonly Paragraph[] OfSams = [new("Socialstyrelsen, SAMS; practice", Always)];

    // ------------------------------------------------------------------------------------------------------------------------- conditions

    /// <summary>Somebody answers for it.</summary>
    public static readonly SchoolingCondition CaseWorker = new(
        "schooling.case_worker", "case_worker", "A case worker must answer for the child's schooling.", "En handläggare ska ansvara för barnets skolgång.",
        Certainty.Practice, OfTheProgramme, "", (content, _) => content.HasCaseWorker);

    /// <summary>There is a school.</summary>
    public static readonly SchoolingCondition School = new(
        "schooling.school", "school_unit", "There must be a school.", "Det ska finnas en skola.",
        Certainty.Statute, [new("Skollagen (2010:800) 10 kap. 25 §, 11 kap. 25 §; 8 kap. 13 §; 16-19 kap.", Reform)],
        "A child in sheltered housing is entitled to a place where it stays; compulsory schooling goes on (7 kap. 2 §). For preschool the law asks for special grounds.",
        (content, _) => content.HasSchool);

    /// <summary>The form is known.</summary>
    public static readonly SchoolingCondition Form = new(
        "schooling.form", "form", "The form of schooling must be said.", "Skolformen ska anges.", Certainty.Practice, OfPractice, "", (content, _) => content.HasForm);

    /// <summary>The solution is known.</summary>
    public static readonly SchoolingCondition Solution = new(
        "schooling.solution", "solution", "How the schooling is solved must be said.", "Det ska anges hur skolgången löses.", Certainty.Practice, OfPractice, "",
        (content, _) => content.HasSolution);

    /// <summary>There is a day to begin.</summary>
    public static readonly SchoolingCondition FirstDay = new(
        "schooling.first_day", "start_date", "There must be a first day.", "Det ska finnas en första dag.", Certainty.Practice, OfPractice, "",
        (content, _) => content.StartsOn is not null);

    /// <summary>The child has been heard.</summary>
    public static readonly SchoolingCondition ChildHeard = new(
        "schooling.child_heard", "childs_words", "What the child says about school must be written down.", "Vad barnet säger om skolan ska vara antecknat.",
        Certainty.Practice, [new("Compare lag (2024:79) 2 kap. 2 §, 3 kap. 3 §; the city's programme", Reform)],
        "The views are documented in the case; that they are before a school is chosen is the programme's principle. A child too young to be asked is written down as that.",
        (content, _) => content.ChildHeard);

    /// <summary>It has begun.</summary>
    public static readonly SchoolingCondition Begun = new(
        "schooling.begun", "start_date", "The first day must have come.", "Den första dagen ska ha kommit.", Certainty.Practice, OfPractice, "",
        (content, day) => content.StartsOn <= day);

    /// <summary>The school may know of the child.</summary>
    public static readonly SchoolingCondition SchoolMayKnow = new(
        "schooling.school_may_know", "school_unit", "The school must take part in the plan, and schooling be released to it by consent or on legal ground.",
        "Skolan ska delta i planen, och uppgifter om skolgång ska få lämnas till den med samtycke eller laglig grund.",
        Certainty.Uncertain, [new("OSL (2009:400) 26 kap. 1 §, 10 kap. 1 §, 12 kap. 2 §; compare lag (2024:79) 6 kap. 1 §", Always)],
        "The guardian who is placed with the child decides alone on choice of school; whether that covers what the school is told is not said.",
        (content, _) => content.SchoolMayKnow);

    /// <summary>What interrupts it.</summary>
    public static readonly SchoolingCondition Obstacle = new(
        "schooling.obstacle", "obstacles", "What stands in the way must be written down.", "Det som hindrar skolgången ska vara antecknat.", Certainty.Practice, OfPractice, "",
        (content, _) => content.HasObstacle);

    /// <summary>There is a last day.</summary>
    public static readonly SchoolingCondition LastDay = new(
        "schooling.last_day", "end_date", "There must be a last day, on which the school's view ends.", "Det ska finnas en sista dag, då skolans insyn upphör.",
        Certainty.Practice, OfPractice, "", (content, _) => content.EndsOn is not null);

    /// <summary>It is over.</summary>
    public static readonly SchoolingCondition Over = new(
        "schooling.over", "end_date", "The last day must not be later than today.", "Den sista dagen får inte vara senare än i dag.", Certainty.Practice, OfPractice, "",
        (content, day) => content.EndsOn is null || content.EndsOn <= day);

    /// <summary>The home municipality has been informed.</summary>
    public static readonly SchoolingCondition OfficeInformed = new(
        "schooling.office_informed", "handover_steps", "The education office of the home municipality must have been informed, or that not be needed.",
        "Hemkommunens utbildningsförvaltning ska vara informerad, eller det ska inte behövas.", Certainty.Practice, OfSams, "", (content, _) => content.OfficeInformed);

    /// <summary>The leaving school has been informed.</summary>
    public static readonly SchoolingCondition SchoolInformed = new(
        "schooling.school_informed", "handover_steps", "The leaving school must have been informed, or that not be needed.",
        "Den avlämnande skolan ska vara informerad, eller det ska inte behövas.", Certainty.Practice, OfSams, "", (content, _) => content.SchoolInformed);

    /// <summary>All conditions.</summary>
    public static IReadOnlyList<SchoolingCondition> Conditions { get; } =
        [CaseWorker, School, Form, Solution, FirstDay, ChildHeard, Begun, SchoolMayKnow, Obstacle, LastDay, Over, OfficeInformed, SchoolInformed];

    // ----------------------------------------------------------------------------------------------------------------------------- clocks

    /// <summary>School without delay.</summary>
    public static readonly Clock Secured = new(
        "clock.schooling", "school_arrangements", "A placed child's schooling is secured without delay.", "Skolgången för ett placerat barn ska säkras skyndsamt.",
        Certainty.Uncertain, [new("Skollagen (2010:800) 7 kap. 2 §, 10 kap. 25 §; the city's programme, goal 4", Reform)],
        "The right is statute; no number of days is in it. Counted from the day of the placement, for a person from the year of turning 6 to the year of turning 18, and where the age is not known.",
        "SchoolingSecuredWithinDays", Days: 5);

    /// <summary>Reviewed with the placement.</summary>
    public static readonly Clock Reviewed = new(
        "clock.schooling_review", "school_arrangements", "The arrangement is reviewed when the placement is, at least every six months.",
        "Skolgången ses över när placeringen övervägs, minst var sjätte månad.",
        Certainty.Practice, [new("Lag (2024:79) 5 kap. 3 § for the placement", Reform)], "That the schooling is reviewed with it is practice.", null, Days: 0, Months: 6);

    /// <summary>Handed over.</summary>
    public static readonly Clock Handover = new(
        "clock.handover", "school_arrangements", "When the child moves, the home municipality's education office and the leaving school are informed.",
        "När barnet flyttar informeras hemkommunens utbildningsförvaltning och den avlämnande skolan.",
        Certainty.Practice, OfSams, "The limit is so many days after the move, or after the arrangement was handed over.", "HandoverWithinDays", Days: 3);

    /// <summary>All clocks.</summary>
    public static IReadOnlyList<Clock> Clocks { get; } = [Secured, Reviewed, Handover];

    // ------------------------------------------------------------------------------------------------------------------------------ limits

    private const string ThreeTogether = "The three limits of absence are one rule: of the latest reported weeks together, either share makes a pattern. Reports without any possible hour make none.";

    /// <summary>All absence.</summary>
    public static readonly Limit Absence = new(
        "limit.absence", "attendance", "Absence from this share of the possible hours on is looked at.", "Frånvaro från denna andel av möjlig tid uppmärksammas.",
        Certainty.Practice, OfPractice, ThreeTogether, "AbsencePercent", 20, "percent");

    /// <summary>Absence without a valid reason.</summary>
    public static readonly Limit InvalidAbsence = new(
        "limit.invalid_absence", "attendance", "Absence without a valid reason from this share of the possible hours on is looked at.",
        "Ogiltig frånvaro från denna andel av möjlig tid uppmärksammas.", Certainty.Practice, OfPractice, ThreeTogether, "InvalidAbsencePercent", 10, "percent");

    /// <summary>How many reports are looked at together.</summary>
    public static readonly Limit AbsenceWeeks = new(
        "limit.absence_weeks", "attendance", "So many of the latest reported weeks are looked at together.", "Så många av de senast rapporterade veckorna ses tillsammans.",
        Certainty.Practice, OfPractice, ThreeTogether, "AbsenceWeeks", 4, "weeks");

    /// <summary>All limits.</summary>
    public static IReadOnlyList<Limit> Limits { get; } = [Absence, InvalidAbsence, AbsenceWeeks];

    // ------------------------------------------------------------------------------------------------------------------------------- steps

    private static readonly SchoolingCondition[] ToSecure = [School, Form, Solution, FirstDay, ChildHeard];

    /// <summary>The stages in which the school has a view of its pupil, until the last day.</summary>
    public static IReadOnlyList<SchoolingStage> InView { get; } = [SchoolingStage.Secured, InPlace, Interrupted, HandedOver];

    /// <summary>Every step that an arrangement can take. What is not here cannot be done.</summary>
    public static IReadOnlyList<SchoolingStep> Steps { get; } =
    [
        new([Unknown], BeingArranged, [CaseWorker]),
        new([Unknown, BeingArranged], SchoolingStage.Secured, ToSecure, "The school reads what is released to it of its pupil, until the last day."),
        new([SchoolingStage.Secured, Interrupted], InPlace, [Begun, SchoolMayKnow]),
        new([SchoolingStage.Secured, InPlace], Interrupted, [Obstacle]),
        new([SchoolingStage.Secured, InPlace, Interrupted], HandedOver, [LastDay], "Two steps of handover become due. The school's view ends on the last day by itself."),
        new([HandedOver], Ended, [Over, OfficeInformed, SchoolInformed], "The school's view ends at once."),
        new([Unknown, BeingArranged, SchoolingStage.Secured, InPlace, Interrupted], Ended, [LastDay, Over], "The school's view ends at once."),
    ];

    /// <summary>The step between two stages; null where there is none.</summary>
    public static SchoolingStep? StepBetween(SchoolingStage from, SchoolingStage to) => Steps.FirstOrDefault(step => step.To == to && step.From.Contains(from));

    /// <summary>What a step lacks on a day. A rule that is not in force then demands nothing.</summary>
    public static IEnumerable<UnmetOfSchooling> MissingFor(SchoolingStep step, SchoolingContent content, DateOnly day) =>
        from condition in step.Demands
        let basis = condition.BasisOn(day)
        where basis is not null && !condition.IsMet(content, day)
        select new UnmetOfSchooling(condition, basis);

    /// <summary>Whether the reports, the latest first, show a pattern of absence.</summary>
    public static bool IsPattern(IEnumerable<Attended> latestFirst, AbsenceLimits limits)
    {
        var looked = latestFirst.Take(limits.Weeks).ToList();
        var possible = looked.Sum(week => week.Possible);
        var invalid = looked.Sum(week => week.AbsentInvalid);
        var absent = invalid + looked.Sum(week => week.AbsentValid);
        return possible > 0 && (absent * 100 >= limits.AbsencePercent * possible || invalid * 100 >= limits.InvalidPercent * possible);
    }

    /// <summary>The Monday of a week by ISO 8601; null where the year has no such week, or it is outside what the service keeps.</summary>
    public static DateOnly? MondayOf(int year, int week) =>
        year is >= 2000 and <= 2200 && week >= 1 && week <= System.Globalization.ISOWeek.GetWeeksInYear(year)
            ? DateOnly.FromDateTime(System.Globalization.ISOWeek.ToDateTime(year, week, DayOfWeek.Monday))
            : null;

    /// <summary>Whether a week can be reported: it has begun, and a day of it is one of the arrangement's.</summary>
    public static bool IsReportable(DateOnly monday, DateOnly? startsOn, DateOnly? endsOn, DateOnly today) =>
        monday <= today && startsOn is { } first && monday.AddDays(6) >= first && (endsOn is not { } last || monday <= last);

    /// <summary>Whether the hours of a week are possible and add up.</summary>
    public static bool AddsUp(Attended week) =>
        week is { Possible: >= 0 and <= MostHours, Present: >= 0, AbsentValid: >= 0, AbsentInvalid: >= 0 }
        && (long)week.Present + week.AbsentValid + week.AbsentInvalid == week.Possible;

    /// <summary>No week has more hours of teaching.</summary>
    public const int MostHours = 60;

    /// <summary>The first year of schooling for someone born in a year: that of turning 6.</summary>
    public const int FirstYear = 6;

    /// <summary>The last: that of turning 18.</summary>
    public const int LastYear = 18;
}
