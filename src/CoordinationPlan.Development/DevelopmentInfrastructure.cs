using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Directory;
using CoordinationPlan.Server.Hosting;
using Npgsql;

namespace CoordinationPlan.Development;

/// <summary>What development infrastructure needs to know.</summary>
public sealed record DevelopmentInfrastructureOptions
{
    /// <summary>Where certificates and data are kept between runs.</summary>
    public required string Directory { get; init; }

    /// <summary>Connection string of an administrator of a PostgreSQL that is there already; null to start one.</summary>
    public string? AdministratorConnectionString { get; init; }

    /// <summary>Where <c>node_modules</c> may hold an embedded PostgreSQL.</summary>
    public string? SearchRoot { get; init; }

    /// <summary>Settings of a PostgreSQL that is started.</summary>
    public IReadOnlyDictionary<string, string> PostgresSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Port of the national identity provider's stand-in; 0 for a free one.</summary>
    public int NationalIssuerPort { get; init; }

    /// <summary>Port of the schools' identity provider's stand-in; 0 for a free one.</summary>
    public int SchoolIssuerPort { get; init; }

    /// <summary>The clock of certificates and tokens.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>
/// Everything that the service stands on, on one machine: a PostgreSQL on a socket, a certificate authority, two identity providers with the
/// demonstration's employees. It refuses to start anywhere that says it is production.
/// </summary>
public sealed class DevelopmentInfrastructure : IAsyncDisposable
{
    private const string Audience = "coordinationplan";
    private const string Level3 = "http://id.sambi.se/loa/loa3";

    private readonly DevelopmentInfrastructureOptions _options;
    private readonly ConcurrentDictionary<(string ClientId, Uri Issuer), DevelopmentTokenClient> _tokens = new();
    private readonly Dictionary<string, X509Certificate2> _clientCertificates = [];

    private DevelopmentInfrastructure(DevelopmentInfrastructureOptions options, DevelopmentCertificateAuthority authority)
    {
        _options = options;
        Authority = authority;
    }

    /// <summary>The certificate authority.</summary>
    public DevelopmentCertificateAuthority Authority { get; }

    /// <summary>The PostgreSQL that was started; null where one was given.</summary>
    public LocalPostgres? Postgres { get; private set; }

    /// <summary>Stands in for the national identity provider.</summary>
    public DevelopmentIdentityProvider National { get; private set; } = null!;

    /// <summary>Stands in for the schools' identity provider, which calls its claims otherwise.</summary>
    public DevelopmentIdentityProvider Schools { get; private set; } = null!;

    /// <summary>Where certificates and keys lie as files, for clients that want files.</summary>
    public string CertificateDirectory => Path.Combine(_options.Directory, "certificates");

    /// <summary>Stands in for the population register.</summary>
    public DevelopmentPopulationRegister Register { get; private set; } = null!;

    /// <summary>Where the key ring lies: beside the database, never in it.</summary>
    public KeyOptions Keys { get; private set; } = null!;

    /// <summary>Starts all of it.</summary>
    public static async Task<DevelopmentInfrastructure> StartAsync(DevelopmentInfrastructureOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var environment = EnvironmentName();
        if (environment != "Development")
        {
            throw new InvalidOperationException($"The environment is {environment}. Development identities and certificates are never made there.");
        }

        var authority = DevelopmentCertificateAuthority.LoadOrCreate(Path.Combine(options.Directory, "certificates"), options.TimeProvider);
        var infrastructure = new DevelopmentInfrastructure(options, authority);
        try
        {
            await infrastructure.StartPartsAsync(environment, stop);
            return infrastructure;
        }
        catch
        {
            await infrastructure.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Makes a database of this name, if there is none, with the schema, the service's roles and the first administrator. Returns how the
    /// service is to connect, and how an administrator may.
    /// </summary>
    public async Task<DevelopmentDatabase> PrepareDatabaseAsync(string name, CancellationToken stop = default)
    {
        var administrator = new NpgsqlConnectionStringBuilder(_options.AdministratorConnectionString ?? Postgres!.ConnectionString("postgres", "postgres"));
        if (_options.AdministratorConnectionString is null)
        {
            await using var source = NpgsqlDataSource.Create(administrator.ConnectionString);
            await using var exists = source.CreateCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
            exists.Parameters.Add(new() { Value = name });
            if (!(bool)(await exists.ExecuteScalarAsync(stop))!)
            {
                await using var create = source.CreateCommand($"CREATE DATABASE \"{name}\"");
                await create.ExecuteNonQueryAsync(stop);
            }

            administrator.Database = name;
        }

        await Schema.Migrate(administrator.ConnectionString, InstallationKind.Development, dryRun: false, stop);
        await Bootstrap.Run(administrator.ConnectionString, DemonstrationDirectory.Operator, OpenKeyRing(), _options.TimeProvider, stop);

        var database = new DatabaseOptions();
        var service = new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Username = null, Password = null };
        if (_options.AdministratorConnectionString is not null)
        {
            // A database that others can reach asks for passwords: new ones for each run, known to this process alone.
            (database.CasePassword, database.LogReviewPassword, database.DirectoryPassword) = (NewPassword(), NewPassword(), NewPassword());
            (database.SequencerPassword, database.PublisherPassword, database.DisposerPassword) = (NewPassword(), NewPassword(), NewPassword());
            database.FeedPassword = NewPassword();
            await using var source = NpgsqlDataSource.Create(administrator.ConnectionString);
            await SetPassword(source, DatabaseRole.Case, database.CasePassword, stop);
            await SetPassword(source, DatabaseRole.LogReview, database.LogReviewPassword, stop);
            await SetPassword(source, DatabaseRole.Directory, database.DirectoryPassword, stop);
            await SetPassword(source, DatabaseRole.Sequencer, database.SequencerPassword, stop);
            await SetPassword(source, DatabaseRole.Publisher, database.PublisherPassword, stop);
            await SetPassword(source, DatabaseRole.Disposer, database.DisposerPassword, stop);
            await SetPassword(source, DatabaseRole.Feed, database.FeedPassword, stop);
        }

        database.ConnectionString = service.ConnectionString;
        return new DevelopmentDatabase(administrator.ConnectionString, database);
    }

    /// <summary>The key ring, as the service opens it.</summary>
    public FileKeyRing OpenKeyRing() => new(Keys.Ring, X509Certificate2.CreateFromPemFile(Keys.Certificate, Keys.Key), _options.TimeProvider);

    /// <summary>The service's configuration on this infrastructure.</summary>
    public ServerOptions ServerOptions(DatabaseOptions database, int port, int? managementPort)
    {
        using var certificate = Authority.IssueServer("server");
        return new ServerOptions
        {
            Installation = InstallationKind.Development,
            Database = database,
            Keys = Keys,
            Register = new RegisterOptions { Address = Register.Address },
            Access = new AccessOptions { RefusalSlot = TimeSpan.FromMilliseconds(10) },
            // Nobody directs calls to it, so that nobody need see that it stops.
            Limits = new LimitOptions { Drain = TimeSpan.Zero },
            Log = DevelopmentLogKeys.LoadOrCreate(Path.Combine(_options.Directory, "log"), new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!),
            Listen =
            {
                Port = port,
                ManagementPort = managementPort,
                Certificate = Path.Combine(CertificateDirectory, "server.pem"),
                Key = Path.Combine(CertificateDirectory, "server.key"),
                ClientAuthorities = Authority.RootCertificatePath,
            },
            Identity =
            {
                Issuers =
                {
                    new IssuerOptions
                    {
                        Issuer = National.Issuer.ToString(),
                        Audience = Audience,
                        TrustedAuthorities = Authority.RootCertificatePath,
                        Organisations = { DemonstrationDirectory.City, DemonstrationDirectory.Region, DemonstrationDirectory.Association, DemonstrationDirectory.Operator.OrganisationId },
                    },
                    new IssuerOptions
                    {
                        Issuer = Schools.Issuer.ToString(),
                        Audience = Audience,
                        TrustedAuthorities = Authority.RootCertificatePath,
                        EmployeeClaim = SchoolClaims.Employee,
                        AssignmentClaim = SchoolClaims.Assignment,
                        Organisations = { DemonstrationDirectory.OtherMunicipality, DemonstrationDirectory.SchoolCompany },
                    },
                },
            },
        };
    }

    /// <summary>The certificate of a client system.</summary>
    public X509Certificate2 ClientCertificate(string clientId) => _clientCertificates[clientId];

    /// <summary>A connection of a client system to a service.</summary>
    public CoordinationPlanConnection Connect(Uri address, string clientId) => new(new CoordinationPlanClientOptions
    {
        Address = address,
        ClientCertificate = ClientCertificate(clientId),
        ServerAuthorities = [Authority.Root],
        // A development machine may be busy with a build.
        Deadline = TimeSpan.FromMinutes(1),
    });

    /// <summary>A token of a demonstration employee, or of a system for itself.</summary>
    public Task<string> TokenOf(DemonstrationEmployee employee, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(employee);
        var clientId = ClientOf(employee);
        var issuer = clientId is DevelopmentClients.School or DevelopmentClients.SchoolRegister ? Schools.Issuer : National.Issuer;
        var tokens = _tokens.GetOrAdd(
            (clientId, issuer),
            key => new DevelopmentTokenClient(key.Issuer, key.ClientId, ClientCertificate(key.ClientId), Authority.Root, _options.TimeProvider));
        return employee.IsSystem ? tokens.ForSystemAsync(stop) : tokens.ForEmployeeAsync(employee.Id, null, stop);
    }

    /// <summary>How a demonstration employee calls.</summary>
    public CallerChoice Choice(DemonstrationEmployee employee)
    {
        ArgumentNullException.ThrowIfNull(employee);
        return new("assignments/" + DemonstrationDirectory.AssignmentOf(employee), employee.Purpose, stop => TokenOf(employee, stop));
    }

    /// <summary>The client system that a demonstration employee works in.</summary>
    public static string ClientOf(DemonstrationEmployee employee)
    {
        ArgumentNullException.ThrowIfNull(employee);
        return employee.IsSystem ? employee.Id
            : employee.Role == V1.Role.SchoolContact ? DevelopmentClients.School
            : employee.UnitId.StartsWith("SE" + DemonstrationDirectory.Region, StringComparison.Ordinal) ? DevelopmentClients.HealthCare
            : DevelopmentClients.SocialServices;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var tokens in _tokens.Values)
        {
            tokens.Dispose();
        }

        foreach (var provider in new[] { National, Schools })
        {
            if (provider is not null)
            {
                await provider.DisposeAsync();
            }
        }

        if (Register is not null)
        {
            await Register.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        foreach (var certificate in _clientCertificates.Values)
        {
            certificate.Dispose();
        }

        Authority.Dispose();
    }

    private static DevelopmentClaimNames SchoolClaims { get; } = new(Employee: "https://id.oidc.se/claim/orgAffiliation", Assignment: "assignment");

    private async Task StartPartsAsync(string environment, CancellationToken stop)
    {
        Register = await DevelopmentPopulationRegister.StartAsync(stop);
        Keys = DevelopmentKeyRing.LoadOrCreate(Path.Combine(_options.Directory, "keys"), _options.TimeProvider);
        foreach (var clientId in DevelopmentClients.All)
        {
            _clientCertificates[clientId] = Authority.IssueClient(clientId, DevelopmentClients.OrganisationOf(clientId));
        }

        if (_options.AdministratorConnectionString is null)
        {
            Postgres = await LocalPostgres.StartAsync(
                new LocalPostgresOptions
                {
                    DataDirectory = Path.Combine(_options.Directory, "postgres", "data"),
                    SearchRoot = _options.SearchRoot,
                    Settings = _options.PostgresSettings,
                },
                stop);
        }

        National = await StartProviderAsync("national", environment, _options.NationalIssuerPort, new DevelopmentClaimNames(), stop);
        Schools = await StartProviderAsync("schools", environment, _options.SchoolIssuerPort, SchoolClaims, stop);
    }

    private Task<DevelopmentIdentityProvider> StartProviderAsync(string name, string environment, int port, DevelopmentClaimNames claims, CancellationToken stop) =>
        DevelopmentIdentityProvider.StartAsync(
            new DevelopmentIdentityProviderOptions
            {
                EnvironmentName = environment,
                Name = name,
                Audience = Audience,
                CertificateAuthority = Authority,
                ClaimNames = claims,
                Port = port,
                TimeProvider = _options.TimeProvider,
                ClientSystems =
                [
                    .. DevelopmentClients.All.Select(clientId => new DevelopmentClientSystem(
                        clientId,
                        ClientCertificate(clientId).Subject,
                        clientId is DevelopmentClients.RegionIntegration or DevelopmentClients.SchoolRegister ? DevelopmentClientKind.Integration : DevelopmentClientKind.CaseSystem)),
                ],
                FindEmployee = id => DemonstrationDirectory.Employees.Append(DemonstrationDirectory.Administrator)
                    .FirstOrDefault(employee => employee.Id == id && !employee.IsSystem && (employee.Role == V1.Role.SchoolContact) == (name == "schools")) is { } found
                        ? new DevelopmentEmployee(found.Id, Level3)
                        : null,
            },
            stop);

    private static string EnvironmentName() =>
        Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Development";

    private static string NewPassword() => Convert.ToHexString(RandomNumberGenerator.GetBytes(24));

    private static async Task SetPassword(NpgsqlDataSource source, DatabaseRole role, string password, CancellationToken stop)
    {
        await using var command = source.CreateCommand($"ALTER ROLE {DataSources.LoginOf(role)} PASSWORD '{password}'");
        await command.ExecuteNonQueryAsync(stop);
    }
}

/// <summary>A database that is ready for a service.</summary>
/// <param name="AdministratorConnectionString">For its owner: migrations, checks in tests.</param>
/// <param name="Options">For the service.</param>
public sealed record DevelopmentDatabase(string AdministratorConnectionString, DatabaseOptions Options);
