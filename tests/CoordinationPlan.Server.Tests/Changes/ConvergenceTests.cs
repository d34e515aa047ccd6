using System.Globalization;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>
/// Random histories of a few plans, with a system that listens, loses what it was sent, hears it again and goes back: once all is quiet it holds what a system holds that
/// begins now, and nothing else.
/// </summary>
public sealed class ConvergenceTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private const int StepsOfAHistory = 14;
    private const int Plans = 2;

    private static readonly int Histories = int.Parse(Environment.GetEnvironmentVariable("COORDPLAN_TEST_HISTORIES") ?? "25", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Whatever_happens_a_system_ends_up_with_what_it_may_know_and_nothing_else()
    {
        var seed = Environment.GetEnvironmentVariable("COORDPLAN_TEST_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.TickCount;
        output.WriteLine($"COORDPLAN_TEST_SEED={seed}");
        for (var history = 0; history < Histories; history++)
        {
            await Play(new Random(unchecked(seed + history)), $"history {history} of seed {seed}");
        }
    }

    private async Task Play(Random random, string which)
    {
        var feed = await Integration.Start(service);
        var store = new HeldData();
        store.Apply(feed.Delivered);
        var cursors = new List<string> { feed.Cursor };
        var plans = new List<Plan>();
        for (var i = 0; i < Plans; i++)
        {
            plans.Add(await service.OpenPlan(Cases.NewPerson()));
        }

        for (var step = 0; step < StepsOfAHistory; step++)
        {
            await service.ChangeSomething(random, plans[random.Next(Plans)]);
            if (random.Next(3) == 0)
            {
                var page = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor, PageSize = random.Next(1, 10) });
                // Now and then the answer is lost, or the system falls back to a copy of before.
                if (random.Next(4) > 0)
                {
                    store.Apply(page.Changes);
                    feed.Cursor = page.NextCursor;
                    cursors.Add(feed.Cursor);
                }

                if (random.Next(6) == 0)
                {
                    feed.Cursor = cursors[random.Next(cursors.Count)];
                }
            }
        }

        store.Apply(await feed.Pull(pageSize: random.Next(1, 50)));
        var now = new HeldData();
        now.Apply((await Integration.Start(service)).Delivered);

        var names = plans.Select(plan => plan.Name).ToHashSet();
        Assert.True(now.Of(names).SequenceEqual(store.Of(names)), $"{which}: it holds\n{string.Join('\n', store.Of(names))}\nand a system that begins now\n{string.Join('\n', now.Of(names))}");
        Assert.DoesNotContain(store.Of(names), held => held.Contains(DemonstrationDirectory.Shelter.UnitId, StringComparison.Ordinal));
    }
}
