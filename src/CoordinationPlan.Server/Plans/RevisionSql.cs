using CoordinationPlan.Policy;
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
    public static Query<List<PlanPart>> Parts(Guid plan, int revision, Categories permitted, string? whereaboutsOf)
    {
        const string Permitted = "r.plan_id = $1 AND r.revision = $4 AND p.category & $2 <> 0";
        return new(
            $"""
            SELECT {PartSql.Columns}
            FROM (
                SELECT p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body, p.created_at
                FROM plan_revision_part r JOIN plan_part p ON p.plan_id = r.plan_id AND p.part_id = r.part_id AND p.version = r.part_version
                WHERE {Permitted} AND {PartSql.OwnRows}
                UNION ALL
                SELECT p.part_id, p.kind, p.category, p.unit_id, p.state, p.version, p.body, p.created_at
                FROM plan_revision_part r JOIN plan_part_history p ON p.plan_id = r.plan_id AND p.part_id = r.part_id AND p.version = r.part_version
                WHERE {Permitted} AND {PartSql.OwnRows}
            ) p
            ORDER BY p.created_at, p.part_id
            """,
            [Parameter.Of(plan), Parameter.Of(permitted), Parameter.OrNull(whereaboutsOf), Parameter.Of(revision)],
            PartSql.ReadAll);
    }
}

/// <summary>An established revision.</summary>
internal sealed record RevisionRecord(int Number, DateTimeOffset EstablishedAt, string EstablishedBy);
