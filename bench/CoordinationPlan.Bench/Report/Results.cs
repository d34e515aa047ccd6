using CoordinationPlan.Bench.Load;
using CoordinationPlan.Bench.Reference;

namespace CoordinationPlan.Bench.Report;

/// <summary>One round: the service and the reference one after the other.</summary>
/// <param name="Service">The service.</param>
/// <param name="Pgbench">pgbench, a round trip for each statement, with at most 16 clients: more make it no faster on two cores.</param>
/// <param name="Pipeline">The same transaction in a single round trip.</param>
/// <param name="PgbenchSameClients">pgbench with as many clients as calls in flight, where that is more than 16.</param>
/// <param name="LogEntries">Entries that the access log gained by the service's calls.</param>
/// <param name="ServiceMiB">Memory of the service afterwards.</param>
internal sealed record Round(
    LoadResult Service, PgbenchResult Pgbench, PgbenchResult Pipeline, PgbenchResult? PgbenchSameClients, long LogEntries, double ServiceMiB);

/// <summary>The medians of the rounds with so many calls in flight.</summary>
internal sealed record Row(string Method, int Concurrency, IReadOnlyList<Round> Rounds)
{
    public double Rate => Median(round => round.Service.Rate);

    public double P50 => Median(round => round.Service.P50);

    public double P99 => Median(round => round.Service.P99);

    public double P999 => Median(round => round.Service.P999);

    public double ServiceMicros => Median(round => round.Service.ServiceMicros);

    public double ClientMicros => Median(round => round.Service.ClientMicros);

    public double PgbenchTps => Median(round => round.Pgbench.Tps);

    public double PipelineTps => Median(round => round.Pipeline.Tps);

    public double? PgbenchSameClientsTps => Rounds[0].PgbenchSameClients is null ? null : Median(round => round.PgbenchSameClients!.Tps);

    /// <summary>The service against pgbench.</summary>
    public double Ratio => Rate / PgbenchTps;

    /// <summary>The service against one round trip.</summary>
    public double PipelineRatio => Rate / PipelineTps;

    public double ServiceMiB => Rounds.Max(round => round.ServiceMiB);

    private double Median(Func<Round, double> value)
    {
        var sorted = Rounds.Select(value).Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}

/// <summary>GetPlan at a fixed rate, beside pgbench at the same.</summary>
internal sealed record FixedRate(double Offered, LoadResult Service, PgbenchResult Pgbench);

/// <summary>The whole run.</summary>
/// <param name="OtherLoad">How many cores others kept busy before the run: more than a few tenths, and the figures are worth little.</param>
internal sealed record Results(int Plans, double MeasuredSeconds, int Cores, double OtherLoad, string Postgres, string Runtime, IReadOnlyList<Row> Rows, FixedRate? FixedRate)
{
    private const double FirstGate = 0.75;

    public IEnumerable<Row> GateRows => Rows.Where(row => row.Method == "GetPlan");

    public bool GateMet => GateRows.All(row => row.Ratio >= FirstGate);
}
