using System.Globalization;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Bench.Data;

/// <summary>
/// Copies the template plans as often as is asked, in the database: a million through the API would take an hour. A copy is like its template
/// in every column but ids, and in the names that contents hold of each other.
/// </summary>
internal sealed class PlanLoad(NpgsqlConnection administrator, int plans, IReadOnlyList<(Plan Plan, Intervention Changed)> templates)
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
            CREATE FUNCTION pg_temp.hex(id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT encode(id::text::bytea, 'hex') $$;
            CREATE TEMP TABLE template (number bigint PRIMARY KEY, plan_id uuid, goals uuid[], goal_offsets bigint[]);
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
            """
            UPDATE template SET (goals, goal_offsets) = (
                SELECT array_agg(n.id ORDER BY n.id), array_agg(n.more ORDER BY n.id)
                FROM plan_part_number n JOIN plan_part p ON p.part_id = n.id
                WHERE p.plan_id = template.plan_id AND p.kind = 2)
            """,
            stop);

        await Execute(
            $"INSERT INTO subject SELECT pg_temp.id(n, {PlanIds.Subject}), 1, lpad(n::text, 12, '0') FROM generate_series(1::bigint, {plans}) n", stop);
        await Insert("plan", null, [("subject_id", $"pg_temp.id(n, {PlanIds.Subject})")], stop);
        await Insert("plan_part", "part_id", [("body", BodyOfACopy)], stop);
        await Insert("participation", "participation_id", [], stop);
        await Insert("consent", "consent_id", [], stop);
        await Execute("VACUUM ANALYZE", stop);
        await Execute("CHECKPOINT", stop);
        return await OffsetOfChanged(stop);
    }

    // An intervention names its goals, so its body holds their names as text.
    private const string BodyOfACopy =
        """
        CASE x.kind WHEN 3 THEN
            decode(replace(replace(replace(replace(
                encode(x.body, 'hex'),
                pg_temp.hex(t.plan_id), pg_temp.hex(pg_temp.id(n, 0))),
                pg_temp.hex(t.goals[1]), pg_temp.hex(pg_temp.id(n, t.goal_offsets[1]))),
                pg_temp.hex(t.goals[2]), pg_temp.hex(pg_temp.id(n, t.goal_offsets[2]))),
                pg_temp.hex(t.goals[3]), pg_temp.hex(pg_temp.id(n, t.goal_offsets[3]))), 'hex')
        ELSE x.body END
        """;

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
