using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Changes;

/// <summary>
/// Puts noted changes in order for each receiver. A batch is one transaction: it takes what is noted, decides for each receiver and unit what may be known now, gives positions without
/// gaps, and begins recalls. Any number of servers may run it; one does at a time.
/// </summary>
internal sealed class ChangeSequencer(DataSources dataSources, FeedOptions options, ChangeMetrics metrics, TimeProvider time, ILogger<ChangeSequencer> log) : RepeatedWork
{
    private static readonly TimeSpan RemoveEvery = TimeSpan.FromMinutes(1);

    private long _removedAt;

    /// <summary>Does what is noted now, and returns how many changes that was.</summary>
    public async Task<int> RunOnce(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Feed).OpenConnectionAsync(stop);
        var total = 0;
        while (true)
        {
            var look = new RoundTrip(connection);
            var isAnyNoted = look.Add(FanOutSql.IsAnyNoted());
            var isAnotherDay = look.Add(FanOutSql.IsAnotherDay(SwedishTime.DayOf(time.GetUtcNow())));
            await look.Run(stop);
            if (!isAnyNoted.Value && !isAnotherDay.Value)
            {
                return total;
            }

            var count = await Batch(connection, isAnotherDay.Value, stop);
            if (count == 0)
            {
                return total;
            }

            total += count;
        }
    }

    /// <summary>Removes what has been kept for long enough.</summary>
    public async Task RemoveOld(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Feed).OpenConnectionAsync(stop);
        var trip = new RoundTrip(connection);
        trip.Begin();
        foreach (var command in FanOutSql.Remove(time.GetUtcNow() - options.Kept))
        {
            trip.Add(command);
        }

        trip.Commit();
        await trip.Run(stop);
        var look = new RoundTrip(connection);
        var state = look.Add(FanOutSql.State(time.GetUtcNow()));
        await look.Run(stop);
        metrics.Report(state.Value);
    }

    protected override TimeSpan Every => options.SequenceEvery;

    protected override async Task Work(CancellationToken stop)
    {
        metrics.Sequenced(await RunOnce(stop));
        if (_removedAt == 0 || TimeProvider.System.GetElapsedTime(_removedAt) > RemoveEvery)
        {
            _removedAt = TimeProvider.System.GetTimestamp();
            await RemoveOld(stop);
        }
    }

    protected override void Failed(string kind, string? sqlState, bool isNews)
    {
        metrics.Failed();
        if (isNews)
        {
            log.LogError("Changes are not put in order: {Kind}, SQLSTATE {SqlState}", kind, sqlState);
        }
    }

    private async Task<int> Batch(NpgsqlConnection connection, bool isAnotherDay, CancellationToken stop)
    {
        var now = time.GetUtcNow().AsKept();
        var today = SwedishTime.DayOf(now);
        var first = new RoundTrip(connection);
        first.Begin();
        var isMine = first.Add(FanOutSql.TryLock());
        await first.Run(stop);
        if (!isMine.Value)
        {
            await Abandon(connection, stop);
            return 0;
        }

        var second = new RoundTrip(connection);
        if (isAnotherDay)
        {
            // It reads everything that has days.
            second.Add(FanOutSql.NoteDays(today));
            second.Add(FanOutSql.PutDay(today));
        }

        var taken = second.Add(FanOutSql.Take(options.BatchSize));
        var receivers = second.Add(FanOutSql.Receivers());
        await second.Run(stop);
        var count = taken.Value.Count;
        taken.Value.RemoveAll(noted => receivers.Value.Exists(noted.IsOfAnEarlierSnapshot));
        var plans = taken.Value.Select(noted => noted.PlanId).OfType<Guid>().Distinct().ToArray();
        var last = new RoundTrip(connection);
        // Where nobody listens nothing is to be put in order.
        if (receivers.Value.Count > 0)
        {
            await Order(connection, taken.Value, plans, receivers.Value, now, today, last, stop);
        }

        last.Commit();
        await last.Run(stop);
        return count;
    }

    private async Task Order(
        NpgsqlConnection connection, List<Noted> taken, Guid[] plans, List<OpenReceiver> receivers, DateTimeOffset now, DateOnly today, RoundTrip last, CancellationToken stop)
    {
        var third = new RoundTrip(connection);
        var units = third.Add(FanOutSql.Units(plans));
        var standings = third.Add(FanOutSql.Standings(plans));
        var things = third.Add(FanOutSql.Things(plans));
        var recalled = third.Add(FanOutSql.Unconfirmed([.. taken.Where(noted => noted.Kind == NotedKind.SnapshotBegins).Select(noted => noted.Receiver!.Value)]));
        await third.Run(stop);

        var pairs = units.Value.Concat(standings.Value.Select(standing => (standing.PlanId, standing.UnitId))).Distinct().ToList();
        var fourth = new RoundTrip(connection);
        var facts = receivers.Select(receiver => receiver.Purpose).Distinct().ToDictionary(purpose => purpose, purpose => fourth.Add(FactsSql.OfUnits(pairs, purpose, today)));
        await fourth.Run(stop);

        var placing = new Placing(receivers, pairs, standings.Value, facts.ToDictionary(of => of.Key, of => of.Value.Value), things.Value, now + options.RecallWithin);
        var done = new HashSet<Guid>();
        foreach (var noted in taken)
        {
            switch (noted.Kind)
            {
                case NotedKind.SnapshotBegins or NotedKind.SnapshotEnds or NotedKind.Receiver when !receivers.Exists(receiver => receiver.Receiver == noted.Receiver):
                    // Its assignment has been revoked since.
                    break;
                case NotedKind.SnapshotBegins:
                    placing.Mark(noted.Receiver!.Value, ChangeKind.SnapshotBegin);
                    placing.Again(recalled.Value.FindAll(recall => recall.Receiver == noted.Receiver));
                    last.Add(FanOutSql.RemoveSnapshot(noted.Receiver.Value));
                    last.Add(FanOutSql.NoteSnapshot(noted.Receiver.Value, receivers.Find(receiver => receiver.Receiver == noted.Receiver)!.Snapshot));
                    break;
                case NotedKind.SnapshotEnds:
                    placing.Mark(noted.Receiver!.Value, ChangeKind.SnapshotEnd);
                    break;
                case NotedKind.Receiver:
                    last.Add(FanOutSql.NoteRights(noted.Receiver!.Value));
                    break;
                default:
                    if (done.Add(noted.PlanId!.Value))
                    {
                        placing.Plan(noted.PlanId.Value, taken.FindAll(other => other.PlanId == noted.PlanId));
                    }

                    break;
            }
        }

        last.Add(FanOutSql.AddRecalls(placing.Recalls));
        last.Add(FanOutSql.AddItems(placing.Items));
        last.Add(FanOutSql.PutStandings(placing.Standings));
        last.Add(FanOutSql.KnowPlansOf(recalled.Value));
        last.Add(FanOutSql.PutPositions(placing.Receivers));
        metrics.Recalled(placing.Recalls.Count);
    }

    private static async Task Abandon(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var rollback = new NpgsqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Gives the places of one batch.</summary>
    private sealed class Placing(
        List<OpenReceiver> receivers,
        List<(Guid PlanId, string UnitId)> pairs,
        List<Standing> standings,
        Dictionary<Policy.Purpose, Dictionary<(Guid PlanId, string UnitId), UnitFacts>> facts,
        Dictionary<Guid, PlanThings> things,
        DateTimeOffset recallDue)
    {
        private readonly Dictionary<int, OpenReceiver> _receivers = receivers.ToDictionary(receiver => receiver.Receiver);
        private readonly ILookup<Guid, string> _units = pairs.ToLookup(pair => pair.PlanId, pair => pair.UnitId);
        private readonly Dictionary<(int, Guid, string), Standing> _standings = standings.ToDictionary(standing => (standing.Receiver, standing.PlanId, standing.UnitId));

        public List<PlacedItem> Items { get; } = [];

        public List<NewRecall> Recalls { get; } = [];

        public List<Standing> Standings { get; } = [];

        /// <summary>Those whose position has moved.</summary>
        public List<OpenReceiver> Receivers => [.. _receivers.Values.Where(receiver => receivers.Find(before => before.Receiver == receiver.Receiver)!.Position != receiver.Position)];

        /// <summary>A change that is about no plan.</summary>
        public void Mark(int receiver, ChangeKind kind) => Place(receiver, kind, null, null, null, 0);

        /// <summary>What was recalled before the snapshot, and may never have been heard: it comes before what may be known now.</summary>
        public void Again(List<OpenRecall> recalls) => recalls.ForEach(recall => Place(recall.Receiver, ChangeKind.Recall, recall.PlanId, recall.UnitId, recall.RecallId, 0));

        /// <summary>All that was noted of one plan, for every receiver.</summary>
        public void Plan(Guid plan, List<Noted> noted)
        {
            foreach (var receiver in receivers)
            {
                // What was noted for a snapshot is for that receiver alone.
                var own = noted.FindAll(change => change.Receiver is null || change.Receiver == receiver.Receiver);
                if (own.Count == 0)
                {
                    continue;
                }

                var isAnew = own.Exists(change => change.Kind == NotedKind.SnapshotPlan);
                foreach (var unit in _units[plan])
                {
                    Unit(receiver, plan, unit, isAnew, own);
                }
            }
        }

        private void Unit(OpenReceiver receiver, Guid plan, string unit, bool isAnew, List<Noted> noted)
        {
            var standing = _standings.GetValueOrDefault((receiver.Receiver, plan, unit));
            var after = Receiving.ReadsOf(receiver, facts[receiver.Purpose].GetValueOrDefault((plan, unit)));
            var lost = Receiving.Lost(standing, after);
            if (lost != Categories.None)
            {
                var recall = new NewRecall(Ids.Opaque(), receiver.Receiver, plan, unit, lost, recallDue);
                Recalls.Add(recall);
                Place(receiver.Receiver, ChangeKind.Recall, plan, unit, recall.RecallId, 0);
            }

            foreach (var item in FanOut.Items(isAnew || standing is null ? Categories.None : standing.Reads, after, lost, unit, receiver.Source, noted, things[plan]))
            {
                Place(receiver.Receiver, item.Kind, plan, unit, item.ItemId, things[plan].Revision);
            }

            if (after != (standing?.Reads ?? Categories.None) || lost != Categories.None)
            {
                Standings.Add(new Standing(receiver.Receiver, plan, unit, after, Categories.None));
            }
        }

        private void Place(int receiver, ChangeKind kind, Guid? plan, string? unit, Guid? item, int revision)
        {
            var to = _receivers[receiver];
            _receivers[receiver] = to with { Position = to.Position + 1 };
            Items.Add(new PlacedItem(receiver, to.Position + 1, Ids.Opaque(), kind, plan, unit, item, revision));
        }
    }
}
