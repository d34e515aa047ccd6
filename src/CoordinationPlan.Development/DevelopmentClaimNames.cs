namespace CoordinationPlan.Development;

/// <summary>
/// What a provider calls its claims. The defaults are those of Inera's identity provider for health care and social services.
/// </summary>
/// <param name="Employee">The claim with the employee's id.</param>
/// <param name="Assignment">The claim with the id of the assignment chosen for this sign-in.</param>
/// <param name="Assurance">The claim with the level of assurance.</param>
public sealed record DevelopmentClaimNames(
    string Employee = "employeeHsaId",
    string Assignment = "commissionHsaId",
    string Assurance = "acr");
