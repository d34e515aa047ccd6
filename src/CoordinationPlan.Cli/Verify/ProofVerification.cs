using System.Globalization;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Verify;

/// <summary>
/// Checks proofs that went out with an extract. A proof is a file of its own (<c>NAME.tlog-proof</c>) that carries the entry; beside it may lie what the record was
/// (<c>NAME.json</c>), of which some fields are shown and the others hidden.
/// </summary>
internal sealed class ProofVerification(NoteVerifier log, WitnessPolicy witnesses, VerificationReport report)
{
    public const string Extension = ".tlog-proof";

    /// <summary>The checkpoint that the proof rests on, for the comparison with what the log shows now; null where it proves nothing.</summary>
    public KnownCheckpoint? Check(string name, string proofText, string? disclosureText)
    {
        TlogProof proof;
        Disclosure? disclosure;
        byte[]? entry;
        try
        {
            proof = TlogProof.Parse(proofText);
            disclosure = disclosureText is null ? null : DisclosureFile.Parse(disclosureText);
            entry = disclosure?.Entry() ?? proof.Extra;
        }
        catch (FormatException failure)
        {
            report.Wrong($"{name}: {failure.Message}");
            return null;
        }

        if (entry is null)
        {
            report.CouldNotCheck($"{name}: neither the proof holds the entry, nor lies a disclosure beside it");
            return null;
        }

        try
        {
            var checkpoint = proof.Verify(TreeHash.OfLeaf(entry), log, witnesses);
            report.Good(Text($"{name}: entry {proof.Index} of {checkpoint.Size}{What(disclosure)}"));
            return new KnownCheckpoint(checkpoint, name);
        }
        catch (Exception failure) when (failure is FormatException or NoteException)
        {
            report.Wrong($"{name}: {failure.Message}");
            return null;
        }
    }

    private static string What(Disclosure? disclosure) =>
        disclosure is null
            ? ", without what it is about"
            : Text($"; shown: {string.Join(", ", disclosure.Fields.OfType<RevealedField>().Select(field => field.Name))}; hidden: {disclosure.Fields.OfType<HiddenField>().Count()} fields");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
