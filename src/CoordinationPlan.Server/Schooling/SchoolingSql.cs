using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Schooling;

internal static class SchoolingSql
{
    private const string Columns =
        """
        s.arrangement_id, s.state, s.unit_id, u.organisation_id, u.school_unit_code, s.starts_on, s.ends_on, s.follow_up_on, s.reviewed_on, s.handed_over_on,
        s.office_informed_on, s.school_informed_on, s.has_alias, s.version, s.body
        """;

    /// <summary>A plan's arrangements, the latest first, ended ones too.</summary>
    public static Query<List<SchoolingRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM school_arrangement s LEFT JOIN unit u ON u.unit_id = s.unit_id WHERE s.plan_id = $1 ORDER BY s.created_at DESC, s.arrangement_id",
        [Parameter.Of(plan)],
        static (reader, stop) => ReadAll(reader, ReadArrangement, stop));

    public static Query<Loaded<SchoolingRecord>> Find(Guid plan, Guid arrangement) => new(
        $"SELECT {Columns} FROM school_arrangement s LEFT JOIN unit u ON u.unit_id = s.unit_id WHERE s.plan_id = $1 AND s.arrangement_id = $2",
        [Parameter.Of(plan), Parameter.Of(arrangement)],
        static async (reader, stop) => new Loaded<SchoolingRecord>(await reader.ReadAsync(stop) ? ReadArrangement(reader) : null));

    /// <summary>The arrangement by which the person is the caller's pupil today, as FactsSql asks it; the latest to begin, where one follows another.</summary>
    public static Query<Loaded<SchoolingRecord>> OfPupil(Guid plan, string? assignment, DateOnly today) => new(
        $"""
        SELECT {Columns}
        FROM assignment a
        JOIN school_arrangement s ON s.unit_id = a.unit_id AND s.plan_id = $1
        JOIN unit u ON u.unit_id = s.unit_id
        WHERE a.assignment_id = $2 AND s.state BETWEEN 3 AND 6 AND (s.ends_on IS NULL OR s.ends_on >= $3)
        ORDER BY s.starts_on DESC, s.arrangement_id
        LIMIT 1
        """,
        [Parameter.Of(plan), Parameter.OrNull(assignment), Parameter.Of(today)],
        static async (reader, stop) => new Loaded<SchoolingRecord>(await reader.ReadAsync(stop) ? ReadArrangement(reader) : null));

    /// <summary>What an arrangement refers to: its school, the contact person there, the case worker in the owning unit, and whether the school has one already.</summary>
    /// <param name="arrangement">The arrangement itself; null for a new one.</param>
    public static Query<SchoolingReferences> References(Guid plan, Guid? arrangement, string? school, string? contact, string? caseWorker, DateOnly today) => new(
        $"""
        SELECT u.unit_id, u.organisation_id, u.school_unit_code,
               EXISTS ({WorksIn("$4", "coalesce($3, (SELECT o.unit_id FROM school_arrangement o WHERE o.plan_id = $1 AND o.arrangement_id = $2))")}),
               EXISTS ({WorksIn("$5", "(SELECT p.owner_unit_id FROM plan p WHERE p.plan_id = $1)")}),
               EXISTS (SELECT FROM school_arrangement x WHERE x.plan_id = $1 AND x.unit_id = $3 AND x.state < 6 AND x.arrangement_id IS DISTINCT FROM $2)
        FROM (SELECT) one LEFT JOIN unit u ON u.unit_id = $3 AND u.kind = 3
        """,
        [Parameter.Of(plan), Parameter.OrNull(arrangement), Parameter.OrNull(school), Parameter.OrNull(contact), Parameter.OrNull(caseWorker), Parameter.Of(today)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new SchoolingReferences(
                reader.IsDBNull(0) ? null : ReadSchool(reader, 0), reader.GetBoolean(3), reader.GetBoolean(4), reader.GetBoolean(5));
        });

    /// <summary>Whether the arrangement's school takes part in the plan today and schooling is released to it.</summary>
    public static Query<bool> SchoolMayKnow(Guid plan, Guid arrangement, DateOnly today) => new(
        $"""
        SELECT EXISTS (
                   SELECT FROM participation x
                   WHERE x.plan_id = s.plan_id AND x.unit_id = s.unit_id AND x.ended_at IS NULL AND x.starts_on <= $3 AND (x.ends_on IS NULL OR x.ends_on >= $3))
               AND (EXISTS (
                        SELECT FROM consent c
                        WHERE c.plan_id = s.plan_id AND s.unit_id = ANY (c.recipient_units) AND c.state = 1 AND c.purpose = {(int)Purpose.Schooling}
                          AND c.categories & {(int)Categories.Schooling} <> 0 AND c.excluded_categories & {(int)Categories.Schooling} = 0 AND c.starts_on <= $3 AND c.ends_on >= $3)
                    OR EXISTS (
                        SELECT FROM legal_release l
                        WHERE l.plan_id = s.plan_id AND s.unit_id = ANY (l.recipient_units) AND l.ended_at IS NULL AND l.purpose = {(int)Purpose.Schooling}
                          AND l.categories & {(int)Categories.Schooling} <> 0 AND l.starts_on <= $3 AND l.ends_on >= $3))
        FROM school_arrangement s
        WHERE s.plan_id = $1 AND s.arrangement_id = $2
        """,
        [Parameter.Of(plan), Parameter.Of(arrangement), Parameter.Of(today)],
        static async (reader, stop) => await reader.ReadAsync(stop) && reader.GetBoolean(0));

    public static Command Insert(Guid plan, SchoolingRecord record, string changedBy) => new(
        """
        INSERT INTO school_arrangement (
            plan_id, arrangement_id, unit_id, state, starts_on, ends_on, follow_up_on, reviewed_on, handed_over_on, office_informed_on, school_informed_on,
            has_alias, body, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        [.. Values(plan, record), Parameter.Of(changedBy)]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(Guid plan, SchoolingRecord record, string changedBy) => new(
        """
        UPDATE school_arrangement
        SET unit_id = $3, state = $4, starts_on = $5, ends_on = $6, follow_up_on = $7, reviewed_on = $8, handed_over_on = $9, office_informed_on = $10,
            school_informed_on = $11, has_alias = $12, body = $13, version = $15, changed_by = $14, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND arrangement_id = $2 AND version = $15 - 1
        """,
        [.. Values(plan, record), Parameter.Of(changedBy), Parameter.Of(record.Version)],
        ExpectedRows: 1);

    /// <summary>The weeks that were reported for an arrangement, the latest first.</summary>
    public static Query<List<AttendanceRecord>> Attendance(Guid plan, Guid arrangement) => new(
        """
        SELECT week_on, possible, present, absent_valid, absent_invalid, is_pattern, version
        FROM school_attendance
        WHERE plan_id = $1 AND arrangement_id = $2
        ORDER BY week_on DESC
        """,
        [Parameter.Of(plan), Parameter.Of(arrangement)],
        static (reader, stop) => ReadAll(reader, ReadWeek, stop));

    /// <summary>A week's report, in place of the one before; the trigger keeps that.</summary>
    public static Command PutWeek(Guid plan, Guid arrangement, AttendanceRecord week, string changedBy) => new(
        """
        INSERT INTO school_attendance AS a (plan_id, arrangement_id, week_on, possible, present, absent_valid, absent_invalid, is_pattern, version, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (plan_id, arrangement_id, week_on) DO UPDATE
        SET possible = excluded.possible, present = excluded.present, absent_valid = excluded.absent_valid, absent_invalid = excluded.absent_invalid,
            is_pattern = excluded.is_pattern, version = excluded.version, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        WHERE a.version = excluded.version - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(arrangement), Parameter.Of(week.Monday), Parameter.Of((short)week.Hours.Possible), Parameter.Of((short)week.Hours.Present),
            Parameter.Of((short)week.Hours.AbsentValid), Parameter.Of((short)week.Hours.AbsentInvalid), Parameter.Of(week.IsPattern), Parameter.Of(week.Version),
            Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    public static Command SetPattern(Guid plan, Guid arrangement, DateOnly monday, bool isPattern) => new(
        "UPDATE school_attendance SET is_pattern = $4 WHERE plan_id = $1 AND arrangement_id = $2 AND week_on = $3",
        [Parameter.Of(plan), Parameter.Of(arrangement), Parameter.Of(monday), Parameter.Of(isPattern)],
        ExpectedRows: 1);

    private static string WorksIn(string employee, string unit) =>
        $"SELECT FROM assignment w WHERE w.employee_id = {employee} AND w.unit_id = {unit} AND NOT w.revoked AND w.starts_on <= $6 AND (w.ends_on IS NULL OR w.ends_on >= $6)";

    private static NpgsqlParameter[] Values(Guid plan, SchoolingRecord record) =>
    [
        Parameter.Of(plan), Parameter.Of(record.ArrangementId), Parameter.OrNull(record.School?.UnitId), Parameter.Of((short)record.Stage), Parameter.OrNull(record.StartsOn),
        Parameter.OrNull(record.EndsOn), Parameter.OrNull(record.FollowUpOn), Parameter.OrNull(record.ReviewedOn), Parameter.OrNull(record.HandedOverOn),
        Parameter.OrNull(record.OfficeInformedOn), Parameter.OrNull(record.SchoolInformedOn), Parameter.Of(record.HasAlias), Parameter.Of(record.Sealed),
    ];

    private static SchoolingRecord ReadArrangement(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (SchoolingStage)reader.GetInt16(1),
        reader.IsDBNull(2) ? null : ReadSchool(reader, 2),
        DayAt(reader, 5),
        DayAt(reader, 6),
        DayAt(reader, 7),
        DayAt(reader, 8),
        DayAt(reader, 9),
        DayAt(reader, 10),
        DayAt(reader, 11),
        reader.GetBoolean(12),
        reader.GetInt32(13),
        reader.GetFieldValue<byte[]>(14));

    private static SchoolOfDirectory ReadSchool(NpgsqlDataReader reader, int at) =>
        new(reader.GetString(at), reader.GetString(at + 1), reader.IsDBNull(at + 2) ? null : reader.GetString(at + 2));

    private static AttendanceRecord ReadWeek(NpgsqlDataReader reader) => new(
        reader.GetFieldValue<DateOnly>(0),
        new Attended(reader.GetInt16(1), reader.GetInt16(2), reader.GetInt16(3), reader.GetInt16(4)),
        reader.GetBoolean(5),
        reader.GetInt32(6));

    private static DateOnly? DayAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateOnly>(column);

    private static async Task<List<T>> ReadAll<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken stop)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(stop))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}

/// <summary>What an arrangement refers to.</summary>
/// <param name="School">The school that is named, where it is one of the directory.</param>
internal sealed record SchoolingReferences(SchoolOfDirectory? School, bool ContactWorksThere, bool CaseWorkerWorksHere, bool HasOneAlready);
