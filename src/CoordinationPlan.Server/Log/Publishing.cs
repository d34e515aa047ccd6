using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoordinationPlan.Server.Log;

/// <summary>What an operator does with the publisher beside the running service.</summary>
public static class Publishing
{
    /// <summary>Takes up the logs of which the publisher's directory has no file. Returns which.</summary>
    public static async Task<IReadOnlyList<string>> Adopt(ServerOptions options, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        SafeConfiguration.Require(options);
        if (options.Log.PublisherKey.Length == 0)
        {
            throw new InvalidOperationException("This configuration does not publish: it has no Log:PublisherKey.");
        }

        using var key = LogKey.Read(options.Log.PublisherKey);
        await using var sources = new DataSources(options.Database);
        var condition = new LogCondition();
        using var metrics = new LogMetrics(condition);
        using var witnesses = new Witnesses(options.Log);
        using var publisher = new Publisher(
            sources, new LogNames(options.Log.Name), new PublisherKey(key), new SignedLogs(options.Log.Directory), witnesses, options.Log, condition, metrics, NullLogger<Publisher>.Instance);
        try
        {
            return await publisher.Adopt(stop);
        }
        catch (LogFaultException fault)
        {
            throw new InvalidOperationException(fault.Message, fault);
        }
    }

    /// <summary>
    /// The public keys of receipts and of every log that there is; or of the logs that the same controllers will have in another year, for witnesses who are to know
    /// them before they begin.
    /// </summary>
    public static async Task<IReadOnlyList<string>> Keys(LogOptions options, string connectionString, int? year, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var receipts = LogKey.Read(options.ReceiptKey);
        using var publisher = LogKey.Read(options.PublisherKey);
        var names = new LogNames(options.Name);
        await using var connection = await LogCheck.Open(connectionString, stop);
        var trip = new RoundTrip(connection);
        var states = trip.Add(LogSql.States());
        await trip.Run(stop);
        var logs = states.Value.Select(state => year is { } other ? LogNames.IdOf(state.Controller, other) : state.LogId).Distinct();
        return [receipts.As(names.Receipts).Verifier.ToString(), .. logs.Select(log => publisher.As(names.Origin(log)).Verifier.ToString())];
    }
}
