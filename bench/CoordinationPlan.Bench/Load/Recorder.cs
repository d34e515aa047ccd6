using System.Diagnostics;
using CoordinationPlan.Bench.Http2;

namespace CoordinationPlan.Bench.Load;

/// <summary>Counts the calls of one connection, and keeps how long those took that ended in the measured time.</summary>
internal sealed class Recorder(Calls calls, long from, long to)
{
    public List<long> Ticks { get; } = new(64 * 1024);

    public long Calls { get; private set; }

    public long Faults { get; private set; }

    public string? FirstFault { get; private set; }

    public void Ended(Call call)
    {
        var now = Stopwatch.GetTimestamp();
        Calls++;
        if (now >= from && now < to)
        {
            Ticks.Add(now - call.Started);
        }

        if ((call.Fault() ?? calls.Check(call)) is { } fault)
        {
            Faults++;
            FirstFault ??= fault;
        }
    }
}
