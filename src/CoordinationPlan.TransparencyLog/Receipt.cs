using System.Buffers.Binary;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// What the one who called is given with the answer: a promise, signed, that the log entry of this call gets its leaf. A receipt without a leaf, after the longest time
/// that the log takes, proves that the entry was taken away.
/// </summary>
/// <param name="Origin">The log that is to have the leaf.</param>
/// <param name="Entry">The entry's id.</param>
/// <param name="Leaf">The hash of its leaf.</param>
/// <param name="Time">When the call came in, as the log's operator says, to the microsecond or less finely.</param>
/// <param name="KeyId">Which key signed it.</param>
/// <param name="Signature">Ed25519 over <see cref="Message"/>.</param>
public sealed record Receipt(string Origin, Guid Entry, TreeHash Leaf, DateTimeOffset Time, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    private const byte Version = 1;
    private const int IdLength = 16;

    /// <summary>All but the origin.</summary>
    private const int FixedLength = 1 + sizeof(ushort) + IdLength + TreeHash.Length + sizeof(long) + sizeof(uint) + NoteKeys.SignatureLength;

    /// <summary>No note begins like this, because notes have no zero bytes: a signature over one can never pass for one over the other.</summary>
    private static ReadOnlySpan<byte> Domain => "coordinationplan/receipt\0"u8;

    public static Receipt Sign(NoteSigner key, string origin, Guid entry, TreeHash leaf, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(key);
        var unsigned = new Receipt(origin, entry, leaf, FromMicroseconds(Microseconds(time)), key.KeyId, ReadOnlyMemory<byte>.Empty);
        return unsigned with { Signature = key.Sign(unsigned.Message()) };
    }

    /// <exception cref="FormatException">It is no receipt.</exception>
    public static Receipt Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedLength || bytes[0] != Version)
        {
            throw new FormatException("Not a receipt of a kind that is known here.");
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        if (length == 0 || bytes.Length != FixedLength + length)
        {
            throw new FormatException("The receipt is longer or shorter than it says.");
        }

        var rest = bytes[(1 + sizeof(ushort))..];
        var origin = StrictText.Utf8(rest[..length]);
        rest = rest[length..];
        var entry = new Guid(rest[..IdLength], bigEndian: true);
        rest = rest[IdLength..];
        var leaf = new TreeHash(rest[..TreeHash.Length]);
        rest = rest[TreeHash.Length..];
        var time = FromMicroseconds(BinaryPrimitives.ReadInt64BigEndian(rest));
        rest = rest[sizeof(long)..];
        return new Receipt(origin, entry, leaf, time, BinaryPrimitives.ReadUInt32BigEndian(rest), rest[sizeof(uint)..].ToArray());
    }

    /// <summary>Whether the key has signed it.</summary>
    public bool Verify(NoteVerifier key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.KeyId == KeyId && key.Algorithm == NoteAlgorithm.Ed25519 && key.Verify(Message(), Signature.Span);
    }

    /// <summary>Its bytes, as they travel.</summary>
    public byte[] ToBytes() => [.. Content(), .. Number(KeyId), .. Signature.Span];

    /// <summary>The bytes that are signed: what it says, after a name that nothing else signed begins with.</summary>
    public byte[] Message() => [.. Domain, .. Content()];

    private byte[] Content()
    {
        var origin = StrictText.Utf8(Origin);
        if (origin.Length is 0 or > ushort.MaxValue)
        {
            throw new FormatException("A receipt names its log.");
        }

        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)origin.Length);
        Span<byte> time = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(time, Microseconds(Time));
        return [Version, .. length, .. origin, .. Entry.ToByteArray(bigEndian: true), .. Leaf.ToArray(), .. time];
    }

    private static byte[] Number(uint number)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static DateTimeOffset FromMicroseconds(long microseconds)
    {
        try
        {
            return DateTimeOffset.UnixEpoch.AddTicks(checked(microseconds * TimeSpan.TicksPerMicrosecond));
        }
        catch (Exception failure) when (failure is OverflowException or ArgumentOutOfRangeException)
        {
            throw new FormatException("The receipt's time is none.");
        }
    }
}
