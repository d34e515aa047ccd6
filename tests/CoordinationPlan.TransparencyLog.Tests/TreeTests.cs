using System.Security.Cryptography;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>Every size from 0 to 300 against the words of RFC 6962.</summary>
public sealed class TreeTests
{
    private const int Largest = 300;

    private static readonly NaiveTree Reference = new([.. Enumerable.Range(0, Largest).Select(SampleTree.Entry)]);
    private static readonly EqualityComparer<byte[]> Same = EqualityComparer<byte[]>.Create((left, right) => left!.AsSpan().SequenceEqual(right), hash => hash[0]);
    private static readonly SampleTree Tree = new(Largest);

    private static readonly TreeHash[] Roots = [.. Enumerable.Range(0, Largest + 1).Select(size => new TreeHash(Reference.Root(size)))];

    [Fact]
    public void The_empty_tree_is_the_hash_of_nothing() => Assert.Equal(SHA256.HashData([]), TreeHash.Empty.ToArray());

    [Fact]
    public void Roots_are_those_of_the_reference_while_the_tree_grows()
    {
        var edge = new TreeEdge();
        Assert.Equal(Roots[0], edge.Root);
        for (var size = 1; size <= Largest; size++)
        {
            edge.Append(Tree.Leaf(size - 1));

            Assert.Equal(size, edge.Size);
            Assert.Equal(Roots[size], edge.Root);
            Assert.Equal(Roots[size], Tree.Root(size));
            // Taken up where it was left, it is the same.
            edge = TreeEdge.Load(edge.Size, [.. edge.Hashes]);
        }
    }

    [Fact]
    public void An_edge_of_another_number_of_hashes_is_refused()
    {
        Assert.Throws<ArgumentException>(() => TreeEdge.Load(3, [TreeHash.Empty]));
        Assert.Throws<ArgumentException>(() => TreeEdge.Load(0, [TreeHash.Empty]));
        Assert.Throws<ArgumentException>(() => TreeEdge.Load(4, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeEdge.Load(-1, []));
    }

    [Fact]
    public void Inclusion_proofs_are_those_of_the_reference()
    {
        for (var size = 1; size <= Largest; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var proof = Inclusion.Prove(index, size, Tree.Node);

                Assert.True(Reference.Path(index, size).SequenceEqual(proof.Select(hash => hash.ToArray()), Same));
                Assert.True(Inclusion.Verify(index, size, Tree.Leaf(index), proof, Roots[size]));
            }
        }
    }

    [Fact]
    public void Consistency_proofs_are_those_of_the_reference()
    {
        for (var to = 1; to <= Largest; to++)
        {
            for (var from = 1; from <= to; from++)
            {
                var proof = Consistency.Prove(from, to, Tree.Node);

                Assert.True(Reference.Proof(from, to).SequenceEqual(proof.Select(hash => hash.ToArray()), Same));
                Assert.True(Consistency.Verify(from, to, Roots[from], proof, Roots[to]));
                Assert.True(Consistency.VerifyFromAny(from, to, Roots[from], proof, Roots[to]));
            }
        }
    }
}
