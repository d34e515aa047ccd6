using System.Collections.Concurrent;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Changes;

/// <summary>
/// Wakes open streams: when something was put in order for them, and when their assignment was changed. One query for all streams of the server, whatever their number. It tells
/// only that there is something to look at; what, the gate decides.
/// </summary>
internal sealed class ChangeSignals(DataSources dataSources, FeedOptions options, ILogger<ChangeSignals> log) : BackgroundService
{
    private readonly ConcurrentDictionary<Waiter, FeedKey> _waiters = new();
    private bool _isFailing;

    /// <summary>Waits until a feed's sign is another than the one seen; false where the time is over before.</summary>
    public async Task<bool> Wait(FeedKey feed, FeedSign? seen, TimeSpan atMost, CancellationToken stop)
    {
        var waiter = new Waiter(seen);
        _waiters[waiter] = feed;
        try
        {
            await waiter.Woken.Task.WaitAsync(atMost, TimeProvider.System, stop);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            _waiters.TryRemove(waiter, out _);
        }
    }

    /// <summary>The sign of a feed now, to be read before the feed is.</summary>
    public async Task<FeedSign?> Now(FeedKey feed, CancellationToken stop) =>
        (await ChangeSql.Signs(dataSources.For(DatabaseRole.Feed), [feed], stop)).TryGetValue(feed, out var sign) ? sign : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(options.LookEvery, TimeProvider.System);
        try
        {
            while (await ticks.WaitForNextTickAsync(stoppingToken))
            {
                if (!_waiters.IsEmpty)
                {
                    await Look(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task Look(CancellationToken stop)
    {
        try
        {
            var signs = await ChangeSql.Signs(dataSources.For(DatabaseRole.Feed), [.. _waiters.Values.Distinct()], stop);
            foreach (var (waiter, feed) in _waiters)
            {
                if (!signs.TryGetValue(feed, out var sign) || sign != waiter.Seen)
                {
                    waiter.Woken.TrySetResult();
                }
            }

            _isFailing = false;
        }
        catch (NpgsqlException exception)
        {
            // A stream that cannot be told from one that is to be cut is looked at by the gate, which says so.
            foreach (var waiter in _waiters.Keys)
            {
                waiter.Woken.TrySetResult();
            }

            if (!_isFailing)
            {
                _isFailing = true;
                log.LogError("Open streams cannot be looked after: {Kind}, SQLSTATE {SqlState}", exception.GetType().Name, exception.SqlState);
            }
        }
    }

    private sealed class Waiter(FeedSign? seen)
    {
        public FeedSign? Seen => seen;

        public TaskCompletionSource Woken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
