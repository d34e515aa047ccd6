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
    Basis Basis = Basis.None)
{
    /// <summary>The row is about one person: about a plan, or about somebody named otherwise.</summary>
    public bool IsAboutAPerson => Relation != Relation.None || Needs.HasFlag(Needs.AboutAPerson);
}

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

    /// <summary>The directory entry belongs to the caller's organisation, or the caller to the operator; the plan's controller is the caller's.</summary>
    OwnOrganisation = 1 << 5,

    /// <summary>The caller's unit is social services.</summary>
    SocialServicesUnit = 1 << 8,

    /// <summary>The assignment is for protected persons, whatever the person's level.</summary>
    ForProtectedPersons = 1 << 9,

    /// <summary>The act is about a person, so a block refuses it, though it is not about one plan of the caller's.</summary>
    AboutAPerson = 1 << 10,

    /// <summary>The person stays in the caller's unit.</summary>
    Placement = 1 << 11,

    /// <summary>An emergency access of this caller's is in force.</summary>
    EmergencyAccess = 1 << 12,

    /// <summary>The plan is not closed.</summary>
    OpenPlan = 1 << 13,

    /// <summary>The plan is closed.</summary>
    ClosedPlan = 1 << 14,
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

    private static readonly Roles Managers = Roles.Of(UnitManager);
    private static readonly Roles SocialServices = Roles.Of(SocialCaseWorker, UnitManager);
    private static readonly Roles Shelters = Roles.Of(ShelterContactPerson);
    private static readonly Roles Emergencies = Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact);
    private static readonly Roles Overseers = Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, LogReviewer, DataProtectionOfficer);

    /// <summary>What emergency opens. Never how the person is reached, never third parties, never the risk, never where the person is.</summary>
    private const Categories InEmergency = Existence | Identity | Health | GoalsAndInterventions | ProtectionMeasures;

    private const Categories Frame = Identity | Meetings | GoalsAndInterventions | SocialSituation | Health;

    public static readonly Rule[] Rules =
    [
        // Anyone employed in social services or health care may and must see to it that a plan is begun.
        // Not for a person from whom the caller is kept out.
        new(Act.CreatePlan, CaseWorkers, Relation.None, Needs.UnitOfPrincipal | Needs.BecomesOwner | Needs.AboutAPerson, Writes: Frame, Basis: Basis.RoleAlone),

        // The own caseload: the list itself needs only the role; every plan in it is then decided by the two rows of ReadPlan.
        new(Act.ListPlans, Participants, Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.FindPlans, Participants, Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.ReadPlan, CaseWorkers, Relation.Owning),
        new(Act.ReadPlan, Participants, Relation.Participating),

        // The frame belongs to the owning unit; health care writes its own account where it may read it.
        new(Act.UpdatePlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Frame),
        new(Act.UpdatePlan, HealthCare, Relation.Participating, Needs.HealthCareUnit | Needs.OpenPlan, Writes: Health),
        new(Act.EstablishPlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Existence),
        new(Act.ClosePlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Existence | Meetings),

        // Goals and others' measures are the owning unit's to write down; an intervention is its responsible unit's.
        new(Act.WriteGoal, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteOtherMeasure, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: GoalsAndInterventions),
        // The owning unit writes new ones down for everybody, and ends those of a unit that has left.
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.NewItem | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnit | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnitGone | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, Interveners, Relation.Participating, Needs.ResponsibleUnit | Needs.OpenPlan, Writes: GoalsAndInterventions),

        // Who takes part, and what the person has agreed to, is the owning unit's to record.
        new(Act.WriteParticipation, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings | Whereabouts),
        new(Act.RecordConsent, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: ConsentDocuments),
        // Also in a closed plan: a person may withdraw at any time.
        new(Act.WithdrawConsent, CaseWorkers, Relation.Owning, Writes: ConsentDocuments),

        // A release on legal ground is the owning unit's decision (OSL 10, 25 and 26 kap.), and looked at afterwards by its manager.
        new(Act.WriteRelease, CaseWorkers, Relation.Owning, Writes: ConsentDocuments),
        new(Act.ReviewRelease, Managers, Relation.Owning, Writes: ConsentDocuments),

        // How a person is protected is for the owning unit under an assignment for protected persons (OSL 21 kap. 3 § and 22 kap. 1 §).
        new(Act.ReadProtection, CaseWorkers, Relation.Owning, Needs.ForProtectedPersons),
        new(Act.WriteBlock, CaseWorkers, Relation.Owning, Needs.ForProtectedPersons, Writes: ConsentDocuments),
        new(Act.WriteProtectionLevel, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: Identity | ConsentDocuments),
        new(Act.WriteLocationSecrecy, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),
        // Where the person stays: social services that own the plan, and whoever the person stays with. Nothing releases it.
        new(Act.ReadWhereabouts, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Reads: Whereabouts),
        new(Act.ReadWhereabouts, Shelters, Relation.Participating, Needs.ForProtectedPersons | Needs.Placement, Reads: Whereabouts),
        new(Act.WriteWhereabouts, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Reads: Whereabouts, Writes: Whereabouts),
        // Whoever is related to a person says so, and is kept out from then on.
        new(Act.DeclareRelation, Roles.All, Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),

        // Emergency (PDL 4 kap. 5 §): whoever gives acute care or protection; one person, read only, reviewed afterwards by the owning unit.
        new(Act.OpenEmergencyAccess, Emergencies, Relation.None, Needs.UnitOfPrincipal, Reads: Existence, Basis: Basis.RoleAlone),
        new(Act.ReadInEmergency, Emergencies, Relation.None, Needs.UnitOfPrincipal | Needs.AboutAPerson | Needs.EmergencyAccess, Reads: InEmergency, Basis: Basis.Emergency),
        new(Act.ReviewEmergencyAccess, Managers, Relation.Owning, Writes: ConsentDocuments),

        // Who can read the plan, and by what: its unit's manager, and the data protection officer of its controller, who reads nothing of the plan.
        new(Act.ExplainAccess, Managers, Relation.Owning, Reads: ConsentDocuments),
        new(Act.ExplainAccess, Roles.Of(DataProtectionOfficer), Relation.None, Needs.OwnOrganisation | Needs.AboutAPerson, Reads: ConsentDocuments, Basis: Basis.Oversight),
        new(Act.ListTasks, Overseers, Relation.None, Reads: ConsentDocuments, Basis: Basis.RoleAlone),
        new(Act.DisposeSubject, Managers, Relation.Owning, Needs.ClosedPlan, Reads: Existence, Writes: Existence),

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

    private static readonly HashSet<Act> ActsAboutAPerson = [.. Rules.Where(rule => rule.IsAboutAPerson).Select(rule => rule.Act)];

    /// <summary>The acts about one plan of the caller's.</summary>
    public static readonly Act[] ActsAboutAPlan = [.. Rules.Where(rule => rule.Relation != Relation.None).Select(rule => rule.Act).Distinct()];

    /// <summary>Whether an act is about one person, so that a block refuses it.</summary>
    public static bool IsAboutAPerson(Act act) => ActsAboutAPerson.Contains(act);
}
