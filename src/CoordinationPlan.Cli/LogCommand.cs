using System.CommandLine;
using System.Globalization;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan log</c>: the log as an operator looks at it. What the alarms mean stands in docs/operations.md.</summary>
internal static class LogCommand
{
    private const int Sound = 0;
    private const int Unsound = 1;
    private const int NotDone = 2;

    public static Command Create() => new("log", "The log that anyone can check.") { Fsck(), Adopt(), Keys(), Extract() };

    private static Command Fsck()
    {
        var connection = new Option<string>("--connection") { Description = "Connection string as coordplan_auditor.", Required = true };
        var receipts = new Option<FileInfo[]>("--receipt") { Description = "File with a receipt, as it came in the trailer audit-receipt-bin; can be given again.", AllowMultipleArgumentsPerToken = true };
        var fsck = new Command(
            "fsck",
            """
            Checks all that must be true of the log in the database, against the publisher's directory and key of the configuration and the receipts that are given. Changes
            nothing and may run beside the service. Ends with 0 where nothing was found, 1 where something was, 2 where it could not be done.
            """)
        {
            Configuration.File, connection, receipts,
        };
        fsck.SetAction(async (parsed, stop) =>
        {
            try
            {
                var options = LogCheckOptions.Of(
                    Configuration.Read(parsed.GetValue(Configuration.File)).Log,
                    [.. (parsed.GetValue(receipts) ?? []).Select(file => Receipt.Parse(File.ReadAllBytes(file.FullName)))],
                    TimeProvider.System.GetUtcNow());
                return Print(await LogCheck.Run(parsed.GetRequiredValue(connection), options, Progress(), stop));
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or FormatException or InvalidOperationException or LogKeyException or ArgumentException)
            {
                await Console.Error.WriteLineAsync($"The log could not be checked: {failure.Message}");
                return NotDone;
            }
        });
        return fsck;
    }

    private static Command Adopt()
    {
        var adopt = new Command(
            "adopt",
            """
            Takes up the logs of which the publisher's directory has no file, after deriving each from its first leaf on: for a new server with a directory of its own, or where
            somebody has decided that this database is the true one. From then on this is what must be extended.
            """)
        {
            Configuration.File,
        };
        adopt.SetAction(async (parsed, stop) =>
        {
            try
            {
                var adopted = await Publishing.Adopt(Configuration.Read(parsed.GetValue(Configuration.File)), stop);
                Console.WriteLine(adopted.Count == 0 ? "There was nothing to take up." : "Taken up: " + string.Join(", ", adopted));
                return Sound;
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or FormatException or InvalidOperationException or LogKeyException or NoteException or UnsafeConfigurationException)
            {
                await Console.Error.WriteLineAsync($"Nothing more was taken up: {failure.Message}");
                return Unsound;
            }
        });
        return adopt;
    }

    private static Command Keys()
    {
        var connection = new Option<string>("--connection") { Description = "Connection string as coordplan_auditor.", Required = true };
        var year = new Option<int?>("--year") { Description = "Of the logs that the same controllers will have in that year, for witnesses who are to know them before. Default: of the logs there are." };
        var keys = new Command("keys", "Prints the public keys of receipts and of the logs, as C2SP writes them: give them to those who check, and to witnesses.") { Configuration.File, connection, year };
        keys.SetAction(async (parsed, stop) =>
        {
            try
            {
                foreach (var key in await Publishing.Keys(Configuration.Read(parsed.GetValue(Configuration.File)).Log, parsed.GetRequiredValue(connection), parsed.GetValue(year), stop))
                {
                    Console.WriteLine(key);
                }

                return Sound;
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or LogKeyException or InvalidOperationException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return NotDone;
            }
        });
        return keys;
    }

    private static Command Extract()
    {
        var connection = new Option<string>("--connection") { Description = "Connection string as coordplan_auditor.", Required = true };
        var entry = new Option<Guid>("--entry") { Description = "The entry's id.", Required = true };
        var hides = new Option<string[]>("--hide") { Description = $"A field to hide; can be given again. One of {string.Join(", ", LogExtract.Fields)}.", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };
        var folder = new Option<DirectoryInfo>("--out") { Description = "Folder for the two files. Default: where this is run.", DefaultValueFactory = _ => new DirectoryInfo(".") };
        hides.AcceptOnlyFromAmong([.. LogExtract.Fields]);
        var extract = new Command(
            "extract",
            """
            Writes one entry of a log for somebody outside: that it is in the log (ENTRY.tlog-proof), and what its record is with some fields hidden (ENTRY.json). `coordplan verify --proof`
            and the tools of others check them. Values are as they are stored: units and employees by what the database calls them. Whoever gives it out decides what is hidden, and enters it.
            """)
        {
            Configuration.File, connection, entry, hides, folder,
        };
        extract.SetAction(async (parsed, stop) =>
        {
            try
            {
                var id = parsed.GetValue(entry);
                var made = await LogExtract.Of(parsed.GetRequiredValue(connection), Configuration.Read(parsed.GetValue(Configuration.File)).Log.Name, id, parsed.GetRequiredValue(hides), stop);
                var file = Path.Combine(parsed.GetRequiredValue(folder).FullName, $"{id:D}");
                await File.WriteAllTextAsync(file + ".tlog-proof", made.Proof, stop);
                await File.WriteAllTextAsync(file + ".json", made.Disclosure, stop);
                Console.WriteLine($"{file}.tlog-proof and .json, of {made.Origin}");
                return Sound;
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or FormatException or InvalidOperationException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return NotDone;
            }
        });
        return extract;
    }

    private static int Print(LogCheckResult result)
    {
        foreach (var finding in result.Findings)
        {
            Console.WriteLine(finding);
        }

        foreach (var left in result.NotChecked)
        {
            Console.WriteLine($"Not checked: {left}");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Entries:N0} entries in {result.Logs:N0} logs, {result.Disposed:N0} of them disposed of, {result.Pending:N0} pending, {result.Checkpoints:N0} checkpoints and {result.Receipts:N0} receipts checked; {result.Findings.Count:N0} findings."));
        return result.Findings.Count == 0 ? Sound : Unsound;
    }

    private static Progress<long>? Progress() => Console.IsErrorRedirected ? null : new Progress<long>(count => Console.Error.Write($"\r{count:N0} entries"));
}
