namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// The nodes of a tree from its tiles, for proofs. It keeps the tiles that it has read: make one for each proof or few. What it says is as true as the tiles, so a
/// proof made with it is verified against a signed root before it is believed.
/// </summary>
/// <param name="size">How many leaves the tree has, which says how wide its last tiles are.</param>
/// <param name="read">The hashes of a tile, one after the other.</param>
public sealed class TileNodes(long size, Func<TilePath, byte[]> read)
{
    private readonly Dictionary<TilePath, byte[]> tiles = [];

    /// <summary>The root of the perfect subtree over the leaves from index × 2^level to (index + 1) × 2^level.</summary>
    public TreeHash Node(int level, long index)
    {
        var (tileLevel, above) = Math.DivRem(level, TilePath.Height);
        var first = index << above;
        var tile = Tiles.Holding(tileLevel, first, size);
        var at = (int)(first % TilePath.FullWidth) * TreeHash.Length;
        return Fold(Tile(tile).AsSpan(at, TreeHash.Length << above));
    }

    /// <summary>The root over hashes, as many as a power of two.</summary>
    internal static TreeHash Fold(ReadOnlySpan<byte> hashes) =>
        hashes.Length == TreeHash.Length
            ? new TreeHash(hashes)
            : TreeHash.OfChildren(Fold(hashes[..(hashes.Length / 2)]), Fold(hashes[(hashes.Length / 2)..]));

    private byte[] Tile(TilePath tile)
    {
        if (!tiles.TryGetValue(tile, out var hashes))
        {
            hashes = read(tile);
            if (hashes.Length != tile.Width * TreeHash.Length)
            {
                throw new FormatException($"{tile} holds {hashes.Length} bytes, and {tile.Width} hashes have {tile.Width * TreeHash.Length}.");
            }

            tiles.Add(tile, hashes);
        }

        return hashes;
    }
}
