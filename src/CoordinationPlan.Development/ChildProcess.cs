using System.Diagnostics;
using System.Globalization;

namespace CoordinationPlan.Development;

/// <summary>A program that writes to a log file and that does not outlive this process, however this process ends.</summary>
internal sealed class ChildProcess
{
    /// <summary>
    /// The shell opens the log while it still may. Then it is replaced, step by step, by the program, which so keeps its process id.
    /// A session of its own keeps the terminal's Ctrl+C away: it is for us, and we stop the program when we no longer need it.
    /// </summary>
    private const string Script = """exec setsid setpriv "$@" </dev/null >>"$0" 2>&1""";

    private ChildProcess(int id, Task<int> exited)
    {
        Id = id;
        Exited = exited;
    }

    public int Id { get; }

    /// <summary>The exit code, once there is one.</summary>
    public Task<int> Exited { get; }

    /// <summary>Starts the program as the user, or as ourselves when there is none.</summary>
    /// <remarks>
    /// The kernel sends the signal of <c>--pdeathsig</c> when the <em>thread</em> that started the program ends. A thread of the pool may
    /// end at any time, so the program gets one of its own, which waits for it.
    /// </remarks>
    public static Task<ChildProcess> StartAsync(UnprivilegedUser? user, string logFile, string program, IEnumerable<string> arguments)
    {
        string[] privileges = user is null
            ? []
            : [Option("--reuid", user.UserId), Option("--regid", user.GroupId), "--clear-groups", "--no-new-privs"];
        string[] command = [.. privileges, "--pdeathsig=SIGQUIT", "--", program, .. arguments];
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, logFile, .. command])
        {
            WorkingDirectory = "/", // The user may not be allowed where we are.
        };

        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => StartAndWait(start, started)) { IsBackground = true, Name = Path.GetFileName(program) }.Start();
        return started.Task;
    }

    public void Signal(int signal)
    {
        if (!Exited.IsCompleted)
        {
            Libc.Signal(Id, signal);
        }
    }

    private static void StartAndWait(ProcessStartInfo start, TaskCompletionSource<ChildProcess> started)
    {
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Exception exception)
        {
            started.SetException(exception);
            return;
        }

        using (process)
        {
            var exited = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            started.SetResult(new ChildProcess(process.Id, exited.Task));
            process.WaitForExit();
            exited.SetResult(process.ExitCode);
        }
    }

    private static string Option(string name, uint value) => string.Create(CultureInfo.InvariantCulture, $"{name}={value}");
}
