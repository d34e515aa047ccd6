using CoordinationPlan.Server.Changes;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Traces and metrics, sent by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. They carry methods, statuses and statement texts, which are
/// constants; never parameters, names or ids of cases.
/// </summary>
internal static class Telemetry
{
    public static IServiceCollection AddTelemetry(this IServiceCollection services)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            return services;
        }

        services.AddOpenTelemetry()
            .WithTracing(traces => traces.AddAspNetCoreInstrumentation().AddNpgsql())
            .WithMetrics(metrics => metrics.AddMeter(RpcMetrics.MeterName, LogMetrics.MeterName, ChangeMetrics.MeterName, "Npgsql", "Polly", "Microsoft.AspNetCore.Server.Kestrel").AddRuntimeInstrumentation())
            .UseOtlpExporter();
        return services;
    }
}
