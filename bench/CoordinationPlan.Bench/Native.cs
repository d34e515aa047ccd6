using System.Runtime.InteropServices;

namespace CoordinationPlan.Bench;

/// <summary>The few calls of the operating system that .NET has no name for.</summary>
internal static partial class Native
{
    private const int SigTerm = 15;

    /// <summary>Asks a process to end.</summary>
    public static void Terminate(int processId) => _ = Kill(processId, SigTerm);

    /// <summary>Sleeps for less than a millisecond, which the runtime's timers cannot.</summary>
    public static void Sleep(TimeSpan time) => _ = MicroSleep((uint)time.TotalMicroseconds);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MicroSleep(uint microseconds);
}
