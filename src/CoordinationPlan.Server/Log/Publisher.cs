using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Signs what the logs hold. It believes nothing that the database says of the past: it extends the edge that it keeps itself by the leaves that are new, and signs only
/// where the database's tiles and state have the same root. What it signs is in its own file before anybody sees it. Of several servers one publishes; the others check
/// what it published and keep their own files, so that each of them can go on.
/// </summary>
internal sealed class Publisher(
    DataSources dataSources, LogNames names, PublisherKey key, SignedLogs files, Witnesses witnesses, LogOptions options, LogCondition condition, LogMetrics metrics,
    ILogger<Publisher> log)
    : LogWork(LogPart.Publisher, "checkpoints cannot be published", condition, log)
{
    private const int Chunk = 10_000;

    /// <summary>Logs that this process has compared with its file from the first leaf on.</summary>
    private readonly HashSet<string> _checkedInFull = [];
    private readonly Dictionary<string, long> _signedAt = [];

    /// <summary>Logs that had a checkpoint and no file when this process began. One that comes later is followed from its first leaf on.</summary>
    private HashSet<string>? _withoutFile;

    /// <summary>Looks at every log once; returns how many checkpoints were published.</summary>
    public async Task<int> RunOnce(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Publisher).OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var trip = new RoundTrip(connection);
        var leads = trip.Add(PublisherSql.TryLead());
        var states = trip.Add(LogSql.States());
        var notes = trip.Add(LogSql.Checkpoints());
        await trip.Run(stop);

        var known = files.LogIds;
        _withoutFile ??= [.. states.Value.Where(state => notes.Value.ContainsKey(state.Log)).Select(state => state.LogId).Except(known)];
        var due = new List<(LogState State, SignedLog Signed)>();
        foreach (var state in states.Value)
        {
            if (await Look(connection, state, notes.Value.GetValueOrDefault(state.Log), leads.Value, stop) is { } signed)
            {
                due.Add((state, signed));
            }
        }

        foreach (var gone in known.Except(states.Value.Select(state => state.LogId)))
        {
            Refuse(gone, "it was signed and is not in the database");
        }

        var published = 0;
        foreach (var (state, signed) in due)
        {
            if (await Cosign(connection, state, signed, stop) is { } note)
            {
                files.Write(signed with { Note = note });
                var second = new RoundTrip(connection);
                second.Add(PublisherSql.Publish(state.Log, note));
                await second.Run(stop);
                _signedAt[state.LogId] = TimeProvider.System.GetTimestamp();
                published++;
                metrics.Published();
            }
        }

        await transaction.CommitAsync(stop);
        return published;
    }

    /// <summary>
    /// Takes up a log whose file is not there, after everything in it has been derived from the first leaf on. Somebody has decided that this database is the true one.
    /// </summary>
    /// <returns>The logs that were taken up.</returns>
    public async Task<IReadOnlyList<string>> Adopt(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Publisher).OpenConnectionAsync(stop);
        var trip = new RoundTrip(connection);
        var states = trip.Add(LogSql.States());
        var notes = trip.Add(LogSql.Checkpoints());
        await trip.Run(stop);
        var adopted = new List<string>();
        foreach (var state in states.Value)
        {
            if (files.Read(state.LogId) is null && notes.Value.GetValueOrDefault(state.Log) is { } note)
            {
                var published = Open(state, note);
                var edge = await Extend(connection, state, new TreeEdge(), published.Size, stop);
                if (edge.Root != published.Root)
                {
                    throw new LogFaultException($"{state.LogId}: its published checkpoint is not of the leaves there are");
                }

                files.Write(new SignedLog(state.LogId, edge.Size, edge.Hashes, note));
                adopted.Add(state.LogId);
            }
        }

        return adopted;
    }

    protected override TimeSpan Every => options.PublishEvery;

    protected override Task Turn(CancellationToken stop) => RunOnce(stop);

    /// <summary>What is to be published of a log, once it is found to be an extension of what was; null where nothing is.</summary>
    private async Task<SignedLog?> Look(NpgsqlConnection connection, LogState state, string? note, bool leads, CancellationToken stop)
    {
        try
        {
            var (published, signed) = (note is null ? null : Open(state, note), files.Read(state.LogId));
            if (signed is null && published is not null && (_withoutFile!.Contains(state.LogId) || _checkedInFull.Contains(state.LogId)))
            {
                throw new LogFaultException("it has a checkpoint, and this server keeps nothing of it: run `coordplan log adopt` where this database is the true one");
            }

            if (signed is not null)
            {
                Open(state, signed.Note);
            }

            if (state.Size < (signed?.Size ?? 0) || state.Size < (published?.Size ?? 0))
            {
                throw new LogFaultException($"it has {state.Size} leaves, and {Math.Max(signed?.Size ?? 0, published?.Size ?? 0)} were signed: the database has gone back");
            }

            if (!_checkedInFull.Contains(state.LogId))
            {
                var whole = await Extend(connection, state, new TreeEdge(), signed?.Size ?? 0, stop);
                if (whole.Root != (signed?.Root ?? TreeHash.Empty))
                {
                    throw new LogFaultException("its leaves are not the ones that were signed");
                }
            }

            var edge = signed is null ? new TreeEdge() : TreeEdge.Load(signed.Size, signed.Edge);
            if (published is not null && published.Size >= edge.Size)
            {
                // Another server has published it. As a witness would: it must be of the leaves there are, after those that this one has seen signed.
                edge = await Extend(connection, state, edge, published.Size, stop);
                if (edge.Root != published.Root)
                {
                    throw new LogFaultException($"its published checkpoint of {published.Size} leaves is not of the leaves there are");
                }

                if (edge.Size > (signed?.Size ?? 0) || note != signed!.Note)
                {
                    files.Write(new SignedLog(state.LogId, edge.Size, edge.Hashes, note!));
                }
            }

            edge = await Extend(connection, state, edge, state.Size, stop);
            if (edge.Root != state.Root || edge.Root != await RootOfTiles(connection, state, stop))
            {
                throw new LogFaultException($"its {state.Size} leaves, its tiles and its state have different roots");
            }

            _checkedInFull.Add(state.LogId);
            Condition.Clear(LogPart.Publisher, state.LogId);
            return leads && (published?.Size != state.Size || IsDueAgain(state.LogId)) ? Sign(state, edge) : null;
        }
        catch (Exception fault) when (fault is LogFaultException or FormatException or NoteException or ArgumentException)
        {
            Refuse(state.LogId, fault.Message);
            return null;
        }
    }

    private SignedLog Sign(LogState state, TreeEdge edge)
    {
        var origin = names.Origin(state.LogId);
        var signed = new SignedLog(state.LogId, edge.Size, edge.Hashes, new Checkpoint(origin, edge.Size, edge.Root).Sign(key.As(origin)).ToString());
        // Before anybody sees it: after a crash nothing else of this size is signed.
        files.Write(signed);
        return signed;
    }

    private async Task<string?> Cosign(NpgsqlConnection connection, LogState state, SignedLog signed, CancellationToken stop)
    {
        var fault = "too few witnesses have signed";
        try
        {
            if (await witnesses.Cosign(state, SignedNote.Parse(signed.Note), connection, stop) is { } note)
            {
                Condition.Clear(LogPart.Witnesses, state.LogId);
                return note.ToString();
            }
        }
        catch (LogFaultException refusal)
        {
            fault = refusal.Message;
        }

        if (Condition.Set(LogPart.Witnesses, state.LogId, fault))
        {
            Log.LogError("The checkpoint of log {Log} is not published: {Fault}", state.LogId, fault);
        }

        return null;
    }

    private Checkpoint Open(LogState state, string note) => Checkpoint.Open(SignedNote.Parse(note), key.As(names.Origin(state.LogId)).Verifier);

    private bool IsDueAgain(string logId) =>
        !_signedAt.TryGetValue(logId, out var at) || TimeProvider.System.GetElapsedTime(at) >= options.RepublishAfter;

    private static async Task<TreeEdge> Extend(NpgsqlConnection connection, LogState state, TreeEdge edge, long size, CancellationToken stop)
    {
        while (edge.Size < size)
        {
            var trip = new RoundTrip(connection);
            var leaves = trip.Add(LogSql.Leaves(state.Log, edge.Size, Math.Min(size, edge.Size + Chunk)));
            await trip.Run(stop);
            foreach (var leaf in leaves.Value)
            {
                if (leaf.Position != edge.Size)
                {
                    throw new LogFaultException($"position {edge.Size} is missing");
                }

                edge.Append(leaf.Hash);
            }

            if (leaves.Value.Count == 0)
            {
                throw new LogFaultException($"position {edge.Size} is missing");
            }
        }

        return edge;
    }

    private static async Task<TreeHash> RootOfTiles(NpgsqlConnection connection, LogState state, CancellationToken stop)
    {
        var trip = new RoundTrip(connection);
        var tiles = trip.Add(LogSql.Tiles(state.Log, TreeTiles.RightEdge(state.Size)));
        await trip.Run(stop);
        return TreeTiles.Root(state.Size, TreeTiles.Of(tiles.Value));
    }

    private void Refuse(string logId, string fault)
    {
        metrics.Refused();
        if (Condition.Set(LogPart.Publisher, logId, fault))
        {
            Log.LogCritical("Log {Log} is not signed: {Fault}", logId, fault);
        }
    }
}

/// <summary>What checkpoints are verified with, where this server knows.</summary>
internal sealed class LogKeys(PublisherKey? publisher)
{
    public NoteVerifier? VerifierOf(string origin) => publisher?.As(origin).Verifier;
}

/// <summary>The key that checkpoints are signed with.</summary>
internal sealed record PublisherKey(LogKey Key)
{
    public NoteSigner As(string origin) => Key.As(origin);
}
