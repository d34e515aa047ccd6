using System.Globalization;
using CoordinationPlan.Server.Rpc;
using Npgsql;

namespace CoordinationPlan.Bench.Reference;

/// <summary>
/// The constant values of the reference's parameters, taken from what the service itself has just written for the same call: its entry in the
/// access log, its changed row, its kept answer.
/// </summary>
internal static class PgbenchVariables
{
    private const string LastEntry =
        """
        SELECT act::text AS act, outcome::text AS outcome, reason, method, employee_id AS employee, client_system AS client, assignment_id AS assignment,
               role::text AS role, unit_id AS unit, actor_controller AS controller, purpose::text AS purpose, owner_controller AS owner,
               categories::text AS categories, policy_version::text AS policy, coalesce(trace_id::text, 'none') AS trace
        FROM coordinationplan.access_log WHERE method = $1 ORDER BY occurred_at DESC LIMIT 1
        """;

    private const string LastOutcome =
        """
        SELECT caller, request_hash::text AS hash, response::text AS response FROM coordinationplan.request_outcome
        WHERE method = $1 ORDER BY created_at DESC LIMIT 1
        """;

    private const string LastBody = "SELECT body::text AS body FROM coordinationplan.plan_part ORDER BY changed_at DESC LIMIT 1";

    /// <param name="vouchedFor">The organisations that the token's issuer answers for.</param>
    public static async Task<IReadOnlyDictionary<string, string>> Of(
        string method, bool isChange, IEnumerable<string> vouchedFor, NpgsqlConnection administrator, CancellationToken stop)
    {
        var variables = new Dictionary<string, string>
        {
            ["today"] = TimeProvider.System.Today().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["vouched"] = $"{{{string.Join(',', vouchedFor)}}}",
        };
        await Add(variables, LastEntry, method, administrator, stop);
        if (isChange)
        {
            await Add(variables, LastOutcome, method, administrator, stop);
            await Add(variables, LastBody, null, administrator, stop);
        }

        return variables;
    }

    private static async Task Add(Dictionary<string, string> variables, string sql, string? method, NpgsqlConnection administrator, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, administrator);
        if (method is not null)
        {
            command.Parameters.Add(new() { Value = method });
        }

        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        for (var i = 0; i < reader.FieldCount; i++)
        {
            variables[reader.GetName(i)] = reader.GetString(i);
        }
    }
}
