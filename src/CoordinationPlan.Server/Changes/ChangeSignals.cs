using System.Collections.Concurrent;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Server.Changes;

/// <summary>
/// Wakes open streams: when something was put in order for them, and when their assignment was changed. One query for all streams of the server, whatever their number. It tells
/// only that there is something to look at; what, the gate decides.
/// </summary>
internal sealed class ChangeSignals(DataSources dataSources, FeedOptions options, ILogger<ChangeSignals> log) : RepeatedWork
{
    private readonly ConcurrentDictionary<Waiter, FeedKey> _waiters = new();

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

    protected override TimeSpan Every => options.LookEvery;

    protected override async Task Work(CancellationToken stop)
    {
        if (_waiters.IsEmpty)
        {
            return;
        }

        var signs = await ChangeSql.Signs(dataSources.For(DatabaseRole.Feed), [.. _waiters.Values.Distinct()], stop);
        foreach (var (waiter, feed) in _waiters)
        {
            if (!signs.TryGetValue(feed, out var sign) || sign != waiter.Seen)
            {
                waiter.Woken.TrySetResult();
            }
        }
    }

    protected override void Failed(string kind, string? sqlState, bool isNews)
    {
        // A stream that cannot be told from one that is to be cut is looked at by the gate, which says so.
        foreach (var waiter in _waiters.Keys)
        {
            waiter.Woken.TrySetResult();
        }

        if (isNews)
        {
            log.LogError("Open streams cannot be looked after: {Kind}, SQLSTATE {SqlState}", kind, sqlState);
        }
    }

    private sealed class Waiter(FeedSign? seen)
    {
        public FeedSign? Seen => seen;

        public TaskCompletionSource Woken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
