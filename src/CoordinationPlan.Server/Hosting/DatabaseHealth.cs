using CoordinationPlan.Server.Database;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>Ready means: the database answers to the role that works with cases.</summary>
internal sealed class DatabaseHealth(DataSources dataSources) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var connection = await dataSources.For(DatabaseRole.Case).OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.");
        }
    }
}
