using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy;

/// <summary>
/// Who may do what. One pure function over facts: it reads no database, no clock and no request, and it fails closed: what is not
/// permitted by a row of the rule book is refused, a block beats every permit, and what the person has refused beats every consent.
/// </summary>
public static class AccessPolicy
{
    /// <summary>Recorded in every log entry. Raise it with every change of what <see cref="Decide"/> answers.</summary>
    public const int Version = 9;

    /// <summary>
    /// What can be released at all, by consent or on legal ground. Risk assessments and whereabouts never leave the owning unit that way; third
    /// parties have not consented to anything.
    /// </summary>
    public const Categories Releasable = Existence | Identity | ContactDetails | GoalsAndInterventions | SocialSituation | Health
        | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings | SchoolPlacement;

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

        var rows = RuleBook.RowsOf(act);
        if (rows is [{ IsAboutAPerson: true } first, ..] && IsKeptOut(first, facts))
        {
            return Decision.Refuse(
                RefusalReason.Blocked,
                facts.Blocked == Blocked.Unknown ? Obligations.None : Obligations.AlertReviewers);
        }

        // The row that comes furthest tells why, so that a log reviewer reads the nearest miss.
        var nearest = RefusalReason.NoRule;
        foreach (var rule in rows)
        {
            var miss = Misses(rule, caller, facts, out var reads);
            if (miss == RefusalReason.None)
            {
                return Decision.Permit(reads, rule.Writes, BasisOf(rule, caller, facts, reads), rule.Obliges);
            }

            nearest = miss > nearest ? miss : nearest;
        }

        return Decision.Refuse(nearest);
    }

    /// <summary>
    /// The acts about this plan that the caller may perform now, so that case systems can draw their buttons. An intervention counts as
    /// writable where the caller may add one of its own unit's.
    /// </summary>
    public static IReadOnlyList<Act> PermittedActs(in Caller caller, in Facts facts)
    {
        // Only interventions ask about an item.
        var aboutANewItem = facts with { NewItem = true, ResponsibleUnit = true };
        var permitted = new List<Act>(RuleBook.AboutAPlan.Length);
        foreach (var act in RuleBook.AboutAPlan)
        {
            if (Decide(act, caller, aboutANewItem).IsPermit)
            {
                permitted.Add(act);
            }
        }

        return permitted;
    }

    /// <summary>Whether which school the person goes to is hidden from all but the social services that own the plan, the school itself and the housing.</summary>
    public static bool HidesSchool(in Facts facts) => RuleBook.HiddenSchool(facts) != None;

    /// <summary>
    /// Whether a block keeps the caller out. One that nobody has looked up counts, except where there is no plan and so no person to look it up
    /// for: that is refused for what it is.
    /// </summary>
    private static bool IsKeptOut(Rule rule, in Facts facts) => facts.Blocked switch
    {
        Blocked.No => false,
        Blocked.Unknown => facts.PlanExists || !rule.IsAboutAPlan,
        _ => true,
    };

    /// <param name="reads">What the row gives to read. None where it is not for this caller at all: what would be released then is not worth finding out.</param>
    private static RefusalReason Misses(Rule rule, in Caller caller, in Facts facts, out Categories reads)
    {
        reads = None;
        if (!rule.Roles.Contains(caller.Role))
        {
            return RefusalReason.RoleMayNot;
        }

        if (!RuleBook.PurposeOf(caller.Role).Contains(caller.Purpose) || (rule.Demands(Needs.Pupil) && caller.Purpose != Purpose.Schooling))
        {
            return RefusalReason.PurposeMayNot;
        }

        if (!IsUnitFor(rule, caller))
        {
            return RefusalReason.UnitMayNot;
        }

        if (rule.IsAboutAPlan && !facts.PlanExists)
        {
            return RefusalReason.NoSuchPlan;
        }

        if (rule.Relation != Relation.None && facts.Relation != rule.Relation)
        {
            return RefusalReason.NoRelation;
        }

        if ((rule.Demands(Needs.Placement) && !facts.Placement) || (rule.Demands(Needs.Pupil) && facts.Pupil != Pupil.Now))
        {
            return RefusalReason.NoRelation;
        }

        reads = Reads(rule, caller, facts);
        if (rule.Relation == Relation.Participating && (reads == None || (rule.Writes & ~reads) != None))
        {
            return RefusalReason.NoRelease;
        }

        if (!IsItemFor(rule, facts))
        {
            return RefusalReason.NotResponsibleUnit;
        }

        if (rule.Demands(Needs.OwnOrganisation) && !facts.OwnOrganisation)
        {
            return RefusalReason.OtherOrganisation;
        }

        return MissesByState(rule, caller, facts);
    }

    private static RefusalReason MissesByState(Rule rule, in Caller caller, in Facts facts)
    {
        if (rule.Demands(Needs.Emergency) && !facts.Emergency)
        {
            return RefusalReason.NoEmergencyAccess;
        }

        if (!ProtectionLeavesRoom(rule, caller, facts))
        {
            return RefusalReason.NotForProtectedPersons;
        }

        // Last, so that the reason says that nothing else is missing.
        if (rule.Demands(Needs.OpenPlan) && !facts.PlanOpen)
        {
            return RefusalReason.PlanClosed;
        }

        if (rule.Demands(Needs.ClosedPlan) && facts.PlanOpen)
        {
            return RefusalReason.PlanNotClosed;
        }

        return RefusalReason.None;
    }

    private static bool IsUnitFor(Rule rule, in Caller caller) =>
        (!rule.Demands(Needs.UnitOfPrincipal) || (caller.UnitOfPrincipal && caller.UnitKind is UnitKind.SocialServices or UnitKind.HealthCare))
        && (!rule.Demands(Needs.HealthCareUnit) || caller.UnitKind == UnitKind.HealthCare)
        && (!rule.Demands(Needs.SocialServicesUnit) || caller.UnitKind == UnitKind.SocialServices)
        && (!rule.Demands(Needs.SchoolUnit) || caller.UnitKind == UnitKind.School)
        && (!rule.Demands(Needs.Placement) || caller.UnitKind == UnitKind.ShelteredHousing)
        && (!rule.Demands(Needs.Pupil) || caller.UnitKind == UnitKind.School)
        && (!rule.Demands(Needs.NoHousing) || caller.UnitKind is not (UnitKind.ShelteredHousing or UnitKind.Unspecified));

    private static bool IsItemFor(Rule rule, in Facts facts) =>
        (!rule.Demands(Needs.ResponsibleUnit) || facts.ResponsibleUnit)
        && (!rule.Demands(Needs.NewItem) || facts.NewItem)
        && (!rule.Demands(Needs.ResponsibleUnitGone) || facts.ResponsibleUnitGone);

    /// <summary>
    /// A protected person's plan, and a suggestion of one, is for those whose assignment says so, whatever the act. An emergency is for the one without an ordinary right;
    /// it ends where the person's identity itself is the secret.
    /// </summary>
    private static bool ProtectionLeavesRoom(Rule rule, in Caller caller, in Facts facts)
    {
        if (rule.Demands(Needs.Emergency))
        {
            return !RuleBook.IsHighest(facts.Protection);
        }

        var aboutAPerson = rule.IsAboutAPlan || rule.Demands(Needs.SomePerson);
        var needed = rule.Demands(Needs.ForProtectedPersons) || (aboutAPerson && facts.Protection != ProtectionLevel.None);
        return caller.HandlesProtectedPersons || !needed;
    }

    private static Categories Reads(Rule rule, in Caller caller, in Facts facts) => rule switch
    {
        { Relation: Relation.Participating, Reads: None } => Released(caller, facts),
        { Relation: Relation.Participating } => rule.Reads & ~Withheld(facts),
        { Reads: not None } => rule.Reads,
        { Relation: Relation.Owning } => RuleBook.OwnerReads(caller, facts),
        _ when rule.Demands(Needs.BecomesOwner) =>
            // Who opens a plan for a person who turns out to be protected learns that it is there, and no more than its assignment is for.
            caller.HandlesProtectedPersons || facts.Protection == ProtectionLevel.None ? RuleBook.OwnerReads(caller, facts) : Existence,
        // The most that any plan in the list can give; a row that says itself what it reads has been answered above.
        _ when rule.Demands(Needs.EachPlanDecided) => Existence | RuleBook.OwnerReads(caller) | RuleBook.ParticipantCeiling(caller.Role),
        _ => None,
    };

    private static Basis BasisOf(Rule rule, in Caller caller, in Facts facts, Categories reads) => rule switch
    {
        { Basis: not Basis.None } => rule.Basis,
        { Relation: Relation.Owning } => Basis.OwningUnit,
        _ => Released(caller, facts with { ReleasedByLaw = None }) == reads ? Basis.Release : Basis.LegalGround,
    };

    /// <summary>
    /// What a participant reads: what consent or law releases to its unit, less what the person withholds, within what its role may ever have
    /// and the person's protection leaves. Only a ground that holds in spite of a refusal opens what is withheld. Where anything is left, it may
    /// know that the plan exists. A sheltered housing knows by itself that the person is in one, and where the child who stays there goes to school; a school
    /// knows its own pupil, and nothing of one who has left.
    /// </summary>
    private static Categories Released(in Caller caller, in Facts facts)
    {
        if (RuleBook.IsOfASchool(caller) && facts.Pupil is not (Pupil.Never or Pupil.Now))
        {
            return None;
        }

        var withheld = Withheld(facts);
        var open = (facts.Released & ~withheld) | (facts.ReleasedByLaw & (~withheld | facts.Overriding));
        open &= Releasable & RuleBook.KnowsBy(caller, facts) & ~(RuleBook.OwnersAlone(facts.Protection) | RuleBook.HiddenSchool(facts));
        if (open == None)
        {
            return None;
        }

        open &= RuleBook.ParticipantCeiling(caller, facts);

        var itself = (caller, facts) switch
        {
            ({ UnitKind: UnitKind.ShelteredHousing, Role: Role.ShelterContactPerson }, { Placement: true }) => Whereabouts | SchoolPlacement,
            ({ UnitKind: UnitKind.ShelteredHousing, Role: Role.ShelterContactPerson }, _) => Whereabouts,
            ({ UnitKind: UnitKind.School, Role: Role.SchoolContact }, { Pupil: Pupil.Now }) => SchoolPlacement,
            _ => None,
        };
        return open | Existence | (itself & ~withheld);
    }

    /// <summary>What the person withholds. Who may not know of the plan may know nothing of it.</summary>
    private static Categories Withheld(in Facts facts) => (facts.Withheld & Existence) != None ? ~None : facts.Withheld;
}
