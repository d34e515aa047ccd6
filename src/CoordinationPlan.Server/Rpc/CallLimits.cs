using System.Collections.Concurrent;
using System.Security.Claims;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Hosting;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// How much each client system may call: a bucket of points that fills at a steady pace, so many streams, and so many calls at once. Decided by who calls and what, before anything is looked up, and
/// alike for everyone. Only what has been spent and not got back is remembered: a system that has been quiet takes no room.
/// </summary>
internal sealed class CallLimits(LimitOptions options, TimeProvider time)
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    /// <summary>After how long a system with too many streams may try another.</summary>
    private static readonly TimeSpan StreamRetry = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _streams = new(StringComparer.Ordinal);
    private readonly Turns _turns = new(options.CallsAtOnce, options.CallsWaiting);
    private readonly double _ticksPerPoint = (double)TimeSpan.TicksPerSecond / options.PointsPerSecond;
    private readonly long _ticksOfABurst = (long)((double)TimeSpan.TicksPerSecond / options.PointsPerSecond * options.Burst);
    private long _sweptAt;

    /// <summary>Whose share a call is of.</summary>
    public static string ClientSystemOf(ClaimsPrincipal caller) => caller.FindFirst(CallerClaims.ClientSystem)?.Value ?? "";

    /// <summary>How many client systems are remembered.</summary>
    internal int Remembered => _buckets.Count;

    /// <summary>Takes the points of a call; or says how long it takes until there is room for it, and takes nothing.</summary>
    public TimeSpan? Take(string clientSystem, int points)
    {
        var now = time.GetUtcNow().UtcTicks;
        Sweep(now);
        return _buckets.GetOrAdd(clientSystem, static _ => new Bucket()).Take(now, (long)(points * _ticksPerPoint), _ticksOfABurst);
    }

    /// <summary>Takes the points as soon as there is room for them; false where there is none for so long.</summary>
    public async Task<bool> TakeWhenThereIsRoom(string clientSystem, int points, TimeSpan atMost, CancellationToken stop)
    {
        for (var began = time.GetTimestamp(); points > 0 && Take(clientSystem, points) is { } wait;)
        {
            if (time.GetElapsedTime(began) + wait > atMost)
            {
                return false;
            }

            await Task.Delay(wait, time, stop);
        }

        return true;
    }

    /// <summary>Waits until a call of the client system's may be worked on, beside what else of it is.</summary>
    public ValueTask<Turns.Turn> TakeTurn(string clientSystem, CancellationToken stop) => _turns.Take(clientSystem, stop);

    /// <summary>Counts a stream that stays open; to be disposed of when it ends. TOO_MANY_CALLS where the client system has as many as it may.</summary>
    public IDisposable OpenStream(string clientSystem)
    {
        lock (_streams)
        {
            var open = _streams.GetValueOrDefault(clientSystem);
            if (open >= options.StreamsAtOnce)
            {
                throw Errors.TooManyCalls(StreamRetry);
            }

            _streams[clientSystem] = open + 1;
        }

        return new OpenedStream(this, clientSystem);
    }

    private void CloseStream(string clientSystem)
    {
        lock (_streams)
        {
            if (--_streams[clientSystem] == 0)
            {
                _streams.Remove(clientSystem);
            }
        }
    }

    private void Sweep(long now)
    {
        var swept = Interlocked.Read(ref _sweptAt);
        if (now - swept < SweepEvery.Ticks || Interlocked.CompareExchange(ref _sweptAt, now, swept) != swept)
        {
            return;
        }

        foreach (var bucket in _buckets)
        {
            if (bucket.Value.IsFull(now))
            {
                _buckets.TryRemove(bucket);
            }
        }
    }

    private sealed class OpenedStream(CallLimits limits, string clientSystem) : IDisposable
    {
        private int _closed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _closed, 1) == 0)
            {
                limits.CloseStream(clientSystem);
            }
        }
    }

    /// <summary>
    /// Kept as the one moment at which it is full again (the generic cell rate algorithm): no counter that has to be filled, and one number to change at once.
    /// </summary>
    private sealed class Bucket
    {
        private long _fullAt;

        public bool IsFull(long now) => Interlocked.Read(ref _fullAt) <= now;

        public TimeSpan? Take(long now, long cost, long burst)
        {
            while (true)
            {
                var fullAt = Interlocked.Read(ref _fullAt);
                var next = Math.Max(fullAt, now) + cost;
                if (next - now > burst)
                {
                    return TimeSpan.FromTicks(next - now - burst);
                }

                if (Interlocked.CompareExchange(ref _fullAt, next, fullAt) == fullAt)
                {
                    return null;
                }
            }
        }
    }
}
