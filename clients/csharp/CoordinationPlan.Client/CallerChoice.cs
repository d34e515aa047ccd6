using CoordinationPlan.V1;

namespace CoordinationPlan.Client;

/// <summary>For whom calls are made: each call is made under exactly one assignment and for one purpose.</summary>
/// <param name="Assignment">`assignments/{assignment}`, one of the employee's (or the system's) in the directory.</param>
/// <param name="Purpose">What for.</param>
/// <param name="AccessToken">Gives a valid access token; asked for every call, so it should keep the token until shortly before it expires.</param>
public sealed record CallerChoice(string Assignment, Purpose Purpose, Func<CancellationToken, Task<string>> AccessToken)
{
    /// <summary>For which unit of its organisation a system calls, `units/{unit}`; null for the unit of its assignment. Employees leave it out.</summary>
    public string? Unit { get; init; }
}
