namespace CoordinationPlan.Development;

/// <summary>An employee who can sign in.</summary>
/// <param name="EmployeeId">Such as an HSA-id.</param>
/// <param name="AssuranceUri">The level of assurance that the sign-in is said to have had.</param>
/// <param name="AssignmentId">The assignment the employee works under unless the sign-in asks for another.</param>
/// <param name="ExtraClaims">Further claims of the token. They never replace those that the provider itself sets.</param>
public sealed record DevelopmentEmployee(
    string EmployeeId,
    string AssuranceUri,
    string? AssignmentId = null,
    IReadOnlyDictionary<string, string>? ExtraClaims = null);
