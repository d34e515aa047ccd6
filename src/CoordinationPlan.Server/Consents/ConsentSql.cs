using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;
using Purpose = CoordinationPlan.V1.Purpose;

namespace CoordinationPlan.Server.Consents;

/// <summary>Units that a consent names.</summary>
internal sealed record Recipients(int Known, int ShelteredHousings);

internal static class ConsentSql
{
    private const string Columns =
        """
        consent_id, state, recipient_units, categories, excluded_categories, purpose, starts_on, ends_on, form, given_by, recorded_by, recorded_at,
        withdrawn_at, version, body
        """;

    /// <summary>A plan's consents, the withdrawn ones too.</summary>
    public static Query<List<ConsentRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM consent WHERE plan_id = $1 ORDER BY recorded_at, consent_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var consents = new List<ConsentRecord>();
            while (await reader.ReadAsync(stop))
            {
                consents.Add(Read(reader));
            }

            return consents;
        });

    public static Query<Loaded<ConsentRecord>> Find(Guid plan, Guid consent) => new(
        $"SELECT {Columns} FROM consent WHERE plan_id = $1 AND consent_id = $2",
        [Parameter.Of(plan), Parameter.Of(consent)],
        static async (reader, stop) => new Loaded<ConsentRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>How many of the units are in the directory, and how many of those are sheltered housings.</summary>
    public static Query<Loaded<Recipients>> Count(string[] units) => new(
        "SELECT count(*), count(*) FILTER (WHERE u.kind = 4) FROM unit u WHERE u.unit_id = ANY ($1)",
        [Parameter.Of(units)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<Recipients>(new Recipients((int)reader.GetInt64(0), (int)reader.GetInt64(1)));
        });

    public static Command Insert(Guid plan, ConsentRecord consent, string changedBy) => new(
        """
        INSERT INTO consent (
            plan_id, consent_id, state, recipient_units, categories, excluded_categories, purpose, starts_on, ends_on, form, given_by, recorded_by,
            recorded_at, changed_by, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """,
        [
            Parameter.Of(plan), Parameter.Of(consent.ConsentId), Parameter.Of((short)consent.State), Parameter.Of(consent.RecipientUnits),
            Parameter.Of(consent.Categories), Parameter.Of(consent.ExcludedCategories), Parameter.Of((short)consent.Purpose), Parameter.Of(consent.StartsOn),
            Parameter.Of(consent.EndsOn), Parameter.Of((short)consent.Form), Parameter.Of((short)consent.GivenBy), Parameter.Of(consent.RecordedBy),
            Parameter.Of(consent.RecordedAt), Parameter.Of(changedBy), Parameter.OrNull(consent.Sealed),
        ]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(Guid plan, ConsentRecord consent, string changedBy) => new(
        """
        UPDATE consent
        SET state = $4, withdrawn_at = $5, recipient_units = $7, categories = $8, excluded_categories = $9, ends_on = $10, form = $11, body = $12, version = $3,
            changed_by = $6, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND consent_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(consent.ConsentId), Parameter.Of(consent.Version), Parameter.Of((short)consent.State),
            Parameter.OrNull(consent.WithdrawnAt), Parameter.Of(changedBy), Parameter.Of(consent.RecipientUnits), Parameter.Of(consent.Categories),
            Parameter.Of(consent.ExcludedCategories), Parameter.Of(consent.EndsOn), Parameter.Of((short)consent.Form), Parameter.OrNull(consent.Sealed),
        ],
        ExpectedRows: 1);

    private static ConsentRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (ConsentState)reader.GetInt16(1),
        reader.GetFieldValue<string[]>(2),
        (Categories)reader.GetInt32(3),
        (Categories)reader.GetInt32(4),
        (Purpose)reader.GetInt16(5),
        reader.GetFieldValue<DateOnly>(6),
        reader.GetFieldValue<DateOnly>(7),
        (ConsentForm)reader.GetInt16(8),
        (ConsentGiver)reader.GetInt16(9),
        reader.GetString(10),
        reader.GetFieldValue<DateTimeOffset>(11),
        reader.IsDBNull(12) ? null : reader.GetFieldValue<DateTimeOffset>(12),
        reader.GetInt32(13),
        reader.IsDBNull(14) ? null : reader.GetFieldValue<byte[]>(14));
}
