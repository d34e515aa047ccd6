using CoordinationPlan.Bench.Data;
using CoordinationPlan.Bench.Load;
using CoordinationPlan.Bench.Reference;
using CoordinationPlan.Bench.Report;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Bench;

/// <summary>
/// Everything that is measured, in a directory that goes away with it: a cluster of its own with full durability, issuers, plans, the service.
/// </summary>
internal sealed class Site : IAsyncDisposable
{
    private const string Role = "coordplan_case";

    /// <summary>Durability as in production, said aloud; no checkpoint that would fall on one side of the comparison only.</summary>
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["fsync"] = "on",
        ["synchronous_commit"] = "on",
        ["full_page_writes"] = "on",
        ["max_connections"] = "200",
        ["shared_buffers"] = "1GB",
        ["max_wal_size"] = "16GB",
        ["checkpoint_timeout"] = "1h",
        ["log_line_prefix"] = StatementLog.LinePrefix,
    };

    private readonly DirectoryInfo _directory;
    private readonly BenchOptions _options;
    private DevelopmentInfrastructure? _infrastructure;
    private DevelopmentDatabase? _database;
    private ServiceProcess? _service;

    private Site(BenchOptions options)
    {
        _options = options;
        // PostgreSQL runs as another user where this runs as root, and has to pass through here to its data.
        _directory = System.IO.Directory.CreateTempSubdirectory("coordplan-bench-");
        _directory.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    }

    public ServiceProcess Service => _service!;

    /// <summary>As whom the load generator calls: the case worker whose unit owns every plan.</summary>
    public Target Target => new(
        Service.Address,
        Infrastructure.ClientCertificate(DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.CaseWorker)),
        Infrastructure.Authority.Root,
        Infrastructure.Choice(DemonstrationDirectory.CaseWorker));

    /// <summary>The region's system, at the service that is measured.</summary>
    public (CoordinationPlanConnection Connection, CallerChoice Choice) Region => (
        Infrastructure.Connect(Service.Address, DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.RegionIntegration)),
        Infrastructure.Choice(DemonstrationDirectory.RegionIntegration));

    /// <summary>The case worker's clients.</summary>
    public CoordinationPlanConnection CaseWorker(out CoordinationPlanClients clients)
    {
        var connection = Infrastructure.Connect(Service.Address, DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.CaseWorker));
        clients = connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker));
        return connection;
    }

    /// <summary>One more assignment of the region's system, which is one more feed.</summary>
    public async Task<CallerChoice> NewAssignmentOfRegion(CancellationToken stop)
    {
        var system = DemonstrationDirectory.RegionIntegration;
        var assignment = new Assignment
        {
            Name = "assignments/" + Guid.CreateVersion7().ToString("D"),
            ClientSystem = system.Id,
            Unit = "units/" + system.UnitId,
            Role = system.Role,
            Purposes = { system.Purpose },
            Period = new DatePeriod { StartDate = new Google.Type.Date { Year = TimeProvider.System.Today().Year - 1, Month = 1, Day = 1 } },
            ProtectedPersons = system.HandlesProtectedPersons,
        };
        using var connection = Infrastructure.Connect(Service.Address, DevelopmentClients.SocialServices);
        await connection.For(Infrastructure.Choice(DemonstrationDirectory.Administrator)).Directory.PutAssignmentAsync(
            new() { Assignment = assignment, Etag = "new", RequestId = Guid.CreateVersion7().ToString("D") }, cancellationToken: stop);
        return Infrastructure.Choice(system) with { Assignment = assignment.Name };
    }

    public Pgbench Pgbench => new(
        Path.Combine(Infrastructure.Postgres!.BinDirectory, "pgbench"), Infrastructure.Postgres.SocketDirectory, Infrastructure.Postgres.Port, "bench", Role, _directory.FullName);

    public string AuditorConnectionString => new NpgsqlConnectionStringBuilder(_database!.Options.ConnectionString) { Username = "coordplan_auditor" }.ConnectionString;

    /// <summary>The service's configuration of the log.</summary>
    public LogOptions LogOptions => ServiceOptions().Log;

    /// <summary>Which part of each plan is the intervention that is changed.</summary>
    public int ChangedPart { get; private set; }

    /// <summary>How many plans the service changes, from the first on; pgbench changes as many, from the next on.</summary>
    public int ChangedPlans => Math.Min(_options.Plans / 2, 20_000);

    /// <summary>What policy, keys and redaction take of a call.</summary>
    public IReadOnlyList<Cost> Costs { get; private set; } = [];

    /// <summary>Constants of the reference by method.</summary>
    public IReadOnlyDictionary<string, ReferenceScript> References { get; private set; } = new Dictionary<string, ReferenceScript>();

    private DevelopmentInfrastructure Infrastructure => _infrastructure!;

    public static async Task<Site> StartAsync(BenchOptions options, Action<string> say, CancellationToken stop)
    {
        var site = new Site(options);
        try
        {
            say("Starting PostgreSQL, issuers and the service");
            site._infrastructure = await DevelopmentInfrastructure.StartAsync(
                new DevelopmentInfrastructureOptions
                {
                    Directory = site._directory.FullName,
                    SearchRoot = Environment.CurrentDirectory,
                    PostgresSettings = Settings,
                },
                stop);
            site._database = await site._infrastructure.PrepareDatabaseAsync("bench", stop);
            await site.Load(say, stop);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>The administrator's connection, with the service's own search path.</summary>
    public async Task<NpgsqlConnection> Administrator(CancellationToken stop)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_database!.AdministratorConnectionString) { SearchPath = "coordinationplan", CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync(stop);
        return connection;
    }

    /// <summary>Entries of permitted calls of a method in the access log.</summary>
    public async Task<long> CountEntries(string method, CancellationToken stop)
    {
        await using var connection = await Administrator(stop);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM access_log WHERE method = $1 AND outcome = 1", connection) { Parameters = { new() { Value = method } } };
        return (long)(await command.ExecuteScalarAsync(stop))!;
    }

    public async Task<string> PostgresVersion(CancellationToken stop)
    {
        await using var connection = await Administrator(stop);
        return connection.ServerVersion;
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
        {
            await _service.DisposeAsync();
        }

        if (_infrastructure is not null)
        {
            await _infrastructure.DisposeAsync();
        }

        NpgsqlConnection.ClearAllPools();
        _directory.Delete(recursive: true);
    }

    private async Task Load(Action<string> say, CancellationToken stop)
    {
        await using var administrator = await Administrator(stop);

        // A first service, whose statements PostgreSQL logs, loads the data and shows what it sends; a fresh one is measured.
        await StatementLog.Switch(administrator, Role, on: true, stop);
        await StartService(stop);
        IReadOnlyList<(Plan Plan, Intervention Changed)> templates;
        using (var connection = Infrastructure.Connect(Service.Address, DevelopmentClients.SocialServices))
        {
            await DemonstrationDirectory.LoadAsync(connection.For(Infrastructure.Choice(DemonstrationDirectory.Administrator)), TimeProvider.System.Today(), stop);
            templates = await new TemplatePlans(connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker))).Make(stop);
        }

        Costs = await Report.Costs.Measure(templates[0].Plan, Infrastructure.OpenKeyRing(), stop);
        say($"Copying {templates.Count} plans to {_options.Plans:N0}");
        await using (var copying = await Administrator(stop))
        {
            ChangedPart = await new PlanLoad(copying, _options.Plans, templates, Infrastructure.OpenKeyRing()).Copy(stop);
        }

        say("Comparing the reference's statements with the service's");
        References = await LearnReferences(administrator, stop);
        await Service.DisposeAsync();
        await StatementLog.Switch(administrator, Role, on: false, stop);
        await StartService(stop);
    }

    /// <summary>One client system calls for all that the machine can do, which is more than one's share.</summary>
    private ServerOptions ServiceOptions()
    {
        var options = Infrastructure.ServerOptions(_database!.Options, port: 0, managementPort: null);
        options.Limits.PointsPerSecond = options.Limits.Burst = 100_000_000;
        return options;
    }

    private async Task StartService(CancellationToken stop) => _service = await ServiceProcess.StartAsync(
        _options.Service?.FullName ?? Path.Combine(AppContext.BaseDirectory, "coordplan.dll"),
        ServiceOptions(),
        _directory.FullName,
        stop);

    private async Task<IReadOnlyDictionary<string, ReferenceScript>> LearnReferences(NpgsqlConnection administrator, CancellationToken stop)
    {
        var log = new StatementLog(Path.Combine(_directory.FullName, "postgres", "postgres.log"), Role);
        var vouchedFor = ServiceOptions().Identity.Issuers.First(issuer => issuer.Issuer == Infrastructure.National.Issuer.ToString()).Organisations.Count;
        using var connection = Infrastructure.Connect(Service.Address, DevelopmentClients.SocialServices);
        var plans = connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans;

        log.Begin();
        var plan = (await plans.GetPlanAsync(new GetPlanRequest { Name = $"plans/{PlanIds.Of(1):D}" }, cancellationToken: stop)).Plan;
        DriftCheck.Require(nameof(plans.GetPlan), ServiceStatements.GetPlan, await log.Statements(stop));
        var read = new ReferenceScript(
            ServiceStatements.GetPlan,
            await PgbenchVariables.Of("coordinationplan.v1.PlanService/GetPlan", isChange: false, vouchedFor, administrator, stop),
            1, _options.Plans, ChangedPart);

        var name = $"{plan.Name}/interventions/{PlanIds.Of(1, ChangedPart):D}";
        var request = UpdateInterventionCalls.Request(1, ChangedPart, plan.Interventions.First(intervention => intervention.Name == name).Etag, change: 0);
        log.Begin();
        await plans.UpdateInterventionAsync(request, cancellationToken: stop);
        DriftCheck.Require(nameof(plans.UpdateIntervention), ServiceStatements.UpdateIntervention, await log.Statements(stop));
        var change = new ReferenceScript(
            ServiceStatements.UpdateIntervention,
            await PgbenchVariables.Of("coordinationplan.v1.PlanService/UpdateIntervention", isChange: true, vouchedFor, administrator, stop),
            ChangedPlans + 1, 2 * ChangedPlans, ChangedPart);

        await read.Try(administrator, stop);
        await change.Try(administrator, stop);
        return new Dictionary<string, ReferenceScript> { [nameof(plans.GetPlan)] = read, [nameof(plans.UpdateIntervention)] = change };
    }
}
