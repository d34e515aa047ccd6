using System.Globalization;
using System.Text;

namespace CoordinationPlan.TransparencyLog;

/// <summary>That an entry is in the log, in one file that is verified without it (C2SP tlog-proof).</summary>
/// <param name="Index">Where the entry stands.</param>
/// <param name="Path">From the leaf up to the root.</param>
/// <param name="Checkpoint">The signed checkpoint, with its cosignatures.</param>
/// <param name="Extra">What an application adds; nobody has signed it. Null: nothing.</param>
public sealed record TlogProof(long Index, IReadOnlyList<TreeHash> Path, SignedNote Checkpoint, byte[]? Extra = null)
{
    private const string Header = "c2sp.org/tlog-proof@v1";
    private const string ExtraStart = "extra ";
    private const string IndexStart = "index ";
    private const int MostHashes = 63;

    /// <exception cref="FormatException">It is no such proof.</exception>
    public static TlogProof Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var separator = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (separator < 0)
        {
            throw new FormatException("A proof has an empty line before its checkpoint.");
        }

        var lines = text[..separator].Split('\n').AsSpan();
        if (lines[0] != Header)
        {
            throw new FormatException($"A proof begins with {Header}");
        }

        lines = lines[1..];
        byte[]? extra = null;
        if (lines is [var first, ..] && first.StartsWith(ExtraStart, StringComparison.Ordinal))
        {
            extra = StrictText.Base64(first.AsSpan(ExtraStart.Length));
            lines = lines[1..];
        }

        if (lines is not [var index, .. var path] || !index.StartsWith(IndexStart, StringComparison.Ordinal) || path.Length > MostHashes)
        {
            throw new FormatException($"A proof has an index and at most {MostHashes} hashes.");
        }

        return new TlogProof(
            StrictText.Number(index.AsSpan(IndexStart.Length)),
            [.. path.ToArray().Select(TreeHash.Parse)],
            SignedNote.Parse(text[(separator + 2)..]),
            extra);
    }

    /// <summary>The checkpoint that it proves the leaf in.</summary>
    /// <exception cref="FormatException">It holds no checkpoint.</exception>
    /// <exception cref="NoteException">The log has not signed it, too few witnesses have, or the leaf is not in it.</exception>
    public Checkpoint Verify(TreeHash leaf, NoteVerifier log, WitnessPolicy witnesses)
    {
        ArgumentNullException.ThrowIfNull(witnesses);
        var checkpoint = TransparencyLog.Checkpoint.Open(Checkpoint, log);
        if (!witnesses.IsMetBy(Checkpoint))
        {
            throw new NoteException($"Of {witnesses.Witnesses.Count} witnesses, fewer than {witnesses.Needed} have signed the checkpoint.");
        }

        return Inclusion.Verify(Index, checkpoint.Size, leaf, Path, checkpoint.Root)
            ? checkpoint
            : throw new NoteException("The entry is not in the log at this place.");
    }

    public override string ToString()
    {
        var text = new StringBuilder(Header).Append('\n');
        if (Extra is { } extra)
        {
            text.Append(ExtraStart).Append(Convert.ToBase64String(extra)).Append('\n');
        }

        text.Append(IndexStart).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Path)
        {
            text.Append(hash).Append('\n');
        }

        return text.Append('\n').Append(Checkpoint).ToString();
    }
}
