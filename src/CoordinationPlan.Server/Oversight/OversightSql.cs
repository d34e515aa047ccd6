using System.Buffers.Binary;
using CoordinationPlan.Law;
using CoordinationPlan.Policy;
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

    /// <summary>
    /// The facts behind what a unit has to do or has done. Candidates only: each plan is decided afterwards, and what a fact is on the day PlanTasks says; here its windows
    /// choose and order. Nothing is ticked off. Plans that are worked on only.
    /// </summary>
    /// <param name="open">Whether what is to be done is asked for.</param>
    /// <param name="doneSince">From which day on what was done is asked for; null where it is not.</param>
    public static Query<List<TaskCandidate>> Tasks(
        string unit, string? employee, bool open, DateOnly? doneSince, IReadOnlyList<TaskWindow> windows, DateTimeOffset now, TaskPosition after, int limit) => new(
        $"""
        SELECT f.kind, f.plan_id, f.item_id, f.day, f.since, f.done_on, f.employee, f.categories, t.due_on
        FROM ({string.Join(" UNION ALL ", new[] { open ? ToDo : null, doneSince is null ? null : Done }.OfType<string>())}) AS f (kind, plan_id, item_id, day, since, done_on, employee, categories)
        JOIN unnest($8, $9, $10, $11) AS w (kind, opens, due, closes) ON w.kind = f.kind
        CROSS JOIN LATERAL (SELECT greatest(f.day + w.due, f.since) AS due_on) t
        WHERE CASE
              WHEN f.done_on IS NULL THEN coalesce(greatest(f.day + w.opens, f.since) <= $12, true) AND coalesce(f.day + w.closes >= $12, true)
              ELSE f.done_on >= $14 END
          AND ($15 IS NULL OR f.employee = $15)
          AND (t.due_on, f.kind, f.plan_id, f.item_id, coalesce(f.done_on, '9000-01-01')) > ($2, $3, $4, $5, $6)
        ORDER BY t.due_on, f.kind, f.plan_id, f.item_id, coalesce(f.done_on, '9000-01-01')
        LIMIT $7
        """,
        [
            Parameter.Of(unit), Parameter.Of(after.DueOn), Parameter.Of((int)after.Duty), Parameter.Of(after.AboutId), Parameter.Of(after.ItemId), Parameter.Of(after.DoneOn), Parameter.Of(limit),
            Parameter.Of(windows.Select(window => (int)window.Duty).ToArray()), Parameter.Of(windows.Select(window => window.Opens).ToArray()),
            Parameter.Of(windows.Select(window => window.Due).ToArray()), Parameter.Of(windows.Select(window => window.Closes).ToArray()),
            Parameter.Of(SwedishTime.DayOf(now)), Parameter.Of(now), Parameter.OrNull(doneSince), Parameter.OrNull(employee),
        ],
        static async (reader, stop) =>
        {
            var tasks = new List<TaskCandidate>();
            while (await reader.ReadAsync(stop))
            {
                tasks.Add(new TaskCandidate(
                    new TaskFact(
                        (Duty)reader.GetInt32(0),
                        reader.GetFieldValue<DateOnly>(3),
                        reader.IsDBNull(4) ? null : reader.GetFieldValue<DateOnly>(4),
                        reader.IsDBNull(5) ? null : reader.GetFieldValue<DateOnly>(5)),
                    reader.GetGuid(1),
                    reader.GetGuid(2),
                    reader.IsDBNull(6) ? null : reader.GetString(6),
                    (Categories)reader.GetInt32(7),
                    reader.GetFieldValue<DateOnly>(8)));
            }

            return tasks;
        });

    private const int OfTheOwner = (int)Categories.ConsentDocuments;

    /// <summary>Whoever may know of the plan may know when it is to come, a school too; that a sheltered housing is called is where the person is.</summary>
    private static readonly string OfACall = $"x.category & {(int)Categories.Whereabouts} | {(int)Categories.Existence}";

    /// <summary>That there is anything to do about a child's school is for those who may know which it is.</summary>
    private const int OfTheSchooling = (int)(Categories.ConsentDocuments | Categories.SchoolPlacement);

    /// <summary>That a school's system is behind tells which school it is.</summary>
    private static readonly string OfTheReceiver = $"CASE WHEN u.kind = 3 THEN {OfTheSchooling} ELSE {OfTheOwner} END";

    /// <summary>Since when the person stays at the place that is on record.</summary>
    private const string SinceOn = "coalesce(w.since_on, (w.changed_at AT TIME ZONE 'Europe/Stockholm')::date)";

    /// <summary>The day after which the child no longer stays where it went to school from: the move, or that it was handed over.</summary>
    private const string LeftOn = $"CASE WHEN {SinceOn} > s.starts_on THEN {SinceOn} ELSE s.handed_over_on END";

    /// <summary>What was told before this day was told of something else.</summary>
    private const string MovedSince = $"CASE WHEN {SinceOn} > s.starts_on THEN {SinceOn} ELSE s.starts_on END";

    /// <summary>The two steps of a handover, of every arrangement that is handed over or whose child has moved since it began.</summary>
    private const string HandoverSteps =
        $"""
        FROM plan o
        JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 6
        LEFT JOIN whereabouts w ON w.subject_id = o.subject_id
        JOIN LATERAL (VALUES (25, s.office_informed_on), (26, s.school_informed_on)) AS step (kind, taken_on) ON s.state = 6 OR {SinceOn} > s.starts_on
        """;

    /// <summary>The unit's own plans that are worked on.</summary>
    private const string Own = "o.owner_unit_id = $1 AND o.is_open";

    /// <summary>A block of the same, decided on after this one.</summary>
    private const string BlockedAnew = "FROM block r WHERE r.subject_id = b.subject_id AND r.target = b.target AND r.created_at > b.created_at";

    /// <summary>The same, and longer.</summary>
    private const string BlockedLonger = BlockedAnew + " AND (r.ends_on IS NULL OR r.ends_on > b.ends_on)";

    /// <summary>A consent that covers this one and holds longer.</summary>
    private const string Covered =
        "FROM consent r WHERE r.plan_id = c.plan_id AND r.state = 1 AND r.ends_on > c.ends_on AND r.recipient_units @> c.recipient_units AND r.categories & c.categories = c.categories";

    /// <summary>When the plan's need was noted: when it was opened, or taken up again.</summary>
    private const string NotedAt = "coalesce((SELECT max(h.superseded_at) FROM plan_history h WHERE h.plan_id = o.plan_id AND h.state IN (3, 6, 7)), o.created_at)";

    /// <summary>What is to be done, one arm a kind: kind, plan, item, day, since, done, employee, categories that tell of it.</summary>
    private static readonly string ToDo =
        $"""
        SELECT 1, o.plan_id, d.decision_id, d.review_on, NULL::date, NULL::date, o.coordinator, {OfTheOwner}
        FROM plan o JOIN location_secrecy d ON d.subject_id = o.subject_id AND d.ended_at IS NULL
        WHERE {Own}
        UNION ALL
        SELECT 2, o.plan_id, b.block_id, b.review_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN block b ON b.subject_id = o.subject_id AND b.lifted_at IS NULL AND b.review_on IS NOT NULL AND (b.ends_on IS NULL OR b.ends_on >= $12)
        WHERE {Own} AND NOT EXISTS (SELECT {BlockedAnew})
        UNION ALL
        SELECT 3, o.plan_id, l.release_id, l.review_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN legal_release l ON l.plan_id = o.plan_id AND l.reviewed_at IS NULL
        WHERE {Own}
        UNION ALL
        SELECT 4, o.plan_id, e.access_id, e.review_by, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN emergency_access e ON e.subject_id = o.subject_id AND e.reviewed_at IS NULL
        WHERE {Own}
        UNION ALL
        SELECT 5, o.plan_id, o.plan_id, {Day("o.created_at")}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN subject s ON s.subject_id = o.subject_id AND s.protection = 0
        WHERE {Own}
        UNION ALL
        SELECT 6, o.plan_id, o.plan_id, {Day(NotedAt)}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o
        WHERE {Own} AND o.state IN (4, 5)
        UNION ALL
        SELECT 7, o.plan_id, o.plan_id, o.follow_up_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o
        WHERE {Own} AND o.state IN (2, 10) AND o.follow_up_on IS NOT NULL
          AND NOT EXISTS (
              SELECT FROM meeting m
              WHERE m.plan_id = o.plan_id AND m.kind = 2 AND m.state = 2 AND m.starts_at > coalesce(
                  (SELECT max(h.superseded_at) FROM plan_history h WHERE h.plan_id = o.plan_id AND (h.follow_up_on = o.follow_up_on) IS NOT TRUE), o.created_at))
        UNION ALL
        SELECT 8, o.plan_id, c.consent_id, c.ends_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN consent c ON c.plan_id = o.plan_id AND c.state = 1
        WHERE {Own} AND NOT EXISTS (SELECT {Covered})
        UNION ALL
        SELECT 9, o.plan_id, o.plan_id, {Day("o.created_at")}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id AND u.kind = 1
        WHERE {Own}
          AND NOT EXISTS (
              SELECT FROM plan s JOIN risk_assessment k ON k.plan_id = s.plan_id
              WHERE s.subject_id = o.subject_id AND s.owner_unit_id = o.owner_unit_id AND (s.plan_id = o.plan_id OR (k.superseded_by IS NULL AND k.reassess_on >= $12)))
        UNION ALL
        SELECT 10, o.plan_id, k.assessment_id, k.reassess_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN risk_assessment k ON k.plan_id = o.plan_id AND k.superseded_by IS NULL
        WHERE {Own}
        UNION ALL
        SELECT 11, o.plan_id, m.meeting_id, {Day("m.starts_at")}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN meeting m ON m.plan_id = o.plan_id AND m.state = 1 AND m.starts_at < $13
        WHERE {Own}
        UNION ALL
        SELECT 12, o.plan_id, d.notice_id, d.summons_due_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN discharge_notice d ON d.plan_id = o.plan_id AND d.summons_due_on IS NOT NULL
        WHERE {Own}
          AND NOT EXISTS (SELECT FROM discharge_notice l WHERE l.plan_id = d.plan_id AND (l.noticed_at, l.created_at) > (d.noticed_at, d.created_at))
          AND NOT EXISTS (SELECT FROM meeting m WHERE m.plan_id = d.plan_id AND m.state <> 3 AND m.created_at > d.created_at)
        UNION ALL
        SELECT 13, o.plan_id, m.meeting_id, {Day("m.starts_at")}, {Day("x.changed_at")}, NULL, CASE WHEN o.owner_unit_id = $1 THEN o.coordinator END, {OfACall}
        FROM meeting_call x JOIN meeting m ON m.plan_id = x.plan_id AND m.meeting_id = x.meeting_id AND m.state = 1 JOIN plan o ON o.plan_id = x.plan_id AND o.is_open
        WHERE x.unit_id = $1 AND x.reply = 0 AND x.attendance = 0
        UNION ALL
        SELECT 14, o.plan_id, m.meeting_id, {Day("m.starts_at")}, NULL, NULL, CASE WHEN o.owner_unit_id = $1 THEN o.coordinator END, {OfACall}
        FROM meeting_call x JOIN meeting m ON m.plan_id = x.plan_id AND m.meeting_id = x.meeting_id AND m.state = 1 JOIN plan o ON o.plan_id = x.plan_id AND o.is_open
        WHERE x.unit_id = $1 AND x.reply <> 2
        UNION ALL
        SELECT 15, o.plan_id, i.part_id, i.ends_on, i.starts_on, NULL, i.contact_person, i.category
        FROM plan_part i JOIN plan o ON o.plan_id = i.plan_id AND o.is_open
        WHERE i.unit_id = $1 AND i.kind = 3 AND i.ends_on IS NOT NULL AND i.state = 1
        UNION ALL
        SELECT 16, o.plan_id, b.block_id, b.ends_on, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN block b ON b.subject_id = o.subject_id AND b.lifted_at IS NULL AND b.ends_on IS NOT NULL
        WHERE {Own} AND NOT EXISTS (SELECT {BlockedLonger})
        UNION ALL
        SELECT 20, g.subject_id, g.suggestion_id, {Day("g.sent_at")}, NULL, NULL, NULL, 0
        FROM plan_suggestion g
        WHERE g.recipient_unit_id = $1 AND g.state = 1
        UNION ALL
        SELECT 21, o.plan_id, o.plan_id, {Day("min(n.created_at)")}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN plan n ON n.subject_id = o.subject_id AND n.is_open AND (n.created_at, n.plan_id) > (o.created_at, o.plan_id)
        WHERE {Own}
          AND NOT EXISTS (SELECT FROM plan f WHERE f.subject_id = o.subject_id AND f.is_open AND (f.created_at, f.plan_id) < (o.created_at, o.plan_id))
        GROUP BY o.plan_id, o.coordinator
        UNION ALL
        SELECT 22, o.plan_id, o.plan_id, {SinceOn}, NULL, NULL, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id AND u.kind = 1 JOIN whereabouts w ON w.subject_id = o.subject_id
        WHERE {Own} AND coalesce(extract(year FROM $12) - w.birth_year BETWEEN {SchoolingLaw.FirstYear} AND {SchoolingLaw.LastYear}, true)
          AND NOT EXISTS (
              SELECT FROM plan n JOIN school_arrangement s ON s.plan_id = n.plan_id
              WHERE n.subject_id = o.subject_id AND n.is_open AND s.state IN (3, 4) AND (s.ends_on IS NULL OR s.ends_on >= $12))
        UNION ALL
        SELECT 23, o.plan_id, s.arrangement_id, s.follow_up_on, NULL, NULL, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state < 7 AND s.follow_up_on IS NOT NULL
        WHERE {Own}
        UNION ALL
        SELECT 24, o.plan_id, s.arrangement_id, {ReviewOn("s.reviewed_on")}, NULL, NULL, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 5 JOIN whereabouts w ON w.subject_id = o.subject_id
        WHERE {Own}
        UNION ALL
        SELECT step.kind, o.plan_id, s.arrangement_id, {LeftOn}, NULL, NULL, o.coordinator, {OfTheSchooling}
        {HandoverSteps}
        WHERE {Own} AND (step.taken_on IS NULL OR step.taken_on < {MovedSince})
        UNION ALL
        SELECT 27, o.plan_id, s.arrangement_id, a.week_on + 6, NULL, NULL, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN school_arrangement s ON s.plan_id = o.plan_id AND s.state BETWEEN 3 AND 5
        JOIN LATERAL (
            SELECT r.week_on, r.is_pattern FROM school_attendance r WHERE r.plan_id = s.plan_id AND r.arrangement_id = s.arrangement_id ORDER BY r.week_on DESC LIMIT 1) a ON a.is_pattern
        WHERE {Own}
        UNION ALL
        SELECT CASE y.state WHEN 1 THEN 30 ELSE 31 END, o.plan_id, y.synced_id, {Day("y.asked_at")}, NULL, NULL, o.coordinator, {OfTheOwner}
        FROM plan o JOIN synced_participation y ON y.plan_id = o.plan_id AND y.state IN (1, 5)
        WHERE {Own}
        UNION ALL
        SELECT 28, o.plan_id, c.recall_id, {Day("c.due_at")}, NULL, NULL, o.coordinator, {OfTheReceiver}
        FROM plan o JOIN change_recall c ON c.plan_id = o.plan_id AND c.acknowledged_at IS NULL AND c.due_at < $13 JOIN unit u ON u.unit_id = c.unit_id
        WHERE o.owner_unit_id = $1
        UNION ALL
        SELECT 29, o.plan_id, y.event_id, y.day, NULL, NULL, o.coordinator, y.categories
        FROM plan o
        CROSS JOIN LATERAL (
            SELECT DISTINCT ON (x.categories) x.categories, x.event_id, x.day
            FROM (
                SELECT {OfTheReceiver} AS categories, i.event_id, {Day("j.rejected_at")} AS day
                FROM change_rejection j
                JOIN change_receiver r ON r.receiver = j.receiver AND j.position > r.snapshot_after
                JOIN change_item i ON i.receiver = j.receiver AND i.position = j.position
                JOIN unit u ON u.unit_id = j.unit_id
                WHERE j.plan_id = o.plan_id
                UNION ALL
                SELECT {OfTheReceiver}, i.event_id, {Day("i.sequenced_at")} + 1
                FROM change_item i
                JOIN change_receiver r ON r.receiver = i.receiver AND i.position > greatest(r.acknowledged, r.snapshot_after)
                JOIN assignment a ON a.assignment_id = r.assignment_id AND NOT a.revoked
                JOIN unit u ON u.unit_id = i.unit_id
                WHERE i.plan_id = o.plan_id AND i.sequence IS DISTINCT FROM 0 AND i.sequenced_at < $13 - interval '1 day') x
            ORDER BY x.categories, x.day, x.event_id) y
        WHERE o.owner_unit_id = $1
        """;

    /// <summary>What was done, for every kind whose doing leaves a fact.</summary>
    private static readonly string Done =
        $"""
        SELECT 1, o.plan_id, d.decision_id, e.review_on, NULL::date, d.decided_on, o.coordinator, {OfTheOwner}
        FROM plan o JOIN location_secrecy d ON d.subject_id = o.subject_id
        CROSS JOIN LATERAL (
            SELECT h.review_on FROM location_secrecy_history h
            WHERE h.subject_id = d.subject_id AND h.decision_id = d.decision_id AND h.version = d.version - 1
            ORDER BY h.superseded_at DESC LIMIT 1) e
        WHERE {Own}
        UNION ALL
        SELECT 2, o.plan_id, b.block_id, b.review_on, NULL, least({Day("b.lifted_at")}, {Day("a.blocked_at")}), o.coordinator, {OfTheOwner}
        FROM plan o JOIN block b ON b.subject_id = o.subject_id AND b.review_on IS NOT NULL
        CROSS JOIN LATERAL (SELECT min(r.created_at) AS blocked_at {BlockedAnew}) a
        WHERE {Own} AND coalesce(b.lifted_at, a.blocked_at) IS NOT NULL
        UNION ALL
        SELECT 3, o.plan_id, l.release_id, l.review_on, NULL, {Day("l.reviewed_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN legal_release l ON l.plan_id = o.plan_id AND l.reviewed_at IS NOT NULL
        WHERE {Own}
        UNION ALL
        SELECT 4, o.plan_id, e.access_id, e.review_by, NULL, {Day("e.reviewed_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN emergency_access e ON e.subject_id = o.subject_id AND e.reviewed_at IS NOT NULL
        WHERE {Own}
        UNION ALL
        SELECT 6, o.plan_id, o.plan_id, {Day("n.noted_at")}, NULL, {Day("least(v.begun_at, CASE WHEN o.changed_at >= n.noted_at THEN o.changed_at END)")}, o.coordinator, {OfTheOwner}
        FROM plan o
        CROSS JOIN LATERAL (SELECT {NotedAt} AS noted_at) n
        CROSS JOIN LATERAL (
            SELECT min(h.changed_at) AS begun_at FROM plan_history h
            WHERE h.plan_id = o.plan_id AND h.state NOT IN (3, 4, 5, 6, 7) AND h.changed_at >= n.noted_at) v
        WHERE {Own} AND o.state NOT IN (4, 5)
        UNION ALL
        SELECT 7, o.plan_id, o.plan_id, v.follow_up_on, NULL, {Day("min(m.starts_at)")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN meeting m ON m.plan_id = o.plan_id AND m.kind = 2 AND m.state = 2
        CROSS JOIN LATERAL (
            SELECT h.follow_up_on
            FROM (SELECT p.follow_up_on, p.version, p.changed_at FROM plan_history p WHERE p.plan_id = o.plan_id UNION ALL SELECT o.follow_up_on, o.version, o.changed_at) h
            WHERE h.changed_at < m.starts_at
            ORDER BY h.version DESC LIMIT 1) v
        WHERE {Own} AND v.follow_up_on IS NOT NULL
        GROUP BY o.plan_id, o.coordinator, v.follow_up_on
        UNION ALL
        SELECT 8, o.plan_id, c.consent_id, c.ends_on, NULL, {Day("a.covered_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN consent c ON c.plan_id = o.plan_id AND c.state = 1
        CROSS JOIN LATERAL (SELECT min(r.recorded_at) AS covered_at {Covered}) a
        WHERE {Own} AND a.covered_at > c.recorded_at
        UNION ALL
        SELECT 8, o.plan_id, c.consent_id, h.ends_on, NULL, {Day("h.superseded_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN consent c ON c.plan_id = o.plan_id JOIN consent_history h ON h.plan_id = c.plan_id AND h.consent_id = c.consent_id AND h.state = 1
        WHERE {Own} AND h.ends_on < coalesce(
            (SELECT n.ends_on FROM consent_history n WHERE n.plan_id = h.plan_id AND n.consent_id = h.consent_id AND n.version = h.version + 1 LIMIT 1), c.ends_on)
        UNION ALL
        SELECT 9, o.plan_id, o.plan_id, {Day("o.created_at")}, NULL, min(k.assessed_on), o.coordinator, {OfTheOwner}
        FROM plan o JOIN risk_assessment k ON k.plan_id = o.plan_id
        WHERE {Own}
        GROUP BY o.plan_id, o.created_at, o.coordinator
        UNION ALL
        SELECT 10, o.plan_id, k.assessment_id, k.reassess_on, NULL, n.assessed_on, o.coordinator, {OfTheOwner}
        FROM plan o JOIN risk_assessment k ON k.plan_id = o.plan_id JOIN risk_assessment n ON n.plan_id = k.plan_id AND n.assessment_id = k.superseded_by
        WHERE {Own}
        UNION ALL
        SELECT 11, o.plan_id, m.meeting_id, {Day("m.starts_at")}, NULL, {Day("m.changed_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN meeting m ON m.plan_id = o.plan_id AND m.state = 2
        WHERE {Own}
        UNION ALL
        SELECT 12, o.plan_id, d.notice_id, d.summons_due_on, NULL, {Day("a.called_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN discharge_notice d ON d.plan_id = o.plan_id AND d.summons_due_on IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT min(m.created_at) AS called_at FROM meeting m
            WHERE m.plan_id = d.plan_id AND m.state <> 3 AND m.created_at > d.created_at
              AND NOT EXISTS (SELECT FROM discharge_notice l WHERE l.plan_id = d.plan_id AND l.created_at > d.created_at AND l.created_at < m.created_at)) a
        WHERE {Own} AND a.called_at IS NOT NULL
        UNION ALL
        SELECT 13, o.plan_id, m.meeting_id, {Day("m.starts_at")}, {Day("x.created_at")}, {Day("x.replied_at")}, CASE WHEN o.owner_unit_id = $1 THEN o.coordinator END, {OfACall}
        FROM meeting_call x JOIN meeting m ON m.plan_id = x.plan_id AND m.meeting_id = x.meeting_id AND m.state <> 3 JOIN plan o ON o.plan_id = x.plan_id AND o.is_open
        WHERE x.unit_id = $1 AND x.reply <> 0
        UNION ALL
        SELECT 14, o.plan_id, m.meeting_id, {Day("m.starts_at")}, NULL, {Day("m.starts_at")}, CASE WHEN o.owner_unit_id = $1 THEN o.coordinator END, {OfACall}
        FROM meeting_call x JOIN meeting m ON m.plan_id = x.plan_id AND m.meeting_id = x.meeting_id AND m.state = 2 JOIN plan o ON o.plan_id = x.plan_id AND o.is_open
        WHERE x.unit_id = $1 AND x.attendance = 1
        UNION ALL
        SELECT 15, o.plan_id, i.part_id, i.ends_on, i.starts_on, {Day("i.changed_at")}, i.contact_person, i.category
        FROM plan_part i JOIN plan o ON o.plan_id = i.plan_id AND o.is_open
        WHERE i.unit_id = $1 AND i.kind = 3 AND i.ends_on IS NOT NULL AND i.state = 2
        UNION ALL
        SELECT 16, o.plan_id, b.block_id, b.ends_on, NULL, {Day("a.blocked_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN block b ON b.subject_id = o.subject_id AND b.ends_on IS NOT NULL
        CROSS JOIN LATERAL (SELECT min(r.created_at) AS blocked_at {BlockedLonger}) a
        WHERE {Own} AND a.blocked_at IS NOT NULL
        UNION ALL
        SELECT 20, g.subject_id, g.suggestion_id, {Day("g.sent_at")}, NULL, {Day("g.changed_at")}, NULL, 0
        FROM plan_suggestion g
        WHERE g.recipient_unit_id = $1 AND g.state = 2
        UNION ALL
        SELECT 22, o.plan_id, o.plan_id, {SinceOn}, NULL, {Day("min(h.superseded_at)")}, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id AND u.kind = 1 JOIN whereabouts w ON w.subject_id = o.subject_id
        JOIN plan n ON n.subject_id = o.subject_id {Changed("n", "h.state NOT IN (3, 4) AND x.state IN (3, 4)")}
        WHERE {Own} AND {Day("h.superseded_at")} >= {SinceOn}
        GROUP BY o.plan_id, o.coordinator, w.since_on, w.changed_at
        UNION ALL
        SELECT 23, o.plan_id, h.arrangement_id, h.follow_up_on, NULL, {Day("h.superseded_at")}, o.coordinator, {OfTheSchooling}
        FROM plan o {Changed("o", "x.follow_up_on > h.follow_up_on OR (h.state < 7 AND x.state = 7)")}
        WHERE {Own} AND h.follow_up_on <= {Day("h.superseded_at")}
        UNION ALL
        SELECT 24, o.plan_id, h.arrangement_id, {ReviewOn("h.reviewed_on")}, NULL, x.reviewed_on, o.coordinator, {OfTheSchooling}
        FROM plan o {Changed("o", "x.state BETWEEN 3 AND 5 AND (x.reviewed_on = h.reviewed_on) IS NOT TRUE")} JOIN whereabouts w ON w.subject_id = o.subject_id
        WHERE {Own} AND x.reviewed_on IS NOT NULL
        UNION ALL
        SELECT step.kind, o.plan_id, s.arrangement_id, {LeftOn}, NULL, step.taken_on, o.coordinator, {OfTheSchooling}
        {HandoverSteps}
        WHERE {Own} AND step.taken_on >= {MovedSince}
        UNION ALL
        SELECT 27, o.plan_id, r.arrangement_id, r.week_on + 6, NULL, {Day("n.created_at")}, o.coordinator, {OfTheSchooling}
        FROM plan o JOIN school_attendance r ON r.plan_id = o.plan_id AND r.is_pattern
        CROSS JOIN LATERAL (
            SELECT t.created_at, t.is_pattern FROM school_attendance t
            WHERE t.plan_id = r.plan_id AND t.arrangement_id = r.arrangement_id AND t.week_on > r.week_on ORDER BY t.week_on LIMIT 1) n
        WHERE {Own} AND NOT n.is_pattern
        UNION ALL
        SELECT CASE y.asked WHEN 1 THEN 30 ELSE 31 END, o.plan_id, y.synced_id, {Day("y.asked_at")}, NULL, {Day("y.answered_at")}, o.coordinator, {OfTheOwner}
        FROM plan o JOIN synced_participation y ON y.plan_id = o.plan_id AND y.state NOT IN (1, 5) AND y.answered_at >= y.asked_at
        WHERE {Own}
        UNION ALL
        SELECT 28, o.plan_id, c.recall_id, {Day("c.due_at")}, NULL, {Day("c.acknowledged_at")}, o.coordinator, {OfTheReceiver}
        FROM plan o JOIN change_recall c ON c.plan_id = o.plan_id AND c.acknowledged_at > c.due_at JOIN unit u ON u.unit_id = c.unit_id
        WHERE o.owner_unit_id = $1
        """;

    /// <summary>The arrangements of a plan with a version of before (h) and the one that came after it (x), where they differ so.</summary>
    private static string Changed(string plan, string how) =>
        $"""
        JOIN school_arrangement s ON s.plan_id = {plan}.plan_id
        JOIN school_arrangement_history h ON h.plan_id = s.plan_id AND h.arrangement_id = s.arrangement_id
        JOIN LATERAL (
            SELECT v.state, v.follow_up_on, v.reviewed_on
            FROM (
                SELECT k.version, k.state, k.follow_up_on, k.reviewed_on FROM school_arrangement_history k WHERE k.plan_id = s.plan_id AND k.arrangement_id = s.arrangement_id
                UNION ALL
                SELECT s.version, s.state, s.follow_up_on, s.reviewed_on) v
            WHERE v.version = h.version + 1 LIMIT 1) x ON {how}
        """;

    /// <summary>When the schooling is to be reviewed: with the placement, so many months after the person came there or the latest review.</summary>
    private static string ReviewOn(string reviewedOn) => $"(greatest({SinceOn}, {reviewedOn}) + make_interval(months => {SchoolingLaw.Reviewed.Months}))::date";

    /// <summary>The Swedish day of an instant.</summary>
    private static string Day(string instant) => $"({instant} AT TIME ZONE 'Europe/Stockholm')::date";
}

/// <summary>An alert as it is stored.</summary>
internal sealed record AlertRecord(Guid AlertId, AlertKind Kind, Guid? PlanId, DateTime RaisedAt, byte[] Sealed);

/// <summary>A fact behind something to do, and where it stands in the list.</summary>
/// <param name="AboutId">The plan that it is about, or for a suggestion of one, the person.</param>
/// <param name="ItemId">What of the plan it is about; the plan itself where it is about that.</param>
/// <param name="Tells">The categories that tell of it: who may not read them all does not hear of it.</param>
internal sealed record TaskCandidate(TaskFact Fact, Guid AboutId, Guid ItemId, string? Employee, Categories Tells, DateOnly DueOn)
{
    private static readonly DateOnly NotDone = new(9000, 1, 1);

    public Guid? PlanId => PersonId is null ? AboutId : null;

    public Guid? PersonId => Fact.Duty == Duty.AnswerSuggestion ? AboutId : null;

    public TaskPosition Position => new(DueOn, Fact.Duty, AboutId, ItemId, Fact.DoneOn ?? NotDone);

    /// <summary>What is to be looked at, by its resource name.</summary>
    public string Subject => Fact.Duty switch
    {
        Duty.BeginPlan or Duty.FollowUpPlan => ResourceName.Plan(AboutId),
        Duty.FindOutProtectionLevel => $"{ResourceName.Plan(AboutId)}/{ResourceName.Protection}",
        Duty.AssessRisk => $"{ResourceName.Plan(AboutId)}/{ResourceName.RiskAssessments}",
        Duty.ReviewLocationSecrecy => ResourceName.Child(AboutId, ResourceName.LocationSecrecies, ItemId),
        Duty.ReviewBlock or Duty.BlockEnds => ResourceName.Child(AboutId, ResourceName.Blocks, ItemId),
        Duty.ReviewRelease => ResourceName.Child(AboutId, ResourceName.Releases, ItemId),
        Duty.ReviewEmergencyAccess => ResourceName.Child(AboutId, ResourceName.EmergencyAccesses, ItemId),
        Duty.RenewConsent => ResourceName.Child(AboutId, ResourceName.Consents, ItemId),
        Duty.ReassessRisk => ResourceName.Child(AboutId, ResourceName.RiskAssessments, ItemId),
        Duty.RecordMeeting or Duty.AnswerCall or Duty.AttendMeeting => ResourceName.Child(AboutId, ResourceName.Meetings, ItemId),
        Duty.SummonForDischarge => ResourceName.Child(AboutId, ResourceName.DischargeNotices, ItemId),
        Duty.AnswerSuggestion => ResourceName.PlanSuggestion(ItemId),
        Duty.CoordinatePlans => $"{ResourceName.Plan(AboutId)}/{ResourceName.RelatedPlans}",
        Duty.DoIntervention => ResourceName.Child(AboutId, ResourceName.Interventions, ItemId),
        Duty.SecureSchooling => $"{ResourceName.Plan(AboutId)}/{ResourceName.SchoolArrangements}",
        Duty.FollowUpSchooling or Duty.ReviewSchooling or Duty.HandoverFirstStep or Duty.HandoverSecondStep or Duty.LookAtAttendance =>
            ResourceName.Child(AboutId, ResourceName.SchoolArrangements, ItemId),
        Duty.AnswerSyncedParticipation or Duty.SettleSyncConflict => ResourceName.Child(AboutId, ResourceName.SyncedParticipations, ItemId),
        Duty.AcknowledgeRecall or Duty.LookAtDelivery => $"{ResourceName.Plan(AboutId)}/{ResourceName.Deliveries}",
        _ => throw new InvalidOperationException("A task of an unknown kind."),
    };
}

/// <summary>After which task a page goes on.</summary>
internal readonly record struct TaskPosition(DateOnly DueOn, Duty Duty, Guid AboutId, Guid ItemId, DateOnly DoneOn)
{
    private const int Size = 44;

    /// <summary>Before every task.</summary>
    public static TaskPosition First { get; } = new(new DateOnly(1900, 1, 1), Duty.Unspecified, Guid.Empty, Guid.Empty, new DateOnly(1900, 1, 1));

    public static TaskPosition Read(ReadOnlySpan<byte> bytes) => new(
        DateOnly.FromDayNumber(BinaryPrimitives.ReadInt32BigEndian(bytes)),
        (Duty)BinaryPrimitives.ReadInt32BigEndian(bytes[4..]),
        new Guid(bytes.Slice(8, 16)),
        new Guid(bytes.Slice(24, 16)),
        DateOnly.FromDayNumber(BinaryPrimitives.ReadInt32BigEndian(bytes[40..])));

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt32BigEndian(bytes, DueOn.DayNumber);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), (int)Duty);
        AboutId.TryWriteBytes(bytes.AsSpan(8));
        ItemId.TryWriteBytes(bytes.AsSpan(24));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(40), DoneOn.DayNumber);
        return bytes;
    }
}
