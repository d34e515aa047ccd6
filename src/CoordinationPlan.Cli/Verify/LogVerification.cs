using System.Globalization;
using System.Runtime.CompilerServices;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.TransparencyLog.Client;

namespace CoordinationPlan.Cli.Verify;

/// <summary>
/// Checks a log from what it serves, and from the keys that the checker has of elsewhere: that the checkpoint is signed, that every entry hashes to its leaf, every leaf and tile to the
/// root that was signed, and that the tree begins with every earlier one that is known.
/// </summary>
internal sealed class LogVerification(LogSource source, NoteVerifier log, WitnessPolicy witnesses, VerificationReport report, Action<long, long> progress)
{
    private const int InFlight = 8;

    /// <summary>The signed note that was checked; null until then.</summary>
    public SignedNote? Note { get; private set; }

    /// <summary>What it says; null where the log has not signed it.</summary>
    public Checkpoint? Checkpoint { get; private set; }

    /// <summary>When the last of as many witnesses as are needed had signed it; null where fewer have.</summary>
    public DateTimeOffset? WitnessedAt { get; private set; }

    /// <summary>Reads the checkpoint and checks who has signed it. True: the tree can be checked against it.</summary>
    public async Task<bool> OpenCheckpoint(CancellationToken stop)
    {
        try
        {
            Note = SignedNote.Parse(await source.Checkpoint(stop));
            Checkpoint = Checkpoint.Open(Note, log);
        }
        catch (Exception failure) when (failure is FormatException or NoteException)
        {
            report.Wrong($"checkpoint: {failure.Message}");
            return false;
        }

        report.Good(Text($"checkpoint of {Checkpoint.Size} entries, signed by {log.Name}, root {Checkpoint.Root}"));
        if (witnesses.Witnesses.Count == 0)
        {
            report.CouldNotCheck("witnesses: none was given, so nobody says that others are shown the same log");
            return true;
        }

        try
        {
            var signed = witnesses.SignedBy(Note);
            // As many as are needed have to say so: one whose clock is wrong, or who lies, cannot make the log young.
            var times = signed.Select(witness => Note.Signatures.Where(witness.Claims).Max(Cosignature.TimeOf)).OrderDescending().ToList();
            WitnessedAt = times.Count >= Math.Max(1, witnesses.Needed) ? times[Math.Max(1, witnesses.Needed) - 1] : null;
            var who = Text($"{signed.Count} of {witnesses.Witnesses.Count} witnesses have signed, {witnesses.Needed} needed{(WitnessedAt is { } time ? Text($"; last at {time:u}") : "")}");
            if (signed.Count >= witnesses.Needed)
            {
                report.Good($"witnesses: {who}");
            }
            else
            {
                report.Wrong($"witnesses: {who}");
            }
        }
        catch (NoteException failure)
        {
            report.Wrong($"witnesses: {failure.Message}");
        }

        return true;
    }

    /// <summary>Checks the tree from where it was checked last, or from the beginning.</summary>
    /// <param name="from">A checkpoint up to which all was checked before; null: none.</param>
    /// <param name="known">Others that the tree must begin with. One that is smaller than where this starts makes it start from the beginning.</param>
    /// <param name="leaf">Is shown each leaf that is read, with its place: what is looked for in the log beside its own rules (receipts, rows of a database).</param>
    /// <returns>Whether all of it was read and is right.</returns>
    public async Task<bool> CheckTree(Checkpoint? from, IReadOnlyList<KnownCheckpoint> known, Action<long, TreeHash> leaf, CancellationToken stop)
    {
        var checkpoint = Checkpoint ?? throw new InvalidOperationException("There is no checkpoint to check the tree against.");
        if (from is not null)
        {
            known = [.. known, new KnownCheckpoint(from, "the last check")];
        }

        var good = true;
        foreach (var ahead in known.Where(earlier => earlier.Checkpoint.Size > checkpoint.Size))
        {
            report.Wrong(Text($"the log has gone back: {ahead.From} knows {ahead.Checkpoint.Size} entries, and it shows {checkpoint.Size}"));
            good = false;
        }

        var start = from is null || from.Size > checkpoint.Size || known.Any(earlier => earlier.Checkpoint.Size < from.Size) ? 0 : from.Size;
        try
        {
            return await Walk(start, checkpoint, known, leaf, stop) && good;
        }
        catch (FormatException failure)
        {
            report.Wrong($"the tree: {failure.Message}");
        }
        catch (LogUnavailableException failure)
        {
            report.CouldNotCheck($"the tree: {failure.Message}");
        }

        return false;
    }

    private async Task<bool> Walk(long start, Checkpoint checkpoint, IReadOnlyList<KnownCheckpoint> known, Action<long, TreeHash> leaf, CancellationToken stop)
    {
        var builder = TileBuilder.Load(start, await Edge(start, checkpoint.Size, stop));
        var edge = builder.Edge();
        var good = Compare(edge, known);
        var unknownKind = 0L;
        var tiles = new TileComparison(source, stop);

        // The bundle that the start is in is read whole; what of it was checked before is passed over.
        await foreach (var (bundle, bytes) in ReadInOrder([.. Tiles.NewEntries(start, checkpoint.Size)], stop))
        {
            var first = bundle.Index * TilePath.FullWidth;
            var entries = EntryBundle.Parse(bytes, bundle.Width);
            for (var i = Math.Max(0, (int)(start - first)); i < entries.Count; i++)
            {
                var hash = TreeHash.OfLeaf(entries[i].Span);
                unknownKind += Commitment.IsEntry(entries[i].Span) ? 0 : 1;
                leaf(builder.Size, hash);
                builder.Append(hash);
                edge.Append(hash);
                good &= Compare(edge, known);
            }

            await tiles.Add(builder.TakeFull());
            progress(builder.Size, checkpoint.Size);
        }

        await tiles.Add(builder.Take());
        await tiles.Finish();
        if (edge.Root != checkpoint.Root)
        {
            report.Wrong(Text($"the entries do not hash to the root that was signed, but to {edge.Root}"));
            good = false;
        }
        else
        {
            report.Good(Text($"{checkpoint.Size - start} entries{(start > 0 ? Text($", from {start} on,") : "")} hash to the root that was signed"));
        }

        if (tiles.Wrong.Count > 0)
        {
            report.Wrong(Text($"{tiles.Wrong.Count} tiles are not what the entries hash to: {string.Join(", ", tiles.Wrong.Take(5))}{(tiles.Wrong.Count > 5 ? ", …" : "")}"));
            good = false;
        }
        else
        {
            report.Good(Text($"{tiles.Count} tiles are what the entries hash to"));
        }

        if (unknownKind > 0)
        {
            report.CouldNotCheck(Text($"{unknownKind} entries are of a kind that this program does not know"));
        }

        return good;
    }

    /// <summary>The tiles at the right edge of the tree at an earlier size, from the tiles that there are now.</summary>
    private async Task<Func<TilePath, byte[]>> Edge(long earlier, long size, CancellationToken stop)
    {
        Dictionary<TilePath, byte[]> tiles = [];
        foreach (var tile in Tiles.Edge(earlier))
        {
            var now = Tiles.Holding(tile.Level, tile.Index * TilePath.FullWidth, size);
            var bytes = await source.Tile(now, stop);
            tiles[tile] = bytes.Length == now.Width * TreeHash.Length ? bytes[..(tile.Width * TreeHash.Length)] : throw new FormatException($"{now} holds {bytes.Length} bytes.");
        }

        return tile => tiles[tile];
    }

    private bool Compare(TreeEdge edge, IReadOnlyList<KnownCheckpoint> known)
    {
        var good = true;
        for (var i = 0; i < known.Count; i++)
        {
            if (known[i].Checkpoint.Size != edge.Size)
            {
                continue;
            }

            if (known[i].Checkpoint.Root == edge.Root)
            {
                report.Good(Text($"the log begins with the {edge.Size} entries that {known[i].From} knows"));
            }
            else
            {
                report.Wrong(Text($"two histories: of the first {edge.Size} entries, {known[i].From} knows the root {known[i].Checkpoint.Root}, and the log shows {edge.Root}"));
                good = false;
            }
        }

        return good;
    }

    /// <summary>Reads ahead, so that the way to the log is not waited for each time.</summary>
    private async IAsyncEnumerable<(TilePath Tile, byte[] Bytes)> ReadInOrder(IReadOnlyList<TilePath> tiles, [EnumeratorCancellation] CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reading = new Queue<Task<byte[]>>();
        try
        {
            for (var i = 0; i < tiles.Count; i++)
            {
                for (var next = i + reading.Count; reading.Count < InFlight && next < tiles.Count; next++)
                {
                    reading.Enqueue(source.Tile(tiles[next], ended.Token));
                }

                yield return (tiles[i], await reading.Dequeue());
            }
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(reading).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Others make their proofs of the tiles, so these must be what the entries say, at every level.</summary>
    private sealed class TileComparison(LogSource source, CancellationToken stop)
    {
        private readonly Queue<(TilePath Tile, byte[] Expected, Task<byte[]> Read)> reading = [];

        public long Count { get; private set; }

        public List<TilePath> Wrong { get; } = [];

        public async Task Add(IReadOnlyList<(TilePath Tile, byte[] Hashes)> tiles)
        {
            foreach (var (tile, hashes) in tiles)
            {
                reading.Enqueue((tile, hashes, source.Tile(tile, stop)));
                while (reading.Count > InFlight)
                {
                    await Next();
                }
            }
        }

        public async Task Finish()
        {
            while (reading.Count > 0)
            {
                await Next();
            }
        }

        private async Task Next()
        {
            var (tile, expected, read) = reading.Dequeue();
            Count++;
            if (!(await read).AsSpan().SequenceEqual(expected))
            {
                Wrong.Add(tile);
            }
        }
    }
}
