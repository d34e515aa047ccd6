using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Routines;

/// <summary>One registration of a board's routine. Never changed; the latest one with the same reference counts.</summary>
/// <param name="Controller">The board, or the organisation where there is none, as the directory is stored.</param>
internal sealed record RoutineRecord(
    string Controller, int Version, string Reference, RoutineForm Form, RoutineDecisionLevel Level, string Decider, DateOnly DecidedOn, DateOnly ValidTo, DateTimeOffset RecordedAt)
{
    /// <summary>The etag of a board that has registered nothing.</summary>
    private const string NewEtag = "new";

    public static string EtagOf(string controller, int version) => version == 0 ? NewEtag : Etag.Of($"school routines of {controller}", version);

    public SchoolRoutine ToSchoolRoutine(DirectoryNames names) => new()
    {
        Authority = names.NameOf(Controller),
        Reference = Reference,
        Form = Form,
        DecisionLevel = Level,
        Decider = Decider,
        DecideDate = DecidedOn.ToDate(),
        ValidToDate = ValidTo.ToDate(),
        RecordTime = Timestamp.FromDateTimeOffset(RecordedAt),
    };
}

/// <summary>The programme's indicator, pure.</summary>
internal static class RoutineIndicator
{
    /// <summary>
    /// Whether somebody who has registered these has a current, written, management-decided routine on a day. Of several with the same reference the latest
    /// registration counts, whatever it says: it corrects the earlier. A routine of another reference takes nothing away.
    /// </summary>
    public static bool HasCurrentOn(IEnumerable<RoutineRecord> registrations, DateOnly day) => registrations
        .GroupBy(routine => routine.Reference, StringComparer.Ordinal)
        .Select(same => same.MaxBy(routine => routine.Version)!)
        .Any(routine => routine is { Form: RoutineForm.Written, Level: RoutineDecisionLevel.Management } && routine.DecidedOn <= day && day <= routine.ValidTo);

    /// <summary>How many of those that ought to have one have one.</summary>
    public static SchoolRoutineIndicator Of(
        string organisation, DateOnly day, IEnumerable<string> due, IReadOnlyCollection<RoutineRecord> registrations, Func<string, string> nameOf)
    {
        var indicator = new SchoolRoutineIndicator { Organisation = organisation, Date = day.ToDate() };
        indicator.Authorities.AddRange(due
            .Select(controller => new AuthorityRoutine { Authority = nameOf(controller), Current = HasCurrentOn(registrations.Where(routine => routine.Controller == controller), day) })
            .OrderBy(authority => authority.Authority, StringComparer.Ordinal));
        (indicator.DueCount, indicator.CurrentCount) = (indicator.Authorities.Count, indicator.Authorities.Count(authority => authority.Current));
        if (indicator.DueCount > 0)
        {
            indicator.Share = (double)indicator.CurrentCount / indicator.DueCount;
        }

        return indicator;
    }
}
