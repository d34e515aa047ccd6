using static CoordinationPlan.Policy.Categories;
using static CoordinationPlan.Policy.Role;

namespace CoordinationPlan.Policy.Tests;

/// <summary>What the tests expect of each role, written down a second time and apart from the rule book.</summary>
internal static class Expected
{
    public static readonly Role[] CaseWorkers = [SocialCaseWorker, UnitManager, HealthCareProfessional, NamedCareContact];

    /// <summary>Roles that work with persons. The others never get anything of a case.</summary>
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
            | GoalsAndInterventions | SocialSituation | Health | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings,
        SchoolContact => Existence | Identity | ContactDetails | Schooling | ProtectionMeasures,
        ShelterContactPerson => Existence | Identity | ContactDetails | GoalsAndInterventions | Schooling | ProtectionMeasures | ChildsOwnWords | Meetings,
        SupportProvider => Existence | Identity | GoalsAndInterventions | ProtectionMeasures | Meetings,
        _ => None,
    };

    public static bool IsCaseWorker(this Caller caller) => CaseWorkers.Contains(caller.Role);

    public static bool IsSocial(this Caller caller) => caller.Role is SocialCaseWorker or UnitManager;

    public static bool HousesThePerson(this Caller caller) => caller is { Role: ShelterContactPerson, UnitKind: UnitKind.ShelteredHousing };
}
