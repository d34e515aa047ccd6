using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Emergency;

internal static class EmergencySql
{
    private const string Columns =
        """
        m.access_id, m.subject_id, m.assignment_id, m.unit_id, u.kind = 4, m.opened_by, m.reason, m.body, m.opened_at, m.expires_at, m.review_by,
        m.review_outcome, m.reviewed_at, m.version
        """;

    /// <summary>
    /// Always one row, for a person whom nobody knows too. A unit that owns several plans of the person hears of it once: of the newest that is
    /// open, else of the newest.
    /// </summary>
    public static Query<Loaded<Opening>> Opening(byte[] identityKey) => new(
        """
        SELECT clock_timestamp(), coalesce(array_agg(o.plan_id), '{}'), coalesce(array_agg(o.owner_unit_id), '{}'), coalesce(array_agg(o.owner_controller), '{}')
        FROM (
            SELECT DISTINCT ON (p.owner_unit_id) p.plan_id, p.owner_unit_id, p.owner_controller
            FROM subject s JOIN plan p ON p.subject_id = s.subject_id
            WHERE s.identity_key = $1
            ORDER BY p.owner_unit_id, p.state = 3, p.created_at DESC, p.plan_id) o
        """,
        [Parameter.Of(identityKey)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            var (plans, units, controllers) = (reader.GetFieldValue<Guid[]>(1), reader.GetFieldValue<string[]>(2), reader.GetFieldValue<string[]>(3));
            return new Loaded<Opening>(new(reader.GetFieldValue<DateTimeOffset>(0), [.. plans.Select((plan, i) => new Owner(plan, units[i], controllers[i]))]));
        });

    public static Command Insert(EmergencyRecord access) => new(
        """
        INSERT INTO emergency_access (
            access_id, subject_id, assignment_id, unit_id, opened_by, reason, body, opened_at, expires_at, review_by, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $5)
        """,
        [
            Parameter.Of(access.AccessId), Parameter.OrNull(access.SubjectId), Parameter.Of(access.AssignmentId), Parameter.Of(access.UnitId),
            Parameter.Of(access.OpenedBy), Parameter.Of((short)access.Reason), Parameter.Of(access.Sealed), Parameter.Of(access.OpenedAt),
            Parameter.Of(access.ExpiresAt), Parameter.Of(access.ReviewBy),
        ]);

    /// <summary>An access in force that this caller opened under this assignment. One that has ended or is another's is not found, like one that never was.</summary>
    public static Query<Loaded<EmergencyRecord>> InForce(Guid access, CallerIdentity caller) => new(
        $"""
        SELECT {Columns}
        FROM emergency_access m LEFT JOIN unit u ON u.unit_id = m.unit_id
        WHERE m.access_id = $1 AND m.assignment_id = $2 AND m.opened_by = $3 AND m.expires_at > clock_timestamp()
        """,
        [Parameter.Of(access), Parameter.OrNull(caller.AssignmentId), Parameter.Of(caller.Name)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? new Loaded<EmergencyRecord>(Read(reader)) { IsEmergency = true } : new Loaded<EmergencyRecord>(null));

    /// <summary>The accesses to a plan's person, newest first.</summary>
    public static Query<List<EmergencyRecord>> OfPlan(Guid plan) => new(
        $"""
        SELECT {Columns}
        FROM plan p JOIN emergency_access m ON m.subject_id = p.subject_id LEFT JOIN unit u ON u.unit_id = m.unit_id
        WHERE p.plan_id = $1
        ORDER BY m.opened_at DESC, m.access_id
        """,
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var accesses = new List<EmergencyRecord>();
            while (await reader.ReadAsync(stop))
            {
                accesses.Add(Read(reader));
            }

            return accesses;
        });

    /// <summary>One access, if it is to the plan's person.</summary>
    public static Query<Loaded<EmergencyRecord>> Find(Guid plan, Guid access) => new(
        $"""
        SELECT {Columns}
        FROM plan p JOIN emergency_access m ON m.subject_id = p.subject_id LEFT JOIN unit u ON u.unit_id = m.unit_id
        WHERE p.plan_id = $1 AND m.access_id = $2
        """,
        [Parameter.Of(plan), Parameter.Of(access)],
        static async (reader, stop) => new Loaded<EmergencyRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>Notes what the review found; the trigger keeps the version before.</summary>
    public static Command Review(EmergencyRecord access, string changedBy) => new(
        """
        UPDATE emergency_access SET review_outcome = $3, reviewed_at = $4, version = $2, changed_by = $5, changed_at = clock_timestamp()
        WHERE access_id = $1 AND version = $2 - 1
        """,
        [
            Parameter.Of(access.AccessId), Parameter.Of(access.Version), Parameter.Of((short)access.Outcome), Parameter.OrNull(access.ReviewedAt), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    private static EmergencyRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.IsDBNull(1) ? null : reader.GetGuid(1),
        reader.GetString(2),
        reader.GetString(3),
        // A unit that the directory does not have any more is treated as the worst that it can have been.
        reader.IsDBNull(4) || reader.GetBoolean(4),
        reader.GetString(5),
        (EmergencyReason)reader.GetInt16(6),
        reader.GetFieldValue<byte[]>(7),
        reader.GetFieldValue<DateTimeOffset>(8),
        reader.GetFieldValue<DateTimeOffset>(9),
        reader.GetFieldValue<DateOnly>(10),
        reader.IsDBNull(11) ? ReviewOutcome.Unspecified : (ReviewOutcome)reader.GetInt16(11),
        reader.IsDBNull(12) ? null : reader.GetFieldValue<DateTimeOffset>(12),
        reader.GetInt32(13));
}
