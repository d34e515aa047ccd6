using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Meetings;
using CoordinationPlan.Server.Participations;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Act = CoordinationPlan.Policy.Act;

namespace CoordinationPlan.Server.Changes;

/// <summary>
/// One batch of a feed on its way out: each change is decided again with the facts of this moment, under the plans' locks, and holds how the thing is now. What is told is noted, so
/// that it can be recalled, and numbered when it is told for the first time.
/// </summary>
internal sealed class OutgoingBatch(Entry entry, ReceiverRecord receiver, DirectoryNames names, LawOptions law)
{
    private const Categories Nothing = Categories.None;

    /// <summary>Of what may not be told, no more is passed over in one transaction: it holds the lock of each plan that it looks at.</summary>
    private const int MostLookedAt = 1000;

    private const int LookedAtOnce = 200;

    private readonly Dictionary<(Guid, string), (Categories Told, long Sequence, Categories Reads)> _told = [];
    private readonly Dictionary<Guid, Disclosed> _concerns = [];
    private readonly List<ItemNumber> _numbers = [];

    /// <summary>The changes, the oldest first.</summary>
    public List<Change> Changes { get; } = [];

    /// <summary>Up to which position everything has been looked at.</summary>
    public long Position { get; private set; }

    /// <summary>Whether there may be more after this.</summary>
    public bool More { get; private set; }

    /// <summary>
    /// Fills the batch; what may not be told leaves no gap in it, and nobody can count it: a batch is full, or ends where the feed ends, or has passed over so much that the number says
    /// nothing, whatever the page size is. After a full one there may always be more.
    /// </summary>
    public async Task Fill(long after, int pageSize, CancellationToken stop)
    {
        Position = after;
        var (isAtEnd, lookedAt) = (false, 0);
        while (!isAtEnd && Changes.Count < pageSize && lookedAt < MostLookedAt)
        {
            var limit = lookedAt == 0 ? pageSize : LookedAtOnce;
            var find = entry.NewTrip();
            var found = find.Add(ChangeSql.Items(receiver.Receiver, Position, limit));
            await find.Run(stop);
            isAtEnd = found.Value.Count < limit;
            lookedAt += found.Value.Count;
            if (found.Value.Count > 0)
            {
                await Decide(found.Value, pageSize, stop);
            }
        }

        More = Changes.Count == pageSize || !isAtEnd;
    }

    /// <summary>Notes what is told, and who is concerned, in the transaction that commits before anything is sent.</summary>
    public void Note(RoundTrip trip)
    {
        if (_numbers.Count > 0)
        {
            trip.Add(ChangeSql.Number(receiver.Receiver, _numbers));
        }

        if (_told.Count > 0)
        {
            trip.Add(ChangeSql.Tell(receiver.Receiver, [.. _told.Select(one => new Told(one.Key.Item1, one.Key.Item2, one.Value.Told, one.Value.Sequence, one.Value.Reads))]));
        }

        foreach (var (plan, disclosed) in _concerns)
        {
            if (disclosed.Unit is { } unit)
            {
                entry.Concern(Act.ReceiveChanges, unit, disclosed.Categories);
            }
            else
            {
                entry.Concern(plan, disclosed.SubjectId, disclosed.OwnerController, disclosed.Categories);
            }
        }

        if (_concerns.Count == 0)
        {
            entry.ConcernNobody();
        }
    }

    /// <summary>Decides the changes in their order, until the batch is full.</summary>
    private async Task Decide(List<ItemRecord> items, int pageSize, CancellationToken stop)
    {
        var plans = items.Select(item => item.PlanId).OfType<Guid>().Distinct().ToArray();
        var pairs = items.Where(item => item.PlanId is not null).Select(item => (item.PlanId!.Value, item.UnitId!)).Distinct().ToList();
        var meetings = ItemsOf(items, ChangeKind.Meeting, ChangeKind.Summons, ChangeKind.Task);
        var trip = entry.NewTrip();
        // A withdrawal that has been answered is seen: it held the plan's lock alone.
        trip.Add(LocksSql.Plans(plans));
        var facts = trip.Add(FactsSql.OfUnits(pairs, entry.Caller.Purpose, entry.Today));
        var things = new Things(
            trip.Add(PlanSql.Records(plans)),
            trip.Add(ParticipationSql.These(plans, ItemsOf(items, ChangeKind.Participation))),
            trip.Add(MeetingSql.These(plans, meetings)),
            trip.Add(MeetingSql.CallsToThese(plans, meetings)),
            trip.Add(SyncSql.These(plans, ItemsOf(items, ChangeKind.SyncedParticipation))));
        await trip.Run(stop);

        foreach (var item in items)
        {
            if (Changes.Count == pageSize)
            {
                return;
            }

            Position = item.Position;
            if (item.PlanId is not { } plan)
            {
                Changes.Add(new Change { Event = item.EventId.ToString("D"), Kind = item.Kind, SequenceTime = Timestamp.FromDateTimeOffset(item.SequencedAt) });
                continue;
            }

            var key = (plan, item.UnitId!);
            var unit = facts.Value.GetValueOrDefault(key);
            var decision = unit is not null && unit.IsServedBy(entry.CallerFacts) ? entry.Decide(Act.ReceiveChanges, unit) : default;
            var (told, sequence, reads) = _told.TryGetValue(key, out var before) ? before : (Nothing, item.LastSequence, decision.Reads);
            var (change, tells) = item.Recall is { } recall ? (OfRecall(item, recall), Nothing)
                : decision.IsPermit && decision.Reads.HasFlag(Categories.Existence) ? await Content(item, unit!, decision, things, stop)
                // Who was told before is told that a number is used up; who never was, nothing.
                : sequence > 0 ? (new Change { Kind = ChangeKind.Forgotten }, Nothing)
                : (null, Nothing);
            if (change is null)
            {
                _numbers.Add(new(item.Position, 0));
                _told[key] = (told, sequence, reads & decision.Reads);
                continue;
            }

            change.Event = item.EventId.ToString("D");
            change.SequenceTime = change.Kind == ChangeKind.Forgotten ? null : Timestamp.FromDateTimeOffset(item.SequencedAt);
            change.Sequence = item.Sequence ?? sequence + 1;
            if (item.Sequence is null)
            {
                _numbers.Add(new(item.Position, change.Sequence, change.Kind == ChangeKind.Forgotten));
                sequence = change.Sequence;
            }

            Changes.Add(change);
            _told[key] = (told | tells, sequence, reads & decision.Reads);
            var shown = _concerns.TryGetValue(plan, out var earlier) ? earlier : new Disclosed(Nothing, null, item.SubjectId!.Value, item.OwnerController!);
            _concerns[plan] = shown with
            {
                Categories = shown.Categories | tells | (item.Recall is null ? Nothing : Categories.Existence),
                Unit = tells != Nothing && shown.Unit is null ? unit : shown.Unit,
            };
        }
    }

    /// <summary>The change with how the thing is now, or a bare notice, and the categories that it tells.</summary>
    private async Task<(Change, Categories)> Content(ItemRecord item, UnitFacts unit, Decision decision, Things things, CancellationToken stop)
    {
        var change = new Change { Plan = ResourceName.Plan(unit.Plan.PlanId), Unit = names.Name(ResourceName.Units, unit.UnitId) };
        var sight = Sight.Of(decision, unit.Here(entry.CallerFacts), unit.Plan.Relation);
        // Nothing else is told, whatever is released: what is told is what the log says and what is recalled.
        var reads = decision.Reads & FanOut.Tellable;
        switch (item.Kind)
        {
            case ChangeKind.Plan:
                change.PlanState = things.Plans.Value[unit.Plan.PlanId].ToPlan(names);
                // It changes with what is not told, and would be an old one by then.
                change.PlanState.Etag = "";
                break;
            case ChangeKind.Participation
                when things.Participations.Value.TryGetValue(item.ItemId!.Value, out var found) && sight.Shows(found.Category, found.Participation.UnitId):
                change.Participation = found.Participation.ToParticipation(unit.Plan.PlanId, names);
                break;
            case ChangeKind.Meeting when reads.HasFlag(Categories.Meetings) && things.Meetings.Value.TryGetValue(item.ItemId!.Value, out var meeting):
                var calls = things.Calls.Value.Where(call => call.MeetingId == meeting.MeetingId && sight.Shows(call.Category, call.UnitId));
                change.Meeting = meeting.ToMeeting(unit.Plan.PlanId, calls, await entry.KeyOf(unit.Plan, stop), names);
                (change.Meeting.Agenda, change.Meeting.Minutes, change.Meeting.Decisions) = ("", "", "");
                break;
            case ChangeKind.Summons or ChangeKind.Task
                when OwnCall(item, unit, sight, things) is { } call && things.Meetings.Value.TryGetValue(item.ItemId!.Value, out var called):
                if (item.Kind == ChangeKind.Summons)
                {
                    change.Summons = called.ToOwnCall(unit.Plan.PlanId, call, await entry.KeyOf(unit.Plan, stop));
                }
                else
                {
                    change.Task = ToTask(unit.Plan.PlanId, called, call, unit.Controller);
                }

                break;
            case ChangeKind.SyncedParticipation
                when things.Synced.Value.TryGetValue(item.ItemId!.Value, out var synced) && (synced.OrganisationId, synced.ClientSystem) == (entry.CallerFacts.OrganisationId, entry.Caller.ClientSystem):
                change.SyncedParticipation = synced.ToSynced(unit.Plan.PlanId, reads, await entry.KeyOf(unit.Plan, stop), names);
                break;
            default:
                Redaction.Apply(change, reads);
                return (change, Categories.Existence);
        }

        change.Kind = item.Kind;
        Redaction.Apply(change, reads);
        return (change, item.Kind is ChangeKind.Summons or ChangeKind.Task ? reads & Categories.Existence : reads);
    }

    /// <summary>Whoever is called knows it by that; of a sheltered housing's call no system does.</summary>
    private static CallRecord? OwnCall(ItemRecord item, UnitFacts unit, Sight sight, Things things) => things.Calls.Value.Find(call =>
        call.MeetingId == item.ItemId && call.UnitId == unit.UnitId && (call.Category != Categories.Whereabouts || sight.Shows(call.Category, call.UnitId)));

    private ChangedTask ToTask(Guid plan, MeetingRecord meeting, CallRecord call, string controller)
    {
        var window = PlanTasks.Rules.First(rule => rule.Duty == Duty.AnswerCall).Window(clock => law.DaysOf(clock, names.NameOf(controller)) ?? 0);
        var day = SwedishTime.DayOf(meeting.StartsAt);
        return new ChangedTask
        {
            Subject = ResourceName.Child(plan, ResourceName.Meetings, meeting.MeetingId),
            Kind = TaskKind.AnswerCall,
            // A call that comes later than that is due on the day it comes.
            DueDate = (day.AddDays(window.Due) is var due && SwedishTime.DayOf(call.ChangedAt) is var called && called > due ? called : due).ToDate(),
            Open = meeting.State == MeetingState.Called && call.Reply == CallReply.Unspecified && call.Attendance == Attendance.Unspecified && entry.Today <= day,
        };
    }

    /// <summary>A recall goes to whoever was told, whatever may be known now: it is how it is to be forgotten.</summary>
    private Change OfRecall(ItemRecord item, RecallRecord recall) => new()
    {
        Kind = ChangeKind.Recall,
        Plan = ResourceName.Plan(recall.PlanId),
        Unit = names.Name(ResourceName.Units, item.UnitId),
        Recall = recall.ToRecall(names),
    };

    private static Guid[] ItemsOf(List<ItemRecord> items, params ChangeKind[] kinds) =>
        [.. items.Where(item => kinds.Contains(item.Kind)).Select(item => item.ItemId).OfType<Guid>().Distinct()];

    /// <summary>What changes are about, as it is now.</summary>
    private sealed record Things(
        Pending<Dictionary<Guid, PlanRecord>> Plans,
        Pending<Dictionary<Guid, (ParticipationRecord Participation, Categories Category)>> Participations,
        Pending<Dictionary<Guid, MeetingRecord>> Meetings,
        Pending<List<CallRecord>> Calls,
        Pending<Dictionary<Guid, SyncedRecord>> Synced);

    /// <summary>What is told of a plan.</summary>
    private sealed record Disclosed(Categories Categories, UnitFacts? Unit, Guid SubjectId, string OwnerController);
}
