namespace CoordinationPlan.Development;

/// <summary>
/// One process at a time. The lock is the kernel's and not the file's existence, so a process that was killed leaves nothing behind that
/// has to be cleaned up by hand.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits for its turn.</summary>
    public static FileLock Acquire(string path)
    {
        var file = Open(path);
        Libc.Lock(file.SafeFileHandle);
        return new FileLock(file);
    }

    /// <summary>Null when another process, or another part of this one, holds the lock.</summary>
    public static FileLock? TryAcquire(string path)
    {
        var file = Open(path);
        if (Libc.TryLock(file.SafeFileHandle))
        {
            return new FileLock(file);
        }

        file.Dispose();
        return null;
    }

    public void Dispose() => _file.Dispose();

    private static FileStream Open(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
}
