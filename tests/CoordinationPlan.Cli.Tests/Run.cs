using System.Globalization;
using CoordinationPlan.Cli.Verify;
using CoordinationPlan.TransparencyLog;
using Microsoft.Extensions.Time.Testing;

namespace CoordinationPlan.Cli.Tests;

/// <summary>What a run of <c>coordplan verify</c> ended with, and what it said.</summary>
internal sealed record Run(int Code, string Output)
{
    /// <summary>Checks a log as a careful auditor does: with its key and its witness's.</summary>
    public static async Task<Run> Of(FolderLog log, Func<VerificationOptions, VerificationOptions>? change = null, HttpClient? http = null, DateTimeOffset? now = null)
    {
        var options = new VerificationOptions
        {
            Source = log.Folder,
            Log = log.Key,
            Witnesses = new WitnessPolicy(1, [log.WitnessKey]),
            ReceiptKeys = [log.ReceiptKey],
            MergeDelay = TimeSpan.FromHours(1),
        };
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var progress = new StringWriter(CultureInfo.InvariantCulture);
        using var client = new HttpClient();
        var clock = new FakeTimeProvider(now ?? FolderLog.Start);
        var code = await new Verification(change?.Invoke(options) ?? options, output, progress, http ?? client, clock).Run(TestContext.Current.CancellationToken);
        return new Run(code, output.ToString());
    }

    public void IsGood() => Assert.True(Code == 0 && Output.EndsWith("All good.\n", StringComparison.Ordinal), Output);

    public void IsWrong(string why)
    {
        Assert.True(Code == 1, Output);
        Assert.Contains(Output.Split('\n'), line => line.StartsWith("WRONG", StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal));
    }

    public void IsNotChecked(string why)
    {
        Assert.True(Code == 2, Output);
        Assert.Contains(Output.Split('\n'), line => line.StartsWith("not checked", StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal));
    }
}
