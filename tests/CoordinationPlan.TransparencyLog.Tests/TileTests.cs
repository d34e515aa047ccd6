using CsCheck;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>Tiles: their paths, what is new, and proofs made of nothing else.</summary>
public sealed class TileTests
{
    private const int Largest = 70_000;

    private static readonly SampleTree Tree = new(Largest);

    private static readonly Gen<TilePath> AnyTile = Gen.Select(
        Gen.Int[TilePath.Entries, 63], Gen.OneOf(Gen.Long[0, 2_000], Gen.Long[0, long.MaxValue]), Gen.Int[1, TilePath.FullWidth], (level, index, width) => new TilePath(level, index, width));

    [Theory]
    [InlineData("tile/0/x001/x234/067", 0, 1_234_067, 256)]
    [InlineData("tile/0/000", 0, 0, 256)]
    [InlineData("tile/0/273.p/112", 0, 273, 112)]
    [InlineData("tile/entries/x001/000", TilePath.Entries, 1_000, 256)]
    [InlineData("tile/entries/999.p/1", TilePath.Entries, 999, 1)]
    [InlineData("tile/63/x009/x223/x372/x036/x854/x775/807.p/255", 63, long.MaxValue, 255)]
    public void A_path_is_written_as_the_specification_says(string path, int level, long index, int width)
    {
        Assert.Equal(path, new TilePath(level, index, width).ToString());
        Assert.Equal(new TilePath(level, index, width), TilePath.Parse(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("tile")]
    [InlineData("tile/0")]
    [InlineData("tile/0/")]
    [InlineData("tile/0/1")]
    [InlineData("tile/0/0001")]
    [InlineData("tile/0/000/")]
    [InlineData("/tile/0/000")]
    [InlineData("tile/00/000")]
    [InlineData("tile/64/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/+1/000")]
    [InlineData("tile/8/0/000")]
    [InlineData("tile/0/x000/001")]
    [InlineData("tile/0/x001")]
    [InlineData("tile/0/001/002")]
    [InlineData("tile/0/xx01/002")]
    [InlineData("tile/0/X001/002")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p/257")]
    [InlineData("tile/0/000.p/01")]
    [InlineData("tile/0/000.p/")]
    [InlineData("tile/0/000.p/1.p/1")]
    [InlineData("tile/0/000.p/9999999999999999999")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("tile/data/000")]
    [InlineData("tile/0/000\n")]
    [InlineData("tile/0/٠٠٠")]
    public void What_is_not_the_one_way_to_write_a_tile_is_refused(string path) => Assert.Throws<FormatException>(() => TilePath.Parse(path));

    [Fact]
    public void Every_tile_is_read_as_it_was_written() => AnyTile.Sample(tile => TilePath.Parse(tile.ToString()) == tile, iter: 20_000);

    [Fact]
    public void What_is_new_is_what_was_not_there()
    {
        for (var to = 0; to <= 1_100; to++)
        {
            for (var from = to; from >= Math.Max(0, to - 300); from -= from > to - 3 ? 1 : 97)
            {
                Assert.Equal(All(to).Except(All(from)), Tiles.New(from, to));
            }

            Assert.Equal(Bundles(to).Except(Bundles(Math.Max(0, to - 300))), Tiles.NewEntries(Math.Max(0, to - 300), to));
        }

        static IEnumerable<TilePath> All(int size)
        {
            for (var (level, count) = (0, size); count > 0; (level, count) = (level + 1, count / 256))
            {
                for (var index = 0; index * 256 < count; index++)
                {
                    yield return new TilePath(level, index, Math.Min(256, count - (index * 256)));
                }
            }
        }

        static IEnumerable<TilePath> Bundles(int size) => All(size).TakeWhile(tile => tile.Level == 0).Select(tile => tile with { Level = TilePath.Entries });
    }

    [Fact]
    public void Tiles_are_the_trees_however_the_leaves_come_in() =>
        Gen.Int[0, 900].Array[1, 8].Sample(
            batches =>
            {
                var stored = new Dictionary<TilePath, byte[]>();
                var builder = new TileBuilder();
                foreach (var batch in batches)
                {
                    builder = TileBuilder.Load(builder.Size, tile => stored[tile]);
                    var from = builder.Size;
                    for (var i = 0; i < batch; i++)
                    {
                        builder.Append(Tree.Leaf(builder.Size));
                    }

                    var tiles = builder.Take();
                    Assert.Equal(Tiles.New(from, builder.Size).ToHashSet(), tiles.Select(tile => tile.Tile).ToHashSet());
                    foreach (var (tile, hashes) in tiles)
                    {
                        stored.Add(tile, hashes);
                        Assert.Equal(Tree.Tile(tile), hashes);
                    }

                    Assert.Empty(builder.Take());
                    Assert.Equal(builder.Size, builder.Edge().Size);
                    Assert.Equal(Tree.Root(builder.Size), builder.Edge().Root);
                    Assert.Equal(Tiles.Of(builder.Size).Where(tile => !tile.IsFull), Tiles.Edge(builder.Size));
                }
            },
            iter: 60);

    [Fact]
    public void Proofs_are_made_of_tiles() =>
        Gen.Int[1, Largest].SelectMany(size => Gen.Select(Gen.Const(size), Gen.Int[0, size - 1])).Sample(
            sample =>
            {
                var (size, index) = sample;
                var nodes = new TileNodes(size, Tree.Tile);
                Assert.Equal(Tree.Root(size), Subtree.Root(size, nodes.Node));
                Assert.Equal(Inclusion.Prove(index, size, Tree.Node), Inclusion.Prove(index, size, nodes.Node));
                Assert.Equal(Consistency.Prove(index, size, Tree.Node), Consistency.Prove(index, size, nodes.Node));
            },
            iter: 300);

    [Fact]
    public void A_tile_of_another_length_is_refused()
    {
        var nodes = new TileNodes(300, tile => Tree.Tile(tile)[..^1]);

        Assert.Throws<FormatException>(() => nodes.Node(0, 299));
        Assert.Throws<FormatException>(() => TileBuilder.Load(300, tile => Tree.Tile(tile)[..^1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TileNodes(300, Tree.Tile).Node(0, 300));
    }

    [Fact]
    public void A_bundle_is_read_as_it_was_written() =>
        Gen.Byte.Array[0, 300].Array[0, 256].Sample(
            entries =>
            {
                var bundle = EntryBundle.Format(entries.Select(entry => (ReadOnlyMemory<byte>)entry));
                Assert.Equal(entries, EntryBundle.Parse(bundle, entries.Length).Select(entry => entry.ToArray()));
                Assert.Throws<FormatException>(() => EntryBundle.Parse(bundle, entries.Length + 1));
                if (bundle.Length > 0)
                {
                    Assert.Throws<FormatException>(() => EntryBundle.Parse(bundle.AsMemory(0, bundle.Length - 1), entries.Length));
                }
            },
            iter: 30);
}
