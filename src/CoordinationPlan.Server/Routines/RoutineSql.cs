using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Routines;

internal static class RoutineSql
{
    private const string Columns = "r.controller, r.version, r.reference, r.form, r.decision_level, r.decider, r.decided_on, r.valid_to, r.created_at";

    /// <summary>Two registrations for one board wait for each other. The board is that of the caller's unit.</summary>
    public static Query<bool> LockOwn(string? assignment) => new(
        "SELECT pg_advisory_xact_lock(hashtextextended('school routines/' || u.controller, 0)) FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.assignment_id = $1",
        [Parameter.OrNull(assignment)],
        static (_, _) => Task.FromResult(true));

    /// <summary>The number of the caller's board's latest registration; 0 where there is none.</summary>
    public static Query<Loaded<LatestRoutine>> LatestOfOwn(string? assignment) => new(
        """
        SELECT coalesce(max(r.version), 0)
        FROM school_routine r
        WHERE r.controller = (SELECT u.controller FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.assignment_id = $1)
        """,
        [Parameter.OrNull(assignment)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<LatestRoutine>(new(reader.GetInt32(0)));
        });

    /// <summary>A board's registrations, the latest first.</summary>
    public static Query<List<RoutineRecord>> Of(string controller, DirectoryNames names) => new(
        $"SELECT {Columns} FROM school_routine r WHERE r.controller = $1 ORDER BY r.version DESC",
        [Parameter.Of(controller)],
        (reader, stop) => ReadAll(reader, names, stop));

    /// <summary>Those of a municipality's controllers that have a unit of social services: they ought to have a routine.</summary>
    public static Query<List<string>> Due(string organisation) => new(
        """
        SELECT DISTINCT u.controller
        FROM unit u JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE u.organisation_id = $1 AND u.kind = 1 AND o.kind = 1
        """,
        [Parameter.Of(organisation)],
        static async (reader, stop) =>
        {
            var controllers = new List<string>();
            while (await reader.ReadAsync(stop))
            {
                controllers.Add(reader.GetString(0));
            }

            return controllers;
        });

    /// <summary>The registrations of all of an organisation's controllers.</summary>
    public static Query<List<RoutineRecord>> OfOrganisation(string organisation, DirectoryNames names) => new(
        $"SELECT {Columns} FROM school_routine r WHERE r.controller IN (SELECT u.controller FROM unit u WHERE u.organisation_id = $1)",
        [Parameter.Of(organisation)],
        (reader, stop) => ReadAll(reader, names, stop));

    public static Command Insert(RoutineRecord routine, DirectoryNames names, string addedBy) => new(
        """
        INSERT INTO school_routine (controller, version, reference, form, decision_level, decider, decided_on, valid_to, added_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        [
            Parameter.Of(routine.Controller), Parameter.Of(routine.Version), Parameter.Of(names.Seal(routine.Reference)), Parameter.Of((short)routine.Form),
            Parameter.Of((short)routine.Level), Parameter.Of(names.Seal(routine.Decider)), Parameter.Of(routine.DecidedOn), Parameter.Of(routine.ValidTo), Parameter.Of(addedBy),
            Parameter.Of(routine.RecordedAt),
        ]);

    private static async Task<List<RoutineRecord>> ReadAll(NpgsqlDataReader reader, DirectoryNames names, CancellationToken stop)
    {
        var routines = new List<RoutineRecord>();
        while (await reader.ReadAsync(stop))
        {
            routines.Add(new RoutineRecord(
                reader.GetString(0),
                reader.GetInt32(1),
                names.Open(reader.GetString(2)),
                (RoutineForm)reader.GetInt16(3),
                (RoutineDecisionLevel)reader.GetInt16(4),
                names.Open(reader.GetString(5)),
                reader.GetFieldValue<DateOnly>(6),
                reader.GetFieldValue<DateOnly>(7),
                reader.GetFieldValue<DateTimeOffset>(8)));
        }

        return routines;
    }
}

/// <summary>The number of a board's latest registration.</summary>
internal sealed record LatestRoutine(int Version);
