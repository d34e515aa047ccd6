namespace CoordinationPlan.Development;

/// <summary>The client systems of development: who calls the service, each with a certificate of its own.</summary>
public static class DevelopmentClients
{
    /// <summary>The city's case system for social services.</summary>
    public const string SocialServices = "case-system-social";

    /// <summary>The region's case system for health care.</summary>
    public const string HealthCare = "case-system-care";

    /// <summary>The schools' system.</summary>
    public const string School = "case-system-school";

    /// <summary>The region's integration, which calls for itself.</summary>
    public const string RegionIntegration = "region-integration";

    /// <summary>A school organiser's pupil register, which calls for itself.</summary>
    public const string SchoolRegister = "school-register";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [SocialServices, HealthCare, School, RegionIntegration, SchoolRegister];

    /// <summary>The organisation in a system's certificate.</summary>
    public static string OrganisationOf(string clientId) => clientId switch
    {
        SocialServices => "Stockholms stad",
        School or SchoolRegister => "Skolhuvudman",
        _ => "Region Stockholm",
    };
}
