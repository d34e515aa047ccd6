using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.V1;
using Microsoft.Extensions.Logging;
using ProtectionLevel = CoordinationPlan.Policy.ProtectionLevel;

namespace CoordinationPlan.Server.Protection;

/// <summary>The population register, or the national service that speaks for it.</summary>
internal interface IPopulationRegister
{
    /// <summary>The person's level; not known where the register does not answer, or answers something that is not understood.</summary>
    Task<ProtectionLevel> LevelOf(IdentityNumber person, CancellationToken stop);
}

/// <summary>
/// Asks over HTTPS with the two indicators of the national person service (Personuppgiftstjänsten 5.1: protectedPersonIndicator,
/// protectedPopulationRecord). It knows nothing of assumed identities; those are decided by the unit. The number goes in the body, never in an
/// address, which others log.
/// </summary>
internal sealed class HttpPopulationRegister : IPopulationRegister, IDisposable
{
    private readonly HttpClient? _client;
    private readonly ILogger<HttpPopulationRegister> _log;

    public HttpPopulationRegister(RegisterOptions options, ILogger<HttpPopulationRegister> log)
    {
        _log = log;
        if (options.Address.Length > 0)
        {
            _client = new HttpClient(Handler(options)) { BaseAddress = new Uri(options.Address), Timeout = options.Timeout };
        }
    }

    public async Task<ProtectionLevel> LevelOf(IdentityNumber person, CancellationToken stop)
    {
        if (_client is null)
        {
            return ProtectionLevel.Unspecified;
        }

        try
        {
            using var response = await _client.PostAsJsonAsync("persons/lookup", new Lookup(person.Value), stop);
            if (!response.IsSuccessStatusCode)
            {
                throw new HttpRequestException($"the answer was {(int)response.StatusCode}");
            }

            return await response.Content.ReadFromJsonAsync<Answer>(stop) switch
            {
                { ProtectedPopulationRecord: true } => ProtectionLevel.ProtectedPopulationRegistration,
                { ProtectedPersonIndicator: true } => ProtectionLevel.ConfidentialityMarked,
                { ProtectedPersonIndicator: false, ProtectedPopulationRecord: false or null } => ProtectionLevel.None,
                _ => ProtectionLevel.Unspecified,
            };
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or NotSupportedException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // Unknown is strict: the person counts as protected at the highest level until the register has answered.
            _log.LogWarning("The population register did not answer ({Kind}); the protection level is not known", failure.GetType().Name);
            return ProtectionLevel.Unspecified;
        }
    }

    public void Dispose() => _client?.Dispose();

    private static SocketsHttpHandler Handler(RegisterOptions options)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (options.TrustedAuthorities.Length > 0)
        {
            handler.SslOptions.CertificateChainPolicy = CertificateTrust.Of(options.TrustedAuthorities, CertificateTrust.ServerAuthentication);
        }

        if (options.Certificate.Length > 0)
        {
            handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile(options.Certificate, options.Key)];
        }

        return handler;
    }

    private sealed record Lookup(string PersonalIdentity);

    private sealed record Answer(bool? ProtectedPersonIndicator, bool? ProtectedPopulationRecord);
}
