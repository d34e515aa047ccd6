namespace CoordinationPlan.Server.Database;

/// <summary>Configuration section <c>Database</c>.</summary>
public sealed class DatabaseOptions
{
    /// <summary>Npgsql connection string without user name; each role logs in under its own name.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Password of coordplan_case, where password authentication is used. Certificates or peer authentication need none.</summary>
    public string? CasePassword { get; set; }

    /// <summary>Password of coordplan_log_review.</summary>
    public string? LogReviewPassword { get; set; }

    /// <summary>Password of coordplan_directory.</summary>
    public string? DirectoryPassword { get; set; }

    /// <summary>Password of coordplan_sequencer.</summary>
    public string? SequencerPassword { get; set; }

    /// <summary>Password of coordplan_publisher.</summary>
    public string? PublisherPassword { get; set; }

    /// <summary>Password of coordplan_disposer.</summary>
    public string? DisposerPassword { get; set; }

    /// <summary>Password of coordplan_feed.</summary>
    public string? FeedPassword { get; set; }

    /// <summary>At most this many connections for work with cases; the other roles take a quarter each.</summary>
    public int MaxConnections { get; set; } = 32;

    internal string? PasswordOf(DatabaseRole role) => role switch
    {
        DatabaseRole.Case => CasePassword,
        DatabaseRole.LogReview => LogReviewPassword,
        DatabaseRole.Sequencer => SequencerPassword,
        DatabaseRole.Publisher => PublisherPassword,
        DatabaseRole.Disposer => DisposerPassword,
        DatabaseRole.Feed => FeedPassword,
        _ => DirectoryPassword,
    };
}
