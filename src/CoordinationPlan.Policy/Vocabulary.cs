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
}
