using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;

namespace CoordinationPlan.Server.Oversight;

/// <summary>One assignment under one of its purposes, with what the policy must know of it and the plan.</summary>
internal sealed record Candidate(string AssignmentId, string? EmployeeId, CallerFacts Facts, Purpose Purpose, PlanFacts Plan)
{
    /// <summary>As if the assignment's holder called with it now, with a login of the level that the policy asks for.</summary>
    public Caller Caller => PolicyInputs.AsIfCalling(Facts, Purpose);
}
