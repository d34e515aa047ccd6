namespace CoordinationPlan.Policy;

// The policy's own words. Names and numbers are those of the contract (protos/coordinationplan/v1); a test compares them.

/// <summary>What a caller does. Each RPC declares one.</summary>
public enum Act
{
    Unspecified = 0,
    CreatePlan = 1,
    ReadPlan = 2,
    ListPlans = 3,
    UpdatePlan = 4,
    EstablishPlan = 5,
    ClosePlan = 6,
    WriteGoal = 7,
    WriteIntervention = 8,
    WriteOtherMeasure = 9,
    WriteParticipation = 10,
    RecordConsent = 11,
    WithdrawConsent = 12,
    SearchAccessLog = 13,
    ReadDirectory = 14,
    WriteDirectory = 15,
    ReadProtection = 16,
    WriteProtectionLevel = 17,
    ReadWhereabouts = 18,
    WriteWhereabouts = 19,
    WriteLocationSecrecy = 20,
    WriteBlock = 21,
    DeclareRelation = 22,
    WriteRelease = 23,
    ReviewRelease = 24,
    OpenEmergencyAccess = 25,
    ReadInEmergency = 26,
    ReviewEmergencyAccess = 27,
    FindPlans = 28,
    ExplainAccess = 29,
    ListTasks = 30,
    DisposeSubject = 31,
    AdvancePlan = 32,
    ReopenPlan = 33,
    WriteMeeting = 34,
    ReplyToCall = 35,
    ReadRiskAssessment = 36,
    WriteRiskAssessment = 37,
    AnswerProposal = 38,
    WriteRelatedPlan = 39,
    WriteDischarge = 40,
    SuggestPlan = 41,
    ReadSuggestions = 42,
    AnswerSuggestion = 43,
    ReadOwnCalls = 44,
    IssueCopy = 45,
    ListCopies = 46,
    ReadIndicators = 47,
    WriteRoutine = 48,
    DiscloseDocument = 49,
    ReadDisclosures = 50,
    WriteSchooling = 51,
    ReadSchooling = 52,
    ReadPupil = 53,
    ReportAttendance = 54,
    WriteProtectionMeasure = 56,
    ReadLogProofs = 57,
    WriteLogDisposal = 58,
    ReadChanges = 59,
    AcknowledgeChanges = 60,
    ReadDelivery = 61,
    SyncParticipations = 62,
    AnswerSyncedParticipation = 63,
    ReadSyncedParticipations = 64,
    ReceiveChanges = 65,
}

/// <summary>What the assignment lets the caller be. Opens nothing by itself.</summary>
public enum Role
{
    Unspecified = 0,
    SocialCaseWorker = 1,
    UnitManager = 2,
    HealthCareProfessional = 3,
    NamedCareContact = 4,
    SchoolContact = 5,
    ShelterContactPerson = 6,
    SupportProvider = 7,
    LogReviewer = 8,
    DataProtectionOfficer = 9,
    Statistician = 10,
    DirectoryAdministrator = 11,
    SystemIntegration = 12,
}

/// <summary>What the caller does it for.</summary>
public enum Purpose
{
    Unspecified = 0,
    SocialServicesCase = 1,
    CareAndTreatment = 2,
    Schooling = 3,
    LogReview = 4,
    Administration = 5,
    Support = 6,
    Statistics = 7,
}

/// <summary>What the caller's unit does.</summary>
public enum UnitKind
{
    Unspecified = 0,
    SocialServices = 1,
    HealthCare = 2,
    School = 3,
    ShelteredHousing = 4,
    Support = 5,
    Administration = 6,
}

/// <summary>How sure it is that the caller is who the token says: the Swedish levels of assurance (tillitsnivå).</summary>
public enum AssuranceLevel
{
    /// <summary>No claim, or one that the issuer's configuration does not know. Denies.</summary>
    Unknown = 0,
    Level2 = 2,
    Level3 = 3,
    Level4 = 4,
}

/// <summary>How a person is protected. Not known counts as the highest level.</summary>
public enum ProtectionLevel
{
    Unspecified = 0,
    None = 1,
    ConfidentialityMarked = 2,
    ProtectedPopulationRegistration = 3,
    AssumedIdentity = 4,
}

/// <summary>Who is kept out of a person's plans. A block beats every permit.</summary>
public enum Blocked
{
    /// <summary>Not looked up. Counts as blocked.</summary>
    Unknown = 0,

    /// <summary>Nobody has blocked this caller from this person.</summary>
    No = 1,

    /// <summary>The employee: the person, a relative, a colleague, someone linked to the violent person.</summary>
    Employee = 2,

    /// <summary>The caller's unit.</summary>
    Unit = 3,

    /// <summary>The employee is a guardian whom a decision keeps out.</summary>
    Guardian = 4,
}

/// <summary>What the person is to the caller's unit, where that is a school: by the arrangements in the plan, today.</summary>
public enum Pupil
{
    /// <summary>Not looked up. Counts as having left.</summary>
    Unknown = 0,

    /// <summary>No arrangement with the school has been secured.</summary>
    Never = 1,

    /// <summary>An arrangement with the school is secured and has not come to its last day.</summary>
    Now = 2,

    /// <summary>The person has left: what the school could read has ended, whatever releases say.</summary>
    Former = 3,
}

/// <summary>What the caller's unit is to the plan, today.</summary>
public enum Relation
{
    /// <summary>Nothing, or the act is not about a plan.</summary>
    None = 0,

    /// <summary>The unit takes part, inside the participation's period.</summary>
    Participating = 1,

    /// <summary>The unit opened the plan and owns it.</summary>
    Owning = 2,
}

/// <summary>Information categories as a set. The bit of a category is 1 shifted by its number in the contract.</summary>
[Flags]
public enum Categories
{
    None = 0,
    Existence = 1 << 1,
    Identity = 1 << 2,
    ContactDetails = 1 << 3,
    GoalsAndInterventions = 1 << 4,
    SocialSituation = 1 << 5,
    Health = 1 << 6,
    Schooling = 1 << 7,
    ProtectionMeasures = 1 << 8,
    RiskAssessment = 1 << 9,
    Whereabouts = 1 << 10,
    ThirdParties = 1 << 11,
    ChildsOwnWords = 1 << 12,
    Meetings = 1 << 13,
    ConsentDocuments = 1 << 14,
    Directory = 1 << 15,
    AccessLog = 1 << 16,
    SchoolPlacement = 1 << 17,
}

/// <summary>What a permit rests on. Logged.</summary>
public enum Basis
{
    None = 0,

    /// <summary>The caller's unit owns the plan.</summary>
    OwningUnit = 1,

    /// <summary>A consent releases the categories to the caller's unit.</summary>
    Release = 2,

    /// <summary>The act needs nothing but the role: opening a plan, listing one's own, reading the directory.</summary>
    RoleAlone = 3,

    /// <summary>The duty to review the log (PDL 4:3, SoLPuL 10 §).</summary>
    LogReviewDuty = 4,

    /// <summary>Administration of the own organisation's part of the directory, or the operator's of all.</summary>
    DirectoryAdministration = 5,

    /// <summary>A release on legal ground opens the categories to the caller's unit.</summary>
    LegalGround = 6,

    /// <summary>Emergency access, reviewed afterwards.</summary>
    Emergency = 7,

    /// <summary>The person stays in the caller's unit.</summary>
    Placement = 8,

    /// <summary>The unit manager's and the data protection officer's duty to know who can read.</summary>
    Oversight = 9,
}

/// <summary>Why the policy refused. Goes to the log in full; the caller gets one neutral text whatever the reason.</summary>
public enum RefusalReason
{
    None = 0,
    NoRule = 1,
    NoAssignment = 2,
    AssignmentNotInForce = 3,
    NoPurpose = 4,
    PurposeNotAssigned = 5,
    AssuranceTooLow = 6,
    RoleMayNot = 7,
    PurposeMayNot = 8,
    UnitMayNot = 9,
    NoSuchPlan = 10,
    NoRelation = 11,
    NoRelease = 12,
    NotResponsibleUnit = 13,
    OtherOrganisation = 14,
    ErrorInDeciding = 15,
    FieldMayNot = 16,

    /// <summary>The person is protected and the assignment is not for protected persons.</summary>
    NotForProtectedPersons = 17,

    /// <summary>The plan is closed; everything else would have permitted the act.</summary>
    PlanClosed = 18,

    /// <summary>No emergency access of this caller's is in force for this person.</summary>
    NoEmergencyAccess = 19,

    /// <summary>A block keeps the caller out, whatever else holds.</summary>
    Blocked = 20,

    /// <summary>The plan is not closed, and only a closed one is disposed of.</summary>
    PlanNotClosed = 21,
}

/// <summary>What a decision obliges to, whether it permits or refuses.</summary>
[Flags]
public enum Obligations
{
    None = 0,

    /// <summary>Tell the unit that owns the person's plans at once.</summary>
    AlertOwningUnit = 1 << 0,

    /// <summary>Tell those who review the log: somebody whom a block keeps out has tried.</summary>
    AlertReviewers = 1 << 1,

    /// <summary>See to it that a unit manager reviews it afterwards.</summary>
    ReviewAfterwards = 1 << 2,
}
