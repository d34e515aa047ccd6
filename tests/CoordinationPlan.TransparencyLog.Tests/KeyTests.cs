using System.Numerics;
using System.Text;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>
/// Ed25519 at its odd points, pinned. Implementations differ there, and a signature that one accepts and another refuses splits those who verify. These are the
/// points of small order, under which one signature fits many texts, and signatures that can be written in two ways.
/// </summary>
public sealed class KeyTests
{
    /// <summary>All points whose order divides eight, in each of their encodings, also those with a coordinate of the prime or more.</summary>
    private static readonly byte[][] SmallOrder =
    [
        .. new[]
        {
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        }.Select(Convert.FromHexString),
    ];

    private static readonly BigInteger Order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", null);

    [Fact]
    public void Under_a_key_of_small_order_nothing_is_signed()
    {
        var accepted = 0;
        foreach (var key in SmallOrder)
        {
            NoteVerifier verifier;
            try
            {
                verifier = new NoteVerifier("odd.example", NoteAlgorithm.Ed25519, key);
            }
            catch (FormatException)
            {
                continue;
            }

            // With S = 0 any of eight texts fits a key and an R of small order, where neither is refused.
            accepted += (
                from r in SmallOrder
                from i in Enumerable.Range(0, 32)
                where verifier.Verify($"text {i}\n", new NoteSignature(verifier.Name, verifier.KeyId, [.. r, .. new byte[32]]))
                select i).Count();
        }

        Assert.Equal(0, accepted);
    }

    [Fact]
    public void A_signature_is_written_in_one_way()
    {
        using var signer = new NoteSigner("log.example", new byte[32]);
        var signature = signer.Sign("text\n");
        var s = new BigInteger(signature.Bytes.Span[32..], isUnsigned: true);
        Assert.True(s < Order);
        Assert.True(signer.Verifier.Verify("text\n", signature));

        var second = new byte[64];
        signature.Bytes.Span.CopyTo(second);
        second.AsSpan(32).Clear();
        (s + Order).TryWriteBytes(second.AsSpan(32), out _, isUnsigned: true);

        Assert.False(signer.Verifier.Verify("text\n", new NoteSignature(signature.Name, signature.KeyId, second)));
    }

    [Fact]
    public void The_first_test_of_rfc_8032_is_signed()
    {
        using var signer = new NoteSigner("rfc8032", Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));

        Assert.Equal("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", Convert.ToHexStringLower(signer.Verifier.PublicKeyBytes.Span));
        Assert.Equal(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            Convert.ToHexStringLower(signer.Sign([])));
    }

    [Fact]
    public void A_key_is_told_from_another_of_the_same_bytes_by_what_it_signs()
    {
        using var log = new NoteSigner("both.example", new byte[32]);
        using var witness = new NoteSigner("both.example", new byte[32], NoteAlgorithm.Cosignature);
        var text = new Checkpoint("both.example", 0, TreeHash.Empty).ToString();

        Assert.NotEqual(log.KeyId, witness.KeyId);
        Assert.Empty(new SignedNote(text, [log.Sign(text)]).SignedBy([witness.Verifier]));
        Assert.Empty(new SignedNote(text, [Cosignature.Sign(witness, text, DateTimeOffset.UnixEpoch)]).SignedBy([log.Verifier]));
        Assert.Throws<InvalidOperationException>(() => witness.Sign(text));
        Assert.Throws<InvalidOperationException>(() => Cosignature.Sign(log, text, DateTimeOffset.UnixEpoch));
        // The log's signature in the place of the witness's time and signature.
        var posing = new NoteSignature(witness.Name, witness.KeyId, [.. new byte[8], .. log.Sign(text).Bytes.Span]);
        Assert.Throws<NoteException>(() => new SignedNote(text, [posing]).SignedBy([witness.Verifier]));
    }

    [Fact]
    public void A_line_under_a_known_name_or_id_but_not_both_is_another_keys()
    {
        using var log = new NoteSigner("log.example", new byte[32]);
        using var other = new NoteSigner("log.example", [.. Encoding.ASCII.GetBytes("another seed of thirty-two bytes")]);
        const string text = "text\n";
        var note = new SignedNote(text, [other.Sign(text), new NoteSignature("elsewhere.example", log.KeyId, [1]), log.Sign(text)]);

        Assert.Equal([log.Verifier], note.SignedBy([log.Verifier]));
        Assert.Throws<NoteException>(() => note.With(new NoteSignature(log.Name, log.KeyId, [1])).SignedBy([log.Verifier]));
        // A receipt's signature is over bytes that no note begins with.
        var receipt = Receipt.Sign(log, log.Name, Guid.Empty, TreeHash.Empty, DateTimeOffset.UnixEpoch);
        Assert.Contains((byte)0, receipt.Message());
    }

    [Fact]
    public void A_witness_counts_once()
    {
        using var first = new NoteSigner("w1.example", new byte[32], NoteAlgorithm.Cosignature);
        using var twin = new NoteSigner("w2.example", new byte[32], NoteAlgorithm.Cosignature);
        using var log = new NoteSigner("log.example", new byte[32]);
        var note = new Checkpoint("log.example", 0, TreeHash.Empty).Sign(log);
        note = note.With(Cosignature.Sign(first, note.Text, DateTimeOffset.UnixEpoch)).With(Cosignature.Sign(first, note.Text, DateTimeOffset.UnixEpoch.AddDays(1)));

        Assert.Throws<ArgumentException>(() => new WitnessPolicy(1, [first.Verifier, first.Verifier]));
        Assert.Throws<ArgumentException>(() => new WitnessPolicy(1, [first.Verifier, twin.Verifier]));
        Assert.Throws<ArgumentException>(() => new WitnessPolicy(1, [log.Verifier]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WitnessPolicy(2, [first.Verifier]));
        using var second = new NoteSigner("w2.example", [.. Encoding.ASCII.GetBytes("another seed of thirty-two bytes")], NoteAlgorithm.Cosignature);
        Assert.True(new WitnessPolicy(1, [first.Verifier, second.Verifier]).IsMetBy(note));
        Assert.False(new WitnessPolicy(2, [first.Verifier, second.Verifier]).IsMetBy(note));
        Assert.True(WitnessPolicy.None.IsMetBy(note));
    }
}
