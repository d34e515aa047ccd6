using System.Net.Sockets;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Database;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.V1;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace CoordinationPlan.Server.Tests.Hosting;

/// <summary>What is served where, to whom TLS lets in, and how the service stops.</summary>
public sealed class HostTests(Service service) : IClassFixture<Service>
{
    private DevelopmentInfrastructure Infrastructure => service.Infrastructure;

    [Theory]
    [InlineData("")]
    [InlineData("liveness")]
    [InlineData("readiness")]
    public async Task Health_is_told_on_the_management_port_and_by_the_API(string name)
    {
        using var management = GrpcChannel.ForAddress(service.ManagementAddress);

        Assert.Equal(ServingStatus.Serving, await Health(management, name));
        Assert.Equal(ServingStatus.Serving, (await new Health.HealthClient(service.ConnectionOf(DevelopmentClients.SocialServices).Anonymous)
            .CheckAsync(new HealthCheckRequest { Service = name })).Status);
    }

    [Fact]
    public async Task What_is_wrong_with_the_log_is_told_and_does_not_take_the_service_out_of_use()
    {
        using var management = GrpcChannel.ForAddress(service.ManagementAddress);
        Assert.Equal(ServingStatus.Serving, await Health(management, "log"));

        service.LogCondition.Set(LogPart.Publisher, "a log", "the database has gone back");

        Assert.Equal(ServingStatus.NotServing, await Health(management, "log"));
        Assert.Equal(ServingStatus.Serving, await Health(management, ""));
        Assert.Equal(ServingStatus.Serving, await Health(management, "liveness"));
        Assert.Equal(ServingStatus.Serving, await Health(management, "readiness"));
        service.LogCondition.Clear(LogPart.Publisher, "a log");
        Assert.Equal(ServingStatus.Serving, await Health(management, "log"));
    }

    [Fact]
    public async Task Without_its_database_the_service_lives_and_is_not_ready_and_afterwards_it_is()
    {
        await using var machine = new Machine();
        await machine.InitializeAsync();
        await using var own = new Service(machine);
        await own.InitializeAsync();
        using var management = GrpcChannel.ForAddress(own.ManagementAddress);
        Assert.Equal(ServingStatus.Serving, await Health(management, "readiness"));

        await machine.Infrastructure.Postgres!.StopAsync();
        Assert.Equal(ServingStatus.NotServing, await Health(management, "readiness"));
        Assert.Equal(ServingStatus.Serving, await Health(management, "liveness"));
        var error = await Assert.ThrowsAsync<RpcException>(async () => await own.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest()));
        Assert.Equal((StatusCode.Unavailable, ErrorReason.Unavailable), (error.StatusCode, Client.ServiceErrors.Reason(error)));

        await machine.Infrastructure.Postgres.RestartAsync();
        Assert.Equal(ServingStatus.Serving, await Health(management, "readiness"));
        await own.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest());
    }

    [Fact]
    public async Task The_management_port_serves_nothing_but_health()
    {
        using var management = GrpcChannel.ForAddress(service.ManagementAddress);
        var headers = new Metadata
        {
            { "authorization", "Bearer " + await Infrastructure.TokenOf(DemonstrationDirectory.CaseWorker) },
            { "coordinationplan-assignment", "assignments/" + DemonstrationDirectory.CaseWorker.AssignmentId },
            { "coordinationplan-purpose", "SOCIAL_SERVICES_CASE" },
        };

        var error = await Assert.ThrowsAsync<RpcException>(async () => await new V1.PlanService.PlanServiceClient(management).ListPlansAsync(new ListPlansRequest(), headers));

        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => Reflect(management.CreateCallInvoker()))).StatusCode);
    }

    [Fact]
    public async Task In_development_reflection_lists_the_contracts_services()
    {
        var listed = await Reflect(service.ConnectionOf(DevelopmentClients.SocialServices).Anonymous);

        Assert.Empty(Contract.Services.Select(found => found.FullName).Except(listed));
    }

    [Fact]
    public async Task In_production_there_is_no_reflection()
    {
        await using var database = await EmptyDatabase.Create(service.Machine);
        await Schema.Migrate(database.ConnectionString, InstallationKind.Production, dryRun: false, default);
        var options = Infrastructure.ServerOptions(database.Options, 0, null);
        options.Installation = InstallationKind.Production;
        options.Register.Address = "";
        options.Identity.Issuers.Clear();
        options.Identity.Issuers.Add(new IssuerOptions { Issuer = "https://idp.example/" });
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync();
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);

        Assert.Equal(ServingStatus.Serving, (await new Health.HealthClient(connection.Anonymous).CheckAsync(new HealthCheckRequest())).Status);
        var error = await Assert.ThrowsAsync<RpcException>(() => Reflect(connection.Anonymous));
        Assert.Contains(error.StatusCode, new[] { StatusCode.Unimplemented, StatusCode.Unauthenticated });
        await app.StopAsync();
    }

    [Fact]
    public async Task Production_refuses_what_belongs_to_development()
    {
        var options = Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Installation = InstallationKind.Production;
        await Assert.ThrowsAsync<UnsafeConfigurationException>(() => CoordinationPlanHost.CreateAsync(options, TimeProvider.System));

        options.Register.Address = "";
        options.Identity.Issuers.Clear();
        options.Identity.Issuers.Add(new IssuerOptions { Issuer = "https://idp.example/" });
        await Assert.ThrowsAsync<SchemaException>(() => CoordinationPlanHost.CreateAsync(options, TimeProvider.System));
    }

    [Fact]
    public async Task A_call_under_way_is_answered_before_the_service_stops()
    {
        var plan = await service.OpenPlan();
        await using var app = await Start();
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
        var plans = connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans;
        await plans.ListPlansAsync(new ListPlansRequest());
        Task<GetPlanResponse> read;
        Task stopped;
        await using (var held = await HeldTable.Hold(service.Administrator, "plan_part"))
        {
            read = plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name }).ResponseAsync;
            await held.IsReached();
            stopped = app.StopAsync();
            await NobodyListensAt(app.ApiAddress());
            Assert.False(read.IsCompleted);
            Assert.False(stopped.IsCompleted);
        }

        Assert.Equal(plan.Name, (await read).Plan.Name);
        await stopped;
    }

    [Fact]
    public async Task A_board_sets_the_limits_that_the_law_leaves_open()
    {
        var plan = await service.OpenPlan();
        var unit = (await service.CaseWorker.Directory.ListUnitsAsync(new() { PageSize = 500 })).Units.Single(unit => unit.Name == Cases.UnitOf(DemonstrationDirectory.CaseWorker));
        await using var app = await Start(options => (options.Law.Default.StartWithinDays, options.Law.Controllers[unit.Board]) = (40, new() { RiskAssessmentWithinDays = 30 }));
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);

        var tasks = (await connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks;

        var due = tasks.Where(task => task.Subject.StartsWith(plan.Name, StringComparison.Ordinal)).ToDictionary(task => task.Kind, task => task.DueDate);
        Assert.Equal(Cases.Period(40, null).StartDate, due[TaskKind.BeginPlan]);
        Assert.Equal(Cases.Period(30, null).StartDate, due[TaskKind.AssessRisk]);
        await app.StopAsync();
    }

    [Fact]
    public async Task Only_a_client_certificate_of_the_named_authorities_gets_past_TLS()
    {
        var probe = new TlsProbe(service.Address, Infrastructure.Authority.Root);
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-ca-").FullName;
        using var another = DevelopmentCertificateAuthority.LoadOrCreate(directory, TimeProvider.System);
        using var ofAnother = another.IssueClient(DevelopmentClients.SocialServices, "Stockholms stad");
        using var ofServer = Infrastructure.Authority.IssueServer("another-server");
        System.IO.Directory.Delete(directory, recursive: true);

        Assert.True(await probe.SpeaksHttp2With(Infrastructure.ClientCertificate(DevelopmentClients.SocialServices)));
        Assert.False(await probe.SpeaksHttp2With(null));
        Assert.False(await probe.SpeaksHttp2With(ofAnother));
        Assert.False(await probe.SpeaksHttp2With(ofServer));
    }

    [Fact]
    public async Task A_client_certificate_that_has_expired_does_not_get_past_TLS()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-ca-").FullName;
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-500));
        using var authority = DevelopmentCertificateAuthority.LoadOrCreate(directory, clock);
        using var old = authority.IssueClient("old", "Stockholms stad");
        clock.SetUtcNow(TimeProvider.System.GetUtcNow());
        using var current = authority.IssueClient("current", "Stockholms stad");
        await using var app = await Start(options => options.Listen.ClientAuthorities = authority.RootCertificatePath);
        var probe = new TlsProbe(app.ApiAddress(), Infrastructure.Authority.Root);

        Assert.True(await probe.SpeaksHttp2With(current));
        Assert.False(await probe.SpeaksHttp2With(old));
        await app.StopAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task The_API_speaks_HTTP2_only()
    {
        var answer = await new TlsProbe(service.Address, Infrastructure.Authority.Root).AnswerToHttp1(Infrastructure.ClientCertificate(DevelopmentClients.SocialServices));

        Assert.DoesNotContain(" 200 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(" 404 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_a_provider_that_does_not_answer_is_not_believed()
    {
        await using var app = await Start(options => options.Identity.Issuers.Add(new IssuerOptions { Issuer = $"https://localhost:{ServiceProcess.FreePort()}/", Organisations = { "1" } }));
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
        var unknown = Infrastructure.National.MintToken(
            new Dictionary<string, object> { ["iss"] = LastIssuer!, ["aud"] = "coordinationplan", ["client_id"] = "x" }, TimeProvider.System.GetUtcNow().AddMinutes(5));

        await new V1.PlanService.PlanServiceClient(connection.Anonymous)
            .ListPlansAsync(new ListPlansRequest(), new Metadata { { "authorization", "Bearer " + unknown } })
            .Fails(StatusCode.Unauthenticated, ErrorReason.Unauthenticated);
        await connection.For(Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans.ListPlansAsync(new ListPlansRequest());
        await app.StopAsync();
    }

    private string? LastIssuer { get; set; }

    private static async Task<ServingStatus> Health(GrpcChannel channel, string name) =>
        (await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = name })).Status;

    private static async Task<List<string>> Reflect(CallInvoker invoker)
    {
        using var call = new ServerReflection.ServerReflectionClient(invoker).ServerReflectionInfo();
        try
        {
            await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled)
        {
            // The answer came before the request was written, and ended the call; the answer's own status is what is read below.
        }

        Assert.True(await call.ResponseStream.MoveNext(default));
        return [.. call.ResponseStream.Current.ListServicesResponse.Service.Select(found => found.Name)];
    }

    private static async Task NobodyListensAt(Uri address)
    {
        while (true)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(address.Host, address.Port);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    private async Task<WebApplication> Start(Action<ServerOptions>? configure = null)
    {
        var options = Infrastructure.ServerOptions(service.Database.Options, 0, null);
        configure?.Invoke(options);
        LastIssuer = options.Identity.Issuers[^1].Issuer;
        var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync();
        return app;
    }
}
