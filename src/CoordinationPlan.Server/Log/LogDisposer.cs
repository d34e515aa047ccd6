using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Carries out the disposals of logs that two persons have decided: removes the entries' rows, and with them their secrets, some at a time. It believes the log and not the row
/// of the disposal: both entries of the decision must be under published checkpoints first, so that whoever finds a record missing also finds why. What is killed midway goes on.
/// </summary>
internal sealed class LogDisposer(DataSources dataSources, LogOptions options, LogCondition condition, LogMetrics metrics, ILogger<LogDisposer> log)
    : LogWork(LogPart.Disposer, "disposals cannot be carried out", condition, log)
{
    /// <summary>How many positions are gone through in one transaction.</summary>
    internal int Window { get; init; } = 2000;

    /// <summary>Carries out what is due now; returns how many entries were removed.</summary>
    public async Task<long> RunOnce(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Disposer).OpenConnectionAsync(stop);
        var trip = new RoundTrip(connection);
        var due = trip.Add(LogDisposalSql.Due());
        await trip.Run(stop);
        if (due.Value.Count == 0)
        {
            return 0;
        }

        trip = new RoundTrip(connection);
        var entries = trip.Add(LogDisposalSql.Entries());
        var notes = trip.Add(LogSql.Checkpoints());
        await trip.Run(stop);
        var evidence = new DisposalEvidence(entries.Value);
        var total = 0L;
        foreach (var disposal in due.Value)
        {
            // An entry that has no place yet is no fault; it will have.
            if (evidence.Fault(disposal) is { } fault)
            {
                if (entries.Value.TrueForAll(entry => entry.Text != disposal.Text || entry.Log is not null) && Condition.Set(LogPart.Disposer, disposal.LogId, fault))
                {
                    Log.LogCritical("Disposal {Disposal} of log {Log} is not carried out: {Fault}", disposal.Id, disposal.LogId, fault);
                }
            }
            else if (evidence.Of(disposal).All(entry => IsPublished(entry, notes.Value)))
            {
                Condition.Clear(LogPart.Disposer, disposal.LogId);
                total += await CarryOut(connection, disposal, stop);
            }
        }

        return total;
    }

    protected override TimeSpan Every => options.DisposeEvery;

    protected override Task Turn(CancellationToken stop) => RunOnce(stop);

    private static bool IsPublished(DisposalEntry entry, Dictionary<int, string> notes) =>
        entry.Log is { } log && notes.TryGetValue(log, out var note) && Checkpoint.Parse(SignedNote.Parse(note).Text).Size > entry.Position;

    private async Task<long> CarryOut(NpgsqlConnection connection, LogDisposalRecord disposal, CancellationToken stop)
    {
        var total = 0L;
        for (var from = 0L; from < disposal.Size; from += Window)
        {
            await using var transaction = await connection.BeginTransactionAsync(stop);
            var first = new RoundTrip(connection);
            var isMine = first.Add(LogDisposalSql.Take(disposal.Id));
            await first.Run(stop);
            if (!isMine.Value)
            {
                return total;
            }

            var second = new RoundTrip(connection);
            var removed = second.Add(LogDisposalSql.Remove(disposal, from, from + Window));
            if (from + Window >= disposal.Size)
            {
                second.Add(LogDisposalSql.Done(disposal.Id));
            }

            await second.Run(stop);
            await transaction.CommitAsync(stop);
            total += removed.Value;
        }

        metrics.Disposed(total);
        Log.LogInformation("Disposal {Disposal} of log {Log} is carried out: {Count} entries removed", disposal.Id, disposal.LogId, total);
        return total;
    }
}
