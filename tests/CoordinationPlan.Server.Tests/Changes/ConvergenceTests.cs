using System.Globalization;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>
/// Random histories of a few plans, between a service and a region's system that both crash. The system loses what it was sent, hears it again and falls back to a copy; what it says itself is
/// lost, repeated and overtaken. Once all is quiet both agree, the system holds what one holds that begins now and nothing else, and the log has each thing that was delivered.
/// </summary>
public sealed class ConvergenceTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private const int StepsOfAHistory = 14;
    private const int Plans = 2;

    /// <summary>In one history of so many the service is killed once.</summary>
    private const int HistoriesPerKill = 8;

    private static readonly int Histories = Campaign.Of("HISTORIES", always: 25, thorough: 1000);

    [Fact]
    public async Task Whatever_happens_both_sides_agree_in_the_end_and_the_log_has_all_that_was_delivered()
    {
        var seed = Environment.GetEnvironmentVariable("COORDPLAN_TEST_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.TickCount;
        output.WriteLine($"COORDPLAN_TEST_SEED={seed}");
        var log = Path.GetTempFileName();
        await using var process = new ServiceProcess(service.Infrastructure.ServerOptions(service.Database.Options, ServiceProcess.FreePort(), null), log);
        await process.Start();
        using var connection = service.Infrastructure.Connect(process.Address, DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.RegionIntegration));
        var (kills, delivered, items) = (0, 0, 0);
        for (var history = 0; history < Histories; history++)
        {
            var random = new Random(unchecked(seed + history));
            var region = new Region(service, connection.For(service.Infrastructure.Choice(DemonstrationDirectory.RegionIntegration)), random);
            await Play(region, process, random, $"history {history} of seed {seed}");
            (kills, delivered, items) = (kills + region.Kills, delivered + region.Delivered, items + region.Items);
        }

        output.WriteLine($"{Histories} histories, the service killed {kills} times, {delivered} changes delivered, {items} participations reported");
        File.Delete(log);
    }

    private async Task Play(Region region, ServiceProcess process, Random random, string which)
    {
        var killAt = random.Next(StepsOfAHistory * HistoriesPerKill);
        await region.Begin();
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
                await region.Hear();
            }

            if (random.Next(3) == 0)
            {
                await region.Say(plans[random.Next(Plans)]);
            }

            if (step == killAt)
            {
                await region.Kill(process);
            }
            else if (random.Next(8) == 0)
            {
                region.Crash();
            }
        }

        // All is quiet: what was lost is sent and heard again.
        var rejected = await region.SayAll();
        await service.Settled();
        await region.HearAll();

        var names = plans.Select(plan => plan.Name).ToHashSet();
        var now = new Region(service, service.As(DemonstrationDirectory.RegionIntegration), random);
        await now.Begin();
        var (held, told) = (region.Store.Of(names), now.Store.Of(names));
        Assert.True(told.SequenceEqual(held), $"{which}: it holds\n{string.Join('\n', held)}\nand a system that begins now\n{string.Join('\n', told)}");
        Assert.DoesNotContain(held, thing => thing.Contains(DemonstrationDirectory.Shelter.UnitId, StringComparison.Ordinal));
        foreach (var plan in plans)
        {
            await Agree(region, plan, rejected, which);
            await IsInTheLog(plan, [.. region.DeliveredOf(plan), .. now.DeliveredOf(plan)], isWhole: region.Kills == 0, which);
        }
    }

    /// <summary>What the owning unit has of what the system said is the newest of it; of a plan that the region may not know of it has nothing new.</summary>
    private async Task Agree(Region region, Plan plan, HashSet<string> rejected, string which)
    {
        var here = (await service.CaseWorker.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations;
        foreach (var item in region.NewestOf(plan))
        {
            var synced = here.SingleOrDefault(one => (one.Unit, one.ExternalId) == (item.Unit, item.ExternalId));
            if (rejected.Contains(plan.Name))
            {
                Assert.True(region.Store.Of([plan.Name]).Count == 0, $"{which}: {plan.Name} is known to the system and its reports are refused");
                continue;
            }

            Assert.True(synced is not null, $"{which}: {item.ExternalId} is missing");
            Assert.True(
                (synced.ExternalVersion, synced.Period, synced.Ended).Equals((item.ExternalVersion, item.Period, item.Ended)), $"{which}: {synced} and in the region {item}");
        }

        Assert.True(here.All(synced => region.NewestOf(plan).Any(item => (synced.Unit, synced.ExternalId) == (item.Unit, item.ExternalId))), $"{which}: something that nobody said");
    }

    /// <summary>Each batch that told something of a plan is an entry about the plan with all that it told. Where the service was killed there may be more: what was logged and never arrived.</summary>
    private async Task IsInTheLog(Plan plan, List<Policy.Categories> told, bool isWhole, string which)
    {
        var entries = new List<Policy.Categories>();
        // Not those without a category: that something is used up which may not be told is no word about the plan to the system, but an entry about it.
        await using var command = service.Administrator.CreateCommand("SELECT categories FROM coordinationplan.access_log WHERE plan_id = $1 AND outcome = 1 AND categories <> 0 AND method LIKE '%/PullChanges'");
        command.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            entries.Add((Policy.Categories)reader.GetInt32(0));
        }

        Assert.True(isWhole ? entries.Count == told.Count : entries.Count >= told.Count, $"{which}: batches about {plan.Name}: {string.Join("; ", told)}; in the log: {string.Join("; ", entries)}");
        Assert.All(
            told.Distinct(), categories => Assert.True(entries.Count(entry => entry.HasFlag(categories)) >= told.Count(batch => batch.HasFlag(categories)), $"{which}: {categories} were told, and are not in the log"));
    }
}
