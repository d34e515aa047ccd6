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
        if (unit is null || !ReceiverRecord.ActsFor(receiver.Facts, unit))
        {
            return Categories.None;
        }

        var here = unit.Here(receiver.Facts);
        var caller = new Caller(
            NamesAssignment: true,
            AssignmentInForce: true,
            Role: here.Role,
            Purpose: receiver.Purpose,
            PurposeAssigned: here.Purposes.Contains(receiver.Purpose),
            Assurance: AssuranceLevel.Level3,
            UnitKind: here.UnitKind,
            UnitOfPrincipal: here.OrganisationKind is V1.OrganisationKind.Municipality or V1.OrganisationKind.Region,
            HandlesProtectedPersons: here.HandlesProtectedPersons);
        return AccessPolicy.Decide(Act.ReceiveChanges, caller, CaseGate.PolicyFacts(unit.Plan)) is { IsPermit: true } permit ? permit.Reads : Categories.None;
    }

    /// <summary>What is to be forgotten of what was told.</summary>
    public static Categories Lost(Standing? standing, Categories after) => standing is null ? Categories.None : FanOut.Lost(standing.Told, after);
}
