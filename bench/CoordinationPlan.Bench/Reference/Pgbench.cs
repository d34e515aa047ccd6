using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace CoordinationPlan.Bench.Reference;

/// <summary>What a run of pgbench came to.</summary>
/// <param name="Tps">Transactions a second, without the time to connect.</param>
/// <param name="Transactions">All of them.</param>
/// <param name="P50">In milliseconds, where each was logged.</param>
/// <param name="P99">The same.</param>
/// <param name="P999">The same.</param>
internal sealed record PgbenchResult(double Tps, long Transactions, double P50 = 0, double P99 = 0, double P999 = 0);

/// <summary>Runs pgbench with prepared statements, as the service's own database role.</summary>
internal sealed partial class Pgbench(string program, string socketDirectory, int port, string database, string role, string directory)
{
    /// <param name="rate">Transactions a second; null for as many as come through.</param>
    public async Task<PgbenchResult> Run(ReferenceScript script, int clients, bool pipeline, TimeSpan time, double? rate, CancellationToken stop)
    {
        var file = Path.Combine(directory, "reference.sql");
        await File.WriteAllTextAsync(file, script.Text(pipeline), stop);
        var logPrefix = Path.Combine(directory, "pgbench-log");
        var start = new ProcessStartInfo(program,
        [
            "--no-vacuum", "--protocol=prepared", "--file=" + file,
            "--client=" + Number(clients), "--jobs=" + Number(Math.Min(clients, 2)), "--time=" + Number((int)Math.Ceiling(time.TotalSeconds)),
            .. rate is { } most ? new[] { "--rate=" + most.ToString(CultureInfo.InvariantCulture), "--log", "--log-prefix=" + logPrefix } : [],
            .. script.Variables.Select(variable => $"--define={variable.Key}={variable.Value}"),
            "--host=" + socketDirectory, "--port=" + Number(port), "--username=" + role, database,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PGOPTIONS"] = "-c search_path=coordinationplan" },
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stop);
            var errors = process.StandardError.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop);
            var result = Read(process.ExitCode, await output, await errors);
            return rate is null ? result : WithLatencies(result, logPrefix);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static PgbenchResult Read(int exitCode, string output, string errors)
    {
        var (tps, transactions, failed) = (Tps().Match(output), Transactions().Match(output), Failed().Match(output));
        if (exitCode != 0 || !tps.Success || !transactions.Success || (failed.Success && failed.Groups[1].Value != "0"))
        {
            throw new InvalidOperationException($"pgbench failed ({exitCode}):\n{output}\n{errors}");
        }

        return new PgbenchResult(
            double.Parse(tps.Groups[1].ValueSpan, CultureInfo.InvariantCulture), long.Parse(transactions.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    /// <summary>The log has a line for each transaction, its third word the microseconds from when it was due.</summary>
    private static PgbenchResult WithLatencies(PgbenchResult result, string logPrefix)
    {
        var files = Directory.GetFiles(Path.GetDirectoryName(logPrefix)!, Path.GetFileName(logPrefix) + ".*");
        var micros = files.SelectMany(File.ReadLines).Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture)).Order().ToList();
        Array.ForEach(files, File.Delete);
        double At(double part) => micros.Count == 0 ? 0 : micros[(int)((micros.Count - 1) * part)] / 1000;
        return result with { P50 = At(0.5), P99 = At(0.99), P999 = At(0.999) };
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^tps = ([\d.]+)", RegexOptions.Multiline)]
    private static partial Regex Tps();

    [GeneratedRegex(@"transactions actually processed: (\d+)")]
    private static partial Regex Transactions();

    [GeneratedRegex(@"failed transactions: (\d+)")]
    private static partial Regex Failed();
}
