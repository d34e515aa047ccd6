using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using Npgsql;

namespace CoordinationPlan.Server.Directory;

/// <summary>Who operates the service, and the first employee who may write its directory.</summary>
public sealed record FirstAdministrator(string OrganisationId, string OrganisationName, string EmployeeId, string EmployeeName)
{
    /// <summary>The id of the administrator's assignment.</summary>
    public string AssignmentId => $"{OrganisationId}-administrator";
}

/// <summary>
/// Prepares an empty directory: somebody must be the first who may fill it. Run once, by the owner of the database; everything after that goes
/// through the service and its log.
/// </summary>
public static class Bootstrap
{
    private const string Program = "coordplan directory bootstrap";

    /// <summary>Returns false, and changes nothing, where the directory is not empty.</summary>
    public static async Task<bool> Run(string connectionString, FirstAdministrator first, IKeyRing ring, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(first);
        await using var source = NpgsqlDataSource.Create(connectionString);
        DirectoryNames names;
        await using (var connection = await source.OpenConnectionAsync(stop))
        {
            names = (await ServiceKeys.LoadAsync(connection, ring, stop)).Names;
        }

        await using var command = source.CreateCommand(
            """
            WITH organisation AS (
                INSERT INTO coordinationplan.organisation (organisation_id, kind, display_name, changed_by)
                SELECT $1, 6, $2, $10 WHERE NOT EXISTS (SELECT FROM coordinationplan.organisation)
                RETURNING organisation_id
            ), unit AS (
                INSERT INTO coordinationplan.unit (unit_id, organisation_id, kind, display_name, changed_by)
                SELECT $9, organisation_id, 6, $2, $10 FROM organisation
                RETURNING unit_id
            ), employee AS (
                INSERT INTO coordinationplan.employee (employee_id, organisation_id, display_name, changed_by)
                SELECT $3, organisation_id, $4, $10 FROM organisation
                RETURNING employee_id
            ), assignment AS (
                INSERT INTO coordinationplan.assignment (assignment_id, employee_id, unit_id, role, purposes, starts_on, changed_by)
                SELECT $5, employee_id, unit_id, 11, 1 << 5, $8, $10 FROM employee, unit
                RETURNING unit_id
            )
            INSERT INTO coordinationplan.access_log (
                entry_id, act, outcome, reason, method, client_system, unit_id, actor_controller, categories, policy_version)
            SELECT $7, 15, 1, 'BOOTSTRAP', $6, $11, unit_id, 'organisations/' || $1, 0, 0 FROM assignment
            """);
        command.Parameters.Add(Parameter.Of(names.Stored(ResourceName.Organisations, first.OrganisationId)));
        command.Parameters.Add(Parameter.Of(names.Seal(first.OrganisationName)));
        command.Parameters.Add(Parameter.Of(names.Stored(ResourceName.Employees, first.EmployeeId)));
        command.Parameters.Add(Parameter.Of(names.Seal(first.EmployeeName)));
        command.Parameters.Add(Parameter.Of(names.Stored(ResourceName.Assignments, first.AssignmentId)));
        command.Parameters.Add(Parameter.Of(Program));
        command.Parameters.Add(Parameter.Of(Ids.Ordered(time.GetUtcNow())));
        command.Parameters.Add(Parameter.Of(time.Today()));
        command.Parameters.Add(Parameter.Of(names.Stored(ResourceName.Units, first.OrganisationId)));
        command.Parameters.Add(Parameter.Of(ResourceName.Entry(ResourceName.Systems, names.Stored(ResourceName.Systems, Program))));
        command.Parameters.Add(Parameter.Of(names.Stored(ResourceName.Systems, Program)));
        return await command.ExecuteNonQueryAsync(stop) > 0;
    }
}
