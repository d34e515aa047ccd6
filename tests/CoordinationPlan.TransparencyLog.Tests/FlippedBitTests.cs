using System.Text;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>Every bit of whatever proves something, flipped: the proof falls.</summary>
public sealed class FlippedBitTests
{
    private const int LargestFlipped = 20;
    private const string Origin = "log.example/2026";

    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_750_000_000);
    private static readonly SampleTree Tree = new(40);
    private static readonly byte[] Seed = [.. Enumerable.Range(7, 32).Select(i => (byte)i)];

    [Fact]
    public void An_inclusion_proof_falls()
    {
        for (var size = 1; size <= LargestFlipped; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var (leaf, root, proof) = (Tree.Leaf(index), Tree.Root(size), Inclusion.Prove(index, size, Tree.Node));
                Assert.All(Flipped(leaf), wrong => Assert.False(Inclusion.Verify(index, size, wrong, proof, root)));
                Assert.All(Flipped(root), wrong => Assert.False(Inclusion.Verify(index, size, leaf, proof, wrong)));
                Assert.All(Flipped(proof), wrong => Assert.False(Inclusion.Verify(index, size, leaf, wrong, root)));
                Assert.All(OfOtherLength(proof), wrong => Assert.False(Inclusion.Verify(index, size, leaf, wrong, root)));
                for (var other = -1; other <= size; other++)
                {
                    Assert.Equal(other == index, Inclusion.Verify(other, size, leaf, proof, root));
                }
            }
        }
    }

    [Fact]
    public void A_consistency_proof_falls()
    {
        for (var to = 1; to <= LargestFlipped; to++)
        {
            for (var from = 1; from <= to; from++)
            {
                var (fromRoot, toRoot, proof) = (Tree.Root(from), Tree.Root(to), Consistency.Prove(from, to, Tree.Node));
                Assert.All(Flipped(fromRoot), wrong => Assert.False(Consistency.Verify(from, to, wrong, proof, toRoot)));
                Assert.All(Flipped(toRoot), wrong => Assert.False(Consistency.Verify(from, to, fromRoot, proof, wrong)));
                Assert.All(Flipped(proof), wrong => Assert.False(Consistency.Verify(from, to, fromRoot, wrong, toRoot)));
                Assert.All(OfOtherLength(proof), wrong => Assert.False(Consistency.Verify(from, to, fromRoot, wrong, toRoot)));
            }
        }
    }

    [Fact]
    public void From_a_tree_without_leaves_there_is_no_proof_but_for_those_who_may_have_seen_nothing()
    {
        Assert.False(Consistency.Verify(0, 5, TreeHash.Empty, [], Tree.Root(5)));
        Assert.False(Consistency.Verify(0, 0, TreeHash.Empty, [], TreeHash.Empty));
        Assert.False(Consistency.Verify(5, 4, Tree.Root(5), [], Tree.Root(4)));
        Assert.False(Consistency.Verify(-1, 4, Tree.Root(5), [], Tree.Root(4)));

        Assert.True(Consistency.VerifyFromAny(0, 5, TreeHash.Empty, [], Tree.Root(5)));
        Assert.True(Consistency.VerifyFromAny(0, 0, TreeHash.Empty, [], TreeHash.Empty));
        Assert.False(Consistency.VerifyFromAny(0, 0, TreeHash.Empty, [], Tree.Root(5)));
        Assert.False(Consistency.VerifyFromAny(0, 5, Tree.Root(1), [], Tree.Root(5)));
        Assert.False(Consistency.VerifyFromAny(0, 5, TreeHash.Empty, [Tree.Root(1)], Tree.Root(5)));
        Assert.False(Consistency.VerifyFromAny(0, -1, TreeHash.Empty, [], TreeHash.Empty));
    }

    [Fact]
    public void Sizes_up_to_the_largest_number_are_answered()
    {
        var proof = Enumerable.Repeat(Tree.Leaf(0), 63).ToList();
        Assert.False(Inclusion.Verify(long.MaxValue - 1, long.MaxValue, Tree.Leaf(0), proof, Tree.Root(1)));
        Assert.False(Inclusion.Verify(long.MaxValue, long.MaxValue, Tree.Leaf(0), proof, Tree.Root(1)));
        Assert.False(Inclusion.Verify(long.MinValue, long.MinValue, Tree.Leaf(0), proof, Tree.Root(1)));
        Assert.False(Consistency.Verify(long.MaxValue - 1, long.MaxValue, Tree.Root(1), proof, Tree.Root(1)));
        Assert.False(Consistency.Verify(1L << 62, long.MaxValue, Tree.Root(1), proof, Tree.Root(1)));
        // A tree of that size, in which all leaves are alike, is walked from its nodes.
        TreeHash Node(int level, long index) => Enumerable.Range(0, level).Aggregate(Tree.Leaf(0), (hash, _) => TreeHash.OfChildren(hash, hash));
        Assert.True(Inclusion.Verify(
            long.MaxValue - 1, long.MaxValue, Tree.Leaf(0), Inclusion.Prove(long.MaxValue - 1, long.MaxValue, Node), Subtree.Root(long.MaxValue, Node)));
        Assert.True(Consistency.Verify(
            long.MaxValue - 1, long.MaxValue, Subtree.Root(long.MaxValue - 1, Node), Consistency.Prove(long.MaxValue - 1, long.MaxValue, Node), Subtree.Root(long.MaxValue, Node)));
    }

    [Fact]
    public void A_signed_checkpoint_falls()
    {
        using var log = new NoteSigner(Origin, Seed);
        var note = new Checkpoint(Origin, 40, Tree.Root(40), "more\n").Sign(log).ToString();

        Falls(Encoding.UTF8.GetBytes(note), bytes => Checkpoint.Open(SignedNote.Parse(bytes), log.Verifier));
    }

    [Fact]
    public void A_cosignature_falls()
    {
        using var witness = new NoteSigner("witness.example", Seed, NoteAlgorithm.Cosignature);
        var text = new Checkpoint(Origin, 40, Tree.Root(40)).ToString();
        var note = new SignedNote(text, [Cosignature.Sign(witness, text, Time)]).ToString();
        var policy = new WitnessPolicy(1, [witness.Verifier]);

        Falls(Encoding.UTF8.GetBytes(note), bytes =>
        {
            if (!policy.IsMetBy(SignedNote.Parse(bytes)))
            {
                throw new NoteException();
            }
        });
    }

    [Fact]
    public void A_key_falls()
    {
        var text = NoteSigner.Generate(Origin);
        using var signer = NoteSigner.Parse(text);

        Falls(Encoding.UTF8.GetBytes(signer.Verifier.ToString()), bytes => NoteVerifier.Parse(StrictText.Utf8(bytes)));
        Falls(Encoding.UTF8.GetBytes(text), bytes => NoteSigner.Parse(StrictText.Utf8(bytes)).Dispose());
    }

    [Fact]
    public void A_proof_file_falls()
    {
        using var log = new NoteSigner(Origin, Seed);
        using var witness = new NoteSigner("witness.example", Seed.Reverse().ToArray(), NoteAlgorithm.Cosignature);
        var note = new Checkpoint(Origin, 40, Tree.Root(40)).Sign(log);
        note = note.With(Cosignature.Sign(witness, note.Text, Time));
        var proof = new TlogProof(17, Inclusion.Prove(17, 40, Tree.Node), note).ToString();
        var policy = new WitnessPolicy(1, [witness.Verifier]);

        Assert.Equal(40, TlogProof.Parse(proof).Verify(Tree.Leaf(17), log.Verifier, policy).Size);
        Assert.Throws<NoteException>(() => TlogProof.Parse(proof).Verify(Tree.Leaf(18), log.Verifier, policy));
        Falls(Encoding.UTF8.GetBytes(proof), bytes => TlogProof.Parse(StrictText.Utf8(bytes)).Verify(Tree.Leaf(17), log.Verifier, policy));
    }

    [Fact]
    public void A_receipt_falls()
    {
        using var key = new NoteSigner("server.example/receipts", Seed);
        var receipt = Receipt.Sign(key, Origin, new Guid("0198a5f2-0000-7000-8000-0123456789ab"), Tree.Leaf(3), Time.AddMicroseconds(123));

        Falls(receipt.ToBytes(), bytes =>
        {
            if (!Receipt.Parse(bytes).Verify(key.Verifier))
            {
                throw new NoteException();
            }
        });
    }

    [Fact]
    public void A_disclosure_falls()
    {
        byte[] secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        (string, byte[]?)[] fields = [("when", [1, 2, 3]), ("who", [4, 5]), ("why", null), ("what", [])];
        var entry = Commitment.Entry(secret, fields);
        var disclosure = Commitment.Disclose(secret, fields, name => name != "who");
        Assert.Equal(entry, disclosure.Entry());

        for (var i = 0; i < disclosure.Fields.Count; i++)
        {
            IEnumerable<DisclosedField> wrong = disclosure.Fields[i] switch
            {
                RevealedField shown =>
                [
                    .. Flipped(shown.Salt.ToArray()).Select(salt => shown with { Salt = salt }),
                    .. Flipped(shown.Value ?? []).Select(value => shown with { Value = value }),
                    .. Flipped(Encoding.ASCII.GetBytes(shown.Name)).Where(name => name.All(b => b < 128)).Select(name => shown with { Name = Encoding.ASCII.GetString(name) }),
                    // Nothing said is not the same as nothing there.
                    shown with { Value = shown.Value is null ? [] : null },
                ],
                HiddenField hidden => Flipped(hidden.Hash).Select(hash => new HiddenField(hash)),
                _ => throw new InvalidOperationException(),
            };
            Assert.All(wrong, field => Assert.NotEqual(entry, (disclosure with { Fields = [.. disclosure.Fields.Take(i), field, .. disclosure.Fields.Skip(i + 1)] }).Entry()));
        }

        Assert.NotEqual(entry, new Disclosure([.. disclosure.Fields.Reverse()]).Entry());
        Assert.NotEqual(entry, new Disclosure([.. disclosure.Fields.SkipLast(1)]).Entry());
        Assert.All(Flipped(secret), wrong => Assert.NotEqual(entry, Commitment.Entry(wrong, fields)));
    }

    /// <summary>Whatever is altered in one bit does not open, and what is not altered does.</summary>
    private static void Falls(byte[] bytes, Action<byte[]> open)
    {
        open(bytes);
        foreach (var wrong in Flipped(bytes))
        {
            var refusal = Record.Exception(() => open(wrong));
            Assert.True(refusal is FormatException or NoteException, $"{Encoding.Latin1.GetString(wrong)}: {refusal}");
        }
    }

    private static IEnumerable<byte[]> Flipped(byte[] bytes)
    {
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var wrong = bytes.ToArray();
            wrong[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return wrong;
        }
    }

    private static IEnumerable<TreeHash> Flipped(TreeHash hash) => Flipped(hash.ToArray()).Select(wrong => new TreeHash(wrong));

    private static IEnumerable<List<TreeHash>> Flipped(List<TreeHash> proof) =>
        from i in Enumerable.Range(0, proof.Count)
        from wrong in Flipped(proof[i])
        select (List<TreeHash>)[.. proof.Take(i), wrong, .. proof.Skip(i + 1)];

    private static IEnumerable<List<TreeHash>> OfOtherLength(List<TreeHash> proof) =>
    [
        [.. proof, TreeHash.Empty],
        [TreeHash.Empty, .. proof],
        [.. proof, .. Enumerable.Repeat(TreeHash.Empty, 70)],
        .. proof.Count == 0 ? Enumerable.Empty<List<TreeHash>>() : [[.. proof.Skip(1)], [.. proof.SkipLast(1)]],
    ];
}
