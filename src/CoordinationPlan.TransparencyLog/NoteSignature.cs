using System.Buffers.Binary;

namespace CoordinationPlan.TransparencyLog;

/// <summary>A signature line of a note: who says to have signed, under which key, and the signature.</summary>
public sealed class NoteSignature
{
    private const string Start = "— ";
    private const int IdLength = sizeof(uint);

    public NoteSignature(string name, uint keyId, byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (!NoteKeys.IsName(name) || bytes.Length == 0)
        {
            throw new FormatException("A signature has a name without white space or plus sign, and bytes.");
        }

        Name = name;
        KeyId = keyId;
        Bytes = bytes;
    }

    public string Name { get; }

    public uint KeyId { get; }

    /// <summary>The signature as its algorithm writes it.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Reads a line without its newline.</summary>
    /// <exception cref="FormatException">It is no signature line.</exception>
    public static NoteSignature Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        if (!line.StartsWith(Start, StringComparison.Ordinal) || line[Start.Length..].Split(' ') is not [var name, var base64])
        {
            throw new FormatException("A signature line is an em dash, a name and base64.");
        }

        var bytes = StrictText.Base64(base64);
        return bytes.Length > IdLength
            ? new NoteSignature(name, BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[IdLength..])
            : throw new FormatException("A signature line holds no signature.");
    }

    /// <summary>The line without its newline.</summary>
    public override string ToString()
    {
        var bytes = new byte[IdLength + Bytes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, KeyId);
        Bytes.Span.CopyTo(bytes.AsSpan(IdLength));
        return $"{Start}{Name} {Convert.ToBase64String(bytes)}";
    }
}
