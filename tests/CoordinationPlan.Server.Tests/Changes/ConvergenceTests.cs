using System.Globalization;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

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

    private static readonly DemonstrationEmployee[] Units = [DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter];

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
        var store = new Store();
        store.Apply(feed.Delivered);
        var cursors = new List<string> { feed.Cursor };
        var plans = new List<Plan>();
        for (var i = 0; i < Plans; i++)
        {
            plans.Add(await service.OpenPlan(Cases.NewPerson()));
        }

        for (var step = 0; step < StepsOfAHistory; step++)
        {
            await Change(random, plans[random.Next(Plans)]);
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
        var now = new Store();
        now.Apply((await Integration.Start(service)).Delivered);

        var names = plans.Select(plan => plan.Name).ToHashSet();
        Assert.True(now.Of(names).SequenceEqual(store.Of(names)), $"{which}: it holds\n{string.Join('\n', store.Of(names))}\nand a system that begins now\n{string.Join('\n', now.Of(names))}");
        Assert.DoesNotContain(store.Of(names), held => held.Contains(DemonstrationDirectory.Shelter.UnitId, StringComparison.Ordinal));
    }

    private async Task Change(Random random, Plan plan)
    {
        var unit = Units[random.Next(Units.Length)];
        var now = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        var clients = service.CaseWorker;
        try
        {
            switch (random.Next(10))
            {
                case 0 or 1 or 2:
                    await service.Join(now, unit);
                    break;
                case 3 when now.Participations.FirstOrDefault(participation => !participation.Ended) is { } ending:
                    await clients.Participations.EndParticipationAsync(new() { Name = ending.Name, Etag = ending.Etag, RequestId = Cases.NewId() });
                    break;
                case 4 or 5:
                    await service.Consent(now, unit, [random.Next(3) == 0 ? InformationCategory.Schooling : InformationCategory.Meetings]);
                    break;
                case 6 when now.Consents.LastOrDefault(consent => consent.State == ConsentState.Given) is { } given:
                    await clients.Consents.WithdrawConsentAsync(new() { Name = given.Name, Etag = given.Etag, RequestId = Cases.NewId() });
                    break;
                case 7:
                    await service.CallMeeting(
                        now, now.Participations.Where(participation => !participation.Ended).Select(participation => Units.First(called => Cases.UnitOf(called) == participation.Unit)).Append(DemonstrationDirectory.CaseWorker), TimeSpan.FromDays(20));
                    break;
                case 8 when (await clients.Meetings.ListMeetingsAsync(new() { Parent = now.Name })).Meetings.FirstOrDefault(meeting => meeting.State == MeetingState.Called) is { } called:
                    await clients.Meetings.CancelMeetingAsync(new() { Name = called.Name, Etag = called.Etag, RequestId = Cases.NewId() });
                    break;
                case 9:
                    var protection = await clients.Protection.GetProtectionAsync(new() { Name = now.Name + "/protection" });
                    if (protection.Protection.Blocks.FirstOrDefault(block => block.LiftTime is null) is { } block)
                    {
                        await clients.Protection.LiftBlockAsync(new() { Name = block.Name, Etag = block.Etag, RequestId = Cases.NewId() });
                    }
                    else
                    {
                        await clients.Protection.AddBlockAsync(new()
                        {
                            Parent = now.Name,
                            Block = new() { Unit = Cases.UnitOf(unit), Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
                            Etag = now.Etag,
                            RequestId = Cases.NewId(),
                        });
                    }

                    break;
            }
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.FailedPrecondition)
        {
            // Takes part already, or the like: nothing has changed.
        }
    }

    /// <summary>What a system holds: the latest of each thing, without what was recalled.</summary>
    private sealed class Store
    {
        private readonly Dictionary<(string Plan, string Unit), Dictionary<string, string>> _held = [];
        private readonly Dictionary<(string Plan, string Unit), Plan> _states = [];

        public IReadOnlyList<string> Of(HashSet<string> plans) =>
            [.. from held in _held where plans.Contains(held.Key.Plan) from thing in held.Value orderby held.Key, thing.Key select $"{held.Key} {thing.Key} {thing.Value}"];

        public void Apply(IEnumerable<Change> changes)
        {
            foreach (var change in changes)
            {
                Apply(change, (change.Plan, change.Unit));
            }
        }

        private void Apply(Change change, (string, string) key)
        {
            switch (change.Kind)
            {
                case ChangeKind.Plan:
                    _states[key] = change.PlanState;
                    Put(key, "plan", change.PlanState.ToString());
                    break;
                case ChangeKind.Participation:
                    Put(key, change.Participation.Name, change.Participation.ToString());
                    break;
                case ChangeKind.Meeting:
                    Put(key, change.Meeting.Name, change.Meeting.ToString());
                    break;
                case ChangeKind.Summons:
                    Put(key, "summons " + change.Summons.Meeting, change.Summons.ToString());
                    break;
                case ChangeKind.Task:
                    Put(key, "task " + change.Task.Subject, change.Task.ToString());
                    break;
                case ChangeKind.Recall:
                    Forget(key, CategorySets.ToSet(change.Recall.Categories));
                    break;
            }
        }

        private void Put((string, string) key, string thing, string value)
        {
            if (!_held.TryGetValue(key, out var things))
            {
                _held[key] = things = [];
            }

            things[thing] = value;
        }

        private void Forget((string, string) key, Policy.Categories categories)
        {
            if (categories.HasFlag(Policy.Categories.Existence))
            {
                _held.Remove(key);
                _states.Remove(key);
            }
            else if (_held.TryGetValue(key, out var things))
            {
                foreach (var thing in things.Keys.Where(thing => thing.StartsWith("plans/", StringComparison.Ordinal)).ToList())
                {
                    things.Remove(thing);
                }

                Redaction.Apply(_states[key], ~categories);
                things["plan"] = _states[key].ToString();
            }
        }
    }
}
