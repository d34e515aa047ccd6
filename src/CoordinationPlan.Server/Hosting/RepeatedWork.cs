using Microsoft.Extensions.Hosting;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Work that is done at once and then again and again as long as the server runs, by the machine's clock and whatever time it is for the service. Where it fails it is tried again at the
/// next turn; that it does is said once, and by its kind alone: what an exception says can repeat what stands in the database.
/// </summary>
internal abstract class RepeatedWork : BackgroundService
{
    private bool _isFailing;

    protected abstract TimeSpan Every { get; }

    /// <summary>One turn.</summary>
    protected abstract Task Work(CancellationToken stop);

    /// <summary>Says that a turn has failed.</summary>
    /// <param name="isNews">The turn before had not.</param>
    protected abstract void Failed(string kind, string? sqlState, bool isNews);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(Every, TimeProvider.System);
        try
        {
            do
            {
                await Try(stoppingToken);
            }
            while (await ticks.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task Try(CancellationToken stop)
    {
        try
        {
            await Work(stop);
            _isFailing = false;
        }
        // A host that is disposed of without being stopped takes the work's connections with it.
        catch (Exception exception) when (exception is not OperationCanceledException && !stop.IsCancellationRequested)
        {
            Failed(exception.GetType().Name, (exception as PostgresException)?.SqlState, !_isFailing);
            _isFailing = true;
        }
    }
}
