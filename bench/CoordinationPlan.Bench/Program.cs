using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CoordinationPlan.Bench;
using CoordinationPlan.Bench.Load;
using CoordinationPlan.Bench.Report;
using CoordinationPlan.Development;
using Grpc.Core;
using Npgsql;

var plans = new Option<int>("--plans") { Description = "Plans to load, 1,000 to 1,000,000.", DefaultValueFactory = _ => 10_000 };
var seconds = new Option<double>("--seconds") { Description = "Measured seconds of each run.", DefaultValueFactory = _ => 8 };
var warmUp = new Option<double>("--warmup") { Description = "Seconds before those, long enough for the pool of connections to settle.", DefaultValueFactory = _ => 8 };
var repeats = new Option<int>("--repeats") { Description = "Rounds of service and pgbench; the medians are reported.", DefaultValueFactory = _ => 2 };
var concurrency = new Option<int[]>("-c", "--concurrency") { Description = "Calls in flight.", DefaultValueFactory = _ => [1, 16, 64], AllowMultipleArgumentsPerToken = true };
var connections = new Option<int>("--connections") { Description = "Connections that they share.", DefaultValueFactory = _ => 1 };
var methods = new Option<string[]>("--method") { Description = "Methods.", DefaultValueFactory = _ => ["GetPlan", "UpdateIntervention"], AllowMultipleArgumentsPerToken = true };
methods.AcceptOnlyFromAmong("GetPlan", "UpdateIntervention");
var rate = new Option<double?>("--rate") { Description = "Also GetPlan at so many calls a second, timed from when each is due." };
var log = new Option<int>("--log") { Description = "Also the log that anyone can check, with so many entries, up to 2,000,000; 0: not.", DefaultValueFactory = _ => 0 };
log.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 0 or > 2_000_000)
    {
        result.AddError("--log must be between 0 and 2,000,000");
    }
});
var sync = new Option<int>("--sync") { Description = "Also so many participations, sent by a region's system in batches of 500." };
var feed = new Option<int>("--feed") { Description = "Also the feed of changes, with so many changes for 1, 10 and 50 systems that watch. Each hears all plans first: with few plans." };
var service = new Option<FileInfo?>("--service") { Description = "coordplan.dll of another build to measure." };
var json = new Option<FileInfo?>("--json") { Description = "Write the results to this file too." };
var gate = new Option<bool>("--gate") { Description = "Fail where the gate is not met." };
plans.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 1_000 or > 1_000_000)
    {
        result.AddError("--plans must be between 1,000 and 1,000,000");
    }
});
var root = new RootCommand("Measures the service against pgbench that runs the service's own statements, on one cluster in one run. See bench/README.md.")
{
    plans, seconds, warmUp, repeats, concurrency, connections, methods, rate, log, sync, feed, service, json, gate,
};
root.SetAction(async (parsed, stop) =>
{
    var options = new BenchOptions
    {
        Plans = parsed.GetValue(plans),
        Measured = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
        WarmUp = TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
        Repeats = parsed.GetValue(repeats),
        Concurrency = parsed.GetRequiredValue(concurrency),
        Connections = parsed.GetValue(connections),
        Methods = parsed.GetRequiredValue(methods),
        Rate = parsed.GetValue(rate),
        Sync = parsed.GetValue(sync),
        Service = parsed.GetValue(service),
        Json = parsed.GetValue(json),
        Gate = parsed.GetValue(gate),
    };
    try
    {
        var otherLoad = await Machine.BusyCores(stop);
        await using var site = await Site.StartAsync(options, Say, stop);
        var results = await new Bench(options, site, otherLoad, Say).Run(stop);
        var ofTheLog = parsed.GetValue(log) is > 0 and var entries ? await new LogBench(options, site, Say).Run(entries, stop) : [];
        var synced = options.Sync > 0 ? await new SyncRun(site, options.Sync, options.Plans, Say).Run(stop) : null;
        var ofTheFeed = parsed.GetValue(feed) is > 0 and var changes ? await new FeedBench(options, site, Say).Run(changes, stop) : [];
        if (site.Service.Complaints() is { Length: > 0 } complaints)
        {
            throw new UnsoundRunException("The service complained:\n" + complaints);
        }

        Table.Print(results, Console.Out);
        Costs.Print(site.Costs, Console.Out);
        foreach (var line in ofTheLog.Concat(ofTheFeed))
        {
            Console.WriteLine(line);
        }

        synced?.Print(Console.Out);
        if (options.Json is not null)
        {
            await File.WriteAllTextAsync(options.Json.FullName, JsonSerializer.Serialize(results, new JsonSerializerOptions { WriteIndented = true }), stop);
        }

        return options.Gate && !results.GateMet ? 1 : 0;
    }
    catch (Exception failure)
        when (failure is UnsoundRunException or InvalidOperationException or IOException or TimeoutException or PostgresNotFoundException or NpgsqlException or RpcException)
    {
        await Console.Error.WriteLineAsync(failure.Message);
        return 1;
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        await Console.Error.WriteLineAsync("Stopped; what was started has been taken away.");
        return 130;
    }
});
// Ctrl+C: long enough to stop PostgreSQL and remove the data.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });

static void Say(string text) => Console.WriteLine($"{TimeProvider.System.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}  {text}");
