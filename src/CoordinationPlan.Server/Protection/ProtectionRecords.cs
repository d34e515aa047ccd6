using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Protection;

/// <summary>That somebody is kept out. Everything that names the blocked is in the sealed body; the target is a name that nobody can read.</summary>
internal sealed record BlockRecord(Guid BlockId, Policy.Blocked Kind, string Target, DateOnly DecidedOn, DateOnly? ReviewOn, DateOnly? EndsOn, DateTime? LiftedAt, int Version, byte[] Sealed)
{
    public string Etag => Rpc.Etag.Of(BlockId, Version);

    public static string Place(Guid blockId) => $"block/{blockId:D}";

    public Block ToBlock(Guid planId, DataKey key)
    {
        var block = Block.Parser.ParseFrom(key.Open(Place(BlockId), Sealed));
        block.Name = ResourceName.Child(planId, ResourceName.Blocks, BlockId);
        block.Etag = Etag;
        block.LiftTime = LiftedAt is { } at ? Timestamp.FromDateTime(at) : null;
        return block;
    }
}

/// <summary>That whereabouts are kept secret from a guardian.</summary>
internal sealed record LocationSecrecyRecord(Guid DecisionId, DateOnly DecidedOn, DateOnly ReviewOn, DateTime? EndedAt, int Version, byte[] Sealed)
{
    /// <summary>The law gives no longer (DOMAIN: reviewed when circumstances call for it, and at least every six months).</summary>
    public const int LongestMonths = 6;

    public string Etag => Rpc.Etag.Of(DecisionId, Version);

    public static string Place(Guid decisionId, int version) => $"location_secrecy/{decisionId:D}/{version}";

    public LocationSecrecy Open(DataKey key) => LocationSecrecy.Parser.ParseFrom(key.Open(Place(DecisionId, Version), Sealed));

    public LocationSecrecy ToLocationSecrecy(Guid planId, DataKey key)
    {
        var decision = Open(key);
        decision.Name = ResourceName.Child(planId, ResourceName.LocationSecrecies, DecisionId);
        decision.Etag = Etag;
        decision.DecideDate = DecidedOn.ToDate();
        decision.ReviewDate = ReviewOn.ToDate();
        decision.EndTime = EndedAt is { } at ? Timestamp.FromDateTime(at) : null;
        return decision;
    }

    public LocationSecrecyRecord Holding(DataKey key, LocationSecrecy decision)
    {
        var body = new LocationSecrecy { Guardian = decision.Guardian, Ground = decision.Ground, Decider = decision.Decider };
        return this with { Sealed = key.Seal(Place(DecisionId, Version), body.ToByteArray()) };
    }
}

/// <summary>Where a person stays, with the key of its own.</summary>
/// <param name="Version">0 where nothing has been written yet.</param>
/// <param name="UnitId">The sheltered housing; null where the person stays elsewhere.</param>
/// <param name="SinceOn">Since when.</param>
internal sealed record WhereaboutsRecord(Guid SubjectId, int Version, byte[]? Sealed, WrappedKey? Key, string? UnitId, DateOnly? SinceOn)
{
    /// <summary>The etag of what has not been written yet.</summary>
    public const string NewEtag = "new";

    public string Etag => Version == 0 ? NewEtag : Rpc.Etag.Of(SubjectId, Version);

    public static string Place(Guid subjectId, int version) => $"whereabouts/{subjectId:D}/{version}";
}
