using CoordinationPlan.Server.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Makes the access log's partitions ahead of time, at start and daily. A month without a partition could not be logged, and so not served.
/// </summary>
internal sealed class AccessLogPartitions(DataSources dataSources, TimeProvider time, ILogger<AccessLogPartitions> log) : BackgroundService
{
    private const int MonthsAhead = 24;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var daily = new PeriodicTimer(TimeSpan.FromDays(1), time);
        do
        {
            try
            {
                await using var connection = await dataSources.For(DatabaseRole.Case).OpenConnectionAsync(stoppingToken);
                await using var command = new NpgsqlCommand("SELECT ensure_access_log_partitions($1)", connection) { Parameters = { Parameter.Of(MonthsAhead) } };
                await command.ExecuteNonQueryAsync(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                log.LogError("Partitions of the access log could not be made ahead: SQLSTATE {SqlState}; the next try is tomorrow", exception.SqlState);
            }
        }
        while (await daily.WaitForNextTickAsync(stoppingToken));
    }
}
