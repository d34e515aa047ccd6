using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;

namespace CoordinationPlan.Server.Plans;

/// <summary>What was agreed, as it was then: a revision names the version of the plan and of each part, which stand in the tables or in their history.</summary>
internal static class RevisionSql
{
    public static Query<List<RevisionRecord>> Of(Guid plan) => new(
        "SELECT revision, established_at, established_by FROM plan_revision WHERE plan_id = $1 ORDER BY revision DESC",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var revisions = new List<RevisionRecord>();
            while (await reader.ReadAsync(stop))
            {
                revisions.Add(new RevisionRecord(reader.GetInt32(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2)));
            }

            return revisions;
        });

    /// <summary>The plan's own fields in a revision.</summary>
    public static Query<Loaded<PlanRecord>> Record(Guid plan, int revision) => new(
        $"""
        SELECT {PlanSql.RecordColumns} FROM plan WHERE plan_id = $1 AND version = (SELECT r.plan_version FROM plan_revision r WHERE r.plan_id = $1 AND r.revision = $2)
        UNION ALL
        SELECT {PlanSql.RecordColumns} FROM plan_history WHERE plan_id = $1 AND version = (SELECT r.plan_version FROM plan_revision r WHERE r.plan_id = $1 AND r.revision = $2)
        """,
        [Parameter.Of(plan), Parameter.Of(revision)],
        static async (reader, stop) => new Loaded<PlanRecord>(await reader.ReadAsync(stop) ? PlanSql.ReadRecord(reader) : null));

    /// <summary>The parts in a revision whose category is permitted, as <see cref="PartSql.Of"/> reads those of today.</summary>
    public static Query<List<PlanPart>> Parts(Guid plan, int revision, Sight sight) => new(
        $"""
        SELECT {PartSql.Columns}
        FROM (
            SELECT p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body, p.created_at
            FROM plan_revision_part r JOIN plan_part p ON p.plan_id = r.plan_id AND p.part_id = r.part_id AND p.version = r.part_version
            WHERE r.plan_id = $1 AND r.revision = $5 AND {PartSql.InSight}
            UNION ALL
            SELECT p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body, p.created_at
            FROM plan_revision_part r JOIN plan_part_history p ON p.plan_id = r.plan_id AND p.part_id = r.part_id AND p.version = r.part_version
            WHERE r.plan_id = $1 AND r.revision = $5 AND {PartSql.InSight}
        ) p
        ORDER BY p.created_at, p.part_id
        """,
        [Parameter.Of(plan), Parameter.Of(sight.Permitted), Parameter.Of(sight.OwnOnly), Parameter.Of(sight.UnitId), Parameter.Of(revision)],
        PartSql.ReadAll);
}

/// <summary>An established revision.</summary>
internal sealed record RevisionRecord(int Number, DateTimeOffset EstablishedAt, string EstablishedBy);
