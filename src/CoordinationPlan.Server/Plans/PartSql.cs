using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Plans;

internal static class PartSql
{
    public const string Columns = "p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body";

    /// <summary>
    /// The category that a part is shown by. A part is sealed with the category that it was written under; but an intervention of a school, or a protection
    /// measure that concerns one, is the school's: which unit it names counts.
    /// </summary>
    public static readonly string ShownCategory =
        $"""
        CASE WHEN p.category IN ({(int)Categories.GoalsAndInterventions}, {(int)Categories.ProtectionMeasures}) AND EXISTS (SELECT FROM unit u WHERE u.unit_id = p.unit_id AND u.kind = 3)
             THEN {(int)Categories.SchoolPlacement} ELSE p.category END
        """;

    /// <summary>
    /// A part is in sight, where $2, $3 and $4 are what is permitted, of what only the own unit's, and that unit. A protection measure that concerns the own
    /// unit is for it to know, whatever else it may.
    /// </summary>
    public static readonly string InSight =
        $"""
        (({ShownCategory}) & $2 <> 0 AND (({ShownCategory}) & $3 = 0 OR p.unit_id IS NULL OR p.unit_id = $4)
         OR p.category & $2 & {(int)Categories.ProtectionMeasures} <> 0 AND p.unit_id = $4)
        """;

    /// <summary>The parts in sight. The others are not fetched.</summary>
    public static Query<List<PlanPart>> Of(Guid plan, Sight sight) => new(
        $"""
        SELECT {Columns}
        FROM plan_part p
        WHERE p.plan_id = $1 AND {InSight}
        ORDER BY p.created_at, p.part_id
        """,
        [Parameter.Of(plan), Parameter.Of(sight.Permitted), Parameter.Of(sight.OwnOnly), Parameter.Of(sight.UnitId)],
        ReadAll);

    /// <summary>The frame's parts of several plans, each within its own permit, by plan.</summary>
    public static Query<ILookup<Guid, PlanPart>> FramesOf(Guid[] plans, int[] permitted) => new(
        $"""
        SELECT {Columns}, p.plan_id
        FROM unnest($1, $2) AS x (plan_id, permitted)
        JOIN plan_part p ON p.plan_id = x.plan_id AND p.kind = 1 AND p.category & x.permitted <> 0
        """,
        [Parameter.Of(plans), Parameter.Of(permitted)],
        static async (reader, stop) =>
        {
            var parts = new List<(Guid Plan, PlanPart Part)>();
            while (await reader.ReadAsync(stop))
            {
                parts.Add((reader.GetGuid(7), Read(reader)));
            }

            return parts.ToLookup(part => part.Plan, part => part.Part);
        });

    /// <summary>One item of a plan, with whether the unit that answers for it still owns the plan or takes part in it.</summary>
    public static Query<Loaded<PlanPart>> Find(Guid plan, Guid part, PartKind kind, DateOnly today) => new(
        $"""
        SELECT {Columns}, {TakesPart("p.unit_id", "p.plan_id", "$4")}
        FROM plan_part p
        WHERE p.plan_id = $1 AND p.part_id = $2 AND p.kind = $3
        """,
        [Parameter.Of(plan), Parameter.Of(part), Parameter.Of((short)kind), Parameter.Of(today)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? new Loaded<PlanPart>(Read(reader)) { ResponsibleUnitId = reader.IsDBNull(3) ? null : reader.GetString(3), ResponsibleUnitGone = !reader.GetBoolean(7) }
            : new Loaded<PlanPart>(null));

    /// <summary>What an intervention refers to: its unit, its goals in the same plan, its contact person.</summary>
    /// <param name="part">The intervention, where it is there already and its unit is not given.</param>
    public static Query<Loaded<InterventionReferences>> LoadReferences(Guid plan, string? unit, Guid? part, Guid[] goals, string? contactPerson, DateOnly today) => new(
        $"""
        SELECT u.unit_id, u.kind, u.organisation_id, {TakesPart("u.unit_id", "$1", "$5")},
               (SELECT count(*) FROM plan_part g WHERE g.plan_id = $1 AND g.kind = 2 AND g.part_id = ANY ($3)),
               EXISTS (
                   SELECT FROM assignment w
                   WHERE w.employee_id = $4 AND w.unit_id = u.unit_id AND NOT w.revoked AND w.starts_on <= $5 AND (w.ends_on IS NULL OR w.ends_on >= $5))
        FROM (SELECT) one
        LEFT JOIN unit u ON u.unit_id = coalesce($2, (SELECT t.unit_id FROM plan_part t WHERE t.plan_id = $1 AND t.part_id = $6))
        """,
        [Parameter.Of(plan), Parameter.OrNull(unit), Parameter.Of(goals), Parameter.OrNull(contactPerson), Parameter.Of(today), Parameter.OrNull(part)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            var references = new InterventionReferences(
                reader.IsDBNull(1) ? V1.UnitKind.Unspecified : (V1.UnitKind)reader.GetInt16(1),
                reader.IsDBNull(2) ? null : reader.GetString(2),
                reader.GetBoolean(3),
                (int)reader.GetInt64(4),
                reader.GetBoolean(5));
            return new Loaded<InterventionReferences>(references)
            {
                ResponsibleUnitId = reader.IsDBNull(0) ? null : reader.GetString(0),
                ResponsibleUnitGone = !references.UnitTakesPart,
                IsNew = true,
            };
        });

    public static Query<List<PlanPart>> FrameOf(Guid plan) => new(
        $"SELECT {Columns} FROM plan_part p WHERE p.plan_id = $1 AND p.kind = 1",
        [Parameter.Of(plan)],
        ReadAll);

    public static Command Insert(Guid plan, PlanPart part, string changedBy) => new(
        """
        INSERT INTO plan_part (plan_id, part_id, kind, category, unit_id, state, body, changed_by, starts_on, ends_on, contact_person)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [
            Parameter.Of(plan), Parameter.Of(part.PartId), Parameter.Of((short)part.Kind), Parameter.Of(part.Category), Parameter.OrNull(part.UnitId),
            Parameter.Of((short)part.State), Parameter.Of(part.Sealed), Parameter.Of(changedBy), Parameter.OrNull(part.Schedule?.StartsOn), Parameter.OrNull(part.Schedule?.EndsOn),
            Parameter.OrNull(part.Schedule?.ContactPerson),
        ]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(Guid plan, PlanPart part, string changedBy) => new(
        """
        UPDATE plan_part
        SET state = $4, body = $5, starts_on = $7, ends_on = $8, contact_person = $9, version = $3, changed_by = $6, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND part_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(part.PartId), Parameter.Of(part.Version), Parameter.Of((short)part.State), Parameter.Of(part.Sealed),
            Parameter.Of(changedBy), Parameter.OrNull(part.Schedule?.StartsOn), Parameter.OrNull(part.Schedule?.EndsOn), Parameter.OrNull(part.Schedule?.ContactPerson),
        ],
        ExpectedRows: 1);

    private static string TakesPart(string unit, string plan, string today) =>
        $"""
        coalesce(
            EXISTS (SELECT FROM plan o WHERE o.plan_id = {plan} AND o.owner_unit_id = {unit})
            OR EXISTS (
                SELECT FROM participation x
                WHERE x.plan_id = {plan} AND x.unit_id = {unit} AND x.ended_at IS NULL AND x.starts_on <= {today} AND (x.ends_on IS NULL OR x.ends_on >= {today})),
            false)
        """;

    public static async Task<List<PlanPart>> ReadAll(NpgsqlDataReader reader, CancellationToken stop)
    {
        var parts = new List<PlanPart>();
        while (await reader.ReadAsync(stop))
        {
            parts.Add(Read(reader));
        }

        return parts;
    }

    private static PlanPart Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (PartKind)reader.GetInt16(1),
        (Categories)reader.GetInt32(2),
        reader.IsDBNull(3) ? null : reader.GetString(3),
        (ItemState)reader.GetInt16(4),
        reader.GetInt32(5),
        reader.GetFieldValue<byte[]>(6));
}

/// <summary>What an intervention refers to.</summary>
internal sealed record InterventionReferences(V1.UnitKind UnitKind, string? OrganisationId, bool UnitTakesPart, int GoalsFound, bool ContactPersonWorksThere);
