using Npgsql;
using Polly;
using Polly.Retry;

namespace CoordinationPlan.Server.Database;

/// <summary>
/// Runs a block of round trips as one transaction and repeats the whole block where PostgreSQL says that this may help: serialization
/// failures, deadlocks, lost connections, a start-up in progress. Never a single statement. The caller's deadline bounds it all. A commit in
/// doubt is settled by the request id: the repeated block finds the first answer.
/// </summary>
internal sealed class Transactions(DataSources dataSources)
{
    private static readonly ResiliencePipeline Repeats = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = 4,
            Delay = TimeSpan.FromMilliseconds(20),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(MayRepeat),
        })
        .Build();

    public async Task<T> Run<T>(DatabaseRole role, Func<NpgsqlConnection, CancellationToken, Task<T>> block, CancellationToken stop) =>
        await Repeats.ExecuteAsync(
            static async (state, stop) =>
            {
                // A block that fails leaves its transaction open; the pool rolls it back when the connection returns.
                await using var connection = await state.Pool.OpenConnectionAsync(stop);
                return await state.Block(connection, stop);
            },
            (Pool: dataSources.For(role), Block: block),
            stop);

    /// <summary>Whether the same block may succeed when it is run again.</summary>
    internal static bool MayRepeat(NpgsqlException exception) =>
        exception is { IsTransient: true, InnerException: not TimeoutException }
        || exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "request_outcome" or "directory_request_outcome" or "subject" };
}
