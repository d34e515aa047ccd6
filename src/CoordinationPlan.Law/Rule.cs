namespace CoordinationPlan.Law;

/// <summary>How sure a rule's source is.</summary>
public enum Certainty
{
    /// <summary>Read in the statute itself.</summary>
    Statute,

    /// <summary>Reported by an authority or a region; the statute's own words were not read.</summary>
    Reported,

    /// <summary>Practice: no law asks for it.</summary>
    Practice,

    /// <summary>Sources conflict or are silent. A board decides, and tells the configuration.</summary>
    Uncertain,
}

/// <summary>Where a rule stands, and from when to when; both days count. No last day: until further notice.</summary>
public sealed record Paragraph(string Place, DateOnly From, DateOnly? To = null)
{
    /// <summary>Whether it is in force on a day.</summary>
    public bool IsInForceOn(DateOnly day) => day >= From && (To is null || day <= To);
}

/// <summary>One rule of law or practice.</summary>
/// <param name="Id">Its name in the contract's answers and in docs/law.md.</param>
/// <param name="Subject">What of the plan it is about.</param>
/// <param name="Demand">What it demands: a sentence in English.</param>
/// <param name="DemandSv">The same in Swedish.</param>
/// <param name="Certainty">How sure its source is.</param>
/// <param name="Paragraphs">Where it has stood, the oldest first.</param>
/// <param name="Note">What a reader must know of it.</param>
public abstract record Rule(string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note)
{
    /// <summary>Where the rule stands on a day; null where it does not apply then.</summary>
    public string? BasisOn(DateOnly day) => Paragraphs.FirstOrDefault(paragraph => paragraph.IsInForceOn(day))?.Place;
}

/// <summary>What a step of a plan demands: a condition over what the plan holds.</summary>
public sealed record Condition(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, Func<PlanContent, bool> IsMet)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note);

/// <summary>
/// A time limit: so many days, or months, after a day. A limit in days counts calendar days; one in months ends on the day of the same number, or where the month has none, on its last day.
/// </summary>
/// <param name="Parameter">The name that an organisation configures it by; null where law leaves no room.</param>
/// <param name="Days">The limit in days; the default where it is configurable. Null: there is none unless it is configured.</param>
/// <param name="Months">The limit in months, in place of days.</param>
public sealed record Clock(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, string? Parameter, int? Days, int Months = 0)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note)
{
    /// <summary>The last day by which it is in time, by the rule itself.</summary>
    public DateOnly DueOn(DateOnly start) => start.AddMonths(Months).AddDays(Days ?? 0);
}

/// <summary>What takes effect on the day a person reaches an age. Who is born on a leap day reaches it on 28 February of a common year.</summary>
public sealed record Age(
    string Id, string Subject, string Demand, string DemandSv, Certainty Certainty, IReadOnlyList<Paragraph> Paragraphs, string Note, int Years)
    : Rule(Id, Subject, Demand, DemandSv, Certainty, Paragraphs, Note)
{
    /// <summary>The day on which it takes effect.</summary>
    public DateOnly ReachedOn(DateOnly born) => born.AddYears(Years);
}

/// <summary>What a plan holds, as far as a rule asks.</summary>
/// <param name="EstablishedOn">The day of the latest establishment.</param>
/// <param name="FollowUpWithinDays">The interval that the controller has decided for the follow-up; null where it has none.</param>
/// <param name="PrincipalsNotSummoned">Principals, other than the owning unit's, whose social services or health care answer for an intervention or take part, and that have no summons to a meeting that is called.</param>
/// <param name="LacksCareContact">The person is ready to be discharged, and no unit where a named care contact works owns the plan or is summoned.</param>
public sealed record PlanContent(
    long Interventions = 0,
    long InterventionsOutsidePrincipals = 0,
    long OtherMeasures = 0,
    bool NoOtherMeasures = false,
    bool HasLeadPrincipal = false,
    bool ConsentAsked = false,
    bool ConsentInForce = false,
    bool MeetingCalled = false,
    bool MeetingHeld = false,
    DateOnly? EstablishedOn = null,
    DateOnly? FollowUpOn = null,
    int? FollowUpWithinDays = null,
    long PrincipalsNotSummoned = 0,
    bool LacksCareContact = false);

/// <summary>A rule that is not met, and where it stands.</summary>
public sealed record Unmet(Condition Rule, string Basis);
