using System.Numerics;

namespace CoordinationPlan.TransparencyLog;

/// <summary>Proves that a tree begins with an earlier one: nothing in it was changed, moved or taken away (RFC 6962, section 2.1.2).</summary>
public static class Consistency
{
    /// <summary>Empty where the sizes are the same, and from a tree without leaves, which every tree begins with.</summary>
    /// <param name="node">The root of the perfect subtree over the leaves from index × 2^level to (index + 1) × 2^level.</param>
    public static List<TreeHash> Prove(long from, long to, Func<int, long, TreeHash> node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        ArgumentNullException.ThrowIfNull(node);
        List<TreeHash> proof = [];
        if (from == 0)
        {
            return proof;
        }

        // From the root down to the last subtree of the earlier tree; a proof is read the other way.
        var (start, end) = (0L, to);
        while (end != from)
        {
            var middle = start + Subtree.LargestPowerBelow(end - start);
            if (from <= middle)
            {
                proof.Add(Subtree.Root(middle, end, node));
                end = middle;
            }
            else
            {
                proof.Add(Subtree.Root(start, middle, node));
                start = middle;
            }
        }

        // The earlier tree as a whole is not told: who verifies has its root.
        if (start > 0)
        {
            proof.Add(Subtree.Root(start, end, node));
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>
    /// Whether the proof leads from an earlier root to a later one. There is none from a tree without leaves: such a proof says nothing of the later root, and
    /// whoever takes it for one believes what he was told.
    /// </summary>
    public static bool Verify(long from, long to, TreeHash fromRoot, IReadOnlyList<TreeHash> proof, TreeHash toRoot)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (from < 1 || to < from)
        {
            return false;
        }

        if (from == to)
        {
            return proof.Count == 0 && fromRoot == toRoot;
        }

        if (proof.Count == 0)
        {
            return false;
        }

        // The climb begins at the last perfect subtree of the earlier tree; where that is the whole of it, the proof does not repeat its root.
        var shift = BitOperations.TrailingZeroCount(from);
        var (inner, border) = ProofChain.Parts(from - 1, to);
        inner -= shift;
        var (seed, first) = BitOperations.IsPow2(from) ? (fromRoot, 0) : (proof[0], 1);
        if (proof.Count != first + inner + border)
        {
            return false;
        }

        var path = (from - 1) >> shift;
        return ProofChain.Border(ProofChain.InnerLeft(seed, proof, first, inner, path), proof, first + inner) == fromRoot
            && ProofChain.Border(ProofChain.Inner(seed, proof, first, inner, path), proof, first + inner) == toRoot;
    }

    /// <summary>
    /// For those who keep the last checkpoint that they have seen and may not have seen any (C2SP tlog-witness): from a tree without leaves the proof is empty, and
    /// any later root is taken as the first.
    /// </summary>
    public static bool VerifyFromAny(long from, long to, TreeHash fromRoot, IReadOnlyList<TreeHash> proof, TreeHash toRoot)
    {
        ArgumentNullException.ThrowIfNull(proof);
        return from == 0
            ? to >= 0 && proof.Count == 0 && fromRoot == TreeHash.Empty && (to > 0 || toRoot == TreeHash.Empty)
            : Verify(from, to, fromRoot, proof, toRoot);
    }
}
