using CoordinationPlan.V1;

namespace CoordinationPlan.Development.Demonstration;

/// <summary>An invented employee, or system, of the demonstration.</summary>
/// <param name="Id">Employee id, or client id of a system.</param>
/// <param name="DisplayName">Shown in the demonstration; a function, not a person.</param>
/// <param name="UnitId">Where the assignment is.</param>
/// <param name="Role">As what.</param>
/// <param name="Purpose">What for.</param>
public sealed record DemonstrationEmployee(string Id, string DisplayName, string UnitId, Role Role, Purpose Purpose)
{
    /// <summary>The id of the one assignment.</summary>
    public string AssignmentId => $"{Id}-A1";

    /// <summary>Whether the assignment is for protected persons.</summary>
    public bool HandlesProtectedPersons { get; init; } = true;

    /// <summary>Whether it is a system that calls for itself.</summary>
    public bool IsSystem => Role == Role.SystemIntegration;
}
