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

    public RpcMetrics() => _duration = _meter.CreateHistogram<double>("rpc.server.call.duration", "s", "Duration of calls, by method and status.");

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
