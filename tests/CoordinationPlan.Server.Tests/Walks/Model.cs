using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;
using static CoordinationPlan.V1.InformationCategory;
using static CoordinationPlan.V1.PlanState;

namespace CoordinationPlan.Server.Tests.Walks;

/// <summary>What a call must be answered with, and what the access log must say of it.</summary>
internal sealed record Verdict(StatusCode Status, ErrorReason Reason, AccessOutcome Outcome, IReadOnlyList<string> Missing)
{
    public static readonly Verdict Done = new(StatusCode.OK, ErrorReason.Unspecified, AccessOutcome.Permitted, []);
    public static readonly Verdict Refused = new(StatusCode.PermissionDenied, ErrorReason.AccessDenied, AccessOutcome.Refused, []);
    public static readonly Verdict Stale = new(StatusCode.Aborted, ErrorReason.StaleEtag, AccessOutcome.Failed, []);
    public static readonly Verdict WrongState = new(StatusCode.FailedPrecondition, ErrorReason.WrongState, AccessOutcome.Failed, []);
    public static readonly Verdict UnknownReference = new(StatusCode.FailedPrecondition, ErrorReason.UnknownReference, AccessOutcome.Failed, []);
    public static readonly Verdict InvalidFields = new(StatusCode.InvalidArgument, ErrorReason.InvalidFields, AccessOutcome.Failed, []);
    public static readonly Verdict RequestIdReused = new(StatusCode.InvalidArgument, ErrorReason.RequestIdReused, AccessOutcome.Failed, []);

    /// <summary>All else is there, only the plan is closed or not closed: the decision says so, and the caller may know.</summary>
    public static readonly Verdict RefusedByState = WrongState with { Outcome = AccessOutcome.Refused };

    public static Verdict Lacks(IReadOnlyList<string> missing) => new(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing, AccessOutcome.Failed, missing);

    public bool IsDone => Status == StatusCode.OK;
}

internal sealed class Item
{
    public required string Name { get; init; }
    public required string Title { get; set; }
    public required string? Etag { get; set; }
    public string Unit { get; init; } = "";
    public ItemState State { get; set; } = ItemState.Active;
}

internal sealed class TakingPart
{
    public required string Name { get; init; }
    public required string Unit { get; init; }
    public required DateOnly From { get; init; }
    public required DateOnly? To { get; init; }

    /// <summary>Null where another call has changed it: what is read next is believed.</summary>
    public required string? Etag { get; set; }
    public bool Ended { get; set; }

    public bool IsOn(DateOnly day) => !Ended && From <= day && (To is null || To >= day);
}

internal sealed class Agreed
{
    public required string Name { get; init; }
    public required string Etag { get; set; }
    public required ConsentState State { get; set; }
    public required HashSet<string> Units { get; set; }
    public required HashSet<InformationCategory> Categories { get; set; }
    public required HashSet<InformationCategory> Excluded { get; set; }
    public required Purpose Purpose { get; init; }
    public required DateOnly From { get; init; }
    public required DateOnly To { get; set; }

    public bool IsOn(DateOnly day) => From <= day && To >= day;

    public ConsentState ShownOn(DateOnly day) => State == ConsentState.Given && To < day ? ConsentState.Expired : State;
}

internal sealed class Called
{
    public required string Name { get; init; }
    public required string Etag { get; set; }
    public required MeetingKind Kind { get; init; }

    /// <summary>To the microsecond, as it is kept: the first answer says no more.</summary>
    public required DateTimeOffset StartsAt
    {
        get;
        set => field = value.AddTicks(-(value.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    public required Dictionary<string, (CallKind Kind, CallReply Reply, Attendance Attendance)> Calls { get; set; }
    public MeetingState State { get; set; } = MeetingState.Called;
}

internal sealed class Proposed
{
    public required string Name { get; init; }
    public required string? Etag { get; set; }
    public required int Content { get; init; }
    public required int Shared { get; init; }
    public int Established { get; set; }
    public Dictionary<string, ProposalAnswerKind> Answers { get; } = [];
}

internal sealed class Assessed
{
    public required string Name { get; init; }
    public string SupersededBy { get; set; } = "";
}

internal sealed class Kept
{
    public required string Name { get; init; }
    public required string Etag { get; set; }
    public required DemonstrationEmployee Employee { get; init; }
    public bool Lifted { get; set; }
}

/// <summary>
/// A plan as the documentation has it, written down a second time and small: where it stands, what it holds, who may read and do what. It knows nothing of the
/// policy, the rule table and the database that it is compared with.
/// </summary>
internal sealed class Model
{
    public static readonly string Owner = Cases.UnitOf(DemonstrationDirectory.CaseWorker);

    /// <summary>Who can take part, and the most that each may ever read.</summary>
    public static readonly Dictionary<DemonstrationEmployee, InformationCategory[]> Ceilings = new()
    {
        [DemonstrationDirectory.PrimaryCare] = [Existence, Identity, GoalsAndInterventions, InformationCategory.SocialSituation, Health, InformationCategory.Schooling, InformationCategory.Meetings],
        [DemonstrationDirectory.ChildPsychiatry] = [Existence, Identity, GoalsAndInterventions, InformationCategory.SocialSituation, Health, InformationCategory.Schooling, InformationCategory.Meetings],
        [DemonstrationDirectory.Origo] = [Existence, Identity, GoalsAndInterventions, InformationCategory.Meetings],
        [DemonstrationDirectory.Cousin] = [Existence, Identity, InformationCategory.Schooling],
    };

    private static readonly string[] HealthCare = [Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry)];
    private static readonly string OutsidePrincipals = Cases.UnitOf(DemonstrationDirectory.Cousin);

    /// <summary>The steps, by where they begin: where to, by which RPC, and what is demanded.</summary>
    private static readonly (PlanState From, PlanState To, string Method, string[] Demands)[] Steps =
    [
        (Noted, ConsentSought, "AdvancePlan", ["consent.asked"]),
        (Noted, Preparing, "AdvancePlan", ["consent.in_force"]),
        (ConsentSought, Preparing, "AdvancePlan", ["consent.in_force"]),
        (Preparing, Summoned, "AdvancePlan", ["consent.in_force", "meeting.called", "meeting.principals_summoned"]),
        (Met, Summoned, "AdvancePlan", ["consent.in_force", "meeting.called", "meeting.principals_summoned"]),
        (Preparing, Met, "AdvancePlan", ["consent.in_force", "meeting.held"]),
        (Summoned, Met, "AdvancePlan", ["consent.in_force", "meeting.held"]),
        (Established, InFollowUp, "AdvancePlan", ["follow_up.date"]),
        .. new[] { Noted, ConsentSought, Preparing, Summoned, Met, Established, InFollowUp }.SelectMany(from => new[]
        {
            (from, Established, "EstablishPlan", new[] { "content.interventions", "content.responsible_principals", "content.other_measures", "content.lead_principal", "consent.in_force" }),
            (from, PlanState.Closed, "ClosePlan", []),
        }),
        .. new[] { Noted, ConsentSought, Preparing, Summoned, Met }.SelectMany(from => new[] { (from, PlanState.Refused, "DeclinePlan", Array.Empty<string>()), (from, Declined, "DeclinePlan", []) }),
        .. new[] { PlanState.Refused, Declined, PlanState.Closed }.Select(from => (from, Noted, "ReopenPlan", Array.Empty<string>())),
    ];

    public required string Name { get; init; }
    public required string Etag { get; set; }
    public required Subject Subject { get; init; }
    public required string SocialSituation { get; set; }
    public required string HealthSituation { get; set; }
    public string Needs { get; set; } = "";
    public string LeadPrincipal { get; set; } = "";
    public bool NoOtherMeasures { get; set; }
    public DateOnly? FollowUp { get; set; }
    public PlanState State { get; set; } = Noted;
    public int Revision { get; set; }
    public DateOnly? EstablishedOn { get; set; }
    public DateOnly? ClosedOn { get; set; }
    public PlanClosingReason ClosingReason { get; set; }
    public PlanDeclineReason DeclineReason { get; set; }
    public string DeclineReference { get; set; } = "";

    /// <summary>Rises with every change of what a revision holds.</summary>
    public int Content { get; private set; }

    /// <summary>The content without what a school answers for, which those do not know of who may not know the school.</summary>
    public int Shared { get; private set; }

    public List<Item> Goals { get; } = [];
    public List<Item> Interventions { get; } = [];
    public List<Item> Measures { get; } = [];
    public List<TakingPart> Participations { get; } = [];
    public List<Agreed> Consents { get; } = [];
    public List<Called> CalledMeetings { get; } = [];
    public List<Proposed> Proposals { get; } = [];
    public List<Assessed> Assessments { get; } = [];
    public List<Kept> Blocks { get; } = [];

    public bool IsOpen => State is not (PlanState.Closed or PlanState.Refused or Declined);

    /// <summary>
    /// Whether a caller sees what names a unit: a school only the owner, and the school itself. Nobody else is released where the person goes to school in these
    /// walks.
    /// </summary>
    public static bool Sees(DemonstrationEmployee who, string unit) => IsOwner(who) || unit != School || Cases.UnitOf(who) == unit;

    /// <summary>The content has changed, of what a unit answers for or of nobody's.</summary>
    public void Touch(string unit = "")
    {
        Content++;
        Shared += unit == School ? 0 : 1;
    }

    /// <summary>The plan still holds what was proposed, as far as the caller may know.</summary>
    public bool IsCurrent(Proposed proposal, DemonstrationEmployee who) => IsOwner(who) ? proposal.Content == Content : proposal.Shared == Shared;

    private static readonly string School = Cases.UnitOf(DemonstrationDirectory.Cousin);

    public static bool IsOwner(DemonstrationEmployee who) => Cases.UnitOf(who) == Owner;

    private bool IsBlocked(DemonstrationEmployee who) => Blocks.Exists(block => block.Employee == who && !block.Lifted);

    public bool TakesPart(string unit, DateOnly today) => unit == Owner || Participations.Exists(part => part.Unit == unit && part.IsOn(today));

    /// <summary>What somebody reads of the plan; null where there is no such plan for the caller. The owning unit reads all.</summary>
    public HashSet<InformationCategory>? Reads(DemonstrationEmployee who, DateOnly today)
    {
        var unit = Cases.UnitOf(who);
        if (IsBlocked(who))
        {
            return null;
        }

        if (unit == Owner)
        {
            return [.. Enum.GetValues<InformationCategory>()];
        }

        if (!TakesPart(unit, today) || !Ceilings.TryGetValue(who, out var ceiling))
        {
            return null;
        }

        var speaking = Consents.Where(consent => consent.IsOn(today) && consent.Units.Contains(unit)).ToList();
        var released = speaking.Where(consent => consent.State == ConsentState.Given && consent.Purpose == who.Purpose).SelectMany(consent => consent.Categories).ToHashSet();
        var withheld = speaking.Where(consent => consent.State == ConsentState.Given).SelectMany(consent => consent.Excluded)
            .Concat(speaking.Where(consent => consent.State == ConsentState.Refused).SelectMany(consent => consent.Categories.Concat(consent.Excluded))).ToHashSet();
        if (withheld.Contains(Existence))
        {
            return null;
        }

        released.ExceptWith(withheld);
        released.IntersectWith(ceiling);
        return released.Count == 0 ? null : [.. released, Existence];
    }

    // ------------------------------------------------------------------------------------------------------------------------- who may

    public Verdict MayRead(DemonstrationEmployee who, DateOnly today) => Reads(who, today) is null ? Verdict.Refused : Verdict.Done;

    public Verdict MayAsOwner(DemonstrationEmployee who, bool? open = true) =>
        !IsOwner(who) || IsBlocked(who) ? Verdict.Refused : open is null || open == IsOpen ? Verdict.Done : Verdict.RefusedByState;

    public Verdict MayBlock(DemonstrationEmployee who) => who.HandlesProtectedPersons ? MayAsOwner(who, null) : Verdict.Refused;

    public Verdict MayUpdate(DemonstrationEmployee who, string path, DateOnly today) =>
        IsOwner(who) ? MayAsOwner(who)
        : HealthCare.Contains(Cases.UnitOf(who)) && Has(who, Health, today) && path == "health_situation" ? Verdict.Done
        : Verdict.Refused;

    public Verdict MayWriteIntervention(DemonstrationEmployee who, string unit, bool isNew, DateOnly today) =>
        IsOwner(who) ? isNew || unit == Owner || !TakesPart(unit, today) ? MayAsOwner(who) : Verdict.Refused
        : who.Role is Role.NamedCareContact or Role.HealthCareProfessional && unit == Cases.UnitOf(who) && Has(who, GoalsAndInterventions, today) ? Verdict.Done
        : Verdict.Refused;

    public Verdict MaySpeakForItsUnit(DemonstrationEmployee who, InformationCategory about, DateOnly today) =>
        IsOwner(who) ? MayAsOwner(who)
        : who.Role != Role.SchoolContact && Has(who, about, today) ? Verdict.Done
        : Verdict.Refused;

    /// <summary>Whoever takes part and reads anything answers its own call; of a meeting that it is not called to and may not read of there is none for it.</summary>
    public Verdict MayReply(DemonstrationEmployee who, Called meeting, DateOnly today) =>
        IsOwner(who) ? MayAsOwner(who)
        : Reads(who, today) is { } reads && (meeting.Calls.ContainsKey(Cases.UnitOf(who)) || reads.Contains(InformationCategory.Meetings)) ? Verdict.Done
        : Verdict.Refused;

    private bool Has(DemonstrationEmployee who, InformationCategory category, DateOnly today) => Reads(who, today) is { } reads && reads.Contains(category);

    // ------------------------------------------------------------------------------------------------------------------------ the steps

    public Verdict Step(PlanState to, string method, DateOnly today) =>
        Array.Find(Steps, step => step.From == State && step.To == to) is not { Method: { } found } step || found != method ? Verdict.WrongState
        : MissingFor(step.Demands, today) is { Count: > 0 } missing ? Verdict.Lacks(missing)
        : Verdict.Done;

    /// <summary>Every step from here, as text: where to, by which RPC, what is missing.</summary>
    public IEnumerable<string> Readiness(DateOnly today) => Steps.Where(step => step.From == State)
        .Select(step => $"{step.To} {step.Method} {string.Join(' ', MissingFor(step.Demands, today))}");

    private List<string> MissingFor(string[] demands, DateOnly today) => [.. demands.Where(demand => !IsMet(demand, today))];

    private bool IsMet(string demand, DateOnly today) => demand switch
    {
        "consent.asked" => Consents.Count > 0,
        "consent.in_force" => Consents.Exists(consent => consent.State == ConsentState.Given && consent.IsOn(today)),
        "meeting.called" => Planning(MeetingState.Called),
        // The region's units are one principal, the others of the walk are the owner's own principal's or outside of both.
        "meeting.principals_summoned" => !HealthCare.Any(unit => Participations.Exists(part => part.Unit == unit && part.IsOn(today))
                || Interventions.Exists(intervention => intervention.Unit == unit && intervention.State == ItemState.Active))
            || CalledMeetings.Exists(meeting => meeting is { Kind: MeetingKind.Planning, State: MeetingState.Called } && meeting.Calls.Keys.Any(HealthCare.Contains)),
        "meeting.held" => Planning(MeetingState.Held) && !Planning(MeetingState.Called),
        "follow_up.date" => FollowUp is not null,
        "content.interventions" => Interventions.Exists(Counts),
        "content.responsible_principals" => !Interventions.Exists(intervention => Counts(intervention) && intervention.Unit == OutsidePrincipals),
        "content.other_measures" => NoOtherMeasures || Measures.Exists(Counts),
        "content.lead_principal" => LeadPrincipal.Length > 0,
        _ => throw new ArgumentOutOfRangeException(nameof(demand), demand, null),
    };

    private bool Planning(MeetingState state) => CalledMeetings.Exists(meeting => meeting.Kind == MeetingKind.Planning && meeting.State == state);

    private static bool Counts(Item item) => item.State is ItemState.Active or ItemState.Completed;

    public void MoveTo(PlanState to, string etag)
    {
        State = to;
        Etag = etag;
        Touch();
        if (!IsOpen)
        {
            foreach (var part in Participations.Where(part => !part.Ended))
            {
                (part.Ended, part.Etag) = (true, null);
            }
        }
    }
}
