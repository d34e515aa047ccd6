using System.Diagnostics;
using System.Globalization;
using CoordinationPlan.Bench.Load;

using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Bench;

/// <summary>What the log that anyone can check takes: to put entries in the trees, to sign them while the service is under load, to check them, to keep them.</summary>
internal sealed class LogBench(BenchOptions options, Site site, Action<string> say)
{
    private const string Controller = "organisations/bench";
    private const int LoadPlaces = 16;
    private static readonly TimeSpan BetweenSamples = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <returns>Lines for people.</returns>
    public async Task<IReadOnlyList<string>> Run(int entries, CancellationToken stop)
    {
        say("Log: from commit to signed checkpoint while GetPlan is called at full rate");
        var (rate, lags) = await LagUnderLoad(stop);
        await using var administrator = await site.Administrator(stop);
        say(Text($"Log: putting {entries:N0} entries in a tree"));
        await Execute(administrator, Insert(entries), stop);
        var sequencing = await Until(administrator, $"SELECT size >= {entries} FROM log_state WHERE controller = '{Controller}'", stop);
        var publishing = await Until(administrator, $"SELECT count(*) > 0 FROM log_checkpoint c JOIN log_state s USING (log) WHERE s.controller = '{Controller}' AND split_part(c.note, E'\\n', 2)::bigint >= {entries}", stop);
        var copying = await Time(() => Execute(
            administrator, $"CREATE TABLE bench_leaf (LIKE log_leaf INCLUDING ALL); INSERT INTO bench_leaf SELECT f.* FROM log_leaf f JOIN log_state s USING (log) WHERE s.controller = '{Controller}'", stop));
        var perEntry = await Scalar(administrator, $"SELECT (pg_total_relation_size('log_leaf') + pg_total_relation_size('log_tile'))::float8 / (SELECT count(*) FROM log_leaf)", stop);
        var perRecord = await Scalar(administrator, "SELECT (SELECT sum(pg_total_relation_size(inhrelid))::float8 FROM pg_inherits WHERE inhparent = 'access_log'::regclass) / (SELECT count(*) FROM access_log)", stop);

        say("Log: checking all of it in the database, and from its files");
        LogCheckResult? check = null;
        var checking = await Time(async () => check = await LogCheck.Run(site.AuditorConnectionString, LogCheckOptions.Of(site.LogOptions, [], TimeProvider.System.GetUtcNow()), null, stop));
        if (check!.Findings.Count > 0)
        {
            throw new UnsoundRunException($"The check of the log found: {check.Findings[0]}");
        }

        var reading = await Time(() => Execute(administrator, "COPY (SELECT * FROM access_log) TO '/dev/null'", stop));
        var (verifying, hashing, megabytes) = await VerifyFiles(administrator, stop);
        return
        [
            "The log",
            Text($"  commit to signed checkpoint at {rate:N0} GetPlan/s (signed every {site.LogOptions.PublishEvery.TotalSeconds:0.#} s, sequenced every {site.LogOptions.SequenceEvery.TotalSeconds:0.#} s): p50 {At(lags, 0.5):0.00} s, p99 {At(lags, 0.99):0.00} s, longest {lags[^1]:0.00} s of {lags.Length} samples"),
            Text($"  sequenced: {entries / sequencing:N0} entries/s; copying the same leaves takes PostgreSQL {copying:0.0} s, ratio {copying / sequencing:0.00}; under a checkpoint {publishing:0.0} s later"),
            Text($"  checked in the database: {check.Entries:N0} entries in {checking:0.0} s, {check.Entries / checking:N0}/s; PostgreSQL reads the records alone in {reading:0.0} s, ratio {reading / checking:0.00}"),
            Text($"  checked from outside: {entries:N0} entries in {verifying:0.0} s, {entries / verifying:N0}/s; hashing its {megabytes:0} MB of files takes {hashing:0.0} s, ratio {hashing / verifying:0.00}"),
            Text($"  size: {perEntry:0} bytes an entry for leaf and tree with indexes, {perRecord:0} for the record with indexes"),
        ];
    }

    private static string Insert(int entries) =>
        $"""
        INSERT INTO access_log (
            entry_id, act, outcome, reason, method, employee_id, client_system, assignment_id, role, unit_id, actor_controller, purpose, plan_id, subject_id, owner_controller,
            categories, policy_version, trace_id, decision, call_id)
        SELECT e.id, 2, 1, 'OWNING_UNIT', 'coordinationplan.v1.PlanService/GetPlan', repeat('e', 40), repeat('s', 40), repeat('a', 40), 1, repeat('u', 40), '{Controller}', 1, gen_random_uuid(),
               gen_random_uuid(), '{Controller}', 3, 8, uuid_send(gen_random_uuid()), decode(repeat('00', 40), 'hex'), e.id
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {entries})) e
        """;

    /// <summary>Takes the newest entry every moment, and waits until a published checkpoint has it.</summary>
    private async Task<(double Rate, double[] Lags)> LagUnderLoad(CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var load = new LoadRun(LoadPlaces, options.Connections, options.WarmUp, options.Measured)
            .Run(site.Target, new GetPlanCalls(options.Plans, LoadPlaces), () => site.Service.ProcessorTime, stop);
        await Task.Delay(options.WarmUp, TimeProvider.System, stop);
        var samples = new List<Task<double>>();
        while (!load.IsCompleted)
        {
            samples.Add(Sample(stop));
            await Task.WhenAny(load, Task.Delay(BetweenSamples, TimeProvider.System, stop));
        }

        return ((await load).Rate, [.. (await Task.WhenAll(samples)).Order()]);
    }

    private async Task<double> Sample(CancellationToken stop)
    {
        await using var connection = await site.Administrator(stop);
        await using var newest = new NpgsqlCommand("SELECT entry_id FROM access_log WHERE occurred_at > now() - interval '10 seconds' ORDER BY occurred_at DESC LIMIT 1", connection);
        var entry = (Guid)(await newest.ExecuteScalarAsync(stop) ?? throw new UnsoundRunException("No entry was written under load."));
        return await Until(
            connection,
            $"SELECT count(*) > 0 FROM log_leaf f JOIN log_checkpoint c USING (log) WHERE f.entry_id = '{entry}' AND split_part(c.note, E'\\n', 2)::bigint > f.position",
            stop);
    }

    /// <summary>What an auditor does who has a copy of the log's files and nothing else of ours than the program.</summary>
    private async Task<(double Verifying, double Hashing, double Megabytes)> VerifyFiles(NpgsqlConnection administrator, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("coordplan-bench-log-");
        try
        {
            var key = await Export(administrator, folder.FullName, stop);
            var files = folder.EnumerateFiles("*", SearchOption.AllDirectories).ToList();
            var hashing = await Time(() =>
            {
                foreach (var file in files)
                {
                    System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName));
                }

                return Task.CompletedTask;
            });
            using var verify = new Process
            {
                StartInfo = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "coordplan.dll"), "verify", folder.FullName, "--key", key]) { RedirectStandardOutput = true, RedirectStandardError = true },
            };
            var verifying = await Time(async () =>
            {
                verify.Start();
                var said = await verify.StandardOutput.ReadToEndAsync(stop);
                await verify.WaitForExitAsync(stop);
                // Without witnesses the program says that it could not ask them.
                if (said.Contains("WRONG", StringComparison.Ordinal) || !said.Contains("hash to the root that was signed", StringComparison.Ordinal))
                {
                    throw new UnsoundRunException("The log was not verified:\n" + said);
                }
            });
            return (verifying, hashing, files.Sum(file => file.Length) / 1e6);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Writes a log as its files are served; returns its key.</summary>
    private async Task<string> Export(NpgsqlConnection administrator, string folder, CancellationToken stop)
    {
        string note;
        int log;
        await using (var published = new NpgsqlCommand($"SELECT c.note, s.log FROM log_checkpoint c JOIN log_state s USING (log) WHERE s.controller = '{Controller}'", administrator))
        await using (var reader = await published.ExecuteReaderAsync(stop))
        {
            await reader.ReadAsync(stop);
            (note, log) = (reader.GetString(0), reader.GetInt32(1));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "checkpoint"), note, stop);
        await using (var tiles = new NpgsqlCommand("SELECT level, tile, hashes FROM log_tile WHERE log = $1", administrator) { Parameters = { new() { Value = log } } })
        await using (var reader = await tiles.ExecuteReaderAsync(stop))
        {
            while (await reader.ReadAsync(stop))
            {
                var hashes = reader.GetFieldValue<byte[]>(2);
                await Write(folder, new TilePath(reader.GetInt16(0), reader.GetInt64(1), hashes.Length / TreeHash.Length), hashes, stop);
            }
        }

        var bundle = new List<ReadOnlyMemory<byte>>();
        var index = 0L;
        await using (var leaves = new NpgsqlCommand("SELECT commitment FROM log_leaf WHERE log = $1 ORDER BY position", administrator) { Parameters = { new() { Value = log } } })
        await using (var reader = await leaves.ExecuteReaderAsync(stop))
        {
            while (await reader.ReadAsync(stop))
            {
                bundle.Add(reader.GetFieldValue<byte[]>(0));
                if (bundle.Count == TilePath.FullWidth)
                {
                    await Write(folder, new TilePath(TilePath.Entries, index++, bundle.Count), EntryBundle.Format(bundle), stop);
                    bundle.Clear();
                }
            }
        }

        if (bundle.Count > 0)
        {
            await Write(folder, new TilePath(TilePath.Entries, index, bundle.Count), EntryBundle.Format(bundle), stop);
        }

        var origin = note[..note.IndexOf('\n', StringComparison.Ordinal)];
        return (await Publishing.Keys(site.LogOptions, site.AuditorConnectionString, null, stop)).Single(key => key.StartsWith(origin + "+", StringComparison.Ordinal));
    }

    private static async Task Write(string folder, TilePath tile, byte[] bytes, CancellationToken stop)
    {
        var file = Path.Combine(folder, tile.ToString());
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, bytes, stop);
    }

    private static async Task<double> Until(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        var begin = Stopwatch.GetTimestamp();
        await using var command = new NpgsqlCommand(sql, connection);
        while (await command.ExecuteScalarAsync(stop) is not true)
        {
            await Task.Delay(BetweenLooks, TimeProvider.System, stop);
            if (Stopwatch.GetElapsedTime(begin) > TimeSpan.FromMinutes(10))
            {
                throw new UnsoundRunException("The log stands still.");
            }
        }

        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task<double> Time(Func<Task> work)
    {
        var begin = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(stop);
    }

    private static async Task<double> Scalar(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (double)(await command.ExecuteScalarAsync(stop))!;
    }

    private static double At(double[] sorted, double part) => sorted[(int)((sorted.Length - 1) * part)];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
