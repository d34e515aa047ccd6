using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Puts pending entries in the trees. A batch is one transaction: it takes a log, hashes the rows as they are stored, and gives them positions without gaps. Any number
/// of servers may do it at once; each takes logs that nobody else has, and what a dead one had is free when its connection is gone.
/// </summary>
internal sealed class Sequencer(DataSources dataSources, LogOptions options, LogCondition condition, LogMetrics metrics, ILogger<Sequencer> log)
    : LogWork(LogPart.Sequencer, "entries cannot be sequenced", condition, log)
{
    /// <summary>Does what is pending now, and returns how many entries that was.</summary>
    public async Task<int> RunOnce(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Sequencer).OpenConnectionAsync(stop);
        var trip = new RoundTrip(connection);
        var pending = trip.Add(SequencerSql.PendingLogs());
        await trip.Run(stop);
        Report(pending.Value);

        var total = 0;
        foreach (var due in pending.Value)
        {
            int count;
            do
            {
                count = await Batch(connection, due, stop);
                total += count;
            }
            while (count == options.BatchSize);
        }

        metrics.Sequenced(total);
        return total;
    }

    protected override TimeSpan Every => options.SequenceEvery;

    protected override Task Turn(CancellationToken stop) => RunOnce(stop);

    private async Task<int> Batch(NpgsqlConnection connection, PendingLog due, CancellationToken stop)
    {
        var logId = LogNames.IdOf(due.Controller, due.Year);
        try
        {
            var count = await Append(connection, due, logId, stop);
            Condition.Clear(LogPart.Sequencer, logId);
            return count;
        }
        catch (Exception fault) when (fault is LogFaultException or InvalidOperationException)
        {
            await Abandon(connection, stop);
            if (Condition.Set(LogPart.Sequencer, logId, fault.Message))
            {
                Log.LogCritical("Log {Log} is not appended to: {Fault}", logId, fault.Message);
            }

            return 0;
        }
    }

    private async Task<int> Append(NpgsqlConnection connection, PendingLog due, string logId, CancellationToken stop)
    {
        var first = new RoundTrip(connection);
        first.Begin();
        first.Add(SequencerSql.Begin(logId, due.Controller, due.Year));
        var taken = first.Add(SequencerSql.Take(due.Controller, due.Year));
        await first.Run(stop);
        if (taken.Value is not { } state)
        {
            await Abandon(connection, stop);
            return 0;
        }

        var edge = TreeTiles.RightEdge(state.Size);
        var second = new RoundTrip(connection);
        var pending = second.Add(SequencerSql.Pending(due.Controller, due.Year, options.BatchSize));
        var loaded = second.Add(LogSql.Tiles(state.Log, edge));
        await second.Run(stop);
        // What stands in the log twice is no entry of ours: it stays pending, and is found.
        var entries = pending.Value.GroupBy(entry => entry.EntryId).Where(same => same.Count() == 1).Select(same => same.Single()).ToList();
        if (entries.Count == 0)
        {
            await Abandon(connection, stop);
            return 0;
        }

        var tiles = loaded.Value;
        if (TreeTiles.Root(state.Size, TreeTiles.Of(tiles)) != state.Root)
        {
            throw new LogFaultException("its tiles do not lead to its root");
        }

        var builder = TileBuilder.Load(state.Size, TreeTiles.Of(tiles));
        foreach (var entry in entries)
        {
            builder.Append(TreeHash.OfLeaf(entry.Commitment));
        }

        var grown = builder.Take();
        foreach (var (tile, hashes) in grown)
        {
            tiles[(tile.Level, tile.Index)] = hashes;
        }

        var third = new RoundTrip(connection);
        third.Add(SequencerSql.AddLeaves(state.Log, state.Size, entries));
        third.Add(SequencerSql.PutTiles(state.Log, grown));
        third.Add(SequencerSql.Grow(state, builder.Size, TreeTiles.Root(builder.Size, TreeTiles.Of(tiles))));
        third.Add(SequencerSql.Done(entries));
        third.Commit();
        await third.Run(stop);
        return entries.Count;
    }

    private static async Task Abandon(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var rollback = new NpgsqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync(stop);
    }

    private void Report(List<PendingLog> pending)
    {
        var age = pending.Count == 0 ? TimeSpan.Zero : TimeProvider.System.GetUtcNow() - new DateTimeOffset(pending.Min(due => due.Oldest), TimeSpan.Zero);
        metrics.Pending(age);
        if (age <= options.MaximumMergeDelay)
        {
            Condition.Clear(LogPart.Pending, "");
        }
        else if (Condition.Set(LogPart.Pending, "", "entries wait longer than the maximum merge delay"))
        {
            Log.LogError("Entries of the access log have been waiting to be sequenced for {Age}; run `coordplan log fsck`", age);
        }

    }
}
