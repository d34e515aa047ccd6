namespace CoordinationPlan.TransparencyLog;

/// <summary>Makes the tiles of a tree as leaves are appended.</summary>
public sealed class TileBuilder
{
    // For each level the hashes that no full tile holds yet.
    private readonly List<List<TreeHash>> unfinished = [];
    private readonly List<(TilePath Tile, byte[] Hashes)> full = [];
    private long taken;

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    /// <summary>Takes up a tree where it was left.</summary>
    /// <param name="read">The hashes of a tile; asked for the partial ones at the right edge only.</param>
    public static TileBuilder Load(long size, Func<TilePath, byte[]> read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(read);
        var builder = new TileBuilder { Size = size, taken = size };
        for (var (level, count) = (0, size); count > 0; (level, count) = (level + 1, count / TilePath.FullWidth))
        {
            var width = (int)(count % TilePath.FullWidth);
            List<TreeHash> hashes = [];
            if (width > 0)
            {
                var tile = new TilePath(level, count / TilePath.FullWidth, width);
                var bytes = read(tile);
                if (bytes.Length != width * TreeHash.Length)
                {
                    throw new FormatException($"{tile} holds {bytes.Length} bytes, and {width} hashes have {width * TreeHash.Length}.");
                }

                hashes.AddRange(Enumerable.Range(0, width).Select(i => new TreeHash(bytes.AsSpan(i * TreeHash.Length, TreeHash.Length))));
            }

            builder.unfinished.Add(hashes);
        }

        return builder;
    }

    public void Append(TreeHash leaf)
    {
        Size++;
        for (var level = 0; ; level++)
        {
            if (level == unfinished.Count)
            {
                unfinished.Add([]);
            }

            var hashes = unfinished[level];
            hashes.Add(leaf);
            if (hashes.Count < TilePath.FullWidth)
            {
                return;
            }

            var bytes = Bytes(hashes);
            hashes.Clear();
            full.Add((new TilePath(level, (Size >> ((level + 1) * TilePath.Height)) - 1, TilePath.FullWidth), bytes));
            leaf = TileNodes.Fold(bytes);
        }
    }

    /// <summary>The tree's right edge.</summary>
    public TreeEdge Edge()
    {
        List<TreeHash> edge = [];
        for (var level = unfinished.Count - 1; level >= 0; level--)
        {
            var hashes = Bytes(unfinished[level]).AsSpan();
            for (var perfect = TilePath.FullWidth / 2 * TreeHash.Length; perfect >= TreeHash.Length; perfect /= 2)
            {
                if (hashes.Length >= perfect)
                {
                    edge.Add(TileNodes.Fold(hashes[..perfect]));
                    hashes = hashes[perfect..];
                }
            }
        }

        return TreeEdge.Load(Size, edge);
    }

    /// <summary>The tiles that are new since this was last asked, partial ones at the right edge included.</summary>
    public IReadOnlyList<(TilePath Tile, byte[] Hashes)> Take()
    {
        List<(TilePath, byte[])> tiles = [.. TakeFull()];
        foreach (var tile in Tiles.New(taken, Size).Where(tile => !tile.IsFull))
        {
            tiles.Add((tile, Bytes(unfinished[tile.Level])));
        }

        taken = Size;
        return tiles;
    }

    /// <summary>The full tiles that are new since this or <see cref="Take"/> was last asked: for whoever cannot hold all of a large tree.</summary>
    public IReadOnlyList<(TilePath Tile, byte[] Hashes)> TakeFull()
    {
        (TilePath, byte[])[] tiles = [.. full];
        full.Clear();
        return tiles;
    }

    private static byte[] Bytes(List<TreeHash> hashes)
    {
        var bytes = new byte[hashes.Count * TreeHash.Length];
        for (var i = 0; i < hashes.Count; i++)
        {
            hashes[i].CopyTo(bytes.AsSpan(i * TreeHash.Length));
        }

        return bytes;
    }
}
