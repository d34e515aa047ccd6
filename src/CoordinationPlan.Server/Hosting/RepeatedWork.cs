using Microsoft.Extensions.Hosting;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Work that is done at once and then again and again as long as the server runs, by the machine's clock and whatever time it is for the service. Where it fails it is tried again at the
/// next turn; what is said of it is its kind alone: what an exception says can repeat what stands in the database.
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
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, and what the work stood on may be gone before it.
        }
    }

    private async Task Try(CancellationToken stop)
    {
        try
        {
            await Work(stop);
            _isFailing = false;
        }
        catch (Exception exception) when (!stop.IsCancellationRequested)
        {
            Failed(exception.GetType().Name, (exception as PostgresException)?.SqlState, !_isFailing);
            _isFailing = true;
        }
    }
}
