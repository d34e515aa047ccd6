namespace CoordinationPlan.TransparencyLog;

/// <summary>Proves that a leaf stands at its place in a tree (RFC 6962, section 2.1.1).</summary>
public static class Inclusion
{
    /// <param name="node">The root of the perfect subtree over the leaves from index × 2^level to (index + 1) × 2^level.</param>
    public static List<TreeHash> Prove(long index, long size, Func<int, long, TreeHash> node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        ArgumentNullException.ThrowIfNull(node);

        // From the root down; a proof is read from the leaf up.
        List<TreeHash> proof = [];
        for (var (from, to) = (0L, size); to - from > 1;)
        {
            var middle = from + Subtree.LargestPowerBelow(to - from);
            if (index < middle)
            {
                proof.Add(Subtree.Root(middle, to, node));
                to = middle;
            }
            else
            {
                proof.Add(Subtree.Root(from, middle, node));
                from = middle;
            }
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>Whether the proof leads from the leaf at the index to the root of the tree of the size.</summary>
    public static bool Verify(long index, long size, TreeHash leaf, IReadOnlyList<TreeHash> proof, TreeHash root)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (index < 0 || index >= size)
        {
            return false;
        }

        var (inner, border) = ProofChain.Parts(index, size);
        return proof.Count == inner + border
            && ProofChain.Border(ProofChain.Inner(leaf, proof, 0, inner, index), proof, inner) == root;
    }
}
