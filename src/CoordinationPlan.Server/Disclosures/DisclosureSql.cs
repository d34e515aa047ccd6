using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Disclosures;

internal static class DisclosureSql
{
    /// <summary>
    /// The units that tell where the plan's person is: the sheltered housing of the whereabouts, the sheltered housings and schools that take part, and the
    /// schools by whose arrangements the person goes to school or is to.
    /// </summary>
    public static Query<List<TellingUnit>> TellingUnits(Guid plan, DirectoryNames names) => new(
        """
        SELECT u.unit_id, u.display_name, u.kind, o.display_name, o.kind, o.organisation_id = (
            SELECT own.organisation_id FROM plan p JOIN unit own ON own.unit_id = p.owner_unit_id WHERE p.plan_id = $1)
        FROM unit u JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE u.unit_id = (SELECT w.unit_id FROM whereabouts w JOIN plan s ON s.subject_id = w.subject_id WHERE s.plan_id = $1)
           OR (u.kind IN (3, 4) AND EXISTS (SELECT FROM participation x WHERE x.plan_id = $1 AND x.unit_id = u.unit_id AND x.ended_at IS NULL))
           OR EXISTS (SELECT FROM school_arrangement a WHERE a.plan_id = $1 AND a.unit_id = u.unit_id AND a.state < 7)
        """,
        [Parameter.Of(plan)],
        async (reader, stop) =>
        {
            var units = new List<TellingUnit>();
            while (await reader.ReadAsync(stop))
            {
                units.Add(new TellingUnit(
                    names.Id(ResourceName.Units, reader.GetString(0)),
                    names.Open(reader.GetString(1)),
                    (UnitKind)reader.GetInt16(2) == UnitKind.School,
                    names.Open(reader.GetString(3)),
                    (OrganisationKind)reader.GetInt16(4) == OrganisationKind.Municipality,
                    reader.GetBoolean(5)));
            }

            return units;
        });

    /// <summary>Whether a unit is in the directory; where none is named, there is nothing to miss.</summary>
    public static Query<bool> IsThere(string? unit) => new(
        "SELECT $1 IS NULL OR EXISTS (SELECT FROM unit u WHERE u.unit_id = $1)",
        [Parameter.OrNull(unit)],
        static async (reader, stop) => await reader.ReadAsync(stop) && reader.GetBoolean(0));

    /// <summary>A plan's disclosures, the latest first, without the documents.</summary>
    public static Query<List<DisclosureRecord>> Of(Guid plan) => new(
        "SELECT disclosure_id, kind, ground, added_by, created_at, body, NULL FROM disclosure WHERE plan_id = $1 ORDER BY created_at DESC, disclosure_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var disclosures = new List<DisclosureRecord>();
            while (await reader.ReadAsync(stop))
            {
                disclosures.Add(Read(reader));
            }

            return disclosures;
        });

    public static Query<Loaded<DisclosureRecord>> Find(Guid plan, Guid disclosure) => new(
        "SELECT disclosure_id, kind, ground, added_by, created_at, body, document FROM disclosure WHERE plan_id = $1 AND disclosure_id = $2",
        [Parameter.Of(plan), Parameter.Of(disclosure)],
        static async (reader, stop) => new Loaded<DisclosureRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    public static Command Insert(Guid plan, DisclosureRecord disclosure) => new(
        "INSERT INTO disclosure (plan_id, disclosure_id, kind, ground, body, document, added_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            Parameter.Of(plan), Parameter.Of(disclosure.DisclosureId), Parameter.Of((short)disclosure.Kind), Parameter.Of(disclosure.Ground), Parameter.Of(disclosure.Sealed),
            Parameter.Of(disclosure.SealedDocument!), Parameter.Of(disclosure.RecordedBy), Parameter.Of(disclosure.RecordedAt),
        ]);

    private static DisclosureRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (DisclosureKind)reader.GetInt16(1),
        reader.GetString(2),
        reader.GetString(3),
        reader.GetFieldValue<DateTimeOffset>(4),
        reader.GetFieldValue<byte[]>(5),
        reader.IsDBNull(6) ? null : reader.GetFieldValue<byte[]>(6));
}
