using System.Diagnostics;

namespace CoordinationPlan.Cli.Tests;

/// <summary>The program as an auditor runs it: what it prints where, and what it ends with.</summary>
public sealed class VerifyCommandTests
{
    [Fact]
    public async Task It_ends_with_what_it_found()
    {
        using var log = new FolderLog().Grow(300);
        var last = Path.Combine(log.Parent.FullName, "last");
        var key = log.Key.ToString();
        var witness = log.WitnessKey.ToString();

        var (code, output, errors) = await Verify(log.Folder, "--key", key, "--witness", witness, "--last", last);
        Assert.True(code == 0, output + errors);
        Assert.EndsWith("All good.\n", output, StringComparison.Ordinal);
        Assert.Equal("", errors);
        Assert.True(File.Exists(last));

        (code, output, _) = await Verify(log.Folder, "--key", key);
        Assert.Equal(2, code);
        Assert.EndsWith("Nothing found wrong; 1 could not be checked.\n", output, StringComparison.Ordinal);

        var entries = Path.Combine(log.Folder, "tile/entries/000");
        var bytes = await File.ReadAllBytesAsync(entries, TestContext.Current.CancellationToken);
        bytes[5] ^= 1;
        await File.WriteAllBytesAsync(entries, bytes, TestContext.Current.CancellationToken);
        (code, output, _) = await Verify(log.Folder, "--key", key, "--witness", witness);
        Assert.Equal(1, code);
        Assert.EndsWith("found wrong.\n", output, StringComparison.Ordinal);
        // What was checked before is not read again; a full check reads it.
        (code, _, _) = await Verify(log.Folder, "--key", key, "--witness", witness, "--last", last);
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task What_it_cannot_use_it_says_and_checks_nothing()
    {
        using var log = new FolderLog().Grow(3);
        var key = log.Key.ToString();
        var witness = log.WitnessKey.ToString();

        await NotUsed("There is nothing to check", "--key", key);
        await NotUsed("Not a key", log.Folder, "--key", "log.example");
        await NotUsed("key's id does not belong", log.Folder, "--key", key.Replace("log.example", "log.exampel", StringComparison.Ordinal));
        await NotUsed("A witness signs with a time", log.Folder, "--key", key, "--witness", key);
        await NotUsed("needed", log.Folder, "--key", key, "--witness", witness, "--witnesses-needed", "2");
        await NotUsed("nowhere", log.Folder, "--key", key, "--witness", witness, "--receipts", Path.Combine(log.Folder, "nowhere"));
        await NotUsed("holds nothing to check", "--key", key, "--proof", log.Parent.CreateSubdirectory("empty").FullName);
        await NotUsed("A note has an empty line", log.Folder, "--key", key, "--last", log.Beside("last", "nothing"), "--witness", witness);
    }

    private static async Task NotUsed(string why, params string[] arguments)
    {
        var (code, _, errors) = await Verify(arguments);
        Assert.True(code == 2, errors);
        Assert.Contains(why, errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> Verify(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "coordplan.dll"), "verify", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await errors);
    }
}
