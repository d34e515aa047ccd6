using System.Globalization;
using System.Text;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.V1;
using Npgsql;
using NpgsqlTypes;

namespace CoordinationPlan.Bench.Data;

/// <summary>
/// Copies the template plans as often as is asked, in the database: a million through the API would take an hour. A copy is like its template
/// in every column but ids, and in the names that contents hold of each other. Contents are sealed anew, because a sealed body opens in its own
/// place only; a copy's person has the template's key.
/// </summary>
internal sealed class PlanLoad(NpgsqlConnection administrator, int plans, IReadOnlyList<(Plan Plan, Intervention Changed)> templates, IKeyRing ring)
{
    /// <summary>Copies. Returns which part of each copy is the intervention to be changed, as an offset for <see cref="PlanIds.Of"/>.</summary>
    public async Task<int> Copy(CancellationToken stop)
    {
        // The copies are whole because their templates are: no need to look every reference up again.
        await Execute("SET session_replication_role = replica; SET search_path = coordinationplan", stop);
        await Execute(
            $"""
            CREATE FUNCTION pg_temp.id(n bigint, more bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
            $$ SELECT ({PlanIds.FirstHalf("n")}::text || ({PlanIds.SecondHalf("n")} + more)::text)::uuid $$;
            CREATE TEMP TABLE template (number bigint PRIMARY KEY, plan_id uuid);
            """,
            stop);
        foreach (var (number, (plan, _)) in templates.Index())
        {
            await Execute($"INSERT INTO template VALUES ({number}, '{IdOf(plan.Name)}')", stop);
        }

        await Number("plan_part", "part_id", "created_at", PlanIds.FirstPart, stop);
        await Number("participation", "participation_id", "created_at", PlanIds.FirstParticipation, stop);
        await Number("consent", "consent_id", "recorded_at", PlanIds.FirstConsent, stop);
        await Execute(
            $"""
            INSERT INTO subject (subject_id, identity_key, identity, protection)
            SELECT pg_temp.id(n, {PlanIds.Subject}), decode(lpad(to_hex(n), 64, '0'), 'hex'), '', 1 FROM generate_series(1::bigint, {plans}) n;
            INSERT INTO subject_key (subject_id, compartment, ring_key, wrapped)
            SELECT pg_temp.id(n, {PlanIds.Subject}), 1, k.ring_key, k.wrapped
            FROM generate_series(1::bigint, {plans}) n
            JOIN template t ON t.number = n % {templates.Count}
            JOIN plan p ON p.plan_id = t.plan_id
            JOIN subject_key k ON k.subject_id = p.subject_id AND k.compartment = 1
            """,
            stop);
        await SealBodies(stop);
        await Insert("plan", null, [("subject_id", $"pg_temp.id(n, {PlanIds.Subject})")], stop);
        await Insert("plan_part", "part_id", [("body", "(SELECT b.body FROM sealed b WHERE b.part_id = pg_temp.id(n, x_number.more))")], stop);
        await Insert("participation", "participation_id", [], stop);
        await Insert("consent", "consent_id", [], stop);
        await Execute("VACUUM ANALYZE", stop);
        await Execute("CHECKPOINT", stop);
        return await OffsetOfChanged(stop);
    }

    /// <summary>Seals the contents of every copy, in its own place.</summary>
    private async Task SealBodies(CancellationToken stop)
    {
        var parts = await TemplateParts(stop);
        await Execute("CREATE TEMP TABLE sealed (part_id uuid PRIMARY KEY, body bytea NOT NULL)", stop);
        await using var writer = await administrator.BeginBinaryImportAsync("COPY sealed (part_id, body) FROM STDIN (FORMAT BINARY)", stop);
        for (var n = 1L; n <= plans; n++)
        {
            var ofTemplate = parts[n % templates.Count];
            foreach (var part in ofTemplate)
            {
                // An intervention names its goals, so its body holds their names, as long as the ids that they are replaced by.
                var text = new StringBuilder(Encoding.Latin1.GetString(part.Body)).Replace(part.PlanId.ToString("D"), PlanIds.Of(n).ToString("D"));
                foreach (var other in ofTemplate)
                {
                    text.Replace(other.PartId.ToString("D"), PlanIds.Of(n, other.Offset).ToString("D"));
                }

                var id = PlanIds.Of(n, part.Offset);
                await writer.StartRowAsync(stop);
                await writer.WriteAsync(id, NpgsqlDbType.Uuid, stop);
                await writer.WriteAsync(part.Key.Seal($"plan_part/{id:D}/{part.Version}/{part.Category}", Encoding.Latin1.GetBytes(text.ToString())), NpgsqlDbType.Bytea, stop);
            }
        }

        await writer.CompleteAsync(stop);
    }

    private async Task<ILookup<long, TemplatePart>> TemplateParts(CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT t.number, t.plan_id, x.part_id, n.more, x.version, x.category, x.body, k.ring_key, k.wrapped
            FROM template t
            JOIN plan p ON p.plan_id = t.plan_id
            JOIN plan_part x ON x.plan_id = t.plan_id
            JOIN plan_part_number n ON n.id = x.part_id
            JOIN subject_key k ON k.subject_id = p.subject_id AND k.compartment = 1
            """,
            administrator);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var parts = new List<(long Template, TemplatePart Part)>();
        while (await reader.ReadAsync(stop))
        {
            var key = new DataKey(await ring.Unwrap(KeyUse.Content, new WrappedKey(reader.GetString(7), reader.GetFieldValue<byte[]>(8)), stop));
            var (id, version, category) = (reader.GetGuid(2), reader.GetInt32(4), reader.GetInt32(5));
            parts.Add((reader.GetInt64(0), new TemplatePart(
                reader.GetGuid(1), id, (int)reader.GetInt64(3), version, category, key.Open($"plan_part/{id:D}/{version}/{category}", reader.GetFieldValue<byte[]>(6)), key)));
        }

        return parts.ToLookup(part => part.Template, part => part.Part);
    }

    private sealed record TemplatePart(Guid PlanId, Guid PartId, int Offset, int Version, int Category, byte[] Body, DataKey Key);

    /// <summary>Numbers what belongs to each template, in the order in which it was added.</summary>
    private Task Number(string table, string id, string order, int first, CancellationToken stop) => Execute(
        $"""
        CREATE TEMP TABLE {table}_number AS
        SELECT x.{id} AS id, {first} - 1 + row_number() OVER (PARTITION BY x.plan_id ORDER BY x.{order}) AS more
        FROM {table} x JOIN template t ON t.plan_id = x.plan_id
        """,
        stop);

    private async Task Insert(string table, string? ownId, (string Column, string Value)[] replaced, CancellationToken stop)
    {
        var values = replaced.Append(("plan_id", "pg_temp.id(n, 0)")).Append((ownId ?? "", "pg_temp.id(n, x_number.more)")).ToDictionary();
        var columns = await Columns(table, stop);
        var number = ownId is null ? "" : $"JOIN {table}_number x_number ON x_number.id = x.{ownId}";
        await Execute(
            $"""
            INSERT INTO {table} ({string.Join(", ", columns)})
            SELECT {string.Join(", ", columns.Select(column => values.GetValueOrDefault(column, "x." + column)))}
            FROM generate_series(1::bigint, {plans}) n
            JOIN template t ON t.number = n % {templates.Count}
            JOIN {table} x ON x.plan_id = t.plan_id {number}
            """,
            stop);
    }

    private async Task<List<string>> Columns(string table, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''", administrator);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var columns = new List<string>();
        while (await reader.ReadAsync(stop))
        {
            columns.Add(reader.GetString(0));
        }

        return columns;
    }

    private async Task<int> OffsetOfChanged(CancellationToken stop)
    {
        var ids = string.Join(", ", templates.Select(template => $"'{IdOf(template.Changed.Name)}'"));
        await using var command = new NpgsqlCommand($"SELECT DISTINCT more FROM plan_part_number WHERE id IN ({ids})", administrator);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        var offset = (int)reader.GetInt64(0);
        return await reader.ReadAsync(stop) ? throw new InvalidOperationException("The templates are not alike.") : offset;
    }

    private async Task Execute(string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, administrator) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(stop);
    }

    private static string IdOf(string name) => Guid.ParseExact(name[(name.LastIndexOf('/') + 1)..], "D").ToString("D", CultureInfo.InvariantCulture);
}
