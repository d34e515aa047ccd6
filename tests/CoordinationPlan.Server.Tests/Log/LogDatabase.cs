using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>A database without a service: its log is sequenced, signed and checked when a test says so, and entries are written by statements.</summary>
public sealed class LogDatabase : IAsyncDisposable
{
    private readonly Machine _machine;
    private readonly DataSources _sources;
    private readonly List<IDisposable> _keys = [];

    private LogDatabase(Machine machine, Development.DevelopmentDatabase database)
    {
        _machine = machine;
        Database = database;
        Options = machine.Infrastructure.ServerOptions(database.Options, 0, null).Log;
        Administrator = NpgsqlDataSource.Create(database.AdministratorConnectionString);
        _sources = new DataSources(database.Options);
    }

    public Development.DevelopmentDatabase Database { get; }

    public LogOptions Options { get; }

    public NpgsqlDataSource Administrator { get; }

    internal LogCondition Condition { get; } = new();

    /// <summary>With what the loading of the directory has left in its log.</summary>
    public static async Task<LogDatabase> Create(Machine machine) => new(machine, await machine.CloneDatabaseAsync());

    /// <summary>The same database as it is at this moment, under a name of its own: what a backup is restored to.</summary>
    public async Task<LogDatabase> Copy()
    {
        var name = Name + "_" + Guid.CreateVersion7().ToString("N")[20..];
        // A database that somebody is connected to is not copied.
        Administrator.Clear();
        foreach (var role in Enum.GetValues<DatabaseRole>())
        {
            _sources.For(role).Clear();
        }

        await using var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Database.AdministratorConnectionString) { Database = "postgres" }.ConnectionString);
        await using var copy = server.CreateCommand($"CREATE DATABASE {name} TEMPLATE {Name}");
        await copy.ExecuteNonQueryAsync();
        return new LogDatabase(_machine, await _machine.Infrastructure.PrepareDatabaseAsync(name)) { Options = { Directory = Options.Directory } };
    }

    /// <summary>Nothing is left of the log, as if no directory had been loaded.</summary>
    public async Task Empty()
    {
        await Execute(
            """
            SET session_replication_role = replica;
            TRUNCATE coordinationplan.access_log, coordinationplan.log_pending, coordinationplan.log_leaf, coordinationplan.log_tile, coordinationplan.log_checkpoint, coordinationplan.log_state CASCADE;
            RESET session_replication_role
            """);
        foreach (var file in System.IO.Directory.EnumerateFiles(Options.Directory))
        {
            File.Delete(file);
        }
    }

    internal Sequencer Sequencer(int batch = 2000)
    {
        Options.BatchSize = batch;
        return new Sequencer(_sources, Options, Condition, new LogMetrics(Condition), NullLogger<Sequencer>.Instance);
    }

    internal Publisher Publisher(string? directory = null, HttpMessageHandler? witnessed = null)
    {
        var key = LogKey.Read(Options.PublisherKey);
        _keys.Add(key);
        var witnesses = new Witnesses(Options, witnessed);
        _keys.Add(witnesses);
        return new Publisher(
            _sources, new LogNames(Options.Name), new PublisherKey(key), new SignedLogs(directory ?? Options.Directory), witnesses, Options, Condition, new LogMetrics(Condition), NullLogger<Publisher>.Instance);
    }

    internal LogDisposer Disposer() => new(_sources, Options, Condition, new LogMetrics(Condition), NullLogger<LogDisposer>.Instance) { Window = 40 };

    /// <summary>
    /// A log of 2015 with a disposal of it, as two reviewers decide one: its row, the positions that it keeps, and the two entries, which are sequenced and published.
    /// </summary>
    internal async Task<LogDisposalRecord> Disposal(string controller, int entries, long[] kept, bool approved = true)
    {
        await Administrator.AddOld(controller, 2015, entries);
        await SequenceAndPublish();
        var log = await Scalar<int>($"SELECT log FROM coordinationplan.log_state WHERE controller = '{controller}' AND year = 2015");
        var disposal = new LogDisposalRecord(
            Guid.CreateVersion7(), log, LogNames.IdOf(controller, 2015), controller, entries, "GALL-2026/5", [Guid.CreateVersion7()],
            await Scalar<byte[]>($"SELECT sha256(string_agg(uuid_send(entry_id) || timestamptz_send(occurred_at), '' ORDER BY position)) FROM coordinationplan.log_leaf WHERE log = {log}"), new DateOnly(2026, 1, 2), "one", approved ? "two" : null, false, kept);
        await Execute(
            $"""
            INSERT INTO coordinationplan.log_disposal (disposal_id, log, size, decision, kept_plans, leaves, proposed_on, proposed_by, approved_by)
            VALUES ('{disposal.Id}', {log}, {entries}, '{disposal.Decision}', ARRAY['{disposal.KeptPlans[0]}'::uuid], '\x{Convert.ToHexString(disposal.Leaves)}', '{disposal.ProposedOn:O}', 'one', {(approved ? "'two'" : "NULL")});
            INSERT INTO coordinationplan.log_disposal_kept SELECT '{disposal.Id}', unnest(ARRAY[{string.Join(',', kept)}]::bigint[])
            """);
        await Decide(disposal, "Propose", "one");
        if (approved)
        {
            await Decide(disposal, "Approve", "two");
        }

        await SequenceAndPublish();
        return disposal;
    }

    /// <summary>The entry that says that an employee has proposed or approved a disposal.</summary>
    internal Task Decide(LogDisposalRecord disposal, string what, string employee) => Execute(
        $"""
        INSERT INTO coordinationplan.access_log (entry_id, act, outcome, reason, method, employee_id, client_system, actor_controller, resource, categories, policy_version)
        VALUES (gen_random_uuid(), 58, 1, 'LOG_REVIEW_DUTY', 'coordinationplan.v1.AuditService/{what}LogDisposal', '{employee}', 'system', '{disposal.Controller}', '{disposal.Text}', 32768, 8)
        """);

    /// <summary>Sequences and publishes everything.</summary>
    public async Task<int> SequenceAndPublish()
    {
        var count = await Sequencer().RunOnce(default);
        await Publisher().RunOnce(default);
        return count;
    }

    /// <summary>Entries as a service writes them, of a unit's controller; every column has something.</summary>
    public Task Add(int count, string controller = "organisations/a", NpgsqlConnection? connection = null) => Execute(
        $"""
        INSERT INTO coordinationplan.access_log (
            entry_id, act, outcome, reason, method, employee_id, client_system, assignment_id, role, unit_id, actor_controller, purpose, plan_id, subject_id, owner_controller,
            resource, categories, policy_version, trace_id, decision, call_id, call_size)
        SELECT e.id, 2, 1, 'OWNING_UNIT', 'GetPlan', 'employee', 'system', 'assignment', 1, 'unit', '{controller}', 1, gen_random_uuid(), gen_random_uuid(), 'organisations/b',
               'units/u', 3, 5, decode('00112233445566778899aabbccddeeff', 'hex'), decode('0102030405', 'hex'), e.id, 1
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {count})) e
        """,
        connection);

    public async Task Execute(string sql, NpgsqlConnection? connection = null)
    {
        await using var own = connection is null ? await Administrator.OpenConnectionAsync() : null;
        await using var command = new NpgsqlCommand(sql, connection ?? own);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> Scalar<T>(string sql)
    {
        await using var command = Administrator.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The check as an operator runs it, as the role that only reads.</summary>
    public Task<LogCheckResult> Check(LogCheckOptions? options = null) => LogCheck.Run(AuditorConnectionString, options ?? CheckOptions(), null, default);

    public string AuditorConnectionString => new NpgsqlConnectionStringBuilder(Database.Options.ConnectionString) { Username = "coordplan_auditor" }.ConnectionString;

    /// <summary>Everything that can be checked. Nobody publishes here but who is told to.</summary>
    public LogCheckOptions CheckOptions() => LogCheckOptions.Of(Options, [], TimeProvider.System.GetUtcNow()) with { PublishedWithin = TimeSpan.FromSeconds(1) };

    public async Task AssertClean(LogCheckOptions? options = null) => Assert.Empty((await Check(options)).Findings.Select(finding => finding.ToString()));

    public async ValueTask DisposeAsync()
    {
        _keys.ForEach(key => key.Dispose());
        await _sources.DisposeAsync();
        await Administrator.DisposeAsync();
    }

    private string Name => new NpgsqlConnectionStringBuilder(Database.AdministratorConnectionString).Database!;
}
