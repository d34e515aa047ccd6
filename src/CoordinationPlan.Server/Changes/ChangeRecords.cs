using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Changes;

/// <summary>What a noted change is of. The numbers are those that the triggers write (migration 0014).</summary>
internal enum NotedKind : short
{
    Plan = 1,
    Participation = 2,
    Meeting = 3,
    Call = 4,

    /// <summary>Who may know of the plan: a consent, a release, a block, the person's protection, the day.</summary>
    WhoMayKnow = 5,

    /// <summary>The rights of a receiver itself.</summary>
    Receiver = 6,

    /// <summary>What a system has said of who takes part, or what became of it.</summary>
    Synced = 7,

    SnapshotBegins = 8,
    SnapshotEnds = 9,

    /// <summary>One plan of a snapshot.</summary>
    SnapshotPlan = 10,
}

/// <summary>A change that is not in order yet.</summary>
internal sealed record Noted(long Id, NotedKind Kind, Guid? PlanId, Guid? ItemId, string? UnitId, Categories Category, int? Receiver, int? Snapshot = null)
{
    /// <summary>Of a snapshot in place of which another has begun. Those of the service before this one do not say of which they are.</summary>
    public bool IsOfAnEarlierSnapshot(OpenReceiver receiver) => Receiver == receiver.Receiver && Snapshot is { } snapshot && snapshot != receiver.Snapshot;
}

/// <summary>A system's assignment under one purpose.</summary>
/// <param name="Position">The position given last.</param>
/// <param name="SnapshotAfter">The position before the latest snapshot.</param>
/// <param name="Removed">Up to which position changes are not kept any more.</param>
internal sealed record ReceiverRecord(
    int Receiver, string AssignmentId, Policy.Purpose Purpose, string ClientSystem, long Position, int Snapshot, long SnapshotAfter, long Removed, long Acknowledged, int Version)
{
    /// <summary>The etag of a feed that has not begun.</summary>
    public const string NewEtag = "new";

    public string Etag => EtagOf(this);

    public static string EtagOf(ReceiverRecord? receiver) => receiver is null ? NewEtag : EtagOf(receiver.AssignmentId, receiver.Purpose, receiver.Version);

    public static string EtagOf(string assignmentId, Policy.Purpose purpose, int version) =>
        Rpc.Etag.Of(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"changes/{assignmentId}/{(int)purpose}"), version);
}

/// <summary>A change in its place in the order of a receiver, as it is delivered.</summary>
/// <param name="Sequence">Its number for the unit and plan: null where it has not been delivered, 0 where it never will be.</param>
/// <param name="SubjectId">The plan's person.</param>
/// <param name="LastSequence">The number given last for the unit and plan.</param>
internal sealed record ItemRecord(
    long Position,
    Guid EventId,
    ChangeKind Kind,
    Guid? PlanId,
    string? UnitId,
    Guid? ItemId,
    long? Sequence,
    DateTimeOffset SequencedAt,
    Guid? SubjectId,
    string? OwnerController,
    long LastSequence,
    RecallRecord? Recall);

/// <summary>The number that a change gets when it is delivered for the first time: 0 where it is passed over for good.</summary>
/// <param name="IsForgotten">Nothing but the number was delivered.</param>
internal sealed record ItemNumber(long Position, long Sequence, bool IsForgotten = false);

/// <summary>What a receiver is to forget.</summary>
internal sealed record RecallRecord(
    Guid RecallId, Guid PlanId, string UnitId, Categories Categories, DateTimeOffset CreatedAt, DateTimeOffset DueAt, DateTimeOffset? AcknowledgedAt, int Version)
{
    public string Etag => Rpc.Etag.Of(RecallId, Version);

    public Recall ToRecall(Crypto.DirectoryNames names) => new()
    {
        Name = ResourceName.Recall(RecallId),
        Etag = Etag,
        Plan = ResourceName.Plan(PlanId),
        Unit = names.Name(ResourceName.Units, UnitId),
        Categories = { CategorySets.ToList(Categories) },
        CreateTime = Timestamp.FromDateTimeOffset(CreatedAt),
        DueTime = Timestamp.FromDateTimeOffset(DueAt),
        AcknowledgeTime = AcknowledgedAt is { } at ? Timestamp.FromDateTimeOffset(at) : null,
    };
}
