using CoordinationPlan.Law;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Plans;

internal static class PlanSql
{
    public const string RecordColumns =
        """
        plan_id, state, version, revision, legal_basis, owner_unit_id, lead_principal, coordinator, no_other_measures, follow_up_on,
        established_on, closed_on, closing_reason, decline_reason
        """;

    public static Query<PlanRecord> Record(Guid plan) => new(
        $"SELECT {RecordColumns} FROM plan WHERE plan_id = $1",
        [Parameter.Of(plan)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? ReadRecord(reader) : throw new InvalidOperationException("The plan went away inside its own transaction."));

    /// <summary>The plan as something to change.</summary>
    public static Query<Loaded<PlanRecord>> Load(Guid plan) => new(
        $"SELECT {RecordColumns} FROM plan WHERE plan_id = $1",
        [Parameter.Of(plan)],
        static async (reader, stop) => new Loaded<PlanRecord>(await reader.ReadAsync(stop) ? ReadRecord(reader) : null));

    public static Query<Dictionary<Guid, PlanRecord>> Records(Guid[] plans) => new(
        $"SELECT {RecordColumns} FROM plan WHERE plan_id = ANY ($1)",
        [Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var records = new Dictionary<Guid, PlanRecord>();
            while (await reader.ReadAsync(stop))
            {
                var record = ReadRecord(reader);
                records.Add(record.PlanId, record);
            }

            return records;
        });

    public static Command Insert(PlanRecord plan, Guid subjectId, string ownerController, string changedBy) => new(
        """
        INSERT INTO plan (
            plan_id, subject_id, owner_unit_id, owner_controller, state, revision, legal_basis, lead_principal, coordinator, no_other_measures,
            follow_up_on, changed_by)
        VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11)
        """,
        [
            Parameter.Of(plan.PlanId), Parameter.Of(subjectId), Parameter.Of(plan.OwnerUnitId), Parameter.Of(ownerController), Parameter.Of((short)plan.State),
            Parameter.Of(plan.LegalBasis), Parameter.OrNull(plan.LeadPrincipal), Parameter.OrNull(plan.Coordinator), Parameter.Of(plan.NoOtherMeasures),
            Parameter.OrNull(plan.FollowUpOn), Parameter.Of(changedBy),
        ]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(PlanRecord plan, string changedBy) => new(
        """
        UPDATE plan
        SET state = $3, revision = $4, lead_principal = $5, coordinator = $6, no_other_measures = $7, follow_up_on = $8, established_on = $9,
            closed_on = $10, closing_reason = $11, decline_reason = $13, version = $2, changed_by = $12, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND version = $2 - 1
        """,
        [
            Parameter.Of(plan.PlanId), Parameter.Of(plan.Version), Parameter.Of((short)plan.State), Parameter.Of(plan.Revision), Parameter.OrNull(plan.LeadPrincipal),
            Parameter.OrNull(plan.Coordinator), Parameter.Of(plan.NoOtherMeasures), Parameter.OrNull(plan.FollowUpOn), Parameter.OrNull(plan.EstablishedOn),
            Parameter.OrNull(plan.ClosedOn), Parameter.OrNull(plan.ClosingReason == PlanClosingReason.Unspecified ? null : (short)plan.ClosingReason),
            Parameter.Of(changedBy), Parameter.OrNull(plan.DeclineReason == PlanDeclineReason.Unspecified ? null : (short)plan.DeclineReason),
        ],
        ExpectedRows: 1);

    /// <summary>Fixes which version of which part was agreed.</summary>
    public static IEnumerable<Command> InsertRevision(PlanRecord plan, string establishedBy) =>
    [
        new(
            "INSERT INTO plan_revision (plan_id, revision, plan_version, established_by) VALUES ($1, $2, $3, $4)",
            [Parameter.Of(plan.PlanId), Parameter.Of(plan.Revision), Parameter.Of(plan.Version), Parameter.Of(establishedBy)]),
        new(
            "INSERT INTO plan_revision_part (plan_id, revision, part_id, part_version) SELECT plan_id, $2, part_id, version FROM plan_part WHERE plan_id = $1",
            [Parameter.Of(plan.PlanId), Parameter.Of(plan.Revision)]),
    ];

    /// <summary>The plan is found by the name that it holds.</summary>
    public static Command SetName(Guid plan, byte[] nameKey) => SetSearchKey(plan, 1, nameKey);

    /// <summary>The plan is found by its case number, or by none.</summary>
    public static Command SetCaseNumber(Guid plan, byte[]? caseNumberKey) => caseNumberKey is null
        ? new("DELETE FROM plan_search_key WHERE plan_id = $1 AND kind = 2", [Parameter.Of(plan)])
        : SetSearchKey(plan, 2, caseNumberKey);

    private static Command SetSearchKey(Guid plan, short kind, byte[] key) => new(
        "INSERT INTO plan_search_key (plan_id, kind, search_key) VALUES ($1, $2, $3) ON CONFLICT (plan_id, kind) DO UPDATE SET search_key = excluded.search_key",
        [Parameter.Of(plan), Parameter.Of(kind), Parameter.Of(key)]);

    /// <summary>The person's plans are found by no name and no case number any more.</summary>
    public static Command ForgetSearchKeys(Guid subject) => new(
        "DELETE FROM plan_search_key n USING plan p WHERE p.plan_id = n.plan_id AND p.subject_id = $1", [Parameter.Of(subject)]);

    public static Query<long> CountOpenPlansOfPersonOf(Guid plan) => new(
        "SELECT count(*) FROM plan p JOIN plan q ON q.subject_id = p.subject_id WHERE p.plan_id = $1 AND q.is_open",
        [Parameter.Of(plan)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? reader.GetInt64(0) : 0);

    /// <summary>What the frame refers to in the directory: null where nothing is referred to, false where it is not there.</summary>
    /// <param name="plan">The plan, whose owning unit the coordinator works in; null for a new one.</param>
    /// <param name="assignment">The assignment that a new plan is opened under, and so its owning unit.</param>
    public static Query<Loaded<FrameReferences>> References(string? leadPrincipal, string? coordinator, Guid? plan, string? assignment, DateOnly today) => new(
        """
        SELECT (SELECT o.kind FROM organisation o WHERE o.organisation_id = $1),
               EXISTS (
                   SELECT FROM assignment w
                   WHERE w.employee_id = $2 AND NOT w.revoked AND w.starts_on <= $5 AND (w.ends_on IS NULL OR w.ends_on >= $5)
                     AND w.unit_id = coalesce(
                         (SELECT p.owner_unit_id FROM plan p WHERE p.plan_id = $3),
                         (SELECT a.unit_id FROM assignment a WHERE a.assignment_id = $4)))
        """,
        [Parameter.OrNull(leadPrincipal), Parameter.OrNull(coordinator), Parameter.OrNull(plan), Parameter.OrNull(assignment), Parameter.Of(today)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<FrameReferences>(new(reader.IsDBNull(0) ? OrganisationKind.Unspecified : (OrganisationKind)reader.GetInt16(0), reader.GetBoolean(1)));
        });

    /// <summary>What the plan holds, as far as the rules of law ask.</summary>
    public static Query<PlanContent> Content(Guid plan, DateOnly today) => new(
        $"""
        SELECT count(*) FILTER (WHERE i.kind = 3),
               count(*) FILTER (WHERE i.kind = 3 AND o.kind NOT IN (1, 2)),
               count(*) FILTER (WHERE i.kind = 4),
               coalesce(bool_or(p.no_other_measures), false),
               coalesce(bool_or(p.lead_principal IS NOT NULL), false),
               max(p.follow_up_on),
               EXISTS (SELECT FROM consent c WHERE c.plan_id = $1),
               EXISTS (SELECT FROM consent c WHERE c.plan_id = $1 AND c.state = 1 AND c.starts_on <= $2 AND c.ends_on >= $2),
               EXISTS (SELECT FROM meeting m WHERE m.plan_id = $1 AND m.kind = 1 AND m.state = 1),
               EXISTS (SELECT FROM meeting m WHERE m.plan_id = $1 AND m.kind = 1 AND m.state = 2),
               max(p.established_on),
               (SELECT count(DISTINCT n.organisation_id)
                FROM (
                    SELECT v.organisation_id
                    FROM participation x JOIN unit v ON v.unit_id = x.unit_id AND v.kind IN (1, 2)
                    WHERE x.plan_id = $1 AND x.ended_at IS NULL AND x.starts_on <= $2 AND (x.ends_on IS NULL OR x.ends_on >= $2)
                    UNION
                    SELECT v.organisation_id
                    FROM plan_part a JOIN unit v ON v.unit_id = a.unit_id AND v.kind IN (1, 2)
                    WHERE a.plan_id = $1 AND a.kind = 3 AND a.state = 1) n
                JOIN organisation g ON g.organisation_id = n.organisation_id AND g.kind IN (1, 2)
                WHERE n.organisation_id NOT IN (SELECT v.organisation_id FROM {Summoned})
                  AND n.organisation_id <> (SELECT v.organisation_id FROM plan q JOIN unit v ON v.unit_id = q.owner_unit_id WHERE q.plan_id = $1)),
               EXISTS (
                   SELECT FROM discharge_notice d
                   WHERE d.plan_id = $1 AND d.summons_due_on IS NOT NULL
                     AND NOT EXISTS (SELECT FROM discharge_notice l WHERE l.plan_id = $1 AND (l.noticed_at, l.created_at) > (d.noticed_at, d.created_at)))
               AND NOT EXISTS (
                   SELECT FROM assignment w
                   WHERE w.role = {(int)Policy.Role.NamedCareContact} AND NOT w.revoked AND w.starts_on <= $2 AND (w.ends_on IS NULL OR w.ends_on >= $2)
                     AND (w.unit_id = (SELECT q.owner_unit_id FROM plan q WHERE q.plan_id = $1) OR w.unit_id IN (SELECT v.unit_id FROM {Summoned})))
        FROM plan p
        LEFT JOIN plan_part i ON i.plan_id = p.plan_id AND i.state IN (1, 2)
        LEFT JOIN unit u ON u.unit_id = i.unit_id
        LEFT JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE p.plan_id = $1
        """,
        [Parameter.Of(plan), Parameter.Of(today)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new PlanContent(
                Interventions: reader.GetInt64(0),
                InterventionsOutsidePrincipals: reader.GetInt64(1),
                OtherMeasures: reader.GetInt64(2),
                NoOtherMeasures: reader.GetBoolean(3),
                HasLeadPrincipal: reader.GetBoolean(4),
                FollowUpOn: reader.IsDBNull(5) ? null : reader.GetFieldValue<DateOnly>(5),
                ConsentAsked: reader.GetBoolean(6),
                ConsentInForce: reader.GetBoolean(7),
                MeetingCalled: reader.GetBoolean(8),
                MeetingHeld: reader.GetBoolean(9) && !reader.GetBoolean(8),
                EstablishedOn: reader.IsDBNull(10) ? null : reader.GetFieldValue<DateOnly>(10),
                PrincipalsNotSummoned: reader.GetInt64(11),
                LacksCareContact: reader.GetBoolean(12));
        });

    /// <summary>The units that are summoned to a planning meeting that is called.</summary>
    private const string Summoned =
        """
        meeting m
        JOIN meeting_call c ON c.plan_id = m.plan_id AND c.meeting_id = m.meeting_id AND c.kind = 1
        JOIN unit v ON v.unit_id = c.unit_id
        WHERE m.plan_id = $1 AND m.kind = 1 AND m.state = 1
        """;

    /// <summary>Every plan of a plan's person: what kind of unit owns it, for whom, and when anything about it or the person was last written.</summary>
    public static Query<List<KeptFile>> FilesOfPersonOf(Guid plan) => new(
        """
        SELECT u.kind, q.owner_controller, greatest(
            q.changed_at,
            (SELECT max(c.changed_at) FROM consent c WHERE c.plan_id = q.plan_id),
            (SELECT max(l.changed_at) FROM legal_release l WHERE l.plan_id = q.plan_id),
            (SELECT max(b.changed_at) FROM block b WHERE b.subject_id = q.subject_id),
            (SELECT max(d.changed_at) FROM location_secrecy d WHERE d.subject_id = q.subject_id),
            (SELECT max(w.changed_at) FROM whereabouts w WHERE w.subject_id = q.subject_id),
            (SELECT max(t.created_at) FROM protection_decision t WHERE t.subject_id = q.subject_id),
            (SELECT max(e.changed_at) FROM emergency_access e WHERE e.subject_id = q.subject_id))
        FROM plan p JOIN plan q ON q.subject_id = p.subject_id JOIN unit u ON u.unit_id = q.owner_unit_id
        WHERE p.plan_id = $1
        """,
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var files = new List<KeptFile>();
            while (await reader.ReadAsync(stop))
            {
                files.Add(new KeptFile((UnitKind)reader.GetInt16(0), reader.GetString(1), SwedishTime.DayOf(reader.GetFieldValue<DateTimeOffset>(2))));
            }

            return files;
        });

    public static PlanRecord ReadRecord(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (PlanState)reader.GetInt16(1),
        reader.GetInt32(2),
        reader.GetInt32(3),
        reader.GetString(4),
        reader.GetString(5),
        reader.IsDBNull(6) ? null : reader.GetString(6),
        reader.IsDBNull(7) ? null : reader.GetString(7),
        reader.GetBoolean(8),
        reader.IsDBNull(9) ? null : reader.GetFieldValue<DateOnly>(9),
        reader.IsDBNull(10) ? null : reader.GetFieldValue<DateOnly>(10),
        reader.IsDBNull(11) ? null : reader.GetFieldValue<DateOnly>(11),
        reader.IsDBNull(12) ? PlanClosingReason.Unspecified : (PlanClosingReason)reader.GetInt16(12),
        reader.IsDBNull(13) ? PlanDeclineReason.Unspecified : (PlanDeclineReason)reader.GetInt16(13));
}

/// <summary>A plan as something that is kept for a time.</summary>
internal sealed record KeptFile(UnitKind Owner, string Controller, DateOnly LastNote)
{
    /// <summary>What it is kept as. A plan whose owner is neither is kept as long as any.</summary>
    public RetentionClass Class => Owner == UnitKind.SocialServices ? RetentionClass.SocialServicesFile : RetentionClass.HealthCareRecord;
}

/// <summary>What the frame refers to in the directory.</summary>
internal sealed record FrameReferences(OrganisationKind LeadPrincipalKind, bool CoordinatorWorksThere);
