using System.Numerics;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>Tiles as the database keeps them: one row for each, as wide as it has become.</summary>
internal static class TreeTiles
{
    /// <summary>The unfinished tile of each level: all that it takes to append, and to know the root.</summary>
    public static List<TilePath> RightEdge(long size)
    {
        var tiles = new List<TilePath>();
        for (var (level, count) = (0, size); count > 0; (level, count) = (level + 1, count / TilePath.FullWidth))
        {
            if (count % TilePath.FullWidth is > 0 and var width)
            {
                tiles.Add(new TilePath(level, count / TilePath.FullWidth, (int)width));
            }
        }

        return tiles;
    }

    /// <summary>Reads a tile of what was loaded, as narrow as is asked for.</summary>
    /// <exception cref="LogFaultException">It is not there, or not that wide.</exception>
    public static Func<TilePath, byte[]> Of(IReadOnlyDictionary<(int Level, long Tile), byte[]> loaded) => tile =>
        loaded.TryGetValue((tile.Level, tile.Index), out var hashes) && hashes.Length >= tile.Width * TreeHash.Length
            ? hashes[..(tile.Width * TreeHash.Length)]
            : throw new LogFaultException($"{tile} is not there");

    /// <summary>The tile that holds what a node is made of.</summary>
    public static TilePath Holding(int level, long index, long size)
    {
        var (tileLevel, above) = Math.DivRem(level, BitOperations.Log2(TilePath.FullWidth));
        return Tiles.Holding(tileLevel, index << above, size);
    }

    /// <summary>The root that the tiles lead to.</summary>
    public static TreeHash Root(long size, Func<TilePath, byte[]> read) => Subtree.Root(size, new TileNodes(size, read).Node);
}

/// <summary>What stands in the database is not what a log was built as. The message names no person and no controller.</summary>
internal sealed class LogFaultException(string message) : Exception(message);
