using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CoordinationPlan.TransparencyLog;

/// <summary>What a key signs (C2SP signed-note, signature types).</summary>
public enum NoteAlgorithm
{
    /// <summary>The text of a note, as a log signs its checkpoints.</summary>
    Ed25519 = 0x01,

    /// <summary>A checkpoint with the time at which it was seen, as a witness signs it.</summary>
    Cosignature = 0x04,
}

/// <summary>What signers and verifiers share: how a key is named.</summary>
internal static class NoteKeys
{
    public const int KeyLength = 32;
    public const int SignatureLength = 64;

    /// <summary>The key's short identifier: it tells keys apart and proves nothing.</summary>
    public static uint Id(string name, NoteAlgorithm algorithm, ReadOnlySpan<byte> publicKey) =>
        BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData([.. StrictText.Utf8(name), (byte)'\n', (byte)algorithm, .. publicKey]));

    /// <summary>A name holds something, no white space and no plus sign: both separate it from what follows.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var character in name)
        {
            if (character == '+' || char.IsWhiteSpace(character) || char.IsControl(character))
            {
                return false;
            }
        }

        return name.Length > 0;
    }

    /// <summary>Reads <c>name+id+base64(algorithm, key)</c>.</summary>
    public static (string Name, uint Id, NoteAlgorithm Algorithm, byte[] Key) Parse(string text)
    {
        // The base64 may hold plus signs, a name may not.
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || parts[1].Length != 8)
        {
            throw new FormatException("Not a key: it is written as name+id+base64.");
        }

        var key = StrictText.Base64(parts[2]);
        if (key.Length != 1 + KeyLength || !Enum.IsDefined((NoteAlgorithm)key[0]))
        {
            throw new FormatException("The key is of a kind that is not known here.");
        }

        _ = StrictText.Utf8(parts[0]);
        return uint.TryParse(parts[1], System.Globalization.NumberStyles.AllowHexSpecifier, null, out var id) && Hex(id) == parts[1]
            ? (parts[0], id, (NoteAlgorithm)key[0], key[1..])
            : throw new FormatException("The key's id is not eight hexadecimal digits in lower case.");
    }

    public static string Hex(uint id) => id.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
}
