namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>Keys and notes, beginning with the example of Go's note package.</summary>
public sealed class NoteTests
{
    private const string GoPrivateKey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    private const string GoKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string GoText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    private const string GoNote = GoText + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_679_315_147);

    [Fact]
    public void Gos_key_makes_Gos_note()
    {
        using var signer = NoteSigner.Parse(GoPrivateKey);

        Assert.Equal(GoKey, signer.Verifier.ToString());
        Assert.Equal(GoNote, new SignedNote(GoText, [signer.Sign(GoText)]).ToString());
    }

    [Fact]
    public void Gos_note_is_read_verified_and_written_as_it_was()
    {
        var note = SignedNote.Parse(GoNote);

        Assert.Equal(GoText, note.Text);
        Assert.Equal(GoNote, note.ToString());
        Assert.Equal("PeterNeumann", Assert.Single(note.SignedBy([NoteVerifier.Parse(GoKey)])).Name);
    }

    [Fact]
    public void A_witness_signs_the_checkpoint_with_the_time()
    {
        using var log = NoteSigner.Parse(NoteSigner.Generate("log.example/1"));
        using var witness = NoteSigner.Parse(NoteSigner.Generate("witness.example/w1", NoteAlgorithm.Cosignature));
        var note = new Checkpoint("log.example/1", 3, TreeHash.OfLeaf([]), "more\n").Sign(log);
        note = SignedNote.Parse(note.With(Cosignature.Sign(witness, note.Text, Time)).ToString());

        Assert.Equal([log.Verifier, witness.Verifier], note.SignedBy([log.Verifier, witness.Verifier]));
        Assert.Equal(Time, Cosignature.TimeOf(note.Signatures[1]));
        Assert.Equal(new Checkpoint("log.example/1", 3, TreeHash.OfLeaf([]), "more\n"), Checkpoint.Open(note, log.Verifier));
    }
}
