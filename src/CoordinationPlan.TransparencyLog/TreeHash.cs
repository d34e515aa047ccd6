using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using HashAlgorithm = NSec.Cryptography.HashAlgorithm;

namespace CoordinationPlan.TransparencyLog;

/// <summary>A SHA-256 hash in a Merkle tree of RFC 6962: of a leaf, of a subtree or of the whole.</summary>
public readonly struct TreeHash : IEquatable<TreeHash>
{
    /// <summary>Its bytes.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    // RFC 6962, section 2.1: without the prefixes, a subtree could be passed off as a leaf.
    private const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    private const int MostOnTheStack = 512;

    private readonly Bytes bytes;

    public TreeHash(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Length)
        {
            throw new ArgumentException($"A hash has {Length} bytes, not {hash.Length}.", nameof(hash));
        }

        hash.CopyTo(bytes);
    }

    /// <summary>The root of the tree without leaves: the hash of nothing.</summary>
    public static TreeHash Empty { get; } = Sha256([]);

    /// <summary>The hash of the leaf that holds an entry.</summary>
    public static TreeHash OfLeaf(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < MostOnTheStack)
        {
            Span<byte> small = stackalloc byte[1 + entry.Length];
            return Prefixed(small, entry);
        }

        var rented = ArrayPool<byte>.Shared.Rent(1 + entry.Length);
        try
        {
            return Prefixed(rented.AsSpan(0, 1 + entry.Length), entry);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The hash of the node over two others.</summary>
    public static TreeHash OfChildren(TreeHash left, TreeHash right)
    {
        Span<byte> node = stackalloc byte[1 + (2 * Length)];
        node[0] = NodePrefix;
        left.CopyTo(node[1..]);
        right.CopyTo(node[(1 + Length)..]);
        return Sha256(node);
    }

    /// <summary>Reads the base64 of a hash, in its one canonical form.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static TreeHash Parse(string base64)
    {
        var hash = StrictText.Base64(base64);
        return hash.Length == Length ? new TreeHash(hash) : throw new FormatException($"A hash has {Length} bytes, not {hash.Length}.");
    }

    public void CopyTo(Span<byte> destination) => ((ReadOnlySpan<byte>)bytes).CopyTo(destination);

    public byte[] ToArray() => ((ReadOnlySpan<byte>)bytes).ToArray();

    public bool Equals(TreeHash other) => ((ReadOnlySpan<byte>)bytes).SequenceEqual(other.bytes);

    public override bool Equals(object? obj) => obj is TreeHash other && Equals(other);

    public override int GetHashCode() => BitConverter.ToInt32(bytes);

    public static bool operator ==(TreeHash left, TreeHash right) => left.Equals(right);

    public static bool operator !=(TreeHash left, TreeHash right) => !left.Equals(right);

    /// <summary>Its base64, as C2SP writes hashes.</summary>
    public override string ToString() => Convert.ToBase64String(bytes);

    private static TreeHash Prefixed(Span<byte> leaf, ReadOnlySpan<byte> entry)
    {
        leaf[0] = LeafPrefix;
        entry.CopyTo(leaf[1..]);
        return Sha256(leaf);
    }

    /// <summary>The hash of what has its prefix already.</summary>
    internal static TreeHash Sha256(ReadOnlySpan<byte> data)
    {
        // By NSec: a leaf of this log, a node and most fields are a block or two, and for so little the platform's own takes longer to set itself up than to hash.
        Span<byte> hash = stackalloc byte[Length];
        HashAlgorithm.Sha256.Hash(data, hash);
        return new TreeHash(hash);
    }

    [InlineArray(Length)]
    private struct Bytes
    {
        private byte first;
    }
}
