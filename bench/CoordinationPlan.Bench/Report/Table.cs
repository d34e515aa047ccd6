using System.Globalization;

namespace CoordinationPlan.Bench.Report;

/// <summary>The results for people.</summary>
internal static class Table
{
    private const double MuchOtherLoad = 0.3;

    public static void Print(Results results, TextWriter to)
    {
        to.WriteLine();
        to.WriteLine(Text(
            $"{results.Plans:N0} plans, {results.Cores} cores, PostgreSQL {results.Postgres} (synchronous_commit on), {results.Runtime}; medians, {results.MeasuredSeconds:0.#} s each"));
        if (results.OtherLoad > MuchOtherLoad)
        {
            to.WriteLine(Text($"The machine was not quiet: others kept {results.OtherLoad:0.0} cores busy before the run. Repeat it before believing it."));
        }

        foreach (var method in results.Rows.GroupBy(row => row.Method))
        {
            to.WriteLine();
            to.WriteLine(method.Key);
            to.WriteLine("    c   calls/s   p50 ms   p99 ms  p99.9 ms   pgbench  ratio   pipeline  ratio   CPU us/call        RSS");
            to.WriteLine("                                                  tps              tps         service  client    MiB");
            foreach (var row in method)
            {
                to.WriteLine(Text(
                    $"{row.Concurrency,5} {row.Rate,9:N0} {row.P50,8:0.00} {row.P99,8:0.00} {row.P999,9:0.00} {row.PgbenchTps,9:N0} {row.Ratio,6:0.00} {row.PipelineTps,10:N0} {row.PipelineRatio,6:0.00} {row.ServiceMicros,8:0} {row.ClientMicros,7:0} {row.ServiceMiB,6:0}"));
            }

            foreach (var row in method.Where(row => row.PgbenchSameClientsTps is not null))
            {
                to.WriteLine(Text($"      pgbench with {row.Concurrency} clients: {row.PgbenchSameClientsTps:N0} tps; the row above compares with 16"));
            }
        }

        if (results.FixedRate is { } rate)
        {
            to.WriteLine();
            to.WriteLine(Text($"GetPlan at {rate.Offered:N0}/s, p50 / p99 / p99.9 in ms from when each call was due"));
            to.WriteLine(Text($"  service  {rate.Service.P50:0.00} / {rate.Service.P99:0.00} / {rate.Service.P999:0.00}  ({rate.Service.Rate:N0}/s)"));
            to.WriteLine(Text($"  pgbench  {rate.Pgbench.P50:0.00} / {rate.Pgbench.P99:0.00} / {rate.Pgbench.P999:0.00}  ({rate.Pgbench.Tps:N0}/s)"));
        }

        to.WriteLine();
        if (results.GateRows.Any())
        {
            var at = string.Join(", ", results.GateRows.Select(row => row.Concurrency));
            var ratios = string.Join(", ", results.GateRows.Select(row => Text($"{row.Ratio:0.00}")));
            to.WriteLine(Text($"GetPlan first gate 0.75 at c={at}: {(results.GateMet ? "met" : "not met")} ({ratios})"));
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
