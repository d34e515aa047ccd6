using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using Microsoft.Extensions.Time.Testing;

namespace CoordinationPlan.Server.Tests.Rpc;

/// <summary>How much a client system may call.</summary>
public sealed class CallLimitTests
{
    private readonly FakeTimeProvider _time = new();

    private CallLimits Limits(int pointsPerSecond = 100, int burst = 500) => new(new LimitOptions { PointsPerSecond = pointsPerSecond, Burst = burst }, _time);

    [Fact]
    public void A_burst_is_let_through_and_then_as_much_as_comes_back()
    {
        var limits = Limits();
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(limits.Take("region", 100));
        }

        Assert.Equal(TimeSpan.FromSeconds(1), limits.Take("region", 100));
        Assert.Equal(TimeSpan.FromMilliseconds(10), limits.Take("region", 1));
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(TimeSpan.FromMilliseconds(1), limits.Take("region", 100));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(limits.Take("region", 100));
        Assert.NotNull(limits.Take("region", 1));
    }

    [Fact]
    public void One_that_is_refused_takes_nothing_and_others_do_not_notice()
    {
        var limits = Limits(burst: 100);
        Assert.Null(limits.Take("greedy", 100));
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(1), limits.Take("greedy", 100));
        }

        Assert.Null(limits.Take("modest", 100));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(limits.Take("greedy", 100));
    }

    [Fact]
    public void Systems_that_are_quiet_are_forgotten()
    {
        var limits = Limits();
        for (var i = 0; i < 1000; i++)
        {
            limits.Take($"system {i}", 1);
        }

        Assert.Equal(1000, limits.Remembered);
        _time.Advance(TimeSpan.FromMinutes(2));
        limits.Take("another", 1);
        Assert.Equal(1, limits.Remembered);
    }

    [Fact]
    public async Task At_once_no_more_is_let_through_than_there_is()
    {
        var limits = Limits(burst: 1000);
        var let = 0;
        await Parallel.ForAsync(0, 5000, (_, _) =>
        {
            if (limits.Take("region", 1) is null)
            {
                Interlocked.Increment(ref let);
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal(1000, let);
    }

    [Theory]
    [InlineData("/coordinationplan.v1.PlanService/GetPlan", 1)]
    [InlineData("/coordinationplan.v1.PlanService/ListPlans", 20)]
    [InlineData("/coordinationplan.v1.AccessLogService/SearchAccessLog", 20)]
    [InlineData("/coordinationplan.v1.PlanService/UpdatePlan", 100)]
    [InlineData("/coordinationplan.v1.ParticipationSyncService/SyncParticipations", 100)]
    public void A_read_costs_one_point_a_list_twenty_and_a_change_a_hundred(string method, int cost) => Assert.Equal(cost, Contract.MethodOf(method).Cost);
}
