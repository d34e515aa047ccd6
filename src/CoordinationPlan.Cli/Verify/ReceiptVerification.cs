using System.Globalization;
using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Verify;

/// <summary>
/// Looks for the leaf of each receipt. A case system has a receipt for every answer that it was given; one whose leaf is not there after the longest time that the log takes proves
/// that the entry was taken away before it came into the log.
/// </summary>
internal sealed class ReceiptVerification
{
    private readonly Dictionary<TreeHash, List<(Receipt Receipt, string Name)>> missing = [];
    private readonly VerificationReport report;
    private readonly int usable;

    /// <param name="files">Each with its name: the bytes of one receipt, or one in base64 on each line.</param>
    /// <param name="keys">The keys that the servers sign receipts with. A receipt by another key proves nothing: anybody can write one.</param>
    public ReceiptVerification(IEnumerable<(string Name, byte[] Content)> files, string origin, IReadOnlyList<NoteVerifier> keys, VerificationReport report)
    {
        this.report = report;
        foreach (var (name, bytes) in files.SelectMany(file => Split(file.Name, file.Content)))
        {
            try
            {
                var receipt = Receipt.Parse(bytes);
                if (receipt.Origin != origin)
                {
                    report.CouldNotCheck($"{name}: the receipt is of another log, {receipt.Origin}");
                }
                else if (!keys.Any(receipt.Verify))
                {
                    report.CouldNotCheck($"{name}: the receipt is not signed by a key that was given");
                }
                else
                {
                    usable++;
                    if (!missing.TryAdd(receipt.Leaf, [(receipt, name)]))
                    {
                        missing[receipt.Leaf].Add((receipt, name));
                    }
                }
            }
            catch (FormatException failure)
            {
                report.CouldNotCheck($"{name}: {failure.Message}");
            }
        }
    }

    /// <summary>Is shown every leaf of the log.</summary>
    public void See(TreeHash leaf) => missing.Remove(leaf);

    /// <summary>Says what is missing, after all leaves were seen.</summary>
    /// <param name="asOf">When the log was what was seen; null: nobody knows.</param>
    /// <param name="longest">The longest time that the log takes from an entry to a signed checkpoint.</param>
    public void Conclude(DateTimeOffset? asOf, TimeSpan longest)
    {
        foreach (var (receipt, name) in missing.Values.SelectMany(same => same))
        {
            var entry = Text($"{name}: entry {receipt.Entry} of {receipt.Time:u}");
            if (asOf is null)
            {
                report.CouldNotCheck($"{entry} has no leaf, and nobody says when the log was like this: no witness has signed it");
            }
            else if (asOf - receipt.Time > longest)
            {
                report.Wrong(Text($"{entry} has no leaf at {asOf:u}, after more than {longest}: proof of removal"));
            }
            else
            {
                report.CouldNotCheck(Text($"{entry} has no leaf yet, and {longest} have not passed at {asOf:u}"));
            }
        }

        var found = usable - missing.Values.Sum(same => same.Count);
        if (found > 0)
        {
            report.Good(Text($"{found} receipts have their leaf"));
        }
    }

    /// <summary>A receipt's first byte is no character of a line of base64.</summary>
    private static IEnumerable<(string Name, byte[] Bytes)> Split(string name, byte[] content)
    {
        if (content is not [>= (byte)'+', ..])
        {
            yield return (name, content);
            yield break;
        }

        var number = 0;
        foreach (var line in Encoding.ASCII.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            number++;
            var bytes = new byte[line.Length];
            yield return (Text($"{name}, line {number}"), Convert.TryFromBase64String(line, bytes, out var length) ? bytes[..length] : []);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
