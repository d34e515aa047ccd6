namespace CoordinationPlan.Development;

/// <summary>
/// One process at a time. The lock is the kernel's and not the file's existence, so a process that was killed leaves nothing behind that
/// has to be cleaned up by hand.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan _turnsMayTake = TimeSpan.FromSeconds(30);

    /// <summary>The error (EAGAIN) of a lock that another holds.</summary>
    private static readonly int _taken = OperatingSystem.IsMacOS() ? 35 : 11;

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits for its turn, where turns are short.</summary>
    public static FileLock Acquire(string path)
    {
        FileLock? turn = null;
        return SpinWait.SpinUntil(() => (turn = TryAcquire(path)) is not null, _turnsMayTake)
            ? turn!
            : throw new TimeoutException($"Another process has held {path} for {_turnsMayTake.TotalSeconds} seconds.");
    }

    /// <summary>Null when another process, or another part of this one, holds the lock.</summary>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (exception.HResult == _taken)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
