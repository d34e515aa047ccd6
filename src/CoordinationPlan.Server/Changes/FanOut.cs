using CoordinationPlan.Policy;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Changes;

/// <summary>Which things there are in a plan, without what they hold.</summary>
internal sealed record PlanThings(
    int Revision,
    IReadOnlyList<(Guid Id, Categories Category)> Participations,
    IReadOnlyList<Guid> Meetings,
    IReadOnlyList<(Guid Meeting, string UnitId, Categories Category)> Calls,
    IReadOnlyList<(Guid Id, Source Source)> Synced);

/// <summary>Whose system: two organisations may have systems of the same name, or the same system.</summary>
internal readonly record struct Source(string OrganisationId, string ClientSystem);

/// <summary>One change for one receiver, without a place yet.</summary>
internal readonly record struct NewItem(ChangeKind Kind, Guid? ItemId = null);

/// <summary>
/// What a unit's receiver is to hear of a plan, of what was noted and of what the unit may know before and after. Pure. A change that the unit may not know of makes
/// nothing, so that no number counts it; what the unit has come to know is told whole.
/// </summary>
internal static class FanOut
{
    /// <summary>What a change can tell at all. What else is released makes the plan known, and is read by calls.</summary>
    public const Categories Tellable = Categories.Existence | Categories.Meetings;

    /// <param name="before">What the unit might know when the latest change was put in order.</param>
    /// <param name="after">What it may know now.</param>
    /// <param name="lost">What it was told and may not know any more (<see cref="Lost"/>).</param>
    /// <param name="receiver">Of what systems have said of who takes part it is told what it has said itself, of whichever unit.</param>
    public static IReadOnlyList<NewItem> Items(Categories before, Categories after, Categories lost, string unit, Source receiver, IEnumerable<Noted> noted, PlanThings things)
    {
        var items = new List<NewItem>();
        var gained = after & ~before & Tellable;
        // What is newly known can stand in fields of the plan and of the unit's own calls, which were told without it.
        var tellsMore = gained != Categories.None && after.HasFlag(Categories.Existence);
        if (tellsMore)
        {
            Add(new(ChangeKind.Plan));
        }

        if (gained.HasFlag(Categories.Meetings))
        {
            foreach (var (id, category) in things.Participations)
            {
                AddIf(category, new(ChangeKind.Participation, id));
            }

            foreach (var id in things.Meetings)
            {
                Add(new(ChangeKind.Meeting, id));
            }
        }

        if (tellsMore)
        {
            foreach (var meeting in things.Meetings)
            {
                AddCall(meeting);
            }
        }

        // What a report has come to is told in another way without MEETINGS, so it is told again also where these are lost.
        if (tellsMore || lost.HasFlag(Categories.Meetings))
        {
            foreach (var synced in things.Synced)
            {
                AddSynced(synced.Id);
            }
        }

        foreach (var change in noted)
        {
            switch (change.Kind)
            {
                case NotedKind.Plan:
                    AddIf(change.Category == Categories.None ? Categories.Existence : change.Category, new(ChangeKind.Plan));
                    break;
                case NotedKind.Synced:
                    AddSynced(change.ItemId!.Value);
                    break;
                case NotedKind.Participation:
                    AddIf(change.Category, new(ChangeKind.Participation, change.ItemId));
                    break;
                case NotedKind.Meeting:
                    AddIf(Categories.Meetings, new(ChangeKind.Meeting, change.ItemId));
                    AddCall(change.ItemId!.Value);
                    break;
                case NotedKind.Call:
                    AddIf(change.Category, new(ChangeKind.Meeting, change.ItemId));
                    if (change.UnitId == unit)
                    {
                        AddCall(change.ItemId!.Value);
                    }

                    break;
            }
        }

        return items;

        // Only rows of categories that a system reads are told; what names a sheltered housing or a school has one of its own.
        void AddIf(Categories category, NewItem item)
        {
            if (after.HasFlag(category))
            {
                Add(item);
            }
        }

        void AddCall(Guid meeting)
        {
            if (after.HasFlag(Categories.Existence) && things.Calls.Any(call => call.Meeting == meeting && call.UnitId == unit && call.Category != Categories.Whereabouts))
            {
                Add(new(ChangeKind.Summons, meeting));
                Add(new(ChangeKind.Task, meeting));
            }
        }

        void AddSynced(Guid id)
        {
            if (things.Synced.Any(synced => synced.Id == id && synced.Source == receiver))
            {
                AddIf(Categories.Existence, new(ChangeKind.SyncedParticipation, id));
            }
        }

        void Add(NewItem item)
        {
            if (!items.Contains(item))
            {
                items.Add(item);
            }
        }
    }

    /// <summary>What is to be forgotten: what was told and may not be known any more. Who may not know of the plan may keep nothing of it.</summary>
    public static Categories Lost(Categories told, Categories after) => told & (after.HasFlag(Categories.Existence) ? ~after : ~Categories.None);
}
