using CoordinationPlan.Bench.Load;
using CoordinationPlan.Bench.Reference;
using CoordinationPlan.Bench.Report;

namespace CoordinationPlan.Bench;

/// <summary>The order of a run: service and reference take turns, so that what the machine does meanwhile falls on both.</summary>
internal sealed class Bench(BenchOptions options, Site site, double otherLoad, Action<string> say)
{
    private const int MostPgbenchClients = 16;
    private const int PlacesAtFixedRate = 64;
    private const int PlacesToWarmUp = 16;

    private string[] _etags = [];

    public async Task<Results> Run(CancellationToken stop)
    {
        if (options.Methods.Contains("UpdateIntervention"))
        {
            say($"Reading the etags of {site.ChangedPlans:N0} plans");
            var calls = new EtagCalls(site.ChangedPlans, site.ChangedPart);
            await new LoadRun(PlacesToWarmUp, options.Connections, TimeSpan.Zero, TimeSpan.FromMinutes(10))
                .Run(site.Target, calls, () => site.Service.ProcessorTime, stop);
            _etags = calls.Etags;
        }

        say("Warming up");
        foreach (var method in options.Methods)
        {
            await Load(method, PlacesToWarmUp, options.WarmUp, null, stop);
        }

        var rows = new List<Row>();
        foreach (var method in options.Methods)
        {
            foreach (var concurrency in options.Concurrency)
            {
                var rounds = new List<Round>();
                for (var i = 0; i < options.Repeats; i++)
                {
                    rounds.Add(await RunRound(method, concurrency, stop));
                }

                rows.Add(new Row(method, concurrency, rounds));
            }
        }

        var fixedRate = options.Rate is { } rate ? await RunFixedRate(rate, stop) : null;
        return new Results(
            options.Plans, options.Measured.TotalSeconds, Environment.ProcessorCount, otherLoad, await site.PostgresVersion(stop),
            System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription, rows, fixedRate);
    }

    private async Task<Round> RunRound(string method, int concurrency, CancellationToken stop)
    {
        var (service, entries) = await Load(method, concurrency, options.WarmUp, null, stop);
        var memory = site.Service.ResidentMiB;
        var clients = Math.Min(concurrency, MostPgbenchClients);
        var pgbench = await Pgbench(method, clients, pipeline: false, null, stop);
        var pipeline = await Pgbench(method, clients, pipeline: true, null, stop);
        var same = concurrency > MostPgbenchClients ? await Pgbench(method, concurrency, pipeline: false, null, stop) : null;
        say(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{method} c={concurrency}: {service.Rate:N0}/s, p99 {service.P99:0.00} ms; pgbench {pgbench.Tps:N0}, in a pipeline {pipeline.Tps:N0}; {service.Calls:N0} calls, {entries:N0} log entries"));
        return new Round(service, pgbench, pipeline, same, entries, memory);
    }

    private async Task<FixedRate> RunFixedRate(double rate, CancellationToken stop)
    {
        var (service, _) = await Load("GetPlan", PlacesAtFixedRate, options.WarmUp, rate, stop);
        return new FixedRate(rate, service, await Pgbench("GetPlan", MostPgbenchClients, pipeline: false, rate, stop));
    }

    /// <summary>Runs load, and requires as many new entries in the access log as calls were made.</summary>
    private async Task<(LoadResult Result, long Entries)> Load(string method, int places, TimeSpan warmUp, double? rate, CancellationToken stop)
    {
        Calls calls = method == "GetPlan" ? new GetPlanCalls(options.Plans, places) : new UpdateInterventionCalls(_etags, site.ChangedPart, places);
        var before = await site.CountEntries(calls.Method, stop);
        var result = await new LoadRun(places, options.Connections, warmUp, options.Measured, rate)
            .Run(site.Target, calls, () => site.Service.ProcessorTime, stop);
        var entries = await site.CountEntries(calls.Method, stop) - before;
        return entries == result.Calls
            ? (result, entries)
            : throw new UnsoundRunException($"{result.Calls} calls were made, and the access log gained {entries} entries.");
    }

    /// <summary>Runs the reference, and requires of it no less than of the service.</summary>
    private async Task<PgbenchResult> Pgbench(string method, int clients, bool pipeline, double? rate, CancellationToken stop)
    {
        var script = site.References[method];
        var before = await site.CountEntries(script.Variables["method"], stop);
        var result = await site.Pgbench.Run(script, clients, pipeline, options.Measured, rate, stop);
        var entries = await site.CountEntries(script.Variables["method"], stop) - before;
        return entries >= result.Transactions
            ? result
            : throw new UnsoundRunException($"pgbench made {result.Transactions} transactions, and the access log gained {entries} entries.");
    }
}
