using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Witness.Tests;

/// <summary>What the witness has signed outlives it.</summary>
public sealed class StateTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_restart_it_goes_on_where_it_was()
    {
        using var log = new SampleLog();
        using var other = new SampleLog("other.example/../2026");
        await using var witness = await RunningWitness.Start(log, other);
        await witness.Signs(log.Request(0, 20));
        await witness.Signs(other.Request(0, 5));

        await witness.Stop();
        await witness.Start();

        await witness.Conflicts(log.Request(0, 10), 20);
        await witness.Conflicts(other.Request(0, 3), 5);
        await witness.Signs(log.Request(20, 21));
        await witness.Signs(other.Request(5, 21));
        Assert.Equal(2, Directory.GetFiles(witness.StateFolder, "*.checkpoint").Length);
    }

    [Fact]
    public async Task Killed_between_asking_and_answering_it_has_forgotten_nothing_that_it_signed()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 1));
        await witness.Stop();
        var config = Path.Combine(Path.GetDirectoryName(witness.KeyFile)!, "config.json");
        var signed = 1L;
        for (var round = 0; round < 6; round++)
        {
            var port = FreePort();
            var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
            await File.WriteAllTextAsync(config, JsonSerializer.Serialize(witness.Options with { Url = address.ToString() }, JsonSerializerOptions.Web), Stop);
            using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(WitnessHost).Assembly.Location, "serve", config]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            await Listening(witness.Http, address, process);

            // What was signed before the kill is a conflict to whoever would sign less after it. It comes some time after the first answer, however long that took.
            Task? kill = null;
            try
            {
                for (var size = signed + 1; ; size++)
                {
                    using var content = new StringContent(log.Request(signed, size).ToString());
                    using var answer = await witness.Http.PostAsync(new Uri(address, "add-checkpoint"), content, Stop);
                    var body = await answer.Content.ReadAsStringAsync(Stop);
                    if (answer.StatusCode == HttpStatusCode.Conflict)
                    {
                        // It was written and not answered before the last kill: that much more is signed, never less.
                        Assert.Equal(signed + 1, long.Parse(body, CultureInfo.InvariantCulture));
                        signed++;
                    }
                    else
                    {
                        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                        signed = size;
                    }

                    kill ??= Task.Delay(20 + (round * 15), Stop).ContinueWith(_ => process.Kill(), TaskScheduler.Default);
                }
            }
            catch (HttpRequestException)
            {
            }
            finally
            {
                // Also where an assertion ends the test: no witness outlives it.
                await (kill ?? Task.CompletedTask);
                process.Kill();
            }

            await process.WaitForExitAsync(Stop);
        }

        await witness.Start();
        Assert.True(signed > 6);
        // At most the one that was under way is beyond what was answered.
        var (status, _, last) = await witness.Ask(log.Request(0, 1));
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.InRange(long.Parse(last, CultureInfo.InvariantCulture), signed, signed + 1);
    }

    [Fact]
    public async Task Two_witnesses_do_not_share_a_folder()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);

        Assert.Throws<WitnessException>(() => WitnessHost.Create(witness.Options, TimeProvider.System));
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_taken_for_nothing()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 20));
        var file = Assert.Single(Directory.GetFiles(witness.StateFolder, "*.checkpoint"));
        var before = await File.ReadAllTextAsync(file, Stop);

        // While it runs: no signature.
        await File.WriteAllTextAsync(file, before[..20], Stop);
        Assert.Equal(HttpStatusCode.InternalServerError, (await witness.Ask(log.Request(0, 5))).Status);
        // When it starts: no start.
        await witness.Stop();
        await Assert.ThrowsAsync<WitnessException>(witness.Start);
        await File.WriteAllTextAsync(file, before, Stop);
        await witness.Start();
        await witness.Signs(log.Request(20, 21));
    }

    [Fact]
    public async Task What_cannot_be_kept_is_not_signed()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 20));
        var file = Assert.Single(Directory.GetFiles(witness.StateFolder, "*.checkpoint"));

        // In the place of the file that is written first stands a folder that holds something.
        Directory.CreateDirectory(file + ".new/in-the-way");
        Assert.Equal(HttpStatusCode.InternalServerError, (await witness.Ask(log.Request(20, 25))).Status);

        Directory.Delete(file + ".new", recursive: true);
        await witness.Conflicts(log.Request(0, 10), 20);
        await witness.Signs(log.Request(20, 25));
    }

    [Fact]
    public async Task A_configuration_that_is_not_understood_is_refused()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Stop();
        var options = witness.Options;
        var file = Path.Combine(witness.StateFolder, "config.json");
        Assert.Throws<WitnessException>(() => WitnessHost.Create(options with { Logs = [] }, TimeProvider.System));
        Assert.Throws<WitnessException>(() => WitnessHost.Create(options with { Logs = [witness.Key.ToString()] }, TimeProvider.System));
        Assert.Throws<WitnessException>(() => WitnessHost.Create(options with { Logs = ["log.example+00000000+AAAA"] }, TimeProvider.System));
        Assert.Throws<WitnessException>(() => WitnessHost.Create(options with { KeyFile = file }, TimeProvider.System));
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(options, JsonSerializerOptions.Web).Replace("keyFile", "keyfiel", StringComparison.Ordinal), Stop);
        Assert.Throws<WitnessException>(() => WitnessOptions.Read(file));
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(options, JsonSerializerOptions.Web), Stop);
        Assert.Equal(options.KeyFile, WitnessOptions.Read(file).KeyFile);
    }

    [Fact]
    public async Task The_program_makes_a_key_once()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        var file = Path.Combine(witness.StateFolder, "new-key");

        var (code, output) = await Program("key", "witness.example/w2", file);

        Assert.Equal(0, code);
        var text = await File.ReadAllTextAsync(file, Stop);
        using var key = NoteSigner.Parse(text.TrimEnd('\n'));
        Assert.Equal($"{key.Verifier}\n", output);
        Assert.Equal(NoteAlgorithm.Cosignature, key.Verifier.Algorithm);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.Equal(1, (await Program("key", "witness.example/w2", file)).Code);
        Assert.Equal(text, await File.ReadAllTextAsync(file, Stop));
        Assert.Equal(1, (await Program("key", "a name with spaces", file + "2")).Code);
        Assert.Equal(1, (await Program("serve", file)).Code);
        Assert.Equal(2, (await Program()).Code);
    }

    private static async Task<(int Code, string Output)> Program(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(WitnessHost).Assembly.Location, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(Stop);
        var output = await process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        _ = await errors;
        return (process.ExitCode, output);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task Listening(HttpClient http, Uri address, Process process)
    {
        for (var i = 0; i < 600; i++)
        {
            Assert.False(process.HasExited, "The witness has ended by itself.");
            try
            {
                _ = await http.GetStringAsync(address, Stop);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50, Stop);
            }
        }

        Assert.Fail("The witness does not answer.");
    }
}
