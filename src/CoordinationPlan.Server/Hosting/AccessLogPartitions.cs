using CoordinationPlan.Server.Database;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Makes the access log's partitions ahead of time, at start and daily. A month without a partition could not be logged, and so not served.
/// </summary>
internal sealed class AccessLogPartitions(DataSources dataSources, ILogger<AccessLogPartitions> log) : RepeatedWork
{
    private const int MonthsAhead = 24;

    protected override TimeSpan Every => TimeSpan.FromDays(1);

    protected override async Task Work(CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Case).OpenConnectionAsync(stop);
        await using var command = new NpgsqlCommand("SELECT ensure_access_log_partitions($1)", connection) { Parameters = { Parameter.Of(MonthsAhead) } };
        await command.ExecuteNonQueryAsync(stop);
    }

    protected override void Failed(string kind, string? sqlState, bool isNews) =>
        log.LogError("Partitions of the access log could not be made ahead: {Kind}, SQLSTATE {SqlState}; the next try is tomorrow", kind, sqlState);
}
