using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CoordinationPlan.Server.Releases;

/// <summary>A release on legal ground. Who decided, why, and what the review found are in the sealed body.</summary>
internal sealed record ReleaseRecord(
    Guid ReleaseId,
    string Ground,
    bool Overriding,
    string[] RecipientUnits,
    Categories Categories,
    Policy.Purpose Purpose,
    DateOnly StartsOn,
    DateOnly EndsOn,
    DateOnly ReviewOn,
    DateTime? EndedAt,
    DateTime? ReviewedAt,
    int Version,
    byte[] Sealed)
{
    public string Etag => Rpc.Etag.Of(ReleaseId, Version);

    private string Place => $"legal_release/{ReleaseId:D}/{Version}";

    public Release Open(DataKey key) => Release.Parser.ParseFrom(key.Open(Place, Sealed));

    public ReleaseRecord Holding(DataKey key, Release body) => this with
    {
        Sealed = key.Seal(
            Place, new Release { Decider = body.Decider, Reason = body.Reason, RecordedBy = body.RecordedBy, ReviewOutcome = body.ReviewOutcome }.ToByteArray()),
    };

    public Release ToRelease(Guid planId, DataKey key, DirectoryNames names)
    {
        var release = Open(key);
        release.Name = ResourceName.Child(planId, ResourceName.Releases, ReleaseId);
        release.Etag = Etag;
        release.Ground = Ground;
        release.RecipientUnits.AddRange(RecipientUnits.Select(unit => names.Name(ResourceName.Units, unit)));
        release.Categories.AddRange(CategorySets.ToList(Categories));
        release.Purpose = (V1.Purpose)Purpose;
        release.Period = new DatePeriod { StartDate = StartsOn.ToDate(), EndDate = EndsOn.ToDate() };
        release.ReviewDueDate = ReviewOn.ToDate();
        release.EndTime = EndedAt is { } at ? Timestamp.FromDateTime(at) : null;
        return release;
    }
}

internal static class ReleaseSql
{
    private const string Columns =
        "release_id, ground, overriding, recipient_units, categories, purpose, starts_on, ends_on, review_on, ended_at, reviewed_at, version, body";

    public static Query<List<ReleaseRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM legal_release WHERE plan_id = $1 ORDER BY created_at, release_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var releases = new List<ReleaseRecord>();
            while (await reader.ReadAsync(stop))
            {
                releases.Add(Read(reader));
            }

            return releases;
        });

    public static Query<Loaded<ReleaseRecord>> Find(Guid plan, Guid release) => new(
        $"SELECT {Columns} FROM legal_release WHERE plan_id = $1 AND release_id = $2",
        [Parameter.Of(plan), Parameter.Of(release)],
        static async (reader, stop) => new Loaded<ReleaseRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    public static Command Insert(Guid plan, ReleaseRecord release, string changedBy) => new(
        """
        INSERT INTO legal_release (
            plan_id, release_id, ground, overriding, recipient_units, categories, purpose, starts_on, ends_on, review_on, body, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        [
            Parameter.Of(plan), Parameter.Of(release.ReleaseId), Parameter.Of(release.Ground), Parameter.Of(release.Overriding), Parameter.Of(release.RecipientUnits),
            Parameter.Of(release.Categories), Parameter.Of((short)release.Purpose), Parameter.Of(release.StartsOn), Parameter.Of(release.EndsOn),
            Parameter.Of(release.ReviewOn), Parameter.Of(release.Sealed), Parameter.Of(changedBy),
        ]);

    /// <summary>Ends or reviews.</summary>
    public static Command Replace(Guid plan, ReleaseRecord release, string changedBy) => new(
        """
        UPDATE legal_release SET body = $4, ended_at = $5, reviewed_at = $6, version = $3, changed_by = $7, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND release_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(release.ReleaseId), Parameter.Of(release.Version), Parameter.Of(release.Sealed),
            Parameter.OrNull((DateTimeOffset?)release.EndedAt), Parameter.OrNull((DateTimeOffset?)release.ReviewedAt), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    private static ReleaseRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetString(1),
        reader.GetBoolean(2),
        reader.GetFieldValue<string[]>(3),
        (Categories)reader.GetInt32(4),
        (Policy.Purpose)reader.GetInt16(5),
        reader.GetFieldValue<DateOnly>(6),
        reader.GetFieldValue<DateOnly>(7),
        reader.GetFieldValue<DateOnly>(8),
        reader.IsDBNull(9) ? null : reader.GetDateTime(9),
        reader.IsDBNull(10) ? null : reader.GetDateTime(10),
        reader.GetInt32(11),
        reader.GetFieldValue<byte[]>(12));
}
