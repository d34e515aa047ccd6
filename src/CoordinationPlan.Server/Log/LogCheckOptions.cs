using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>What a check of the log stands on beside the database. What is not given is not checked, and the result says so.</summary>
public sealed record LogCheckOptions
{
    /// <summary>What the origins of the logs begin with.</summary>
    public required string Name { get; init; }

    /// <summary>The publisher's directory.</summary>
    public string? Directory { get; init; }

    /// <summary>The publisher's public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte>? PublisherKey { get; init; }

    /// <summary>The key of the receipts.</summary>
    public NoteVerifier? ReceiptKey { get; init; }

    /// <summary>Receipts that callers have.</summary>
    public IReadOnlyList<Receipt> Receipts { get; init; } = [];

    /// <summary>Within how long an entry gets its leaf.</summary>
    public TimeSpan MaximumMergeDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Within how long a checkpoint that is being signed is published: a witness that does not answer is waited for at each log.</summary>
    public TimeSpan PublishedWithin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What time it is.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>All that a service's configuration knows.</summary>
    public static LogCheckOptions Of(LogOptions options, IReadOnlyList<Receipt> receipts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var receiptKey = options.ReceiptKey.Length > 0 ? LogKey.Read(options.ReceiptKey) : null;
        using var publisherKey = options.PublisherKey.Length > 0 ? LogKey.Read(options.PublisherKey) : null;
        return new LogCheckOptions
        {
            Name = options.Name,
            Directory = options.Directory.Length > 0 ? options.Directory : null,
            PublisherKey = publisherKey?.As(options.Name).Verifier.PublicKeyBytes,
            ReceiptKey = receiptKey?.As(new LogNames(options.Name).Receipts).Verifier,
            Receipts = receipts,
            MaximumMergeDelay = options.MaximumMergeDelay,
            Now = now,
        };
    }
}

/// <summary>Something that is not as it must be.</summary>
/// <param name="Where">A log, or a table of the database.</param>
/// <param name="What">What is wrong. It names entries by id and no person.</param>
public sealed record LogFinding(string Where, string What)
{
    public override string ToString() => $"{Where}: {What}";
}

/// <summary>What a check found.</summary>
/// <param name="Disposed">Entries whose content is gone, each under a disposal that the log itself bears out.</param>
public sealed record LogCheckResult(
    IReadOnlyList<LogFinding> Findings, IReadOnlyList<string> NotChecked, int Logs, long Entries, long Disposed, long Pending, int Checkpoints, int Receipts);
