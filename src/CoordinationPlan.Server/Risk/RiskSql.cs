using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Risk;

internal static class RiskSql
{
    private const string Columns = "assessment_id, instrument, assessed_on, reassess_on, superseded_by, version, body";

    /// <summary>A plan's assessments, the latest first, superseded ones too.</summary>
    public static Query<List<RiskRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM risk_assessment WHERE plan_id = $1 ORDER BY assessed_on DESC, created_at DESC",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var assessments = new List<RiskRecord>();
            while (await reader.ReadAsync(stop))
            {
                assessments.Add(Read(reader));
            }

            return assessments;
        });

    /// <summary>The assessment that a new one takes the place of, where it takes one's; null where there is none of that id in the plan.</summary>
    public static Query<Loaded<Earlier>> FindEarlier(Guid plan, Guid? assessment) => new(
        $"SELECT {Columns} FROM risk_assessment WHERE plan_id = $1 AND assessment_id = $2",
        [Parameter.Of(plan), Parameter.OrNull(assessment)],
        async (reader, stop) => new Loaded<Earlier>(
            await reader.ReadAsync(stop) ? new Earlier(Read(reader))
            : assessment is null ? new Earlier(null)
            : null));

    public static Command Insert(Guid plan, RiskRecord assessment, string changedBy) => new(
        "INSERT INTO risk_assessment (plan_id, assessment_id, instrument, assessed_on, reassess_on, body, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            Parameter.Of(plan), Parameter.Of(assessment.AssessmentId), Parameter.Of((short)assessment.Instrument), Parameter.Of(assessment.AssessedOn),
            Parameter.Of(assessment.ReassessOn), Parameter.Of(assessment.Sealed), Parameter.Of(changedBy),
        ]);

    /// <summary>Another took its place.</summary>
    public static Command Supersede(Guid plan, RiskRecord assessment, Guid by, string changedBy) => new(
        """
        UPDATE risk_assessment SET superseded_by = $4, version = $3 + 1, changed_by = $5, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND assessment_id = $2 AND version = $3 AND superseded_by IS NULL
        """,
        [Parameter.Of(plan), Parameter.Of(assessment.AssessmentId), Parameter.Of(assessment.Version), Parameter.Of(by), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    private static RiskRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (RiskInstrument)reader.GetInt16(1),
        reader.GetFieldValue<DateOnly>(2),
        reader.GetFieldValue<DateOnly>(3),
        reader.IsDBNull(4) ? null : reader.GetGuid(4),
        reader.GetInt32(5),
        reader.GetFieldValue<byte[]>(6));
}

/// <summary>The assessment that a new one takes the place of; none where it is the first.</summary>
internal sealed record Earlier(RiskRecord? Record);
