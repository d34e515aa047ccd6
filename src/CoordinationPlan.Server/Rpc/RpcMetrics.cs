using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// <c>rpc.server.call.duration</c> by OpenTelemetry's RPC conventions. HTTP metrics cannot see a gRPC failure: its HTTP status is 200. Labels are
/// method and status only.
/// </summary>
internal sealed class RpcMetrics : IDisposable
{
    public const string MeterName = "CoordinationPlan.Rpc";

    private readonly Meter _meter = new(MeterName);
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _limited;

    public RpcMetrics()
    {
        _duration = _meter.CreateHistogram<double>("rpc.server.call.duration", "s", "Duration of calls, by method and status.");
        _limited = _meter.CreateCounter<long>("coordplan.calls.limited", "{call}", "Calls that were refused because their client system had called for more than its share, by method.");
    }

    /// <summary>Counts a call that was refused for how much its client system had called.</summary>
    public void RecordLimited(string method) => _limited.Add(1, new KeyValuePair<string, object?>("rpc.method", method.TrimStart('/')));

    public void Record(string method, StatusCode code, TimeSpan duration)
    {
        if (_duration.Enabled)
        {
            _duration.Record(duration.TotalSeconds, new TagList
            {
                { "rpc.system.name", "grpc" },
                { "rpc.method", method.TrimStart('/') },
                { "rpc.response.status_code", code.ToString() },
            });
        }
    }

    public void Dispose() => _meter.Dispose();
}
