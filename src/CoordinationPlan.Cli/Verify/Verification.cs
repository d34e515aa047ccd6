using System.Globalization;
using System.Text;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.TransparencyLog.Client;

namespace CoordinationPlan.Cli.Verify;

/// <summary>What is checked, against which keys.</summary>
internal sealed record VerificationOptions
{
    /// <summary>Address or folder of the log; null: only what needs no log.</summary>
    public string? Source { get; init; }

    /// <summary>Connection string of a role that may read the log's database; null: the records are not looked at.</summary>
    public string? Database { get; init; }

    /// <summary>The log's key.</summary>
    public required NoteVerifier Log { get; init; }

    public WitnessPolicy Witnesses { get; init; } = WitnessPolicy.None;

    /// <summary>File with the checkpoint that was checked last. It is replaced when all of the log is right.</summary>
    public string? Last { get; init; }

    /// <summary>Files with checkpoints that the log has given to others.</summary>
    public IReadOnlyList<string> Known { get; init; } = [];

    /// <summary>Files or folders of receipts.</summary>
    public IReadOnlyList<string> Receipts { get; init; } = [];

    public IReadOnlyList<NoteVerifier> ReceiptKeys { get; init; } = [];

    /// <summary>The longest time from an entry to a signed checkpoint that the log's operator promises.</summary>
    public TimeSpan MergeDelay { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How old the last cosignature may be; null: any. A log that stands still hides whatever came after.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Files or folders of proofs.</summary>
    public IReadOnlyList<string> Proofs { get; init; } = [];
}

/// <summary>One run of <c>coordplan verify</c>.</summary>
internal sealed class Verification(VerificationOptions options, TextWriter output, TextWriter progress, HttpClient http, TimeProvider clock)
{
    private static readonly TimeSpan BetweenProgress = TimeSpan.FromSeconds(1);

    private readonly VerificationReport report = new(output);
    private long told = clock.GetTimestamp();

    /// <summary>Checks all, and returns what the program ends with.</summary>
    /// <exception cref="IOException">A file of the checker's own cannot be read.</exception>
    /// <exception cref="FormatException">A file of the checker's own is not what it should be.</exception>
    public async Task<int> Run(CancellationToken stop)
    {
        var known = KnownCheckpoints();
        var proofs = new ProofVerification(options.Log, options.Witnesses, report);
        foreach (var file in Files(options.Proofs, "*" + ProofVerification.Extension))
        {
            var disclosure = Path.ChangeExtension(file, ".json");
            if (proofs.Check(Path.GetFileName(file), Read(file), File.Exists(disclosure) ? Read(disclosure) : null) is { } checkpoint)
            {
                known.Add(checkpoint);
            }
        }

        if (options.Source is not null)
        {
            await CheckLog(LogSource.At(options.Source, http), known, stop);
        }
        else if (options.Receipts.Count > 0 && options.Database is null)
        {
            report.CouldNotCheck("receipts: no log was given to look for them in");
        }

        if (options.Database is not null)
        {
            await new DatabaseVerification(options.Log, options.ReceiptKeys, options.MergeDelay, report, clock)
                .Check(options.Database, [.. Files(options.Receipts, "*").Select(file => Receipt.Parse(File.ReadAllBytes(file)))], stop);
        }

        report.Conclude();
        return report.ExitCode;
    }

    private async Task CheckLog(LogSource source, List<KnownCheckpoint> known, CancellationToken stop)
    {
        var log = new LogVerification(source, options.Log, options.Witnesses, report, Tell);
        try
        {
            if (!await log.OpenCheckpoint(stop))
            {
                return;
            }
        }
        catch (LogUnavailableException failure)
        {
            report.CouldNotCheck($"checkpoint: {failure.Message}");
            return;
        }

        CheckAge(log.WitnessedAt);
        var receipts = options.Receipts.Count == 0
            ? null
            : new ReceiptVerification(
                Files(options.Receipts, "*").Select(file => (Path.GetFileName(file), File.ReadAllBytes(file))), options.Log.Name, options.ReceiptKeys, report);

        // Receipts can be for any leaf, so with them all leaves are read. Whatever else looks for something in the log is shown the leaves here, too.
        var last = Last();
        var from = receipts is null ? last : null;
        if (from is null && last is not null)
        {
            known.Add(new KnownCheckpoint(last, "the last check"));
        }

        var good = await log.CheckTree(from, known, (_, leaf) => receipts?.See(leaf), stop);
        if (good)
        {
            receipts?.Conclude(source.IsLive ? clock.GetUtcNow() : log.WitnessedAt, options.MergeDelay);
        }
        else if (receipts is not null)
        {
            report.CouldNotCheck("receipts: the log itself is not right, or was not read to its end");
        }

        if (good && report.IsClean && options.Last is not null)
        {
            await Keep(options.Last, log.Note!.ToString(), stop);
        }
    }

    private void CheckAge(DateTimeOffset? witnessedAt)
    {
        if (options.MaxAge is not { } maxAge)
        {
            return;
        }

        if (witnessedAt is null)
        {
            report.CouldNotCheck("age: no witness says when the log was like this");
        }
        else if (clock.GetUtcNow() - witnessedAt > maxAge)
        {
            report.Wrong(string.Create(CultureInfo.InvariantCulture, $"the log stands still: no witness has signed it since {witnessedAt:u}"));
        }
        else
        {
            report.Good(string.Create(CultureInfo.InvariantCulture, $"age: a witness has signed it in the last {maxAge}"));
        }
    }

    /// <summary>What was kept before is the checker's own word: the log has signed it, or it is not believed.</summary>
    private Checkpoint? Last() => File.Exists(options.Last) ? Open(options.Last) : null;

    private List<KnownCheckpoint> KnownCheckpoints() => [.. options.Known.Select(file => new KnownCheckpoint(Open(file), Path.GetFileName(file)))];

    private Checkpoint Open(string file)
    {
        try
        {
            return Checkpoint.Open(SignedNote.Parse(File.ReadAllBytes(file)), options.Log);
        }
        catch (Exception failure) when (failure is FormatException or NoteException)
        {
            throw new FormatException($"{file}: {failure.Message}", failure);
        }
    }

    private void Tell(long done, long all)
    {
        if (clock.GetElapsedTime(told) >= BetweenProgress)
        {
            told = clock.GetTimestamp();
            progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {all:N0} entries"));
        }
    }

    private static async Task Keep(string file, string note, CancellationToken stop)
    {
        await File.WriteAllTextAsync(file + ".new", note, stop);
        File.Move(file + ".new", file, overwrite: true);
    }

    private static string Read(string file) => File.ReadAllText(file, Encoding.UTF8);

    private static IEnumerable<string> Files(IReadOnlyList<string> paths, string pattern) => paths.SelectMany(path => Files(path, pattern));

    private static string[] Files(string path, string pattern)
    {
        string[] files = Directory.Exists(path) ? [.. Directory.EnumerateFiles(path, pattern).Order(StringComparer.Ordinal)] : [path];
        return files.Length > 0 ? files : throw new FormatException($"{path} holds nothing to check.");
    }
}
