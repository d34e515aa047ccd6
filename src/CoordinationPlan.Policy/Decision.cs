namespace CoordinationPlan.Policy;

/// <summary>A permit with what it covers, or a refusal with its reason. The default value is a refusal.</summary>
public readonly record struct Decision
{
    /// <summary>Whether the act may be done.</summary>
    public bool IsPermit { get; private init; }

    /// <summary>Which categories may be read. Everything else is neither fetched nor sent.</summary>
    public Categories Reads { get; private init; }

    /// <summary>Which categories may be changed.</summary>
    public Categories Writes { get; private init; }

    /// <summary>What the permit rests on.</summary>
    public Basis Basis { get; private init; }

    /// <summary>Why it was refused.</summary>
    public RefusalReason Reason { get; private init; }

    /// <summary>What must be done with it, also with a refusal.</summary>
    public Obligations Obligations { get; private init; }

    /// <summary>A permit.</summary>
    public static Decision Permit(Categories reads, Categories writes, Basis basis, Obligations obligations = Obligations.None) =>
        new() { IsPermit = true, Reads = reads, Writes = writes, Basis = basis, Obligations = obligations };

    /// <summary>A refusal.</summary>
    public static Decision Refuse(RefusalReason reason, Obligations obligations = Obligations.None) => new() { Reason = reason, Obligations = obligations };
}
