using System.Text.RegularExpressions;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Resource names (AIP-122). Ids of cases are random UUIDs; ids of the directory are what HSA and the schools call things.
/// </summary>
internal static partial class ResourceName
{
    public const string Plans = "plans";
    public const string Goals = "goals";
    public const string Interventions = "interventions";
    public const string OtherMeasures = "otherMeasures";
    public const string Participations = "participations";
    public const string SyncedParticipations = "syncedParticipations";
    public const string Consents = "consents";
    public const string Releases = "releases";
    public const string RelatedPlans = "relatedPlans";
    public const string ProtectionMeasures = "protectionMeasures";
    public const string DischargeNotices = "dischargeNotices";
    public const string Copies = "copies";
    public const string Proposals = "proposals";
    public const string Meetings = "meetings";
    public const string RiskAssessments = "riskAssessments";
    public const string Disclosures = "disclosures";
    public const string Blocks = "blocks";
    public const string LocationSecrecies = "locationSecrecies";
    public const string EmergencyAccesses = "emergencyAccesses";
    public const string PlanSuggestions = "planSuggestions";
    public const string SchoolArrangements = "schoolArrangements";
    public const string Recalls = "recalls";
    public const string AccessLogEntries = "accessLogEntries";
    public const string Deliveries = "deliveries";
    public const string Pupil = "pupil";
    public const string Protection = "protection";
    public const string Whereabouts = "whereabouts";
    public const string Organisations = "organisations";
    public const string Boards = "boards";
    public const string Units = "units";
    public const string Employees = "employees";
    public const string Assignments = "assignments";

    /// <summary>Client systems, by the client id in their tokens. Not resources of the API; the log and the history name them.</summary>
    public const string Systems = "systems";

    public static string Plan(Guid plan) => $"{Plans}/{plan:D}";

    public static string Child(Guid plan, string collection, Guid id) => $"{Plans}/{plan:D}/{collection}/{id:D}";

    /// <summary>An emergency access as the one who opened it knows it. It names no plan, because there may be none.</summary>
    public static string EmergencyAccess(Guid access) => $"{EmergencyAccesses}/{access:D}";

    /// <summary>A suggestion names no plan, because there may be none.</summary>
    public static string PlanSuggestion(Guid suggestion) => $"{PlanSuggestions}/{suggestion:D}";

    /// <summary>A recall as its receiver knows it, who is to forget the plan.</summary>
    public static string Recall(Guid recall) => $"{Recalls}/{recall:D}";

    public static string AccessLogEntry(Guid entry) => $"{AccessLogEntries}/{entry:D}";

    /// <summary>The name of a directory entry, or empty where there is none.</summary>
    public static string Entry(string collection, string? id) => string.IsNullOrEmpty(id) ? "" : $"{collection}/{id}";

    /// <summary>The id of `plans/{plan}`, or null where the name is malformed.</summary>
    public static Guid? TryParsePlan(string name) =>
        name.StartsWith("plans/", StringComparison.Ordinal) && TryParseId(name.AsSpan("plans/".Length), out var plan) ? plan : null;

    /// <summary>Reads `plans/{plan}`; a malformed one is refused naming the field.</summary>
    public static Guid ParsePlan(string name, string field) =>
        TryParsePlan(name) is { } plan
            ? plan
            : throw Errors.InvalidFields(new FieldFault(field, "must be a name of the form plans/{plan}, as given by the service"));

    /// <summary>Reads `emergencyAccesses/{access}`.</summary>
    public static Guid ParseEmergencyAccess(string name, string field) => ParseAlone(name, EmergencyAccesses, "access", field);

    /// <summary>Reads `planSuggestions/{plan_suggestion}`.</summary>
    public static Guid ParsePlanSuggestion(string name, string field) => ParseAlone(name, PlanSuggestions, "plan_suggestion", field);

    /// <summary>Reads `recalls/{recall}`.</summary>
    public static Guid ParseRecall(string name, string field) => ParseAlone(name, Recalls, "recall", field);

    /// <summary>Reads `accessLogEntries/{entry}`.</summary>
    public static Guid ParseAccessLogEntry(string name, string field) => ParseAlone(name, AccessLogEntries, "entry", field);

    /// <summary>Reads `plans/{plan}/{collection}/{id}`.</summary>
    public static (Guid Plan, Guid Id) ParseChild(string name, string collection, string field)
    {
        var parts = name.Split('/');
        return parts is [Plans, var plan, var found, var id]
            && found == collection
            && TryParseId(plan, out var planId)
            && TryParseId(id, out var childId)
                ? (planId, childId)
                : throw Errors.InvalidFields(new FieldFault(field, $"must be a name of the form plans/{{plan}}/{collection}/{{id}}, as given by the service"));
    }

    /// <summary>Reads `plans/{plan}/{singleton}`: that of which a plan has just one.</summary>
    public static Guid ParseSingleton(string name, string singleton, string field) =>
        name.EndsWith("/" + singleton, StringComparison.Ordinal)
        && name.StartsWith("plans/", StringComparison.Ordinal)
        && TryParseId(name.AsSpan(6, name.Length - 6 - singleton.Length - 1), out var plan)
            ? plan
            : throw Errors.InvalidFields(new FieldFault(field, $"must be a name of the form plans/{{plan}}/{singleton}"));

    /// <summary>Reads `{collection}/{id}` of the directory.</summary>
    public static string ParseEntry(string name, string collection, string field) =>
        TryParseEntry(name, collection)
        ?? throw Errors.InvalidFields(new FieldFault(field, $"must be a name of the form {collection}/{{id}} with 1 to 64 letters, digits, hyphens, full stops, underscores or @"));

    /// <summary>Reads an optional reference to the directory: empty is none.</summary>
    public static string? ParseOptionalEntry(string name, string collection, string field) =>
        name.Length == 0 ? null : ParseEntry(name, collection, field);

    /// <summary>The id, or null where the name is malformed.</summary>
    public static string? TryParseEntry(string name, string collection) =>
        name.StartsWith(collection + "/", StringComparison.Ordinal) && EntryId().IsMatch(name.AsSpan(collection.Length + 1)) ? name[(collection.Length + 1)..] : null;

    /// <summary>Reads `{collection}/{id}` of a case, where no plan comes first.</summary>
    public static Guid ParseAlone(string name, string collection, string id, string field) =>
        name.StartsWith(collection + "/", StringComparison.Ordinal) && TryParseId(name.AsSpan(collection.Length + 1), out var found)
            ? found
            : throw Errors.InvalidFields(new FieldFault(field, $"must be a name of the form {collection}/{{{id}}}, as given by the service"));

    /// <summary>Thirty-six characters exactly: the parser alone would overlook white space.</summary>
    private static bool TryParseId(ReadOnlySpan<char> text, out Guid id)
    {
        id = default;
        return text.Length == 36 && Guid.TryParseExact(text, "D", out id);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._@-]{1,64}\z")]
    private static partial Regex EntryId();
}
