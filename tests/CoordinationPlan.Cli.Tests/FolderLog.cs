using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Tests;

/// <summary>A log in a folder, in the paths of C2SP, with all that its signers sign.</summary>
internal sealed class FolderLog : IDisposable
{
    public const string Origin = "log.example/2026";

    public static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);

    private readonly List<byte[]> entries = [];
    private readonly int fork;
    private readonly NoteSigner log;
    private readonly NoteSigner witness;
    private readonly NoteSigner receipts;

    /// <param name="fork">From this entry on, its history is another one than the same log's without it.</param>
    public FolderLog(int fork = int.MaxValue, int seed = 1)
    {
        this.fork = fork;
        log = new NoteSigner(Origin, Seed(seed));
        witness = new NoteSigner("witness.example/w1", Seed(seed + 1), NoteAlgorithm.Cosignature);
        receipts = new NoteSigner("server.example/receipts", Seed(seed + 2));
    }

    public DirectoryInfo Parent { get; } = System.IO.Directory.CreateTempSubdirectory("coordplan-verify-");

    public string Folder => Path.Combine(Parent.FullName, "log");

    public NoteVerifier Key => log.Verifier;

    public NoteVerifier WitnessKey => witness.Verifier;

    public NoteVerifier ReceiptKey => receipts.Verifier;

    public int Size => entries.Count;

    /// <summary>The fields of a record.</summary>
    public (string Name, byte[]? Value)[] Record(int index) =>
        [("act", [(byte)index, (byte)(index >> 8)]), ("employee", Encoding.UTF8.GetBytes(index >= fork ? "another" : "somebody")), ("reason", null)];

    public byte[] Entry(int index) => Commitment.Entry(Secret(index), Record(index));

    /// <summary>Adds entries and publishes, signed also by the witness.</summary>
    public FolderLog Grow(int to, DateTimeOffset? at = null, bool witnessed = true)
    {
        for (var i = entries.Count; i < to; i++)
        {
            entries.Add(Entry(i));
        }

        var builder = new TileBuilder();
        entries.ForEach(entry => builder.Append(TreeHash.OfLeaf(entry)));
        foreach (var (tile, hashes) in builder.Take())
        {
            Write(tile.ToString(), hashes);
        }

        foreach (var bundle in Tiles.NewEntries(0, to))
        {
            Write(bundle.ToString(), EntryBundle.Format(entries.Skip((int)bundle.Index * TilePath.FullWidth).Take(bundle.Width).Select(entry => (ReadOnlyMemory<byte>)entry)));
        }

        Write("checkpoint", Encoding.UTF8.GetBytes(Note(at, witnessed).ToString()));
        return this;
    }

    public SignedNote Note(DateTimeOffset? at = null, bool witnessed = true)
    {
        var note = new Checkpoint(Origin, entries.Count, Subtree.Root(entries.Count, Node)).Sign(log);
        return witnessed ? note.With(Cosignature.Sign(witness, note.Text, at ?? Start)) : note;
    }

    /// <summary>The receipt that the caller of a record was given.</summary>
    public Receipt Receipt(int index, DateTimeOffset at, NoteSigner? key = null, string origin = Origin) =>
        TransparencyLog.Receipt.Sign(key ?? receipts, origin, new Guid(index, 0, 0, new byte[8]), TreeHash.OfLeaf(Entry(index)), at);

    public TlogProof Proof(int index) => new(index, Inclusion.Prove(index, entries.Count, Node), Note(), Entry(index));

    public Disclosure Disclosure(int index, params string[] shown) => Commitment.Disclose(Secret(index), Record(index), shown.Contains);

    /// <summary>Writes a file beside the log, and returns where.</summary>
    public string Beside(string name, byte[] content)
    {
        var path = Path.Combine(Parent.FullName, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Beside(string name, string content) => Beside(name, Encoding.UTF8.GetBytes(content));

    public void Dispose()
    {
        log.Dispose();
        witness.Dispose();
        receipts.Dispose();
        Parent.Delete(recursive: true);
    }

    private void Write(string path, byte[] content)
    {
        var file = Path.Combine(Folder, path);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    private TreeHash Node(int level, long index) =>
        level == 0 ? TreeHash.OfLeaf(entries[(int)index]) : TreeHash.OfChildren(Node(level - 1, index * 2), Node(level - 1, (index * 2) + 1));

    private static byte[] Secret(int index) => [.. Enumerable.Range(index, 32).Select(i => (byte)(i * 7))];

    private static byte[] Seed(int seed) => [.. Enumerable.Repeat((byte)seed, 32)];
}
