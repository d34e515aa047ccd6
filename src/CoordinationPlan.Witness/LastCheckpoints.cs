using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Witness;

/// <summary>
/// The last checkpoint that was signed for each log, in a file of its own. One process has the folder at a time: two would each sign what the other does not know of.
/// </summary>
internal sealed class LastCheckpoints : IDisposable
{
    private readonly string folder;
    private readonly FileStream claim;

    private LastCheckpoints(string folder, FileStream claim)
    {
        this.folder = folder;
        this.claim = claim;
    }

    /// <param name="origins">The logs of which the last checkpoint must be readable, where there is one.</param>
    /// <exception cref="WitnessException">The folder cannot be used, another has it, or it holds what cannot be read.</exception>
    public static LastCheckpoints Open(string folder, IEnumerable<string> origins)
    {
        FileStream claim;
        try
        {
            Directory.CreateDirectory(folder);
            claim = new FileStream(Path.Combine(folder, "in-use"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new WitnessException($"The state folder {folder} cannot be used, or another witness uses it.", failure);
        }

        var last = new LastCheckpoints(folder, claim);
        try
        {
            foreach (var origin in origins)
            {
                _ = last.Of(origin);
            }

            return last;
        }
        catch
        {
            last.Dispose();
            throw;
        }
    }

    /// <summary>What was signed last for a log; null: nothing was.</summary>
    /// <exception cref="WitnessException">There is a file that cannot be read as that. Nothing is signed before somebody has looked at it.</exception>
    public Checkpoint? Of(string origin)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(PathOf(origin));
        }
        catch (FileNotFoundException)
        {
            return null;
        }

        try
        {
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(bytes).Text);
            return checkpoint.Origin == origin ? checkpoint : throw new FormatException("It is another log's.");
        }
        catch (FormatException failure)
        {
            throw new WitnessException($"The last checkpoint of {origin} cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>Returns when it will be the last one after a power cut, too.</summary>
    public void Keep(string origin, SignedNote checkpoint) => DurableFile.Write(PathOf(origin), Encoding.UTF8.GetBytes(checkpoint.ToString()));

    /// <summary>Keeps the proof that a log has signed two histories.</summary>
    public string KeepFork(string origin, SignedNote checkpoint)
    {
        var path = Path.ChangeExtension(PathOf(origin), "fork");
        DurableFile.Write(path, Encoding.UTF8.GetBytes(checkpoint.ToString()));
        return path;
    }

    public void Dispose() => claim.Dispose();

    // An origin is whatever a log calls itself, and no name for a file.
    private string PathOf(string origin) => Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin))) + ".checkpoint");
}
