using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Rpc;

/// <summary>However much one client system calls for, there is room for the others.</summary>
public sealed class TurnsTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task So_many_are_under_way_so_many_wait_in_their_order_and_the_rest_is_refused()
    {
        var turns = new Turns(2, 2);
        var first = await turns.Take("greedy", CancellationToken.None);
        await turns.Take("greedy", CancellationToken.None);
        var waiting = new[] { turns.Take("greedy", CancellationToken.None).AsTask(), turns.Take("greedy", CancellationToken.None).AsTask() };

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await turns.Take("greedy", CancellationToken.None));

        Assert.Equal(ErrorReason.TooManyCalls, refused.Reason());
        Assert.All(waiting, one => Assert.False(one.IsCompleted));
        using (await turns.Take("modest", CancellationToken.None))
        {
            Assert.Equal(2, turns.Remembered);
        }

        first.Dispose();
        (await waiting[0]).Dispose();
        (await waiting[1]).Dispose();
        Assert.Equal(1, turns.Remembered);
    }

    [Fact]
    public async Task Whoever_stops_waiting_takes_no_place_and_a_system_that_is_done_is_forgotten()
    {
        var turns = new Turns(1, 1);
        var first = await turns.Take("system", CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var waiting = turns.Take("system", stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var next = turns.Take("system", CancellationToken.None).AsTask();
        first.Dispose();
        (await next).Dispose();
        Assert.Equal(0, turns.Remembered);
    }

    [Fact]
    public async Task At_once_no_more_are_under_way_than_may_be()
    {
        var turns = new Turns(3, 10_000);
        var (now, most) = (0, 0);
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (_, stop) =>
        {
            using (await turns.Take("system", stop))
            {
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                await Task.Yield();
                Interlocked.Decrement(ref now);
            }
        });

        Assert.Equal(3, most);
        Assert.Equal(0, turns.Remembered);
    }

    /// <summary>A system whose calls wait for each other, as many as there is room for, keeps no connection from another's.</summary>
    [Fact]
    public async Task A_system_whose_calls_all_wait_does_not_keep_others_from_being_answered()
    {
        var plan = await service.OpenPlan();
        await service.As(DemonstrationDirectory.RegionIntegration).Changes.PullChangesAsync(new());
        var region = service.As(DemonstrationDirectory.RegionIntegration).Changes;
        var started = await region.StartChangesAsync(new() { Etag = (await region.PullChangesAsync(new())).Etag, RequestId = Cases.NewId() });
        Task<PullChangesResponse>[] pulls;
        await using (await HeldTable.Hold(service.Administrator, "change_receiver"))
        {
            pulls = [.. Enumerable.Range(0, 60).Select(_ => region.PullChangesAsync(new() { Cursor = started.Cursor }, deadline: TimeProvider.System.GetUtcNow().AddMinutes(1).UtcDateTime).ResponseAsync)];
            // More than there are connections would hold them all.
            for (var begin = TimeProvider.System.GetTimestamp(); await Waiting() < 24; await Task.Delay(20, TestContext.Current.CancellationToken))
            {
                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), "Nobody waits.");
            }


            Assert.Equal(plan.Name, (await service.CaseWorker.Plans.GetPlanAsync(new() { Name = plan.Name }, deadline: TimeProvider.System.GetUtcNow().AddSeconds(10).UtcDateTime)).Plan.Name);
            Assert.DoesNotContain(pulls, pull => pull.IsCompleted);
        }

        Assert.All(await Task.WhenAll(pulls), pull => Assert.NotEmpty(pull.NextCursor));
    }

    private async Task<long> Waiting() =>
        await service.Scalar<long>("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'coordinationplan.change_receiver'::regclass");

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen && Interlocked.CompareExchange(ref most, value, seen) != seen; seen = Volatile.Read(ref most))
        {
        }
    }
}
