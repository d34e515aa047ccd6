using CoordinationPlan.Law;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Oversight;

internal static class OversightSql
{
    /// <summary>Candidates only, each is decided afterwards: a unit's alerts, or for a reviewer those of the controller; newest first, after a position.</summary>
    public static Query<List<AlertRecord>> Alerts(string? unit, string controller, (DateTime RaisedAt, Guid AlertId) before, int limit) => new(
        """
        SELECT alert_id, kind, plan_id, raised_at, body
        FROM alert
        WHERE CASE WHEN $1 IS NULL THEN controller = $2 ELSE unit_id = $1 END AND (raised_at, alert_id) < ($3, $4)
        ORDER BY raised_at DESC, alert_id DESC
        LIMIT $5
        """,
        [Parameter.OrNull(unit), Parameter.Of(controller), Parameter.Of(new DateTimeOffset(before.RaisedAt)), Parameter.Of(before.AlertId), Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var alerts = new List<AlertRecord>();
            while (await reader.ReadAsync(stop))
            {
                alerts.Add(new AlertRecord(
                    reader.GetGuid(0), (AlertKind)reader.GetInt16(1), reader.IsDBNull(2) ? null : reader.GetGuid(2), reader.GetDateTime(3), reader.GetFieldValue<byte[]>(4)));
            }

            return alerts;
        });

    // Since when the person stays at the place that is on record.
    private const string SinceOn = "coalesce(w.since_on, (w.changed_at AT TIME ZONE 'Europe/Stockholm')::date)";

    // A placed child's schooling, of the social services that own the plan: 22 not secured, 23 to follow up, 24 to review with the placement, 25 and 26 the steps of
    // a handover, where the child has moved since the arrangement began or it was handed over, 27 a pattern of absence in the latest report. $10 and $11 are the
    // days to secure it and to hand it over.
    private static readonly string SchoolingTasks =
        $"""
            UNION ALL
            SELECT 22, o.plan_id, 'schoolArrangements', NULL, {SinceOn} + $10
            FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id AND u.kind = 1 JOIN whereabouts w ON w.subject_id = o.subject_id
            WHERE o.owner_unit_id = $1 AND o.is_open AND coalesce(extract(year FROM $8) - w.birth_year BETWEEN {SchoolingLaw.FirstYear} AND {SchoolingLaw.LastYear}, true)
              AND NOT EXISTS (
                  SELECT FROM plan n JOIN school_arrangement s ON s.plan_id = n.plan_id
                  WHERE n.subject_id = o.subject_id AND n.is_open AND s.state IN (3, 4) AND (s.ends_on IS NULL OR s.ends_on >= $8))
            UNION ALL
            SELECT 23, o.plan_id, 'schoolArrangements', s.arrangement_id, s.follow_up_on
            FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state < 7 AND s.follow_up_on IS NOT NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 24, o.plan_id, 'schoolArrangements', s.arrangement_id, (greatest({SinceOn}, s.reviewed_on) + make_interval(months => {SchoolingLaw.Reviewed.Months}))::date
            FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 5 JOIN whereabouts w ON w.subject_id = o.subject_id
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT step.kind, o.plan_id, 'schoolArrangements', s.arrangement_id, CASE WHEN {SinceOn} > s.starts_on THEN {SinceOn} ELSE s.handed_over_on END + $11
            FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 6
            LEFT JOIN whereabouts w ON w.subject_id = o.subject_id
            CROSS JOIN LATERAL (VALUES (25, s.office_informed_on), (26, s.school_informed_on)) AS step (kind, taken_on)
            WHERE o.owner_unit_id = $1 AND o.is_open AND (s.state = 6 OR {SinceOn} > s.starts_on)
              AND (step.taken_on IS NULL OR step.taken_on < CASE WHEN {SinceOn} > s.starts_on THEN {SinceOn} ELSE s.starts_on END)
            UNION ALL
            SELECT 27, o.plan_id, 'schoolArrangements', s.arrangement_id, a.week_on + 6
            FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 5
            JOIN LATERAL (
                SELECT r.week_on, r.is_pattern FROM school_attendance r WHERE r.plan_id = s.plan_id AND r.arrangement_id = s.arrangement_id ORDER BY r.week_on DESC LIMIT 1) a ON a.is_pattern
            WHERE o.owner_unit_id = $1 AND o.is_open
        """;

    /// <summary>
    /// What the unit's plans leave to do. Candidates only: each plan is decided afterwards. Each row is a fact that is so now: nothing is ticked off. Overdue reviews open nothing; they stand here
    /// until they are made.
    /// </summary>
    public static Query<List<TaskRecord>> Tasks(
        string unit, TaskLimits limits, DateTimeOffset now, (DateOnly DueOn, string Subject) after, int limit) => new(
        $"""
        SELECT kind, name, due_on, plan_id
        FROM (SELECT kind, due_on, plan_id, concat_ws('/', 'plans', plan_id, collection, id) AS name FROM (
            SELECT 1 AS kind, o.plan_id, 'locationSecrecies' AS collection, d.decision_id AS id, d.review_on AS due_on
            FROM plan o JOIN location_secrecy d ON d.subject_id = o.subject_id AND d.ended_at IS NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 2, o.plan_id, 'blocks', b.block_id, b.review_on
            FROM plan o JOIN block b ON b.subject_id = o.subject_id AND b.lifted_at IS NULL AND b.review_on IS NOT NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 3, o.plan_id, 'releases', l.release_id, l.review_on
            FROM plan o JOIN legal_release l ON l.plan_id = o.plan_id AND l.reviewed_at IS NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 4, o.plan_id, 'emergencyAccesses', e.access_id, e.review_by
            FROM plan o JOIN emergency_access e ON e.subject_id = o.subject_id AND e.reviewed_at IS NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 5, o.plan_id, 'protection', NULL, (o.created_at AT TIME ZONE 'Europe/Stockholm')::date
            FROM plan o JOIN subject s ON s.subject_id = o.subject_id AND s.protection = 0
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 6, o.plan_id, NULL, NULL, (o.created_at AT TIME ZONE 'Europe/Stockholm')::date + $5
            FROM plan o
            WHERE o.owner_unit_id = $1 AND o.state IN (4, 5)
            UNION ALL
            SELECT 7, o.plan_id, NULL, NULL, o.follow_up_on
            FROM plan o
            WHERE o.owner_unit_id = $1 AND o.state IN (2, 10) AND o.follow_up_on IS NOT NULL
            UNION ALL
            SELECT 8, o.plan_id, 'consents', c.consent_id, c.ends_on
            FROM plan o JOIN consent c ON c.plan_id = o.plan_id AND c.state = 1
            WHERE o.owner_unit_id = $1 AND o.is_open AND c.ends_on BETWEEN $8 AND $8 + $6
              AND NOT EXISTS (
                  SELECT FROM consent r
                  WHERE r.plan_id = c.plan_id AND r.state = 1 AND r.ends_on > c.ends_on AND r.recipient_units @> c.recipient_units AND r.categories & c.categories = c.categories)
            UNION ALL
            SELECT 9, o.plan_id, 'riskAssessments', NULL, (o.created_at AT TIME ZONE 'Europe/Stockholm')::date + $7
            FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id AND u.kind = 1
            WHERE o.owner_unit_id = $1 AND o.is_open
              AND NOT EXISTS (
                  SELECT FROM plan s JOIN risk_assessment k ON k.plan_id = s.plan_id
                  WHERE s.subject_id = o.subject_id AND s.owner_unit_id = o.owner_unit_id AND (s.plan_id = o.plan_id OR (k.superseded_by IS NULL AND k.reassess_on >= $8)))
            UNION ALL
            SELECT 10, o.plan_id, 'riskAssessments', k.assessment_id, k.reassess_on
            FROM plan o JOIN risk_assessment k ON k.plan_id = o.plan_id AND k.superseded_by IS NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 11, o.plan_id, 'meetings', m.meeting_id, (m.starts_at AT TIME ZONE 'Europe/Stockholm')::date
            FROM plan o JOIN meeting m ON m.plan_id = o.plan_id AND m.state = 1 AND m.starts_at < $9
            WHERE o.owner_unit_id = $1 AND o.is_open
            UNION ALL
            SELECT 12, o.plan_id, 'dischargeNotices', d.notice_id, d.summons_due_on
            FROM plan o JOIN discharge_notice d ON d.plan_id = o.plan_id AND d.summons_due_on IS NOT NULL
            WHERE o.owner_unit_id = $1 AND o.is_open
              AND NOT EXISTS (SELECT FROM discharge_notice l WHERE l.plan_id = d.plan_id AND (l.noticed_at, l.created_at) > (d.noticed_at, d.created_at))
              AND NOT EXISTS (SELECT FROM meeting m WHERE m.plan_id = d.plan_id AND m.state <> 3 AND m.created_at > d.created_at)
            {SchoolingTasks}
        ) task) named
        WHERE (due_on, name) > ($2, $3)
        ORDER BY due_on, name
        LIMIT $4
        """,
        [
            Parameter.Of(unit), Parameter.Of(after.DueOn), Parameter.Of(after.Subject), Parameter.Of(limit),
            Parameter.Of(limits.DaysToStart), Parameter.Of(limits.DaysOfWarning), Parameter.Of(limits.DaysToAssessRisk), Parameter.Of(SwedishTime.DayOf(now)), Parameter.Of(now),
            Parameter.Of(limits.DaysToSecureSchooling), Parameter.Of(limits.DaysToHandOver),
        ],
        static async (reader, stop) =>
        {
            var tasks = new List<TaskRecord>();
            while (await reader.ReadAsync(stop))
            {
                tasks.Add(new TaskRecord((TaskKind)reader.GetInt32(0), reader.GetString(1), reader.GetFieldValue<DateOnly>(2), reader.GetGuid(3)));
            }

            return tasks;
        });
}

/// <summary>An alert as it is stored.</summary>
internal sealed record AlertRecord(Guid AlertId, AlertKind Kind, Guid? PlanId, DateTime RaisedAt, byte[] Sealed);

/// <summary>Something to do, and by when.</summary>
internal sealed record TaskRecord(TaskKind Kind, string Subject, DateOnly DueOn, Guid PlanId);

/// <summary>The limits, in days, that the law leaves to the controller.</summary>
internal sealed record TaskLimits(int DaysToStart, int DaysOfWarning, int DaysToAssessRisk, int DaysToSecureSchooling, int DaysToHandOver);
