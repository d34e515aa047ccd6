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

    /// <summary>A token that is newer than this was not the one that was refused.</summary>
    private static readonly TimeSpan New = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly Uri _issuer;
    private readonly string _clientId;
    private readonly string? _scope;
    private readonly SemaphoreSlim _turn = new(1);
    private string? _token;
    private DateTimeOffset _asked;
    private DateTimeOffset _useUntil;

    public ClientCredentials(Uri issuer, string clientId, string? scope, X509Certificate2 certificate, X509Certificate2Collection authorities)
    {
        (_issuer, _clientId, _scope) = (issuer, clientId, scope);
        var tls = new SslClientAuthenticationOptions { ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
        if (authorities.Count > 0)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, SslOptions = tls }) { Timeout = TimeSpan.FromSeconds(30) };
    }

    public async Task<string> Get(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_token is null || TimeProvider.System.GetUtcNow() >= _useUntil)
            {
                var asked = TimeProvider.System.GetUtcNow();
                // Discovery stands below the issuer, whether that ends in a slash or not (OpenID Connect Discovery section 4.1).
                var metadata = await _http.GetFromJsonAsync<Metadata>($"{_issuer.AbsoluteUri.TrimEnd('/')}/.well-known/openid-configuration", stop);
                if (metadata?.Issuer.TrimEnd('/') != _issuer.AbsoluteUri.TrimEnd('/'))
                {
                    throw new HttpRequestException("The issuer calls itself something else.");
                }

                using var form = new FormUrlEncodedContent(
                    [new("grant_type", "client_credentials"), new("client_id", _clientId), .. _scope is null ? [] : (KeyValuePair<string, string>[])[new("scope", _scope)]]);
                using var response = await _http.PostAsync(metadata.MutualTls?.Token ?? metadata.Token, form, stop);
                response.EnsureSuccessStatusCode();
                var answer = await response.Content.ReadFromJsonAsync<Answer>(stop) ?? throw new HttpRequestException("The issuer gave no token.");
                (_token, _asked, _useUntil) = (answer.AccessToken, asked, asked.AddSeconds(answer.ExpiresIn) - Margin);
            }

            return _token;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Forget()
    {
        if (TimeProvider.System.GetUtcNow() - _asked > New)
        {
            _useUntil = default;
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _turn.Dispose();
    }

    /// <param name="MutualTls">Where an issuer takes client certificates at another address (RFC 8705 section 5).</param>
    private sealed record Metadata(
        [property: JsonPropertyName("issuer")] string Issuer, [property: JsonPropertyName("token_endpoint")] Uri Token, [property: JsonPropertyName("mtls_endpoint_aliases")] Aliases? MutualTls);

    private sealed record Aliases([property: JsonPropertyName("token_endpoint")] Uri? Token);

    private sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);
}
