using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CoordinationPlan.Server.Log;

/// <summary>What a fault of the log is in.</summary>
internal enum LogPart
{
    Sequencer,
    Pending,
    Publisher,
    Witnesses,
    Disposer,
}

/// <summary>
/// What is wrong with the log as this server sees it. It does not make the service unready: who waits for a plan in the night must not wait for the log to be
/// looked at. It is told by the health service <c>log</c>, the metrics and the service's own log.
/// </summary>
internal sealed class LogCondition : IHealthCheck
{
    private readonly ConcurrentDictionary<(LogPart Part, string Log), string> _faults = new();

    /// <summary>The faults there are now, by part and log.</summary>
    public IReadOnlyDictionary<(LogPart Part, string Log), string> Faults => _faults;

    /// <summary>Notes a fault; true where it is a new one, which is to be said once and not each second.</summary>
    public bool Set(LogPart part, string log, string fault)
    {
        var isNew = !_faults.TryGetValue((part, log), out var known) || known != fault;
        _faults[(part, log)] = fault;
        return isNew;
    }

    public void Clear(LogPart part, string log) => _faults.TryRemove((part, log), out _);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_faults.IsEmpty ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join("; ", _faults.Values.Distinct().Order(StringComparer.Ordinal))));
}
