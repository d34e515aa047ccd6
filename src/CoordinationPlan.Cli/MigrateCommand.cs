using System.CommandLine;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan migrate</c>: brings the database to this version's schema.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Run everything and roll it back; say what would be applied." };
        var connection = new Option<string?>("--connection")
        {
            Description = "Connection string of the database's owner, who can create roles. Default: COORDPLAN_MIGRATE_CONNECTION.",
        };
        var kind = new Option<InstallationKind>("--installation")
        {
            Description = "What the database is for. Fixed at the first migration.",
            DefaultValueFactory = _ => InstallationKind.Production,
        };
        var command = new Command("migrate", "Applies the migrations that the database lacks, all or none.") { connection, kind, dryRun };
        command.SetAction(async (parsed, stop) =>
        {
            var connectionString = parsed.GetValue(connection) ?? Environment.GetEnvironmentVariable("COORDPLAN_MIGRATE_CONNECTION");
            if (string.IsNullOrEmpty(connectionString))
            {
                await Console.Error.WriteLineAsync("No connection string: give --connection or set COORDPLAN_MIGRATE_CONNECTION.");
                return 2;
            }

            try
            {
                var isDryRun = parsed.GetValue(dryRun);
                var applied = await Schema.Migrate(connectionString, parsed.GetValue(kind), isDryRun, stop);
                foreach (var migration in applied)
                {
                    Console.WriteLine($"{(isDryRun ? "would apply" : "applied")} {migration.Name}");
                }

                Console.WriteLine(applied.Count == 0 ? "The schema is up to date." : isDryRun ? "Rolled back; nothing has changed." : "Done.");
                return 0;
            }
            catch (SchemaException refusal)
            {
                await Console.Error.WriteLineAsync(refusal.Message);
                return 1;
            }
            catch (NpgsqlException failure)
            {
                await Console.Error.WriteLineAsync($"PostgreSQL refused: {failure.Message}");
                return 1;
            }
        });
        return command;
    }
}
