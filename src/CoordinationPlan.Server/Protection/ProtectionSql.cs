using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Protection;

/// <summary>Decisions about how a person is protected. They belong to the person, and are reached through a plan of the person's.</summary>
internal static class ProtectionSql
{
    private const string OfPlan = "(SELECT o.subject_id FROM plan o WHERE o.plan_id = $1)";
    private const string BlockColumns = "b.block_id, b.kind, b.target, b.decided_on, b.review_on, b.ends_on, b.lifted_at, b.version, b.body";
    private const string SecrecyColumns = "d.decision_id, d.decided_on, d.review_on, d.ended_at, d.version, d.body";

    public static Command InsertDecision(Guid subject, Guid decision, Policy.ProtectionLevel level, V1.ProtectionSource source, DateOnly decidedOn, byte[] body, string changedBy) => new(
        "INSERT INTO protection_decision (subject_id, decision_id, level, source, decided_on, body, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            Parameter.Of(subject), Parameter.Of(decision), Parameter.Of((short)level), Parameter.Of((short)source), Parameter.Of(decidedOn), Parameter.Of(body),
            Parameter.Of(changedBy),
        ]);

    /// <summary>The decisions on the level, newest first, sealed.</summary>
    public static Query<List<(Guid DecisionId, byte[] Sealed)>> Decisions(Guid plan) => new(
        $"SELECT decision_id, body FROM protection_decision WHERE subject_id = {OfPlan} ORDER BY created_at DESC, decision_id",
        [Parameter.Of(plan)],
        static (reader, stop) => ReadAll(reader, static row => (row.GetGuid(0), row.GetFieldValue<byte[]>(1)), stop));

    public static string DecisionPlace(Guid decision) => $"protection_decision/{decision:D}";

    public static Query<List<BlockRecord>> Blocks(Guid plan) => new(
        $"SELECT {BlockColumns} FROM block b WHERE b.subject_id = {OfPlan} ORDER BY b.created_at DESC, b.block_id",
        [Parameter.Of(plan)],
        static (reader, stop) => ReadAll(reader, ReadBlock, stop));

    public static Query<Loaded<BlockRecord>> FindBlock(Guid plan, Guid block) => new(
        $"SELECT {BlockColumns} FROM block b WHERE b.subject_id = {OfPlan} AND b.block_id = $2",
        [Parameter.Of(plan), Parameter.Of(block)],
        static async (reader, stop) => new Loaded<BlockRecord>(await reader.ReadAsync(stop) ? ReadBlock(reader) : null));

    /// <summary>Whether the employee or unit that is to be blocked is in the directory, and whether it is the plan's own unit.</summary>
    public static Query<Loaded<BlockTarget>> FindTarget(Guid plan, string? employee, string? unit) => new(
        """
        SELECT $2 IS NULL OR EXISTS (SELECT FROM employee e WHERE e.employee_id = $2),
               $3 IS NULL OR EXISTS (SELECT FROM unit u WHERE u.unit_id = $3),
               EXISTS (SELECT FROM plan p WHERE p.subject_id = (SELECT o.subject_id FROM plan o WHERE o.plan_id = $1) AND p.owner_unit_id = $3 AND p.is_open)
        """,
        [Parameter.Of(plan), Parameter.OrNull(employee), Parameter.OrNull(unit)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<BlockTarget>(new(reader.GetBoolean(0) && reader.GetBoolean(1), reader.GetBoolean(2)));
        });

    public static Command InsertBlock(Guid subject, BlockRecord block, string changedBy) => new(
        "INSERT INTO block (subject_id, block_id, kind, target, body, decided_on, review_on, ends_on, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            Parameter.Of(subject), Parameter.Of(block.BlockId), Parameter.Of((short)block.Kind), Parameter.Of(block.Target), Parameter.Of(block.Sealed),
            Parameter.Of(block.DecidedOn), Parameter.OrNull(block.ReviewOn), Parameter.OrNull(block.EndsOn), Parameter.Of(changedBy),
        ]);

    public static Command LiftBlock(Guid subject, BlockRecord block, DateTimeOffset now, string changedBy) => new(
        """
        UPDATE block SET lifted_at = $4, version = $3, changed_by = $5, changed_at = clock_timestamp()
        WHERE subject_id = $1 AND block_id = $2 AND version = $3 - 1
        """,
        [Parameter.Of(subject), Parameter.Of(block.BlockId), Parameter.Of(block.Version), Parameter.Of(now), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    public static Query<List<LocationSecrecyRecord>> LocationSecrecies(Guid plan) => new(
        $"SELECT {SecrecyColumns} FROM location_secrecy d WHERE d.subject_id = {OfPlan} ORDER BY d.created_at DESC, d.decision_id",
        [Parameter.Of(plan)],
        static (reader, stop) => ReadAll(reader, ReadSecrecy, stop));

    public static Query<Loaded<LocationSecrecyRecord>> FindLocationSecrecy(Guid plan, Guid decision) => new(
        $"SELECT {SecrecyColumns} FROM location_secrecy d WHERE d.subject_id = {OfPlan} AND d.decision_id = $2",
        [Parameter.Of(plan), Parameter.Of(decision)],
        static async (reader, stop) => new Loaded<LocationSecrecyRecord>(await reader.ReadAsync(stop) ? ReadSecrecy(reader) : null));

    public static Command InsertLocationSecrecy(Guid subject, LocationSecrecyRecord decision, string target, string changedBy) => new(
        "INSERT INTO location_secrecy (subject_id, decision_id, target, body, decided_on, review_on, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            Parameter.Of(subject), Parameter.Of(decision.DecisionId), Parameter.Of(target), Parameter.Of(decision.Sealed), Parameter.Of(decision.DecidedOn),
            Parameter.Of(decision.ReviewOn), Parameter.Of(changedBy),
        ]);

    public static Command ReplaceLocationSecrecy(Guid subject, LocationSecrecyRecord decision, string changedBy) => new(
        """
        UPDATE location_secrecy SET body = $4, decided_on = $5, review_on = $6, ended_at = $7, version = $3, changed_by = $8, changed_at = clock_timestamp()
        WHERE subject_id = $1 AND decision_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(subject), Parameter.Of(decision.DecisionId), Parameter.Of(decision.Version), Parameter.Of(decision.Sealed), Parameter.Of(decision.DecidedOn),
            Parameter.Of(decision.ReviewOn), Parameter.OrNull((DateTimeOffset?)decision.EndedAt), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    /// <summary>Where the person stays, and the key that opens it. There is always a row for a plan that is there.</summary>
    public static Query<Loaded<WhereaboutsRecord>> Whereabouts(Guid plan) => new(
        """
        SELECT p.subject_id, coalesce(w.version, 0), w.body, k.ring_key, k.wrapped, w.unit_id, coalesce(w.since_on, (w.changed_at AT TIME ZONE 'Europe/Stockholm')::date)
        FROM plan p
        LEFT JOIN whereabouts w ON w.subject_id = p.subject_id
        LEFT JOIN subject_key k ON k.subject_id = p.subject_id AND k.compartment = 2
        WHERE p.plan_id = $1
        """,
        [Parameter.Of(plan)],
        static async (reader, stop) => new Loaded<WhereaboutsRecord>(await reader.ReadAsync(stop)
            ? new WhereaboutsRecord(reader.GetGuid(0), reader.GetInt32(1), reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2), SubjectSql.ReadKey(reader, 3), reader.IsDBNull(5) ? null : reader.GetString(5), reader.IsDBNull(6) ? null : reader.GetFieldValue<DateOnly>(6))
            : null));

    /// <summary>Whether a unit is a sheltered housing of the directory.</summary>
    public static Query<bool> IsShelteredHousing(string? unit) => new(
        "SELECT EXISTS (SELECT FROM unit u WHERE u.unit_id = $1 AND u.kind = 4)",
        [Parameter.OrNull(unit)],
        static async (reader, stop) => await reader.ReadAsync(stop) && reader.GetBoolean(0));

    public static Command SetWhereabouts(Guid subject, string? unit, byte[] body, int version, string changedBy, DateOnly since, int? birthYear) => new(
        """
        INSERT INTO whereabouts (subject_id, unit_id, body, version, changed_by, since_on, birth_year) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (subject_id) DO UPDATE
        SET unit_id = excluded.unit_id, body = excluded.body, since_on = excluded.since_on, birth_year = excluded.birth_year, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE whereabouts.version = excluded.version - 1
        """,
        [Parameter.Of(subject), Parameter.OrNull(unit), Parameter.Of(body), Parameter.Of(version), Parameter.Of(changedBy), Parameter.Of(since), Parameter.OrNull((short?)birthYear)],
        ExpectedRows: 1);

    private static BlockRecord ReadBlock(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (Policy.Blocked)reader.GetInt16(1),
        reader.GetString(2),
        reader.GetFieldValue<DateOnly>(3),
        reader.IsDBNull(4) ? null : reader.GetFieldValue<DateOnly>(4),
        reader.IsDBNull(5) ? null : reader.GetFieldValue<DateOnly>(5),
        reader.IsDBNull(6) ? null : reader.GetDateTime(6),
        reader.GetInt32(7),
        reader.GetFieldValue<byte[]>(8));

    private static LocationSecrecyRecord ReadSecrecy(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetFieldValue<DateOnly>(1),
        reader.GetFieldValue<DateOnly>(2),
        reader.IsDBNull(3) ? null : reader.GetDateTime(3),
        reader.GetInt32(4),
        reader.GetFieldValue<byte[]>(5));

    private static async Task<List<T>> ReadAll<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken stop)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(stop))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}

/// <summary>Whom a block is to keep out.</summary>
internal sealed record BlockTarget(bool IsThere, bool OwnsAPlan);
