using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CoordinationPlan.Server.Plans;

/// <summary>The content of a plan at a moment, proposed as the next revision.</summary>
/// <param name="ContentVersion">The sum of the versions of the plan and its parts when it was proposed: it rises with every change.</param>
internal sealed record ProposalRecord(Guid ProposalId, long ContentVersion, int EstablishedRevision, DateTimeOffset ProposedAt, int Version, bool IsCurrent)
{
    public string Etag => Rpc.Etag.Of(ProposalId, Version);

    public Proposal ToProposal(Guid planId, IEnumerable<AnswerRecord> answers, DataKey key, DirectoryNames names) => new()
    {
        Name = ResourceName.Child(planId, ResourceName.Proposals, ProposalId),
        Etag = Etag,
        ProposeTime = Timestamp.FromDateTimeOffset(ProposedAt),
        Current = IsCurrent,
        EstablishedRevision = EstablishedRevision,
        Answers = { answers.Where(answer => answer.ProposalId == ProposalId).Select(answer => answer.ToAnswer(key, names)) },
    };
}

/// <summary>What one unit answers to a proposal.</summary>
/// <param name="Category">GOALS_AND_INTERVENTIONS, or WHEREABOUTS where the unit is a sheltered housing.</param>
/// <param name="Sealed">The reason, sealed with the person's key; null where none was given.</param>
internal sealed record AnswerRecord(Guid ProposalId, string UnitId, Categories Category, ProposalAnswerKind Answer, DateTimeOffset AnsweredAt, byte[]? Sealed)
{
    private string Place => $"proposal_answer/{ProposalId:D}/{UnitId}";

    public AnswerRecord Holding(DataKey key, string reason) => this with { Sealed = reason.Length == 0 ? null : key.Seal(Place, System.Text.Encoding.UTF8.GetBytes(reason)) };

    public ProposalAnswer ToAnswer(DataKey key, DirectoryNames names) => new()
    {
        Unit = names.Name(ResourceName.Units, UnitId),
        Answer = Answer,
        Reason = Sealed is null ? "" : System.Text.Encoding.UTF8.GetString(key.Open(Place, Sealed)),
        AnswerTime = Timestamp.FromDateTimeOffset(AnsweredAt),
    };
}

internal static class ProposalSql
{
    private const string ContentVersion =
        "(SELECT p.version + coalesce((SELECT sum(i.version) FROM plan_part i WHERE i.plan_id = p.plan_id), 0) FROM plan p WHERE p.plan_id = $1)";

    private const string Columns = $"proposal_id, content_version, coalesce(established_revision, 0), created_at, version, content_version = {ContentVersion}";

    /// <summary>A plan's proposals, the latest first.</summary>
    public static Query<List<ProposalRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM plan_proposal WHERE plan_id = $1 ORDER BY created_at DESC, proposal_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var proposals = new List<ProposalRecord>();
            while (await reader.ReadAsync(stop))
            {
                proposals.Add(Read(reader));
            }

            return proposals;
        });

    public static Query<Loaded<ProposalRecord>> Find(Guid plan, Guid? proposal) => new(
        $"SELECT {Columns} FROM plan_proposal WHERE plan_id = $1 AND proposal_id = $2",
        [Parameter.Of(plan), Parameter.OrNull(proposal)],
        static async (reader, stop) => new Loaded<ProposalRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>The content's version now.</summary>
    public static Query<long> VersionOf(Guid plan) => new(
        $"SELECT {ContentVersion}", [Parameter.Of(plan)], static async (reader, stop) => await reader.ReadAsync(stop) && !reader.IsDBNull(0) ? reader.GetInt64(0) : 0);

    /// <summary>The answers that the permit covers: a sheltered housing's only for those who may know the whereabouts, and of those only the given unit's.</summary>
    public static Query<List<AnswerRecord>> Answers(Guid plan, Categories permitted, string? whereaboutsOf) => new(
        $"""
        SELECT proposal_id, unit_id, category, answer, answered_at, body
        FROM proposal_answer
        WHERE plan_id = $1 AND category & $2 <> 0 AND (category <> {(int)Categories.Whereabouts} OR $3 IS NULL OR unit_id = $3)
        ORDER BY created_at, unit_id
        """,
        [Parameter.Of(plan), Parameter.Of(permitted), Parameter.OrNull(whereaboutsOf)],
        static async (reader, stop) =>
        {
            var answers = new List<AnswerRecord>();
            while (await reader.ReadAsync(stop))
            {
                answers.Add(new AnswerRecord(
                    reader.GetGuid(0),
                    reader.GetString(1),
                    (Categories)reader.GetInt32(2),
                    (ProposalAnswerKind)reader.GetInt16(3),
                    reader.GetFieldValue<DateTimeOffset>(4),
                    reader.IsDBNull(5) ? null : reader.GetFieldValue<byte[]>(5)));
            }

            return answers;
        });

    public static Command Insert(Guid plan, ProposalRecord proposal, string changedBy) => new(
        "INSERT INTO plan_proposal (plan_id, proposal_id, content_version, created_at, changed_by) VALUES ($1, $2, $3, $4, $5)",
        [Parameter.Of(plan), Parameter.Of(proposal.ProposalId), Parameter.Of(proposal.ContentVersion), Parameter.Of(proposal.ProposedAt), Parameter.Of(changedBy)]);

    /// <summary>It became a revision.</summary>
    public static Command Establish(Guid plan, ProposalRecord proposal, int revision, string changedBy) => new(
        """
        UPDATE plan_proposal SET established_revision = $4, version = $3 + 1, changed_by = $5, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND proposal_id = $2 AND version = $3
        """,
        [Parameter.Of(plan), Parameter.Of(proposal.ProposalId), Parameter.Of(proposal.Version), Parameter.Of(revision), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    /// <summary>A unit's answer, in place of the one before; the trigger keeps that.</summary>
    public static Command Answer(Guid plan, AnswerRecord answer, string changedBy) => new(
        """
        INSERT INTO proposal_answer AS a (plan_id, proposal_id, unit_id, category, answer, answered_at, body, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (plan_id, proposal_id, unit_id) DO UPDATE
        SET answer = excluded.answer, answered_at = excluded.answered_at, body = excluded.body, version = a.version + 1, changed_by = excluded.changed_by, changed_at = clock_timestamp()
        """,
        [
            Parameter.Of(plan), Parameter.Of(answer.ProposalId), Parameter.Of(answer.UnitId), Parameter.Of(answer.Category), Parameter.Of((short)answer.Answer),
            Parameter.Of(answer.AnsweredAt), Parameter.OrNull(answer.Sealed), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    private static ProposalRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0), reader.GetInt64(1), reader.GetInt32(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetInt32(4), reader.GetBoolean(5));
}
