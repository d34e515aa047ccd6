using System.Buffers.Binary;
using System.Globalization;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// What a witness says (C2SP tlog-cosignature, cosignature/v1): that at this time, this was the largest checkpoint of the log that it had seen, and it
/// followed from all before.
/// </summary>
public static class Cosignature
{
    private const int TimeLength = sizeof(long);

    /// <param name="checkpoint">The text of the checkpoint's note.</param>
    public static NoteSignature Sign(NoteSigner witness, string checkpoint, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(witness);
        if (witness.Verifier.Algorithm != NoteAlgorithm.Cosignature)
        {
            throw new InvalidOperationException("Only a witness's key signs with a time.");
        }

        var seconds = time.ToUnixTimeSeconds();
        ArgumentOutOfRangeException.ThrowIfNegative(seconds, nameof(time));
        var bytes = new byte[TimeLength + NoteKeys.SignatureLength];
        BinaryPrimitives.WriteInt64BigEndian(bytes, seconds);
        witness.Sign(Message(checkpoint, seconds)).CopyTo(bytes.AsSpan(TimeLength));
        return new NoteSignature(witness.Name, witness.KeyId, bytes);
    }

    /// <summary>When a witness signed; of a line that was verified.</summary>
    public static DateTimeOffset TimeOf(NoteSignature cosignature)
    {
        ArgumentNullException.ThrowIfNull(cosignature);
        return DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(cosignature.Bytes.Span));
    }

    internal static bool Verify(NoteVerifier witness, string checkpoint, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != TimeLength + NoteKeys.SignatureLength)
        {
            return false;
        }

        // A time after the year 9999 is signed by nobody, and can be told by nothing here.
        var seconds = BinaryPrimitives.ReadInt64BigEndian(signature);
        return seconds >= 0 && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() && witness.Verify(Message(checkpoint, seconds), signature[TimeLength..]);
    }

    private static byte[] Message(string checkpoint, long seconds) =>
        StrictText.Utf8(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {seconds}\n{checkpoint}"));
}
