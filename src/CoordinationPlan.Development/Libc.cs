using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoordinationPlan.Development;

/// <summary>The few calls of the operating system that .NET has no name for.</summary>
internal static partial class Libc
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;

    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int InterruptedCall = 4;
    private const int WouldBlock = 11;

    /// <summary>Waits until the file is ours. The kernel gives the lock up when the process ends, however it ends.</summary>
    public static void Lock(SafeFileHandle file)
    {
        while (Flock(file, LockExclusive) != 0)
        {
            if (Marshal.GetLastPInvokeError() != InterruptedCall)
            {
                throw new Win32Exception();
            }
        }
    }

    /// <summary>Takes the file if nobody has it.</summary>
    public static bool TryLock(SafeFileHandle file)
    {
        if (Flock(file, LockExclusive | LockNonBlocking) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == WouldBlock ? false : throw new Win32Exception();
    }

    public static void Signal(int processId, int signal)
    {
        if (Kill(processId, signal) != 0)
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

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Chown(string path, uint userId, uint groupId);
}
