using static CoordinationPlan.Policy.Categories;
using static CoordinationPlan.Policy.Role;

namespace CoordinationPlan.Policy;

/// <summary>One row of the rule book.</summary>
/// <param name="Act">The act that the row permits.</param>
/// <param name="Roles">To whom.</param>
/// <param name="Relation">What the caller's unit must be to the plan; None where the act is not about one plan.</param>
/// <param name="Needs">What else must hold.</param>
/// <param name="Reads">What is read, where the relation does not say it.</param>
/// <param name="Writes">What may be changed. A participant changes only what is released to it.</param>
/// <param name="Basis">What the permit rests on, where the relation does not say it.</param>
internal sealed record Rule(
    Act Act,
    Roles Roles,
    Relation Relation,
    Needs Needs = Needs.Nothing,
    Categories Reads = None,
    Categories Writes = None,
    Basis Basis = Basis.None);

/// <summary>Conditions beyond role and relation.</summary>
[Flags]
internal enum Needs
{
    Nothing = 0,

    /// <summary>The caller's unit is social services or health care of a principal: those who may and must begin a plan.</summary>
    UnitOfPrincipal = 1 << 0,

    /// <summary>The caller's unit is health care.</summary>
    HealthCareUnit = 1 << 1,

    /// <summary>Nothing more, but the caller's unit becomes the owner and reads as one.</summary>
    BecomesOwner = 1 << 2,

    /// <summary>Nothing more, but what is read of each plan in the answer is decided by the rows of ReadPlan.</summary>
    EachPlanDecided = 1 << 7,

    /// <summary>The caller's unit answers for the item.</summary>
    ResponsibleUnit = 1 << 3,

    /// <summary>The unit that answered for the item takes part no longer.</summary>
    ResponsibleUnitGone = 1 << 4,

    /// <summary>The act adds an item.</summary>
    NewItem = 1 << 6,

    /// <summary>The directory entry belongs to the caller's organisation, or the caller to the operator.</summary>
    OwnOrganisation = 1 << 5,
}

/// <summary>
/// The rule book: read it from top to bottom. A row permits one act to some roles in one relation; what no row permits is refused.
/// </summary>
internal static class RuleBook
{
    private static readonly Roles CaseWorkers = Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact);
    private static readonly Roles HealthCare = Roles.Of(HealthCareProfessional, NamedCareContact);
    private static readonly Roles Participants =
        Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, SchoolContact, ShelterContactPerson, SupportProvider);
    private static readonly Roles Interveners =
        Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, ShelterContactPerson);
    private static readonly Roles Reviewers = Roles.Of(LogReviewer, DataProtectionOfficer);

    private const Categories Frame = Identity | Meetings | GoalsAndInterventions | SocialSituation | Health;

    public static readonly Rule[] Rules =
    [
        // Anyone employed in social services or health care may and must see to it that a plan is begun.
        new(Act.CreatePlan, CaseWorkers, Relation.None, Needs.UnitOfPrincipal | Needs.BecomesOwner, Writes: Frame, Basis: Basis.RoleAlone),

        // The own caseload: the list itself needs only the role; every plan in it is then decided by the two rows of ReadPlan.
        new(Act.ListPlans, Participants, Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.ReadPlan, CaseWorkers, Relation.Owning),
        new(Act.ReadPlan, Participants, Relation.Participating),

        // The frame belongs to the owning unit; health care writes its own account where it may read it.
        new(Act.UpdatePlan, CaseWorkers, Relation.Owning, Writes: Frame),
        new(Act.UpdatePlan, HealthCare, Relation.Participating, Needs.HealthCareUnit, Writes: Health),
        new(Act.EstablishPlan, CaseWorkers, Relation.Owning, Writes: Existence),
        new(Act.ClosePlan, CaseWorkers, Relation.Owning, Writes: Existence | Meetings),

        // Goals and others' measures are the owning unit's to write down; an intervention is its responsible unit's.
        new(Act.WriteGoal, CaseWorkers, Relation.Owning, Writes: GoalsAndInterventions),
        new(Act.WriteOtherMeasure, CaseWorkers, Relation.Owning, Writes: GoalsAndInterventions),
        // The owning unit writes new ones down for everybody, and ends those of a unit that has left.
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.NewItem, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnit, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnitGone, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, Interveners, Relation.Participating, Needs.ResponsibleUnit, Writes: GoalsAndInterventions),

        // Who takes part, and what the person has agreed to, is the owning unit's to record.
        new(Act.WriteParticipation, CaseWorkers, Relation.Owning, Writes: Meetings | Whereabouts),
        new(Act.RecordConsent, CaseWorkers, Relation.Owning, Writes: ConsentDocuments),
        new(Act.WithdrawConsent, CaseWorkers, Relation.Owning, Writes: ConsentDocuments),

        // A log reviewer never reads plan content; an administrator never reads plans.
        new(Act.SearchAccessLog, Reviewers, Relation.None, Reads: AccessLog, Basis: Basis.LogReviewDuty),
        new(Act.ReadDirectory, Roles.All, Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),
        new(Act.WriteDirectory, Roles.Of(DirectoryAdministrator), Relation.None, Needs.OwnOrganisation,
            Reads: Categories.Directory, Writes: Categories.Directory, Basis: Basis.DirectoryAdministration),
    ];

    private const Categories OwnerEverything = AccessPolicy.Releasable | ThirdParties | ConsentDocuments | RiskAssessment | Whereabouts;

    /// <summary>
    /// What the owning unit reads. Where health care owns the plan, the social services' risk assessments and the whereabouts are not in it,
    /// whatever the roles of those who work there are called.
    /// </summary>
    public static Categories OwnerReads(in Caller caller) => caller switch
    {
        { Role: SocialCaseWorker or UnitManager, UnitKind: UnitKind.SocialServices } => OwnerEverything,
        { Role: SocialCaseWorker or UnitManager or HealthCareProfessional or NamedCareContact } => OwnerEverything & ~(RiskAssessment | Whereabouts),
        _ => None,
    };

    /// <summary>The most that a role can have by release, whatever a consent says.</summary>
    public static Categories ParticipantCeiling(Role role) => role switch
    {
        SocialCaseWorker or UnitManager or HealthCareProfessional or NamedCareContact => AccessPolicy.Releasable,
        // Not goals and interventions: they name the other parties. Never the home municipality, the violence, the risk.
        SchoolContact => Existence | Identity | ContactDetails | Schooling | ProtectionMeasures,
        ShelterContactPerson =>
            Existence | Identity | ContactDetails | GoalsAndInterventions | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings,
        SupportProvider => Existence | Identity | GoalsAndInterventions | ProtectionMeasures | Meetings,
        _ => None,
    };

    /// <summary>The purposes that fit a role. A role used for something else is refused.</summary>
    public static Purposes PurposeOf(Role role) => role switch
    {
        SocialCaseWorker or UnitManager or ShelterContactPerson => Purposes.Of(Purpose.SocialServicesCase),
        HealthCareProfessional or NamedCareContact => Purposes.Of(Purpose.CareAndTreatment),
        SchoolContact => Purposes.Of(Purpose.Schooling),
        SupportProvider => Purposes.Of(Purpose.Support),
        LogReviewer or DataProtectionOfficer => Purposes.Of(Purpose.LogReview),
        Statistician => Purposes.Of(Purpose.Statistics),
        DirectoryAdministrator => Purposes.Of(Purpose.Administration),
        SystemIntegration => Purposes.Of(Purpose.SocialServicesCase, Purpose.CareAndTreatment, Purpose.Schooling),
        _ => default,
    };
}
