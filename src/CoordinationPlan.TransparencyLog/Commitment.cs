using System.Buffers;
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
    public static byte[] Entry(ReadOnlySpan<byte> secret, IReadOnlyList<(string Name, byte[]? Value)> fields)
    {
        Check(secret, fields);
        Span<byte> salt = stackalloc byte[SaltLength];
        var tree = new TreeEdge();
        foreach (var (name, value) in fields)
        {
            Salt(secret, name, salt);
            Append(tree, OfField(salt, name, value));
        }

        return Entry(tree);
    }

    /// <summary>Whether the bytes are an entry of the kind that is known here.</summary>
    public static bool IsEntry(ReadOnlySpan<byte> entry) => entry.Length == EntryLength && entry[0] == Version;

    /// <summary>What shows some fields of a record and hides the others.</summary>
    /// <param name="reveals">Whether a field of this name is shown.</param>
    public static Disclosure Disclose(ReadOnlySpan<byte> secret, IReadOnlyList<(string Name, byte[]? Value)> fields, Func<string, bool> reveals)
    {
        ArgumentNullException.ThrowIfNull(reveals);
        Check(secret, fields);
        var disclosed = new DisclosedField[fields.Count];
        for (var i = 0; i < disclosed.Length; i++)
        {
            var (name, value) = fields[i];
            var salt = new byte[SaltLength];
            Salt(secret, name, salt);
            disclosed[i] = reveals(name) ? new RevealedField(name, value, salt) : new HiddenField(OfField(salt, name, value));
        }

        return new Disclosure(disclosed);
    }

    /// <summary>The commitment to one field.</summary>
    internal static TreeHash OfField(ReadOnlySpan<byte> salt, string name, byte[]? value)
    {
        var text = StrictText.Utf8(name);
        var length = 1 + SaltLength + sizeof(uint) + text.Length + 1 + sizeof(uint) + (value?.Length ?? 0);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var rest = rented.AsSpan();
        try
        {
            rest[0] = FieldPrefix;
            salt.CopyTo(rest[1..]);
            rest = WithLength(rest[(1 + SaltLength)..], text);
            rest[0] = value is null ? (byte)0 : (byte)1;
            WithLength(rest[1..], value);
            Span<byte> hash = stackalloc byte[TreeHash.Length];
            SHA256.HashData(rented.AsSpan(0, length), hash);
            return new TreeHash(hash);
        }
        finally
        {
            // It held what may identify a person.
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>The entry over the commitments to all fields.</summary>
    internal static byte[] Entry(IEnumerable<TreeHash> fields)
    {
        var tree = new TreeEdge();
        foreach (var field in fields)
        {
            Append(tree, field);
        }

        return Entry(tree);
    }

    private static byte[] Entry(TreeEdge tree)
    {
        var entry = new byte[EntryLength];
        entry[0] = Version;
        tree.Root.CopyTo(entry.AsSpan(1));
        return entry;
    }

    private static void Append(TreeEdge tree, TreeHash field)
    {
        Span<byte> bytes = stackalloc byte[TreeHash.Length];
        field.CopyTo(bytes);
        tree.Append(TreeHash.OfLeaf(bytes));
    }

    private static void Salt(ReadOnlySpan<byte> secret, string name, Span<byte> salt) => HMACSHA256.HashData(secret, StrictText.Utf8(name), salt);

    private static Span<byte> WithLength(Span<byte> rest, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(rest, (uint)bytes.Length);
        bytes.CopyTo(rest[sizeof(uint)..]);
        return rest[(sizeof(uint) + bytes.Length)..];
    }

    private static void Check(ReadOnlySpan<byte> secret, IReadOnlyList<(string Name, byte[]? Value)> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        if (secret.Length != SecretLength)
        {
            throw new ArgumentException($"A secret has {SecretLength} bytes.", nameof(secret));
        }

        // Two fields of one name would have one salt, and nobody could say which of them is the one.
        if (fields.DistinctBy(field => field.Name).Count() < fields.Count)
        {
            throw new ArgumentException("Each field has a name of its own.", nameof(fields));
        }
    }
}
