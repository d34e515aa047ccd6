using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>What a system holds: the latest of each thing, without what was recalled.</summary>
internal sealed class HeldData
{
    private readonly Dictionary<(string Plan, string Unit), Dictionary<string, string>> _held = [];
    private readonly Dictionary<(string Plan, string Unit), Plan> _states = [];

    public IReadOnlyList<string> Of(HashSet<string> plans) =>
        [.. from held in _held where plans.Contains(held.Key.Plan) from thing in held.Value orderby held.Key, thing.Key select $"{held.Key} {thing.Key} {thing.Value}"];

    public HeldData Copy()
    {
        var copy = new HeldData();
        foreach (var (key, things) in _held)
        {
            copy._held[key] = new(things);
        }

        foreach (var (key, state) in _states)
        {
            copy._states[key] = state.Clone();
        }

        return copy;
    }

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
            case ChangeKind.SyncedParticipation:
                Put(key, "synced " + change.SyncedParticipation.Name, change.SyncedParticipation.ToString());
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

            foreach (var thing in things.Keys.Where(thing => thing.StartsWith("synced ", StringComparison.Ordinal)).ToList())
            {
                var synced = SyncedParticipation.Parser.ParseJson(things[thing]);
                Redaction.Apply(synced, ~categories);
                things[thing] = synced.ToString();
            }

            Redaction.Apply(_states[key], ~categories);
            things["plan"] = _states[key].ToString();
        }
    }
}
