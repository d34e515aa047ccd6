using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// A server that is to stop first says so: it is not ready, refuses new calls, and only then closes its connections. What is under way is finished.
/// </summary>
internal sealed class Draining : IHostedLifecycleService, IHealthCheck, IDisposable
{
    private readonly CancellationTokenSource _begun = new();
    private readonly CancellationTokenRegistration _stopping;
    private readonly LimitOptions _limits;
    private readonly TimeProvider _time;

    public Draining(LimitOptions limits, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        (_limits, _time) = (limits, time);
        _stopping = lifetime.ApplicationStopping.Register(_begun.Cancel);
    }

    /// <summary>Cancelled when the server begins to stop.</summary>
    public CancellationToken Begun => _begun.Token;

    /// <summary>Whether new calls are refused.</summary>
    public bool IsUnderWay => _begun.IsCancellationRequested;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _begun.CancelAsync();
        try
        {
            await Task.Delay(_limits.Drain, _time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The host stops at once.
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsUnderWay ? HealthCheckResult.Unhealthy("The server is about to stop.") : HealthCheckResult.Healthy());

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _stopping.Dispose();
        _begun.Dispose();
    }
}
