using System.Collections.Concurrent;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>Many who write, many who listen, and a sequencer that dies: nothing is lost, nothing is skipped, and all hear the same.</summary>
public sealed class FeedLoadTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private const int Writers = 20;
    private const int Consumers = 5;

    private static readonly int Seconds = Campaign.Of("FEED_SECONDS", always: 20, thorough: 600);

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task Many_who_write_and_many_who_listen_lose_and_skip_nothing()
    {
        var feed = await Integration.Start(service);
        var meetings = await Task.WhenAll(Enumerable.Range(0, Writers + 3).Select(_ => Called()));
        var plans = meetings.Select(PlanOf).ToHashSet();
        await service.Settled();
        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(Seconds));
        var written = new ConcurrentDictionary<string, long>();
        var lags = new ConcurrentBag<double>();
        var heard = Enumerable.Range(0, Consumers).Select(_ => new Ear()).ToArray();
        using var stop = new CancellationTokenSource();
        var consumers = heard.Select((changes, i) => i % 2 == 0 ? PullUntil(feed.Cursor, changes, i, written, lags, stop.Token) : WatchUntil(feed.Cursor, changes, written, lags, stop.Token)).ToArray();

        // Plans of their own: what is changed beside the service does not wait for the service's locks.
        var (late, prompt) = (meetings[..3], meetings[3..]);
        var committed = CommitLate(late, done.Token);
        await Task.WhenAll(prompt.Select(meeting => Task.Run(() => Write(meeting, written, done.Token))));
        await committed;
        await service.Settled();
        var last = await Task.WhenAll(prompt.Select(Read));
        var plansOfLate = await Task.WhenAll(late.Select(meeting => service.CaseWorker.Plans.GetPlanAsync(new() { Name = PlanOf(meeting) }).ResponseAsync));
        // Every consumer has come to the end when it has heard of the last state of each meeting, and of each plan that was changed late.
        foreach (var changes in heard)
        {
            for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50))
            {
                lock (changes)
                {
                    if (last.All(meeting => changes.Heard.FindLast(change => change.Meeting?.Name == meeting.Name)?.Meeting.Etag == meeting.Etag)
                        && plansOfLate.All(of => changes.Heard.FindLast(change => change.PlanState?.Name == of.Plan.Name)?.PlanState.LegalBasis == of.Plan.LegalBasis))
                    {
                        break;
                    }
                }

                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "A consumer does not hear of the last state.");
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(consumers);

        var all = heard.Select(changes => changes.Heard.Where(change => plans.Contains(change.Plan)).DistinctBy(change => change.Event).ToList()).ToList();
        var most = all.MaxBy(changes => changes.Count)!;
        foreach (var changes in all)
        {
            // Not all stop at the same change, but what they heard is the same from the first on, in the same order and with the same numbers.
            Assert.Equal(most.Take(changes.Count).Select(change => (change.Event, change.Sequence)), changes.Select(change => (change.Event, change.Sequence)));
            Assert.All(
                changes.GroupBy(change => (change.Plan, change.Unit)),
                of => Assert.Equal(Enumerable.Range(1, of.Count()).Select(n => (long)n), of.Select(change => change.Sequence)));
        }

        Assert.True(written.Count > Writers);
        var ordered = lags.Order().ToList();
        output.WriteLine(
            $"{written.Count} changes by {Writers} writers in {Seconds} s, {most.Count} events to each of {Consumers} consumers; "
            + (ordered.Count == 0 ? "" : $"from commit to consumer p50 {ordered[ordered.Count / 2]:F0} ms, p99 {ordered[(int)(ordered.Count * 0.99)]:F0} ms"));
    }

    public static TheoryData<string, string> Deaths => new()
    {
        { "BEFORE DELETE", "change_pending" },
        { "AFTER DELETE", "change_pending" },
        { "BEFORE INSERT", "change_item" },
        { "AFTER INSERT", "change_item" },
        { "AFTER INSERT", "change_recall" },
        { "BEFORE UPDATE", "change_standing" },
        { "AFTER UPDATE", "change_receiver" },
        { "AT COMMIT", "change_item" },
    };

    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task A_sequencer_that_dies_at_a_step_has_done_all_or_nothing(string moment, string table)
    {
        var feed = await Integration.Start(service);
        var (stays, goes) = (await Released(), await Released());
        var before = await feed.Pull();
        Assert.NotEmpty(before);
        await Execute("CREATE SEQUENCE IF NOT EXISTS public.deaths");
        var deaths = await service.Scalar<long>("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.deaths");
        await Execute(
            """
            CREATE OR REPLACE FUNCTION public.dies() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $body$
            BEGIN
                PERFORM nextval('public.deaths');
                PERFORM pg_terminate_backend(pg_backend_pid());
                PERFORM pg_sleep(10);
                RETURN NEW;
            END $body$
            """);
        await Execute(moment == "AT COMMIT"
            ? $"CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON coordinationplan.{table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.dies()"
            : $"CREATE TRIGGER dies {moment} ON coordinationplan.{table} FOR EACH ROW EXECUTE FUNCTION public.dies()");
        try
        {
            var consent = (await service.Read(DemonstrationDirectory.CaseWorker, goes)).Consents[0];
            await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
            await service.CallMeeting(stays, [Care], TimeSpan.FromDays(20));
            for (var begin = TimeProvider.System.GetTimestamp(); await service.Scalar<long>("SELECT last_value FROM public.deaths") < deaths + 2; await Task.Delay(20))
            {
                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(30), "Nobody dies.");
            }
        }
        finally
        {
            await Execute($"DROP TRIGGER dies ON coordinationplan.{table}");
        }

        var after = await feed.Pull();

        Assert.Equal([ChangeKind.Recall], after.Where(change => change.Plan == goes.Name).Select(change => change.Kind));
        Assert.Equal([ChangeKind.Meeting, ChangeKind.Summons, ChangeKind.Task], after.Where(change => change.Plan == stays.Name).Select(change => change.Kind));
        Assert.Equal(
            0L,
            await service.Scalar<long>(
                "SELECT count(*) FROM (SELECT position - lag(position, 1, 0::bigint) OVER (PARTITION BY receiver ORDER BY position) AS step FROM coordinationplan.change_item) x WHERE step <> 1"));
    }

    private async Task<Plan> Released()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        return plan;
    }

    /// <summary>A meeting about a plan that the system may know all of; the unit that it hears for is not called itself, so that each change is one event.</summary>
    private async Task<Meeting> Called() => await service.CallMeeting(await Released(), [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));

    private static string PlanOf(Meeting meeting) => meeting.Name[..meeting.Name.IndexOf("/meetings/", StringComparison.Ordinal)];

    private async Task<Meeting> Read(Meeting meeting) =>
        Assert.Single((await WithinLimits(() => service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = PlanOf(meeting) }))).Meetings);

    private async Task Write(Meeting meeting, ConcurrentDictionary<string, long> written, CancellationToken stop)
    {
        var (etag, minute) = (meeting.Etag, 0);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var request = new RescheduleMeetingRequest
                {
                    Name = meeting.Name,
                    StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(20).AddMinutes(++minute % 300)),
                    Form = meeting.Form,
                    Place = meeting.Place,
                    Etag = etag,
                    RequestId = Cases.NewId(),
                };
                etag = (await WithinLimits(() => service.CaseWorker.Meetings.RescheduleMeetingAsync(request, cancellationToken: CancellationToken.None))).Meeting.Etag;
                written[etag] = TimeProvider.System.GetTimestamp();
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Aborted)
            {
                // Somebody else has touched it.
                etag = (await Read(meeting)).Etag;
            }
        }
    }

    /// <summary>Transactions that change a plan and commit a while later than they began.</summary>
    private async Task CommitLate(Meeting[] meetings, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (var meeting in meetings)
            {
                await using var connection = await service.Administrator.OpenConnectionAsync(CancellationToken.None);
                await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
                await using var touch = new NpgsqlCommand($"UPDATE coordinationplan.plan SET legal_basis = legal_basis || '.', version = version + 1 WHERE plan_id = '{PlanOf(meeting)["plans/".Length..]}'", connection);
                await touch.ExecuteNonQueryAsync(CancellationToken.None);
                await Task.Delay(300, CancellationToken.None);
                await transaction.CommitAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>Pulls, and now and then forgets where it was and goes on from before: what it hears again is the same.</summary>
    private async Task PullUntil(string cursor, Ear heard, int seed, ConcurrentDictionary<string, long> written, ConcurrentBag<double> lags, CancellationToken stop)
    {
        var random = new Random(seed);
        var earlier = cursor;
        while (!stop.IsCancellationRequested)
        {
            var request = new PullChangesRequest { Cursor = cursor, PageSize = random.Next(1, 60) };
            var page = await WithinLimits(() => service.As(DemonstrationDirectory.RegionIntegration).Changes.PullChangesAsync(request, cancellationToken: CancellationToken.None));
            Hear(page.Changes, heard, written, lags);
            (earlier, cursor) = random.Next(20) == 0 ? (earlier, earlier) : (cursor, page.NextCursor);
            if (page.Changes.Count == 0)
            {
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }

    /// <summary>Watches, and now and then is cut off.</summary>
    private async Task WatchUntil(string cursor, Ear heard, ConcurrentDictionary<string, long> written, ConcurrentBag<double> lags, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var stream = service.As(DemonstrationDirectory.RegionIntegration).Changes.WatchChanges(new() { Cursor = cursor }, cancellationToken: stop);
            try
            {
                for (var i = 0; i < 40 && await stream.ResponseStream.MoveNext(stop); i++)
                {
                    Hear(stream.ResponseStream.Current.Changes, heard, written, lags);
                    cursor = stream.ResponseStream.Current.NextCursor;
                }
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled)
            {
                // The test is over.
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.ResourceExhausted)
            {
                await Task.Delay(WaitOf(error), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>All of these are two client systems, which call for more than their share: they wait as they are told, and go on.</summary>
    private static async Task<T> WithinLimits<T>(Func<AsyncUnaryCall<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.ResourceExhausted)
            {
                await Task.Delay(WaitOf(error), TimeProvider.System);
            }
        }
    }

    private static TimeSpan WaitOf(RpcException error) => error.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan();

    private static void Hear(IEnumerable<Change> changes, Ear heard, ConcurrentDictionary<string, long> written, ConcurrentBag<double> lags)
    {
        var now = TimeProvider.System.GetTimestamp();
        lock (heard)
        {
            foreach (var change in changes)
            {
                if (heard.Events.Add(change.Event) && change.Meeting is { } meeting && written.TryGetValue(meeting.Etag, out var at))
                {
                    lags.Add(Math.Max(0, TimeProvider.System.GetElapsedTime(at, now).TotalMilliseconds));
                }

                heard.Heard.Add(change);
            }
        }
    }

    /// <summary>What one consumer has heard, repeats too.</summary>
    private sealed class Ear
    {
        public List<Change> Heard { get; } = [];

        public HashSet<string> Events { get; } = [];
    }

    private async Task Execute(string sql)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
