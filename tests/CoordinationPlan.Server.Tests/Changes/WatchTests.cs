using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>Open streams: what comes over them, and how they end.</summary>
public sealed class WatchTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task What_changes_comes_over_an_open_stream_each_message_with_a_receipt_of_its_own()
    {
        var feed = await Integration.Start(service);
        var start = await service.Now();
        using var watch = new Watch(feed);
        var opened = await watch.Next();
        Assert.Empty(opened.Changes);

        var plan = await Released();
        var message = await watch.Next();
        while (message.Changes.Count == 0 || message.Changes[^1].Kind != ChangeKind.Participation)
        {
            message = await watch.Next();
        }

        Assert.Equal(plan.Name, message.Changes[^1].Plan);
        foreach (var each in new[] { opened, message })
        {
            var receipt = service.ReceiptIn([new Metadata.Entry("audit-receipt-bin", each.Receipt.ToByteArray())]);
            Assert.Equal(receipt.Leaf, (await service.LeafOf(receipt.Entry)).Hash);
        }

        // Where the stream has come to, calls go on.
        feed.Cursor = message.NextCursor;
        Assert.Empty(await feed.Pull());
        Assert.All(
            (await service.LogSince(start)).Where(row => row.Act == Act.ReadChanges),
            row => Assert.EndsWith("ChangeFeedService/WatchChanges", row.Method.Replace("PullChanges", "WatchChanges", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_new_is_a_sign_of_life_and_leaves_no_entry()
    {
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        Assert.True(options.Feed.Heartbeat > TimeSpan.FromSeconds(1));
        await using var quick = await LaterService.Start(service, 0, configured => configured.Feed.Heartbeat = TimeSpan.FromSeconds(1));
        await Integration.Start(service);
        var changes = quick.As(DemonstrationDirectory.RegionIntegration).Changes;
        using var watched = changes.WatchChanges(new());
        Assert.True(await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        while (watched.ResponseStream.Current.Changes.Count > 0)
        {
            Assert.True(await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        }

        var start = await service.Now();
        for (var i = 0; i < 2; i++)
        {
            Assert.True(await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
            Assert.Equal((0, true), (watched.ResponseStream.Current.Changes.Count, watched.ResponseStream.Current.Receipt.IsEmpty));
            Assert.NotEmpty(watched.ResponseStream.Current.NextCursor);
        }

        Assert.DoesNotContain(await service.LogSince(start), row => row.Act == Act.ReadChanges);
    }

    [Fact]
    public async Task A_revoked_assignment_cuts_its_streams_within_a_second()
    {
        var taken = new List<TimeSpan>();
        for (var i = 0; i < 10; i++)
        {
            // A revocation is for good.
            var name = "assignments/" + Cases.NewId();
            await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment => assignment.Name = name);
            var feed = await Integration.Start(service, assignment: name);
            using var watch = new Watch(feed);
            await watch.Next();
            await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment => (assignment.Name, assignment.Revoked) = (name, true));
            var answered = TimeProvider.System.GetTimestamp();
            var error = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (true)
                {
                    await watch.Next();
                }
            });
            taken.Add(TimeProvider.System.GetElapsedTime(answered));
            Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        }

        output.WriteLine($"From revocation to cut stream: {Percentiles(taken)}");
        Assert.True(taken.Max() < TimeSpan.FromSeconds(1.5), Percentiles(taken));
    }

    [Fact]
    public async Task A_withdrawal_narrows_open_streams_within_a_second_and_no_content_comes_after_it()
    {
        var feed = await Integration.Start(service);
        using var watch = new Watch(feed);
        await watch.Next();
        var taken = new List<TimeSpan>();
        for (var i = 0; i < 60; i++)
        {
            var plan = await Released();
            await watch.Until(change => change.Plan == plan.Name && change.Kind == ChangeKind.Participation);
            var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0];
            await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
            var answered = TimeProvider.System.GetTimestamp();
            // More happens in the plan, and what comes of it is the recall alone.
            var meeting = service.CallMeeting(plan, [Care], TimeSpan.FromDays(20));
            var after = await watch.Until(change => change.Plan == plan.Name);
            taken.Add(TimeProvider.System.GetElapsedTime(answered));
            Assert.Equal(ChangeKind.Recall, after.Kind);
            await meeting;
        }

        output.WriteLine($"From withdrawal to recall on the stream: {Percentiles(taken)}");
        Assert.True(taken.Order().ElementAt((int)(taken.Count * 0.99)) < TimeSpan.FromSeconds(1.5), Percentiles(taken));
    }

    [Fact]
    public async Task A_stream_ends_when_the_server_stops_and_says_so()
    {
        var feed = await Integration.Start(service);
        _ = feed;
        var later = await LaterService.Start(service, 0);
        using var watched = later.As(DemonstrationDirectory.RegionIntegration).Changes.WatchChanges(new());
        Assert.True(await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        var stopped = later.Stop();

        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                // What was on its way.
            }
        });
        await stopped.WaitAsync(Soon, TestContext.Current.CancellationToken);
        await later.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_ends_with_its_token_and_the_next_goes_on_where_it_was(bool isKnown)
    {
        var feed = await Integration.Start(service);
        var (employee, began) = (DemonstrationDirectory.RegionIntegration, TimeProvider.System.GetUtcNow());
        var ends = began.AddSeconds(5);
        var token = LongTokens.Of(service.Infrastructure, employee, began, ends);
        var brief = service.As(service.Infrastructure.Choice(employee) with { AccessToken = _ => Task.FromResult(token) }, DevelopmentInfrastructure.ClientOf(employee));
        if (isKnown)
        {
            await brief.Changes.PullChangesAsync(new() { Cursor = feed.Cursor });
        }

        using var limit = new CancellationTokenSource(Soon);
        using var watched = brief.Changes.WatchChanges(new() { Cursor = feed.Cursor }, cancellationToken: limit.Token);

        // Not refused and not broken off: it is over.
        while (await watched.ResponseStream.MoveNext(limit.Token))
        {
            feed.Cursor = watched.ResponseStream.Current.NextCursor;
        }

        Assert.InRange(TimeProvider.System.GetUtcNow(), ends.AddSeconds(-1), ends.AddSeconds(4));
        var plan = await Released();
        Assert.Contains(await feed.Pull(), change => change.Plan == plan.Name);
    }

    [Fact]
    public async Task A_stream_pays_for_each_message_and_is_slowed_down_and_not_cut()
    {
        var feed = await Integration.Start(service);
        for (var i = 0; i < 3; i++)
        {
            await Released();
        }

        await service.Settled();
        await using var strict = await LaterService.Start(service, 0, options => (options.Limits.PointsPerSecond, options.Limits.Burst) = (4, 100));
        using var limit = new CancellationTokenSource(Soon);
        using var watched = strict.As(DemonstrationDirectory.RegionIntegration).Changes.WatchChanges(new() { Cursor = feed.Cursor, PageSize = 1 }, cancellationToken: limit.Token);
        // 20 points each, and there are 100.
        for (var i = 0; i < 5; i++)
        {
            Assert.True(await watched.ResponseStream.MoveNext(limit.Token));
            Assert.Single(watched.ResponseStream.Current.Changes);
        }

        var sixth = watched.ResponseStream.MoveNext(limit.Token);
        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
        Assert.False(sixth.IsCompleted);

        Assert.True(await sixth);
        Assert.Single(watched.ResponseStream.Current.Changes);
    }

    [Fact]
    public async Task A_system_has_so_many_streams_and_no_more()
    {
        await Integration.Start(service);
        await using var strict = await LaterService.Start(service, 0, options => options.Limits.StreamsAtOnce = 2);
        var changes = strict.As(DemonstrationDirectory.RegionIntegration).Changes;
        using var limit = new CancellationTokenSource(Soon);
        var open = new List<AsyncServerStreamingCall<WatchChangesResponse>>();
        for (var i = 0; i < 2; i++)
        {
            open.Add(changes.WatchChanges(new(), cancellationToken: limit.Token));
            Assert.True(await open[i].ResponseStream.MoveNext(limit.Token));
        }

        using (var third = changes.WatchChanges(new(), cancellationToken: limit.Token))
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => third.ResponseStream.MoveNext(limit.Token));
            Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.TooManyCalls), (error.StatusCode, error.Reason()));
            Assert.NotNull(error.GetRpcStatus()!.GetDetail<Google.Rpc.RetryInfo>());
        }

        // Where one has ended there is room for another.
        open[0].Dispose();
        while (true)
        {
            using var next = changes.WatchChanges(new(), cancellationToken: limit.Token);
            try
            {
                Assert.True(await next.ResponseStream.MoveNext(limit.Token));
                break;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.ResourceExhausted)
            {
                await Task.Delay(50, limit.Token);
            }
        }

        open[1].Dispose();
    }

    [Fact]
    public async Task An_assignment_that_is_over_with_the_day_cuts_its_streams_when_the_day_is_over()
    {
        var name = "assignments/" + Cases.NewId();
        await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment =>
        {
            assignment.Name = name;
            assignment.Period.EndDate = Cases.Today;
        });
        var feed = await Integration.Start(service, assignment: name);
        var midnight = new DateTimeOffset(TimeProvider.System.Today().AddDays(1), TimeOnly.MinValue, TimeSpan.FromHours(1)).AddMinutes(-61);
        await using var late = await LaterService.Start(service, midnight, options => options.Feed.Heartbeat = TimeSpan.FromSeconds(1));
        using var limit = new CancellationTokenSource(Soon);
        using var watched = late.As(DemonstrationDirectory.RegionIntegration, name).Changes.WatchChanges(new() { Cursor = feed.Cursor }, cancellationToken: limit.Token);
        Assert.True(await watched.ResponseStream.MoveNext(limit.Token));

        late.Advance(TimeSpan.FromHours(3));

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await watched.ResponseStream.MoveNext(limit.Token))
            {
                // Signs of life.
            }
        });
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
    }

    private async Task<Plan> Released()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        // Put in order before the unit may know of it, so that each thing comes once.
        await service.Settled();
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        return plan;
    }

    private static string Percentiles(List<TimeSpan> taken)
    {
        var ordered = taken.Order().ToList();
        return $"p50 {ordered[ordered.Count / 2].TotalMilliseconds:F0} ms, p99 {ordered[(int)(ordered.Count * 0.99)].TotalMilliseconds:F0} ms, most {ordered[^1].TotalMilliseconds:F0} ms of {ordered.Count}";
    }

    private sealed class Watch(Integration feed) : IDisposable
    {
        private readonly AsyncServerStreamingCall<WatchChangesResponse> _call = feed.Feed.WatchChanges(new() { Cursor = feed.Cursor });
        private readonly Queue<Change> _changes = new();

        public async Task<WatchChangesResponse> Next()
        {
            using var limit = new CancellationTokenSource(Soon);
            Assert.True(await _call.ResponseStream.MoveNext(limit.Token));
            return _call.ResponseStream.Current;
        }

        /// <summary>The next change like this; those before it are left aside.</summary>
        public async Task<Change> Until(Func<Change, bool> isIt)
        {
            while (true)
            {
                while (_changes.TryDequeue(out var change))
                {
                    if (isIt(change))
                    {
                        return change;
                    }
                }

                foreach (var change in (await Next()).Changes)
                {
                    _changes.Enqueue(change);
                }
            }
        }

        public void Dispose() => _call.Dispose();
    }
}
