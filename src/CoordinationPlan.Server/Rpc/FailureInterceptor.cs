using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using CoordinationPlan.Server.Hosting;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Around every call: refuses it where the server is about to stop or the client system has called for more than its share, checks the request's shape, measures
/// the call under the RPC conventions of OpenTelemetry, and turns whatever was not foreseen into one of the contract's errors. What an exception says stays in
/// the service's own log, without values of the request.
/// </summary>
internal sealed class FailureInterceptor(TimeProvider time, RpcMetrics metrics, CallLimits limits, LimitOptions options, Draining draining, ILogger<FailureInterceptor> log) : Interceptor
{
    /// <summary>Tells a client after how many milliseconds to try again, and its retries mind it (gRPC A6).</summary>
    private const string Pushback = "grpc-retry-pushback-ms";

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Around(context, () =>
        {
            Admit(context);
            Check(request, context);
            return continuation(request, context);
        });

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(context, () =>
        {
            Admit(context, isStream: true);
            return continuation(new Messages<TRequest>(this, requestStream, context, options.StreamSilence, time, draining), context);
        });

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(context, async () =>
        {
            Admit(context);
            Check(request, context);
            await continuation(request, responseStream, context);
            return true;
        });

    /// <summary>
    /// What comes by another door is admitted before its body is read: for the points of a read, beside those of the calls that it makes; and not by a server that is about to stop.
    /// </summary>
    public void AdmitInteraction(ClaimsPrincipal caller)
    {
        if (draining.IsUnderWay)
        {
            throw Errors.Unavailable(options.DrainPushback);
        }

        Pay(caller, "FHIR", Contract.CostOfARead);
    }

    private static bool IsOurs(ServerCallContext context) => context.Method.StartsWith("/coordinationplan.", StringComparison.Ordinal);

    private async Task<TResponse> Around<TResponse>(ServerCallContext context, Func<Task<TResponse>> call)
    {
        var started = Stopwatch.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            return await call();
        }
        catch (Exception exception)
        {
            var error = Translate(exception, context);
            code = error.StatusCode;
            if (ReferenceEquals(error, exception))
            {
                throw;
            }

            throw error;
        }
        finally
        {
            metrics.Record(context.Method, code, Stopwatch.GetElapsedTime(started));
        }
    }

    /// <summary>Nothing is looked up before this. Of a stream each message is paid for when it comes.</summary>
    private void Admit(ServerCallContext context, bool isStream = false)
    {
        if (!IsOurs(context))
        {
            return;
        }

        if (draining.IsUnderWay)
        {
            throw Stopping(context);
        }

        if (!isStream)
        {
            Pay(context);
        }
    }

    private void Pay(ServerCallContext context) => Pay(context.GetHttpContext().User, context.Method, Contract.MethodOf(context.Method).Cost);

    private void Pay(ClaimsPrincipal caller, string method, int points)
    {
        if (limits.Take(CallLimits.ClientSystemOf(caller), points) is { } wait)
        {
            metrics.RecordLimited(method);
            throw Errors.TooManyCalls(wait);
        }
    }

    private void Check<TRequest>(TRequest request, ServerCallContext context)
    {
        if (request is Google.Protobuf.IMessage message && IsOurs(context))
        {
            RequestShape.Check(message, time.Today());
        }
    }

    private RpcException Stopping(ServerCallContext context)
    {
        if (context.ResponseTrailers.Get(Pushback) is null)
        {
            context.ResponseTrailers.Add(Pushback, ((long)options.DrainPushback.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        }

        return Errors.Unavailable(options.DrainPushback);
    }

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
            case RpcException { StatusCode: StatusCode.ResourceExhausted } error when error.GetRpcStatus() is null:
                // A message of a client's stream, which gRPC itself has refused to read.
                return Errors.MessageTooLarge();
            case RpcException { StatusCode: StatusCode.Unavailable } when draining.IsUnderWay && IsOurs(context):
                // A stream that has to end says when to come again, as a call that is refused does.
                return Stopping(context);
            case RpcException error:
                return error;
            case OperationCanceledException or NpgsqlException when context.CancellationToken.IsCancellationRequested:
            case NpgsqlException { InnerException: TimeoutException }:
                return Errors.DeadlineExceeded();
            case NpgsqlException { IsTransient: true }:
                log.LogWarning("The database is not reachable: {Kind}, SQLSTATE {SqlState}, in {Method}", exception.GetType().Name, (exception as PostgresException)?.SqlState, context.Method);
                return Errors.Unavailable();
            default:
                // Only the kind and the place: exception texts can repeat what a caller sent.
                log.LogError(
                    "Unforeseen {Kind} in {Method}, trace {Trace}, SQLSTATE {SqlState}, at {Place}",
                    exception.GetType().FullName, context.Method, Errors.TraceId, (exception as PostgresException)?.SqlState, exception.StackTrace);
                return Errors.Internal();
        }
    }

    /// <summary>
    /// The messages of a client's stream, each checked and paid for as a call of its own. One at a time, so that a stream takes no more room than a call; and a
    /// sender that has gone silent, or a server that is about to stop, ends it between two of them.
    /// </summary>
    private sealed class Messages<TRequest>(
        FailureInterceptor around, IAsyncStreamReader<TRequest> stream, ServerCallContext context, TimeSpan longestSilence, TimeProvider time, Draining draining) : IAsyncStreamReader<TRequest>
    {
        public TRequest Current => stream.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            using var silence = new CancellationTokenSource(longestSilence, time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, draining.Begun, cancellationToken);
            try
            {
                if (!await stream.MoveNext(any.Token))
                {
                    return false;
                }
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested && draining.IsUnderWay)
            {
                throw around.Stopping(context);
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested && silence.IsCancellationRequested)
            {
                throw Errors.DeadlineExceeded();
            }

            around.Pay(context);
            around.Check(stream.Current, context);
            return true;
        }
    }
}
