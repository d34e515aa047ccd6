using static CoordinationPlan.Policy.Categories;
using static CoordinationPlan.Policy.Role;

namespace CoordinationPlan.Policy;

/// <summary>One row of the rule book.</summary>
/// <param name="Act">The act that the row permits.</param>
/// <param name="Roles">To whom.</param>
/// <param name="Relation">What the caller's unit must be to the plan; None where that does not matter or the act is not about one plan.</param>
/// <param name="Needs">What else must hold.</param>
/// <param name="Reads">What is read, where the relation does not say it.</param>
/// <param name="Writes">What may be changed. A participant changes only what is released to it.</param>
/// <param name="Basis">What the permit rests on, where the relation does not say it.</param>
/// <param name="Obliges">What the permit obliges to.</param>
internal sealed record Rule(
    Act Act,
    Roles Roles,
    Relation Relation,
    Needs Needs = Needs.Nothing,
    Categories Reads = None,
    Categories Writes = None,
    Basis Basis = Basis.None,
    Obligations Obliges = Obligations.None)
{
    /// <summary>The act is about one plan that there is.</summary>
    public bool IsAboutAPlan { get; } = Relation != Relation.None || (Needs & Needs.SomePlan) != 0;

    /// <summary>The act is about one person, so that a block of that person's decides it.</summary>
    public bool IsAboutAPerson { get; } = Relation != Relation.None || (Needs & (Needs.SomePlan | Needs.BecomesOwner | Needs.SomePerson)) != 0;

    /// <summary>
    /// Whether the condition must hold. Not by HasFlag: until the runtime has compiled a method a second time, which takes it long where it is busy, that puts both
    /// values on the heap, and listing the permitted acts asks a thousand times.
    /// </summary>
    public bool Demands(Needs need) => (Needs & need) != 0;
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

    /// <summary>The caller's unit is social services.</summary>
    SocialServicesUnit = 1 << 2,

    /// <summary>The caller's unit is a sheltered housing, and the person stays there.</summary>
    Placement = 1 << 3,

    /// <summary>There is such a plan, whatever the caller's unit is to it.</summary>
    SomePlan = 1 << 4,

    /// <summary>Nothing more, but the caller's unit becomes the owner and reads as one.</summary>
    BecomesOwner = 1 << 5,

    /// <summary>Nothing more, but what is read of each plan in the answer is decided by the rows of ReadPlan.</summary>
    EachPlanDecided = 1 << 6,

    /// <summary>The caller's unit answers for the item.</summary>
    ResponsibleUnit = 1 << 7,

    /// <summary>The unit that answered for the item takes part no longer.</summary>
    ResponsibleUnitGone = 1 << 8,

    /// <summary>The act adds an item.</summary>
    NewItem = 1 << 9,

    /// <summary>The directory entry, or the plan's controller, is the caller's organisation; or the caller is the operator's, for the directory.</summary>
    OwnOrganisation = 1 << 10,

    /// <summary>The caller's emergency access for the person is in force, and the person's protection leaves room for it.</summary>
    Emergency = 1 << 11,

    /// <summary>The assignment is for protected persons, however this person is protected. Where the person is, every act about the plan needs it.</summary>
    ForProtectedPersons = 1 << 12,

    /// <summary>The plan is not closed.</summary>
    OpenPlan = 1 << 13,

    /// <summary>The plan is closed.</summary>
    ClosedPlan = 1 << 14,

    /// <summary>The act is about a person whom no plan names, so that a block and the person's protection decide it.</summary>
    SomePerson = 1 << 15,

    /// <summary>The caller's unit is a school.</summary>
    SchoolUnit = 1 << 16,

    /// <summary>The caller's unit is a school, and the person goes there by an arrangement that has not ended.</summary>
    Pupil = 1 << 17,

    /// <summary>The caller's unit is known not to be a sheltered housing: that it takes part is where the person is.</summary>
    NoHousing = 1 << 18,
}

/// <summary>
/// The rule book: read it from top to bottom. A row permits one act to some roles in one relation; what no row permits is refused. Three things
/// stand above every row and are therefore in none of them: a block, the person's protection, and what the person refuses (AccessPolicy).
/// </summary>
internal static class RuleBook
{
    private static readonly Roles CaseWorkers = Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact);
    private static readonly Roles SocialServices = Roles.Of(SocialCaseWorker, UnitManager);
    private static readonly Roles HealthCare = Roles.Of(HealthCareProfessional, NamedCareContact);
    private static readonly Roles Managers = Roles.Of(UnitManager);
    private static readonly Roles Participants =
        Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, SchoolContact, ShelterContactPerson, SupportProvider);
    private static readonly Roles Interveners =
        Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, ShelterContactPerson);
    private static readonly Roles Agreeing =
        Roles.Of(SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact, ShelterContactPerson, SupportProvider);
    private static readonly Roles Reviewers = Roles.Of(LogReviewer, DataProtectionOfficer);
    private static readonly Roles Systems = Roles.Of(SystemIntegration);

    private const Categories Frame = Identity | Meetings | GoalsAndInterventions | SocialSituation | Health | ChildsOwnWords;

    // Who is meant, why, and whom to ask: what the sender has written to the unit.
    private const Categories Suggested = Existence | Identity | SocialSituation | Meetings;

    // What a life may hang on during a night. Never whereabouts, risk or third parties; nor contact details, which the one at hand does not need.
    private const Categories InEmergency = Existence | Identity | Health | GoalsAndInterventions | ProtectionMeasures;

    public static readonly Rule[] Rules =
    [
        // Anyone employed in social services or health care may and must see to it that a plan is begun (SoL 10:8, HSL 16:4). How the person is
        // protected is found out at that moment; it decides what is read back.
        new(Act.CreatePlan, CaseWorkers, Relation.None, Needs.UnitOfPrincipal | Needs.BecomesOwner, Writes: Frame, Basis: Basis.RoleAlone),

        // A school may propose one. Sending asks nothing about the person, so that it answers alike for everyone. Each suggestion in the receiving unit's list
        // is decided by the row of answering it: who may answer may read.
        new(Act.SuggestPlan, Roles.Of(SchoolContact), Relation.None, Needs.SchoolUnit, Reads: Existence, Writes: Existence, Basis: Basis.RoleAlone),
        new(Act.ReadSuggestions, CaseWorkers, Relation.None, Needs.UnitOfPrincipal, Reads: Suggested, Basis: Basis.RoleAlone),
        new(Act.AnswerSuggestion, CaseWorkers, Relation.None, Needs.UnitOfPrincipal | Needs.SomePerson | Needs.ResponsibleUnit, Reads: Suggested, Writes: Existence,
            Basis: Basis.RoleAlone),

        // The own caseload, and a person's plans by the lawful search terms (förordning 2001:637 15 §): the list itself needs only the role;
        // every plan in it is then decided by the two rows of ReadPlan.
        new(Act.ListPlans, Participants, Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.FindPlans, Participants, Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.ReadPlan, CaseWorkers, Relation.Owning),
        new(Act.ReadPlan, Participants, Relation.Participating),

        // The frame belongs to the owning unit; health care writes its own account where it may read it.
        new(Act.UpdatePlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Frame),
        new(Act.UpdatePlan, HealthCare, Relation.Participating, Needs.HealthCareUnit | Needs.OpenPlan, Writes: Health),
        new(Act.EstablishPlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Existence),
        new(Act.ClosePlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Existence | Meetings),
        // The steps between, and no plan at all, are the owning unit's to record (docs/law.md says what each demands).
        new(Act.AdvancePlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Existence | Meetings),
        new(Act.ReopenPlan, CaseWorkers, Relation.Owning, Needs.ClosedPlan, Writes: Existence),

        // The owning unit calls; a called unit answers for itself.
        new(Act.WriteMeeting, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings),
        new(Act.ReplyToCall, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings),
        new(Act.ReplyToCall, Participants, Relation.Participating, Needs.OpenPlan, Writes: Existence),
        // Whoever may know of the plan may know when it is to come. The calls of others, agenda and minutes are MEETINGS and stay that.
        new(Act.ReadOwnCalls, CaseWorkers, Relation.Owning),
        new(Act.ReadOwnCalls, Participants, Relation.Participating),
        // A region's system answers for a unit of its own, by what is released to that unit.
        new(Act.ReplyToCall, Systems, Relation.Participating, Needs.HealthCareUnit | Needs.OpenPlan, Writes: Existence),
        new(Act.ReadOwnCalls, Systems, Relation.Participating, Needs.HealthCareUnit),

        // Goals and others' measures are the owning unit's to write down; an intervention is its responsible unit's.
        new(Act.WriteGoal, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteOtherMeasure, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: GoalsAndInterventions),
        // The owning unit writes new ones down for everybody, and ends those of a unit that has left.
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.NewItem | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnit | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, CaseWorkers, Relation.Owning, Needs.ResponsibleUnitGone | Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.WriteIntervention, Interveners, Relation.Participating, Needs.ResponsibleUnit | Needs.OpenPlan, Writes: GoalsAndInterventions),

        // Who takes part, and what the person has agreed to, is the owning unit's to record. A withdrawal is always recorded (OSL 10:1, 12:2).
        new(Act.WriteParticipation, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings | Whereabouts),
        // What a region's system says of it waits for the owning unit. The call itself needs only the role; each plan that it speaks of is then decided by the
        // rows of reading, for the units of the system's organisation: of a plan that none of them may know of it cannot speak.
        new(Act.SyncParticipations, Systems, Relation.None, Needs.HealthCareUnit | Needs.EachPlanDecided, Reads: Existence, Writes: Existence, Basis: Basis.RoleAlone),
        new(Act.ReadSyncedParticipations, CaseWorkers, Relation.Owning),
        new(Act.ReadSyncedParticipations, Systems, Relation.Owning, Needs.HealthCareUnit, Reads: Existence | Meetings),
        new(Act.ReadSyncedParticipations, Systems, Relation.Participating, Needs.HealthCareUnit),
        new(Act.AnswerSyncedParticipation, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings),
        new(Act.RecordConsent, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: ConsentDocuments),
        new(Act.WithdrawConsent, CaseWorkers, Relation.Owning, Writes: ConsentDocuments),

        // A release on legal ground (OSL 10:15 a, 25:12, 26:9) is the owning unit's, as controller, to decide and to end, also when the plan is
        // closed; its manager reviews it.
        new(Act.WriteRelease, CaseWorkers, Relation.Owning, Writes: ConsentDocuments, Obliges: Obligations.ReviewAfterwards),
        new(Act.ReviewRelease, Managers, Relation.Owning, Writes: ConsentDocuments),

        // How a person is protected (folkbokföringslag 16-17 §§, OSL 21:3, 21:3 a, 22:1) is decided by the social services that own the plan.
        // Health care that owns one blocks (PDL 4:4) and reads what is decided. A danger does not end with the plan, so none needs an open one.
        new(Act.ReadProtection, CaseWorkers, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons),
        new(Act.ReadProtection, CaseWorkers, Relation.Owning, Needs.HealthCareUnit | Needs.ForProtectedPersons),
        new(Act.WriteProtectionLevel, CaseWorkers, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),
        new(Act.WriteLocationSecrecy, CaseWorkers, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),
        new(Act.WriteBlock, CaseWorkers, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),
        new(Act.WriteBlock, CaseWorkers, Relation.Owning, Needs.HealthCareUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),

        // Other plans are the owning unit's to link; a stay in inpatient care is noted by whoever in health care takes part, or the owning unit (2017:612).
        new(Act.WriteRelatedPlan, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Meetings),
        new(Act.WriteDischarge, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: Health),
        new(Act.WriteDischarge, HealthCare, Relation.Participating, Needs.HealthCareUnit | Needs.OpenPlan, Writes: Health),
        new(Act.WriteDischarge, Systems, Relation.Participating, Needs.HealthCareUnit | Needs.OpenPlan, Writes: Health),

        // A copy is what may be read, on paper (PDL 3:11): the owning unit issues the person's, and everybody its own.
        new(Act.IssueCopy, CaseWorkers, Relation.Owning, Writes: Existence),
        new(Act.IssueCopy, Participants, Relation.Participating, Writes: Existence),
        new(Act.ListCopies, CaseWorkers, Relation.Owning),
        new(Act.ListCopies, Participants, Relation.Participating),

        // A unit agrees to what it may read, for itself.
        new(Act.AnswerProposal, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: GoalsAndInterventions),
        new(Act.AnswerProposal, Agreeing, Relation.Participating, Needs.OpenPlan, Writes: GoalsAndInterventions),

        // Risk is assessed by the social services (HSLF-FS 2022:39) and stays with the unit that owns the plan; others learn of protection measures that
        // concern them.
        new(Act.ReadRiskAssessment, SocialServices, Relation.Owning, Needs.SocialServicesUnit, Reads: RiskAssessment),
        new(Act.WriteRiskAssessment, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.OpenPlan, Reads: RiskAssessment, Writes: RiskAssessment),

        new(Act.WriteProtectionMeasure, CaseWorkers, Relation.Owning, Needs.OpenPlan, Writes: ProtectionMeasures),

        // Where the person stays is known to those who placed the person there and to the housing itself, and to nobody else: no release, no
        // consent and no emergency opens it (OSL 26:1, 21:3). Health care that owns a plan does not know it either.
        new(Act.ReadWhereabouts, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Reads: Whereabouts),
        new(Act.ReadWhereabouts, Roles.Of(ShelterContactPerson), Relation.Participating, Needs.Placement | Needs.ForProtectedPersons,
            Reads: Whereabouts, Basis: Basis.Placement),
        new(Act.WriteWhereabouts, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons,
            Reads: Whereabouts, Writes: Whereabouts),

        // Whether a document tells where the person is can be told only to those who know it, and so can what was sent. Invoices come after the plan is closed.
        new(Act.DiscloseDocument, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons, Writes: ConsentDocuments),
        new(Act.ReadDisclosures, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons),

        // How a placed child's schooling is arranged is the owning social services' to know and to write, like the whereabouts that it narrows down; the
        // housing where the child stays reads of it what is released to it. The school reads what it may have of its own pupil, and reports attendance,
        // from its own system too: as long as the arrangement lasts, and never without a release (skollagen 29:13, OSL 26:1).
        new(Act.ReadSchooling, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons),
        new(Act.ReadSchooling, Roles.Of(ShelterContactPerson), Relation.Participating, Needs.Placement | Needs.ForProtectedPersons),
        new(Act.WriteSchooling, SocialServices, Relation.Owning, Needs.SocialServicesUnit | Needs.ForProtectedPersons | Needs.OpenPlan,
            Writes: Schooling | SchoolPlacement),
        new(Act.ReadPupil, Roles.Of(SchoolContact), Relation.Participating, Needs.Pupil),
        new(Act.ReportAttendance, Roles.Of(SchoolContact, SystemIntegration), Relation.Participating, Needs.Pupil | Needs.OpenPlan, Writes: Schooling),

        // Emergency access (PDL 4:5): for the one who has no ordinary right and cannot wait. Opening it asks nothing about the person, so that
        // it answers alike for everyone; the owning unit hears of it at once, and its manager reviews it, also when the plan has closed since.
        new(Act.OpenEmergencyAccess, HealthCare, Relation.None, Needs.HealthCareUnit, Reads: Existence, Writes: Existence, Basis: Basis.Emergency,
            Obliges: Obligations.AlertOwningUnit | Obligations.ReviewAfterwards),
        new(Act.OpenEmergencyAccess, SocialServices, Relation.None, Needs.SocialServicesUnit, Reads: Existence, Writes: Existence,
            Basis: Basis.Emergency, Obliges: Obligations.AlertOwningUnit | Obligations.ReviewAfterwards),
        new(Act.ReadInEmergency, HealthCare, Relation.None, Needs.HealthCareUnit | Needs.SomePlan | Needs.Emergency, Reads: InEmergency,
            Basis: Basis.Emergency, Obliges: Obligations.AlertOwningUnit),
        new(Act.ReadInEmergency, SocialServices, Relation.None, Needs.SocialServicesUnit | Needs.SomePlan | Needs.Emergency, Reads: InEmergency,
            Basis: Basis.Emergency, Obliges: Obligations.AlertOwningUnit),
        new(Act.ReviewEmergencyAccess, Managers, Relation.Owning, Writes: ConsentDocuments),

        // Who answers for the access must be able to see who has it (SoLPuL 10 §, PDL 4:2), without reading what the plan says.
        new(Act.ExplainAccess, Managers, Relation.Owning, Reads: Existence | Meetings | ConsentDocuments, Basis: Basis.Oversight),
        new(Act.ExplainAccess, Roles.Of(DataProtectionOfficer), Relation.None, Needs.SomePlan | Needs.OwnOrganisation,
            Reads: Existence | Meetings | ConsentDocuments, Basis: Basis.Oversight),
        new(Act.ListTasks, Agreeing, Relation.None, Needs.EachPlanDecided, Reads: Existence | ConsentDocuments, Basis: Basis.RoleAlone),
        new(Act.ListTasks, Reviewers, Relation.None, Needs.EachPlanDecided, Reads: Existence | ConsentDocuments, Basis: Basis.LogReviewDuty),

        // Everybody who is employed can shut himself out of a relative's case, without learning whether there is one.
        new(Act.DeclareRelation, Roles.AllEmployees, Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),

        // Disposal (gallring; arkivlag 10 §, PDL 3:17) destroys what cannot be brought back: a manager's decision, of closed plans only.
        new(Act.DisposeSubject, Managers, Relation.Owning, Needs.ClosedPlan, Reads: Existence, Writes: Existence),

        // A log reviewer never reads plan content; an administrator never reads plans.
        new(Act.SearchAccessLog, Reviewers, Relation.None, Reads: AccessLog, Basis: Basis.LogReviewDuty),
        // That the log is complete is for everyone to check who has a receipt or reviews; a proof tells nothing of persons.
        new(Act.ReadLogProofs, Reviewers, Relation.None, Reads: Categories.Directory, Basis: Basis.LogReviewDuty),
        new(Act.ReadLogProofs, Roles.Of(SystemIntegration), Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),
        // Disposal of what a log says (gallring; HSLF-FS 2016:40 4:9, arkivlag 10 §) takes two reviewers of whose log it is. Never a data protection officer, who is
        // to judge it and therefore does not decide it (GDPR art. 38.6).
        new(Act.WriteLogDisposal, Roles.Of(LogReviewer), Relation.None, Reads: AccessLog, Writes: AccessLog, Basis: Basis.LogReviewDuty),
        // A system keeps its organisation's data in step: the feed itself needs only the role; what it is told of each plan is decided for each unit of its organisation, by
        // what is released to that unit. Of a plan that the unit owns: that it is there, and who meets. A sheltered
        // housing is told nothing that way: that it takes part is where the person is.
        new(Act.ReadChanges, Roles.Of(SystemIntegration), Relation.None, Needs.EachPlanDecided, Basis: Basis.RoleAlone),
        new(Act.AcknowledgeChanges, Roles.Of(SystemIntegration), Relation.None, Reads: Existence, Writes: Existence, Basis: Basis.RoleAlone),
        new(Act.ReceiveChanges, Roles.Of(SystemIntegration), Relation.Owning, Needs.NoHousing, Reads: Existence | Meetings),
        new(Act.ReceiveChanges, Roles.Of(SystemIntegration), Relation.Participating, Needs.NoHousing),
        new(Act.ReadDelivery, CaseWorkers, Relation.Owning),
        // Counts without persons are a statistician's and nobody else's (SoLPuL 7 a §): who knows single cases could take them from a count.
        new(Act.ReadIndicators, Roles.Of(Statistician), Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),
        // A board's routine is registered by those who answer for its work; whose board it is follows from the unit.
        new(Act.WriteRoutine, Managers, Relation.None, Needs.SocialServicesUnit, Reads: Categories.Directory, Writes: Categories.Directory, Basis: Basis.RoleAlone),
        new(Act.ReadDirectory, Roles.All, Relation.None, Reads: Categories.Directory, Basis: Basis.RoleAlone),
        new(Act.WriteDirectory, Roles.Of(DirectoryAdministrator), Relation.None, Needs.OwnOrganisation,
            Reads: Categories.Directory, Writes: Categories.Directory, Basis: Basis.DirectoryAdministration),
    ];

    private static readonly Rule[][] ByAct =
        [.. Enumerable.Range(0, (int)Enum.GetValues<Act>().Max() + 1).Select(number => Rules.Where(rule => (int)rule.Act == number).ToArray())];

    /// <summary>The acts about one plan that there is.</summary>
    public static readonly Act[] AboutAPlan = [.. Enum.GetValues<Act>().Where(act => RowsOf(act) is [{ IsAboutAPlan: true }, ..])];

    /// <summary>The rows of an act; none for a number that is not an act.</summary>
    public static ReadOnlySpan<Rule> RowsOf(Act act) => (uint)act < (uint)ByAct.Length ? ByAct[(int)act] : [];

    private const Categories OfASchoolsSystem = Existence | Schooling;
    private const Categories OfARegionsSystem = Existence | Meetings | Health;

    private const Categories OwnerEverything = AccessPolicy.Releasable | ThirdParties | ConsentDocuments | RiskAssessment | Whereabouts;

    /// <summary>
    /// What the owning unit reads of any plan. Where health care owns the plan, the social services' risk assessments and the whereabouts are not in it,
    /// whatever the roles of those who work there are called.
    /// </summary>
    public static Categories OwnerReads(in Caller caller) => caller switch
    {
        { Role: SocialCaseWorker or UnitManager, UnitKind: UnitKind.SocialServices } => OwnerEverything,
        { Role: SocialCaseWorker or UnitManager or HealthCareProfessional or NamedCareContact } => OwnerEverything & ~(RiskAssessment | Whereabouts),
        _ => None,
    };

    /// <summary>What the owning unit reads of this plan: where the child goes to school, others than the social services only while that hides nothing.</summary>
    public static Categories OwnerReads(in Caller caller, in Facts facts) =>
        OwnerReads(caller) & (caller.UnitKind == UnitKind.SocialServices ? ~None : ~HiddenSchool(facts));

    /// <summary>The most that a caller can have of this plan by release: an alias that is agreed with a school takes the identity from whoever works there.</summary>
    public static Categories ParticipantCeiling(in Caller caller, in Facts facts) => caller.Role == SystemIntegration
        ? OfASystemIn(caller.UnitKind)
        : ParticipantCeiling(caller.Role) & (IsOfASchool(caller) && !facts.NoAlias ? ~Identity : ~None);

    /// <summary>A system never has more than those it works for need it to: a school does not learn who else takes part, nor does a unit of which nobody knows what it is.</summary>
    private static Categories OfASystemIn(UnitKind kind) => kind switch
    {
        UnitKind.HealthCare => OfARegionsSystem,
        UnitKind.SocialServices or UnitKind.Support => OfASchoolsSystem | Meetings,
        _ => OfASchoolsSystem,
    };

    /// <summary>
    /// By what released the caller knows of this plan at all: by what it may read itself; a region's system, which acts for the unit, by whatever the unit may read.
    /// </summary>
    public static Categories KnowsBy(in Caller caller, in Facts facts) =>
        caller is { Role: SystemIntegration, UnitKind: UnitKind.HealthCare } ? AccessPolicy.Releasable : ParticipantCeiling(caller, facts);

    /// <summary>Works in a school, or as one who does, or in a unit of which nobody knows what it is.</summary>
    public static bool IsOfASchool(in Caller caller) => caller.UnitKind is UnitKind.School or UnitKind.Unspecified || caller.Role == SchoolContact;

    /// <summary>
    /// Where a child goes to school narrows down where it stays: nobody's by release, while the person is protected or placed, or nobody knows.
    /// </summary>
    public static Categories HiddenSchool(in Facts facts) => facts is { Protection: ProtectionLevel.None, Unplaced: true } ? None : SchoolPlacement;

    /// <summary>The most that a role can have by release, whatever a consent or a legal ground says.</summary>
    public static Categories ParticipantCeiling(Role role) => role switch
    {
        SocialCaseWorker or UnitManager or HealthCareProfessional or NamedCareContact => AccessPolicy.Releasable,
        // Not goals and interventions: they name the other parties. Never the home municipality, the violence, the risk.
        SchoolContact => Existence | Identity | ContactDetails | Schooling | ProtectionMeasures,
        ShelterContactPerson =>
            Existence | Identity | ContactDetails | GoalsAndInterventions | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings | SchoolPlacement,
        // What a system needs to stay in step, and to read back what it has reported.
        SystemIntegration => OfASchoolsSystem | OfARegionsSystem,
        SupportProvider => Existence | Identity | GoalsAndInterventions | ProtectionMeasures | Meetings,
        _ => None,
    };

    /// <summary>
    /// What is read by the owning unit alone because of how the person is protected: with an assumed identity, the old and the new one must not
    /// be joinable by anyone else. A level that is not known may be that one.
    /// </summary>
    public static Categories OwnersAlone(ProtectionLevel level) => IsHighest(level) ? Identity | ContactDetails : None;

    /// <summary>Everything but the levels that are known to be lower.</summary>
    public static bool IsHighest(ProtectionLevel level) =>
        level is not (ProtectionLevel.None or ProtectionLevel.ConfidentialityMarked or ProtectionLevel.ProtectedPopulationRegistration);

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
