using System.Collections.Concurrent;
using System.Globalization;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace CoordinationPlan.Server.Tests.Everywhere;

/// <summary>
/// A plan that is there and one that never was are refused in the same time, by a service with the refusal slot that a production has unless it is configured.
/// </summary>
[Collection(nameof(Alone))]
public sealed class TimingTests(Service service, ITestOutputHelper output) : IClassFixture<Service>, IAsyncLifetime
{
    private const int PairsOfEach = 16;
    private const int PairsOfReads = 400;

    /// <summary>
    /// So many pairs are under way at once, each of two calls one after the other, and each about a plan of its own: who waits for another call's lock of the
    /// same plan is slower, and that is not what is asked here.
    /// </summary>
    private const int AtOnce = 8;

    /// <summary>
    /// How far the chance that a refusal about a real plan is the slower of two may be from a half. Five standard deviations of what chance alone gives for
    /// so many pairs.
    /// </summary>
    private const double Indistinguishable = 0.1;

    private readonly ConcurrentDictionary<string, CoordinationPlanConnection> _connections = new();
    private WebApplication? _app;

    public async ValueTask InitializeAsync()
    {
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Access = new AccessOptions();
        _app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }

    /// <summary>
    /// Refusals about a plan that is there and one that never was, in turns, and which of each two took longer. Were one of them slower, it would win more than
    /// half of the comparisons. Ranks, so that a disturbed machine moves both alike and no duration is judged.
    /// </summary>
    [Fact]
    public async Task Nothing_is_told_by_the_time_that_a_refusal_takes()
    {
        foreach (var way in new[] { "has no relation to the plan", "is a blocked employee", "has no assignment for protected persons" })
        {
            var lacking = new List<LeakTests.Lacking>();
            for (var i = 0; i < AtOnce; i++)
            {
                lacking.Add(await LeakTests.Ways[way](service));
            }

            var caller = lacking[0].Callers[0];
            var read = World.PlanMethods.First(method => method.Name == "GetPlan");
            await Slower(caller, read, lacking, 100);
            var reads = await Slower(caller, read, lacking, PairsOfReads);
            var each = new List<(string Method, double Chance)>();
            foreach (var method in World.PlanMethods)
            {
                each.Add((method.Name, await Slower(caller, method, lacking, PairsOfEach)));
            }

            var mean = each.Average(item => item.Chance);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"who {way}: a refusal about a real plan is the slower one in {reads:P1} of {PairsOfReads} pairs of GetPlan, in {mean:P1} over {each.Count} RPCs ({each.MinBy(item => item.Chance)} to {each.MaxBy(item => item.Chance)})"));
            Assert.InRange(reads, 0.5 - Indistinguishable, 0.5 + Indistinguishable);
            Assert.InRange(mean, 0.5 - Indistinguishable, 0.5 + Indistinguishable);
        }
    }

    /// <summary>The chance that the refusal about the real plan takes longer than the other.</summary>
    private async Task<double> Slower(DemonstrationEmployee caller, MethodDescriptor method, List<LeakTests.Lacking> lacking, int pairs)
    {
        var (existing, missing) = (new long[pairs], new long[pairs]);
        await Parallel.ForAsync(0, AtOnce, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (lane, _) =>
        {
            var world = lacking[lane].World;
            for (var i = lane; i < pairs; i += AtOnce)
            {
                // Each comes first as often as the other.
                if (i / AtOnce % 2 == 0)
                {
                    existing[i] = await Time(LeakTests.About(world, method));
                    missing[i] = await Time(LeakTests.About(world, method, Ids.Opaque()));
                }
                else
                {
                    missing[i] = await Time(LeakTests.About(world, method, Ids.Opaque()));
                    existing[i] = await Time(LeakTests.About(world, method));
                }
            }
        });

        Array.Sort(missing);
        return existing.Average(time =>
        {
            var at = Array.BinarySearch(missing, time);
            return (double)(at < 0 ? ~at : at) / pairs;
        });

        async Task<long> Time(IMessage request)
        {
            var clients = As(caller);
            var start = TimeProvider.System.GetTimestamp();
            await Assert.ThrowsAsync<RpcException>(() => World.Call(clients, method, request));
            return TimeProvider.System.GetTimestamp() - start;
        }
    }

    private CoordinationPlanClients As(DemonstrationEmployee employee) => _connections
        .GetOrAdd(DevelopmentInfrastructure.ClientOf(employee), id => service.Infrastructure.Connect(_app!.ApiAddress(), id))
        .For(service.Infrastructure.Choice(employee));
}
