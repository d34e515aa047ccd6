using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CoordinationPlan.Server.Plans;

/// <summary>What a plan's content is at a moment, by sums of versions that rise with every change. Who the person is, is no part of it.</summary>
/// <param name="All">Of all of it.</param>
/// <param name="Shared">Without what tells where the person is: whoever does not know of that must not see it change either.</param>
internal sealed record ContentVersion(long All, long Shared);

/// <summary>The content of a plan at a moment, proposed as the next revision.</summary>
/// <param name="Content">What was proposed.</param>
/// <param name="Now">What the plan holds now.</param>
internal sealed record ProposalRecord(Guid ProposalId, ContentVersion Content, ContentVersion Now, int EstablishedRevision, DateTimeOffset ProposedAt, int Version)
{
    public string Etag => Rpc.Etag.Of(ProposalId, Version);

    /// <summary>Whether the plan still holds what was proposed, as far as the caller may know.</summary>
    public bool IsCurrentTo(Entry entry) => entry.Sight.IsWhole ? Content == Now : Content.Shared == Now.Shared;

    /// <summary>Refuses a proposal that has been established or left behind.</summary>
    public void RequireOpenTo(Entry entry)
    {
        if (!IsCurrentTo(entry) || EstablishedRevision > 0)
        {
            throw Errors.WrongState("The proposal has been established, or the content has changed since it was made.");
        }
    }

    public Proposal ToProposal(Entry entry, IEnumerable<AnswerRecord> answers, DirectoryNames names) => new()
    {
        Name = ResourceName.Child(entry.Plan.PlanId, ResourceName.Proposals, ProposalId),
        Etag = Etag,
        ProposeTime = Timestamp.FromDateTimeOffset(ProposedAt),
        Current = IsCurrentTo(entry),
        EstablishedRevision = EstablishedRevision,
        Answers = { answers.Where(answer => answer.ProposalId == ProposalId).Select(answer => answer.ToAnswer(entry.Key, names)) },
    };
}

/// <summary>What one unit answers to a proposal.</summary>
/// <param name="Category">GOALS_AND_INTERVENTIONS, or WHEREABOUTS where the unit is a sheltered housing and SCHOOL_PLACEMENT where it is a school.</param>
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
    private const string Columns = "r.proposal_id, r.content_version, r.shared_version, coalesce(r.established_revision, 0), r.created_at, r.version, now.all_of_it, now.shared";

    private static readonly string Now =
        $"""
        SELECT p.version + coalesce(sum(i.version) FILTER (WHERE i.category <> {(int)Categories.Identity}), 0) AS all_of_it,
               p.version + coalesce(sum(i.version) FILTER (WHERE i.category NOT IN ({(int)Categories.Identity}, {(int)Categories.Whereabouts}, {(int)Categories.SchoolPlacement})), 0) AS shared
        FROM plan p LEFT JOIN LATERAL (SELECT i.version, {PartSql.ShownCategory.Replace("p.", "i.", StringComparison.Ordinal)} AS category FROM plan_part i WHERE i.plan_id = p.plan_id) i ON true
        WHERE p.plan_id = $1
        GROUP BY p.plan_id
        """;

    /// <summary>A plan's proposals, the latest first.</summary>
    public static Query<List<ProposalRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM plan_proposal r, ({Now}) now WHERE r.plan_id = $1 ORDER BY r.created_at DESC, r.proposal_id",
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
        $"SELECT {Columns} FROM plan_proposal r, ({Now}) now WHERE r.plan_id = $1 AND r.proposal_id = $2",
        [Parameter.Of(plan), Parameter.OrNull(proposal)],
        static async (reader, stop) => new Loaded<ProposalRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>What the plan holds now.</summary>
    public static Query<ContentVersion?> VersionOf(Guid plan) => new(
        Now, [Parameter.Of(plan)], static async (reader, stop) => await reader.ReadAsync(stop) ? new ContentVersion(reader.GetInt64(0), reader.GetInt64(1)) : null);

    /// <summary>The answers in sight; without one all, for work that shows none of them unseen.</summary>
    public static Query<List<AnswerRecord>> Answers(Guid plan, Sight? sight) => new(
        """
        SELECT proposal_id, unit_id, category, answer, answered_at, body
        FROM proposal_answer
        WHERE plan_id = $1 AND category & $2 <> 0 AND (category & $3 = 0 OR unit_id = $4)
        ORDER BY created_at, unit_id
        """,
        [Parameter.Of(plan), Parameter.Of(sight?.Permitted ?? ~Categories.None), Parameter.Of(sight?.OwnOnly ?? Categories.None), Parameter.Of(sight?.UnitId ?? "")],
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
        "INSERT INTO plan_proposal (plan_id, proposal_id, content_version, shared_version, created_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            Parameter.Of(plan), Parameter.Of(proposal.ProposalId), Parameter.Of(proposal.Content.All), Parameter.Of(proposal.Content.Shared), Parameter.Of(proposal.ProposedAt),
            Parameter.Of(changedBy),
        ]);

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
        reader.GetGuid(0),
        new ContentVersion(reader.GetInt64(1), reader.GetInt64(2)),
        new ContentVersion(reader.GetInt64(6), reader.GetInt64(7)),
        reader.GetInt32(3),
        reader.GetFieldValue<DateTimeOffset>(4),
        reader.GetInt32(5));
}
