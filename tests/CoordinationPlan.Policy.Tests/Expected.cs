using static CoordinationPlan.Policy.Categories;
using static CoordinationPlan.Policy.Role;

namespace CoordinationPlan.Policy.Tests;

/// <summary>
/// What the tests expect of the policy, written down a second time and apart from the rule book: not as rows but as sentences about people, so
/// that a slip in one is not a slip in the other. Says what is permitted; that the reasons for refusing are true is tested by itself.
/// </summary>
internal static class Expected
{
    public static readonly Role[] CaseWorkers = [SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact];

    /// <summary>Roles that work with persons. The others never get anything of what a plan says.</summary>
    public static readonly Role[] Participants = [.. CaseWorkers, SchoolContact, ShelterContactPerson, SupportProvider];

    public static Purpose[] PurposesOf(Role role) => role switch
    {
        SocialCaseWorker or UnitManager or ShelterContactPerson => [Purpose.SocialServicesCase],
        HealthCareProfessional or NamedCareContact => [Purpose.CareAndTreatment],
        SchoolContact => [Purpose.Schooling],
        SupportProvider => [Purpose.Support],
        LogReviewer or DataProtectionOfficer => [Purpose.LogReview],
        Statistician => [Purpose.Statistics],
        DirectoryAdministrator => [Purpose.Administration],
        SystemIntegration => [Purpose.SocialServicesCase, Purpose.CareAndTreatment, Purpose.Schooling],
        _ => [],
    };

    /// <summary>The most that a role can have of a plan of another unit, beside the whereabouts that a sheltered housing knows by itself.</summary>
    public static Categories Ceiling(Role role) => role switch
    {
        SocialCaseWorker or UnitManager or HealthCareProfessional or NamedCareContact => Existence | Identity | ContactDetails
            | GoalsAndInterventions | SocialSituation | Health | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings | SchoolPlacement,
        SchoolContact => Existence | Identity | ContactDetails | Schooling | ProtectionMeasures,
        ShelterContactPerson => Existence | Identity | ContactDetails | GoalsAndInterventions | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings | SchoolPlacement,
        SystemIntegration => Existence | Schooling | Meetings | Health,
        SupportProvider => Existence | Identity | GoalsAndInterventions | ProtectionMeasures | Meetings,
        _ => None,
    };

    public static bool IsCaseWorker(this Caller caller) => CaseWorkers.Contains(caller.Role);

    /// <summary>Has a role of social services and works there.</summary>
    public static bool IsSocial(this Caller caller) => caller is { Role: SocialCaseWorker or UnitManager, UnitKind: UnitKind.SocialServices };

    /// <summary>Has a role of health care and works there.</summary>
    public static bool IsHealthCare(this Caller caller) => caller is { Role: HealthCareProfessional or NamedCareContact, UnitKind: UnitKind.HealthCare };

    public static bool HousesThePerson(this Caller caller) => caller is { Role: ShelterContactPerson, UnitKind: UnitKind.ShelteredHousing };

    /// <summary>Works in a school, whatever the role is called, or somewhere that may be one.</summary>
    public static bool IsOfASchool(this Caller caller) => caller.UnitKind is UnitKind.School or UnitKind.Unspecified || caller.Role == SchoolContact;

    /// <summary>Where the child goes to school is not to be told to others.</summary>
    public static bool IsSchoolHidden(Facts facts) => facts.Protection != ProtectionLevel.None || !facts.Unplaced;

    /// <summary>The assignment, the purpose and the identity are in order, and the purpose fits the role.</summary>
    public static bool IsInOrder(this Caller caller) =>
        caller is { NamesAssignment: true, AssignmentInForce: true, PurposeAssigned: true, Assurance: AssuranceLevel.Level3 or AssuranceLevel.Level4 }
        && PurposesOf(caller.Role).Contains(caller.Purpose);

    /// <summary>What an owner can read of its plans.</summary>
    public static Categories OfOwnPlan(Caller caller)
    {
        var all = World.Everything & ~(Categories.Directory | AccessLog);
        return caller.IsSocial() ? all : caller.IsCaseWorker() ? all & ~(Whereabouts | RiskAssessment) : None;
    }

    /// <summary>What an owner reads of this plan: only the social services the school of a child who is protected or placed.</summary>
    public static Categories OfOwnPlan(Caller caller, Facts facts) =>
        caller.UnitKind != UnitKind.SocialServices && IsSchoolHidden(facts) ? OfOwnPlan(caller) & ~SchoolPlacement : OfOwnPlan(caller);

    /// <summary>What consent and law open of another unit's plan.</summary>
    public static Categories OfAnothersPlan(Caller caller, Facts facts)
    {
        if (caller.IsOfASchool() && facts.Pupil is not (Pupil.Never or Pupil.Now))
        {
            return None;
        }

        var (read, knows) = (None, false);
        foreach (var one in World.Singles)
        {
            var refused = facts.Withheld.HasFlag(one) || facts.Withheld.HasFlag(Existence);
            var byConsent = facts.Released.HasFlag(one) && !refused;
            var byLaw = facts.ReleasedByLaw.HasFlag(one) && (!refused || facts.Overriding.HasFlag(one));
            var secret = one switch
            {
                Identity => IsHighest(facts.Protection) || (caller.IsOfASchool() && !facts.NoAlias),
                ContactDetails => IsHighest(facts.Protection),
                SchoolPlacement => IsSchoolHidden(facts),
                _ => false,
            };
            if (!(byConsent || byLaw) || secret)
            {
                continue;
            }

            // What is released to the unit tells its region's system that the plan is there, also where the system may not read it.
            knows |= caller is { Role: SystemIntegration, UnitKind: UnitKind.HealthCare } && Ceiling(HealthCareProfessional).HasFlag(one);
            if (Ceiling(caller.Role).HasFlag(one) && !IsNotForItsSystem(caller, one))
            {
                (read, knows) = (read | one, true);
            }
        }

        if (!knows)
        {
            return None;
        }

        var mayKnow = ~facts.Withheld & (facts.Withheld.HasFlag(Existence) ? None : ~None);
        return read | Existence | (Itself(caller, facts) & mayKnow);
    }

    /// <summary>A health-care system has nothing to do with schooling, and every other none with meetings and health.</summary>
    private static bool IsNotForItsSystem(Caller caller, Categories one) =>
        caller.Role == SystemIntegration && caller.UnitKind switch
        {
            UnitKind.HealthCare => one == Schooling,
            UnitKind.SocialServices or UnitKind.Support => one == Health,
            _ => one is Meetings or Health,
        };

    /// <summary>What a housing or a school knows by being that.</summary>
    public static Categories Itself(Caller caller, Facts facts) => caller.HousesThePerson() ? facts.Placement ? Whereabouts | SchoolPlacement : Whereabouts
        : caller is { Role: SchoolContact, UnitKind: UnitKind.School } && facts.Pupil == Pupil.Now ? SchoolPlacement
        : None;

    public static bool IsHighest(ProtectionLevel level) => level is ProtectionLevel.AssumedIdentity or ProtectionLevel.Unspecified;

    /// <summary>Whether a block decides it.</summary>
    public static bool IsKeptOut(Act act, Facts facts) => World.IsAboutAPersonAlone(act)
        ? facts.Blocked != Blocked.No
        : World.IsAboutAPlan(act) && (facts.Blocked is Blocked.Employee or Blocked.Unit or Blocked.Guardian || (facts.Blocked == Blocked.Unknown && facts.PlanExists));

    /// <summary>The permit, or none.</summary>
    public static Decision? Permit(Question question)
    {
        var (act, caller, facts) = question;
        if (!caller.IsInOrder() || IsKeptOut(act, facts))
        {
            return null;
        }

        if (!World.IsAboutAPlan(act))
        {
            return PermitOfNoPlan(act, caller, facts);
        }

        if (!facts.PlanExists)
        {
            return null;
        }

        if (act == Act.ReadInEmergency)
        {
            return facts.Emergency && (caller.IsSocial() || caller.IsHealthCare()) && !IsHighest(facts.Protection)
                ? Decision.Permit(Existence | Identity | Health | GoalsAndInterventions | ProtectionMeasures, None, Basis.Emergency, Obligations.AlertOwningUnit)
                : null;
        }

        if (facts.Protection != ProtectionLevel.None && !caller.HandlesProtectedPersons)
        {
            return null;
        }

        return facts.Relation switch
        {
            Relation.Owning when caller.IsCaseWorker() => PermitOfOwner(act, caller, facts),
            _ when act == Act.ReceiveChanges && caller.UnitKind is UnitKind.ShelteredHousing or UnitKind.Unspecified => null,
            Relation.Owning when act == Act.ReceiveChanges && caller.Role == SystemIntegration => Decision.Permit(Existence | Meetings, None, Basis.OwningUnit),
            Relation.Participating when (Participants.Contains(caller.Role) && act != Act.ReceiveChanges) || (act is Act.ReportAttendance or Act.ReceiveChanges && caller.Role == SystemIntegration) || IsARegionsSystemsOwn(act, caller) =>
                PermitOfParticipant(act, caller, facts),
            Relation.Owning when act == Act.ReadSyncedParticipations && IsARegionsSystemsOwn(act, caller) => Decision.Permit(Existence | Meetings, None, Basis.OwningUnit),
            _ when act == Act.ExplainAccess && caller.Role == DataProtectionOfficer && facts.OwnOrganisation =>
                Decision.Permit(Existence | Meetings | ConsentDocuments, None, Basis.Oversight),
            _ => null,
        };
    }

    /// <summary>What a system of health care does for its own units.</summary>
    private static bool IsARegionsSystemsOwn(Act act, Caller caller) => caller is { Role: SystemIntegration, UnitKind: UnitKind.HealthCare }
        && act is Act.ReplyToCall or Act.ReadOwnCalls or Act.WriteDischarge or Act.ReadSyncedParticipations;

    private static Decision? PermitOfNoPlan(Act act, Caller caller, Facts facts)
    {
        var person = Participants.Contains(caller.Role);
        var reviewer = caller.Role is LogReviewer or DataProtectionOfficer;
        var ofPrincipal = caller.IsCaseWorker() && caller is { UnitOfPrincipal: true, UnitKind: UnitKind.SocialServices or UnitKind.HealthCare };
        const Categories Sent = Existence | Identity | SocialSituation | Meetings;
        return act switch
        {
            Act.SuggestPlan when caller is { Role: SchoolContact, UnitKind: UnitKind.School } => Decision.Permit(Existence, Existence, Basis.RoleAlone),
            Act.ReadSuggestions when ofPrincipal => Decision.Permit(Sent, None, Basis.RoleAlone),
            Act.AnswerSuggestion when ofPrincipal && facts.ResponsibleUnit && (caller.HandlesProtectedPersons || facts.Protection == ProtectionLevel.None) =>
                Decision.Permit(Sent, Existence, Basis.RoleAlone),
            Act.CreatePlan when ofPrincipal =>
                Decision.Permit(
                    facts.Protection != ProtectionLevel.None && !caller.HandlesProtectedPersons ? Existence : OfOwnPlan(caller, facts),
                    Identity | Meetings | GoalsAndInterventions | SocialSituation | Health | ChildsOwnWords,
                    Basis.RoleAlone),
            Act.ListPlans or Act.FindPlans when person => Decision.Permit(OfOwnPlan(caller) | Ceiling(caller.Role), None, Basis.RoleAlone),
            Act.OpenEmergencyAccess when caller.IsSocial() || caller.IsHealthCare() =>
                Decision.Permit(Existence, Existence, Basis.Emergency, Obligations.AlertOwningUnit | Obligations.ReviewAfterwards),
            Act.ListTasks when caller.IsCaseWorker() || caller.Role is ShelterContactPerson or SupportProvider => Decision.Permit(Existence | ConsentDocuments, None, Basis.RoleAlone),
            Act.ListTasks when reviewer => Decision.Permit(Existence | ConsentDocuments, None, Basis.LogReviewDuty),
            Act.SearchAccessLog when reviewer => Decision.Permit(AccessLog, None, Basis.LogReviewDuty),
            Act.WriteLogDisposal when caller.Role == LogReviewer => Decision.Permit(AccessLog, AccessLog, Basis.LogReviewDuty),
            Act.ReadLogProofs when reviewer => Decision.Permit(Categories.Directory, None, Basis.LogReviewDuty),
            Act.SyncParticipations when caller is { Role: SystemIntegration, UnitKind: UnitKind.HealthCare } => Decision.Permit(Existence, Existence, Basis.RoleAlone),
            Act.ReadLogProofs when caller.Role == SystemIntegration => Decision.Permit(Categories.Directory, None, Basis.RoleAlone),
            Act.ReadChanges when caller.Role == SystemIntegration => Decision.Permit(Ceiling(caller.Role), None, Basis.RoleAlone),
            Act.AcknowledgeChanges when caller.Role == SystemIntegration => Decision.Permit(Existence, Existence, Basis.RoleAlone),
            Act.DeclareRelation when caller.Role != SystemIntegration => Decision.Permit(Categories.Directory, None, Basis.RoleAlone),
            Act.ReadDirectory => Decision.Permit(Categories.Directory, None, Basis.RoleAlone),
            Act.WriteRoutine when caller is { Role: UnitManager, UnitKind: UnitKind.SocialServices } =>
                Decision.Permit(Categories.Directory, Categories.Directory, Basis.RoleAlone),
            Act.ReadIndicators when caller.Role == Statistician => Decision.Permit(Categories.Directory, None, Basis.RoleAlone),
            Act.WriteDirectory when caller.Role == DirectoryAdministrator && facts.OwnOrganisation =>
                Decision.Permit(Categories.Directory, Categories.Directory, Basis.DirectoryAdministration),
            _ => null,
        };
    }

    private static Decision? PermitOfOwner(Act act, Caller caller, Facts facts)
    {
        var manager = caller.Role == UnitManager;
        var decidesProtection = caller is { HandlesProtectedPersons: true, UnitKind: UnitKind.SocialServices };
        var mayBlock = caller is { HandlesProtectedPersons: true, UnitKind: UnitKind.SocialServices or UnitKind.HealthCare };
        var knowsWhereabouts = caller.IsSocial() && caller.HandlesProtectedPersons;
        return act switch
        {
            Act.ReadPlan or Act.ReadOwnCalls or Act.ListCopies or Act.ReadSyncedParticipations or Act.ReadDelivery => Owner(None),
            Act.AnswerSyncedParticipation when facts.PlanOpen => Owner(Meetings),
            Act.IssueCopy => Owner(Existence),
            Act.ReadProtection when mayBlock => Owner(None),
            Act.UpdatePlan when facts.PlanOpen => Owner(Identity | Meetings | GoalsAndInterventions | SocialSituation | Health | ChildsOwnWords),
            Act.EstablishPlan when facts.PlanOpen => Owner(Existence),
            Act.ClosePlan when facts.PlanOpen => Owner(Existence | Meetings),
            Act.AdvancePlan when facts.PlanOpen => Owner(Existence | Meetings),
            Act.ReopenPlan when !facts.PlanOpen => Owner(Existence),
            Act.WriteMeeting or Act.ReplyToCall when facts.PlanOpen => Owner(Meetings),
            Act.AnswerProposal when facts.PlanOpen => Owner(GoalsAndInterventions),
            Act.WriteRelatedPlan when facts.PlanOpen => Owner(Meetings),
            Act.WriteProtectionMeasure when facts.PlanOpen => Owner(ProtectionMeasures),
            Act.WriteDischarge when facts.PlanOpen => Owner(Health),
            Act.ReadRiskAssessment when caller.IsSocial() => Decision.Permit(RiskAssessment, None, Basis.OwningUnit),
            Act.WriteRiskAssessment when caller.IsSocial() && facts.PlanOpen => Decision.Permit(RiskAssessment, RiskAssessment, Basis.OwningUnit),
            Act.ReadSchooling when knowsWhereabouts => Owner(None),
            Act.WriteSchooling when knowsWhereabouts && facts.PlanOpen => Owner(Schooling | SchoolPlacement),
            Act.WriteGoal or Act.WriteOtherMeasure when facts.PlanOpen => Owner(GoalsAndInterventions),
            Act.WriteIntervention when facts.PlanOpen && (facts.NewItem || facts.ResponsibleUnit || facts.ResponsibleUnitGone) => Owner(GoalsAndInterventions),
            Act.WriteParticipation when facts.PlanOpen => Owner(Meetings | Whereabouts),
            Act.RecordConsent when facts.PlanOpen => Owner(ConsentDocuments),
            Act.WithdrawConsent => Owner(ConsentDocuments),
            Act.WriteRelease => Owner(ConsentDocuments, Obligations.ReviewAfterwards),
            Act.ReviewRelease or Act.ReviewEmergencyAccess when manager => Owner(ConsentDocuments),
            Act.WriteProtectionLevel or Act.WriteLocationSecrecy when decidesProtection => Owner(ConsentDocuments),
            Act.WriteBlock when mayBlock => Owner(ConsentDocuments),
            Act.DiscloseDocument when knowsWhereabouts => Owner(ConsentDocuments),
            Act.ReadDisclosures when knowsWhereabouts => Owner(None),
            Act.ReadWhereabouts when knowsWhereabouts => Decision.Permit(Whereabouts, None, Basis.OwningUnit),
            Act.WriteWhereabouts when knowsWhereabouts => Decision.Permit(Whereabouts, Whereabouts, Basis.OwningUnit),
            Act.ExplainAccess when manager => Decision.Permit(Existence | Meetings | ConsentDocuments, None, Basis.Oversight),
            Act.DisposeSubject when manager && !facts.PlanOpen => Decision.Permit(Existence, Existence, Basis.OwningUnit),
            _ => null,
        };

        Decision Owner(Categories writes, Obligations obligations = Obligations.None) =>
            Decision.Permit(OfOwnPlan(caller, facts), writes, Basis.OwningUnit, obligations);
    }

    private static Decision? PermitOfParticipant(Act act, Caller caller, Facts facts)
    {
        if (act == Act.ReadWhereabouts)
        {
            return caller.HousesThePerson() && caller.HandlesProtectedPersons && facts.Placement && (facts.Withheld & (Whereabouts | Existence)) == None
                ? Decision.Permit(Whereabouts, None, Basis.Placement)
                : null;
        }

        var reads = OfAnothersPlan(caller, facts);
        if (reads == None)
        {
            return null;
        }

        var consentSuffices = reads == OfAnothersPlan(caller, facts with { ReleasedByLaw = None, Overriding = None });
        var hasThePupil = caller is { UnitKind: UnitKind.School, Purpose: Purpose.Schooling } && facts.Pupil == Pupil.Now;
        var writes = act switch
        {
            Act.ReadPlan or Act.ReadOwnCalls or Act.ListCopies or Act.ReceiveChanges => None,
            Act.ReadSyncedParticipations when caller.Role == SystemIntegration => None,
            Act.IssueCopy => Existence,
            Act.ReplyToCall when facts.PlanOpen => Existence,
            Act.ReadSchooling when caller.HousesThePerson() && caller.HandlesProtectedPersons && facts.Placement => None,
            Act.ReadPupil when caller.Role == SchoolContact && hasThePupil => None,
            Act.ReportAttendance when caller.Role is SchoolContact or SystemIntegration && hasThePupil && facts.PlanOpen => Schooling,
            Act.AnswerProposal when facts.PlanOpen => GoalsAndInterventions,
            Act.UpdatePlan or Act.WriteDischarge when facts.PlanOpen && caller.IsHealthCare() => Health,
            Act.WriteDischarge when facts.PlanOpen && caller is { Role: SystemIntegration, UnitKind: UnitKind.HealthCare } => Health,
            Act.WriteIntervention when facts.PlanOpen && facts.ResponsibleUnit && (caller.IsCaseWorker() || caller.Role == ShelterContactPerson) => GoalsAndInterventions,
            _ => (Categories?)null,
        };
        return writes is { } some && reads.HasFlag(some)
            ? Decision.Permit(reads, some, consentSuffices ? Basis.Release : Basis.LegalGround)
            : null;
    }
}
