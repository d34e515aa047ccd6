using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Plans;

/// <summary>What adding, changing and ending is, for goals, interventions, other measures and links to other plans alike.</summary>
internal static class PlanItems
{
    /// <summary>Adds an item in a plan that can be changed. What the service gives, the request cannot.</summary>
    public static T Add<T>(Entry entry, RoundTrip trip, T item, PartKind kind, string etag, string? unitId = null, Categories category = Categories.GoalsAndInterventions, Schedule? schedule = null)
        where T : IPlanItem, new()
    {
        Entry.RequireEtag(etag, Etag.Of(entry.Plan.PlanId, entry.Plan.Version));
        item.Outcome = "";
        var part = PlanPart.New(entry.Key, kind, category, unitId, BodyOf(item)) with { Schedule = schedule };
        trip.Add(PartSql.Insert(entry.Plan.PlanId, part, entry.ChangedBy));
        return PlanMapping.ToItem<T>(entry.Plan.PlanId, part, entry.Key);
    }

    /// <summary>Changes the fields that the mask lists.</summary>
    public static T Update<T>(Entry entry, RoundTrip trip, PlanPart part, T changes, FieldMask mask, string etag, Func<T, Schedule>? scheduleOf = null)
        where T : IPlanItem, new()
    {
        RequireChangeable(entry, part, etag);
        var item = PlanMapping.ToItem<T>(entry.Plan.PlanId, part, entry.Key);
        mask.Merge(changes, item, new FieldMask.MergeOptions { ReplaceMessageFields = true, ReplaceRepeatedFields = true, ReplacePrimitiveFields = true });
        return Replace(entry, trip, part, item, ItemState.Active, scheduleOf);
    }

    /// <summary>Ends an item; it stays in the plan.</summary>
    public static T End<T>(Entry entry, RoundTrip trip, PlanPart part, ItemEnding ending, string outcome, string etag, Func<T, Schedule>? scheduleOf = null)
        where T : IPlanItem, new()
    {
        RequireChangeable(entry, part, etag);
        var item = PlanMapping.ToItem<T>(entry.Plan.PlanId, part, entry.Key);
        item.Outcome = outcome;
        return Replace(entry, trip, part, item, ending == ItemEnding.Completed ? ItemState.Completed : ItemState.Discontinued, scheduleOf);
    }

    private static void RequireChangeable(Entry entry, PlanPart part, string etag)
    {
        Entry.RequireEtag(etag, part.Etag);
        if (part.State != ItemState.Active)
        {
            throw Errors.WrongState("It has ended. What has ended is not changed; add a new one.");
        }
    }

    private static T Replace<T>(Entry entry, RoundTrip trip, PlanPart part, T item, ItemState state, Func<T, Schedule>? scheduleOf)
        where T : IPlanItem, new()
    {
        var next = part.Next(entry.Key, state, BodyOf(item)) with { Schedule = scheduleOf?.Invoke(item) };
        trip.Add(PartSql.Replace(entry.Plan.PlanId, next, entry.ChangedBy));
        return PlanMapping.ToItem<T>(entry.Plan.PlanId, next, entry.Key);
    }

    /// <summary>Name, etag and state are columns; the body holds the rest.</summary>
    private static byte[] BodyOf<T>(T item)
        where T : IPlanItem
    {
        item.Name = "";
        item.Etag = "";
        item.State = ItemState.Unspecified;
        return item.ToByteArray();
    }
}
