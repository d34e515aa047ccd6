using System.Globalization;

namespace CoordinationPlan.TransparencyLog;

/// <summary>What a log says it holds (C2SP tlog-checkpoint): the text of a note that it signs.</summary>
/// <param name="Origin">Which log: an address without scheme.</param>
/// <param name="Size">How many leaves.</param>
/// <param name="Root">The root over them.</param>
/// <param name="Extensions">Further lines, each with its newline; nobody checks what they say.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root, string Extensions = "")
{
    /// <exception cref="FormatException">It is no checkpoint.</exception>
    public static Checkpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = StrictText.Lines(text);
        if (lines.Length < 3 || lines.Contains(""))
        {
            throw new FormatException("A checkpoint has at least three lines, none of them empty.");
        }

        return new Checkpoint(lines[0], StrictText.Number(lines[1]), TreeHash.Parse(lines[2]), string.Concat(lines.Skip(3).Select(line => $"{line}\n")));
    }

    /// <summary>The checkpoint of a note that a log has signed.</summary>
    /// <param name="log">The log's key; its name is the origin.</param>
    /// <exception cref="FormatException">It is no checkpoint.</exception>
    /// <exception cref="NoteException">It is another log's, or the log has not signed it.</exception>
    public static Checkpoint Open(SignedNote note, NoteVerifier log)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(log);
        var checkpoint = Parse(note.Text);
        if (checkpoint.Origin != log.Name)
        {
            throw new NoteException($"The checkpoint is of {checkpoint.Origin}, not of {log.Name}.");
        }

        return note.SignedBy([log]).Count == 1 ? checkpoint : throw new NoteException($"{log.Name} has not signed the checkpoint.");
    }

    /// <summary>Signs it as the log.</summary>
    public SignedNote Sign(NoteSigner log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var text = ToString();
        return new SignedNote(text, [log.Sign(text)]);
    }

    /// <summary>The text that is signed.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n{Extensions}");
}
