using System.CommandLine;
using System.Security.Cryptography;
using CoordinationPlan.Server.Crypto;
using Npgsql;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan keys</c>: the key ring outside the database. How and when stands in docs/operations.md.</summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        var ring = new KeyRingOptions();
        var connection = new Option<string>("--connection") { Description = "Connection string as coordplan_keys.", Required = true };

        var create = Command("create", "Makes a key ring with one key of each use.", ring);
        create.SetAction(parsed => Run(() =>
        {
            using var certificate = ring.Load(parsed);
            KeyRingFile.Create(ring.Path(parsed), certificate, TimeProvider.System);
            Console.WriteLine("Done. Without this file and its certificate the database cannot be read: keep copies of both, apart from each other and from the database's backups.");
        }));

        var rotate = Command("rotate", "Adds new keys, which are the current ones from then on. Running services notice within seconds.", ring);
        rotate.SetAction(parsed => Run(() =>
        {
            using var certificate = ring.Load(parsed);
            KeyRingFile.Rotate(ring.Path(parsed), certificate, TimeProvider.System);
            Console.WriteLine("Done. Run `coordplan keys rewrap` next.");
        }));

        var rewrap = Command("rewrap", "Wraps every key in the database with the current keys of the ring, while services run.", ring);
        rewrap.Options.Add(connection);
        rewrap.SetAction((parsed, stop) => RunAsync(async () =>
        {
            var count = await Rewrapping.Run(parsed.GetRequiredValue(connection), ring.Open(parsed), stop);
            Console.WriteLine($"{count:N0} keys were wrapped anew.");
        }));

        var retire = Command("retire", "Destroys every key of the ring that is not a current one, after making sure that the database does not need it.", ring);
        retire.Options.Add(connection);
        retire.SetAction((parsed, stop) => RunAsync(async () =>
        {
            var needed = await Rewrapping.CountLeft(parsed.GetRequiredValue(connection), ring.Open(parsed), stop);
            if (needed > 0)
            {
                throw new KeyRingException($"{needed:N0} keys in the database are wrapped by older keys. Run `coordplan keys rewrap` first.");
            }

            using var certificate = ring.Load(parsed);
            Console.WriteLine($"{KeyRingFile.Retire(ring.Path(parsed), certificate)} keys were destroyed. What they wrapped in older backups cannot be read any more.");
        }));

        return new Command("keys", "The key ring, which wraps the keys in the database.") { create, rotate, rewrap, retire };
    }

    private static Command Command(string name, string description, KeyRingOptions ring) => new(name, description) { ring.Ring, ring.Certificate, ring.Key };

    private static int Run(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception refusal) when (refusal is KeyRingException or IOException or CryptographicException)
        {
            Console.Error.WriteLine(refusal.Message);
            return 1;
        }
    }

    private static async Task<int> RunAsync(Func<Task> action)
    {
        try
        {
            await action();
            return 0;
        }
        catch (Exception refusal) when (refusal is KeyRingException or IOException or CryptographicException or NpgsqlException)
        {
            await Console.Error.WriteLineAsync(refusal.Message);
            return 1;
        }
    }
}
