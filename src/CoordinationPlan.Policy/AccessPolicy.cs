using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy;

/// <summary>
/// Who may do what. One pure function over facts: it reads no database, no clock and no request, and it fails closed: what is not
/// permitted by a row of the rule book is refused, and what the person has refused beats every permit.
/// </summary>
public static class AccessPolicy
{
    /// <summary>Recorded in every log entry. Raise it with every change of what <see cref="Decide"/> answers.</summary>
    public const int Version = 3;

    /// <summary>
    /// What a consent can release at all. Risk assessments and whereabouts never leave the owning unit by consent; third parties have not
    /// consented to anything.
    /// </summary>
    public const Categories Releasable = Existence | Identity | ContactDetails | GoalsAndInterventions | SocialSituation | Health
        | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings;

    /// <summary>Decides one act of one caller.</summary>
    public static Decision Decide(Act act, in Caller caller, in Facts facts)
    {
        if (!caller.NamesAssignment)
        {
            return Decision.Refuse(RefusalReason.NoAssignment);
        }

        if (!caller.AssignmentInForce)
        {
            return Decision.Refuse(RefusalReason.AssignmentNotInForce);
        }

        if (caller.Purpose == Purpose.Unspecified)
        {
            return Decision.Refuse(RefusalReason.NoPurpose);
        }

        if (!caller.PurposeAssigned)
        {
            return Decision.Refuse(RefusalReason.PurposeNotAssigned);
        }

        if (caller.Assurance is not (AssuranceLevel.Level3 or AssuranceLevel.Level4))
        {
            return Decision.Refuse(RefusalReason.AssuranceTooLow);
        }

        // A block beats every permit, and is told apart from having no relation: that a blocked caller tries is what the owning unit must hear of.
        if (facts.Blocked is Blocked.Employee or Blocked.Unit or Blocked.Guardian && RuleBook.IsAboutAPerson(act))
        {
            return Decision.Refuse(RefusalReason.Blocked, Obligations.AlertOwningUnit);
        }

        // The row that comes furthest tells why, so that a log reviewer reads the nearest miss.
        var nearest = RefusalReason.NoRule;
        foreach (var rule in RuleBook.Rules)
        {
            var miss = Misses(rule, act, caller, facts);
            if (miss == RefusalReason.None)
            {
                return Grant(rule, caller, facts);
            }

            nearest = miss > nearest ? miss : nearest;
        }

        return Decision.Refuse(nearest);
    }

    /// <summary>The acts about one plan that the caller may do now; for interventions, to add one.</summary>
    public static IReadOnlyList<Act> PermittedActs(in Caller caller, in Facts facts)
    {
        var acts = new List<Act>();
        foreach (var act in RuleBook.ActsAboutAPlan)
        {
            if (Decide(act, caller, facts with { NewItem = true }).IsPermit)
            {
                acts.Add(act);
            }
        }

        return acts;
    }

    private static RefusalReason Misses(Rule rule, Act act, in Caller caller, in Facts facts)
    {
        if (rule.Act != act)
        {
            return RefusalReason.NoRule;
        }

        if (!rule.Roles.Contains(caller.Role))
        {
            return RefusalReason.RoleMayNot;
        }

        if (RuleBook.PurposeOf(caller.Role) is var purposes && !purposes.Contains(caller.Purpose))
        {
            return RefusalReason.PurposeMayNot;
        }

        if (rule.Needs.HasFlag(Needs.UnitOfPrincipal)
            && !(caller.UnitOfPrincipal && caller.UnitKind is (UnitKind.SocialServices or UnitKind.HealthCare)))
        {
            return RefusalReason.UnitMayNot;
        }

        if (rule.Needs.HasFlag(Needs.HealthCareUnit) && caller.UnitKind != UnitKind.HealthCare)
        {
            return RefusalReason.UnitMayNot;
        }

        if (rule.Needs.HasFlag(Needs.SocialServicesUnit) && caller.UnitKind != UnitKind.SocialServices)
        {
            return RefusalReason.UnitMayNot;
        }

        if (rule.Relation != Relation.None && !facts.PlanExists)
        {
            return RefusalReason.NoSuchPlan;
        }

        if (rule.Relation != Relation.None && facts.Relation != rule.Relation)
        {
            return RefusalReason.NoRelation;
        }

        if (rule.Needs.HasFlag(Needs.EmergencyAccess) && !(facts.PlanExists && facts.Emergency))
        {
            return RefusalReason.NoEmergencyAccess;
        }

        if (rule.Needs.HasFlag(Needs.Placement) && !facts.Placement)
        {
            return RefusalReason.NoRelation;
        }

        if (rule.IsAboutAPerson && facts.Blocked != Blocked.No)
        {
            return RefusalReason.Blocked;
        }

        // Emergency is for whoever has no right of his own, and never reaches the highest levels; everything else about a protected person needs an
        // assignment for protected persons.
        if (rule.Needs.HasFlag(Needs.EmergencyAccess) && IsHighest(facts.Protection))
        {
            return RefusalReason.NotForProtectedPersons;
        }

        if (rule.Relation != Relation.None && facts.Protection != ProtectionLevel.None && !caller.HandlesProtectedPersons)
        {
            return RefusalReason.NotForProtectedPersons;
        }

        if (rule.Needs.HasFlag(Needs.ForProtectedPersons) && !caller.HandlesProtectedPersons)
        {
            return RefusalReason.NotForProtectedPersons;
        }

        if (rule.Relation == Relation.Participating && Released(caller, facts) == None)
        {
            return RefusalReason.NoRelease;
        }

        if (rule.Relation == Relation.Participating && !Released(caller, facts).HasFlag(rule.Writes))
        {
            return RefusalReason.NoRelease;
        }

        if (rule.Needs.HasFlag(Needs.ResponsibleUnit) && !facts.ResponsibleUnit)
        {
            return RefusalReason.NotResponsibleUnit;
        }

        if (rule.Needs.HasFlag(Needs.NewItem) && !facts.NewItem)
        {
            return RefusalReason.NotResponsibleUnit;
        }

        if (rule.Needs.HasFlag(Needs.ResponsibleUnitGone) && !facts.ResponsibleUnitGone)
        {
            return RefusalReason.NotResponsibleUnit;
        }

        if (rule.Needs.HasFlag(Needs.OwnOrganisation) && !facts.OwnOrganisation)
        {
            return RefusalReason.OtherOrganisation;
        }

        // Last, so that whoever hears of it may know that there is such a plan.
        if (rule.Needs.HasFlag(Needs.OpenPlan) && !facts.PlanOpen)
        {
            return RefusalReason.PlanClosed;
        }

        if (rule.Needs.HasFlag(Needs.ClosedPlan) && facts.PlanOpen)
        {
            return RefusalReason.PlanOpen;
        }

        return RefusalReason.None;
    }

    private static Decision Grant(Rule rule, in Caller caller, in Facts facts) => rule.Act switch
    {
        Act.ReadWhereabouts when rule.Relation == Relation.Participating => Decision.Permit(rule.Reads, rule.Writes, Basis.Placement),
        _ when rule.Relation == Relation.Owning => Decision.Permit(rule.Reads == None ? RuleBook.OwnerReads(caller) : rule.Reads, rule.Writes, Basis.OwningUnit),
        _ when rule.Relation == Relation.Participating =>
            Decision.Permit(Released(caller, facts), rule.Writes, Released(caller, facts with { ReleasedByLaw = None }) == Released(caller, facts) ? Basis.Release : Basis.LegalGround),
        _ when rule.Needs.HasFlag(Needs.EachPlanDecided) =>
            Decision.Permit(Existence | RuleBook.OwnerReads(caller) | RuleBook.ParticipantCeiling(caller.Role), rule.Writes, rule.Basis),
        // What a new owner reads back follows the person's level, where the person is known.
        _ when rule.Needs.HasFlag(Needs.BecomesOwner) => Decision.Permit(
            facts.Protection == ProtectionLevel.None || caller.HandlesProtectedPersons ? RuleBook.OwnerReads(caller) : Existence, rule.Writes, rule.Basis),
        Act.OpenEmergencyAccess or Act.ReadInEmergency =>
            Decision.Permit(rule.Reads, rule.Writes, rule.Basis, Obligations.AlertOwningUnit | Obligations.ReviewAfterwards),
        _ => Decision.Permit(rule.Reads, rule.Writes, rule.Basis),
    };

    /// <summary>Assumed identity, and a level that nobody knows.</summary>
    private static bool IsHighest(ProtectionLevel level) => level is not (ProtectionLevel.None or ProtectionLevel.ConfidentialityMarked or ProtectionLevel.ProtectedPopulationRegistration);

    /// <summary>
    /// What a participant reads: what consents release to its unit, less what the person withholds; what releases on legal ground open, less the same
    /// unless the ground holds in spite of it; all within what its role may ever have. Where anything is left, it may know that the plan exists,
    /// unless just that is withheld: then it may know nothing. At the highest levels of protection only the owning unit knows who the person is. A
    /// sheltered housing knows by itself that the person is there.
    /// </summary>
    private static Categories Released(in Caller caller, in Facts facts)
    {
        var byConsent = facts.Released & ~facts.Withheld;
        var byLaw = facts.ReleasedByLaw & (~facts.Withheld | facts.Overriding);
        var released = (byConsent | byLaw) & Releasable & RuleBook.ParticipantCeiling(caller.Role);
        if (IsHighest(facts.Protection))
        {
            released &= ~(Identity | ContactDetails);
        }

        if (released == None || (facts.Withheld.HasFlag(Existence) && !facts.Overriding.HasFlag(Existence)))
        {
            return None;
        }

        var housesThePerson = caller is { UnitKind: UnitKind.ShelteredHousing, Role: Role.ShelterContactPerson };
        return released | Existence | (housesThePerson ? Whereabouts & ~facts.Withheld : None);
    }
}
