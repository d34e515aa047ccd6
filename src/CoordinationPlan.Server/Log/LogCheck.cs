using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Checks all that must be true of the log in a database: every entry is pending or has one leaf, positions have no gaps, each leaf is the hash of its stored entry, the
/// tiles and roots follow from the leaves, and what was signed is a beginning of what is there. An entry may be missing only where an approved disposal says so, and the
/// log itself says that of the disposal. Everything is derived anew; nothing that the database says of
/// itself is believed.
/// </summary>
public sealed class LogCheck
{
    // A multiple of a tile's width, so that full tiles are compared as they come.
    private const int Chunk = 40 * TilePath.FullWidth;
    private const int MostOfALog = 100;
    private const int ReceiptsAtOnce = 1000;

    private readonly NpgsqlConnection _connection;
    private readonly LogCheckOptions _options;
    private readonly LogNames _names;
    private readonly List<LogFinding> _findings = [];
    private readonly List<string> _notChecked = [];

    /// <summary>Logs whose published checkpoint is not the one in the publisher's file, and what is wrong where it stays so.</summary>
    private readonly List<Unsettled> _unsettled = [];
    private long _entries;
    private long _disposed;
    private int _checkpoints;

    private LogCheck(NpgsqlConnection connection, LogCheckOptions options)
    {
        (_connection, _options) = (connection, options);
        _names = new LogNames(options.Name);
    }

    /// <summary>Connects as the role that reads the log, wherever the schema is looked for by default.</summary>
    public static async Task<NpgsqlConnection> Open(string connectionString, CancellationToken stop)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = "coordinationplan", Pooling = false }.ConnectionString);
        await connection.OpenAsync(stop);
        return connection;
    }

    /// <summary>Checks a database as it is at one moment, while it is worked with.</summary>
    /// <param name="connectionString">Of coordplan_auditor.</param>
    public static async Task<LogCheckResult> Run(string connectionString, LogCheckOptions options, IProgress<long>? progress, CancellationToken stop)
    {
        await using var connection = await Open(connectionString, stop);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, stop);
        return await Run(connection, options, progress, check => check.Settle(connectionString, stop), stop);
    }

    /// <summary>Checks a database that nobody works with.</summary>
    /// <param name="connection">Open, as coordplan_auditor, in a transaction that sees one state of the database and has not looked at it yet.</param>
    /// <param name="progress">Is told how many entries were checked.</param>
    public static Task<LogCheckResult> Run(NpgsqlConnection connection, LogCheckOptions options, IProgress<long>? progress, CancellationToken stop) =>
        Run(connection, options, progress, static _ => Task.CompletedTask, stop);

    private static async Task<LogCheckResult> Run(NpgsqlConnection connection, LogCheckOptions options, IProgress<long>? progress, Func<LogCheck, Task> settle, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        var check = new LogCheck(connection, options);
        var (logs, pending) = (0, 0L);
        try
        {
            (logs, pending) = await check.Run(progress, stop);
            await settle(check);
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException or OverflowException or LogFaultException)
        {
            check.Find("database", $"what is there cannot be read as a log: {fault.Message}");
        }

        check._unsettled.ForEach(log => check.Find(log.State.LogId, log.Fault));
        return new LogCheckResult(check._findings, check._notChecked, logs, check._entries, check._disposed, pending, check._checkpoints, options.Receipts.Count);
    }

    private async Task<(int Logs, long Pending)> Run(IProgress<long>? progress, CancellationToken stop)
    {
        // Before the database is looked at: what was signed then is in what is seen of it.
        var files = _options.Directory is { } directory ? new SignedLogs(directory) : null;
        var signed = files?.LogIds.ToDictionary(logId => logId, logId => ReadSigned(files, logId));
        var trip = new RoundTrip(_connection);
        var states = trip.Add(LogSql.States());
        var notes = trip.Add(LogSql.Checkpoints());
        var pendingCount = trip.Add(LogCheckSql.PendingCount());
        var pending = trip.Add(LogCheckSql.Pending());
        var nowhere = trip.Add(LogCheckSql.Nowhere());
        var disposals = trip.Add(LogDisposalSql.All());
        var decided = trip.Add(LogDisposalSql.Entries());
        var keptOfNone = trip.Add(LogCheckSql.KeptOfNoDisposal());
        var ofNoLog = trip.Add(LogCheckSql.OfNoLog());
        await trip.Run(stop);

        var covers = Covers(disposals.Value, decided.Value, keptOfNone.Value);
        trip = new RoundTrip(_connection);
        // Of a log that is disposed of, what is left of a call says nothing; every entry that is to be there is named.
        var calls = trip.Add(LogCheckSql.Calls([.. states.Value.Where(state => covers[state.Log].Any())]));
        await trip.Run(stop);

        Report("log_pending", pending.Value);
        Report("access_log", nowhere.Value);
        Report("access_log", calls.Value);
        if (ofNoLog.Value > 0)
        {
            Find("log_state", $"{ofNoLog.Value} rows belong to a log that is not there");
        }

        if (pendingCount.Value.Doubled > 0)
        {
            Find("log_pending", $"{pendingCount.Value.Doubled} entries stand there more than once");
        }

        foreach (var same in states.Value.GroupBy(state => state.LogId).Where(same => same.Count() > 1))
        {
            Find(same.Key, "it stands in log_state more than once");
        }

        if (pendingCount.Value.Oldest is { } oldest && _options.Now - new DateTimeOffset(oldest, TimeSpan.Zero) > _options.MaximumMergeDelay)
        {
            Find("log_pending", $"the oldest of {pendingCount.Value.Count} entries has been waiting since {oldest:O}");
        }

        foreach (var state in states.Value)
        {
            await CheckLog(state, notes.Value.GetValueOrDefault(state.Log), signed, [.. covers[state.Log]], progress, stop);
        }

        foreach (var gone in signed?.Keys.Except(states.Value.Select(state => state.LogId)) ?? [])
        {
            Find(gone, "it was signed and is not in the database");
        }

        await CheckReceipts(states.Value, stop);
        SayWhatWasNot(signed);
        return (states.Value.Count, pendingCount.Value.Count);
    }

    private async Task CheckLog(LogState state, string? note, IReadOnlyDictionary<string, SignedLog?>? files, Cover[] covers, IProgress<long>? progress, CancellationToken stop)
    {
        if (state.LogId != LogNames.IdOf(state.Controller, state.Year))
        {
            Find(state.LogId, "its id is not that of its controller and year");
        }

        var (published, signed) = (Published(state, note), Signed(state, files));
        var (tree, builder) = (new TreeEdge(), TileBuilder.Load(0, _ => []));
        var unfinished = new Dictionary<int, (TilePath Tile, byte[] Hashes)>();
        var found = _findings.Count;
        using var digest = new LeafDigest();
        long tiles = 0;
        for (long from = 0; ; from += Chunk)
        {
            var trip = new RoundTrip(_connection);
            var leaves = trip.Add(LogCheckSql.Leaves(state.Log, from, from + Chunk));
            await trip.Run(stop);
            foreach (var leaf in leaves.Value)
            {
                digest.Add(leaf.EntryId, leaf.OccurredAt);
                Check(state, leaf, tree.Size, covers, () => _findings.Count - found < MostOfALog);
                var hash = TreeHash.OfLeaf(leaf.Commitment);
                tree.Append(hash);
                builder.Append(hash);
                if (Array.Exists(covers, cover => cover.Disposal.Size == tree.Size && !cover.Disposal.Leaves.AsSpan().SequenceEqual(digest.Current())))
                {
                    Find(state.LogId, "its leaves are of other entries than those that were disposed of");
                }

                Compare(state, published, "the published checkpoint", tree);
                Compare(state, signed?.Checkpoint, "what was signed, by the publisher's own file,", tree);
            }

            _entries += leaves.Value.Count;
            progress?.Report(_entries);
            var grown = builder.Take();
            foreach (var tile in grown.Where(tile => !tile.Tile.IsFull))
            {
                unfinished[tile.Tile.Level] = tile;
            }

            tiles += await CompareTiles(state, [.. grown.Where(tile => tile.Tile.IsFull)], stop);
            if (leaves.Value.Count == 0)
            {
                break;
            }
        }

        foreach (var cover in covers.Where(cover => cover is { Disposal.Done: false, Gone: > 0, Left: 0 }))
        {
            Find(state.LogId, $"everything that disposal {cover.Disposal.Id} covers is gone, and it is not noted as done");
        }

        var last = TreeTiles.RightEdge(tree.Size).Select(tile => unfinished[tile.Level]).ToList();
        tiles += await CompareTiles(state, last, stop);
        var counts = new RoundTrip(_connection);
        var rows = counts.Add(LogCheckSql.Counts(state.Log));
        await counts.Run(stop);
        if (rows.Value.Leaves != tree.Size)
        {
            Find(state.LogId, $"{rows.Value.Leaves} leaves, of which {tree.Size} stand at positions of the log");
        }

        if (rows.Value.Tiles != tiles)
        {
            Find(state.LogId, $"{rows.Value.Tiles} tiles, and there are to be {tiles}");
        }

        if (state.Size != tree.Size || state.Root != tree.Root)
        {
            Find(state.LogId, $"its state of {state.Size} leaves is not that of the {tree.Size} leaves there are");
        }

        if (tree.Size == 0)
        {
            Find(state.LogId, "a log without leaves");
        }

        foreach (var (what, size) in new[] { ("the published checkpoint", published?.Size ?? 0), ("what was signed, by the publisher's own file,", signed?.Checkpoint.Size ?? 0) })
        {
            if (size > tree.Size)
            {
                Find(state.LogId, $"{what} has {size} leaves, and {tree.Size} are there: the database has gone back");
            }
        }

        if (signed is { } own && note != own.Note)
        {
            _unsettled.Add(new Unsettled(
                state,
                Math.Max(own.Checkpoint.Size, published?.Size ?? 0),
                note is null ? "its published checkpoint is gone" : "its published checkpoint is not the one that the publisher keeps"));
        }
    }

    /// <summary>
    /// A publisher that is at work writes its file, has it cosigned, and then publishes. So what differs is looked at again until the two are the same, and not behind either of what was
    /// seen first, or have had the time for it.
    /// </summary>
    private async Task Settle(string connectionString, CancellationToken stop)
    {
        for (var begin = TimeProvider.System.GetTimestamp();
            _unsettled.Count > 0 && TimeProvider.System.GetElapsedTime(begin) < _options.PublishedWithin;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, stop))
        {
            await using var connection = await Open(connectionString, stop);
            var trip = new RoundTrip(connection);
            var notes = trip.Add(LogSql.Checkpoints());
            await trip.Run(stop);
            var files = new SignedLogs(_options.Directory!);
            _unsettled.RemoveAll(log => notes.Value.GetValueOrDefault(log.State.Log) is { } note && IsSettled(log, note, files));
        }
    }

    private bool IsSettled(Unsettled log, string note, SignedLogs files)
    {
        try
        {
            return files.Read(log.State.LogId)?.Note == note && OpenNote(log.State.LogId, note) is var checkpoint
                && checkpoint.Size >= log.Size && (checkpoint.Size != log.State.Size || checkpoint.Root == log.State.Root);
        }
        catch (Exception fault) when (fault is LogFaultException or FormatException or NoteException)
        {
            return false;
        }
    }

    /// <summary>What each log's approved disposals cover, by what the log itself says of them; whatever it does not bear out is a finding, and covers nothing.</summary>
    private ILookup<int, Cover> Covers(List<LogDisposalRecord> disposals, List<DisposalEntry> decided, long keptOfNone)
    {
        var evidence = new DisposalEvidence(decided);
        var covers = new List<Cover>();
        foreach (var disposal in disposals)
        {
            if (evidence.Fault(disposal) is { } fault)
            {
                // A proposal of just now has no place in a tree yet.
                if (disposal.ApprovedBy is not null || decided.TrueForAll(entry => entry.Text != disposal.Text || entry.Log is not null))
                {
                    Find("log_disposal", $"disposal {disposal.Id}: {fault}");
                }
            }
            else if (disposal.ApprovedBy is not null)
            {
                covers.Add(new Cover(disposal));
            }
        }

        foreach (var text in evidence.Without(disposals))
        {
            Find("log_disposal", $"the log has a decision that no disposal is stored of: {text}");
        }

        foreach (var same in disposals.GroupBy(disposal => disposal.Id).Where(same => same.Count() > 1))
        {
            Find("log_disposal", $"disposal {same.Key} stands there more than once");
        }

        if (keptOfNone > 0)
        {
            Find("log_disposal_kept", $"{keptOfNone} rows belong to a disposal that is not there");
        }

        return covers.ToLookup(cover => cover.Disposal.Log);
    }

    private void Check(LogState state, CheckedLeaf leaf, long position, Cover[] covers, Func<bool> more)
    {
        var covering = Array.FindAll(covers, cover => cover.Holds(position));
        foreach (var cover in covering)
        {
            cover.Count(leaf.OfRow is null);
        }

        _disposed += leaf.OfRow is null && covering.Length > 0 ? 1 : 0;
        var fault = leaf switch
        {
            _ when leaf.Position != position => $"position {position} is not there, or there twice",
            { OfRow: null } when covering.Length > 0 => null,
            { OfRow: not null } when Array.Find(covering, cover => cover.Disposal.Done) is { } done => $"entry {leaf.EntryId} with leaf {leaf.Position} is there, and disposal {done.Disposal.Id} is done",
            { OfRow: null } => $"entry {leaf.EntryId} has leaf {leaf.Position} and is not in the access log: removed, or moved to another time",
            _ when !leaf.Commitment.AsSpan().SequenceEqual(leaf.OfRow) => $"entry {leaf.EntryId} is not what leaf {leaf.Position} was made of",
            _ when LogNames.IdOf(leaf.Controller, leaf.Year) != state.LogId => $"entry {leaf.EntryId} with leaf {leaf.Position} belongs to another log",
            _ => null,
        };
        if (fault is not null && more())
        {
            Find(state.LogId, fault);
        }
    }

    private void Compare(LogState state, Checkpoint? checkpoint, string what, TreeEdge tree)
    {
        if (checkpoint?.Size == tree.Size && checkpoint.Root != tree.Root)
        {
            Find(state.LogId, $"{what} of {checkpoint.Size} leaves has another root than those leaves");
        }
    }

    private async Task<int> CompareTiles(LogState state, List<(TilePath Tile, byte[] Hashes)> expected, CancellationToken stop)
    {
        if (expected.Count == 0)
        {
            return 0;
        }

        var trip = new RoundTrip(_connection);
        var there = trip.Add(LogSql.Tiles(state.Log, [.. expected.Select(tile => tile.Tile)]));
        await trip.Run(stop);
        foreach (var (tile, hashes) in expected)
        {
            if (!there.Value.TryGetValue((tile.Level, tile.Index), out var kept) || !kept.AsSpan().SequenceEqual(hashes))
            {
                Find(state.LogId, $"{tile} is not what its leaves make it");
            }
        }

        return expected.Count;
    }

    private Checkpoint? Published(LogState state, string? note)
    {
        if (note is null)
        {
            return null;
        }

        _checkpoints++;
        return Opened(state.LogId, note, "its published checkpoint");
    }

    private (Checkpoint Checkpoint, string Note)? Signed(LogState state, IReadOnlyDictionary<string, SignedLog?>? files) =>
        files?.GetValueOrDefault(state.LogId) is { } signed && Opened(state.LogId, signed.Note, "the publisher's own file") is { } checkpoint ? (checkpoint, signed.Note) : null;

    private SignedLog? ReadSigned(SignedLogs files, string logId)
    {
        try
        {
            return files.Read(logId);
        }
        catch (LogFaultException fault)
        {
            Find(logId, fault.Message);
            return null;
        }
    }

    /// <summary>A checkpoint that is of this log and, where the key was given, signed by its publisher.</summary>
    private Checkpoint OpenNote(string logId, string note)
    {
        var parsed = SignedNote.Parse(note);
        var checkpoint = Checkpoint.Parse(parsed.Text);
        if (checkpoint.Origin != _names.Origin(logId))
        {
            throw new NoteException("it is another log's");
        }

        return _options.PublisherKey is { } key ? Checkpoint.Open(parsed, LogKey.Verifier(_names.Origin(logId), key.Span)) : checkpoint;
    }

    private Checkpoint? Opened(string logId, string note, string what)
    {
        try
        {
            return OpenNote(logId, note);
        }
        catch (Exception fault) when (fault is FormatException or NoteException)
        {
            Find(logId, $"{what} is none: {fault.Message}");
            return null;
        }
    }

    private async Task CheckReceipts(List<LogState> states, CancellationToken stop)
    {
        foreach (var receipts in _options.Receipts.Chunk(ReceiptsAtOnce))
        {
            var ids = receipts.Select(receipt => receipt.Entry).ToArray();
            var trip = new RoundTrip(_connection);
            var leaves = trip.Add(LogSql.LeavesOf(ids));
            var pending = trip.Add(LogCheckSql.CommitmentsOfPending(ids));
            await trip.Run(stop);
            foreach (var receipt in receipts)
            {
                var isLate = _options.Now - receipt.Time > _options.MaximumMergeDelay;
                var leaf = leaves.Value.TryGetValue(receipt.Entry, out var found) ? found : ((int Log, LogLeaf Leaf)?)null;
                var fault = (leaf, pending.Value.GetValueOrDefault(receipt.Entry)) switch
                {
                    _ when _options.ReceiptKey is { } key && !receipt.Verify(key) => "its receipt is not signed by the log's key",
                    ({ } there, _) when there.Leaf.Hash != receipt.Leaf => "its leaf is another than the receipt promised",
                    ({ } there, _) when states.Find(state => state.Log == there.Log) is not { } state || _names.Origin(state.LogId) != receipt.Origin =>
                        "its leaf is in another log than the receipt promised",
                    ({ }, _) => null,
                    (null, { } commitment) when commitment.Length == 0 || TreeHash.OfLeaf(commitment) != receipt.Leaf => "it is not what the receipt was given for",
                    (null, { }) => isLate ? "it has had no leaf for longer than the maximum merge delay" : null,
                    _ => "it was removed: a receipt for it was given, and it is neither in a tree nor pending",
                };
                if (fault is not null)
                {
                    Find("receipts", $"entry {receipt.Entry}: {fault}");
                }
            }
        }
    }

    private void SayWhatWasNot(IReadOnlyDictionary<string, SignedLog?>? signed)
    {
        if (signed is null)
        {
            _notChecked.Add("what was signed: the publisher's directory was not given, so a database that has gone back would not show");
        }

        if (_options.PublisherKey is null)
        {
            _notChecked.Add("signatures of checkpoints: the publisher's key was not given");
        }

        if (_options.Receipts.Count == 0)
        {
            _notChecked.Add("entries that were removed before they were sequenced: no receipts were given");
        }
        else if (_options.ReceiptKey is null)
        {
            _notChecked.Add("signatures of receipts: their key was not given");
        }
    }

    private void Report(string where, List<LogRowFault> faults)
    {
        foreach (var fault in faults)
        {
            Find(where, $"entry {fault.EntryId} {fault.What}");
        }
    }

    private void Find(string where, string what) => _findings.Add(new LogFinding(where, what));

    /// <summary>What an approved disposal covers, and how much of that was found.</summary>
    private sealed class Cover(LogDisposalRecord disposal)
    {
        private readonly HashSet<long> _kept = [.. disposal.Kept];

        public LogDisposalRecord Disposal => disposal;

        public long Gone { get; private set; }

        public long Left { get; private set; }

        public bool Holds(long position) => position < disposal.Size && !_kept.Contains(position);

        public void Count(bool isGone) => (Gone, Left) = isGone ? (Gone + 1, Left) : (Gone, Left + 1);
    }

    /// <summary>A log whose published checkpoint is not the one in the publisher's file.</summary>
    /// <param name="State">The log as the database was seen.</param>
    /// <param name="Size">The larger of the two. What is behind it has gone back.</param>
    /// <param name="Fault">What is wrong where it stays so.</param>
    private sealed record Unsettled(LogState State, long Size, string Fault);
}
