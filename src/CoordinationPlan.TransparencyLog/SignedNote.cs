namespace CoordinationPlan.TransparencyLog;

/// <summary>A text with the signatures under it (C2SP signed-note).</summary>
/// <param name="Text">What is signed: lines that each end with a newline.</param>
/// <param name="Signatures">In the order in which they stand; also such as nobody here knows the keys of.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    private const int MostBytes = 1 << 20;
    private const int MostSignatures = 100;

    /// <exception cref="FormatException">It is no note.</exception>
    public static SignedNote Parse(ReadOnlySpan<byte> note) =>
        note.Length <= MostBytes ? Parse(StrictText.Utf8(note)) : throw new FormatException($"A note of more than {MostBytes} bytes is not read.");

    /// <exception cref="FormatException">It is no note.</exception>
    public static SignedNote Parse(string note)
    {
        ArgumentNullException.ThrowIfNull(note);
        if (StrictText.Utf8(note).Length > MostBytes)
        {
            throw new FormatException($"A note of more than {MostBytes} bytes is not read.");
        }

        if (note.Any(character => character < ' ' && character != '\n'))
        {
            throw new FormatException("A note holds no control characters but newlines.");
        }

        // The text may hold empty lines; the last one separates.
        var separator = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (separator < 0)
        {
            throw new FormatException("A note has an empty line before its signatures.");
        }

        var lines = StrictText.Lines(note[(separator + 2)..]);
        return lines.Length <= MostSignatures
            ? new SignedNote(note[..(separator + 1)], [.. lines.Select(NoteSignature.Parse)])
            : throw new FormatException($"A note of more than {MostSignatures} signatures is not read.");
    }

    /// <summary>The note with one more signature.</summary>
    public SignedNote With(NoteSignature signature) => this with { Signatures = [.. Signatures, signature] };

    /// <summary>
    /// The keys, of those that are known, which have signed. Lines of others are ignored, also where they bear a known name or id but not both.
    /// </summary>
    /// <exception cref="NoteException">A line claims to be by a known key and is not. Then nothing in the note is believed.</exception>
    public IReadOnlyList<NoteVerifier> SignedBy(IEnumerable<NoteVerifier> known)
    {
        ArgumentNullException.ThrowIfNull(known);
        List<NoteVerifier> signed = [];
        foreach (var key in known)
        {
            var claims = Signatures.Where(key.Claims).ToList();
            if (!claims.TrueForAll(claim => key.Verify(Text, claim)))
            {
                throw new NoteException($"A signature that claims to be by {key.Name} is wrong.");
            }

            if (claims.Count > 0)
            {
                signed.Add(key);
            }
        }

        return signed;
    }

    public override string ToString() => $"{Text}\n{string.Concat(Signatures.Select(signature => $"{signature}\n"))}";
}

/// <summary>A note is well-formed and not to be believed.</summary>
public sealed class NoteException : Exception
{
    public NoteException()
    {
    }

    public NoteException(string message)
        : base(message)
    {
    }

    public NoteException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
