using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>
/// Somebody with every right on the database, and without the keys and the publisher's files, changes what the log rests on: in every table and column of it, in every
/// way. Whatever the check does not find survives; nothing may.
/// </summary>
public sealed class TamperTests(Machine machine, ITestOutputHelper output)
{
    private static readonly string[] Tables = ["access_log", "log_pending", "log_state", "log_leaf", "log_tile", "log_checkpoint", "log_disposal", "log_disposal_kept"];
    private static readonly int RowsOfAColumn = Tests.Campaign.Of("TAMPERS", always: 8, thorough: 20);

    [Fact]
    [Trait("Duration", "Minutes")]
    public async Task Whatever_is_changed_removed_added_swapped_or_rolled_back_is_found()
    {
        await using var database = await LogDatabase.Create(machine);
        var (options, older) = await Prepare(database);
        await database.AssertClean(options);

        await using var connection = new NpgsqlConnection(database.Database.AdministratorConnectionString + ";Search Path=coordinationplan;Pooling=false;Max Auto Prepare=50;Auto Prepare Min Usages=1");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await Execute(connection, "BEGIN; SET LOCAL session_replication_role = replica");
        // Whoever may do everything may do without constraints.
        await Execute(
            connection,
            """
            DO $$ DECLARE c record; BEGIN
                FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE connamespace = 'coordinationplan'::regnamespace AND conrelid::regclass::text = ANY (ARRAY['access_log', 'log_pending', 'log_state', 'log_leaf', 'log_tile', 'log_checkpoint', 'log_disposal', 'log_disposal_kept'])
                         ORDER BY contype = 'f' DESC LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', c.t, c.conname);
                END LOOP;
                ALTER TABLE log_state ALTER COLUMN log DROP IDENTITY;
            END $$
            """);

        // The check is run some thousand times: without months that are empty, and with each statement planned once, it takes a fifth of the time.
        await Execute(
            connection,
            """
            SET LOCAL plan_cache_mode = force_generic_plan;
            DO $$ DECLARE p regclass; empty boolean; BEGIN
                FOR p IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'access_log'::regclass LOOP
                    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', p) INTO empty;
                    IF empty THEN
                        EXECUTE format('DROP TABLE %s', p);
                    END IF;
                END LOOP;
            END $$
            """);
        var campaign = new Campaign(connection, options);
        foreach (var table in Tables)
        {
            foreach (var (column, type) in await Columns(connection, table))
            {
                await campaign.Change(table, column, type);
            }

            await campaign.RemoveAndAdd(table);
        }

        await campaign.RollBack();
        await campaign.Forge();
        await campaign.RemoveBeforeItsTurn();
        await campaign.Try("the checkpoint of before put back", $"UPDATE log_checkpoint c SET note = '{older}' FROM log_state s WHERE s.log = c.log AND s.controller = 'organisations/a'");
        await Execute(connection, "ROLLBACK");

        output.WriteLine(campaign.ToString());
        Assert.Empty(campaign.Survivors);
        Assert.True(campaign.Tried >= 100 * RowsOfAColumn, campaign.ToString());
        await database.AssertClean(options);
    }

    /// <summary>
    /// Five logs, one of them with more than one tile, one disposed of but for what is kept, and one of which that is proposed; calls with several entries; some entries still
    /// pending; and receipts.
    /// </summary>
    private static async Task<(LogCheckOptions Options, string OlderCheckpoint)> Prepare(LogDatabase database)
    {
        await database.Empty();
        await database.Add(40);
        await database.SequenceAndPublish();
        var older = await database.Scalar<string>("SELECT note FROM coordinationplan.log_checkpoint JOIN coordinationplan.log_state USING (log) WHERE controller = 'organisations/a'");
        await database.Add(225);
        await database.Add(3, "boards/b");
        await database.Execute(
            """
            INSERT INTO coordinationplan.access_log (entry_id, act, outcome, reason, method, client_system, categories, policy_version, actor_controller, call_id, call_size)
            SELECT e.id, 3, 1, 'OWNING_UNIT', 'ListPlans', 'system', 1, 7, 'organisations/a', '11111111-1111-4111-8111-111111111111', 3
            FROM (VALUES ('11111111-1111-4111-8111-111111111111'::uuid), (gen_random_uuid()), (gen_random_uuid())) e (id)
            """);
        await database.SequenceAndPublish();
        await database.Disposal("boards/b", 30, [2, 5, 29]);
        await database.Disposal("boards/c", 6, [1], approved: false);
        await database.Disposer().RunOnce(default);
        await database.Add(4);
        return (database.CheckOptions() with { Receipts = await Receipts(database), MaximumMergeDelay = TimeSpan.FromHours(1) }, older);
    }

    /// <summary>As the callers have them: of what is pending, and of some that is not.</summary>
    private static async Task<List<Receipt>> Receipts(LogDatabase database)
    {
        using var key = LogKey.Read(database.Options.ReceiptKey);
        var names = new LogNames(database.Options.Name);
        var receipts = new List<Receipt>();
        await using var command = database.Administrator.CreateCommand(
            $"""
            SELECT {LogSql.EntryColumns}, l.event_secret FROM coordinationplan.access_log l
            WHERE l.actor_controller = 'organisations/a' ORDER BY l.occurred_at DESC LIMIT 12
            """);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var leaf = TreeHash.OfLeaf(Commitment.Entry(reader.GetFieldValue<byte[]>(LogSql.EntryColumnCount), EntryFields.Read(reader, 0)));
            var time = reader.GetDateTime(0);
            receipts.Add(Receipt.Sign(key.As(names.Receipts), names.Origin(LogNames.IdOf("organisations/a", time.Year)), reader.GetGuid(1), leaf, time));
        }

        return receipts;
    }

    private static async Task<List<(string Column, string Type)>> Columns(NpgsqlConnection connection, string table)
    {
        await using var command = new NpgsqlCommand("SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'coordinationplan' AND table_name = $1 ORDER BY ordinal_position", connection)
        {
            Parameters = { new() { Value = table } },
        };
        await using var reader = await command.ExecuteReaderAsync();
        var columns = new List<(string, string)>();
        while (await reader.ReadAsync())
        {
            columns.Add((reader.GetString(0), reader.GetString(1)));
        }

        return columns;
    }

    private static async Task<int> Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    private sealed class Campaign(NpgsqlConnection connection, LogCheckOptions options)
    {
        private readonly Dictionary<string, int> _kinds = [];

        public int Tried { get; private set; }

        /// <summary>What the database itself does not do: a null where none may be.</summary>
        public int Refused { get; private set; }

        public List<string> Survivors { get; } = [];

        /// <summary>Does it, checks, and undoes it.</summary>
        public async Task Try(string what, string sql, Func<Task>? then = null)
        {
            await Execute(connection, "SAVEPOINT before");
            try
            {
                if (await Execute(connection, sql) > 0)
                {
                    if (then is not null)
                    {
                        await then();
                    }

                    if ((await LogCheck.Run(connection, options, null, default)).Findings.Count == 0)
                    {
                        Survivors.Add($"{what}: {sql}");
                    }

                    Tried++;
                    var kind = what.Split(' ')[0];
                    _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
                }
            }
            catch (PostgresException refusal) when (refusal.SqlState is PostgresErrorCodes.NotNullViolation or PostgresErrorCodes.CheckViolation)
            {
                Refused++;
            }

            await Execute(connection, "ROLLBACK TO SAVEPOINT before");
        }

        /// <summary>A column in some rows: to something else, to nothing, and exchanged with another row's.</summary>
        public async Task Change(string table, string column, string type)
        {
            var other = type switch
            {
                "text" => $"coalesce({column}, '') || 'x'",
                "int2" or "int4" or "int8" => $"coalesce({column}, 0) + 1",
                "uuid" => "gen_random_uuid()",
                "timestamptz" => $"{column} + interval '1 microsecond'",
                "bool" => $"NOT {column}",
                "date" => $"{column} + 1",
                "_uuid" => $"{column} || gen_random_uuid()",
                "bytea" => $"CASE WHEN octet_length({column}) > 0 THEN set_byte({column}, octet_length({column}) / 2, 255 - get_byte({column}, octet_length({column}) / 2)) ELSE '\\x01'::bytea END",
                _ => throw new InvalidOperationException($"{table}.{column} is {type}, and the campaign does not know how to change that."),
            };
            foreach (var row in await Rows(table, RowsOfAColumn))
            {
                await Try($"changed {table}.{column}", $"UPDATE {table} SET {column} = {other} WHERE {row}");
            }

            foreach (var row in await Rows(table, RowsOfAColumn))
            {
                await Try($"emptied {table}.{column}", $"UPDATE {table} SET {column} = NULL WHERE {row} AND {column} IS NOT NULL");
                // What is kept is a set: two of its rows exchanged are the same.
                await Try(
                    $"swapped {table}.{column}",
                    $"""
                    WITH one AS (SELECT tableoid AS o, ctid AS c, {column} AS v FROM {table} WHERE {row}),
                         two AS (SELECT t.tableoid AS o, t.ctid AS c, t.{column} AS v FROM {table} t, one WHERE t.{column} IS DISTINCT FROM one.v {(table == "log_disposal_kept" ? "AND t.disposal_id <> (SELECT k.disposal_id FROM log_disposal_kept k WHERE k.tableoid = one.o AND k.ctid = one.c)" : "")} ORDER BY t.tableoid, t.ctid LIMIT 1)
                    UPDATE {table} t SET {column} = CASE WHEN (t.tableoid, t.ctid) = (one.o, one.c) THEN two.v ELSE one.v END
                    FROM one, two WHERE (t.tableoid, t.ctid) IN ((one.o, one.c), (two.o, two.c))
                    """);
            }
        }

        public async Task RemoveAndAdd(string table)
        {
            foreach (var row in await Rows(table, 2 * RowsOfAColumn))
            {
                await Try($"removed from {table}", $"DELETE FROM {table} WHERE {row}");
                await Try($"doubled in {table}", $"INSERT INTO {table} SELECT * FROM {table} WHERE {row}");
                if (table == "access_log")
                {
                    await Try("added to access_log", $"INSERT INTO access_log SELECT (jsonb_populate_record(l, jsonb_build_object('entry_id', gen_random_uuid()))).* FROM access_log l WHERE {row.Replace("tableoid", "l.tableoid", StringComparison.Ordinal).Replace("ctid", "l.ctid", StringComparison.Ordinal)}");
                    await Try(
                        "removed from access_log with its leaf",
                        $"WITH gone AS (DELETE FROM access_log WHERE {row} RETURNING entry_id) DELETE FROM log_leaf WHERE entry_id IN (SELECT entry_id FROM gone)");
                    await Try(
                        "unmade: back to pending",
                        $"WITH back AS (DELETE FROM log_leaf WHERE entry_id IN (SELECT entry_id FROM access_log WHERE {row}) RETURNING entry_id, occurred_at) INSERT INTO log_pending SELECT entry_id, occurred_at, 'organisations/a' FROM back");
                }
            }
        }

        /// <summary>The end of a log cut off, with everything in the database made to fit.</summary>
        public async Task RollBack()
        {
            for (var cut = 1; cut <= 60; cut++)
            {
                await Try(
                    "rolled back",
                    $"""
                    WITH gone AS (DELETE FROM log_leaf f USING log_state s WHERE s.log = f.log AND s.controller = 'organisations/a' AND f.position >= s.size - {cut} RETURNING f.entry_id)
                    DELETE FROM access_log WHERE entry_id IN (SELECT entry_id FROM gone)
                    """,
                    Rebuild);
            }
        }

        /// <summary>An entry rewritten, with its leaf and the tree over it.</summary>
        public async Task Forge()
        {
            for (var position = 0; position < 60; position++)
            {
                var at = $"(SELECT f.entry_id FROM log_leaf f JOIN log_state s USING (log) WHERE s.controller = 'organisations/a' AND f.position = {position * 4})";
                await Try("forged", $"UPDATE access_log SET employee_id = 'somebody else' WHERE entry_id = {at}", async () =>
                {
                    byte[] commitment;
                    await using (var command = new NpgsqlCommand($"SELECT {LogSql.EntryColumns}, l.event_secret FROM access_log l WHERE l.entry_id = {at}", connection))
                    await using (var reader = await command.ExecuteReaderAsync())
                    {
                        await reader.ReadAsync();
                        commitment = Commitment.Entry(reader.GetFieldValue<byte[]>(LogSql.EntryColumnCount), EntryFields.Read(reader, 0));
                    }

                    await Execute(connection, $"UPDATE log_leaf SET commitment = '\\x{Convert.ToHexString(commitment)}' WHERE entry_id = {at}");
                    await Rebuild();
                });
            }
        }

        /// <summary>An entry and its place in the queue: the tree has never seen it, but its caller has a receipt.</summary>
        public async Task RemoveBeforeItsTurn()
        {
            foreach (var row in await Rows("log_pending", RowsOfAColumn))
            {
                await Try("removed before its turn", $"WITH gone AS (DELETE FROM log_pending WHERE {row} RETURNING entry_id) DELETE FROM access_log WHERE entry_id IN (SELECT entry_id FROM gone)");
                await Try(
                    "rewritten before its turn",
                    $"UPDATE access_log SET employee_id = 'somebody else' WHERE entry_id IN (SELECT entry_id FROM log_pending WHERE {row})");
            }
        }

        public override string ToString() =>
            $"{Tried} manipulations, {Survivors.Count} survived; {Refused} the database itself refused ({string.Join(", ", _kinds.Select(kind => $"{kind.Value} {kind.Key}"))})";

        /// <summary>Tiles and state as the leaves make them.</summary>
        private async Task Rebuild()
        {
            var builder = TileBuilder.Load(0, _ => []);
            var tree = new TreeEdge();
            int log;
            await using (var command = new NpgsqlCommand("SELECT f.commitment, f.log FROM log_leaf f JOIN log_state s USING (log) WHERE s.controller = 'organisations/a' ORDER BY f.position", connection))
            await using (var reader = await command.ExecuteReaderAsync())
            {
                log = 0;
                while (await reader.ReadAsync())
                {
                    var leaf = TreeHash.OfLeaf(reader.GetFieldValue<byte[]>(0));
                    log = reader.GetInt32(1);
                    builder.Append(leaf);
                    tree.Append(leaf);
                }
            }

            var sql = $"DELETE FROM log_tile WHERE log = {log}; UPDATE log_state SET size = {tree.Size}, root = '\\x{Convert.ToHexString(tree.Root.ToArray())}' WHERE log = {log}";
            foreach (var (tile, hashes) in builder.Take())
            {
                sql += $"; INSERT INTO log_tile VALUES ({log}, {tile.Level}, {tile.Index}, '\\x{Convert.ToHexString(hashes)}')";
            }

            await Execute(connection, sql);
        }

        /// <summary>Conditions that name one row each, spread over the table.</summary>
        private async Task<List<string>> Rows(string table, int count)
        {
            await using var command = new NpgsqlCommand(
                $"""
                SELECT format('tableoid = %s AND ctid = %L', r.tableoid::oid, r.ctid)
                FROM (SELECT tableoid, ctid, row_number() OVER (ORDER BY tableoid, ctid) AS n, count(*) OVER () AS total FROM {table}) r
                WHERE (r.n - 1) % greatest(1, r.total / {count}) = 0 LIMIT {count}
                """,
                connection);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
            {
                rows.Add(reader.GetString(0));
            }

            return rows;
        }
    }
}
