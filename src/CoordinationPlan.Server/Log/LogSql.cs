using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>A log as its state says.</summary>
internal sealed record LogState(int Log, string LogId, string Controller, int Year, long Size, TreeHash Root);

/// <summary>A leaf: the entry that it is of, and what stands in the tree for it.</summary>
internal sealed record LogLeaf(long Position, Guid EntryId, byte[] Commitment)
{
    public TreeHash Hash => TreeHash.OfLeaf(Commitment);
}

/// <summary>What is read of the trees, by whoever reads them.</summary>
internal static class LogSql
{
    /// <summary>The columns that <see cref="EntryFields"/> reads, in its order.</summary>
    public const string EntryColumns =
        """
        l.occurred_at, l.entry_id, l.act, l.outcome, l.reason, l.method, l.employee_id, l.client_system, l.assignment_id, l.role, l.unit_id, l.actor_controller,
        l.purpose, l.plan_id, l.subject_id, l.owner_controller, l.resource, l.categories, l.policy_version, l.trace_id, l.decision, l.call_id, l.call_size
        """;

    /// <summary>How many they are.</summary>
    public const int EntryColumnCount = 23;

    private const string StateColumns = "log, log_id, controller, year, size, root";

    public static Query<List<LogState>> States() => new($"SELECT {StateColumns} FROM log_state ORDER BY log", [], ReadStates);

    public static Query<LogState?> StateOf(string logId) => new(
        $"SELECT {StateColumns} FROM log_state WHERE log_id = $1", [Parameter.Of(logId)], static async (reader, stop) => (await ReadStates(reader, stop)).SingleOrDefault());

    /// <summary>The logs of some controllers, the newest first, each with how many disposals of it there are.</summary>
    public static Query<List<(LogState State, int Disposals)>> StatesOf(string[] controllers) => new(
        $"SELECT {StateColumns}, (SELECT count(*)::integer FROM log_disposal d WHERE d.log = s.log) FROM log_state s WHERE controller = ANY ($1) ORDER BY year DESC, log",
        [Parameter.Of(controllers)],
        static async (reader, stop) =>
        {
            var states = new List<(LogState, int)>();
            while (await reader.ReadAsync(stop))
            {
                states.Add((ReadState(reader), reader.GetInt32(6)));
            }

            return states;
        });

    /// <summary>The published checkpoint of a log.</summary>
    public static Query<string?> CheckpointOf(int log) => new(
        "SELECT note FROM log_checkpoint WHERE log = $1",
        [Parameter.Of(log)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? reader.GetString(0) : null);

    /// <summary>The published checkpoints of all logs.</summary>
    public static Query<Dictionary<int, string>> Checkpoints() => new(
        "SELECT log, note FROM log_checkpoint",
        [],
        static async (reader, stop) =>
        {
            var notes = new Dictionary<int, string>();
            while (await reader.ReadAsync(stop))
            {
                notes.Add(reader.GetInt32(0), reader.GetString(1));
            }

            return notes;
        });

    /// <summary>Tiles as they are kept, whatever width is asked for.</summary>
    public static Query<Dictionary<(int Level, long Tile), byte[]>> Tiles(int log, IReadOnlyCollection<TilePath> tiles) => new(
        """
        SELECT t.level, t.tile, t.hashes FROM log_tile t
        WHERE t.log = $1 AND (t.level, t.tile) IN (SELECT k.level::smallint, k.tile FROM unnest($2, $3) AS k (level, tile))
        """,
        [Parameter.Of(log), Parameter.Of([.. tiles.Select(tile => tile.Level)]), Parameter.Of([.. tiles.Select(tile => tile.Index)])],
        static async (reader, stop) =>
        {
            var found = new Dictionary<(int, long), byte[]>();
            while (await reader.ReadAsync(stop))
            {
                found.Add((reader.GetInt16(0), reader.GetInt64(1)), reader.GetFieldValue<byte[]>(2));
            }

            return found;
        });

    /// <summary>Leaves from a position on, in order.</summary>
    public static Query<List<LogLeaf>> Leaves(int log, long from, long before) => new(
        "SELECT position, entry_id, commitment FROM log_leaf WHERE log = $1 AND position >= $2 AND position < $3 ORDER BY position",
        [Parameter.Of(log), Parameter.Of(from), Parameter.Of(before)],
        ReadLeaves);

    /// <summary>The leaf of an entry, and its log.</summary>
    public static Query<(int Log, LogLeaf Leaf)?> LeafOf(Guid entryId) => new(
        "SELECT position, entry_id, commitment, log FROM log_leaf WHERE entry_id = $1",
        [Parameter.Of(entryId)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? (reader.GetInt32(3), ReadLeaf(reader)) : null);

    /// <summary>When an entry was written, whether it has its place in a tree yet or waits for one.</summary>
    public static Query<DateTimeOffset?> TimeOf(Guid entryId) => new(
        "SELECT occurred_at FROM log_leaf WHERE entry_id = $1 UNION ALL SELECT occurred_at FROM log_pending WHERE entry_id = $1 LIMIT 1",
        [Parameter.Of(entryId)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? reader.GetFieldValue<DateTimeOffset>(0) : null);

    /// <summary>The leaves of entries, each with its log.</summary>
    public static Query<Dictionary<Guid, (int Log, LogLeaf Leaf)>> LeavesOf(Guid[] entryIds) => new(
        "SELECT position, entry_id, commitment, log FROM log_leaf WHERE entry_id = ANY ($1)",
        [Parameter.Of(entryIds)],
        static async (reader, stop) =>
        {
            var leaves = new Dictionary<Guid, (int, LogLeaf)>();
            while (await reader.ReadAsync(stop))
            {
                leaves[reader.GetGuid(1)] = (reader.GetInt32(3), ReadLeaf(reader));
            }

            return leaves;
        });

    /// <summary>A state, of the columns that it is read from everywhere.</summary>
    public static LogState ReadState(NpgsqlDataReader reader) => new(
        reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4), new TreeHash(reader.GetFieldValue<byte[]>(5)));

    private static async Task<List<LogState>> ReadStates(NpgsqlDataReader reader, CancellationToken stop)
    {
        var states = new List<LogState>();
        while (await reader.ReadAsync(stop))
        {
            states.Add(ReadState(reader));
        }

        return states;
    }

    private static async Task<List<LogLeaf>> ReadLeaves(NpgsqlDataReader reader, CancellationToken stop)
    {
        var leaves = new List<LogLeaf>();
        while (await reader.ReadAsync(stop))
        {
            leaves.Add(ReadLeaf(reader));
        }

        return leaves;
    }

    private static LogLeaf ReadLeaf(NpgsqlDataReader reader) => new(reader.GetInt64(0), reader.GetGuid(1), reader.GetFieldValue<byte[]>(2));
}
