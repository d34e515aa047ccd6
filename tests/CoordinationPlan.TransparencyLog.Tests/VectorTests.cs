using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>What implementations say that nobody here wrote: Go's x/mod (vectors/README.md) and the appendix of draft-ietf-plants-merkle-tree-certs.</summary>
public sealed class VectorTests
{
    private const int TiledSize = 70_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly Oracle Go = Read();
    private static readonly SampleTree Tree = new(TiledSize);

    [Fact]
    public void Every_root_is_the_same()
    {
        Assert.Equal(44, Go.Roots.Count);
        Assert.All(Go.Roots, root => Assert.Equal(root.Value, Tree.Root(int.Parse(root.Key, CultureInfo.InvariantCulture)).ToString()));
    }

    [Fact]
    public void Every_inclusion_proof_is_the_same_and_verifies()
    {
        Assert.Equal(342, Go.Inclusion.Count);
        Assert.All(Go.Inclusion, vector =>
        {
            Assert.Equal(vector.Proof, Inclusion.Prove(vector.Index, vector.Size, Tree.Node).Select(hash => hash.ToString()));
            Assert.True(Inclusion.Verify(vector.Index, vector.Size, Tree.Leaf(vector.Index), Hashes(vector.Proof), Root(vector.Size)));
        });
    }

    [Fact]
    public void Every_consistency_proof_is_the_same_and_verifies()
    {
        Assert.Equal(262, Go.Consistency.Count);
        Assert.All(Go.Consistency, vector =>
        {
            Assert.Equal(vector.Proof, Consistency.Prove(vector.Size1, vector.Size2, Tree.Node).Select(hash => hash.ToString()));
            Assert.True(Consistency.Verify(vector.Size1, vector.Size2, Root(vector.Size1), Hashes(vector.Proof), Root(vector.Size2)));
        });
    }

    [Fact]
    public void Every_tile_is_the_same()
    {
        var builder = new TileBuilder();
        for (var i = 0; i < TiledSize; i++)
        {
            builder.Append(Tree.Leaf(i));
        }

        var tiles = builder.Take();

        Assert.Equal(Tiles.Of(TiledSize).Select(tile => tile.ToString()).Order(), tiles.Select(tile => tile.Tile.ToString()).Order());
        // The example of the specification: 273 full ones and one of 112, one full one and one of 17, one of 1.
        Assert.Equal(273 + 1 + 1 + 1 + 1, tiles.Count);
        // The vectors have also every partial tile that was there before: the beginning of the one that came of it.
        Assert.Equal(404, Go.TilesSha256.Count);
        var last = tiles.ToDictionary(tile => (tile.Tile.Level, tile.Tile.Index), tile => tile.Hashes);
        Assert.All(Go.TilesSha256, vector =>
        {
            var tile = TilePath.Parse(vector.Key.Replace("tile/8/", "tile/", StringComparison.Ordinal));
            Assert.Equal(vector.Value, Convert.ToHexStringLower(SHA256.HashData(last[(tile.Level, tile.Index)].AsSpan(0, tile.Width * TreeHash.Length))));
        });
    }

    [Fact]
    public void Hashes_and_inclusion_proofs_of_all_subtrees_of_130_leaves_add_up_to_those_of_the_draft()
    {
        using var hashes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var proofs = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tree = new SampleTree(130, i => [(byte)i]);
        for (var end = 0; end <= 130; end++)
        {
            for (var start = 0; start <= end; start++)
            {
                var size = end - start;
                if (start % (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, 1)) != 0)
                {
                    continue;
                }

                TreeHash Node(int level, long index) => tree.Node(level, index + (start >> level));
                Line(hashes, $"[{start}, {end})", [Subtree.Root(size, Node)]);
                for (var index = start; index < end; index++)
                {
                    var proof = Inclusion.Prove(index - start, size, Node);
                    Assert.True(Inclusion.Verify(index - start, size, tree.Leaf(index), proof, Subtree.Root(size, Node)));
                    Line(proofs, $"{index} [{start}, {end})", proof);
                }
            }
        }

        Assert.Equal("b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81", Convert.ToHexStringLower(hashes.GetHashAndReset()));
        Assert.Equal("ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f", Convert.ToHexStringLower(proofs.GetHashAndReset()));
    }

    private static void Line(IncrementalHash hash, FormattableString start, IEnumerable<TreeHash> hashes) =>
        hash.AppendData(Encoding.ASCII.GetBytes(
            $"{FormattableString.Invariant(start)}{string.Concat(hashes.Select(each => $" {Convert.ToHexStringLower(each.ToArray())}"))}\n"));

    private static TreeHash Root(long size) => TreeHash.Parse(Go.Roots[size.ToString(CultureInfo.InvariantCulture)]);

    private static List<TreeHash> Hashes(IEnumerable<string> base64) => [.. base64.Select(TreeHash.Parse)];

    private static Oracle Read()
    {
        using var file = typeof(VectorTests).Assembly.GetManifestResourceStream("oracle-xmod-tlog.json")!;
        return JsonSerializer.Deserialize<Oracle>(file, Json)!;
    }

    private sealed record Oracle(
        Dictionary<string, string> Roots,
        List<InclusionVector> Inclusion,
        List<ConsistencyVector> Consistency,
        Dictionary<string, string> TilesSha256);

    private sealed record InclusionVector(long Size, long Index, List<string> Proof);

    private sealed record ConsistencyVector(long Size1, long Size2, List<string> Proof);
}
