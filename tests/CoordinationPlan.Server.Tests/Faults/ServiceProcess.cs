using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using CoordinationPlan.Server.Hosting;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>
/// The service as in production: `coordplan serve` in a process of its own, configured by its environment. It can be killed as a power cut
/// would, and does not outlive the tests.
/// </summary>
public sealed class ServiceProcess(ServerOptions options, string logFile) : IAsyncDisposable
{
    private static readonly TimeSpan _mayTake = TimeSpan.FromSeconds(30);
    private Task? _exited;
    private int _processId;

    public Uri Address { get; } = new($"https://localhost:{options.Listen.Port}");

    /// <summary>A port that nobody listens on, below those that the kernel gives to clients.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20000, 30000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody's. Another one.
            }
        }
    }

    /// <summary>Starts it and waits until it listens.</summary>
    public async Task Start()
    {
        var started = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The kernel ends the process when the thread that started it ends, so it gets a thread that waits for it.
        new Thread(() =>
        {
            using var process = Process.Start(StartInfo())!;
            started.SetResult(process.Id);
            process.WaitForExit();
            exited.SetResult();
        })
        { IsBackground = true }.Start();
        _processId = await started.Task;
        _exited = exited.Task;

        var begin = TimeProvider.System.GetTimestamp();
        while (!await Listens())
        {
            Assert.False(_exited.IsCompleted, $"The service did not start: {await File.ReadAllTextAsync(logFile)}");
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < _mayTake, "The service does not listen.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    public async Task Kill()
    {
        using (var process = Process.GetProcessById(_processId))
        {
            process.Kill();
        }

        await _exited!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_exited is { IsCompleted: false })
        {
            await Kill();
        }
    }

    private async Task<bool> Listens()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, options.Listen.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var project = Path.Combine(Machine.RepositoryRoot, "tests", "CoordinationPlan.Server.Tests");
        var program = Path.Combine(Machine.RepositoryRoot, "src", "CoordinationPlan.Cli", Path.GetRelativePath(project, AppContext.BaseDirectory), "coordplan.dll");
        var start = new ProcessStartInfo("/bin/sh", ["-c", """exec setpriv --pdeathsig=SIGKILL dotnet "$0" serve >>"$1" 2>&1""", program, logFile]);
        foreach (var (key, value) in Settings())
        {
            start.Environment["COORDPLAN_" + key] = value;
        }

        // It lives for a second or two: code that is compiled better pays off for longer lives only.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TC_CallCounting"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        return start;
    }

    private IEnumerable<(string Key, string? Value)> Settings()
    {
        yield return ("Installation", options.Installation.ToString());
        yield return ("Database__ConnectionString", options.Database.ConnectionString);
        yield return ("Keys__Ring", options.Keys.Ring);
        yield return ("Keys__Certificate", options.Keys.Certificate);
        yield return ("Keys__Key", options.Keys.Key);
        yield return ("Log__Name", options.Log.Name);
        yield return ("Log__ReceiptKey", options.Log.ReceiptKey);
        yield return ("Log__PublisherKey", options.Log.PublisherKey);
        yield return ("Log__Directory", options.Log.Directory);
        yield return ("Listen__Port", options.Listen.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        yield return ("Listen__Certificate", options.Listen.Certificate);
        yield return ("Listen__Key", options.Listen.Key);
        yield return ("Listen__ClientAuthorities", options.Listen.ClientAuthorities);
        foreach (var (i, issuer) in options.Identity.Issuers.Index())
        {
            yield return ($"Identity__Issuers__{i}__Issuer", issuer.Issuer);
            yield return ($"Identity__Issuers__{i}__Audience", issuer.Audience);
            yield return ($"Identity__Issuers__{i}__EmployeeClaim", issuer.EmployeeClaim);
            yield return ($"Identity__Issuers__{i}__AssignmentClaim", issuer.AssignmentClaim);
            yield return ($"Identity__Issuers__{i}__TrustedAuthorities", issuer.TrustedAuthorities);
            foreach (var (n, organisation) in issuer.Organisations.Index())
            {
                yield return ($"Identity__Issuers__{i}__Organisations__{n}", organisation);
            }
        }
    }
}
