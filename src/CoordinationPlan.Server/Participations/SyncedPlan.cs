using CoordinationPlan.Policy;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Participations;

/// <summary>
/// What systems have said of one plan and which units take part in it, while its lock is held; and the changes of both that follow from what is heard or answered.
/// </summary>
internal sealed class SyncedPlan(Guid planId, IEnumerable<SyncedRecord> records, IEnumerable<ParticipationRecord> open)
{
    private readonly Dictionary<Guid, SyncedRecord> _kept = records.ToDictionary(record => record.SyncedId);
    private readonly List<SyncedRecord> _now = [.. records];
    private readonly List<ParticipationRecord> _open = [.. open];
    private readonly List<Command> _byAnswers = [];

    public SyncedRecord? Find(Guid syncedId) => _now.Find(record => record.SyncedId == syncedId);

    /// <summary>Takes what a system says. Whatever the order that messages come in, the same is kept.</summary>
    public SyncedRecord Hear(SyncReport report, string organisationId, string clientSystem, DateTimeOffset now, Crypto.DataKey key)
    {
        var at = _now.FindIndex(record => record.OrganisationId == organisationId && record.UnitId == report.UnitId && record.ExternalKey.AsSpan().SequenceEqual(report.ExternalKey));
        var next = at < 0 ? SyncedRecord.New(report, organisationId, clientSystem, now, key) : _now[at].Hear(report, clientSystem, now, key);
        next = next.Following(EffectOf(next), now);
        if (at < 0)
        {
            _now.Add(next);
        }
        else
        {
            _now[at] = next;
        }

        return next;
    }

    /// <summary>
    /// Whether the unit would take part on days that nobody has accepted if this were: a participation is of days in one piece, so two that are far from each other are not joined.
    /// </summary>
    public bool WouldFillAGap(SyncedRecord record, DateOnly today)
    {
        if (record.Claim.Ended || record.Claim.Days.IsOver(today) || OfAPerson(record.UnitId) is not null)
        {
            return false;
        }

        var accepted = _now.Where(other => other.UnitId == record.UnitId && other.SyncedId != record.SyncedId)
            .Select(other => EffectOf(other).TakesPart).OfType<Days>().Where(days => !days.IsOver(today)).ToList();
        return accepted.Count > 0 && !accepted.Exists(days => days.IsNextTo(record.Claim.Days));
    }

    /// <summary>Takes a person's answer, and lets the unit take part, or not, as it says.</summary>
    public SyncedRecord Answer(SyncedRecord record, SyncAnswer answer, DateTimeOffset now, string changedBy)
    {
        var (ofAPerson, claim) = (OfAPerson(record.UnitId), record.Claim);
        var next = record.Answer(answer, now, ofAPerson is not null);
        if (answer == SyncAnswer.Accept)
        {
            if (ofAPerson is not null)
            {
                FollowByHand(ofAPerson, claim, now, changedBy);
            }
            else if (!claim.Ended)
            {
                next = next with { ParticipationId = PartOf(record.UnitId).ParticipationId };
            }
        }

        _now[_now.IndexOf(record)] = next;
        next = next.Following(EffectOf(next), now);
        _now[_now.FindIndex(one => one.SyncedId == next.SyncedId)] = next;
        return next;
    }

    /// <summary>Writes what is different now: the records, and the participations that rest on them alone.</summary>
    public void Write(RoundTrip trip, DateTimeOffset now, DateOnly today, string changedBy)
    {
        LetTakePart();
        _byAnswers.ForEach(trip.Add);
        WriteParticipations(trip, now, today, changedBy);
        foreach (var record in _now.Where(record => !_kept.TryGetValue(record.SyncedId, out var kept) || kept != record))
        {
            var next = record with { Version = record.Version + 1 };
            trip.Add(next.Version == 1 ? SyncSql.Insert(planId, next, changedBy) : SyncSql.Replace(planId, next, changedBy));
        }
    }

    /// <summary>
    /// What was accepted stays accepted, also where the system has said otherwise in between and the participation that rested on it has ended: whatever the order that messages
    /// come in, the unit takes part in the end or does not.
    /// </summary>
    private void LetTakePart()
    {
        foreach (var (i, record) in _now.Index().ToList())
        {
            if (EffectOf(record).TakesPart is not null && !_open.Exists(open => open.ParticipationId == record.ParticipationId))
            {
                _now[i] = record with { ParticipationId = PartOf(record.UnitId).ParticipationId };
            }
        }
    }

    private void WriteParticipations(RoundTrip trip, DateTimeOffset now, DateOnly today, string changedBy)
    {
        foreach (var participation in _open)
        {
            var resting = _now.Where(record => record.ParticipationId == participation.ParticipationId).ToList();
            if (resting.Count == 0)
            {
                continue;
            }

            var days = resting.Select(record => EffectOf(record).TakesPart).OfType<Days>().ToList();
            // What is over does not reach to what is to come.
            var left = days.FindAll(some => !some.IsOver(today));
            var needed = (left.Count > 0 ? left : days).Cast<Days?>().Aggregate((Days?)null, static (all, one) => all is { } sum ? Days.Over(sum, one!.Value) : one);
            var next = participation with { Version = participation.Version + 1 };
            if (participation.Version == 0)
            {
                trip.Add(ParticipationSql.Insert(planId, participation with { StartsOn = needed!.Value.From, EndsOn = needed.Value.To }, Categories.Meetings, changedBy));
            }
            else if (needed is not { } all)
            {
                trip.Add(ParticipationSql.End(planId, next with { Ended = true }, now, changedBy));
            }
            else if (all != new Days(participation.StartsOn, participation.EndsOn))
            {
                trip.Add(ParticipationSql.ChangePeriod(planId, next with { StartsOn = all.From, EndsOn = all.To }, changedBy));
            }
        }
    }

    private SyncEffect EffectOf(SyncedRecord record) =>
        SyncMerge.Effect(record.Register, OfAPerson(record.UnitId) is { } own ? new Days(own.StartsOn, own.EndsOn) : null);

    /// <summary>The unit's participation, where a person here has brought it in.</summary>
    private ParticipationRecord? OfAPerson(string unitId) =>
        _open.Find(open => open.UnitId == unitId && !_now.Exists(record => record.ParticipationId == open.ParticipationId));

    /// <summary>The unit's participation; a new one, by what its system says and a person has accepted, where there is none. On which days stands when it is written.</summary>
    private ParticipationRecord PartOf(string unitId)
    {
        if (_open.Find(open => open.UnitId == unitId) is { } part)
        {
            return part;
        }

        var joined = new ParticipationRecord(Ids.Opaque(), unitId, default, null, false, 0);
        _open.Add(joined);
        return joined;
    }

    /// <summary>A participation that a person has brought in becomes, by a person's answer, what the system says.</summary>
    private void FollowByHand(ParticipationRecord own, SyncClaim claim, DateTimeOffset now, string changedBy)
    {
        var next = own with { Version = own.Version + 1 };
        if (claim.Ended)
        {
            _byAnswers.Add(ParticipationSql.End(planId, next with { Ended = true }, now, changedBy));
            _open.Remove(own);
        }
        else if (claim.Days != new Days(own.StartsOn, own.EndsOn))
        {
            next = next with { StartsOn = claim.Days.From, EndsOn = claim.Days.To };
            _byAnswers.Add(ParticipationSql.ChangePeriod(planId, next, changedBy));
            _open[_open.IndexOf(own)] = next;
        }
    }
}
