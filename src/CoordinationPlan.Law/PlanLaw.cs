using static CoordinationPlan.Law.Stage;

namespace CoordinationPlan.Law;

/// <summary>
/// What the law and practice of coordinated individual plans ask, as data: read it from top to bottom. docs/law.md is made from it. The social services act of 2001 applies until
/// 2025-06-30, that of 2025 from 2025-07-01; which one follows from the day.
/// </summary>
public static class PlanLaw
{
    private static readonly DateOnly Always = DateOnly.MinValue;
    private static readonly DateOnly LastDayOfTheOldAct = new(2025, 6, 30);
    private static readonly DateOnly FirstDayOfTheNewAct = new(2025, 7, 1);

    private static readonly Paragraph[] OfThePlan =
    [
        new("SoL (2001:453) 2 kap. 7 §; HSL (2017:30) 16 kap. 4 §", Always, LastDayOfTheOldAct),
        new("SoL (2025:400) 10 kap. 8 §; HSL (2017:30) 16 kap. 4 §", FirstDayOfTheNewAct),
    ];

    private static readonly Paragraph[] OfPractice = [new("practice", Always)];
    private static readonly Paragraph[] OfDischarge = [new("Lag (2017:612) 4 kap. 3 §", new DateOnly(2018, 1, 1))];

    private const string NotRead = "The substance is described as an editorial modernisation of the old section; the new section's own words were not read.";

    /// <summary>The law that a plan rests on, by the day it was opened.</summary>
    public static string BasisOn(DateOnly day) => OfThePlan.First(paragraph => paragraph.IsInForceOn(day)).Place;

    // ------------------------------------------------------------------------------------------------- mandatory content, consent, procedure

    /// <summary>Mandatory content, point 1.</summary>
    public static readonly Condition Interventions = new(
        "content.interventions", "interventions", "The plan must say which interventions are needed.", "Planen ska ange vilka insatser som behövs.",
        Certainty.Reported, OfThePlan, NotRead, plan => plan.Interventions > 0);

    /// <summary>Mandatory content, point 2.</summary>
    public static readonly Condition ResponsiblePrincipals = new(
        "content.responsible_principals", "interventions.responsible_unit",
        "The plan must say which of the principals answers for each intervention; a unit outside them takes another measure instead.",
        "Planen ska ange vilken av huvudmännen som svarar för varje insats; en enhet utanför huvudmännen vidtar en åtgärd i stället.",
        Certainty.Reported, OfThePlan, NotRead, plan => plan.InterventionsOutsidePrincipals == 0);

    /// <summary>Mandatory content, point 3.</summary>
    public static readonly Condition OtherMeasures = new(
        "content.other_measures", "other_measures", "The plan must say which measures someone else takes, or that none is needed.",
        "Planen ska ange vilka åtgärder som vidtas av någon annan, eller att inga behövs.",
        Certainty.Reported, OfThePlan, NotRead, plan => plan.OtherMeasures > 0 || plan.NoOtherMeasures);

    /// <summary>Mandatory content, point 4.</summary>
    public static readonly Condition LeadPrincipal = new(
        "content.lead_principal", "lead_principal", "The plan must say which of the principals has overall responsibility.",
        "Planen ska ange vem av huvudmännen som har det övergripande ansvaret.",
        Certainty.Reported, OfThePlan, NotRead + " Exactly one of municipality and region; never a school or a shelter.", plan => plan.HasLeadPrincipal);

    /// <summary>The person's consent.</summary>
    public static readonly Condition Consent = new(
        "consent.in_force", "consents", "The person must consent, and the consent be in force.", "Den enskilde ska ha samtyckt, och samtycket ska gälla.",
        Certainty.Reported, OfThePlan,
        "No form is prescribed; never general (OSL 2009:400 10 kap. 1 §, 12 kap. 2 §). Whose consent a minor's plan needs, sources answer differently: it is recorded who gave it, and nothing demands both guardians.",
        plan => plan.ConsentInForce);

    /// <summary>That the person was asked.</summary>
    public static readonly Condition ConsentAsked = new(
        "consent.asked", "consents", "It must be recorded that the person has been asked.", "Det ska vara dokumenterat att den enskilde har tillfrågats.",
        Certainty.Practice, OfPractice, "", plan => plan.ConsentAsked || plan.ConsentInForce);

    /// <summary>That the principals are summoned.</summary>
    public static readonly Condition MeetingCalled = new(
        "meeting.called", "meetings", "A meeting must have been called that has not been held.", "Ett möte ska vara kallat som inte har hållits.",
        Certainty.Practice, OfPractice, "A written summons to the principals, who have to come; a written invitation to others, which the person must permit.", plan => plan.MeetingCalled);

    /// <summary>That every principal that is concerned is summoned.</summary>
    public static readonly Condition PrincipalsSummoned = new(
        "meeting.principals_summoned", "meetings.calls",
        "Every principal whose social services or health care answer for an intervention or take part must be summoned to the meeting.",
        "Varje huvudman vars socialtjänst eller hälso- och sjukvård svarar för en insats eller deltar ska vara kallad till mötet.",
        Certainty.Practice, OfPractice,
        "A summons binds the principal; one of its units suffices. The owning unit's principal calls, and is not asked for. Other units of a principal, such as its schools and sheltered housings, are invited.",
        plan => plan.PrincipalsNotSummoned == 0);

    /// <summary>That the named care contact is there when the person is discharged.</summary>
    public static readonly Condition CareContact = new(
        "meeting.care_contact", "meetings.calls",
        "When the person is ready to be discharged, the named care contact's unit must send the summons, or be summoned where another unit owns the plan.",
        "När den enskilde är utskrivningsklar ska den fasta vårdkontaktens enhet skicka kallelsen, eller vara kallad om en annan enhet äger planen.",
        Certainty.Uncertain, OfDischarge,
        "The section says that the named care contact in open care sends the summons. That a unit of social services that owns the plan calls in its place, with the contact among the called, is not in it.",
        plan => !plan.LacksCareContact);

    /// <summary>That the meeting was held.</summary>
    public static readonly Condition MeetingHeld = new(
        "meeting.held", "meetings", "A meeting must have been held.", "Ett möte ska ha hållits.", Certainty.Practice, OfPractice,
        "The plan is made together with the person where that is possible; a meeting is how, not what the law demands.", plan => plan.MeetingHeld);

    /// <summary>That a day for follow-up is set.</summary>
    public static readonly Condition FollowUpDate = new(
        "follow_up.date", "follow_up_date", "The plan must say when it is followed up.", "Planen ska ange när den följs upp.", Certainty.Practice, OfPractice,
        "No statutory interval.", plan => plan.FollowUpOn is not null);

    /// <summary>That the day for follow-up is within the interval that the controller has decided.</summary>
    public static readonly Condition FollowUpInTime = new(
        "follow_up.interval", "follow_up_date", "The follow-up must be within the interval that the controller has decided.", "Uppföljningen ska ligga inom det intervall som den personuppgiftsansvarige har beslutat.",
        Certainty.Practice, OfPractice, "Counted from the latest establishment by the clock `clock.follow_up`; without an interval nothing is demanded.",
        plan => plan is not { FollowUpOn: { } day, EstablishedOn: { } established, FollowUpWithinDays: { } within } || day <= established.AddDays(within));

    /// <summary>All conditions.</summary>
    public static IReadOnlyList<Condition> Conditions { get; } =
        [Interventions, ResponsiblePrincipals, OtherMeasures, LeadPrincipal, Consent, ConsentAsked, MeetingCalled, PrincipalsSummoned, CareContact, MeetingHeld, FollowUpDate, FollowUpInTime];

    // ------------------------------------------------------------------------------------------------------------------------------- clocks

    /// <summary>A plan is begun without delay.</summary>
    public static readonly Clock Start = new(
        "clock.start", "plan", "A plan is begun without delay when the need is noted.", "Planen ska påbörjas utan dröjsmål när behovet har uppmärksammats.",
        Certainty.Uncertain, OfThePlan, "\"Utan dröjsmål\" is normally within a few days and sometimes at once; no number of days is in the law.", "StartWithinDays", Days: 3);

    /// <summary>Discharge from inpatient care.</summary>
    public static readonly Clock Discharge = new(
        "clock.discharge", "summons", "The named care contact sends the summons at the latest three days after the discharge-ready notice.",
        "Fast vårdkontakt ska skicka kallelsen senast tre dagar efter underrättelsen om att patienten är utskrivningsklar.",
        Certainty.Statute, OfDischarge, "Calendar days, according to an audit.", null, Days: 3);

    /// <summary>Review of a location-secrecy decision.</summary>
    public static readonly Clock LocationSecrecy = new(
        "clock.location_secrecy", "location_secrecies", "A decision to keep a child's whereabouts from a guardian is reviewed at least every six months.",
        "Ett beslut om att inte röja barnets vistelseort ska övervägas minst var sjätte månad.",
        Certainty.Statute, [new("Lag (2024:79) 5 kap. 6-7 §§", new DateOnly(2024, 4, 1))], "A decision that lapses opens nothing by itself.", null, Days: 0, Months: 6);

    /// <summary>A consent about to end.</summary>
    public static readonly Clock ConsentEnds = new(
        "clock.consent", "consents", "Before a consent ends, the person is asked whether it is to be renewed.", "Innan ett samtycke löper ut tillfrågas den enskilde om det ska förnyas.",
        Certainty.Practice, OfPractice, "The limit is so many days before the consent's last day.", "ConsentWarningDays", Days: 30);

    /// <summary>A risk assessment in every case.</summary>
    public static readonly Clock Risk = new(
        "clock.risk", "risk_assessments", "In every case of violence the social services assess the risk in a structured way.",
        "I varje ärende som rör våldsutsatthet görs en strukturerad hot- och riskbedömning.",
        Certainty.Reported, [new("HSLF-FS 2022:39; the city's programme, goals 4 and 7", new DateOnly(2022, 11, 1))], "Section numbers were not read, and no number of days is given.",
        "RiskAssessmentWithinDays", Days: 7);

    /// <summary>A risk assessment made again.</summary>
    public static readonly Clock Reassessment = new(
        "clock.reassessment", "risk_assessments", "A risk assessment says when it is made again, within the interval that the controller has decided.",
        "En riskbedömning anger när den ska göras om, inom det intervall som den personuppgiftsansvarige har beslutat.",
        Certainty.Uncertain, [new("HSLF-FS 2022:39; the city's programme, goals 4 and 7", new DateOnly(2022, 11, 1))], "Section numbers were not read; no interval is known.",
        "ReassessRiskWithinDays", Days: null);

    /// <summary>A follow-up.</summary>
    public static readonly Clock FollowUp = new(
        "clock.follow_up", "follow_up_date", "An established plan is followed up within the interval that the controller has decided.",
        "En fastställd plan följs upp inom det intervall som den personuppgiftsansvarige har beslutat.",
        Certainty.Practice, OfPractice, "No statutory interval.", "FollowUpWithinDays", Days: null);

    /// <summary>A child's placement considered anew.</summary>
    public static readonly Clock Placement = new(
        "clock.placement", "placement", "Whether a child's placement in sheltered housing is to go on is considered at least every six months.",
        "Om ett barns placering i skyddat boende ska fortsätta ska övervägas minst var sjätte månad.",
        Certainty.Statute, [new("Lag (2024:79) 5 kap. 3 §", new DateOnly(2024, 4, 1))],
        "The service keeps no decision on placement, so it counts no such day itself.", null, Days: 0, Months: 6);

    /// <summary>A block about to end.</summary>
    public static readonly Clock BlockEnds = new(
        "clock.block", "blocks", "Before a block ends by its date, it is considered whether it is needed on.", "Innan en spärr upphör genom sitt slutdatum övervägs om den behövs även därefter.",
        Certainty.Practice, OfPractice, "The limit is so many days before the block's last day. A guardian's block has no end: it is lifted by a decision.", "BlockWarningDays", Days: 30);

    /// <summary>A call to be answered.</summary>
    public static readonly Clock Reply = new(
        "clock.reply", "meetings.calls", "A called unit answers some days before the meeting.", "En kallad enhet svarar några dagar före mötet.",
        Certainty.Practice, OfPractice, "The limit is so many days before the meeting; a call that comes later is due on the day it comes.", "ReplyDaysBeforeMeeting", Days: 3);

    /// <summary>A meeting soon to be held.</summary>
    public static readonly Clock Meeting = new(
        "clock.meeting", "meetings", "A called unit is reminded of the meeting.", "En kallad enhet påminns om mötet.",
        Certainty.Practice, OfPractice, "The limit is so many days before the meeting.", "MeetingWarningDays", Days: 7);

    /// <summary>All clocks.</summary>
    public static IReadOnlyList<Clock> Clocks { get; } =
        [Start, Discharge, LocationSecrecy, Placement, ConsentEnds, BlockEnds, Risk, Reassessment, FollowUp, Reply, Meeting];

    // --------------------------------------------------------------------------------------------------------------------------------- ages

    /// <summary>Until when a guardian speaks for a child.</summary>
    public static readonly Age Majority = new(
        "age.majority", "consents", "A guardian's consent ends before the day on which the child turns 18.", "En vårdnadshavares samtycke upphör före den dag barnet fyller 18 år.",
        Certainty.Statute, [new("FB (1949:381) 6 kap. 2 §", Always)], "A later end is refused, so that the standing ends by itself.", 18);

    /// <summary>From when a child's own view is recorded beside a guardian's consent.</summary>
    public static readonly Age OwnVoice = new(
        "age.own_voice", "consents", "From the day on which the child turns 15, its own view is recorded where a guardian consents.",
        "Från den dag barnet fyller 15 år antecknas barnets egen inställning när en vårdnadshavare samtycker.",
        Certainty.Uncertain, [new("FB (1949:381) 6 kap. 11 §; compare lag (2024:79) 2 kap. 3 §", Always)],
        "A child of 15 speaks for itself in cases under 2024:79; for the plan sources answer differently. Before 15 the view is asked for and not demanded.", 15);

    /// <summary>All ages.</summary>
    public static IReadOnlyList<Age> Ages { get; } = [OwnVoice, Majority];

    // -------------------------------------------------------------------------------------------------------------------------------- steps

    private static readonly Condition[] ToEstablish = [Interventions, ResponsiblePrincipals, OtherMeasures, LeadPrincipal, Consent];
    private static readonly Stage[] BeforeAgreement = [Noted, ConsentSought, Preparing, Summoned, Met];

    /// <summary>The stages in which a plan is worked on; in the others nothing in it can be changed.</summary>
    public static IReadOnlyList<Stage> Open { get; } = [.. BeforeAgreement, Established, InFollowUp];

    /// <summary>Every step that a plan can take. What is not here cannot be done.</summary>
    public static IReadOnlyList<Step> Steps { get; } =
    [
        new([Noted], ConsentSought, "AdvancePlan", [ConsentAsked]),
        new([Noted, ConsentSought], Preparing, "AdvancePlan", [Consent]),
        // Also after a meeting that did not suffice, or to which a key actor did not come.
        new([Preparing, Met], Summoned, "AdvancePlan", [Consent, MeetingCalled, PrincipalsSummoned, CareContact]),
        new([Preparing, Summoned], Met, "AdvancePlan", [Consent, MeetingHeld]),
        // The law asks for consent and content; the steps before are practice. From an established plan it is the next revision.
        new(Open, Established, "EstablishPlan", ToEstablish, "A new revision is fixed, which is never changed."),
        new([Established], InFollowUp, "AdvancePlan", [FollowUpDate, FollowUpInTime]),
        new(BeforeAgreement, Refused, "DeclinePlan", [], "Participations end, and with them the participants' access."),
        new(BeforeAgreement, Declined, "DeclinePlan", [], "Participations end, and with them the participants' access. The reason and the decision are documented."),
        new(Open, Closed, "ClosePlan", [], "Participations end, and with them the participants' access."),
        new([Refused, Declined, Closed], Noted, "ReopenPlan", [], "History and revisions stay; units are brought in anew."),
    ];

    /// <summary>The step between two stages; null where there is none.</summary>
    public static Step? StepBetween(Stage from, Stage to) => Steps.FirstOrDefault(step => step.To == to && step.From.Contains(from));

    /// <summary>The steps that lead on from a stage.</summary>
    public static IEnumerable<Step> StepsFrom(Stage from) => Steps.Where(step => step.From.Contains(from));

    /// <summary>What a step lacks on a day. A rule that is not in force then demands nothing.</summary>
    public static IEnumerable<Unmet> MissingFor(Step step, PlanContent content, DateOnly day) =>
        from condition in step.Demands
        let basis = condition.BasisOn(day)
        where basis is not null && !condition.IsMet(content)
        select new Unmet(condition, basis);
}
