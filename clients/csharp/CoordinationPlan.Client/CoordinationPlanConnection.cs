using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace CoordinationPlan.Client;

/// <summary>
/// A connection of one case system to the service, shared by all its users. Thread-safe; keep one for the life of the process.
/// </summary>
/// <example>
/// <code>
/// using var connection = new CoordinationPlanConnection(new() { Address = address, ClientCertificate = certificate });
/// var sara = connection.For(new CallerChoice("assignments/…", Purpose.SocialServicesCase, tokens.GetAsync));
/// var plan = await sara.Plans.GetPlanAsync(new GetPlanRequest { Name = "plans/…" });
/// </code>
/// </example>
public sealed class CoordinationPlanConnection : IDisposable
{
    /// <summary>
    /// Retries what the service says it has not done. A change may be retried because it carries its request id. See service_config.json, which
    /// says the same for clients in other languages.
    /// </summary>
    internal static ServiceConfig Retries { get; } = new()
    {
        MethodConfigs =
        {
            new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 4,
                    InitialBackoff = TimeSpan.FromMilliseconds(100),
                    MaxBackoff = TimeSpan.FromSeconds(2),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            },
        },
    };

    private static RetryPolicy Retry => Retries.MethodConfigs[0].RetryPolicy!;

    private readonly CoordinationPlanClientOptions _options;
    private readonly SocketsHttpHandler _handler;
    private readonly GrpcChannel _channel;

    /// <summary>Prepares the connection; it is opened by the first call.</summary>
    public CoordinationPlanConnection(CoordinationPlanClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = SslStreamCertificateContext.Create(options.ClientCertificate, null, offline: true),
                CertificateChainPolicy = options.ServerAuthorities.Count > 0 ? TrustOnly(options.ServerAuthorities) : null,
            },
        };
        _channel = GrpcChannel.ForAddress(options.Address, new GrpcChannelOptions
        {
            HttpHandler = _handler,
            ServiceConfig = Retries,
            // As the retries: a service that comes back is found by the next of them. By default a connection that was refused once is not tried for a second, and
            // later not for two minutes, whatever a call's own retries do.
            InitialReconnectBackoff = Retry.InitialBackoff!.Value,
            MaxReconnectBackoff = Retry.MaxBackoff!.Value,
        });
    }

    /// <summary>Clients that call for somebody. Cheap: make one for each user and purpose.</summary>
    public CoordinationPlanClients For(CallerChoice caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var credentials = CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            metadata.Add("authorization", "Bearer " + await caller.AccessToken(context.CancellationToken));
            metadata.Add("coordinationplan-assignment", caller.Assignment);
            metadata.Add("coordinationplan-purpose", PurposeNames.Of(caller.Purpose));
            if (caller.Unit is { } unit)
            {
                metadata.Add("coordinationplan-unit", unit);
            }
        });
        return new CoordinationPlanClients(_channel.Intercept(new CallDefaults(credentials, _options.Deadline, _options.TimeProvider)));
    }

    /// <summary>The channel without any caller, for health checks.</summary>
    public CallInvoker Anonymous => _channel.CreateCallInvoker();

    /// <inheritdoc />
    public void Dispose()
    {
        _channel.Dispose();
        _handler.Dispose();
    }

    private static X509ChainPolicy TrustOnly(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    /// <summary>Puts credentials and a deadline on every call that has none of its own.</summary>
    private sealed class CallDefaults(CallCredentials credentials, TimeSpan deadline, TimeProvider time) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            return continuation(request, With(context));
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            return continuation(request, With(context));
        }

        /// <summary>A stream lasts as long as there is something to send: it gets no deadline that it was not given.</summary>
        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            return continuation(With(context, hasDeadline: false));
        }

        /// <summary>A stream lives as long as it is wanted: it gets no deadline that it was not given.</summary>
        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            return continuation(request, With(context, hasDeadline: false));
        }

        private ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context, bool hasDeadline = true)
            where TRequest : class
            where TResponse : class
        {
            var options = context.Options.Credentials is null ? context.Options.WithCredentials(credentials) : context.Options;
            if (hasDeadline && options.Deadline is null)
            {
                options = options.WithDeadline(time.GetUtcNow().UtcDateTime + deadline);
            }

            return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options);
        }
    }
}
