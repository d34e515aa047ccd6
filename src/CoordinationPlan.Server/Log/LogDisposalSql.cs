using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>A log that something of is to be disposed of. No state where there is no such log.</summary>
/// <param name="Note">Its published checkpoint.</param>
/// <param name="Pending">How many entries wait for their place in it.</param>
/// <param name="Leaves">Which entry each leaf is of.</param>
internal sealed record DisposalTarget(LogState? State, string? Note, long Pending, byte[] Leaves);

/// <summary>A disposal that is to be approved. No record where there is no such disposal.</summary>
/// <param name="IsSamePerson">Whoever proposed it is the caller, by another employment.</param>
internal sealed record DisposalToApprove(LogDisposalRecord? Disposal, bool IsSamePerson);

internal static class LogDisposalSql
{
    // A log that is not there has no id: what a row says of it is then not what was decided.
    private const string Columns =
        """
        d.disposal_id, d.log, coalesce(s.log_id, ''), coalesce(s.controller, ''), d.size, d.decision, d.kept_plans, d.leaves, d.proposed_on, d.proposed_by, d.approved_by, d.done,
        ARRAY(SELECT k.position FROM log_disposal_kept k WHERE k.disposal_id = d.disposal_id ORDER BY k.position)
        """;

    public static Query<Loaded<DisposalTarget>> Target(string logId) => new(
        """
        SELECT s.log, s.log_id, s.controller, s.year, s.size, s.root, c.note,
               (SELECT count(*) FROM log_pending p
                WHERE p.controller = s.controller AND p.occurred_at >= make_timestamptz(s.year, 1, 1, 0, 0, 0, 'UTC') AND p.occurred_at < make_timestamptz(s.year + 1, 1, 1, 0, 0, 0, 'UTC')),
               (SELECT sha256(coalesce(string_agg(uuid_send(f.entry_id) || timestamptz_send(f.occurred_at), '' ORDER BY f.position), '')) FROM log_leaf f WHERE f.log = s.log)
        FROM log_state s LEFT JOIN log_checkpoint c ON c.log = s.log
        WHERE s.log_id = $1
        """,
        [Parameter.Of(logId)],
        static async (reader, stop) => new Loaded<DisposalTarget>(await reader.ReadAsync(stop)
            ? new DisposalTarget(LogSql.ReadState(reader), reader.IsDBNull(6) ? null : reader.GetString(6), reader.GetInt64(7), reader.GetFieldValue<byte[]>(8))
            : new DisposalTarget(null, null, 0, [])));

    /// <summary>The disposals of a log.</summary>
    public static Query<List<LogDisposalRecord>> OfLog(string logId) => new(
        $"SELECT {Columns} FROM log_disposal d LEFT JOIN log_state s ON s.log = d.log WHERE s.log_id = $1", [Parameter.Of(logId)], ReadAll);

    /// <summary>The disposals of a controller's logs, the newest first.</summary>
    public static Query<List<LogDisposalRecord>> OfControllers(string[] controllers, int limit) => new(
        $"SELECT {Columns} FROM log_disposal d LEFT JOIN log_state s ON s.log = d.log WHERE s.controller = ANY ($1) ORDER BY d.proposed_on DESC, d.disposal_id LIMIT $2",
        [Parameter.Of(controllers), Parameter.Of(limit)],
        ReadAll);

    public static Query<List<LogDisposalRecord>> All() => new($"SELECT {Columns} FROM log_disposal d LEFT JOIN log_state s ON s.log = d.log", [], ReadAll);

    /// <summary>The disposals that are decided and not carried out.</summary>
    public static Query<List<LogDisposalRecord>> Due() => new(
        $"SELECT {Columns} FROM log_disposal d LEFT JOIN log_state s ON s.log = d.log WHERE d.approved_by IS NOT NULL AND NOT d.done", [], ReadAll);

    /// <summary>A disposal, held until the transaction ends; with it whether its proposer is the caller by another employment.</summary>
    public static Query<Loaded<DisposalToApprove>> ToApprove(Guid disposal, string? employee) => new(
        $"""
        SELECT {Columns},
               EXISTS (SELECT FROM employee one JOIN employee two ON two.person_key = one.person_key WHERE one.employee_id = d.proposed_by AND two.employee_id = $2)
        FROM log_disposal d LEFT JOIN log_state s ON s.log = d.log
        WHERE d.disposal_id = $1
        FOR UPDATE OF d
        """,
        [Parameter.Of(disposal), Parameter.OrNull(employee)],
        static async (reader, stop) => new Loaded<DisposalToApprove>(await reader.ReadAsync(stop)
            ? new DisposalToApprove(Read(reader), reader.GetBoolean(13))
            : new DisposalToApprove(null, false)));

    /// <summary>The positions in a log of the entries about some plans, and of those about disposals.</summary>
    public static Query<List<long>> Keepable(string logId, Guid[] plans, int limit) => new(
        """
        SELECT f.position
        FROM log_state s
        CROSS JOIN LATERAL (
            SELECT l.entry_id, l.occurred_at FROM access_log l WHERE l.plan_id = ANY ($2) AND coalesce(l.actor_controller, '') = s.controller
            UNION
            SELECT l.entry_id, l.occurred_at FROM access_log l WHERE l.act = 58 AND l.resource IS NOT NULL AND coalesce(l.actor_controller, '') = s.controller) e
        JOIN log_leaf f ON f.entry_id = e.entry_id AND f.occurred_at = e.occurred_at AND f.log = s.log
        WHERE s.log_id = $1
        ORDER BY f.position
        LIMIT $3
        """,
        [Parameter.Of(logId), Parameter.Of(plans), Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var positions = new List<long>();
            while (await reader.ReadAsync(stop))
            {
                positions.Add(reader.GetInt64(0));
            }

            return positions;
        });

    public static Command Propose(LogDisposalRecord disposal) => new(
        "INSERT INTO log_disposal (disposal_id, log, size, decision, kept_plans, proposed_on, proposed_by, leaves) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            Parameter.Of(disposal.Id), Parameter.Of(disposal.Log), Parameter.Of(disposal.Size), Parameter.Of(disposal.Decision), Parameter.Of(disposal.KeptPlans),
            Parameter.Of(disposal.ProposedOn), Parameter.Of(disposal.ProposedBy), Parameter.Of(disposal.Leaves),
        ]);

    public static Command Keep(LogDisposalRecord disposal) => new(
        "INSERT INTO log_disposal_kept (disposal_id, position) SELECT $1, position FROM unnest($2) AS position",
        [Parameter.Of(disposal.Id), Parameter.Of(disposal.Kept)],
        ExpectedRows: disposal.Kept.Length);

    public static Command Approve(Guid disposal, string by) => new(
        "UPDATE log_disposal SET approved_by = $2 WHERE disposal_id = $1 AND approved_by IS NULL", [Parameter.Of(disposal), Parameter.Of(by)], ExpectedRows: 1);

    /// <summary>What the log says of its disposals. The RPC and the outcome make an entry one of those that decide.</summary>
    public static Query<List<DisposalEntry>> Entries() => new(
        """
        SELECT l.resource, l.method, l.employee_id, l.actor_controller, f.log, f.position
        FROM access_log l LEFT JOIN log_leaf f ON f.entry_id = l.entry_id AND f.occurred_at = l.occurred_at
        WHERE l.act = 58 AND l.outcome = 1 AND l.resource IS NOT NULL
        """,
        [],
        static async (reader, stop) =>
        {
            var entries = new List<DisposalEntry>();
            while (await reader.ReadAsync(stop))
            {
                entries.Add(new DisposalEntry(
                    reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3),
                    reader.IsDBNull(4) ? null : reader.GetInt32(4), reader.IsDBNull(5) ? -1 : reader.GetInt64(5)));
            }

            return entries;
        });

    /// <summary>Takes a disposal for this transaction; false where somebody else has it, or it is done.</summary>
    public static Query<bool> Take(Guid disposal) => new(
        "SELECT FROM log_disposal WHERE disposal_id = $1 AND approved_by IS NOT NULL AND NOT done FOR UPDATE SKIP LOCKED",
        [Parameter.Of(disposal)],
        static (reader, stop) => reader.ReadAsync(stop));

    /// <summary>Removes what is covered at some positions; how many entries that was. The year keeps it from looking at other months.</summary>
    public static Query<long> Remove(LogDisposalRecord disposal, long from, long before) => new(
        """
        DELETE FROM access_log l
        USING (
            SELECT f.occurred_at, f.entry_id
            FROM log_disposal d JOIN log_leaf f ON f.log = d.log
            WHERE d.disposal_id = $1 AND f.position >= $2 AND f.position < $3 AND f.position < d.size
              AND NOT EXISTS (SELECT FROM log_disposal_kept k WHERE k.disposal_id = d.disposal_id AND k.position = f.position)) c
        WHERE l.occurred_at = c.occurred_at AND l.entry_id = c.entry_id AND l.occurred_at >= $4 AND l.occurred_at < $5
        RETURNING l.entry_id
        """,
        [
            Parameter.Of(disposal.Id), Parameter.Of(from), Parameter.Of(before), Parameter.Of(new DateTimeOffset(disposal.Year, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            Parameter.Of(new DateTimeOffset(disposal.Year + 1, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        ],
        static async (reader, stop) =>
        {
            var removed = 0L;
            while (await reader.ReadAsync(stop))
            {
                removed++;
            }

            return removed;
        });

    public static Command Done(Guid disposal) => new("UPDATE log_disposal SET done = true WHERE disposal_id = $1", [Parameter.Of(disposal)], ExpectedRows: 1);

    private static async Task<List<LogDisposalRecord>> ReadAll(NpgsqlDataReader reader, CancellationToken stop)
    {
        var disposals = new List<LogDisposalRecord>();
        while (await reader.ReadAsync(stop))
        {
            disposals.Add(Read(reader));
        }

        return disposals;
    }

    private static LogDisposalRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3), reader.GetInt64(4), reader.GetString(5), reader.GetFieldValue<Guid[]>(6),
        reader.GetFieldValue<byte[]>(7), reader.GetFieldValue<DateOnly>(8), reader.GetString(9), reader.IsDBNull(10) ? null : reader.GetString(10), reader.GetBoolean(11),
        reader.GetFieldValue<long[]>(12));
}
