using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;

namespace CoordinationPlan.RegionSystem;

/// <summary>Where access tokens come from.</summary>
internal interface ITokens
{
    Task<string> Get(CancellationToken stop);

    /// <summary>The service refused the latest: the next is to be a new one.</summary>
    void Forget();
}

/// <summary>A file that something else keeps fresh; read for every call.</summary>
internal sealed class FileTokens(string path) : ITokens
{
    public async Task<string> Get(CancellationToken stop) => (await File.ReadAllTextAsync(path, stop)).Trim();

    public void Forget()
    {
    }
}

/// <summary>The system's own tokens by client credentials over mutual TLS (RFC 6749 section 4.4, RFC 8705), kept until shortly before they expire.</summary>
internal sealed class ClientCredentials : ITokens, IDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly string _clientId;
    private readonly SemaphoreSlim _turn = new(1);
    private string? _token;
    private DateTimeOffset _useUntil;

    public ClientCredentials(Uri issuer, string clientId, X509Certificate2 certificate, X509Certificate2Collection authorities)
    {
        _clientId = clientId;
        var tls = new SslClientAuthenticationOptions { ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
        if (authorities.Count > 0)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, SslOptions = tls }) { BaseAddress = issuer, Timeout = TimeSpan.FromSeconds(30) };
    }

    public async Task<string> Get(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_token is null || TimeProvider.System.GetUtcNow() >= _useUntil)
            {
                var asked = TimeProvider.System.GetUtcNow();
                var endpoints = await _http.GetFromJsonAsync<Endpoints>(".well-known/openid-configuration", stop) ?? throw new HttpRequestException("The issuer says nothing of itself.");
                using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", _clientId)]);
                using var response = await _http.PostAsync(endpoints.Token, form, stop);
                response.EnsureSuccessStatusCode();
                var answer = await response.Content.ReadFromJsonAsync<Answer>(stop) ?? throw new HttpRequestException("The issuer gave no token.");
                (_token, _useUntil) = (answer.AccessToken, asked.AddSeconds(answer.ExpiresIn) - Margin);
            }

            return _token;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Forget() => _useUntil = default;

    public void Dispose()
    {
        _http.Dispose();
        _turn.Dispose();
    }

    private sealed record Endpoints([property: JsonPropertyName("token_endpoint")] Uri Token);

    private sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);
}
