namespace CoordinationPlan.Development;

/// <summary>What a <see cref="LocalPostgres"/> needs to know.</summary>
public sealed record LocalPostgresOptions
{
    /// <summary>
    /// Where the data is, and stays between runs. Made when it is not there. The log, <c>postgres.log</c>, lies beside it.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>The directory of PostgreSQL's programs; null to take <c>COORDPLAN_PG_BIN</c>, or the newest version found.</summary>
    public string? BinDirectory { get; init; }

    /// <summary>A directory whose <c>node_modules</c> may hold an embedded PostgreSQL, for machines where none is installed.</summary>
    public string? SearchRoot { get; init; }

    /// <summary>The superuser of a cluster that is made here.</summary>
    public string Superuser { get; init; } = "postgres";

    /// <summary>
    /// Further settings of the server, such as <c>shared_buffers</c>. What makes a commit durable is on unless it is turned off here.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
