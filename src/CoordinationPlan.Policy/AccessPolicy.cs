using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy;

/// <summary>
/// Who may do what. One pure function over facts: it reads no database, no clock and no request, and it fails closed: what is not
/// permitted by a row of the rule book is refused, and what the person has refused beats every permit.
/// </summary>
public static class AccessPolicy
{
    /// <summary>Recorded in every log entry. Raise it with every change of what <see cref="Decide"/> answers.</summary>
    public const int Version = 2;

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

        if (rule.Relation != Relation.None && !facts.PlanExists)
        {
            return RefusalReason.NoSuchPlan;
        }

        if (rule.Relation != Relation.None && facts.Relation != rule.Relation)
        {
            return RefusalReason.NoRelation;
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

        return RefusalReason.None;
    }

    private static Decision Grant(Rule rule, in Caller caller, in Facts facts) => rule.Relation switch
    {
        Relation.Owning => Decision.Permit(RuleBook.OwnerReads(caller), rule.Writes, Basis.OwningUnit),
        Relation.Participating => Decision.Permit(Released(caller, facts), rule.Writes, Basis.Release),
        _ when rule.Needs.HasFlag(Needs.EachPlanDecided) =>
            Decision.Permit(Existence | RuleBook.OwnerReads(caller) | RuleBook.ParticipantCeiling(caller.Role), rule.Writes, rule.Basis),
        _ when rule.Needs.HasFlag(Needs.BecomesOwner) => Decision.Permit(RuleBook.OwnerReads(caller), rule.Writes, rule.Basis),
        _ => Decision.Permit(rule.Reads, rule.Writes, rule.Basis),
    };

    /// <summary>
    /// What a participant reads: what was released to its unit, less what the person withholds, within what its role may ever have. Where
    /// anything is left, it may know that the plan exists, unless just that is withheld: then it may know nothing. A sheltered housing knows
    /// by itself where the person is.
    /// </summary>
    private static Categories Released(in Caller caller, in Facts facts)
    {
        var released = facts.Released & Releasable & ~facts.Withheld & RuleBook.ParticipantCeiling(caller.Role);
        if (released == None || facts.Withheld.HasFlag(Existence))
        {
            return None;
        }

        var housesThePerson = caller is { UnitKind: UnitKind.ShelteredHousing, Role: Role.ShelterContactPerson };
        return released | Existence | (housesThePerson ? Whereabouts & ~facts.Withheld : None);
    }
}
