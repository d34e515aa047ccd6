using System.Diagnostics;

namespace CoordinationPlan.Cli.Tests;

/// <summary>
/// scripts/verify-independently on logs that this project wrote: Go's x/mod, @sigstore/verify and openssl find them right, and find wrong what is wrong. Where the tools are
/// missing it is skipped, but not in continuous integration, where the script brings them.
/// </summary>
public sealed class IndependentToolsTests
{
    private static readonly string[] Tools = ["go", "openssl", "node", "curl"];
    private static readonly string Root = FindRoot();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(70_000)]
    public async Task They_find_a_log_right(int size)
    {
        SkipWithoutTools();
        using var log = new FolderLog().Grow(size / 3);
        var earlier = log.Beside("earlier", log.Note().ToString());
        log.Grow(size);

        var (code, output) = await Check(log, "--witness", log.WitnessKey.ToString(), "--earlier", earlier);

        Assert.True(code == 0, output);
        Assert.Equal(4, output.Split('\n').Count(line => line.StartsWith("ok  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task They_read_a_log_that_is_served()
    {
        SkipWithoutTools();
        using var log = new FolderLog().Grow(300);
        await using var served = await Served.Start(log);

        var (code, output) = await Check(served.Address, log, "--witness", log.WitnessKey.ToString());

        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task They_find_a_log_wrong()
    {
        SkipWithoutTools();
        using var log = new FolderLog().Grow(300);
        using var other = new FolderLog(fork: 100).Grow(200);
        using var impostor = new FolderLog(seed: 9).Grow(3);

        await Fails(log, "golang.org/x/mod", "--earlier", log.Beside("earlier", other.Note().ToString()));
        await Fails(log, "openssl", "--witness", impostor.WitnessKey.ToString());
        await Fails(log, "golang.org/x/mod", change: "tile/entries/001.p/44");
        await Fails(log, "golang.org/x/mod", change: "tile/0/000");
        await Fails(log, "openssl", change: "checkpoint");
        Assert.Equal(0, (await Check(log)).Code);
    }

    private static async Task Fails(FolderLog log, string tool, params string[] arguments) =>
        Assert.Contains((await Fails(log, arguments)).Split('\n'), line => line.StartsWith($"{tool}: ", StringComparison.Ordinal));

    private static async Task Fails(FolderLog log, string tool, string change)
    {
        var file = Path.Combine(log.Folder, change);
        var right = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        var wrong = right.ToArray();
        wrong[20] ^= 1;
        await File.WriteAllBytesAsync(file, wrong, TestContext.Current.CancellationToken);
        await Fails(log, tool, []);
        await File.WriteAllBytesAsync(file, right, TestContext.Current.CancellationToken);
    }

    private static async Task<string> Fails(FolderLog log, string[] arguments)
    {
        var (code, output) = await Check(log, arguments);
        Assert.True(code == 1, output);
        return output;
    }

    private static Task<(int Code, string Output)> Check(FolderLog log, params string[] arguments) => Check(log.Folder, log, arguments);

    private static async Task<(int Code, string Output)> Check(string where, FolderLog log, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, "scripts/verify-independently"), [where, log.Key.ToString(), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }

    private static void SkipWithoutTools()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
            Assert.SkipUnless(
                Directory.Exists("/usr/share/gocode/src/golang.org/x/mod/sumdb")
                && Directory.Exists(Path.Combine(Root, "node_modules/@sigstore/verify"))
                && Tools.All(tool => onPath.Any(folder => File.Exists(Path.Combine(folder, tool)))),
                "The independent tools are missing; scripts/setup --independent brings them.");
        }
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "CoordinationPlan.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
