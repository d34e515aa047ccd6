using System.ComponentModel;
using System.Runtime.InteropServices;

namespace CoordinationPlan.Development;

/// <summary>The few calls of the operating system that .NET has no name for.</summary>
internal static partial class Libc
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;

    private const int NoSuchProcess = 3;

    /// <summary>Sends the signal. That the process has just ended by itself is no error.</summary>
    public static void Signal(int processId, int signal)
    {
        if (Kill(processId, signal) != 0 && Marshal.GetLastPInvokeError() != NoSuchProcess)
        {
            throw new Win32Exception();
        }
    }

    public static void ChangeOwner(string path, uint userId, uint groupId)
    {
        if (Chown(path, userId, groupId) != 0)
        {
            throw new Win32Exception();
        }
    }

    /// <summary>The path without symbolic links, as the kernel names it in <c>/proc</c>.</summary>
    public static string RealPath(string path) => RealPath(path, 0) ?? throw new Win32Exception();

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial string? RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Chown(string path, uint userId, uint groupId);
}
