using System.Diagnostics;
using System.Text.Json;
using CoordinationPlan.Cli.Demo;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Clients;

/// <summary>The clients that case systems use, against the running service.</summary>
public sealed class ClientTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Scenario_A_plays_as_it_says() =>
        Assert.True((await ScenarioA.Play(service.Infrastructure, service.Address, default)).IsAsTheScenarioSays);

    [Fact]
    public async Task The_CSharp_client_puts_a_deadline_on_every_call()
    {
        using var hasty = new CoordinationPlanConnection(new()
        {
            Address = service.Address,
            ClientCertificate = service.Infrastructure.ClientCertificate(DevelopmentClients.SocialServices),
            ServerAuthorities = [service.Infrastructure.Authority.Root],
            Deadline = TimeSpan.FromMilliseconds(1),
        });

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await hasty.For(service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans.ListPlansAsync(new ListPlansRequest()));

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public void All_clients_retry_by_the_same_numbers()
    {
        using var published = JsonDocument.Parse(File.ReadAllText(Path.Combine(Machine.RepositoryRoot, "clients", "service_config.json")));
        var configs = published.RootElement.GetProperty("methodConfig");
        var policy = configs[0].GetProperty("retryPolicy");
        var own = CoordinationPlanConnection.Retries.MethodConfigs.Single().RetryPolicy!;

        Assert.Equal(policy.GetProperty("maxAttempts").GetInt32(), own.MaxAttempts);
        Assert.Equal(policy.GetProperty("initialBackoff").GetString(), Seconds(own.InitialBackoff));
        Assert.Equal(policy.GetProperty("maxBackoff").GetString(), Seconds(own.MaxBackoff));
        Assert.Equal(policy.GetProperty("backoffMultiplier").GetDouble(), own.BackoffMultiplier);
        Assert.Equal(["UNAVAILABLE"], policy.GetProperty("retryableStatusCodes").EnumerateArray().Select(code => code.GetString()));
        Assert.Equal([StatusCode.Unavailable], own.RetryableStatusCodes);
        // A call has a deadline where it sets none; a stream has none, and every stream of the contract is listed.
        Assert.Equal((Seconds(new CoordinationPlanClientOptions { Address = service.Address, ClientCertificate = null! }.Deadline), false),
            (configs[0].GetProperty("timeout").GetString(), configs[1].TryGetProperty("timeout", out _)));
        Assert.Equal((policy.ToString(), 2), (configs[1].GetProperty("retryPolicy").ToString(), configs.GetArrayLength()));
        Assert.Equal(
            Contract.Services.SelectMany(of => of.Methods).Where(method => method.IsClientStreaming || method.IsServerStreaming).Select(method => method.FullName).Order(),
            configs[1].GetProperty("name").EnumerateArray().Select(name => $"{name.GetProperty("service").GetString()}.{name.GetProperty("method").GetString()}").Order());

        static string? Seconds(TimeSpan? time) => time is { } set ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{set.TotalSeconds}s") : null;
    }

    [Fact]
    public async Task The_TypeScript_client_passes_its_own_tests_and_its_smoke_test_against_the_service()
    {
        var directory = Path.Combine(Machine.RepositoryRoot, "clients", "typescript");
        var isInstalled = System.IO.Directory.Exists(Path.Combine(directory, "node_modules"));
        Assert.SkipUnless(isInstalled || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")), "clients/typescript is not installed: run scripts/setup --dev");
        var caller = DemonstrationDirectory.CaseWorker;
        var certificates = service.Infrastructure.CertificateDirectory;
        var clientId = DevelopmentInfrastructure.ClientOf(caller);

        // `npm test` builds first.
        await Npm(directory, "test", []);
        await Npm(directory, "smoke", new()
        {
            ["COORDPLAN_ADDRESS"] = service.Address.ToString(),
            ["COORDPLAN_CA"] = Path.Combine(certificates, "root.pem"),
            ["COORDPLAN_CERT"] = Path.Combine(certificates, clientId + ".pem"),
            ["COORDPLAN_KEY"] = Path.Combine(certificates, clientId + ".key"),
            ["COORDPLAN_TOKEN"] = await service.Infrastructure.TokenOf(caller),
            ["COORDPLAN_ASSIGNMENT"] = "assignments/" + caller.AssignmentId,
            ["COORDPLAN_PURPOSE"] = PurposeNames.Of(caller.Purpose),
            ["COORDPLAN_IDENTITY_NUMBER"] = Cases.NewPerson().IdentityNumber.Value,
        });
    }

    private static async Task Npm(string directory, string script, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("npm", ["run", "--silent", script]) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var npm = Process.Start(start)!;
        var output = Task.WhenAll(npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await npm.WaitForExitAsync(limit.Token);
        Assert.True(npm.ExitCode == 0, $"npm run {script}:{Environment.NewLine}{string.Join(Environment.NewLine, await output)}");
    }
}
