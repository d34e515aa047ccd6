using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Server.Log;

/// <summary>Repeated work on the log: that it fails is part of the log's condition, which health and metrics tell, until a turn goes well.</summary>
/// <param name="fault">What it means that a turn fails.</param>
internal abstract class LogWork(LogPart part, string fault, LogCondition condition, ILogger log) : RepeatedWork
{
    /// <summary>Where faults of single logs go as well.</summary>
    protected LogCondition Condition { get; } = condition;

    /// <summary>The service's own log.</summary>
    protected ILogger Log { get; } = log;

    /// <summary>What one turn does.</summary>
    protected abstract Task Turn(CancellationToken stop);

    protected sealed override async Task Work(CancellationToken stop)
    {
        await Turn(stop);
        Condition.Clear(part, "");
    }

    protected sealed override void Failed(string kind, string? sqlState, bool isNews)
    {
        if (Condition.Set(part, "", fault))
        {
            Log.LogError("The log: {Fault}: {Kind}, SQLSTATE {SqlState}", fault, kind, sqlState);
        }
    }
}
