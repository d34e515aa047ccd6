using CoordinationPlan.Server.Audit;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Signed promises that the entry of a call gets its leaf. A receipt says nothing but what the caller knows: when the call came in, to the second; in whose log (the
/// caller's own); and a hash that tells nothing. When the entry was written it does not say: that would tell how long the decision took, which the slots hide
/// (docs/adr/0012). Its length depends on the log's name alone.
/// </summary>
internal sealed class AuditReceipts(LogNames names, LogKey key)
{
    /// <summary>The trailer that it travels in.</summary>
    public const string Trailer = "audit-receipt-bin";

    private readonly NoteSigner _signer = key.As(names.Receipts);

    /// <summary>Verifies them.</summary>
    public NoteVerifier Verifier => _signer.Verifier;

    /// <param name="arrived">When the call came in.</param>
    public byte[] Of(AccessLogRecord entry, Entered entered, DateTimeOffset arrived)
    {
        var commitment = Commitment.Entry(entry.Secret, EntryFields.Of(entry, entered));
        var origin = names.Origin(LogNames.IdOf(entered.Controller, entered.OccurredAt.Year));
        return Receipt.Sign(_signer, origin, entry.EntryId, TreeHash.OfLeaf(commitment), DateTimeOffset.FromUnixTimeSeconds(arrived.ToUnixTimeSeconds())).ToBytes();
    }
}
