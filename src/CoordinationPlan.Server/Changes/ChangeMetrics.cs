using System.Diagnostics.Metrics;

namespace CoordinationPlan.Server.Changes;

/// <summary>How the feed does. No labels: who is told of how much is for the plans' owners.</summary>
internal sealed class ChangeMetrics : IDisposable
{
    public const string MeterName = "CoordinationPlan.Changes";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _sequenced;
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _recalled;
    private readonly Counter<long> _failed;
    private readonly UpDownCounter<long> _streams;
    private FeedState _state = new(null, null, 0, 0);

    public ChangeMetrics()
    {
        _sequenced = _meter.CreateCounter<long>("coordplan.changes.sequenced", "{change}", "Noted changes that were put in order.");
        _delivered = _meter.CreateCounter<long>("coordplan.changes.delivered", "{change}", "Changes that were delivered.");
        _recalled = _meter.CreateCounter<long>("coordplan.changes.recalled", "{recall}", "Recalls that began.");
        _failed = _meter.CreateCounter<long>("coordplan.changes.failures", "{failure}", "Times that changes could not be put in order.");
        _streams = _meter.CreateUpDownCounter<long>("coordplan.changes.streams", "{stream}", "Open streams.");
        _meter.CreateObservableGauge("coordplan.changes.pending.age", () => AgeOf(_state.OldestPending), "s", "How long the oldest noted change has been waiting to be put in order.");
        _meter.CreateObservableGauge("coordplan.changes.lag", () => AgeOf(_state.OldestUnconfirmed), "s", "How long the oldest change that a system has not confirmed has been waiting.");
        _meter.CreateObservableGauge("coordplan.changes.rejected", () => _state.Rejected, "{change}", "Changes that systems could not process.");
        _meter.CreateObservableGauge("coordplan.changes.recalls.overdue", () => _state.OverdueRecalls, "{recall}", "Recalls that were not confirmed in time.");
    }

    public void Sequenced(int changes) => _sequenced.Add(changes);

    public void Delivered(int changes) => _delivered.Add(changes);

    public void Recalled(int recalls) => _recalled.Add(recalls);

    public void Failed() => _failed.Add(1);

    public void StreamOpened() => _streams.Add(1);

    public void StreamClosed() => _streams.Add(-1);

    public void Report(FeedState state) => Volatile.Write(ref _state, state);

    public void Dispose() => _meter.Dispose();

    private static double AgeOf(DateTimeOffset? since) => since is { } at ? Math.Max(0, (TimeProvider.System.GetUtcNow() - at).TotalSeconds) : 0;
}
