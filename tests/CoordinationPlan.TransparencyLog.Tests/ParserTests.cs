using System.Text;
using CsCheck;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>
/// Whatever somebody sends is refused, or is read as what it says: written again, it is the same bytes. What a parser takes in two spellings, two parties can see
/// differently under one signature.
/// </summary>
public sealed class ParserTests
{
    private const string Key = "log.example/1+b9b5ba6f+AQ==";

    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly NoteSigner Log = new("log.example/1", Seed);
    private static readonly NoteSigner Witness = new("witness.example", Seed, NoteAlgorithm.Cosignature);
    private static readonly SampleTree Tree = new(9);
    private static readonly SignedNote Note = MakeNote();

    private static readonly string[] Texts =
    [
        Note.ToString(),
        Note.Text,
        new TlogProof(3, Inclusion.Prove(3, 9, Tree.Node), Note, [1, 2, 3]).ToString(),
        new AddCheckpoint(7, Consistency.Prove(7, 9, Tree.Node), Note).ToString(),
        "42\n",
        Log.Verifier.ToString(),
        Witness.Verifier.ToString(),
        Note.Signatures[0].ToString(),
        "tile/0/x001/234.p/5",
        "tile/entries/000",
        Key,
    ];

    /// <summary>What tells the lines and words of the formats apart, and what looks like it.</summary>
    private static readonly string[] Pieces =
    [
        "", "\n", "\n\n", " ", "\t", "\r", "\0", "\u00a0", "\u2028", "\u0085", "— ", "—", "- ", "+", "=", "==", "0", "00", "-1", "1e3", "９", "old ", "index ", "extra ", "x", ".p/", "/",
        "A", "\u007f", "\ufeff", "\ud800", "AAAA", "9223372036854775808",
    ];

    private static readonly Gen<string> AnyPiece = Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]);

    private static readonly Gen<string> AnyText = Gen.OneOf(
        // A thing that is right, with pieces put in, taken out and doubled.
        Gen.Select(Gen.Int[0, Texts.Length - 1].Select(i => Texts[i]), Gen.Select(Gen.Int[0, 400], Gen.Int[0, 4], AnyPiece).Array[0, 4], Alter),
        AnyPiece.Array[0, 12].Select(string.Concat),
        Gen.String);

    [Fact]
    public void Whatever_text_is_read_is_written_again_the_same() => AnyText.Sample(
        text =>
        {
            IsRefusedOrTheSame(text, SignedNote.Parse);
            IsRefusedOrTheSame(text, Checkpoint.Parse);
            IsRefusedOrTheSame(text, TlogProof.Parse);
            IsRefusedOrTheSame(text, request => AddCheckpoint.Parse(StrictText.Utf8(request)));
            IsRefusedOrTheSame(text, size => $"{AddCheckpoint.ParseSize(size)}\n");
            IsRefusedOrTheSame(text, NoteVerifier.Parse);
            IsRefusedOrTheSame(text, NoteSignature.Parse);
            IsRefusedOrTheSame(text, path => TilePath.Parse(path));
            IsRefusedOrTheSame(text, hash => TreeHash.Parse(hash));
            IsRefusedOrTheSame(text, key => NoteSigner.Parse(key).Verifier);
        },
        iter: 30_000);

    [Fact]
    public void Whatever_bytes_are_read_are_written_again_the_same() => Gen.OneOf(
        Gen.Byte.Array[0, 400],
        Gen.Select(Gen.Const(Receipt.Sign(Log, "log.example/1", Guid.Empty, TreeHash.Empty, DateTimeOffset.UnixEpoch).ToBytes()), Gen.Int[0, 200], Gen.Byte, Altered)).Sample(
        bytes =>
        {
            try
            {
                Assert.Equal(bytes, Receipt.Parse(bytes).ToBytes());
            }
            catch (FormatException)
            {
            }

            try
            {
                Assert.Equal(bytes, Encoding.UTF8.GetBytes(SignedNote.Parse(bytes).ToString()));
            }
            catch (FormatException)
            {
            }
        },
        iter: 20_000);

    [Theory]
    [InlineData("")]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n— a AAAAAAA=")]
    [InlineData("text\n\n- a AAAAAAA=\n")]
    [InlineData("text\n\n— a b AAAAAAA=\n")]
    [InlineData("text\n\n—  AAAAAAA=\n")]
    [InlineData("text\n\n— a+b AAAAAAA=\n")]
    [InlineData("text\n\n— a\u00a0b AAAAAAA=\n")]
    [InlineData("text\n\n— a AAAAAA==\n")]
    [InlineData("text\n\n— a AAAAAAB=\n")]
    [InlineData("text\n\n— a AAAA AAA=\n")]
    [InlineData("te\rxt\n\n— a AAAAAAA=\n")]
    [InlineData("te\0xt\n\n— a AAAAAAA=\n")]
    public void What_is_no_note(string text) => Assert.Throws<FormatException>(() => SignedNote.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("log\n1\n")]
    [InlineData("log\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n1 \n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n")]
    [InlineData("\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n")]
    public void What_is_no_checkpoint(string text) => Assert.Throws<FormatException>(() => Checkpoint.Parse(text));

    [Fact]
    public void Sixteen_signatures_are_read_and_more_than_a_hundred_are_not()
    {
        var line = Note.Signatures[0];
        Assert.Equal(16, SignedNote.Parse(new SignedNote("text\n", [.. Enumerable.Repeat(line, 16)]).ToString()).Signatures.Count);
        Assert.Throws<FormatException>(() => SignedNote.Parse(new SignedNote("text\n", [.. Enumerable.Repeat(line, 101)]).ToString()));
        Assert.Throws<FormatException>(() => SignedNote.Parse(new SignedNote(new string('a', 1 << 20) + "\n", [line]).ToString()));
        Assert.Throws<FormatException>(() => SignedNote.Parse(Encoding.UTF8.GetBytes(new SignedNote(new string('a', 1 << 20) + "\n", [line]).ToString())));
    }

    private static void IsRefusedOrTheSame<T>(string text, Func<string, T> parse)
    {
        try
        {
            var read = parse(text);
            if (read is not NoteVerifier || !text.StartsWith("PRIVATE", StringComparison.Ordinal))
            {
                Assert.Equal(text, read!.ToString());
            }
        }
        catch (FormatException)
        {
        }
    }

    private static SignedNote MakeNote()
    {
        var note = new Checkpoint("log.example/1", 9, Tree.Root(9), "more\n").Sign(Log);
        return note.With(Cosignature.Sign(Witness, note.Text, DateTimeOffset.UnixEpoch));
    }

    private static string Alter(string text, (int At, int Remove, string Insert)[] changes)
    {
        foreach (var (at, remove, insert) in changes)
        {
            var from = Math.Min(at, text.Length);
            text = text[..from] + insert + text[Math.Min(from + remove, text.Length)..];
        }

        return text;
    }

    private static byte[] Altered(byte[] bytes, int at, byte value)
    {
        var altered = at < bytes.Length ? bytes.ToArray() : bytes[..^(at - bytes.Length)];
        if (at < altered.Length)
        {
            altered[at] = value;
        }

        return altered;
    }
}
