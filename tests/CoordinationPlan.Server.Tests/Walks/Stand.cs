using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Server.Tests.Walks;

/// <summary>A service with a clock of its own, over a database that others use too, and clients whose tokens are good however far the clock is moved.</summary>
public sealed class Stand : IAsyncDisposable
{
    private readonly DevelopmentInfrastructure _infrastructure;
    private readonly WebApplication _app;
    private readonly Dictionary<string, CoordinationPlanConnection> _connections = [];
    private readonly Dictionary<DemonstrationEmployee, CoordinationPlanClients> _clients = [];

    private Stand(DevelopmentInfrastructure infrastructure, WebApplication app, MovedClock clock)
    {
        _infrastructure = infrastructure;
        _app = app;
        Clock = clock;
    }

    public MovedClock Clock { get; }

    /// <summary>What the database calls the directory's entries.</summary>
    internal DirectoryNames Names => _app.Services.GetRequiredService<DirectoryNames>();

    public static async Task<Stand> Start(DevelopmentInfrastructure infrastructure, DevelopmentDatabase database)
    {
        var clock = new MovedClock(TimeProvider.System.GetUtcNow());
        var app = await CoordinationPlanHost.CreateAsync(
            infrastructure.ServerOptions(database.Options, 0, null), clock, builder => builder.Logging.ClearProviders());
        await app.StartAsync();
        return new Stand(infrastructure, app, clock);
    }

    public CoordinationPlanClients As(DemonstrationEmployee employee)
    {
        if (!_clients.TryGetValue(employee, out var clients))
        {
            var token = LongTokens.Of(_infrastructure, employee, TimeProvider.System.GetUtcNow());
            var clientId = DevelopmentInfrastructure.ClientOf(employee);
            if (!_connections.TryGetValue(clientId, out var connection))
            {
                _connections.Add(clientId, connection = _infrastructure.Connect(_app.ApiAddress(), clientId));
            }

            var assignment = "assignments/" + DemonstrationDirectory.AssignmentOf(employee);
            _clients.Add(employee, clients = connection.For(new CallerChoice(assignment, employee.Purpose, _ => Task.FromResult(token))));
        }

        return clients;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
