using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Log;

/// <summary>A disposal of what a log says, as it is stored (docs/adr/0022).</summary>
/// <param name="Controller">Whose log it is, as the database calls it; empty for callers whom the directory does not know.</param>
/// <param name="Size">It is of the entries at positions 0 to one less than this.</param>
/// <param name="Decision">The reference of the decision.</param>
/// <param name="Leaves">Digest of which entry each leaf is of (<see cref="LeafDigest"/>).</param>
/// <param name="ProposedBy">The employee, as the database calls one.</param>
/// <param name="Kept">The positions that it leaves, in order.</param>
internal sealed record LogDisposalRecord(
    Guid Id, int Log, string LogId, string Controller, long Size, string Decision, Guid[] KeptPlans, byte[] Leaves, DateOnly ProposedOn, string ProposedBy, string? ApprovedBy, bool Done, long[] Kept)
{
    /// <summary>For how many days a proposal waits for its approval.</summary>
    private const int DaysToApprove = 30;

    private const string Collection = "logDisposals";

    /// <summary>
    /// What the two entries of the decision say: all of it, with a digest of what is kept. Whoever checks the log makes the same text of the row, so that no part of it can be another
    /// than what was decided. It names nobody.
    /// </summary>
    public string Text { get; } = string.Create(
        CultureInfo.InvariantCulture, $"{Collection}/{Id:D} log {LogId} size {Size} leaves {Convert.ToHexStringLower(Leaves)} kept {Digest(KeptPlans, Kept)} decision {Decision} proposed {ProposedOn:O}");

    /// <summary>Whether a resource of the access log is such a text, and not the name of a directory entry.</summary>
    public static bool IsText(string resource) => resource.StartsWith(Collection + "/", StringComparison.Ordinal);

    /// <summary>The log's year, with which its id ends.</summary>
    public int Year => int.Parse(LogId[^4..], CultureInfo.InvariantCulture);

    public static Guid ParseName(string name, string field) => ResourceName.ParseAlone(name, Collection, "log_disposal", field);

    public LogDisposalState StateOn(DateOnly today) =>
        Done ? LogDisposalState.Done
        : ApprovedBy is not null ? LogDisposalState.Approved
        : today > ProposedOn.AddDays(DaysToApprove) ? LogDisposalState.Lapsed
        : LogDisposalState.Proposed;

    /// <summary>Whether nothing else of the same log is to be begun.</summary>
    public bool IsUnderWay(DateOnly today) => StateOn(today) is LogDisposalState.Proposed or LogDisposalState.Approved;

    public string EtagOn(DateOnly today) => Etag.Of(Id, (int)StateOn(today));

    public V1.LogDisposal ToLogDisposal(LogNames logs, DirectoryNames names, DateOnly today) => new()
    {
        Name = $"{Collection}/{Id:D}",
        Etag = EtagOn(today),
        Origin = logs.Origin(LogId),
        Decision = Decision,
        KeptPlans = { KeptPlans.Select(ResourceName.Plan) },
        Size = Size,
        KeptCount = Kept.Length,
        State = StateOn(today),
        Proposer = names.Name(ResourceName.Employees, ProposedBy),
        ProposeDate = ProposedOn.ToDate(),
        Approver = names.Name(ResourceName.Employees, ApprovedBy),
    };

    private static string Digest(Guid[] plans, long[] positions)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt32BigEndian(bytes, plans.Length);
        hash.AppendData(bytes[..sizeof(int)]);
        foreach (var plan in plans)
        {
            plan.TryWriteBytes(bytes, bigEndian: true, out _);
            hash.AppendData(bytes);
        }

        foreach (var position in positions)
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, position);
            hash.AppendData(bytes[..sizeof(long)]);
        }

        return $"{positions.Length}:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}

/// <summary>
/// Which entry each leaf of a log is of, in order, as one digest: of an entry whose record is gone nothing else says so. The same in SQL is in <see cref="LogDisposalSql"/>.
/// </summary>
internal sealed class LeafDigest : IDisposable
{
    // What PostgreSQL counts from.
    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add(Guid entryId, DateTime occurredAt)
    {
        Span<byte> bytes = stackalloc byte[16 + sizeof(long)];
        entryId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], (occurredAt - Epoch).Ticks / TimeSpan.TicksPerMicrosecond);
        _hash.AppendData(bytes);
    }

    /// <summary>The digest of what was added so far.</summary>
    public byte[] Current() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}

/// <summary>An entry of the log that says of a disposal that it was proposed or approved.</summary>
/// <param name="Text">What it says of it.</param>
/// <param name="Log">The log that its leaf is in; null where it has none.</param>
internal sealed record DisposalEntry(string Text, string Method, string? EmployeeId, string? Controller, int? Log, long Position)
{
    public bool IsProposal => Method.EndsWith("/ProposeLogDisposal", StringComparison.Ordinal);
}

/// <summary>What the log itself says of its disposals. Whoever removes entries and whoever checks that they may be missing both ask here.</summary>
internal sealed class DisposalEvidence(IEnumerable<DisposalEntry> entries)
{
    private readonly ILookup<string, DisposalEntry> _entries = entries.ToLookup(entry => entry.Text);

    /// <summary>What the entries say that no disposal is stored of.</summary>
    public IEnumerable<string> Without(IEnumerable<LogDisposalRecord> disposals) => _entries.Select(same => same.Key).Except(disposals.Select(disposal => disposal.Text));

    /// <summary>What of a stored disposal the log does not bear out; null where it bears out all of it.</summary>
    public string? Fault(LogDisposalRecord disposal) => (Proposal(disposal), disposal.ApprovedBy, Approval(disposal)) switch
    {
        (null, _, _) => "no entry in a tree says that it was proposed like this, and by whom it says",
        (_, null, _) when disposal.Done => "it is noted as done, and it is not approved",
        (_, null, null) when !_entries[disposal.Text].Any(entry => !entry.IsProposal) => null,
        (_, null, _) => "an entry says that it was approved, and it is not",
        (_, { }, null) => "no entry in a tree says that it was approved like this, and by whom it says",
        _ when disposal.ApprovedBy == disposal.ProposedBy => "one person has decided it",
        _ => null,
    };

    /// <summary>The two entries of an approved disposal.</summary>
    public IEnumerable<DisposalEntry> Of(LogDisposalRecord disposal) => [Proposal(disposal)!, Approval(disposal)!];

    private DisposalEntry? Proposal(LogDisposalRecord disposal) => Entry(disposal, isProposal: true, disposal.ProposedBy);

    private DisposalEntry? Approval(LogDisposalRecord disposal) => Entry(disposal, isProposal: false, disposal.ApprovedBy);

    // The log of callers whom nobody knows has no controller, and the operator's reviewers decide.
    private DisposalEntry? Entry(LogDisposalRecord disposal, bool isProposal, string? by) => _entries[disposal.Text].FirstOrDefault(entry =>
        entry.IsProposal == isProposal && entry.EmployeeId is not null && entry.EmployeeId == by && entry.Log is not null && (disposal.Controller.Length == 0 || entry.Controller == disposal.Controller));
}
