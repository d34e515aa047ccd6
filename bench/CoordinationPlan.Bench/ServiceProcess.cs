using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using CoordinationPlan.Server.Hosting;

namespace CoordinationPlan.Bench;

/// <summary><c>coordplan serve</c> as a process of its own, so that its processor time and memory are its own too.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };
    private static readonly TimeSpan StartMayTake = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopMayTake = TimeSpan.FromSeconds(35);

    private readonly Process _process;
    private readonly Task _exited;
    private readonly List<string> _said;

    private ServiceProcess(Process process, Task exited, List<string> said, Uri address) => (_process, _exited, _said, Address) = (process, exited, said, address);

    /// <summary>Where it serves.</summary>
    public Uri Address { get; }

    /// <summary>Its processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Its memory now, in MiB.</summary>
    public double ResidentMiB
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    /// <param name="program">coordplan.dll of the build to run.</param>
    /// <param name="directory">For its configuration file, which holds no secrets.</param>
    public static async Task<ServiceProcess> StartAsync(string program, ServerOptions options, string directory, CancellationToken stop)
    {
        var configuration = Path.Combine(directory, "service.json");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(options, Json), stop);

        // The kernel ends the service when the thread that started it ends, so also when this program is killed.
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig=SIGTERM", "--", "dotnet", program, "serve", "--config", configuration])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var said = new List<string>();
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => StartAndWait(start, Said, started, exited)) { IsBackground = true, Name = "service" }.Start();
        var process = await started.Task;
        try
        {
            var first = await Task.WhenAny(address.Task, exited.Task).WaitAsync(StartMayTake, TimeProvider.System, stop);
            if (first != address.Task)
            {
                throw new InvalidOperationException($"The service did not start (exit code {process.ExitCode}). It said:\n{Text(said)}");
            }
        }
        catch
        {
            Native.Terminate(process.Id);
            throw;
        }

        return new ServiceProcess(process, exited.Task, said, await address.Task);

        void Said(string? line)
        {
            if (line is null)
            {
                return;
            }

            lock (said)
            {
                said.Add(line);
            }

            if (Serving().Match(line) is { Success: true } match)
            {
                address.TrySetResult(new Uri(match.Groups[1].Value));
            }
        }
    }

    /// <summary>What it has written beside where it serves: warnings and errors.</summary>
    public string Complaints()
    {
        lock (_said)
        {
            return string.Join('\n', _said.Where(line => !Serving().IsMatch(line)).Take(20));
        }
    }

    /// <summary>Asks it to end, and ends it where it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_exited.IsCompleted)
        {
            Native.Terminate(_process.Id);
            try
            {
                await _exited.WaitAsync(StopMayTake, TimeProvider.System);
            }
            catch (TimeoutException)
            {
                _process.Kill();
                await _exited;
            }
        }

        _process.Dispose();
    }

    private static void StartAndWait(ProcessStartInfo start, Action<string?> said, TaskCompletionSource<Process> started, TaskCompletionSource exited)
    {
        try
        {
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, line) => said(line.Data);
            process.ErrorDataReceived += (_, line) => said(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            started.SetResult(process);
            process.WaitForExit();
            exited.SetResult();
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            started.TrySetException(failure);
            exited.TrySetResult();
        }
    }

    private static string Text(List<string> said)
    {
        lock (said)
        {
            return string.Join('\n', said);
        }
    }

    [GeneratedRegex(@"^Serving on (https://\S+)")]
    private static partial Regex Serving();
}
