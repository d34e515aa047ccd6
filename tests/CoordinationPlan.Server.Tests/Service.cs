using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Tests;

/// <summary>A running service with a database of its own. What it logs and traces is kept, because that is an output too.</summary>
public sealed class Service(Machine machine) : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, CoordinationPlanConnection> _connections = new();
    private readonly KeepingLoggerProvider _log = new();
    private readonly ConcurrentQueue<string> _telemetry = new();
    private ActivityListener? _listener;
    private WebApplication? _app;
    private NpgsqlDataSource? _administrator;

    public Machine Machine => machine;

    /// <summary>The service's clock: the machine's, unless a test puts it forward.</summary>
    public ClockAhead Clock { get; } = new();

    public DevelopmentInfrastructure Infrastructure => machine.Infrastructure;

    public Uri Address { get; private set; } = null!;

    public DevelopmentDatabase Database { get; private set; } = null!;

    /// <summary>Everything the service has logged.</summary>
    public IEnumerable<string> LogLines => _log.Lines;

    /// <summary>Every tag of every span.</summary>
    public IEnumerable<string> Telemetry => _telemetry;

    public NpgsqlDataSource Administrator => _administrator!;

    /// <summary>What the database calls the directory's entries.</summary>
    internal DirectoryNames Names => _app!.Services.GetRequiredService<DirectoryNames>();

    /// <summary>The service's own keys, for what the API does not tell.</summary>
    internal ServiceKeys Keys => _app!.Services.GetRequiredService<ServiceKeys>();

    public async ValueTask InitializeAsync()
    {
        _ = machine.Infrastructure;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                _telemetry.Enqueue(activity.DisplayName);
                foreach (var (key, value) in activity.TagObjects)
                {
                    _telemetry.Enqueue($"{key}={value}");
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);

        Database = await machine.CloneDatabaseAsync();
        _administrator = NpgsqlDataSource.Create(Database.AdministratorConnectionString);
        _app = await CoordinationPlanHost.CreateAsync(
            Options(),
            Clock,
            builder => builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).Services.AddSingleton<ILoggerProvider>(_log));
        await _app.StartAsync();
        Address = new Uri($"https://localhost:{_app.ApiAddress().Port}");
        ManagementAddress = new Uri(_app.Urls.First(url => url.StartsWith("http://", StringComparison.Ordinal)));
    }

    public Uri ManagementAddress { get; private set; } = null!;

    /// <summary>Where the logs are served as files.</summary>
    public Uri LogAddress => new($"https://localhost:{_app!.LogAddress().Port}");

    private ServerOptions Options()
    {
        var options = Infrastructure.ServerOptions(Database.Options, 0, 0);
        options.Listen.LogPort = 0;
        return options;
    }

    /// <summary>Clients that call as a demonstration employee.</summary>
    public CoordinationPlanClients As(DemonstrationEmployee employee)
    {
        var choice = Infrastructure.Choice(employee);
        return As(
            Clock.IsMoved ? choice with { AccessToken = _ => Task.FromResult(LongTokens.Of(Infrastructure, employee, Clock.GetUtcNow())) } : choice,
            DevelopmentInfrastructure.ClientOf(employee));
    }

    /// <summary>Clients that call as somebody says.</summary>
    public CoordinationPlanClients As(CallerChoice choice, string clientId) => ConnectionOf(clientId).For(choice);

    public CoordinationPlanConnection ConnectionOf(string clientId) => _connections.GetOrAdd(clientId, id => Infrastructure.Connect(Address, id));

    public CoordinationPlanClients CaseWorker => As(DemonstrationDirectory.CaseWorker);

    /// <summary>Rows of the access log, for what the API does not tell; oldest first.</summary>
    public async Task<List<LogRow>> LogSince(DateTime start)
    {
        await using var command = Administrator.CreateCommand(
            """
            SELECT act, outcome, reason, method, employee_id, assignment_id, unit_id, purpose, plan_id, subject_id, categories, policy_version, trace_id, client_system
            FROM coordinationplan.access_log WHERE occurred_at >= $1 ORDER BY occurred_at, entry_id
            """);
        command.Parameters.Add(new() { Value = start });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<LogRow>();
        while (await reader.ReadAsync())
        {
            rows.Add(new LogRow(
                (Act)reader.GetInt16(0), (AccessOutcome)reader.GetInt16(1), reader.GetString(2), reader.GetString(3), Id(ResourceName.Employees, 4), Id(ResourceName.Assignments, 5), Id(ResourceName.Units, 6),
                reader.IsDBNull(7) ? null : (Purpose)reader.GetInt16(7), reader.IsDBNull(8) ? null : reader.GetGuid(8), reader.IsDBNull(9) ? null : reader.GetGuid(9),
                (Policy.Categories)reader.GetInt32(10), reader.GetInt32(11), reader.IsDBNull(12) ? null : reader.GetFieldValue<byte[]>(12), Id(ResourceName.Systems, 13)!));
        }

        return rows;

        string? Id(string collection, int column) => reader.IsDBNull(column) ? null : Names.Id(collection, reader.GetString(column));
    }

    /// <summary>Opens a sealed part of a plan, as the service does.</summary>
    internal async Task<byte[]> OpenPart(Guid planId, Guid partId, int version, Policy.Categories category, byte[] value)
    {
        await using var command = Administrator.CreateCommand(
            "SELECT k.ring_key, k.wrapped FROM coordinationplan.plan p JOIN coordinationplan.subject_key k USING (subject_id) WHERE p.plan_id = $1 AND k.compartment = 1");
        command.Parameters.Add(new() { Value = planId });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        using var key = await _app!.Services.GetRequiredService<SubjectKeys>()
            .Unwrap(Compartment.Content, new WrappedKey(reader.GetString(0), reader.GetFieldValue<byte[]>(1)), default);
        return key.Open($"plan_part/{partId:D}/{version}/{(int)category}", value);
    }

    /// <summary>What is wrong with the log, as the service sees it.</summary>
    internal LogCondition LogCondition => _app!.Services.GetRequiredService<LogCondition>();

    /// <summary>The one receipt that came with an answer, after its signature was verified.</summary>
    internal Receipt ReceiptIn(IEnumerable<Metadata.Entry> trailers)
    {
        var receipt = Receipt.Parse(Assert.Single(trailers, trailer => trailer.Key == AuditReceipts.Trailer).ValueBytes);
        Assert.True(receipt.Verify(_app!.Services.GetRequiredService<AuditReceipts>().Verifier));
        return receipt;
    }

    /// <summary>The first leaf of a log that has a published checkpoint.</summary>
    internal async Task<(string Origin, Guid Entry, byte[] LeafHash)> PublishedLeaf()
    {
        await using var command = Administrator.CreateCommand(
            """
            SELECT s.log_id, f.entry_id, f.commitment FROM coordinationplan.log_state s JOIN coordinationplan.log_checkpoint USING (log) JOIN coordinationplan.log_leaf f USING (log)
            WHERE f.position = 0 ORDER BY s.log LIMIT 1
            """);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (_app!.Services.GetRequiredService<LogNames>().Origin(reader.GetString(0)), reader.GetGuid(1), TreeHash.OfLeaf(reader.GetFieldValue<byte[]>(2)).ToArray());
    }

    /// <summary>An entry's leaf, once it is there.</summary>
    internal async Task<LogLeaf> LeafOf(Guid entry)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System))
        {
            await using var command = Administrator.CreateCommand("SELECT position, commitment FROM coordinationplan.log_leaf WHERE entry_id = $1");
            command.Parameters.Add(new() { Value = entry });
            await using var reader = await command.ExecuteReaderAsync();
            if (await reader.ReadAsync())
            {
                return new LogLeaf(reader.GetInt64(0), entry, reader.GetFieldValue<byte[]>(1));
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "The entry does not come into the tree.");
        }
    }

    /// <summary>The database's clock, which the log is written by.</summary>
    public async Task<DateTime> Now()
    {
        await using var command = Administrator.CreateCommand("SELECT clock_timestamp()");
        return (DateTime)(await command.ExecuteScalarAsync())!;
    }

    public async Task<T> Scalar<T>(string sql)
    {
        await using var command = Administrator.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task<long> Count(string table)
    {
        await using var command = Administrator.CreateCommand($"SELECT count(*) FROM coordinationplan.{table}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Every table as text; bytes as hexadecimal digits, as in a dump.</summary>
    public async Task<string> Dump()
    {
        await using var tables = Administrator.CreateCommand(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind = 'r'");
        var names = new List<string>();
        await using (var reader = await tables.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                names.Add(reader.GetString(0));
            }
        }

        var dump = new StringBuilder();
        foreach (var name in names)
        {
            await using var rows = Administrator.CreateCommand($"SELECT t::text FROM {name} t");
            await using var reader = await rows.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                dump.AppendLine(reader.GetString(0));
            }
        }

        return dump.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        if (_administrator is not null)
        {
            await _administrator.DisposeAsync();
        }

        _listener?.Dispose();
        _log.Dispose();
    }

    private sealed class KeepingLoggerProvider : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>A row of the access log.</summary>
public sealed record LogRow(
    Act Act,
    AccessOutcome Outcome,
    string Reason,
    string Method,
    string? EmployeeId,
    string? AssignmentId,
    string? UnitId,
    Purpose? Purpose,
    Guid? PlanId,
    Guid? SubjectId,
    Policy.Categories Categories,
    int PolicyVersion,
    byte[]? TraceId,
    string ClientSystem);
