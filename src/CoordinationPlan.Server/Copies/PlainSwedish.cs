using System.Globalization;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace CoordinationPlan.Server.Copies;

/// <summary>
/// Coded words and dates as people read them, in plain Swedish. The only place that says what a code is called; a value that has no word here fails
/// when it is written, and a test goes over all of them.
/// </summary>
internal static class PlainSwedish
{
    private static readonly string[] Months =
        ["januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"];

    /// <param name="toThePerson">Said to the person, and not of the person.</param>
    public static string Of(PlanState state, bool toThePerson) => state switch
    {
        PlanState.Noted => "Det har noterats att en plan kan behövas.",
        PlanState.ConsentSought => "Samtycke har efterfrågats.",
        PlanState.Refused => $"Planen blev inte av, därför att {(toThePerson ? "du" : "personen")} inte ville ha någon plan.",
        PlanState.Declined => "Planen blev inte av, efter ett beslut.",
        PlanState.Preparing => "Planen förbereds.",
        PlanState.Summoned => "Kallelse till möte är skickad.",
        PlanState.Met => "Mötet är hållet.",
        PlanState.Established => "Planen är fastställd.",
        PlanState.InFollowUp => "Planen är fastställd och följs upp.",
        PlanState.Closed => "Planen är avslutad.",
        _ => throw Unknown(state),
    };

    /// <param name="toThePerson">Said to the person, and not of the person.</param>
    public static string Of(PlanClosingReason reason, bool toThePerson) => reason switch
    {
        PlanClosingReason.GoalsReached => "Målen är nådda.",
        PlanClosingReason.NoLongerNeeded => "Samordning behövs inte längre.",
        PlanClosingReason.ConsentWithdrawn => $"{(toThePerson ? "Du" : "Personen")} vill inte ha planen längre.",
        PlanClosingReason.Moved => "Andra kommuner eller regioner har tagit över efter en flytt.",
        PlanClosingReason.Replaced => "En annan plan har tagit vid.",
        PlanClosingReason.Deceased => "Personen har avlidit.",
        _ => throw Unknown(reason),
    };

    /// <param name="toThePerson">Said to the person, and not of the person.</param>
    public static string Of(PlanDeclineReason reason, bool toThePerson) => reason switch
    {
        PlanDeclineReason.PersonDoesNotWant => $"{(toThePerson ? "Du" : "Personen")} vill inte ha någon plan.",
        PlanDeclineReason.OnePrincipalSuffices => "Det räcker med insatser från antingen socialtjänsten eller vården.",
        PlanDeclineReason.NeedsMetOtherwise => "Behoven tillgodoses på annat sätt.",
        PlanDeclineReason.OtherPlanApplies => "En annan sorts plan gäller enligt lag.",
        _ => throw Unknown(reason),
    };

    public static string Of(ItemState state) => state switch
    {
        ItemState.Active => "pågår",
        ItemState.Completed => "klart",
        ItemState.Discontinued => "avslutat i förtid",
        _ => throw Unknown(state),
    };

    public static string Of(GoalHorizon horizon) => horizon switch
    {
        GoalHorizon.Unspecified => "",
        GoalHorizon.ShortTerm => "på kort sikt",
        GoalHorizon.LongTerm => "på lång sikt",
        _ => throw Unknown(horizon),
    };

    public static string Of(MeetingKind kind) => kind switch
    {
        MeetingKind.Planning => "Möte för att göra planen",
        MeetingKind.FollowUp => "Möte för att följa upp planen",
        _ => throw Unknown(kind),
    };

    public static string Of(MeetingState state) => state switch
    {
        MeetingState.Called => "planerat",
        MeetingState.Held => "hållet",
        MeetingState.Cancelled => "inställt",
        _ => throw Unknown(state),
    };

    public static string Of(MeetingForm form) => form switch
    {
        MeetingForm.Room => "ett möte i ett rum",
        MeetingForm.Video => "ett videomöte",
        MeetingForm.Telephone => "ett telefonmöte",
        _ => throw Unknown(form),
    };

    public static string Of(CallReply reply) => reply switch
    {
        CallReply.Unspecified => "har inte svarat",
        CallReply.Accepted => "kommer",
        CallReply.Declined => "kommer inte",
        CallReply.Substitute => "skickar någon annan",
        _ => throw Unknown(reply),
    };

    public static string Of(Attendance attendance) => attendance switch
    {
        Attendance.Unspecified => "",
        Attendance.Attended => "var med",
        Attendance.Declined => "hade tackat nej",
        Attendance.NoShow => "kom inte",
        _ => throw Unknown(attendance),
    };

    public static string Of(RelatedPlanKind kind) => kind switch
    {
        RelatedPlanKind.CarePlan => "vårdplan",
        RelatedPlanKind.ImplementationPlan => "genomförandeplan",
        RelatedPlanKind.LssPlan => "individuell plan enligt LSS",
        RelatedPlanKind.SchoolActionPlan => "åtgärdsprogram i skolan",
        RelatedPlanKind.ChildProtectionPlan => "vårdplan för barn som vårdas utanför hemmet",
        RelatedPlanKind.CoordinatedCarePlan => "samordnad vårdplan i öppen psykiatrisk tvångsvård",
        _ => throw Unknown(kind),
    };

    /// <summary>A date: "den 3 maj 2027"; empty where there is none.</summary>
    public static string Of(Date? date) => date is null ? "" : Of(date.ToDateOnly());

    public static string Of(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"den {day.Day} {Months[day.Month - 1]} {day.Year}");

    /// <summary>An instant in Swedish time: "den 3 maj 2027 klockan 14.00".</summary>
    public static string Of(Timestamp instant)
    {
        var at = instant.ToDateTimeOffset();
        return $"{Of(SwedishTime.DayOf(at))} klockan {SwedishTime.ToSwedishClock(at)[..5].Replace(':', '.')}";
    }

    /// <summary>A period of days.</summary>
    public static string Of(DatePeriod? period) => period switch
    {
        null => "",
        { EndDate: null } => $"från {Of(period.StartDate)}",
        _ => $"från {Of(period.StartDate)} till och med {Of(period.EndDate)}",
    };

    private static ArgumentOutOfRangeException Unknown<T>(T value)
        where T : struct, System.Enum => new(nameof(value), typeof(T).Name + " has a value without a Swedish word.");
}
