using Npgsql;

namespace CoordinationPlan.Server.Database;

/// <summary>One connection pool for each database role.</summary>
public sealed class DataSources : IAsyncDisposable
{
    private readonly NpgsqlDataSource[] _pools;

    public DataSources(DatabaseOptions options)
    {
        _pools = [.. Enum.GetValues<DatabaseRole>().Select(role => Build(options, role))];
    }

    /// <summary>The pool of a role.</summary>
    public NpgsqlDataSource For(DatabaseRole role) => _pools[(int)role];

    /// <summary>The login name of a role in PostgreSQL.</summary>
    public static string LoginOf(DatabaseRole role) => role switch
    {
        DatabaseRole.Case => "coordplan_case",
        DatabaseRole.LogReview => "coordplan_log_review",
        DatabaseRole.Directory => "coordplan_directory",
        DatabaseRole.Sequencer => "coordplan_sequencer",
        DatabaseRole.Publisher => "coordplan_publisher",
        DatabaseRole.Disposer => "coordplan_disposer",
        DatabaseRole.Feed => "coordplan_feed",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in _pools)
        {
            await pool.DisposeAsync();
        }
    }

    private static NpgsqlDataSource Build(DatabaseOptions options, DatabaseRole role)
    {
        var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Username = LoginOf(role),
            ApplicationName = "coordplan " + role.ToString().ToLowerInvariant(),
            SearchPath = "coordinationplan",
            MaxPoolSize = role == DatabaseRole.Case ? options.MaxConnections : Math.Max(4, options.MaxConnections / 4),
            // Every statement of the service is a constant text, so all of them are prepared on their second use.
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            CommandTimeout = 15,
            // The pool hands out the connection that has been idle longest, so surplus ones keep every backend's caches cold: with them a lone
            // caller waits a sixth longer. They go when calls get fewer.
            ConnectionIdleLifetime = 5,
            ConnectionPruningInterval = 1,
            // Neither values nor details of rows in exceptions, spans or logs.
            IncludeErrorDetail = false,
            LogParameters = false,
            // A request leaves no session state behind: no SET, no temporary tables, no session locks.
            NoResetOnClose = true,
        };
        if (options.PasswordOf(role) is { Length: > 0 } password)
        {
            connection.Password = password;
        }

        return new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "coordplan-" + role.ToString().ToLowerInvariant() }.Build();
    }
}
