using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Suggestions;

internal static class SuggestionSql
{
    private const string Columns = "suggestion_id, subject_id, recipient_unit_id, sender_unit_id, state, sent_at, version, body";

    /// <summary>Always one row, also for a person whom nobody knows and a unit that is not there.</summary>
    public static Query<Loaded<Surroundings>> Surroundings(string recipient, byte[] identityKey) => new(
        """
        SELECT EXISTS (
                   SELECT FROM unit u JOIN organisation o ON o.organisation_id = u.organisation_id
                   WHERE u.unit_id = $1 AND u.kind IN (1, 2) AND o.kind IN (1, 2)),
               ARRAY(
                   SELECT DISTINCT ON (p.owner_unit_id) p.plan_id
                   FROM subject s JOIN plan p ON p.subject_id = s.subject_id
                   WHERE s.identity_key = $2
                   ORDER BY p.owner_unit_id, p.is_open DESC, p.created_at DESC, p.plan_id)
        """,
        [Parameter.Of(recipient), Parameter.Of(identityKey)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<Surroundings>(new(reader.GetBoolean(0), reader.GetFieldValue<Guid[]>(1)));
        });

    public static Command Insert(SuggestionRecord suggestion, string changedBy) => new(
        """
        INSERT INTO plan_suggestion (suggestion_id, subject_id, recipient_unit_id, sender_unit_id, state, sent_at, body, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [
            Parameter.Of(suggestion.SuggestionId), Parameter.Of(suggestion.SubjectId), Parameter.Of(suggestion.RecipientUnitId), Parameter.Of(suggestion.SenderUnitId),
            Parameter.Of((short)suggestion.State), Parameter.Of(suggestion.SentAt), Parameter.Of(suggestion.Sealed), Parameter.Of(changedBy),
        ]);

    /// <summary>What was sent to a unit and is open, the oldest first, after a position. Candidates only: each is decided afterwards.</summary>
    public static Query<List<SuggestionRecord>> Open(string unit, (DateTimeOffset SentAt, Guid SuggestionId) after, int limit) => new(
        $"""
        SELECT {Columns} FROM plan_suggestion
        WHERE recipient_unit_id = $1 AND state = 1 AND (sent_at, suggestion_id) > ($2, $3)
        ORDER BY sent_at, suggestion_id
        LIMIT $4
        """,
        [Parameter.Of(unit), Parameter.Of(after.SentAt), Parameter.Of(after.SuggestionId), Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var suggestions = new List<SuggestionRecord>();
            while (await reader.ReadAsync(stop))
            {
                suggestions.Add(Read(reader));
            }

            return suggestions;
        });

    /// <summary>Whoever blocks somebody from a suggestion's person waits for whoever answers it, and the other way round.</summary>
    public static Query<bool> LockPersonOf(Guid suggestion) => new(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('persons/' || g.subject_id, 0)) FROM plan_suggestion g WHERE g.suggestion_id = $1",
        [Parameter.Of(suggestion)],
        static (_, _) => Task.FromResult(true));

    /// <summary>
    /// A suggestion that has reached its unit, answered or not; whoever else answers it at the same time waits. One that was set aside is not found, like one
    /// that never was.
    /// </summary>
    public static Query<Loaded<SuggestionRecord>> Find(Guid suggestion) => new(
        $"SELECT {Columns} FROM plan_suggestion WHERE suggestion_id = $1 AND state IN (1, 2) FOR UPDATE",
        [Parameter.Of(suggestion)],
        static async (reader, stop) =>
        {
            var found = await reader.ReadAsync(stop) ? Read(reader) : null;
            return new Loaded<SuggestionRecord>(found) { ResponsibleUnitId = found?.RecipientUnitId };
        });

    /// <summary>Whether a plan is the receiving unit's for the suggestion's person.</summary>
    public static Query<bool> IsOpenedFrom(Guid suggestion, Guid? plan) => new(
        """
        SELECT EXISTS (
            SELECT FROM plan_suggestion g JOIN plan p ON p.subject_id = g.subject_id AND p.owner_unit_id = g.recipient_unit_id
            WHERE g.suggestion_id = $1 AND p.plan_id = $2)
        """,
        [Parameter.Of(suggestion), Parameter.OrNull(plan)],
        static async (reader, stop) => await reader.ReadAsync(stop) && reader.GetBoolean(0));

    /// <summary>Keeps the answer; the trigger keeps the version before.</summary>
    public static Command Answer(SuggestionAnswer answer, string changedBy) => new(
        """
        UPDATE plan_suggestion
        SET state = 2, plan_id = $3, dismissal = $4, answer = $5, version = $2, changed_by = $6, changed_at = clock_timestamp()
        WHERE suggestion_id = $1 AND version = $2 - 1
        """,
        [
            Parameter.Of(answer.SuggestionId), Parameter.Of(answer.Version), Parameter.OrNull(answer.PlanId), Parameter.Of((short)answer.Dismissal),
            Parameter.OrNull(answer.Sealed), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    private static SuggestionRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetGuid(1),
        reader.GetString(2),
        reader.GetString(3),
        (SuggestionState)reader.GetInt16(4),
        reader.GetFieldValue<DateTimeOffset>(5),
        reader.GetInt32(6),
        reader.GetFieldValue<byte[]>(7));
}
