using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Emergency;

/// <summary>An emergency access.</summary>
/// <param name="SubjectId">To whom; null where the service knows no such person.</param>
/// <param name="FromShelter">The unit that it was opened from is a sheltered housing.</param>
/// <param name="Sealed">The explanation, sealed with the person's key, or with the service's own where there is no person.</param>
internal sealed record EmergencyRecord(
    Guid AccessId,
    Guid? SubjectId,
    string AssignmentId,
    string UnitId,
    bool FromShelter,
    string OpenedBy,
    EmergencyReason Reason,
    byte[] Sealed,
    DateTimeOffset OpenedAt,
    DateTimeOffset ExpiresAt,
    DateOnly ReviewBy,
    ReviewOutcome Outcome,
    DateTimeOffset? ReviewedAt,
    int Version)
{
    private static readonly MessageParser<EmergencyAccess> Parser = EmergencyAccess.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(AccessId, Version);

    // Without a version: what the one who opened it wrote is never written anew.
    private string Place => $"emergency_access/{AccessId:D}";

    public EmergencyRecord Holding(DataKey key, string explanation) => this with { Sealed = key.Seal(Place, new EmergencyAccess { Explanation = explanation }.ToByteArray()) };

    /// <summary>
    /// What the one who opened it gets. There is nothing in it that depends on whether there is such a person, and none of it comes from more
    /// than the request, the row's random id and the database's clock.
    /// </summary>
    public EmergencyAccess ToOpenersView() => new()
    {
        Name = ResourceName.EmergencyAccess(AccessId),
        Etag = Etag,
        OpenTime = Timestamp.FromDateTimeOffset(OpenedAt),
        ExpireTime = Timestamp.FromDateTimeOffset(ExpiresAt),
    };

    /// <summary>What the owning unit gets. Who works in a sheltered housing tells where it is asked from: that only those learn who may know the whereabouts.</summary>
    public EmergencyAccess ToOwnersView(Entry entry, DirectoryNames names)
    {
        var access = Parser.ParseFrom(entry.Key.Open(Place, Sealed));
        var isHidden = FromShelter && !entry.Permit.Reads.HasFlag(Categories.Whereabouts);
        access.Name = ResourceName.Child(entry.Plan.PlanId, ResourceName.EmergencyAccesses, AccessId);
        access.Etag = Etag;
        access.Reason = Reason;
        access.OpenTime = Timestamp.FromDateTimeOffset(OpenedAt);
        access.ExpireTime = Timestamp.FromDateTimeOffset(ExpiresAt);
        access.Employee = isHidden ? "" : names.NameOf(OpenedBy);
        access.Unit = isHidden ? "" : names.Name(ResourceName.Units, UnitId);
        access.ReviewDueDate = ReviewBy.ToDate();
        access.ReviewOutcome = Outcome;
        return access;
    }
}

/// <summary>What the opening of an emergency access rests on, whether the person is known or not.</summary>
/// <param name="Now">The database's clock: emergency access begins and ends by it.</param>
/// <param name="Owners">The units that own plans of the person, each with the plan that it is told of. None where the service knows no such person.</param>
internal sealed record Opening(DateTimeOffset Now, IReadOnlyList<Owner> Owners);

/// <summary>A unit that owns a plan.</summary>
internal sealed record Owner(Guid PlanId, string UnitId, string Controller);
