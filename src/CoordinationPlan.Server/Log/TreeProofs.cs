using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>Makes proofs of the tiles in the database.</summary>
internal static class TreeProofs
{
    /// <summary>Which tiles a proof takes is found by making it of nothing; then they are read, and it is made of them.</summary>
    /// <param name="trip">One that nothing was added to.</param>
    public static async Task<List<TreeHash>> Make(RoundTrip trip, int log, long size, Func<Func<int, long, TreeHash>, List<TreeHash>> prove, CancellationToken stop)
    {
        var needed = new HashSet<TilePath>();
        prove((level, index) =>
        {
            needed.Add(TreeTiles.Holding(level, index, size));
            return TreeHash.Empty;
        });
        var tiles = trip.Add(LogSql.Tiles(log, needed));
        await trip.Run(stop);
        return prove(new TileNodes(size, TreeTiles.Of(tiles.Value)).Node);
    }
}
