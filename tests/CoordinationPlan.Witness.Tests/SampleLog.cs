using System.Globalization;
using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Witness.Tests;

/// <summary>A log that signs whatever it is told to, also what no log may sign.</summary>
/// <param name="fork">From this leaf on its history is another one.</param>
internal sealed class SampleLog(string origin = "log.example/2026", int seed = 1, int fork = int.MaxValue) : IDisposable
{
    private readonly NoteSigner key = new(origin, [.. Enumerable.Repeat((byte)seed, 32)]);

    public NoteVerifier Key => key.Verifier;

    public SignedNote Checkpoint(long size) => new Checkpoint(origin, size, Subtree.Root(size, Node)).Sign(key);

    public List<TreeHash> Proof(long from, long to) => Consistency.Prove(from, to, Node);

    public AddCheckpoint Request(long from, long to) => new(from, from > to ? [] : Proof(from, to), Checkpoint(to));

    public void Dispose() => key.Dispose();

    private TreeHash Node(int level, long index) =>
        level == 0
            ? TreeHash.OfLeaf(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(index >= fork ? "another" : "leaf")} {index}")))
            : TreeHash.OfChildren(Node(level - 1, index * 2), Node(level - 1, (index * 2) + 1));
}
