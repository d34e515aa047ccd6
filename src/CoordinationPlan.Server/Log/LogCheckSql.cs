using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>A leaf, and the commitment to the entry as it is stored now; null where there is none.</summary>
internal sealed record CheckedLeaf(long Position, Guid EntryId, DateTime OccurredAt, byte[] Commitment, byte[]? OfRow, string? Controller, int Year);

/// <summary>Something that is not as it must be, of one kind.</summary>
internal sealed record LogRowFault(Guid EntryId, string What);

internal static class LogCheckSql
{
    // An entry that is missing everywhere is one finding, a million of them are not a million lines.
    private const int Most = 100;

    /// <summary>Pending entries that are not there, are there otherwise, or have their leaf already.</summary>
    public static Query<List<LogRowFault>> Pending() => new(
        """
        SELECT p.entry_id,
               CASE WHEN f.entry_id IS NOT NULL THEN 'is pending and has a leaf'
                    WHEN l.entry_id IS NULL THEN 'is pending and not in the access log: removed before it was sequenced, or changed'
                    ELSE 'is pending for another log than its own' END
        FROM log_pending p
        LEFT JOIN access_log l ON l.occurred_at = p.occurred_at AND l.entry_id = p.entry_id
        LEFT JOIN log_leaf f ON f.entry_id = p.entry_id
        WHERE f.entry_id IS NOT NULL OR l.entry_id IS NULL OR coalesce(l.actor_controller, '') <> p.controller
        LIMIT $1
        """,
        [Parameter.Of(Most)],
        ReadFaults);

    /// <summary>How many are pending, and since when.</summary>
    public static Query<(long Count, long Doubled, DateTime? Oldest)> PendingCount() => new(
        "SELECT count(*), count(*) - count(DISTINCT entry_id), min(occurred_at) FROM log_pending",
        [],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return (reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetDateTime(2));
        });

    /// <summary>Entries that no tree has and that do not wait for it either.</summary>
    public static Query<List<LogRowFault>> Nowhere() => new(
        """
        SELECT l.entry_id, 'is in the access log, and neither pending nor in a tree'
        FROM access_log l
        LEFT JOIN log_leaf f ON f.entry_id = l.entry_id AND f.occurred_at = l.occurred_at
        LEFT JOIN log_pending p ON p.entry_id = l.entry_id AND p.occurred_at = l.occurred_at
        WHERE f.entry_id IS NULL AND p.entry_id IS NULL
        LIMIT $1
        """,
        [Parameter.Of(Most)],
        ReadFaults);

    /// <summary>Positions that are kept by a disposal that there is not.</summary>
    public static Query<long> KeptOfNoDisposal() => new(
        "SELECT count(*) FROM log_disposal_kept k WHERE NOT EXISTS (SELECT FROM log_disposal d WHERE d.disposal_id = k.disposal_id)",
        [],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return reader.GetInt64(0);
        });

    /// <summary>Calls of which entries are missing, in the logs that nothing of is disposed of.</summary>
    public static Query<List<LogRowFault>> Calls(IReadOnlyCollection<LogState> disposed) => new(
        """
        SELECT l.call_id, 'is the first entry of a call that left ' || max(l.call_size) || ' entries, and there are ' || count(*)
        FROM access_log l
        WHERE l.call_size > 1
          AND NOT EXISTS (
              SELECT FROM unnest($2, $3) AS x (controller, year)
              WHERE x.controller = coalesce(l.actor_controller, '') AND x.year = date_part('year', l.occurred_at AT TIME ZONE 'UTC'))
        GROUP BY l.call_id
        HAVING count(*) <> max(l.call_size) OR min(l.call_size) <> max(l.call_size) OR NOT bool_or(l.entry_id = l.call_id)
        LIMIT $1
        """,
        [Parameter.Of(Most), Parameter.Of([.. disposed.Select(state => state.Controller)]), Parameter.Of([.. disposed.Select(state => state.Year)])],
        ReadFaults);

    /// <summary>How many rows a log has of each kind.</summary>
    public static Query<(long Leaves, long Tiles)> Counts(int log) => new(
        "SELECT (SELECT count(*) FROM log_leaf WHERE log = $1), (SELECT count(*) FROM log_tile WHERE log = $1)",
        [Parameter.Of(log)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return (reader.GetInt64(0), reader.GetInt64(1));
        });

    /// <summary>Leaves, tiles and checkpoints of logs that there are not.</summary>
    public static Query<long> OfNoLog() => new(
        """
        SELECT (SELECT count(*) FROM log_leaf f WHERE NOT EXISTS (SELECT FROM log_state s WHERE s.log = f.log))
             + (SELECT count(*) FROM log_tile t WHERE NOT EXISTS (SELECT FROM log_state s WHERE s.log = t.log))
             + (SELECT count(*) FROM log_checkpoint c WHERE NOT EXISTS (SELECT FROM log_state s WHERE s.log = c.log))
        """,
        [],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return reader.GetInt64(0);
        });

    /// <summary>Leaves in order, each with its entry as it is stored. A position that comes twice has two rows of one id and time.</summary>
    public static Query<List<CheckedLeaf>> Leaves(int log, long from, long before) => new(
        $"""
        SELECT {LogSql.EntryColumns}, l.event_secret, f.position, f.entry_id, f.commitment, f.occurred_at
        FROM (SELECT * FROM log_leaf WHERE log = $1 AND position >= $2 AND position < $3) f
        LEFT JOIN LATERAL (SELECT e.* FROM access_log e WHERE e.occurred_at = f.occurred_at AND e.entry_id = f.entry_id OFFSET 0) l ON true
        ORDER BY f.position
        """,
        [Parameter.Of(log), Parameter.Of(from), Parameter.Of(before)],
        ReadLeaves);

    /// <summary>Entries that have no leaf yet, as they are stored.</summary>
    public static Query<Dictionary<Guid, byte[]>> CommitmentsOfPending(Guid[] entryIds) => new(
        $"""
        SELECT {LogSql.EntryColumns}, l.event_secret
        FROM log_pending p JOIN access_log l ON l.occurred_at = p.occurred_at AND l.entry_id = p.entry_id
        WHERE p.entry_id = ANY ($1)
        """,
        [Parameter.Of(entryIds)],
        static async (reader, stop) =>
        {
            var commitments = new Dictionary<Guid, byte[]>();
            while (await reader.ReadAsync(stop))
            {
                commitments[reader.GetGuid(1)] = CommitmentOf(reader);
            }

            return commitments;
        });

    /// <summary>An entry's record as it is stored, with its secret and its place.</summary>
    public static Query<(LogState State, long Position, byte[] Secret, IReadOnlyList<(string Name, byte[]? Value)> Fields)?> RecordOf(Guid entry) => new(
        $"""
        SELECT s.log, s.log_id, s.controller, s.year, s.size, s.root, f.position, l.event_secret, {LogSql.EntryColumns}
        FROM log_leaf f
        JOIN log_state s ON s.log = f.log
        JOIN LATERAL (SELECT e.* FROM access_log e WHERE e.occurred_at = f.occurred_at AND e.entry_id = f.entry_id OFFSET 0) l ON true
        WHERE f.entry_id = $1
        """,
        [Parameter.Of(entry)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? (LogSql.ReadState(reader), reader.GetInt64(6), reader.GetFieldValue<byte[]>(7), EntryFields.Read(reader, 8))
            : null);

    private static byte[] CommitmentOf(NpgsqlDataReader reader)
    {
        // A secret that was made longer or shorter is one that was changed.
        var secret = reader.GetFieldValue<byte[]>(LogSql.EntryColumnCount);
        return secret.Length == Commitment.SecretLength ? Commitment.Entry(secret, EntryFields.Read(reader, 0)) : [];
    }

    private static async Task<List<CheckedLeaf>> ReadLeaves(NpgsqlDataReader reader, CancellationToken stop)
    {
        const int After = LogSql.EntryColumnCount + 1;
        var leaves = new List<CheckedLeaf>();
        while (await reader.ReadAsync(stop))
        {
            var isThere = !reader.IsDBNull(1);
            leaves.Add(new CheckedLeaf(
                reader.GetInt64(After), reader.GetGuid(After + 1), reader.GetDateTime(After + 3), reader.GetFieldValue<byte[]>(After + 2), isThere ? CommitmentOf(reader) : null,
                isThere && !reader.IsDBNull(11) ? reader.GetString(11) : null, isThere ? reader.GetDateTime(0).Year : 0));
        }

        return leaves;
    }

    private static async Task<List<LogRowFault>> ReadFaults(NpgsqlDataReader reader, CancellationToken stop)
    {
        var faults = new List<LogRowFault>();
        while (await reader.ReadAsync(stop))
        {
            faults.Add(new LogRowFault(reader.IsDBNull(0) ? Guid.Empty : reader.GetGuid(0), reader.GetString(1)));
        }

        return faults;
    }
}
