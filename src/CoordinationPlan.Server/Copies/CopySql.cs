using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Copies;

internal static class CopySql
{
    private const string Columns = "copy_id, receiver, number, unit_id, category, revision, held, sha256, issued_by, issued_at";

    /// <summary>A plan's copies, the latest first: those of which the category is permitted, and of those the given unit's own where one is given. A school knows of itself.</summary>
    public static Query<List<CopyRecord>> Of(Guid plan, Categories permitted, string? ownUnit) => new(
        $"""
        SELECT {Columns}
        FROM plan_copy
        WHERE plan_id = $1 AND (category & $2 <> 0 OR (category = {(int)Categories.SchoolPlacement} AND unit_id = $3))
          AND ($3 IS NULL OR (unit_id = $3 AND receiver = {(int)CopyReceiver.CallersUnit}))
        ORDER BY issued_at DESC, copy_id
        """,
        [Parameter.Of(plan), Parameter.Of(permitted), Parameter.OrNull(ownUnit)],
        static async (reader, stop) =>
        {
            var copies = new List<CopyRecord>();
            while (await reader.ReadAsync(stop))
            {
                copies.Add(new CopyRecord(
                    reader.GetGuid(0),
                    (CopyReceiver)reader.GetInt16(1),
                    reader.GetInt32(2),
                    reader.GetString(3),
                    (Categories)reader.GetInt32(4),
                    reader.GetInt32(5),
                    (Categories)reader.GetInt32(6),
                    reader.GetFieldValue<byte[]>(7),
                    reader.GetString(8),
                    reader.GetFieldValue<DateTimeOffset>(9)));
            }

            return copies;
        });

    /// <summary>How many copies a receiver has had. The plan is locked, so the next one is one more.</summary>
    public static Query<int> CountFor(Guid plan, CopyReceiver receiver, string unit) => new(
        "SELECT count(*) FROM plan_copy WHERE plan_id = $1 AND receiver = $2 AND unit_id = $3",
        [Parameter.Of(plan), Parameter.Of((short)receiver), Parameter.Of(unit)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? (int)reader.GetInt64(0) : 0);

    public static Command Insert(Guid plan, CopyRecord copy) => new(
        """
        INSERT INTO plan_copy (plan_id, copy_id, receiver, number, unit_id, category, revision, held, sha256, issued_by, issued_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [
            Parameter.Of(plan), Parameter.Of(copy.CopyId), Parameter.Of((short)copy.Receiver), Parameter.Of(copy.Number), Parameter.Of(copy.UnitId),
            Parameter.Of(copy.Category), Parameter.Of(copy.Revision), Parameter.Of(copy.Held), Parameter.Of(copy.Sha256), Parameter.Of(copy.IssuedBy),
            Parameter.Of(copy.IssuedAt),
        ]);

    /// <summary>
    /// What the directory calls its entries, by resource name: units with their organisation, organisations, employees. A sheltered housing has no name in a
    /// document, whatever names it.
    /// </summary>
    public static Query<Dictionary<string, string>> DisplayNames(IReadOnlySet<string> resources, DirectoryNames names) => new(
        $"""
        SELECT 1, u.unit_id, u.display_name, o.display_name
        FROM unit u JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE u.unit_id = ANY ($1) AND u.kind <> {(int)V1.UnitKind.ShelteredHousing}
        UNION ALL
        SELECT 2, o.organisation_id, o.display_name, NULL FROM organisation o WHERE o.organisation_id = ANY ($2)
        UNION ALL
        SELECT 3, e.employee_id, e.display_name, NULL FROM employee e WHERE e.employee_id = ANY ($3)
        """,
        [
            Parameter.Of(Stored(resources, ResourceName.Units, names)), Parameter.Of(Stored(resources, ResourceName.Organisations, names)),
            Parameter.Of(Stored(resources, ResourceName.Employees, names)),
        ],
        async (reader, stop) =>
        {
            var found = new Dictionary<string, string>(StringComparer.Ordinal);
            while (await reader.ReadAsync(stop))
            {
                var collection = reader.GetInt32(0) switch { 1 => ResourceName.Units, 2 => ResourceName.Organisations, _ => ResourceName.Employees };
                found[names.Name(collection, reader.GetString(1))] =
                    reader.IsDBNull(3) ? names.Open(reader.GetString(2)) : $"{names.Open(reader.GetString(2))}, {names.Open(reader.GetString(3))}";
            }

            return found;
        });

    private static string[] Stored(IEnumerable<string> resources, string collection, DirectoryNames names) =>
        [.. resources.Where(name => name.StartsWith(collection + "/", StringComparison.Ordinal)).Select(name => names.Stored(collection, name[(collection.Length + 1)..]))];
}
