using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using Act = CoordinationPlan.Policy.Act;

namespace CoordinationPlan.Server.Changes;

/// <summary>What a receiver may know of a plan, by the policy: the same function that decides again at delivery.</summary>
internal static class Receiving
{
    /// <summary>What the receiver's system would read now, if it called under its assignment in force, with a login of the level that the policy asks for.</summary>
    public static Categories ReadsOf(OpenReceiver receiver, UnitFacts? unit)
    {
        if (unit is null || !unit.IsServedBy(receiver.Facts))
        {
            return Categories.None;
        }

        var caller = PolicyInputs.AsIfCalling(unit.Here(receiver.Facts), receiver.Purpose);
        return AccessPolicy.Decide(Act.ReceiveChanges, caller, PolicyInputs.Of(unit.Plan)) is { IsPermit: true } permit ? permit.Reads : Categories.None;
    }

    /// <summary>What is to be forgotten of what was told.</summary>
    public static Categories Lost(Standing? standing, Categories after) => standing is null ? Categories.None : FanOut.Lost(standing.Told, after);
}
