using System.Globalization;

namespace CoordinationPlan.TransparencyLog;

/// <summary>What a log asks of a witness (C2SP tlog-witness, add-checkpoint): to sign a checkpoint that follows from the last one that it signed.</summary>
/// <param name="Old">The size of that one; 0 where the witness has signed none.</param>
/// <param name="Proof">That the new one follows from it.</param>
/// <param name="Checkpoint">The new one, signed by the log.</param>
public sealed record AddCheckpoint(long Old, IReadOnlyList<TreeHash> Proof, SignedNote Checkpoint)
{
    /// <summary>The type of the answer that tells the size of the last checkpoint.</summary>
    public const string SizeType = "text/x.tlog.size";

    private const string OldStart = "old ";
    private const int MostHashes = 63;

    /// <exception cref="FormatException">It is no such request.</exception>
    public static AddCheckpoint Parse(ReadOnlySpan<byte> body)
    {
        var text = StrictText.Utf8(body);
        var separator = text.IndexOf("\n\n", StringComparison.Ordinal);
        var lines = separator < 0 ? [] : text[..separator].Split('\n');
        if (lines is not [var old, .. var proof] || !old.StartsWith(OldStart, StringComparison.Ordinal) || proof.Length > MostHashes)
        {
            throw new FormatException($"The request has an old size, at most {MostHashes} hashes, an empty line and a checkpoint.");
        }

        return new AddCheckpoint(StrictText.Number(old.AsSpan(OldStart.Length)), [.. proof.Select(TreeHash.Parse)], SignedNote.Parse(text[(separator + 2)..]));
    }

    /// <summary>Reads the answer that tells the size of the last checkpoint.</summary>
    /// <exception cref="FormatException">It is no such answer.</exception>
    public static long ParseSize(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return answer.EndsWith('\n') ? StrictText.Number(answer.AsSpan(0, answer.Length - 1)) : throw new FormatException("A size ends with a newline.");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{OldStart}{Old}\n{string.Concat(Proof.Select(hash => $"{hash}\n"))}\n{Checkpoint}");
}
