using System.Text.Json;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>What the publisher has signed of a log, as far as it needs to know to go on: it extends this edge, never the database's.</summary>
/// <param name="LogId">Which log.</param>
/// <param name="Size">How many leaves were signed.</param>
/// <param name="Edge">The right edge of the tree over them.</param>
/// <param name="Note">The checkpoint with its signatures.</param>
internal sealed record SignedLog(string LogId, long Size, IReadOnlyList<TreeHash> Edge, string Note)
{
    public TreeHash Root => TreeEdge.Load(Size, Edge).Root;
}

/// <summary>
/// The publisher's memory: a file for each log, in a directory outside the database and its backups. A database that is restored, or a server that takes over with an
/// older one, is measured by it.
/// </summary>
internal sealed class SignedLogs(string directory)
{
    private const string Extension = ".json";

    /// <summary>The logs that something was signed of.</summary>
    public IReadOnlyList<string> LogIds =>
        [.. System.IO.Directory.EnumerateFiles(directory, "*" + Extension).Select(path => Path.GetFileNameWithoutExtension(path).Replace('_', '/')).Order(StringComparer.Ordinal)];

    /// <summary>Null where nothing was signed.</summary>
    /// <exception cref="LogFaultException">The file cannot be read: nothing is signed until somebody has looked.</exception>
    public SignedLog? Read(string logId)
    {
        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(PathOf(logId))) ?? throw new JsonException();
            var signed = new SignedLog(logId, content.Size, [.. content.Edge.Select(TreeHash.Parse)], content.Note);
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(signed.Note).Text);
            return checkpoint.Size == signed.Size && checkpoint.Root == signed.Root ? signed : throw new JsonException();
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception failure) when (failure is JsonException or FormatException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new LogFaultException("the publisher's file of what it signed cannot be read");
        }
    }

    /// <summary>Beside the file, to disk, and then in its place: after a crash there is the one or the other.</summary>
    public void Write(SignedLog signed)
    {
        var path = PathOf(signed.LogId);
        // Several servers may share the directory: the one that has seen less never overwrites the other's.
        if (Read(signed.LogId) is { } there && there.Size > signed.Size)
        {
            return;
        }

        var beside = $"{path}.{Environment.ProcessId}.{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}";
        using (var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, new Content(signed.Size, [.. signed.Edge.Select(hash => hash.ToString())], signed.Note));
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    private string PathOf(string logId) => Path.Combine(directory, logId.Replace('/', '_') + Extension);

    private sealed record Content(long Size, string[] Edge, string Note);
}
