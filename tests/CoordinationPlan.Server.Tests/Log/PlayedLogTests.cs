using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Cli.Demo;
using CoordinationPlan.Cli.Verify;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.TransparencyLog.Client;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>
/// The demonstration is played, and every log that it leaves is checked from outside: by this project's program over the service's own port, and by tools that this project did not
/// write (Go's x/mod, @sigstore/verify, openssl) on a copy of the files. Where those are missing that part is skipped, but not in continuous integration, which brings them.
/// </summary>
public sealed class PlayedLogTests(Service service) : IClassFixture<Service>
{
    private static readonly string[] Tools = ["go", "openssl", "node", "curl"];

    [Fact]
    public async Task The_log_of_a_played_demonstration_is_found_right_by_us_and_by_tools_of_others()
    {
        Assert.True((await ScenarioA.Play(service.Infrastructure, service.Address, TestContext.Current.CancellationToken)).IsAsTheScenarioSays);
        var logs = (await service.As(DemonstrationDirectory.LogReviewer).Audit.ListLogsAsync(new())).Logs;
        var region = (await service.As(DemonstrationDirectory.RegionLogReviewer).Audit.ListLogsAsync(new())).Logs;
        await Published(logs.Concat(region));
        using var http = Client();

        foreach (var log in logs.Concat(region))
        {
            var address = new Uri(service.LogAddress, "/log/" + string.Join('/', log.Origin.Split('/')[^2..])).ToString();
            var output = new StringWriter();
            var options = new VerificationOptions { Source = address, Log = NoteVerifier.Parse(log.Key) };
            // Nobody witnesses the demonstration, and the program says so.
            Assert.Equal(VerificationReport.NotChecked, await new Verification(options, output, TextWriter.Null, http, TimeProvider.System).Run(TestContext.Current.CancellationToken));
            Assert.Contains("hash to the root that was signed", output.ToString(), StringComparison.Ordinal);
        }

        Assert.SkipUnless(HasTools(), "The independent tools are missing; scripts/setup --independent brings them.");
        foreach (var log in logs.Concat(region))
        {
            var folder = System.IO.Directory.CreateTempSubdirectory("coordplan-log-");
            await Copy(LogSource.At(new Uri(service.LogAddress, "/log/" + string.Join('/', log.Origin.Split('/')[^2..])).ToString(), http), folder.FullName);
            var (code, said) = await Run(Path.Combine(Machine.RepositoryRoot, "scripts/verify-independently"), folder.FullName, log.Key);
            Assert.True(code == 0, said);
            folder.Delete(recursive: true);
        }
    }

    private static bool HasTools() =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"))
        || (System.IO.Directory.Exists("/usr/share/gocode/src/golang.org/x/mod/sumdb")
            && System.IO.Directory.Exists(Path.Combine(Machine.RepositoryRoot, "node_modules/@sigstore/verify"))
            && Tools.All(tool => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)))));

    private static async Task Copy(LogSource source, string folder)
    {
        var note = await source.Checkpoint(TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(folder, "checkpoint"), note, TestContext.Current.CancellationToken);
        var size = Checkpoint.Parse(SignedNote.Parse(note).Text).Size;
        foreach (var tile in Tiles.NewEntries(0, size).Concat(Tiles.Of(size)))
        {
            var file = Path.Combine(folder, tile.ToString());
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, await source.Tile(tile, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        }
    }

    private static async Task<(int Code, string Said)> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }

    /// <summary>Waits until each log has a checkpoint of all that it had.</summary>
    private async Task Published(IEnumerable<AuditLog> logs)
    {
        foreach (var log in logs)
        {
            for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System))
            {
                try
                {
                    var note = (await service.As(DemonstrationDirectory.LogReviewer).Audit.GetCheckpointAsync(new() { Origin = log.Origin })).Checkpoint;
                    if (Checkpoint.Parse(SignedNote.Parse(note).Text).Size >= log.Size)
                    {
                        break;
                    }
                }
                catch (Grpc.Core.RpcException notYet) when (Errors.ReasonOf(notYet) == ErrorReason.UnknownReference)
                {
                }

                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "A log is not published.");
            }
        }
    }

    private HttpClient Client()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [service.Infrastructure.ClientCertificate(DevelopmentClients.SocialServices)];
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(service.Infrastructure.Authority.Root);
        return new HttpClient(handler);
    }
}
