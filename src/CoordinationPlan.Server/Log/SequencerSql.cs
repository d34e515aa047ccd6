using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>What is pending for a log.</summary>
/// <param name="Controller">As the database calls it; empty for callers whom the directory does not know.</param>
/// <param name="Oldest">Since when the oldest has been waiting.</param>
internal sealed record PendingLog(string Controller, int Year, long Count, DateTime Oldest);

/// <summary>An entry that is to be put in a tree, as it is stored.</summary>
internal sealed record StoredEntry(Guid EntryId, DateTime OccurredAt, byte[] Commitment);

internal static class SequencerSql
{
    public static Query<List<PendingLog>> PendingLogs() => new(
        """
        SELECT p.controller, p.year, count(*), min(p.occurred_at)
        FROM (SELECT controller, occurred_at, date_part('year', occurred_at AT TIME ZONE 'UTC')::integer AS year FROM log_pending) p
        GROUP BY p.controller, p.year
        ORDER BY min(p.occurred_at)
        """,
        [],
        static async (reader, stop) =>
        {
            var logs = new List<PendingLog>();
            while (await reader.ReadAsync(stop))
            {
                logs.Add(new PendingLog(reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetDateTime(3)));
            }

            return logs;
        });

    /// <summary>The log, where there is none yet.</summary>
    public static Command Begin(string logId, string controller, int year) => new(
        """
        INSERT INTO log_state (log_id, controller, year, size, root)
        SELECT $1, $2, $3, 0, $4
        WHERE NOT EXISTS (SELECT FROM log_state s WHERE s.controller = $2 AND s.year = $3)
        ON CONFLICT DO NOTHING
        """,
        [Parameter.Of(logId), Parameter.Of(controller), Parameter.Of(year), Parameter.Of(TreeHash.Empty.ToArray())]);

    /// <summary>Takes the log for this transaction; none where somebody else has it.</summary>
    public static Query<LogState?> Take(string controller, int year) => new(
        "SELECT log, log_id, controller, year, size, root FROM log_state WHERE controller = $1 AND year = $2 FOR UPDATE SKIP LOCKED",
        [Parameter.Of(controller), Parameter.Of(year)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? LogSql.ReadState(reader)
            : null);

    /// <summary>
    /// What is pending for a log, oldest first, as the access log has it now. One that is not there as it was noted is left out, and stays pending: that is found.
    /// The lateral join is fenced, so that each entry is looked up by its time in its own partition and never the whole log read.
    /// </summary>
    public static Query<List<StoredEntry>> Pending(string controller, int year, int limit) => new(
        $"""
        SELECT {LogSql.EntryColumns}, l.event_secret
        FROM (
            SELECT q.entry_id, q.occurred_at FROM log_pending q
            WHERE q.controller = $1 AND q.occurred_at >= $2 AND q.occurred_at < $3
              AND NOT EXISTS (SELECT FROM log_leaf f WHERE f.entry_id = q.entry_id)
            ORDER BY q.occurred_at, q.entry_id LIMIT $4) p
        CROSS JOIN LATERAL (
            SELECT e.* FROM access_log e
            WHERE e.occurred_at = p.occurred_at AND e.entry_id = p.entry_id AND coalesce(e.actor_controller, '') = $1 OFFSET 0) l
        ORDER BY p.occurred_at, p.entry_id
        """,
        [
            Parameter.Of(controller), Parameter.Of(new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            Parameter.Of(new DateTimeOffset(year + 1, 1, 1, 0, 0, 0, TimeSpan.Zero)), Parameter.Of(limit),
        ],
        ReadEntries);

    public static Command AddLeaves(int log, long from, IReadOnlyCollection<StoredEntry> entries) => new(
        """
        INSERT INTO log_leaf (log, position, entry_id, occurred_at, commitment)
        SELECT $1, $2 + e.n - 1, e.entry_id, e.occurred_at, e.commitment
        FROM unnest($3, $4, $5) WITH ORDINALITY AS e (entry_id, occurred_at, commitment, n)
        """,
        [
            Parameter.Of(log), Parameter.Of(from), Parameter.Of([.. entries.Select(entry => entry.EntryId)]),
            Parameter.Of([.. entries.Select(entry => entry.OccurredAt)]), Parameter.Of([.. entries.Select(entry => entry.Commitment)]),
        ],
        ExpectedRows: entries.Count);

    public static Command PutTiles(int log, IReadOnlyCollection<(TilePath Tile, byte[] Hashes)> tiles) => new(
        """
        INSERT INTO log_tile (log, level, tile, hashes)
        SELECT $1, t.level, t.tile, t.hashes FROM unnest($2, $3, $4) AS t (level, tile, hashes)
        ON CONFLICT (log, level, tile) DO UPDATE SET hashes = EXCLUDED.hashes
        """,
        [
            Parameter.Of(log), Parameter.Of([.. tiles.Select(tile => tile.Tile.Level)]), Parameter.Of([.. tiles.Select(tile => tile.Tile.Index)]),
            Parameter.Of([.. tiles.Select(tile => tile.Hashes)]),
        ],
        ExpectedRows: tiles.Count);

    public static Command Grow(LogState from, long size, TreeHash root) => new(
        "UPDATE log_state SET size = $2, root = $3 WHERE log = $1 AND size = $4",
        [Parameter.Of(from.Log), Parameter.Of(size), Parameter.Of(root.ToArray()), Parameter.Of(from.Size)],
        ExpectedRows: 1);

    public static Command Done(IReadOnlyCollection<StoredEntry> entries) => new(
        "DELETE FROM log_pending WHERE entry_id = ANY ($1)", [Parameter.Of([.. entries.Select(entry => entry.EntryId)])], ExpectedRows: entries.Count);

    private static async Task<List<StoredEntry>> ReadEntries(NpgsqlDataReader reader, CancellationToken stop)
    {
        var entries = new List<StoredEntry>();
        while (await reader.ReadAsync(stop))
        {
            entries.Add(new StoredEntry(
                reader.GetGuid(1), reader.GetDateTime(0), Commitment.Entry(reader.GetFieldValue<byte[]>(LogSql.EntryColumnCount), EntryFields.Read(reader, 0))));
        }

        return entries;
    }
}
