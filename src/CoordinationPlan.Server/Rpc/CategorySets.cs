using CoordinationPlan.Policy;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Rpc;

/// <summary>Categories as the contract lists them and as the policy sets them.</summary>
internal static class CategorySets
{
    public static Categories ToSet(IEnumerable<InformationCategory> list) =>
        list.Aggregate(Categories.None, (set, category) => set | (Categories)(1 << (int)category));

    public static IEnumerable<InformationCategory> ToList(Categories set) =>
        Enum.GetValues<InformationCategory>().Where(category => category != InformationCategory.Unspecified && set.HasFlag((Categories)(1 << (int)category)));
}
