using System.CommandLine;
using System.Net.Sockets;
using CoordinationPlan.Cli.Demo;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using Microsoft.Extensions.Hosting;
using Spectre.Console;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan demo</c>: everything on one machine, with a case played through the real API.</summary>
internal static class DemoCommand
{
    public const int ApiPort = 7443;
    public const int NationalIssuerPort = 7444;
    public const int SchoolIssuerPort = 7445;
    public const int LogPort = 7446;
    public const int ManagementPort = 7480;

    /// <summary>Where certificates and data lie between runs.</summary>
    public static Option<DirectoryInfo> Data { get; } = new("--data")
    {
        Description = "Where certificates and data are kept between runs.",
        DefaultValueFactory = _ => new DirectoryInfo(".coordplan"),
    };

    public static Command Create()
    {
        var exit = new Option<bool>("--exit") { Description = "Stop after the play; exit code 0 only if all went as the scenario says." };
        var noPlay = new Option<bool>("--no-play") { Description = "Start everything and stay up, without playing the scenario." };
        var command = new Command("demo", "Starts PostgreSQL, identity providers and the service, plays a case, and stays up. Development only.") { Data, exit, noPlay };
        command.SetAction(async (parsed, stop) =>
        {
            try
            {
                return await Run(parsed.GetRequiredValue(Data), parsed.GetValue(exit), !parsed.GetValue(noPlay), stop);
            }
            catch (Exception refusal) when (refusal is UnsafeConfigurationException or SchemaException or PostgresNotFoundException or InvalidOperationException)
            {
                await Console.Error.WriteLineAsync(refusal.Message);
                return 1;
            }
            catch (IOException failure) when (failure.InnerException is SocketException or Microsoft.AspNetCore.Connections.AddressInUseException)
            {
                await Console.Error.WriteLineAsync($"A port is taken: {failure.Message} Is another demonstration running?");
                return 1;
            }
        });
        return command;
    }

    private static async Task<int> Run(DirectoryInfo data, bool exit, bool play, CancellationToken stop)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 160;
        }

        AnsiConsole.MarkupLine("[grey]Starting PostgreSQL, a certificate authority, two identity providers and the service …[/]");
        await using var infrastructure = await DevelopmentInfrastructure.StartAsync(
            new DevelopmentInfrastructureOptions
            {
                Directory = data.FullName,
                SearchRoot = Environment.CurrentDirectory,
                AdministratorConnectionString = Environment.GetEnvironmentVariable("COORDPLAN_Database__ConnectionString"),
                NationalIssuerPort = NationalIssuerPort,
                SchoolIssuerPort = SchoolIssuerPort,
            },
            stop);
        var database = await infrastructure.PrepareDatabaseAsync("coordplan", stop);
        var options = infrastructure.ServerOptions(database.Options, ApiPort, ManagementPort);
        options.Listen.LogPort = LogPort;
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System, stop: stop);
        await app.StartAsync(stop);
        var address = new Uri($"https://localhost:{ApiPort}");

        using (var administration = infrastructure.Connect(address, DevelopmentClients.SocialServices))
        {
            await DemonstrationDirectory.LoadAsync(
                administration.For(infrastructure.Choice(DemonstrationDirectory.Administrator)), TimeProvider.System.Today(), stop);
        }

        var outcome = play ? await ScenarioA.Play(infrastructure, address, stop) : null;
        if (exit)
        {
            await app.StopAsync(stop);
            return outcome is { IsAsTheScenarioSays: false } ? 1 : 0;
        }

        var keys = await Publishing.Keys(options.Log, database.AdministratorConnectionString, null, stop);
        CallsToTry.Print(infrastructure, address, app.LogAddress(), keys, data, outcome);
        await app.WaitForShutdownAsync(stop);
        return 0;
    }
}
