namespace CoordinationPlan.Bench.Reference;

/// <summary>
/// The statements of the measured calls, copied from the service. <see cref="DriftCheck"/> compares them with what the service really sends,
/// so that a change of the service changes what it is measured against knowingly or not at all.
/// </summary>
internal static class ServiceStatements
{
    private const string Plan = "(:a::text || :b::text)::uuid";
    private const string Subject = "(:a::text || :s::text)::uuid";
    private const string Part = "(:a::text || :p::text)::uuid";
    private const string Fresh = "(:r1::text || :r2::text)::uuid";
    private const string LockKey = ":a::bigint";
    private const string Assignment = ":assignment::text";
    private const string Today = ":today::date";
    private const string Purpose = ":purpose::smallint";
    private const string NoText = "NULL::text";
    private const int GoalsAndInterventions = (int)Policy.Categories.GoalsAndInterventions;
    private const int SchoolPlacement = (int)Policy.Categories.SchoolPlacement;
    private const int ProtectionMeasures = (int)Policy.Categories.ProtectionMeasures;

    private const string RecordColumns =
        """
        plan_id, state, version, revision, legal_basis, owner_unit_id, lead_principal, coordinator, no_other_measures, follow_up_on,
        established_on, closed_on, closing_reason, decline_reason
        """;

    private const string PartColumns = "p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body";

    private static readonly string ShownCategory =
        $"""
        CASE WHEN p.category IN ({GoalsAndInterventions}, {ProtectionMeasures}) AND EXISTS (SELECT FROM unit u WHERE u.unit_id = p.unit_id AND u.kind = 3)
             THEN {SchoolPlacement} ELSE p.category END
        """;

    private static readonly Statement Begin = new("BEGIN ISOLATION LEVEL READ COMMITTED");
    private static readonly Statement Commit = new("COMMIT");

    private static readonly Statement LockAssignment =
        new("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", "('assignments/' || :assignment::text)");

    private static readonly Statement CallerFacts = new(
        """
        SELECT a.role, a.purposes, u.unit_id, u.kind, u.controller, u.organisation_id, o.kind, a.protected_persons
        FROM assignment a
        JOIN unit h ON h.unit_id = a.unit_id
        JOIN unit u ON u.unit_id = coalesce($6, a.unit_id) AND u.organisation_id = h.organisation_id AND ($6 IS NULL OR a.client_system IS NOT NULL)
            AND (u.unit_id = h.unit_id OR NOT ARRAY[h.kind, u.kind] && ARRAY[0, 3, 4]::smallint[])
        JOIN organisation o ON o.organisation_id = u.organisation_id
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        WHERE a.assignment_id = $1
          AND (a.employee_id = $2 OR ($2 IS NULL AND a.client_system = $3))
          AND ($5 IS NULL OR coalesce(e.organisation_id, u.organisation_id) = ANY ($5))
          AND NOT a.revoked AND a.starts_on <= $4 AND (a.ends_on IS NULL OR a.ends_on >= $4)
        """,
        Assignment, ":employee::text", ":client::text", Today, ":vouched::text[]", NoText);

    private static readonly Statement PlanFacts = new(
        """
        SELECT p.plan_id, p.subject_id, p.owner_unit_id, p.owner_controller, p.state, p.version,
        p.owner_unit_id = a.unit_id AS owns,
        EXISTS (
            SELECT FROM participation x
            WHERE x.plan_id = p.plan_id AND x.unit_id = a.unit_id AND x.ended_at IS NULL
              AND x.starts_on <= $2 AND (x.ends_on IS NULL OR x.ends_on >= $2)) AS takes_part,
        r.released, r.withheld, g.released AS released_by_law, g.overriding, s.protection,
        CASE WHEN e.person_key = s.identity_key THEN 2 ELSE coalesce((
            SELECT max(b.kind)
            FROM block b
            WHERE b.subject_id = s.subject_id AND b.lifted_at IS NULL AND (b.ends_on IS NULL OR b.ends_on >= $2)
              AND b.target = ANY (ARRAY['employees/' || a.employee_id, 'units/' || a.unit_id, 'persons/' || encode(e.person_key, 'hex')])), 1) END AS blocked,
        EXISTS (SELECT FROM whereabouts w WHERE w.subject_id = p.subject_id AND w.unit_id = a.unit_id) AS placement,
        EXISTS (
            SELECT FROM emergency_access m
            WHERE m.subject_id = p.subject_id AND m.assignment_id = a.assignment_id AND m.expires_at > clock_timestamp()) AS emergency,
        k.ring_key, k.wrapped,
        NOT EXISTS (SELECT FROM whereabouts w WHERE w.subject_id = p.subject_id)
            AND NOT EXISTS (SELECT FROM location_secrecy d WHERE d.subject_id = p.subject_id)
            AND NOT EXISTS (SELECT FROM participation h WHERE h.plan_id = p.plan_id AND h.category = 1024) AS unplaced,
        (SELECT CASE WHEN bool_or(p.is_open AND i.state BETWEEN 3 AND 6 AND (i.ends_on IS NULL OR i.ends_on >= $2)) THEN 2 WHEN bool_or(i.state >= 3) THEN 3 ELSE 1 END
         FROM school_arrangement i
         WHERE i.plan_id = p.plan_id AND i.unit_id = a.unit_id) AS pupil,
        NOT EXISTS (
            SELECT FROM plan q JOIN school_arrangement l ON l.plan_id = q.plan_id
            WHERE q.subject_id = p.subject_id AND l.unit_id = a.unit_id AND l.has_alias) AS no_alias
        FROM plan p JOIN subject s ON s.subject_id = p.subject_id
        JOIN subject_key k ON k.subject_id = p.subject_id AND k.compartment = 1 LEFT JOIN (SELECT x.assignment_id, x.employee_id, coalesce($5, x.unit_id) AS unit_id FROM assignment x WHERE x.assignment_id = $1) a ON true
        LEFT JOIN employee e ON e.employee_id = a.employee_id LEFT JOIN LATERAL (
            SELECT bit_or(c.categories) FILTER (WHERE c.state = 1 AND c.purpose = $3) AS released,
                   bit_or(CASE c.state WHEN 1 THEN c.excluded_categories ELSE c.categories | c.excluded_categories END) AS withheld
            FROM consent c
            WHERE c.plan_id = p.plan_id AND a.unit_id = ANY (c.recipient_units)
              AND c.state IN (1, 2) AND c.starts_on <= $2 AND c.ends_on >= $2) r ON true
        LEFT JOIN LATERAL (
            SELECT bit_or(l.categories) AS released, bit_or(l.categories) FILTER (WHERE l.overriding) AS overriding
            FROM legal_release l
            WHERE l.plan_id = p.plan_id AND a.unit_id = ANY (l.recipient_units) AND l.purpose = $3 AND l.ended_at IS NULL
              AND l.starts_on <= $2 AND l.ends_on >= $2) g ON true WHERE p.plan_id = $4
        """,
        Assignment, Today, Purpose, Plan, NoText);

    private static readonly Statement AddLogEntry = new(
        """
        INSERT INTO access_log (
            entry_id, act, outcome, reason, method, employee_id, client_system, assignment_id, role, unit_id, actor_controller, purpose,
            plan_id, subject_id, owner_controller, categories, policy_version, trace_id, resource, decision,
            event_secret, call_id, call_size)
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            coalesce(
                $11,
                (SELECT u.controller FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.employee_id = $6 ORDER BY a.revoked, a.assignment_id LIMIT 1),
                (SELECT 'organisations/' || e.organisation_id FROM employee e WHERE e.employee_id = $6)),
            $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
        RETURNING occurred_at, actor_controller
        """,
        Fresh, ":act::smallint", ":outcome::smallint", ":reason::text", ":method::text", ":employee::text", ":client::text", Assignment,
        ":role::smallint", ":unit::text", ":controller::text", Purpose, Plan, Subject, ":owner::text", ":categories::integer",
        ":policy::integer", "nullif(:trace::text, 'none')::bytea", NoText, ":input::bytea",
        "sha256((:r1::text || :r2::text)::bytea)", Fresh, "1");

    /// <summary>A random plan is read.</summary>
    public static IReadOnlyList<Statement> GetPlan { get; } =
    [
        Begin,
        LockAssignment,
        new("SELECT pg_advisory_xact_lock_shared($1)", LockKey),
        CallerFacts,
        PlanFacts,
        new($"SELECT {RecordColumns} FROM plan WHERE plan_id = $1", Plan),
        new(
            $"""
            SELECT {PartColumns}
            FROM plan_part p
            WHERE p.plan_id = $1 AND (({ShownCategory}) & $2 <> 0 AND (({ShownCategory}) & $3 = 0 OR p.unit_id IS NULL OR p.unit_id = $4)
             OR p.category & $2 & {ProtectionMeasures} <> 0 AND p.unit_id = $4)
            ORDER BY p.created_at, p.part_id
            """,
            Plan, ":categories::integer", "0::integer", ":unit::text"),
        new(
            """
            SELECT participation_id, unit_id, starts_on, ends_on, ended_at IS NOT NULL, version
            FROM participation
            WHERE plan_id = $1 AND category & $2 <> 0 AND (category & $3 = 0 OR unit_id = $4)
            ORDER BY created_at, participation_id
            """,
            Plan, ":categories::integer", "0::integer", ":unit::text"),
        new(
            """
            SELECT consent_id, state, recipient_units, categories, excluded_categories, purpose, starts_on, ends_on, form, given_by, recorded_by, recorded_at,
            withdrawn_at, version, body
            FROM consent WHERE plan_id = $1 ORDER BY recorded_at, consent_id
            """,
            Plan),
        new(
            """
            SELECT release_id, ground, overriding, recipient_units, categories, purpose, starts_on, ends_on, review_on, ended_at, reviewed_at, version, body
            FROM legal_release WHERE plan_id = $1 ORDER BY created_at, release_id
            """,
            Plan),
        AddLogEntry,
        Commit,
    ];

    /// <summary>
    /// An intervention of a random plan is changed. The new version is counted from the row itself, where the service sends the number that it
    /// has read: a script in one pipeline cannot use what it reads.
    /// </summary>
    public static IReadOnlyList<Statement> UpdateIntervention { get; } =
    [
        Begin,
        LockAssignment,
        new("SELECT pg_advisory_xact_lock($1)", LockKey),
        CallerFacts,
        PlanFacts,
        new(
            $"""
            SELECT {PartColumns}, coalesce(
                EXISTS (SELECT FROM plan o WHERE o.plan_id = p.plan_id AND o.owner_unit_id = p.unit_id)
                OR EXISTS (
                    SELECT FROM participation x
                    WHERE x.plan_id = p.plan_id AND x.unit_id = p.unit_id AND x.ended_at IS NULL AND x.starts_on <= $4 AND (x.ends_on IS NULL OR x.ends_on >= $4)),
                false)
            FROM plan_part p
            WHERE p.plan_id = $1 AND p.part_id = $2 AND p.kind = $3
            """,
            Plan, Part, "3::smallint", Today),
        new(
            """
            SELECT o.method, o.request_hash, o.response, o.plan_id, o.subject_id, o.owner_controller, k.ring_key, k.wrapped, o.places
            FROM request_outcome o LEFT JOIN subject_key k ON k.subject_id = o.subject_id AND k.compartment = 1
            WHERE o.caller = $1 AND o.request_id = $2
            """,
            ":caller::text", Fresh),
        new(
            """
            UPDATE plan_part
            SET state = $4, body = $5, starts_on = $7, ends_on = $8, contact_person = $9, version = $3, changed_by = $6, changed_at = clock_timestamp()
            WHERE plan_id = $1 AND part_id = $2 AND version = $3 - 1
            """,
            Plan, Part, "(version + 1)", "1::smallint", ":body::bytea", ":caller::text", "NULL::date", "NULL::date", NoText),
        new(
            """
            INSERT INTO request_outcome (caller, request_id, method, request_hash, response, plan_id, subject_id, owner_controller, places)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            ":caller::text", Fresh, ":method::text", ":hash::bytea", ":response::bytea", Plan, Subject, ":owner::text", "132352"),
        AddLogEntry,
        Commit,
    ];
}
