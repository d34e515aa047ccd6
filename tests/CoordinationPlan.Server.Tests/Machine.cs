using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

[assembly: AssemblyFixture(typeof(Machine))]
[assembly: CaptureConsole]

namespace CoordinationPlan.Server.Tests;

/// <summary>
/// What all tests of a run share: one PostgreSQL, one certificate authority, two identity providers, and a template database with the
/// demonstration's directory, which each test class clones. Without PostgreSQL the tests are skipped, and fail where CI is set.
/// </summary>
public sealed class Machine : IAsyncLifetime
{
    private const string Template = "template_directory";

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("coordplan-test-").FullName;
    private DevelopmentInfrastructure? _infrastructure;
    private string? _missing;
    private int _databases;

    public DevelopmentInfrastructure Infrastructure
    {
        get
        {
            Assert.SkipWhen(_missing is not null, _missing ?? "");
            return _infrastructure!;
        }
    }

    public static string RepositoryRoot { get; } = FindRoot();

    public async ValueTask InitializeAsync()
    {
        File.SetUnixFileMode(_directory, File.GetUnixFileMode(_directory) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            _infrastructure = await DevelopmentInfrastructure.StartAsync(new DevelopmentInfrastructureOptions
            {
                Directory = _directory,
                SearchRoot = RepositoryRoot,
                PostgresSettings = new Dictionary<string, string> { ["max_connections"] = "400" },
            });
        }
        catch (PostgresNotFoundException missing) when (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            _missing = missing.Message;
            return;
        }

        var template = await _infrastructure.PrepareDatabaseAsync(Template);
        await using var app = await CoordinationPlanHost.CreateAsync(_infrastructure.ServerOptions(template.Options, 0, null), TimeProvider.System);
        await app.StartAsync();
        using (var connection = _infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices))
        {
            await DemonstrationDirectory.LoadAsync(connection.For(_infrastructure.Choice(DemonstrationDirectory.Administrator)), TimeProvider.System.Today());
        }

        // So that every copy has logs with published checkpoints.
        await app.Services.GetRequiredService<Sequencer>().RunOnce(default);
        await app.Services.GetRequiredService<Publisher>().RunOnce(default);
        await app.StopAsync();
        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>A database of the test class's own, with the directory in it.</summary>
    public async Task<DevelopmentDatabase> CloneDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await using var source = NpgsqlDataSource.Create(Infrastructure.Postgres!.ConnectionString("postgres", "postgres"));
        await using var clone = source.CreateCommand($"CREATE DATABASE {name} TEMPLATE {Template}");
        await clone.ExecuteNonQueryAsync();
        // What was signed of the template is what was signed of its copy.
        var signed = System.IO.Directory.CreateDirectory(Path.Combine(_directory, "log", name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in System.IO.Directory.EnumerateFiles(Path.Combine(_directory, "log", Template)))
        {
            File.Copy(file, Path.Combine(signed.FullName, Path.GetFileName(file)));
        }

        return await Infrastructure.PrepareDatabaseAsync(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_infrastructure is not null)
        {
            await _infrastructure.DisposeAsync();
        }

        System.IO.Directory.Delete(_directory, recursive: true);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "CoordinationPlan.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return directory.FullName;
    }
}
