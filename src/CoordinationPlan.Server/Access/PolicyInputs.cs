using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Access;

/// <summary>What the policy is asked with: the one place where what was loaded becomes its words, whoever asks, so that whoever explains a decision asks as the gate does.</summary>
internal static class PolicyInputs
{
    /// <summary>
    /// What a call under an emergency access in force stands on before its plans are looked at: the grant, and the mildest of everything else.
    /// Each plan is then decided by its own facts.
    /// </summary>
    public static Facts OfAnEmergency { get; } = new(PlanExists: true, Protection: Policy.ProtectionLevel.None, Blocked: Blocked.No, PlanOpen: true, Emergency: true);

    /// <summary>Who calls.</summary>
    public static Caller Of(CallerIdentity caller, CallerFacts? facts) => new(
        NamesAssignment: caller.AssignmentId is not null,
        AssignmentInForce: facts is not null && !caller.ContradictsToken,
        Role: facts?.Role ?? Policy.Role.Unspecified,
        Purpose: caller.Purpose,
        PurposeAssigned: facts?.Purposes.Contains(caller.Purpose) ?? false,
        Assurance: caller.Assurance,
        UnitKind: facts?.UnitKind ?? Policy.UnitKind.Unspecified,
        UnitOfPrincipal: IsOfPrincipal(facts),
        HandlesProtectedPersons: facts?.HandlesProtectedPersons ?? false);

    /// <summary>As if the holder of an assignment in force called with it now, with a login of the level that the policy asks for.</summary>
    public static Caller AsIfCalling(CallerFacts facts, Policy.Purpose purpose) => new(
        NamesAssignment: true,
        AssignmentInForce: true,
        Role: facts.Role,
        Purpose: purpose,
        PurposeAssigned: facts.Purposes.Contains(purpose),
        Assurance: AssuranceLevel.Level3,
        UnitKind: facts.UnitKind,
        UnitOfPrincipal: IsOfPrincipal(facts),
        HandlesProtectedPersons: facts.HandlesProtectedPersons);

    /// <summary>About a plan; without one, about nothing.</summary>
    public static Facts Of(PlanFacts? plan) => plan is null
        ? default
        : new(
            PlanExists: true,
            Relation: plan.Relation,
            Released: plan.Released,
            Withheld: plan.Withheld,
            ReleasedByLaw: plan.ReleasedByLaw,
            Overriding: plan.Overriding,
            Protection: plan.Protection,
            Blocked: plan.Blocked,
            PlanOpen: PlanLaw.Open.Contains((Stage)plan.State),
            Placement: plan.Placement,
            Emergency: plan.Emergency,
            Unplaced: plan.Unplaced,
            NoAlias: plan.NoAlias,
            Pupil: plan.Pupil);

    /// <summary>About a person whom something that was sent to the caller's own unit is about.</summary>
    public static Facts Of(PersonFacts person) => new(ResponsibleUnit: true, Protection: person.Subject.Protection, Blocked: person.Blocked);

    private static bool IsOfPrincipal(CallerFacts? facts) => facts?.OrganisationKind is OrganisationKind.Municipality or OrganisationKind.Region;
}
