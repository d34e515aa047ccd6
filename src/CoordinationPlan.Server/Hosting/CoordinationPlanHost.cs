using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Changes;
using CoordinationPlan.Server.Consents;
using CoordinationPlan.Server.Copies;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Directory;
using CoordinationPlan.Server.Discharge;
using CoordinationPlan.Server.Disclosures;
using CoordinationPlan.Server.Emergency;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Indicators;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Meetings;
using CoordinationPlan.Server.Oversight;
using CoordinationPlan.Server.Participations;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Releases;
using CoordinationPlan.Server.Risk;
using CoordinationPlan.Server.Routines;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Schooling;
using CoordinationPlan.Server.Suggestions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Server.Hosting;

/// <summary>The service as a host: the same for production, development and tests.</summary>
public static class CoordinationPlanHost
{
    private const int MaxMessageBytes = 256 * 1024;

    /// <summary>
    /// Builds the service, after it has refused an unsafe configuration and a database that does not fit. Nothing listens until it is started.
    /// </summary>
    public static async Task<WebApplication> CreateAsync(ServerOptions options, TimeProvider time, Action<WebApplicationBuilder>? configure = null, CancellationToken stop = default)
    {
        SafeConfiguration.Require(options);
        var dataSources = new DataSources(options.Database);
        try
        {
            await Schema.Check(dataSources, options.Installation, stop);
            var ring = OpenRing(options.Keys, time);
            await using var connection = await dataSources.For(DatabaseRole.Case).OpenConnectionAsync(stop);
            return Build(options, time, dataSources, ring, await ServiceKeys.LoadAsync(connection, ring, stop), configure);
        }
        catch
        {
            await dataSources.DisposeAsync();
            throw;
        }
    }

    /// <summary>The API's address, once the host has started.</summary>
    public static Uri ApiAddress(this WebApplication app) => new(app.Urls.First(url => url.StartsWith("https://", StringComparison.Ordinal)));

    /// <summary>The address of the logs as files, where they are served.</summary>
    public static Uri LogAddress(this WebApplication app) => new(app.Urls.Where(url => url.StartsWith("https://", StringComparison.Ordinal)).ElementAt(1));

    private static WebApplication Build(ServerOptions options, TimeProvider time, DataSources dataSources, IKeyRing ring, ServiceKeys keys, Action<WebApplicationBuilder>? configure)
    {
        var isDevelopment = options.Installation == InstallationKind.Development;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            EnvironmentName = isDevelopment ? Environments.Development : Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Warning)
            .AddFilter("CoordinationPlan", LogLevel.Information);
        configure?.Invoke(builder);

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            Limit(kestrel.Limits.Http2, options.Limits);
            Listen(kestrel, options.Listen);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));

        builder.Services
            .AddSingleton(time)
            .AddSingleton(_ => dataSources)
            .AddSingleton(ring)
            .AddSingleton(keys)
            .AddSingleton(keys.Names)
            .AddSingleton(_ => new PageTokens(keys.PageTokens))
            .AddSingleton<SubjectKeys>()
            .AddSingleton(new TestPersons(options.Installation))
            .AddSingleton(new FreshLogin(options.Identity.FreshLogin, options.Identity.ClockSkew))
            .AddSingleton(LegalGrounds.Load())
            .AddSingleton(DisclosureWarnings.Load())
            .AddSingleton(HandlingInstructions.Load())
            .AddSingleton<Transactions>()
            .AddSingleton<RpcMetrics>()
            .AddSingleton(options.Limits)
            // By the machine's clock: how much is called in a second does not depend on what time it is for the service.
            .AddSingleton(new CallLimits(options.Limits, TimeProvider.System))
            .AddSingleton<Draining>()
            .AddHostedService(services => services.GetRequiredService<Draining>())
            .AddSingleton<FailureInterceptor>()
            .AddTheLog(options.Log)
            .AddTheFeed(options.Feed)
            .AddSingleton<CaseGate>()
            .AddSingleton<PlanService>()
            .AddSingleton<ParticipationService>()
            .AddSingleton<ParticipationSyncService>()
            .AddSingleton<ConsentService>()
            .AddSingleton<MeetingService>()
            .AddSingleton<RiskService>()
            .AddSingleton<SchoolingService>()
            .AddSingleton<DischargeService>()
            .AddSingleton<SuggestionService>()
            .AddSingleton<CopyService>()
            .AddSingleton<ProtectionService>()
            .AddSingleton<ReleaseService>()
            .AddSingleton<DisclosureService>()
            .AddSingleton<EmergencyAccessService>()
            .AddSingleton<OversightService>()
            .AddSingleton(options.Register)
            .AddSingleton(options.Access)
            .AddSingleton(options.Law)
            .AddSingleton(options.Indicators)
            .AddSingleton<IPopulationRegister, HttpPopulationRegister>()
            .AddSingleton<AccessLogService>()
            .AddSingleton<DirectoryService>()
            .AddSingleton<IndicatorService>()
            .AddSingleton<SchoolRoutineService>()
            .AddSingleton<AuditService>()
            .AddSingleton<FhirCalls>()
            .AddSingleton<FhirDoor>()
            .AddSingleton<ChangeFeedService>()
            .AddHostedService<AccessLogPartitions>()
            .AddCallerAuthentication(options.Identity, time)
            .AddTelemetry();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.Interceptors.Add<FailureInterceptor>();
            grpc.MaxReceiveMessageSize = MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
        });
        builder.Services
            .AddGrpcHealthChecks(health =>
            {
                health.Services.Map("liveness", check => check.Tags.Contains("liveness"));
                health.Services.Map("readiness", check => check.Tags.Contains("readiness"));
                // The server as a whole serves whatever is wrong with its log.
                health.Services.Map("", check => !check.Tags.Contains("log"));
                health.Services.Map("log", check => check.Tags.Contains("log"));
            })
            .AddCheck("process", () => HealthCheckResult.Healthy(), ["liveness"])
            .AddCheck<Draining>("draining", HealthStatus.Unhealthy, ["readiness"])
            .AddCheck<DatabaseHealth>("database", HealthStatus.Unhealthy, ["readiness"], TimeSpan.FromSeconds(5))
            .AddCheck<LogCondition>("log", HealthStatus.Unhealthy, ["log"]);
        if (isDevelopment)
        {
            builder.Services.AddGrpcReflection();
        }

        var app = builder.Build();
        app.Use(OnlyHealthOnManagementPort);
        app.Use((context, next) =>
        {
            if (LogFiles.IsInPlace(context))
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        app.Use(HeaderErrors.Complete);
        app.UseAuthentication();
        app.UseAuthorization();
        MapServices(app);
        LogFiles.Map(app);
        app.Services.GetRequiredService<FhirDoor>().Map(app);
        app.MapGrpcHealthChecksService().AllowAnonymous();
        if (isDevelopment)
        {
            app.MapGrpcReflectionService().AllowAnonymous();
        }

        return app;
    }

    private static FileKeyRing OpenRing(KeyOptions options, TimeProvider time) =>
        new(options.Ring, X509Certificate2.CreateFromPemFile(options.Certificate, options.Key), time);

    private static void MapServices(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<PlanService>();
        endpoints.MapGrpcService<ParticipationService>();
        endpoints.MapGrpcService<ParticipationSyncService>();
        endpoints.MapGrpcService<ConsentService>();
        endpoints.MapGrpcService<MeetingService>();
        endpoints.MapGrpcService<RiskService>();
        endpoints.MapGrpcService<SchoolingService>();
        endpoints.MapGrpcService<DischargeService>();
        endpoints.MapGrpcService<SuggestionService>();
        endpoints.MapGrpcService<CopyService>();
        endpoints.MapGrpcService<ProtectionService>();
        endpoints.MapGrpcService<ReleaseService>();
        endpoints.MapGrpcService<DisclosureService>();
        endpoints.MapGrpcService<EmergencyAccessService>();
        endpoints.MapGrpcService<OversightService>();
        endpoints.MapGrpcService<AccessLogService>();
        endpoints.MapGrpcService<DirectoryService>();
        endpoints.MapGrpcService<IndicatorService>();
        endpoints.MapGrpcService<SchoolRoutineService>();
        endpoints.MapGrpcService<AuditService>();
        endpoints.MapGrpcService<ChangeFeedService>();
    }

    /// <summary>A connection whose other end is gone is noticed, and none takes more than its share.</summary>
    private static void Limit(Http2Limits http2, LimitOptions limits)
    {
        http2.MaxStreamsPerConnection = limits.StreamsPerConnection;
        http2.KeepAlivePingDelay = limits.KeepAlivePing;
        http2.KeepAlivePingTimeout = limits.KeepAliveTimeout;
    }

    private static void Listen(KestrelServerOptions kestrel, ListenOptions listen)
    {
        kestrel.AddServerHeader = false;
        var authorities = CertificateTrust.Of(listen.ClientAuthorities, CertificateTrust.ClientAuthentication);
        var certificate = X509Certificate2.CreateFromPemFile(listen.Certificate, listen.Key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(listen.Certificate);
        void UseHttps(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions endpoint) => endpoint.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ServerCertificateChain = [.. chain.Skip(1)];
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = authorities.Clone();
            https.ClientCertificateValidation = (_, _, errors) => errors == SslPolicyErrors.None;
        });

        kestrel.Listen(IPAddress.Parse(listen.Address), listen.Port, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            UseHttps(endpoint);
        });
        if (listen.LogPort is { } logPort)
        {
            kestrel.Listen(IPAddress.Parse(listen.Address), logPort, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1AndHttp2;
                endpoint.Use(next => connection =>
                {
                    LogFiles.MarkConnection(connection);
                    return next(connection);
                });
                UseHttps(endpoint);
            });
        }

        if (listen.ManagementPort is { } port)
        {
            kestrel.Listen(IPAddress.Loopback, port, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        }
    }

    /// <summary>The management port has no client certificates; nothing but health is served there.</summary>
    private static Task OnlyHealthOnManagementPort(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps || context.Request.Path.StartsWithSegments("/grpc.health.v1.Health"))
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
