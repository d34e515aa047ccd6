using System.Globalization;

namespace CoordinationPlan.Bench;

/// <summary>The machine that everything runs on.</summary>
internal static class Machine
{
    private const int IdleField = 3;
    private const int WaitingField = 4;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>How many of its cores others keep busy, seen for a second.</summary>
    public static async Task<double> BusyCores(CancellationToken stop)
    {
        var (busyBefore, allBefore) = await Ticks(stop);
        await Task.Delay(Look, TimeProvider.System, stop);
        var (busy, all) = await Ticks(stop);
        return Environment.ProcessorCount * (double)(busy - busyBefore) / Math.Max(1, all - allBefore);
    }

    /// <summary>The first line of /proc/stat: what all cores together have spent their time with.</summary>
    private static async Task<(long Busy, long All)> Ticks(CancellationToken stop)
    {
        var line = (await File.ReadAllLinesAsync("/proc/stat", stop))[0];
        var ticks = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToList();
        return (ticks.Sum() - ticks[IdleField] - ticks[WaitingField], ticks.Sum());
    }
}
