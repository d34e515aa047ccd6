using System.Diagnostics;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;

namespace CoordinationPlan.Server.Tests.Clients;

/// <summary>The sample of an integration as a region would run it: a process of its own with a file of its own, which can be killed as a power cut would.</summary>
internal sealed class RegionProcess : IAsyncDisposable
{
    private static readonly TimeSpan MayTake = TimeSpan.FromMinutes(2);

    private readonly string _output = Path.GetTempFileName();
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RegionProcess(string file, string journal, string[] arguments)
    {
        var project = Path.Combine(Machine.RepositoryRoot, "tests", "CoordinationPlan.Server.Tests");
        var program = Path.Combine(Machine.RepositoryRoot, "clients", "csharp", "RegionSystem", Path.GetRelativePath(project, AppContext.BaseDirectory), "regionsystem.dll");
        var start = new ProcessStartInfo(
            "/bin/sh", ["-c", """journal=$1 output=$2; shift 2; exec setpriv --pdeathsig=SIGKILL dotnet "$@" 2>>"$journal" >"$output" """, "sh", journal, _output, program, .. arguments, "--database", file]);
        // It lives for a second or two: code that is compiled better pays off for longer lives only.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        // The kernel ends the process when the thread that started it ends, so it gets a thread that waits for it.
        new Thread(() =>
        {
            using var process = Process.Start(start)!;
            _started.SetResult(process.Id);
            process.WaitForExit();
            _exited.SetResult(process.ExitCode);
        })
        { IsBackground = true }.Start();
    }

    public bool HasExited => _exited.Task.IsCompleted;

    /// <summary>Begins to keep a file in step.</summary>
    public static RegionProcess Run(Service service, Uri address, string file, string journal, params string[] more)
    {
        var system = DemonstrationDirectory.RegionIntegration;
        var certificates = service.Infrastructure.CertificateDirectory;
        var clientId = DevelopmentInfrastructure.ClientOf(system);
        return new(file, journal,
        [
            "run", "--address", address.ToString(), "--ca", Path.Combine(certificates, "root.pem"), "--certificate", Path.Combine(certificates, clientId + ".pem"),
            "--key", Path.Combine(certificates, clientId + ".key"), "--issuer", service.Infrastructure.National.Issuer.ToString(), "--client-id", clientId,
            "--assignment", "assignments/" + system.AssignmentId, "--deadline", "60", .. more,
        ]);
    }

    /// <summary>Keeps a file in step with a token that something else keeps fresh.</summary>
    public static RegionProcess RunWithToken(Service service, string file, string journal, string tokenFile)
    {
        var system = DemonstrationDirectory.RegionIntegration;
        var (certificates, clientId) = (service.Infrastructure.CertificateDirectory, DevelopmentInfrastructure.ClientOf(system));
        return new(file, journal,
        [
            "run", "--address", service.Address.ToString(), "--ca", Path.Combine(certificates, "root.pem"), "--certificate", Path.Combine(certificates, clientId + ".pem"),
            "--key", Path.Combine(certificates, clientId + ".key"), "--token-file", tokenFile, "--assignment", "assignments/" + system.AssignmentId, "--deadline", "60",
        ]);
    }

    /// <summary>Keeps a file in step until there is nothing more.</summary>
    public static async Task RunOnce(Service service, string file, string journal)
    {
        await using var process = Run(service, service.Address, file, journal);
        Assert.True(await process.End() == 0, await File.ReadAllTextAsync(journal));
    }

    /// <summary>Another command, which ends by itself; what it prints.</summary>
    public static async Task<string[]> Call(string file, string journal, params string[] arguments)
    {
        await using var process = new RegionProcess(file, journal, arguments);
        Assert.True(await process.End() == 0, await File.ReadAllTextAsync(journal));
        return await File.ReadAllLinesAsync(process._output);
    }

    public Task<int> End() => _exited.Task.WaitAsync(MayTake, TimeProvider.System);

    public async Task Kill()
    {
        var id = await _started.Task;
        if (!HasExited)
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (ArgumentException)
            {
                // Has ended just now.
            }
        }

        await End();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        File.Delete(_output);
    }
}
