using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;
using Purpose = CoordinationPlan.V1.Purpose;
using Role = CoordinationPlan.V1.Role;
using UnitKind = CoordinationPlan.V1.UnitKind;

namespace CoordinationPlan.Server.Directory;

/// <summary>What a change of the directory finds: the current entry, if there is one, and whether what it refers to is there.</summary>
/// <param name="Controller">Whose it is to review, where the request does not say.</param>
internal sealed record Found<T>(T? Current, int Version, bool ReferencesExist, string? Controller = null, UnitKind UnitKind = UnitKind.Unspecified)
    where T : class;

internal static class DirectorySql
{
    /// <summary>Units by id, after an id. Sheltered housing only where it may be listed; an administrator lists his own organisation's.</summary>
    public static Query<List<V1.Unit>> Units(DirectoryNames names, string? organisationId, bool withShelteredHousing, CallerFacts caller, string after, int limit) => new(
        """
        SELECT u.unit_id, u.version, u.organisation_id, u.board_id, u.kind, u.display_name, u.school_unit_code
        FROM unit u
        WHERE u.unit_id > $1 AND ($2 IS NULL OR u.organisation_id = $2) AND ($3 OR u.kind <> 4 OR u.organisation_id = $5)
        ORDER BY u.unit_id
        LIMIT $4
        """,
        [Parameter.Of(after), Parameter.OrNull(organisationId), Parameter.Of(withShelteredHousing), Parameter.Of(limit), Parameter.OrNull(caller.Role == Policy.Role.DirectoryAdministrator ? caller.OrganisationId : null)],
        async (reader, stop) =>
        {
            var units = new List<V1.Unit>();
            while (await reader.ReadAsync(stop))
            {
                units.Add(ReadUnit(reader, names));
            }

            return units;
        });

    public static Query<Loaded<Found<Organisation>>> FindOrganisation(DirectoryNames names, string id) => new(
        "SELECT o.kind, o.display_name, o.version, true FROM organisation o WHERE o.organisation_id = $1",
        [Parameter.Of(id)],
        async (reader, stop) => await reader.ReadAsync(stop)
            ? Of(new Organisation { Kind = (OrganisationKind)reader.GetInt16(0), DisplayName = names.Open(reader.GetString(1)) }, reader.GetInt32(2), true, id)
            : Of<Organisation>(null, 0, true, id));

    public static Query<Loaded<Found<Board>>> FindBoard(DirectoryNames names, string id, string organisationId) => new(
        """
        SELECT b.organisation_id, b.display_name, b.version, EXISTS (SELECT FROM organisation o WHERE o.organisation_id = $2)
        FROM (SELECT) one LEFT JOIN board b ON b.board_id = $1
        """,
        [Parameter.Of(id), Parameter.Of(organisationId)],
        async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            var current = reader.IsDBNull(0)
                ? null
                : new Board { Organisation = names.Name(ResourceName.Organisations, reader.GetString(0)), DisplayName = names.Open(reader.GetString(1)) };
            return Of(current, VersionAt(reader, 2), reader.GetBoolean(3), OwnerOf(reader, 0, organisationId));
        });

    public static Query<Loaded<Found<V1.Unit>>> FindUnit(DirectoryNames names, string id, string organisationId, string? boardId) => new(
        """
        SELECT u.unit_id, u.version, u.organisation_id, u.board_id, u.kind, u.display_name, u.school_unit_code,
               EXISTS (SELECT FROM organisation o WHERE o.organisation_id = $2)
               AND ($3 IS NULL OR EXISTS (SELECT FROM board b WHERE b.board_id = $3 AND b.organisation_id = $2))
        FROM (SELECT) one LEFT JOIN unit u ON u.unit_id = $1
        """,
        [Parameter.Of(id), Parameter.Of(organisationId), Parameter.OrNull(boardId)],
        async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return Of(reader.IsDBNull(0) ? null : ReadUnit(reader, names), VersionAt(reader, 1), reader.GetBoolean(7), OwnerOf(reader, 2, organisationId));
        });

    public static Query<Loaded<Found<Employee>>> FindEmployee(DirectoryNames names, string id, string organisationId) => new(
        """
        SELECT e.organisation_id, e.display_name, e.version, EXISTS (SELECT FROM organisation o WHERE o.organisation_id = $2)
        FROM (SELECT) one LEFT JOIN employee e ON e.employee_id = $1
        """,
        [Parameter.Of(id), Parameter.Of(organisationId)],
        async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            var current = reader.IsDBNull(0)
                ? null
                : new Employee { Organisation = names.Name(ResourceName.Organisations, reader.GetString(0)), DisplayName = names.Open(reader.GetString(1)) };
            return Of(current, VersionAt(reader, 2), reader.GetBoolean(3), OwnerOf(reader, 0, organisationId));
        });

    /// <summary>An assignment belongs to the organisation of its unit; its employee may be another organisation's.</summary>
    public static Query<Loaded<Found<Assignment>>> FindAssignment(DirectoryNames names, string id, string unitId, string? employeeId) => new(
        """
        SELECT a.employee_id, a.client_system, a.unit_id, a.role, a.purposes, a.starts_on, a.ends_on, a.revoked, a.version,
               coalesce(
                   (SELECT u.organisation_id FROM unit u WHERE u.unit_id = a.unit_id),
                   (SELECT u.organisation_id FROM unit u WHERE u.unit_id = $2)),
               EXISTS (SELECT FROM unit u WHERE u.unit_id = $2) AND ($3 IS NULL OR EXISTS (SELECT FROM employee e WHERE e.employee_id = $3)),
               (SELECT u.controller FROM unit u WHERE u.unit_id = coalesce(a.unit_id, $2)),
               a.protected_persons, (SELECT u.kind FROM unit u WHERE u.unit_id = $2)
        FROM (SELECT) one LEFT JOIN assignment a ON a.assignment_id = $1
        """,
        [Parameter.Of(id), Parameter.Of(unitId), Parameter.OrNull(employeeId)],
        async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            Assignment? current = null;
            if (!reader.IsDBNull(2))
            {
                current = new Assignment
                {
                    Employee = names.Name(ResourceName.Employees, reader.IsDBNull(0) ? null : reader.GetString(0)),
                    ClientSystem = reader.IsDBNull(1) ? "" : names.Id(ResourceName.Systems, reader.GetString(1)),
                    Unit = names.Name(ResourceName.Units, reader.GetString(2)),
                    Role = (Role)reader.GetInt16(3),
                    Period = new DatePeriod
                    {
                        StartDate = reader.GetFieldValue<DateOnly>(5).ToDate(),
                        EndDate = (reader.IsDBNull(6) ? (DateOnly?)null : reader.GetFieldValue<DateOnly>(6)).ToDate(),
                    },
                    Revoked = reader.GetBoolean(7),
                    ProtectedPersons = reader.GetBoolean(12),
                };
                var purposes = new Purposes(reader.GetInt32(4));
                current.Purposes.AddRange(Enum.GetValues<Purpose>().Where(purpose => purposes.Contains((Policy.Purpose)purpose)));
            }

            return new Loaded<Found<Assignment>>(new(current, VersionAt(reader, 8), reader.GetBoolean(10), reader.IsDBNull(11) ? null : reader.GetString(11), reader.IsDBNull(13) ? UnitKind.Unspecified : (UnitKind)reader.GetInt16(13)))
            {
                OrganisationId = reader.IsDBNull(9) ? null : reader.GetString(9),
            };
        });

    public static Command Put(DirectoryNames names, string id, Organisation organisation, int version, string changedBy) => new(
        """
        INSERT INTO organisation (organisation_id, kind, display_name, version, changed_by) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (organisation_id) DO UPDATE
        SET kind = excluded.kind, display_name = excluded.display_name, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE organisation.version = excluded.version - 1
        """,
        [Parameter.Of(id), Parameter.Of((short)organisation.Kind), Parameter.Of(names.Seal(organisation.DisplayName)), Parameter.Of(version), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    public static Command Put(DirectoryNames names, string id, string organisationId, Board board, int version, string changedBy) => new(
        """
        INSERT INTO board (board_id, organisation_id, display_name, version, changed_by) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (board_id) DO UPDATE
        SET display_name = excluded.display_name, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE board.version = excluded.version - 1
        """,
        [Parameter.Of(id), Parameter.Of(organisationId), Parameter.Of(names.Seal(board.DisplayName)), Parameter.Of(version), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    public static Command Put(DirectoryNames names, string id, string organisationId, string? boardId, V1.Unit unit, int version, string changedBy) => new(
        """
        INSERT INTO unit (unit_id, organisation_id, board_id, kind, display_name, version, changed_by, school_unit_code) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (unit_id) DO UPDATE
        SET display_name = excluded.display_name, school_unit_code = excluded.school_unit_code, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE unit.version = excluded.version - 1
        """,
        [
            Parameter.Of(id), Parameter.Of(organisationId), Parameter.OrNull(boardId), Parameter.Of((short)unit.Kind), Parameter.Of(names.Seal(unit.DisplayName)),
            Parameter.Of(version), Parameter.Of(changedBy), Parameter.OrNull(unit.SchoolUnitCode.Length == 0 ? null : names.Seal(unit.SchoolUnitCode)),
        ],
        ExpectedRows: 1);

    public static Command Put(DirectoryNames names, string id, string organisationId, Employee employee, byte[]? personKey, int version, string changedBy) => new(
        """
        INSERT INTO employee (employee_id, organisation_id, display_name, version, changed_by, person_key) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (employee_id) DO UPDATE
        SET display_name = excluded.display_name, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp(),
            person_key = coalesce(excluded.person_key, employee.person_key)
        WHERE employee.version = excluded.version - 1
        """,
        [Parameter.Of(id), Parameter.Of(organisationId), Parameter.Of(names.Seal(employee.DisplayName)), Parameter.Of(version), Parameter.Of(changedBy), Parameter.OrNull(personKey)],
        ExpectedRows: 1);

    public static Command Put(DirectoryNames names, string id, string unitId, string? employeeId, Assignment assignment, int version, string changedBy) => new(
        """
        INSERT INTO assignment (
            assignment_id, employee_id, client_system, unit_id, role, purposes, starts_on, ends_on, revoked, version, changed_by, protected_persons)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (assignment_id) DO UPDATE
        SET purposes = excluded.purposes, starts_on = excluded.starts_on, ends_on = excluded.ends_on, revoked = excluded.revoked,
            protected_persons = excluded.protected_persons,
            version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE assignment.version = excluded.version - 1
        """,
        [
            Parameter.Of(id), Parameter.OrNull(employeeId), Parameter.OrNull(assignment.ClientSystem.Length == 0 ? null : names.Stored(ResourceName.Systems, assignment.ClientSystem)), Parameter.Of(unitId),
            Parameter.Of((short)assignment.Role), Parameter.Of(Purposes.Of([.. assignment.Purposes.Select(purpose => (Policy.Purpose)purpose)]).Bits),
            Parameter.Of(assignment.Period.StartDate.ToDateOnly()), Parameter.OrNull(assignment.Period.EndDate?.ToDateOnly()), Parameter.Of(assignment.Revoked),
            Parameter.Of(version), Parameter.Of(changedBy), Parameter.Of(assignment.ProtectedPersons),
        ],
        ExpectedRows: 1);

    private static Loaded<Found<T>> Of<T>(T? current, int version, bool referencesExist, string? organisationId)
        where T : class =>
        new(new Found<T>(current, version, referencesExist)) { OrganisationId = organisationId };

    /// <summary>An entry that is there belongs to the organisation that it names itself, whatever the request says.</summary>
    private static string OwnerOf(NpgsqlDataReader reader, int column, string requested) => reader.IsDBNull(column) ? requested : reader.GetString(column);

    private static int VersionAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? 0 : reader.GetInt32(column);

    private static V1.Unit ReadUnit(NpgsqlDataReader reader, DirectoryNames names) => new()
    {
        Name = names.Name(ResourceName.Units, reader.GetString(0)),
        Etag = Etag.Of(names.Name(ResourceName.Units, reader.GetString(0)), reader.GetInt32(1)),
        Organisation = names.Name(ResourceName.Organisations, reader.GetString(2)),
        Board = names.Name(ResourceName.Boards, reader.IsDBNull(3) ? null : reader.GetString(3)),
        Kind = (UnitKind)reader.GetInt16(4),
        DisplayName = names.Open(reader.GetString(5)),
        SchoolUnitCode = reader.IsDBNull(6) ? "" : names.Open(reader.GetString(6)),
    };
}
