namespace CoordinationPlan.Server.Database;

/// <summary>
/// Which database role a piece of work runs as. Each has just the rights that its work needs (see migrations 0001, 0009 to 0011): a fault in one cannot
/// reach what is another's.
/// </summary>
public enum DatabaseRole
{
    /// <summary>Work with cases. Adds to the access log, and cannot read what it says.</summary>
    Case,

    /// <summary>Searches of the access log. Reads no plan.</summary>
    LogReview,

    /// <summary>The directory. Reads no plan.</summary>
    Directory,

    /// <summary>Puts the log's entries in the trees. Reads no plan, and changes no entry.</summary>
    Sequencer,

    /// <summary>Keeps what was signed of the trees. Reads neither plans nor entries.</summary>
    Publisher,

    /// <summary>Removes entries that an approved disposal covers. Reads no plan.</summary>
    Disposer,

    /// <summary>Puts changes in order for the systems that are told of them. Reads what decides who may know, and no content.</summary>
    Feed,
}
