using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Purpose = CoordinationPlan.V1.Purpose;

namespace CoordinationPlan.Server.Releases;

/// <summary>A release on legal ground.</summary>
/// <param name="Overriding">The ground holds in spite of a refusal. Kept with the release, so that a later change of the list changes no decision.</param>
/// <param name="Sealed">Decider, reason, who recorded it and what the review found, sealed with the person's key for just this version.</param>
internal sealed record ReleaseRecord(
    Guid ReleaseId,
    string Ground,
    bool Overriding,
    string[] RecipientUnits,
    Categories Categories,
    Purpose Purpose,
    DateOnly StartsOn,
    DateOnly EndsOn,
    DateOnly ReviewOn,
    DateTimeOffset? EndedAt,
    DateTimeOffset? ReviewedAt,
    int Version,
    byte[] Sealed)
{
    private static readonly MessageParser<Release> Parser = Release.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(ReleaseId, Version);

    private string Place => $"legal_release/{ReleaseId:D}/{Version}";

    /// <summary>The narrative: a Release with decider, reason, recorded_by as stored, and review_outcome.</summary>
    public Release Open(DataKey key) => Parser.ParseFrom(key.Open(Place, Sealed));

    public ReleaseRecord Holding(DataKey key, Release narrative) => this with { Sealed = key.Seal(Place, narrative.ToByteArray()) };

    /// <summary>The next version, sealed anew for its place.</summary>
    public ReleaseRecord Next(DataKey key, Release narrative, DateTimeOffset? endedAt, DateTimeOffset? reviewedAt) =>
        (this with { EndedAt = endedAt, ReviewedAt = reviewedAt, Version = Version + 1 }).Holding(key, narrative);

    public Release ToRelease(Guid planId, DataKey key, DirectoryNames names)
    {
        var release = Open(key);
        release.Name = ResourceName.Child(planId, ResourceName.Releases, ReleaseId);
        release.Etag = Etag;
        release.Ground = Ground;
        release.RecipientUnits.AddRange(RecipientUnits.Select(unit => names.Name(ResourceName.Units, unit)));
        release.Categories.AddRange(CategorySets.ToList(Categories));
        release.Purpose = Purpose;
        release.Period = new DatePeriod { StartDate = StartsOn.ToDate(), EndDate = EndsOn.ToDate() };
        release.ReviewDueDate = ReviewOn.ToDate();
        release.EndTime = EndedAt is { } at ? Timestamp.FromDateTimeOffset(at) : null;
        release.RecordedBy = names.NameOf(release.RecordedBy);
        return release;
    }
}

/// <summary>Units that a release names.</summary>
internal sealed record Recipients(int Known, IReadOnlyCollection<Policy.UnitKind> Kinds);
