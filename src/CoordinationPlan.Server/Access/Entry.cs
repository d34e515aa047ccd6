using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// What the work of a permitted call stands on: who calls, what was decided, and when. There is none for a refused call.
/// </summary>
internal sealed class Entry(
    CallerIdentity caller, CallerFacts callerFacts, PlanFacts? plan, Decision permit, DateTimeOffset now, SubjectKeys subjectKeys, Func<RoundTrip> newTrip) : IDisposable
{
    private readonly List<Concern> _concerns = [];
    private readonly List<DataKey> _opened = [];
    private DataKey? _key;

    public CallerIdentity Caller => caller;

    /// <summary>The caller's assignment and unit.</summary>
    public CallerFacts CallerFacts => callerFacts;

    /// <summary>The plan that the call is about; the gate has made sure that a call about a plan has one.</summary>
    public PlanFacts Plan => plan ?? throw new InvalidOperationException("This call is not about one plan.");

    public Decision Permit => permit;

    /// <summary>The key of what is in the plan. There is none before a call is permitted.</summary>
    public DataKey Key => _key ?? throw new InvalidOperationException("This call is about no one person.");

    /// <summary>The keys of persons, for work that makes one.</summary>
    public SubjectKeys SubjectKeys => subjectKeys;

    public DateTimeOffset Now => now;

    public DateOnly Today { get; } = SwedishTime.DayOf(now);

    /// <summary>Who makes the change, for the history.</summary>
    public string ChangedBy => caller.Name;

    /// <summary>Persons concerned beyond the plan that the call is about. Each gets a log entry of its own.</summary>
    public IReadOnlyList<Concern> Concerns => _concerns;

    /// <summary>Opens the key of the person whom the call is about, where it is about one.</summary>
    public async Task OpenKey(CancellationToken stop)
    {
        if (plan is not null)
        {
            _key = await KeyOf(plan, stop);
        }
    }

    /// <summary>Opens the key of another plan's person: for lists. It goes with the entry.</summary>
    public Task<DataKey> KeyOf(PlanFacts other, CancellationToken stop) => KeyOf(other.Key, stop);

    /// <summary>Opens a person's key. It goes with the entry.</summary>
    public async Task<DataKey> KeyOf(WrappedKey wrapped, CancellationToken stop) => Keep(await subjectKeys.Unwrap(Compartment.Content, wrapped, stop));

    /// <summary>Takes the key of a person whom the call turned out to be about.</summary>
    public DataKey UseKey(DataKey key) => _key = Keep(key);

    /// <summary>
    /// Decides about a plan for the units of the caller's organisation that have to do with it, each as if the caller worked there, and notes it for the log: what
    /// one of them may know, their system may speak of. Of several refusals the one that came furthest counts.
    /// </summary>
    /// <param name="units">The plan for each of the units; null where there is no such plan.</param>
    public Decision DecideForUnits(Act act, Guid planId, IReadOnlyList<UnitStanding>? units, Categories disclosed)
    {
        var decided = units is null or [] ? Asked(callerFacts, default)
            : units.Select(unit => Asked(
                unit.UnitId is null ? callerFacts : callerFacts with { UnitId = unit.UnitId, UnitKind = unit.UnitKind, Controller = unit.Controller! }, PolicyInputs.Of(unit.Plan)))
                .MaxBy(one => one.Decision.IsPermit ? int.MaxValue : (int)one.Decision.Reason);
        var plan = units is [{ Plan: var found }, ..] ? found : null;
        _concerns.Add(new Concern(
            planId, plan?.SubjectId, plan?.OwnerController, decided.Decision.IsPermit ? decided.Decision.Reads & disclosed : Categories.None,
            Decision: RecordedDecision.Pack(act, decided.Caller, decided.Facts, decided.Decision), Refusal: decided.Decision.Reason));
        return decided.Decision;

        (Caller Caller, Facts Facts, Decision Decision) Asked(CallerFacts at, Facts facts)
        {
            var asThere = PolicyInputs.Of(caller, at);
            return (asThere, facts, AccessPolicy.Decide(act, asThere, facts));
        }
    }

    private byte[] Recorded(Act act, Facts facts) => Recorded(act, facts, callerFacts);

    private byte[] Recorded(Act act, Facts facts, CallerFacts at)
    {
        var policyCaller = PolicyInputs.Of(caller, at);
        return RecordedDecision.Pack(act, policyCaller, facts, AccessPolicy.Decide(act, policyCaller, facts));
    }

    private DataKey Keep(DataKey key)
    {
        _opened.Add(key);
        return key;
    }

    public void Dispose() => _opened.ForEach(key => key.Dispose());

    /// <summary>The number of the person whom the call is about.</summary>
    public V1.IdentityNumber NumberOf(SealedIdentity identity) => V1.IdentityNumber.Parser.ParseFrom(Key.Open(SubjectSql.IdentityPlace(identity.SubjectId), identity.Sealed));

    /// <summary>The day on which the person reaches an age; a day long ago where the number is not known, because unknown is strict.</summary>
    public DateOnly ReachedOn(Age age, SealedIdentity? identity) =>
        identity is null ? DateOnly.MinValue : age.ReachedOn(IdentityNumbers.DayOfBirth(NumberOf(identity).Value));

    /// <summary>Another round trip inside the same transaction, for work that cannot know at once how much it must read.</summary>
    public RoundTrip NewTrip() => newTrip();

    /// <summary>Notes another plan that was decided about: in lists.</summary>
    public void Concern(Act act, PlanFacts other, Categories categories) =>
        _concerns.Add(new Concern(other.PlanId, other.SubjectId, other.OwnerController, categories, Decision: Recorded(act, PolicyInputs.Of(other))));

    /// <summary>Notes a person of whom something was decided that was sent to the caller's own unit: in lists.</summary>
    public void Concern(Act act, PersonFacts person, Categories categories) =>
        _concerns.Add(new Concern(null, person.Subject.SubjectId, callerFacts.Controller, categories, Decision: Recorded(act, PolicyInputs.Of(person))));

    /// <summary>Notes a person whom the call turned out to concern.</summary>
    public void Concern(Guid? planId, Guid subjectId, string ownerController, Categories categories) =>
        _concerns.Add(new Concern(planId, subjectId, ownerController, categories));

    /// <summary>Notes which directory entry was changed, and whose it is.</summary>
    public void Concern(string directoryEntry, string? controller) => _concerns.Add(new Concern(null, null, controller, permit.Reads, directoryEntry));

    /// <summary>Notes whom the first answer to the same request was about.</summary>
    public void ConcernAgain(Concern first)
    {
        if (first != default)
        {
            _concerns.Add(first with { Categories = first.Categories & permit.Reads });
        }
    }

    /// <summary>Which rows of this plan that name a unit the caller may see.</summary>
    public Sight Sight => Sight.Of(permit, callerFacts, Plan.Relation);

    /// <summary>Of which places the answer may speak, whosever unit's; of none where the call is about no plan.</summary>
    public Categories Places => plan is null ? Categories.None : Sight.Whole;

    /// <summary>Notes that the call turned out to concern nobody: its one entry names no person and no category.</summary>
    public void ConcernNobody() => _concerns.Add(default);

    /// <summary>Decides about another plan than the one that the call names, with the same function: for lists.</summary>
    public Decision Decide(Act act, PlanFacts other) => AccessPolicy.Decide(act, PolicyInputs.Of(caller, callerFacts), PolicyInputs.Of(other));

    /// <summary>Decides about a plan for a unit that a system acts for, as if its assignment were there.</summary>
    public Decision Decide(Act act, UnitFacts unit) => AccessPolicy.Decide(act, PolicyInputs.Of(caller, unit.Here(callerFacts)), PolicyInputs.Of(unit.Plan));

    /// <summary>Notes a plan that was decided about for a unit that a system acts for.</summary>
    public void Concern(Act act, UnitFacts unit, Categories categories) =>
        _concerns.Add(new Concern(
            unit.Plan.PlanId, unit.Plan.SubjectId, unit.Plan.OwnerController, categories, Decision: Recorded(act, PolicyInputs.Of(unit.Plan), unit.Here(callerFacts))));

    /// <summary>Decides about something that was sent to the caller's own unit, by the person whom it is about.</summary>
    public Decision Decide(Act act, PersonFacts person) => AccessPolicy.Decide(act, PolicyInputs.Of(caller, callerFacts), PolicyInputs.Of(person));

    /// <summary>The plan that the call fails over and names, for the entry that this leaves.</summary>
    public Concern? PointsTo { get; private set; }

    /// <summary>
    /// Refuses what would stand beside one of the person's other plans, where the caller may read that and whose it is: the oldest of them is named. A plan
    /// that the caller may not know of changes nothing (docs/adr/0014).
    /// </summary>
    public void RequireNoPlanBeside(IEnumerable<PlanFacts> others)
    {
        foreach (var other in others)
        {
            if (Decide(Act.ReadPlan, other) is { IsPermit: true } decision && decision.Reads.HasFlag(Categories.Identity))
            {
                PointsTo = new Concern(other.PlanId, other.SubjectId, other.OwnerController, Categories.Existence, Decision: Recorded(Act.ReadPlan, PolicyInputs.Of(other)));
                throw Errors.PlanExists(other.PlanId);
            }
        }
    }

    /// <summary>What the caller may do with a plan now.</summary>
    public IEnumerable<V1.Act> PermittedActs(PlanFacts of) =>
        AccessPolicy.PermittedActs(PolicyInputs.Of(caller, callerFacts), PolicyInputs.Of(of)).Select(act => (V1.Act)act);

    /// <summary>Whether a plan is worked on.</summary>
    public static bool IsOpen(PlanFacts plan) => PlanLaw.Open.Contains((Stage)plan.State);

    /// <summary>Refuses a change of a plan that nothing can be changed in.</summary>
    public void RequireOpen()
    {
        if (!IsOpen(Plan))
        {
            throw Errors.WrongState($"The plan is {WireNames.Of(Plan.State)}.");
        }
    }

    /// <summary>Refuses a change that was not made from the current version.</summary>
    public static void RequireEtag(string etag, string current)
    {
        if (etag != current)
        {
            throw Errors.StaleEtag();
        }
    }
}
