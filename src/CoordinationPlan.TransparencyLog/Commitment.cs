using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// What stands in the log in place of a record: a commitment that tells nothing of it, and to which nothing else can be fitted afterwards. Each field is salted on its
/// own, so that one can be shown and the others hidden. Without the secret no content can be guessed, however short it is; so where record and secret are
/// destroyed, the entry that remains is nobody's personal data, and the log stays verifiable.
/// </summary>
public static class Commitment
{
    /// <summary>The bytes of an entry: the version and a root.</summary>
    public const int EntryLength = 1 + TreeHash.Length;

    /// <summary>The bytes of a secret.</summary>
    public const int SecretLength = 32;

    /// <summary>The bytes of a field's salt.</summary>
    public const int SaltLength = HMACSHA256.HashSizeInBytes;

    private const byte Version = 1;
    private const byte FieldPrefix = 0;

    /// <summary>The entry for a record.</summary>
    /// <param name="secret">32 random bytes for this record alone.</param>
    /// <param name="fields">In the order in which the record's kind has them; a value that is not there is null, which is not the same as empty.</param>
    public static byte[] Entry(ReadOnlySpan<byte> secret, IReadOnlyList<(string Name, byte[]? Value)> fields) => Disclose(secret, fields, _ => false).Entry();

    /// <summary>Whether the bytes are an entry of the kind that is known here.</summary>
    public static bool IsEntry(ReadOnlySpan<byte> entry) => entry.Length == EntryLength && entry[0] == Version;

    /// <summary>What shows some fields of a record and hides the others.</summary>
    /// <param name="reveals">Whether a field of this name is shown.</param>
    public static Disclosure Disclose(ReadOnlySpan<byte> secret, IReadOnlyList<(string Name, byte[]? Value)> fields, Func<string, bool> reveals)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(reveals);
        if (secret.Length != SecretLength)
        {
            throw new ArgumentException($"A secret has {SecretLength} bytes.", nameof(secret));
        }

        var disclosed = new DisclosedField[fields.Count];
        for (var i = 0; i < disclosed.Length; i++)
        {
            var (name, value) = fields[i];
            var salt = HMACSHA256.HashData(secret, StrictText.Utf8(name));
            disclosed[i] = reveals(name) ? new RevealedField(name, value, salt) : new HiddenField(OfField(salt, name, value));
        }

        // Two fields of one name would have one salt, and nobody could say which of them is the one.
        return fields.DistinctBy(field => field.Name).Count() == fields.Count
            ? new Disclosure(disclosed)
            : throw new ArgumentException("Each field has a name of its own.", nameof(fields));
    }

    /// <summary>The commitment to one field.</summary>
    internal static TreeHash OfField(ReadOnlySpan<byte> salt, string name, byte[]? value)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([FieldPrefix]);
        hash.AppendData(salt);
        Append(hash, StrictText.Utf8(name));
        hash.AppendData([value is null ? (byte)0 : (byte)1]);
        Append(hash, value);
        return new TreeHash(hash.GetHashAndReset());
    }

    /// <summary>The entry over the commitments to all fields.</summary>
    internal static byte[] Entry(IEnumerable<TreeHash> fields)
    {
        var tree = new TreeEdge();
        Span<byte> bytes = stackalloc byte[TreeHash.Length];
        foreach (var field in fields)
        {
            field.CopyTo(bytes);
            tree.Append(TreeHash.OfLeaf(bytes));
        }

        var entry = new byte[EntryLength];
        entry[0] = Version;
        tree.Root.CopyTo(entry.AsSpan(1));
        return entry;
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
