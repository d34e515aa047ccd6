using System.Globalization;
using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.V1;
using Google.Rpc;
using Grpc.Core;

namespace CoordinationPlan.RegionSystem;

/// <summary>
/// Calls again what may be called again: later each time, never before the service has said, and for so long and no longer. The connection has its own retries, which are
/// for a moment; this is for an outage.
/// </summary>
/// <param name="giveUpAfter">For how long one call is tried; null: until it is told to stop.</param>
/// <param name="signedOut">Called when the token was refused, so that the next try has a new one.</param>
internal sealed class Patience(TimeSpan? giveUpAfter, Action signedOut)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public async Task<T> Until<T>(string what, Func<Task<T>> call, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (RpcException error) when (IsPassing(error, stop) && (giveUpAfter is null || TimeProvider.System.GetElapsedTime(began) < giveUpAfter))
            {
                await Wait(what, error, attempt, stop);
            }
        }
    }

    /// <summary>Whether the same call may be answered otherwise later.</summary>
    public static bool IsPassing(RpcException error, CancellationToken stop) => !stop.IsCancellationRequested && error.StatusCode switch
    {
        // INTERNAL and UNKNOWN are also what a token that could not be fetched and a connection that was cut in the middle end with.
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled or StatusCode.Unauthenticated => true,
        StatusCode.ResourceExhausted => error.Reason() != ErrorReason.MessageTooLarge,
        _ => false,
    };

    public async Task Wait(string what, RpcException error, int attempt, CancellationToken stop)
    {
        if (error.StatusCode == StatusCode.Unauthenticated)
        {
            signedOut();
        }

        var delay = Delay(error, attempt);
        var fault = error.TraceId() is { } trace ? ", to be reported as trace " + trace : "";
        Journal.Write(string.Create(CultureInfo.InvariantCulture, $"{what}: {error.StatusCode} {error.Reason()}{fault}; again in {delay.TotalSeconds:0.0} s"));
        await Task.Delay(delay, TimeProvider.System, stop);
    }

    /// <summary>Twice as long each time, and somewhat by chance, so that many systems do not come back at once; and not before the service has said.</summary>
    private static TimeSpan Delay(RpcException error, int attempt)
    {
        var own = TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(attempt, 20)));
        var spread = own * (0.5 + (RandomNumberGenerator.GetInt32(1000) / 2000.0));
        return spread + (Said(error) ?? TimeSpan.Zero);
    }

    private static TimeSpan? Said(RpcException error)
    {
        if (error.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay is { } retry)
        {
            return retry.ToTimeSpan();
        }

        // Less than nothing means: do not try again, which an integration that must get there can only take as: not for long.
        return error.Trailers.GetValue("grpc-retry-pushback-ms") is { } pushback && int.TryParse(pushback, CultureInfo.InvariantCulture, out var milliseconds)
            ? milliseconds < 0 ? Longest : TimeSpan.FromMilliseconds(milliseconds)
            : null;
    }
}
