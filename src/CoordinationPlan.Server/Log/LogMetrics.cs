using System.Diagnostics.Metrics;

namespace CoordinationPlan.Server.Log;

/// <summary>How far behind the log is, and whether it is signed. No labels: a log's name would tell how much an authority works.</summary>
internal sealed class LogMetrics : IDisposable
{
    public const string MeterName = "CoordinationPlan.Log";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _sequenced;
    private readonly Counter<long> _published;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _disposed;
    private double _pendingSeconds;

    public LogMetrics(LogCondition condition)
    {
        _sequenced = _meter.CreateCounter<long>("coordplan.log.sequenced", "{entry}", "Entries put in the trees.");
        _published = _meter.CreateCounter<long>("coordplan.log.published", "{checkpoint}", "Checkpoints published.");
        _refused = _meter.CreateCounter<long>("coordplan.log.refused", "{checkpoint}", "Checkpoints that were refused to be signed, because the database is no extension of what was signed before.");
        _disposed = _meter.CreateCounter<long>("coordplan.log.disposed", "{entry}", "Entries whose content was removed under an approved disposal.");
        _meter.CreateObservableGauge("coordplan.log.pending.age", () => Volatile.Read(ref _pendingSeconds), "s", "How long the oldest entry has been waiting for its place.");
        _meter.CreateObservableGauge("coordplan.log.faults", () => condition.Faults.Count, "{fault}", "What is wrong with the log as this server sees it.");
    }

    public void Sequenced(int entries) => _sequenced.Add(entries);

    public void Published() => _published.Add(1);

    public void Refused() => _refused.Add(1);

    public void Disposed(long entries) => _disposed.Add(entries);

    public void Pending(TimeSpan age) => Volatile.Write(ref _pendingSeconds, age.TotalSeconds);

    public void Dispose() => _meter.Dispose();
}
