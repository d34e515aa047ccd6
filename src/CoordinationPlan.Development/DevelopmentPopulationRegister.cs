using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Development;

/// <summary>
/// Stands in for the population register on this machine: a real HTTP service with the two indicators of the national person service, for test
/// persons. A person who is not entered has no protection.
/// </summary>
public sealed class DevelopmentPopulationRegister : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DevelopmentPopulationRegister(WebApplication app) => _app = app;

    /// <summary>Who is protected, by number.</summary>
    public ConcurrentDictionary<string, V1.ProtectionLevel> Levels { get; } = new();

    /// <summary>The numbers that it answers with an error about, as when it is down: of one person, because many tests share it.</summary>
    public ConcurrentDictionary<string, bool> DownFor { get; } = new();

    /// <summary>Where it answers.</summary>
    public string Address => _app.Urls.First() + "/";

    internal static async Task<DevelopmentPopulationRegister> StartAsync(CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var register = new DevelopmentPopulationRegister(builder.Build());
        register._app.MapPost("/persons/lookup", register.Answer);
        await register._app.StartAsync(stop);
        return register;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task Answer(HttpContext context)
    {
        if (await context.Request.ReadFromJsonAsync<Lookup>() is not { } lookup || DownFor.ContainsKey(lookup.PersonalIdentity))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var level = Levels.GetValueOrDefault(lookup.PersonalIdentity, V1.ProtectionLevel.None);
        await context.Response.WriteAsJsonAsync(new Person(level == V1.ProtectionLevel.ConfidentialityMarked, level == V1.ProtectionLevel.ProtectedPopulationRegistration));
    }

    private sealed record Lookup(string PersonalIdentity);

    private sealed record Person(bool ProtectedPersonIndicator, bool ProtectedPopulationRecord);
}
