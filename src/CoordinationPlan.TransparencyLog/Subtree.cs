using System.Numerics;

namespace CoordinationPlan.TransparencyLog;

/// <summary>The hash of a range of leaves, from nodes: what a tree stores are the roots of its perfect subtrees.</summary>
public static class Subtree
{
    /// <summary>The root of the tree of a size.</summary>
    /// <param name="node">The root of the perfect subtree over the leaves from index × 2^level to (index + 1) × 2^level.</param>
    public static TreeHash Root(long size, Func<int, long, TreeHash> node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(node);
        return size == 0 ? TreeHash.Empty : Root(0, size, node);
    }

    /// <summary>The root over the leaves from one to before another; the first is where RFC 6962 splits a tree.</summary>
    internal static TreeHash Root(long from, long to, Func<int, long, TreeHash> node)
    {
        var size = to - from;
        if (BitOperations.IsPow2(size))
        {
            var level = BitOperations.TrailingZeroCount(size);
            return node(level, from >> level);
        }

        var middle = from + LargestPowerBelow(size);
        return TreeHash.OfChildren(Root(from, middle, node), Root(middle, to, node));
    }

    /// <summary>The largest power of two that is smaller than a size of two or more: where RFC 6962 splits a tree.</summary>
    internal static long LargestPowerBelow(long size) => 1L << BitOperations.Log2((ulong)(size - 1));
}
