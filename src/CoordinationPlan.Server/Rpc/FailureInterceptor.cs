using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Around every call: checks the request's shape, measures the call under the RPC conventions of OpenTelemetry, and turns whatever was not
/// foreseen into one of the contract's errors. What an exception says stays in the service's own log, without values of the request.
/// </summary>
internal sealed class FailureInterceptor(TimeProvider time, RpcMetrics metrics, ILogger<FailureInterceptor> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await Around(request, context, async () => response = await continuation(request, context));
        return response!;
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(request, context, () => continuation(request, responses, context));

    private async Task Around(object request, ServerCallContext context, Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            if (request is Google.Protobuf.IMessage message && context.Method.StartsWith("/coordinationplan.", StringComparison.Ordinal))
            {
                RequestShape.Check(message, time.Today());
            }

            await call();
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

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
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
                log.LogError("Unforeseen {Kind} in {Method}, SQLSTATE {SqlState}, at {Place}", exception.GetType().FullName, context.Method, (exception as PostgresException)?.SqlState, exception.StackTrace);
                return Errors.Internal();
        }
    }
}
