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
        using var salts = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        Span<byte> salt = stackalloc byte[SaltLength];
        var tree = new TreeEdge();
        foreach (var (name, value) in fields)
        {
            var text = StrictText.Utf8(name);
            Salt(salts, text, salt);
            Append(tree, OfField(salt, text, value));
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
        using var salts = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        var disclosed = new DisclosedField[fields.Count];
        for (var i = 0; i < disclosed.Length; i++)
        {
            var (name, value) = fields[i];
            var text = StrictText.Utf8(name);
            var salt = new byte[SaltLength];
            Salt(salts, text, salt);
            disclosed[i] = reveals(name) ? new RevealedField(name, value, salt) : new HiddenField(OfField(salt, text, value));
        }

        return new Disclosure(disclosed);
    }

    /// <summary>The commitment to one field.</summary>
    /// <param name="name">In UTF-8.</param>
    internal static TreeHash OfField(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> name, byte[]? value)
    {
        var length = 1 + SaltLength + sizeof(uint) + name.Length + 1 + sizeof(uint) + (value?.Length ?? 0);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var rest = rented.AsSpan();
        try
        {
            rest[0] = FieldPrefix;
            salt.CopyTo(rest[1..]);
            rest = WithLength(rest[(1 + SaltLength)..], name);
            rest[0] = value is null ? (byte)0 : (byte)1;
            WithLength(rest[1..], value);
            return TreeHash.Sha256(rented.AsSpan(0, length));
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

    /// <param name="salts">The HMAC under the record's secret. It keeps the key for the next name, because to key it takes longer than to use it.</param>
    private static void Salt(IncrementalHash salts, ReadOnlySpan<byte> name, Span<byte> salt)
    {
        salts.AppendData(name);
        salts.GetHashAndReset(salt);
    }

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
        var names = new HashSet<string>(fields.Count);
        foreach (var (name, _) in fields)
        {
            if (!names.Add(name))
            {
                throw new ArgumentException("Each field has a name of its own.", nameof(fields));
            }
        }
    }
}
