using System.CommandLine;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan serve</c>: the service, as in production.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Runs the service on a database, certificates and issuers that are given by configuration.") { Configuration.File };
        command.SetAction(async (parsed, stop) =>
        {
            try
            {
                await using var app = await CoordinationPlanHost.CreateAsync(Configuration.Read(parsed.GetValue(Configuration.File)), TimeProvider.System, stop: stop);
                await app.StartAsync(stop);
                Console.WriteLine($"Serving on {app.ApiAddress()}");
                await app.WaitForShutdownAsync(stop);
                return 0;
            }
            catch (Exception refusal) when (refusal is UnsafeConfigurationException or SchemaException or KeyRingException or LogKeyException)
            {
                await Console.Error.WriteLineAsync(refusal.Message);
                return 1;
            }
            catch (NpgsqlException)
            {
                await Console.Error.WriteLineAsync("The database does not answer, or refuses the service's roles.");
                return 1;
            }
        });
        return command;
    }
}
