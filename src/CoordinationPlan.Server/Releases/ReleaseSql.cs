using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Releases;

internal static class ReleaseSql
{
    private const string Columns =
        """
        release_id, ground, overriding, recipient_units, categories, purpose, starts_on, ends_on, review_on, ended_at, reviewed_at, version, body
        """;

    /// <summary>A plan's releases, the ended ones too.</summary>
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

    /// <summary>How many of the units are in the directory, and of which kinds they are.</summary>
    public static Query<Loaded<Recipients>> Recipients(string[] units) => new(
        "SELECT count(*), coalesce(array_agg(DISTINCT u.kind), '{}') FROM unit u WHERE u.unit_id = ANY ($1)",
        [Parameter.Of(units)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<Recipients>(new((int)reader.GetInt64(0), [.. reader.GetFieldValue<short[]>(1).Select(kind => (UnitKind)kind)]));
        });

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

    /// <summary>What can change: that it was ended, and that it was reviewed. The trigger keeps the version before.</summary>
    public static Command Replace(Guid plan, ReleaseRecord release, string changedBy) => new(
        """
        UPDATE legal_release SET ended_at = $4, reviewed_at = $5, body = $6, version = $3, changed_by = $7, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND release_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(release.ReleaseId), Parameter.Of(release.Version), Parameter.OrNull(release.EndedAt), Parameter.OrNull(release.ReviewedAt),
            Parameter.Of(release.Sealed), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    private static ReleaseRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetString(1),
        reader.GetBoolean(2),
        reader.GetFieldValue<string[]>(3),
        (Categories)reader.GetInt32(4),
        (V1.Purpose)reader.GetInt16(5),
        reader.GetFieldValue<DateOnly>(6),
        reader.GetFieldValue<DateOnly>(7),
        reader.GetFieldValue<DateOnly>(8),
        reader.IsDBNull(9) ? null : reader.GetFieldValue<DateTimeOffset>(9),
        reader.IsDBNull(10) ? null : reader.GetFieldValue<DateTimeOffset>(10),
        reader.GetInt32(11),
        reader.GetFieldValue<byte[]>(12));
}
