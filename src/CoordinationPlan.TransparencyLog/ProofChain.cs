using System.Numerics;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// Climbs from a leaf to the root over the hashes of a proof. Up to where the paths of the leaf and of the last leaf meet, the index says on which side
/// each hash stands (the inner part); above, all of them stand to the left (the border).
/// </summary>
internal static class ProofChain
{
    /// <summary>How many hashes the two parts of an inclusion proof have.</summary>
    public static (int Inner, int Border) Parts(long index, long size)
    {
        var inner = 64 - BitOperations.LeadingZeroCount((ulong)(index ^ (size - 1)));
        return (inner, BitOperations.PopCount((ulong)index >> inner));
    }

    public static TreeHash Inner(TreeHash hash, IReadOnlyList<TreeHash> proof, int from, int count, long index)
    {
        for (var i = 0; i < count; i++)
        {
            hash = ((index >> i) & 1) == 0 ? TreeHash.OfChildren(hash, proof[from + i]) : TreeHash.OfChildren(proof[from + i], hash);
        }

        return hash;
    }

    /// <summary>As <see cref="Inner"/>, but over the tree in which nothing stands to the right.</summary>
    public static TreeHash InnerLeft(TreeHash hash, IReadOnlyList<TreeHash> proof, int from, int count, long index)
    {
        for (var i = 0; i < count; i++)
        {
            if (((index >> i) & 1) == 1)
            {
                hash = TreeHash.OfChildren(proof[from + i], hash);
            }
        }

        return hash;
    }

    public static TreeHash Border(TreeHash hash, IReadOnlyList<TreeHash> proof, int from)
    {
        for (var i = from; i < proof.Count; i++)
        {
            hash = TreeHash.OfChildren(proof[i], hash);
        }

        return hash;
    }
}
