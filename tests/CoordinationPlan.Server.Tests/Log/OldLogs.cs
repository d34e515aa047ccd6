using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>Logs of years that lie so far back that they need not be kept any longer.</summary>
internal static class OldLogs
{
    private static int _year = 2016;

    /// <summary>A log of its own of the log reviewers' board, with a published checkpoint.</summary>
    /// <param name="plan">The plan that its first entry is about.</param>
    public static async Task<AuditLog> OldLog(this Service service, int entries = 3, Guid? plan = null)
    {
        var year = Interlocked.Decrement(ref _year);
        await using var find = service.Administrator.CreateCommand("SELECT controller FROM coordinationplan.unit WHERE unit_id = $1");
        find.Parameters.Add(new() { Value = service.Names.Stored(ResourceName.Units, DemonstrationDirectory.LogReviewer.UnitId) });
        await service.Administrator.AddOld((string)(await find.ExecuteScalarAsync())!, year, entries, plan);
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System))
        {
            await using var published = service.Administrator.CreateCommand("SELECT EXISTS (SELECT FROM coordinationplan.log_state JOIN coordinationplan.log_checkpoint USING (log) WHERE year = $1 AND size = $2)");
            published.Parameters.Add(new() { Value = year });
            published.Parameters.Add(new() { Value = (long)entries });
            if ((bool)(await published.ExecuteScalarAsync())!)
            {
                return (await service.As(DemonstrationDirectory.LogReviewer).Audit.ListLogsAsync(new())).Logs.Single(log => log.Year == year);
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "The log is not published.");
        }
    }

    /// <summary>Entries of a year, with the partition that they stand in.</summary>
    public static async Task AddOld(this NpgsqlDataSource administrator, string controller, int year, int entries, Guid? plan = null)
    {
        await using var connection = await administrator.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(
            $"""
            CREATE TABLE IF NOT EXISTS coordinationplan.access_log_{year}03 PARTITION OF coordinationplan.access_log FOR VALUES FROM ('{year}-03-01Z') TO ('{year}-04-01Z');
            INSERT INTO coordinationplan.access_log (
                occurred_at, entry_id, act, outcome, reason, method, client_system, actor_controller, plan_id, categories, policy_version, call_id)
            SELECT '{year}-03-02Z'::timestamptz + e.n * interval '1 minute', e.id, 2, 1, 'OWNING_UNIT', 'coordinationplan.v1.PlanService/GetPlan', 'system', '{controller}',
                   CASE WHEN e.n = 1 THEN {(plan is { } id ? $"'{id}'::uuid" : "NULL")} ELSE gen_random_uuid() END, 3, 5, e.id
            FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, {entries}) n) e
            """,
            connection);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<LogDisposal> ProposeDisposal(this Service service, DemonstrationEmployee reviewer, AuditLog log, params IEnumerable<string> keptPlans) =>
        (await service.As(reviewer).Audit.ProposeLogDisposalAsync(new()
        {
            LogDisposal = new() { Origin = log.Origin, Decision = "GALL-2026/3", KeptPlans = { keptPlans } },
            Etag = log.Etag,
            RequestId = Cases.NewId(),
        })).LogDisposal;

    public static async Task<LogDisposal> ApproveDisposal(this Service service, DemonstrationEmployee reviewer, LogDisposal disposal) =>
        (await service.As(reviewer).Audit.ApproveLogDisposalAsync(new() { Name = disposal.Name, Etag = disposal.Etag, RequestId = Cases.NewId() })).LogDisposal;
}
