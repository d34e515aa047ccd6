using System.Net;

namespace CoordinationPlan.TransparencyLog.Client;

/// <summary>What a log serves is not to be had. It says nothing of whether the log is right.</summary>
public sealed class LogUnavailableException : Exception
{
    public LogUnavailableException()
    {
    }

    public LogUnavailableException(string message)
        : base(message)
    {
    }

    public LogUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A log in the paths of C2SP tlog-tiles: served, or as a folder of the same files.</summary>
public abstract class LogSource
{
    /// <summary>What a log serves is small; more is somebody's who wants the memory.</summary>
    protected const int LargestFile = 32 * 1024 * 1024;

    /// <summary>Whether what is read is what the log says now, and not what it said when somebody made a copy.</summary>
    public abstract bool IsLive { get; }

    /// <summary>Where it is, for people.</summary>
    public abstract string Name { get; }

    /// <param name="where">An address of http or https, or a folder.</param>
    public static LogSource At(string where, HttpClient http) =>
        Uri.TryCreate(where, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? new Served(address, http) : new Folder(where);

    /// <exception cref="LogUnavailableException">There is none.</exception>
    public async Task<byte[]> Checkpoint(CancellationToken stop) => await Read("checkpoint", stop) ?? throw new LogUnavailableException($"{Name} has no checkpoint.");

    /// <summary>The bytes of a tile. A log may have only the full one by now; of that, the beginning.</summary>
    /// <exception cref="LogUnavailableException">There is neither.</exception>
    /// <exception cref="FormatException">The full one is none.</exception>
    public async Task<byte[]> Tile(TilePath tile, CancellationToken stop)
    {
        if (await Read(tile.ToString(), stop) is { } bytes)
        {
            return bytes;
        }

        if (tile.IsFull || await Read(tile.Full.ToString(), stop) is not { } full)
        {
            throw new LogUnavailableException($"{Name} has no {tile}.");
        }

        return tile.IsEntries ? EntryBundle.Format(EntryBundle.Parse(full, TilePath.FullWidth).Take(tile.Width))
            : full.Length == TilePath.FullWidth * TreeHash.Length ? full[..(tile.Width * TreeHash.Length)]
            : throw new FormatException($"{tile.Full} holds {full.Length} bytes.");
    }

    /// <summary>Null: there is none.</summary>
    protected abstract Task<byte[]?> Read(string path, CancellationToken stop);

    private sealed class Served(Uri address, HttpClient http) : LogSource
    {
        private readonly string prefix = address.AbsoluteUri.TrimEnd('/') + "/";

        public override bool IsLive => true;

        public override string Name => address.ToString();

        protected override async Task<byte[]?> Read(string path, CancellationToken stop)
        {
            try
            {
                using var response = await http.GetAsync(new Uri(prefix + path), HttpCompletionOption.ResponseHeadersRead, stop);
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                {
                    return null;
                }

                response.EnsureSuccessStatusCode();
                await response.Content.LoadIntoBufferAsync(LargestFile, stop);
                return await response.Content.ReadAsByteArrayAsync(stop);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
            {
                throw new LogUnavailableException($"{prefix}{path} cannot be read: {failure.Message}", failure);
            }
        }
    }

    private sealed class Folder(string folder) : LogSource
    {
        public override bool IsLive => false;

        public override string Name => folder;

        protected override async Task<byte[]?> Read(string path, CancellationToken stop)
        {
            var file = new FileInfo(Path.Combine(folder, path));
            try
            {
                return !file.Exists ? null
                    : file.Length <= LargestFile ? await File.ReadAllBytesAsync(file.FullName, stop)
                    : throw new LogUnavailableException($"{path} is larger than any file of a log.");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new LogUnavailableException($"{path} cannot be read: {failure.Message}", failure);
            }
        }
    }
}
