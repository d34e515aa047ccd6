namespace CoordinationPlan.Server.Database;

/// <summary>
/// Which database role a piece of work runs as. Each has just the rights that its work needs (see migration 0001): a fault in one cannot
/// reach what is another's.
/// </summary>
public enum DatabaseRole
{
    /// <summary>Work with cases. Adds to the access log and cannot read it.</summary>
    Case,

    /// <summary>Searches of the access log. Reads no plan.</summary>
    LogReview,

    /// <summary>The directory. Reads no plan.</summary>
    Directory,
}
