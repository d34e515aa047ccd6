namespace CoordinationPlan.TransparencyLog;

/// <summary>Which tiles a tree has.</summary>
public static class Tiles
{
    /// <summary>Above it no tree has a hash: a size has 63 bits.</summary>
    private const int MaxLevel = 62 / TilePath.Height;

    /// <summary>The tiles of hashes that a tree has and did not have when it was smaller; those of the lowest level first.</summary>
    public static IEnumerable<TilePath> New(long from, long to)
    {
        Check(from, to);
        for (var level = 0; Count(level, to) > 0; level++)
        {
            foreach (var tile in OfLevel(level, Count(level, from), Count(level, to)))
            {
                yield return tile;
            }
        }
    }

    /// <summary>The bundles of entries that a tree has and did not have when it was smaller.</summary>
    public static IEnumerable<TilePath> NewEntries(long from, long to)
    {
        Check(from, to);
        return OfLevel(TilePath.Entries, from, to);
    }

    /// <summary>All tiles of hashes.</summary>
    public static IEnumerable<TilePath> Of(long size) => New(0, size);

    /// <summary>The partial tiles at the right edge: with them, a tree can be taken up where it was left.</summary>
    public static IEnumerable<TilePath> Edge(long size)
    {
        Check(0, size);
        return
            from level in Enumerable.Range(0, MaxLevel + 1)
            let count = Count(level, size)
            where count % TilePath.FullWidth > 0
            select new TilePath(level, count / TilePath.FullWidth, (int)(count % TilePath.FullWidth));
    }

    /// <summary>The tile that holds a hash of a level, as wide as the tree makes it.</summary>
    public static TilePath Holding(int level, long index, long size)
    {
        var count = Count(Math.Max(level, 0), size);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        var tile = index / TilePath.FullWidth;
        return new TilePath(level, tile, (int)Math.Min(TilePath.FullWidth, count - (tile * TilePath.FullWidth)));
    }

    /// <summary>How many hashes a level has.</summary>
    private static long Count(int level, long size) => level > MaxLevel ? 0 : size >> (level * TilePath.Height);

    private static IEnumerable<TilePath> OfLevel(int level, long had, long has)
    {
        if (had == has)
        {
            yield break;
        }

        for (var tile = had / TilePath.FullWidth; tile * TilePath.FullWidth < has; tile++)
        {
            yield return new TilePath(level, tile, (int)Math.Min(TilePath.FullWidth, has - (tile * TilePath.FullWidth)));
        }
    }

    private static void Check(long from, long to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
    }
}
