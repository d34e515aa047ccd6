using System.Numerics;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// The right edge of a tree: the roots of the perfect subtrees that it is made of, from left to right. All that it takes to append, and to know the root.
/// </summary>
public sealed class TreeEdge
{
    private readonly List<TreeHash> hashes = [];

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    /// <summary>The roots of the perfect subtrees, the largest first: one for each bit that is set in the size.</summary>
    public IReadOnlyList<TreeHash> Hashes => hashes;

    /// <summary>The root of the whole tree.</summary>
    public TreeHash Root
    {
        get
        {
            if (Size == 0)
            {
                return TreeHash.Empty;
            }

            var root = hashes[^1];
            for (var i = hashes.Count - 2; i >= 0; i--)
            {
                root = TreeHash.OfChildren(hashes[i], root);
            }

            return root;
        }
    }

    /// <summary>Takes up a tree where it was left.</summary>
    /// <exception cref="ArgumentException">A tree of this size has another number of subtrees.</exception>
    public static TreeEdge Load(long size, IReadOnlyList<TreeHash> hashes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(hashes);
        if (BitOperations.PopCount((ulong)size) != hashes.Count)
        {
            throw new ArgumentException($"A tree of {size} leaves is made of {BitOperations.PopCount((ulong)size)} perfect subtrees, not {hashes.Count}.", nameof(hashes));
        }

        var edge = new TreeEdge { Size = size };
        edge.hashes.AddRange(hashes);
        return edge;
    }

    public void Append(TreeHash leaf)
    {
        // Each bit set from the right is a subtree that is as large as the new one by now: they become one.
        for (var size = Size; (size & 1) == 1; size >>= 1)
        {
            leaf = TreeHash.OfChildren(hashes[^1], leaf);
            hashes.RemoveAt(hashes.Count - 1);
        }

        hashes.Add(leaf);
        Size++;
    }
}
