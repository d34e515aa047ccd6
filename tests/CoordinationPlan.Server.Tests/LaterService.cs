using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Changes;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Tests;

/// <summary>The same service on the same database, some time from now by its own clock. The database's clock stays.</summary>
public sealed class LaterService : IAsyncDisposable
{
    private readonly Service _service;
    private readonly WebApplication _app;
    private readonly FakeTimeProvider _clock;
    private readonly Dictionary<string, CoordinationPlanConnection> _connections = [];

    private LaterService(Service service, WebApplication app, FakeTimeProvider clock) => (_service, _app, _clock) = (service, app, clock);

    /// <summary>Today at this moment, or around noon some Swedish days from today, so that no change of the clock moves it to another.</summary>
    public static Task<LaterService> Start(Service service, int days, Action<ServerOptions>? configure = null) => Start(
        service,
        days == 0 ? TimeProvider.System.GetUtcNow() : new DateTimeOffset(TimeProvider.System.Today().AddDays(days), new TimeOnly(11, 0), TimeSpan.Zero),
        configure);

    public static async Task<LaterService> Start(Service service, DateTimeOffset at, Action<ServerOptions>? configure = null)
    {
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        configure?.Invoke(options);
        var clock = new FakeTimeProvider(at);
        var app = await CoordinationPlanHost.CreateAsync(options, clock);
        await app.StartAsync();
        return new(service, app, clock);
    }

    public Uri Address => _app.ApiAddress();

    public CoordinationPlanClients CaseWorker => As(DemonstrationDirectory.CaseWorker);

    /// <summary>Clients that call as a demonstration employee, with a token of that time.</summary>
    /// <param name="assignment">Another than the employee's own: `assignments/{assignment}`.</param>
    public CoordinationPlanClients As(DemonstrationEmployee employee, string? assignment = null)
    {
        var clientId = DevelopmentInfrastructure.ClientOf(employee);
        if (!_connections.TryGetValue(clientId, out var connection))
        {
            _connections[clientId] = connection = _service.Infrastructure.Connect(_app.ApiAddress(), clientId);
        }

        var choice = _service.Infrastructure.Choice(employee);
        return connection.For(choice with { Assignment = assignment ?? choice.Assignment, AccessToken = _ => Task.FromResult(Token(employee, clientId)) });
    }

    /// <summary>Removes the changes that have been kept for long enough by this clock.</summary>
    public Task RemoveOldChanges() => _app.Services.GetRequiredService<ChangeSequencer>().RemoveOld(default);

    /// <summary>Stops as a server does that is told to.</summary>
    public Task Stop() => _app.StopAsync();

    public void Advance(TimeSpan time) => _clock.Advance(time);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private string Token(DemonstrationEmployee employee, string clientId)
    {
        var claims = new Dictionary<string, object>
        {
            ["iss"] = _service.Infrastructure.National.Issuer.ToString(),
            ["aud"] = "coordinationplan",
            ["sub"] = employee.Id,
            ["client_id"] = clientId,
            ["acr"] = "http://id.sambi.se/loa/loa3",
            ["iat"] = _clock.GetUtcNow().AddMinutes(-1).ToUnixTimeSeconds(),
            ["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = Base64UrlEncoder.Encode(_service.Infrastructure.ClientCertificate(clientId).GetCertHash(HashAlgorithmName.SHA256)) },
        };
        if (!employee.IsSystem)
        {
            claims["employeeHsaId"] = employee.Id;
        }

        return _service.Infrastructure.National.MintToken(claims, _clock.GetUtcNow().AddMinutes(5));
    }
}
