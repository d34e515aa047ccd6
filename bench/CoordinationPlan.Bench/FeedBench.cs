using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CoordinationPlan.Bench.Data;
using CoordinationPlan.Bench.Load;
using CoordinationPlan.Client;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Bench;

/// <summary>
/// What the feed of changes takes: meetings are moved through the API as fast as a few writers can, and 1, 10 and 50 systems watch, each under an assignment of its own, which is a feed
/// of its own. The time of a change is from when its writer was answered, which is after its commit, until the system has heard of that change of the meeting or a later one.
/// </summary>
internal sealed class FeedBench(BenchOptions options, Site site, Action<string> say)
{
    private const int Writers = 4;
    private const int MostPlans = 64;
    private static readonly int[] Steps = [1, 10, 50];
    private static readonly TimeSpan MayTake = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <returns>Lines for people.</returns>
    public async Task<IReadOnlyList<string>> Run(int changes, CancellationToken stop)
    {
        var memory = site.Service.ResidentMiB;
        using var caseWorker = site.CaseWorker(out var clients);
        using var region = site.Region.Connection;
        var names = Enumerable.Range(1, Math.Min(MostPlans, options.Plans)).Select(n => $"plans/{PlanIds.Of(n):D}").ToArray();
        var meetings = new Dictionary<string, Meeting>();
        foreach (var name in names)
        {
            meetings[name] = await Call(clients, name, stop);
        }

        var lines = new List<string> { "The feed" };
        var consumers = new List<Consumer>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            foreach (var step in Steps)
            {
                say(Text($"Feed: {step} systems hear their snapshots"));
                while (consumers.Count < step)
                {
                    consumers.Add(await Consumer.Start(region.For(await site.NewAssignmentOfRegion(stop)).Changes, names, end.Token));
                }

                await All(consumers, consumer => consumer.HasSnapshot, stop);
                consumers.ForEach(consumer => consumer.Begin());
                say(Text($"Feed: {changes:N0} changes, {step} systems watch"));
                var began = Stopwatch.GetTimestamp();
                var written = await Write(clients.Meetings, meetings, changes, stop);
                var writing = Stopwatch.GetElapsedTime(began).TotalSeconds;
                var last = written.ToDictionary(of => of.Key, of => of.Value[^1].Etag);
                await All(consumers, consumer => consumer.HasHeardOf(last), stop);
                var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
                var events = consumers.Sum(consumer => consumer.Events);
                var lags = consumers.SelectMany(consumer => consumer.Lags(written)).Order().ToArray();
                if (lags.Length != changes * step)
                {
                    throw new UnsoundRunException(Text($"{changes} changes were made for {step} systems, and {lags.Length} were heard of."));
                }

                lines.Add(Text(
                    $"  {step,2} systems: {changes / writing:N0} changes/s committed, {events / took:N0} events/s delivered, commit to consumer p50 {lags[lags.Length / 2]:0.000} s, p99 {lags[(int)(lags.Length * 0.99)]:0.000} s; memory of the service {site.Service.ResidentMiB:N0} MiB"));
            }
        }
        finally
        {
            await end.CancelAsync();
            foreach (var consumer in consumers)
            {
                await consumer.Ended;
            }
        }

        lines.Add(Text($"  memory of the service before {memory:N0} MiB"));
        return lines;
    }

    /// <summary>A meeting to which the owning unit alone is called, so that each change of it is one event for each system.</summary>
    private static async Task<Meeting> Call(CoordinationPlanClients clients, string plan, CancellationToken stop)
    {
        var now = (await clients.Plans.GetPlanAsync(new() { Name = plan }, cancellationToken: stop)).Plan;
        return (await clients.Meetings.CallMeetingAsync(
            new()
            {
                Parent = plan,
                Meeting = new() { Kind = MeetingKind.FollowUp, StartTime = Later(0), Form = MeetingForm.Room, Place = "Rum 1" },
                Units = { now.OwningUnit },
                Etag = now.Etag,
                RequestId = NewId(),
            },
            cancellationToken: stop)).Meeting;
    }

    /// <summary>Each writer has meetings of its own and moves one after the other. Which etags each had, by its plan, in their order, and when.</summary>
    private static async Task<Dictionary<string, List<(string Etag, long Answered)>>> Write(
        MeetingService.MeetingServiceClient client, Dictionary<string, Meeting> meetings, int changes, CancellationToken stop)
    {
        var names = meetings.Keys.ToArray();
        var written = names.ToDictionary(name => name, _ => new List<(string, long)>());
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(
            async () =>
            {
                var own = names.Where((_, i) => i % Writers == writer).ToArray();
                var count = (changes / Writers) + (writer < changes % Writers ? 1 : 0);
                for (var i = 0; i < count; i++)
                {
                    var name = own[i % own.Length];
                    Meeting meeting;
                    lock (meetings)
                    {
                        meeting = meetings[name];
                    }

                    var request = new RescheduleMeetingRequest
                    {
                        Name = meeting.Name,
                        StartTime = Later(i),
                        Form = meeting.Form,
                        Place = meeting.Place,
                        Etag = meeting.Etag,
                        RequestId = NewId(),
                    };
                    meeting = (await client.RescheduleMeetingAsync(request, cancellationToken: stop)).Meeting;
                    written[name].Add((meeting.Etag, Stopwatch.GetTimestamp()));
                    lock (meetings)
                    {
                        meetings[name] = meeting;
                    }
                }
            },
            stop)));
        return written.Where(of => of.Value.Count > 0).ToDictionary();
    }

    private static async Task All(IReadOnlyList<Consumer> consumers, Func<Consumer, bool> condition, CancellationToken stop)
    {
        for (var begin = Stopwatch.GetTimestamp(); !consumers.All(condition); await Task.Delay(BetweenLooks, TimeProvider.System, stop))
        {
            if (Stopwatch.GetElapsedTime(begin) > MayTake)
            {
                throw new UnsoundRunException("A system does not hear of everything.");
            }

            if (consumers.FirstOrDefault(consumer => consumer.Ended.IsCompleted) is { } ended)
            {
                await ended.Ended;
                throw new UnsoundRunException("A stream of changes has ended.");
            }
        }
    }

    private static Timestamp Later(int minutes) => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(30).AddMinutes(minutes % 10_000));

    private static string NewId() => Guid.CreateVersion7().ToString("D");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A system that watches.</summary>
    private sealed class Consumer(HashSet<string> plans)
    {
        private readonly ConcurrentQueue<(string Plan, string Etag, long Heard)> _heard = new();
        private readonly ConcurrentDictionary<string, string> _latest = new();
        private volatile bool _hasSnapshot;
        private int _events;

        public bool HasSnapshot => _hasSnapshot;

        public int Events => Volatile.Read(ref _events);

        public Task Ended { get; private set; } = Task.CompletedTask;

        public static async Task<Consumer> Start(ChangeFeedService.ChangeFeedServiceClient changes, IEnumerable<string> plans, CancellationToken end)
        {
            var etag = (await changes.PullChangesAsync(new(), cancellationToken: end)).Etag;
            var started = await changes.StartChangesAsync(new() { Etag = etag, RequestId = Guid.CreateVersion7().ToString("D") }, cancellationToken: end);
            var consumer = new Consumer([.. plans]);
            consumer.Ended = Task.Run(() => consumer.Watch(changes, started.Cursor, end), CancellationToken.None);
            return consumer;
        }

        public void Begin()
        {
            _heard.Clear();
            _latest.Clear();
            Volatile.Write(ref _events, 0);
        }

        public bool HasHeardOf(Dictionary<string, string> last) => last.All(of => _latest.GetValueOrDefault(of.Key) == of.Value);

        /// <summary>Seconds for each change. What was heard before its writer had its answer took none.</summary>
        public IEnumerable<double> Lags(Dictionary<string, List<(string Etag, long Answered)>> written)
        {
            var next = written.ToDictionary(of => of.Key, _ => 0);
            var number = written.ToDictionary(of => of.Key, of => of.Value.Index().ToDictionary(change => change.Item.Etag, change => change.Index));
            foreach (var (plan, etag, heard) in _heard)
            {
                // An etag from before is of a change that came while it was begun.
                if (number.TryGetValue(plan, out var numbers) && numbers.TryGetValue(etag, out var at))
                {
                    for (; next[plan] <= at; next[plan]++)
                    {
                        yield return Math.Max(0, Stopwatch.GetElapsedTime(written[plan][next[plan]].Answered, heard).TotalSeconds);
                    }
                }
            }
        }

        private async Task Watch(ChangeFeedService.ChangeFeedServiceClient changes, string cursor, CancellationToken end)
        {
            try
            {
                using var stream = changes.WatchChanges(new() { Cursor = cursor, PageSize = 200 }, cancellationToken: end);
                while (await stream.ResponseStream.MoveNext(end))
                {
                    var now = Stopwatch.GetTimestamp();
                    foreach (var change in stream.ResponseStream.Current.Changes)
                    {
                        Interlocked.Increment(ref _events);
                        _hasSnapshot |= change.Kind == ChangeKind.SnapshotEnd;
                        if (change.Meeting is { } meeting && plans.Contains(change.Plan))
                        {
                            _heard.Enqueue((change.Plan, meeting.Etag, now));
                            _latest[change.Plan] = meeting.Etag;
                        }
                    }
                }
            }
            catch (Exception error) when (end.IsCancellationRequested && error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
            {
                // It has been long enough.
            }
        }
    }
}
