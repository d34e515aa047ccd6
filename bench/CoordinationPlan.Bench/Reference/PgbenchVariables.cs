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
               categories::text AS categories, policy_version::text AS policy, coalesce(trace_id::text, 'none') AS trace,
               decision::text AS input
        FROM coordinationplan.access_log WHERE method = $1 ORDER BY occurred_at DESC LIMIT 1
        """;

    private const string LastOutcome =
        """
        SELECT caller, request_hash::text AS hash, response::text AS response FROM coordinationplan.request_outcome
        WHERE method = $1 ORDER BY created_at DESC LIMIT 1
        """;

    // The organisations that the token's issuer answers for, as the directory keeps them: the caller's own among as many as there are.
    private const string VouchedFor =
        """
        SELECT array_agg(x.organisation_id)::text AS vouched
        FROM (
            SELECT o.organisation_id
            FROM coordinationplan.organisation o
            ORDER BY o.organisation_id = (SELECT e.organisation_id FROM coordinationplan.employee e WHERE e.employee_id = $1) DESC
            LIMIT $2) x
        """;

    private const string LastBody = "SELECT body::text AS body FROM coordinationplan.plan_part ORDER BY changed_at DESC LIMIT 1";

    /// <param name="vouchedFor">For how many organisations the token's issuer answers.</param>
    public static async Task<IReadOnlyDictionary<string, string>> Of(
        string method, bool isChange, int vouchedFor, NpgsqlConnection administrator, CancellationToken stop)
    {
        var variables = new Dictionary<string, string>
        {
            ["today"] = TimeProvider.System.Today().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        };
        await Add(variables, LastEntry, administrator, stop, method);
        await Add(variables, VouchedFor, administrator, stop, variables["employee"], vouchedFor);
        if (isChange)
        {
            await Add(variables, LastOutcome, administrator, stop, method);
            await Add(variables, LastBody, administrator, stop);
        }

        return variables;
    }

    private static async Task Add(Dictionary<string, string> variables, string sql, NpgsqlConnection administrator, CancellationToken stop, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, administrator);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        for (var i = 0; i < reader.FieldCount; i++)
        {
            variables[reader.GetName(i)] = reader.GetString(i);
        }
    }
}
