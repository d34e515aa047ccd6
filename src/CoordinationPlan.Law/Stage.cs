namespace CoordinationPlan.Law;

/// <summary>Where a plan stands. Names and numbers are those of the contract's PlanState; a test compares them.</summary>
public enum Stage
{
    Unspecified = 0,
    Preparing = 1,
    Established = 2,
    Closed = 3,
    Noted = 4,
    ConsentSought = 5,
    Refused = 6,
    Declined = 7,
    Summoned = 8,
    Met = 9,
    InFollowUp = 10,
}

/// <summary>A step from one stage to another.</summary>
/// <param name="From">From where.</param>
/// <param name="To">To where.</param>
/// <param name="Method">The RPC of PlanService that takes it, and so, by the access policy, who may.</param>
/// <param name="Demands">What must be there.</param>
/// <param name="Effect">What else happens then.</param>
public sealed record Step(IReadOnlyList<Stage> From, Stage To, string Method, IReadOnlyList<Condition> Demands, string Effect = "");
