using System.Buffers.Binary;

namespace CoordinationPlan.Bench.Http2;

/// <summary>The head of an HTTP/2 frame (RFC 9113, 4.1) and the numbers that this client uses.</summary>
internal readonly record struct Frame(int Length, byte Type, byte Flags, int Stream)
{
    public const int HeadLength = 9;
    public const int MaxLength = 16384;

    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;

    public const byte Ack = 0x1;
    public const byte EndStream = 0x1;
    public const byte EndHeaders = 0x4;
    private const byte Padded = 0x8;
    private const byte WithPriority = 0x20;

    public const ushort HeaderTableSize = 1;
    public const ushort EnablePush = 2;
    public const ushort InitialWindowSize = 4;

    public bool Ends => (Flags & EndStream) != 0;

    public static Frame Read(ReadOnlySpan<byte> head) => new(
        (head[0] << 16) | (head[1] << 8) | head[2],
        head[3],
        head[4],
        BinaryPrimitives.ReadInt32BigEndian(head[5..]) & int.MaxValue);

    public void Write(Span<byte> head)
    {
        (head[0], head[1], head[2], head[3], head[4]) = ((byte)(Length >> 16), (byte)(Length >> 8), (byte)Length, Type, Flags);
        BinaryPrimitives.WriteInt32BigEndian(head[5..], Stream);
    }

    /// <summary>The payload without padding and priority.</summary>
    public ReadOnlySpan<byte> Content(ReadOnlySpan<byte> payload)
    {
        if ((Flags & Padded) != 0)
        {
            payload = payload[1..^payload[0]];
        }

        return Type == Headers && (Flags & WithPriority) != 0 ? payload[5..] : payload;
    }
}
