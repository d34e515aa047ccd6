using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Plans;

/// <summary>What differs between two plans, field by field. Compares what it is given: whoever may not read something is not to give it.</summary>
internal static class PlanComparison
{
    /// <summary>What is not content: it differs between any two revisions, or is no part of one.</summary>
    private static readonly HashSet<string> Apart =
        ["name", "etag", "state", "revision", "established_date", "closed_date", "closing_reason", "decline_reason", "decline_reference", "permitted_acts", "participations", "consents", "releases"];

    /// <summary>The differences, the plan's own fields first. Without an earlier one, all is added.</summary>
    public static IEnumerable<PlanChange> Changes(Plan? before, Plan after) =>
        OfFields(after.Name, before ?? new Plan(), after, field => !Apart.Contains(field.Name) && !IsItems(field))
            .Concat(OfItems(before?.Goals ?? [], after.Goals))
            .Concat(OfItems(before?.Interventions ?? [], after.Interventions))
            .Concat(OfItems(before?.OtherMeasures ?? [], after.OtherMeasures))
            .Concat(OfItems(before?.RelatedPlans ?? [], after.RelatedPlans))
            .Concat(OfItems(before?.ProtectionMeasures ?? [], after.ProtectionMeasures));

    private static IEnumerable<PlanChange> OfItems<T>(IEnumerable<T> before, IEnumerable<T> after)
        where T : IPlanItem
    {
        var was = before.ToDictionary(item => item.Name, StringComparer.Ordinal);
        foreach (var item in after)
        {
            if (was.Remove(item.Name, out var old))
            {
                foreach (var change in OfFields(item.Name, old, item, field => field.Name is not ("name" or "etag")))
                {
                    yield return change;
                }
            }
            else
            {
                yield return new PlanChange { Subject = item.Name, Kind = PlanChangeKind.Added };
            }
        }

        foreach (var removed in was.Keys)
        {
            yield return new PlanChange { Subject = removed, Kind = PlanChangeKind.Removed };
        }
    }

    private static IEnumerable<PlanChange> OfFields(string subject, IMessage before, IMessage after, Func<FieldDescriptor, bool> compares) =>
        from field in after.Descriptor.Fields.InFieldNumberOrder()
        where compares(field)
        let was = field.Accessor.GetValue(before)
        let now = field.Accessor.GetValue(after)
        where !Equals(was, now)
        select new PlanChange
        {
            Subject = subject,
            Field = field.Name,
            Kind = IsNothing(was) ? PlanChangeKind.Added : IsNothing(now) ? PlanChangeKind.Removed : PlanChangeKind.Changed,
        };

    private static bool IsItems(FieldDescriptor field) => field.Name is "goals" or "interventions" or "other_measures" or "related_plans" or "protection_measures";

    private static bool IsNothing(object? value) => value switch
    {
        null or "" or false or 0 => true,
        System.Collections.ICollection list => list.Count == 0,
        Enum number => Convert.ToInt32(number, System.Globalization.CultureInfo.InvariantCulture) == 0,
        _ => false,
    };
}
