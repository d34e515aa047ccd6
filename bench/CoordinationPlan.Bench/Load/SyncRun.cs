using System.Globalization;
using CoordinationPlan.Bench.Data;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Npgsql;
using NpgsqlTypes;

namespace CoordinationPlan.Bench.Load;

/// <summary>
/// A region's system sends its participations in one stream of batches; all of them again, which changes nothing; and all of them in a new version. Beside it, in the
/// same run and on the same cluster, the same number of rows of the same table inserted and nothing else done: 500 to a transaction, sent together.
/// </summary>
internal sealed class SyncRun(Site site, int items, int plans, Action<string> say)
{
    private const int BatchSize = 500;

    /// <summary>Units of health care that take no part in the plans yet.</summary>
    private static readonly string[] Units =
        [.. new[] { "AKUT", "PSYK", "AVDELNING", "MIKAHALSA" }.Select(unit => $"units/SE{DemonstrationDirectory.Region}-{unit}")];

    private readonly Date _first = ToDate(TimeProvider.System.GetUtcNow());
    private readonly Date _last = ToDate(TimeProvider.System.GetUtcNow().AddDays(180));

    public async Task<SyncResult> Run(CancellationToken stop)
    {
        var before = site.Service.ResidentMiB;
        var reference = new List<double> { await Reference(stop) };
        var first = await Stream("new", 1, stop);
        var again = await Stream("again", 1, stop);
        var changed = await Stream("in a new version", 2, stop);
        reference.Add(await Reference(stop));
        return new(items, first.Rate, again.Rate, changed.Rate, reference.Average(), before, Math.Max(first.Memory, Math.Max(again.Memory, changed.Memory)));
    }

    private async Task<(double Rate, double Memory)> Stream(string what, long version, CancellationToken stop)
    {
        var (connection, choice) = site.Region;
        using var _ = connection;
        var memory = 0.0;
        var start = TimeProvider.System.GetTimestamp();
        using var call = connection.For(choice).ParticipationSync.SyncParticipations(cancellationToken: stop);
        for (var i = 0; i < items; i += BatchSize)
        {
            var batch = new SyncParticipationsRequest { RequestId = Guid.CreateVersion7().ToString("D") };
            batch.Items.AddRange(Enumerable.Range(i, Math.Min(BatchSize, items - i)).Select(n => Item(n, version)));
            await call.RequestStream.WriteAsync(batch, stop);
            memory = Math.Max(memory, site.Service.ResidentMiB);
        }

        await call.RequestStream.CompleteAsync();
        var response = await call;
        var rate = items / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        say(string.Create(CultureInfo.InvariantCulture, $"{items:N0} participations {what}: {rate:N0}/s, {memory:N0} MiB"));
        return response.ItemCount == items && response.TakenCount == items && response.WaitingCount == items
            ? (rate, Math.Max(memory, site.Service.ResidentMiB))
            : throw new UnsoundRunException($"Of {items} participations {response.TakenCount} were taken and {response.WaitingCount} wait; the first that was not: {response.Rejected.FirstOrDefault()}");
    }

    /// <summary>Consecutive items are of consecutive plans, so that a batch is of as many plans as it has items: the worst case for locks, facts and keys.</summary>
    private ParticipationItem Item(int n, long version) => new()
    {
        Plan = $"plans/{PlanIds.Of((n % plans) + 1):D}",
        Unit = Units[n / plans % Units.Length],
        ExternalId = string.Create(CultureInfo.InvariantCulture, $"bench-{n}"),
        ExternalVersion = version,
        ExternalTime = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddDays(20_000 + version)),
        Role = ParticipantRole.CareUnit,
        Period = new DatePeriod { StartDate = _first, EndDate = _last },
    };

    private async Task<double> Reference(CancellationToken stop)
    {
        await using var connection = await site.Administrator(stop);
        await Execute(connection, "DROP TABLE IF EXISTS bench_reference; CREATE TABLE bench_reference (LIKE synced_participation INCLUDING ALL)", stop);
        var organisation = (string)(await Scalar(connection, "SELECT organisation_id FROM organisation LIMIT 1", stop))!;
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < items; i += BatchSize)
        {
            await using var batch = new NpgsqlBatch(connection);
            for (var n = i; n < Math.Min(i + BatchSize, items); n++)
            {
                batch.BatchCommands.Add(Insert(n, organisation));
            }

            await batch.ExecuteNonQueryAsync(stop);
        }

        var rate = items / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await Execute(connection, "DROP TABLE bench_reference", stop);
        say(string.Create(CultureInfo.InvariantCulture, $"{items:N0} rows inserted and nothing else: {rate:N0}/s"));
        return rate;
    }

    /// <summary>A batch of Npgsql's is one transaction by itself.</summary>
    private static NpgsqlBatchCommand Insert(int n, string organisation)
    {
        var key = new byte[32];
        BitConverter.TryWriteBytes(key, n);
        return new(
            """
            INSERT INTO bench_reference (
                plan_id, synced_id, organisation_id, unit_id, external_key, external_version, external_digest, external_time, client_system, received_at, role, starts_on, ends_on,
                ended, body, state, asked, asked_at, changed_by)
            VALUES ($1, $2, $3, $3, $4, 1, $5, now(), $3, now(), 2, $6, $7, false, $8, 1, 1, now(), $3)
            """)
        {
            Parameters =
            {
                new() { Value = PlanIds.Of(n + 1) },
                new() { Value = Guid.CreateVersion7() },
                new() { Value = organisation },
                new() { Value = key },
                new() { Value = key[..16] },
                new() { Value = DateOnly.FromDayNumber(739_000), NpgsqlDbType = NpgsqlDbType.Date },
                new() { Value = DateOnly.FromDayNumber(739_180), NpgsqlDbType = NpgsqlDbType.Date },
                new() { Value = new byte[60] },
            },
        };
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(stop);
    }

    private static async Task<object?> Scalar(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(stop);
    }

    private static Date ToDate(DateTimeOffset day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}

/// <summary>What a run of the sync came to, a second each.</summary>
internal sealed record SyncResult(int Items, double First, double Again, double Changed, double Reference, double MemoryBefore, double MemoryHighest)
{
    public void Print(TextWriter writer)
    {
        writer.WriteLine();
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Sync of {Items:N0} participations, 500 to a batch, each of another plan; rows inserted alone {Reference:N0}/s"));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  new               {First,8:N0}/s  ratio {First / Reference:0.00}"));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  again             {Again,8:N0}/s  ratio {Again / Reference:0.00}"));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  in a new version  {Changed,8:N0}/s  ratio {Changed / Reference:0.00}"));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  memory of the service before {MemoryBefore:N0} MiB, at most {MemoryHighest:N0} MiB"));
    }
}
