using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace CoordinationPlan.Development;

/// <summary>
/// Gets access tokens as a client system would: over mutual TLS, with the code flow and PKCE for an employee, and with client credentials
/// for the system itself. Tokens are kept until a minute before they expire. Safe for concurrent use.
/// </summary>
public sealed class DevelopmentTokenClient : IDisposable
{
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(60);

    private readonly string _clientId;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ConcurrentDictionary<Holder, Token> _tokens = new();
    private readonly SemaphoreSlim _turn = new(1);
    private Endpoints? _endpoints;

    /// <param name="issuer">The identity provider.</param>
    /// <param name="clientId">The client system's OAuth client id.</param>
    /// <param name="clientCertificate">The client system's certificate with its private key; the tokens are bound to it.</param>
    /// <param name="root">The certificate authority that the identity provider's certificate comes from.</param>
    /// <param name="timeProvider">The clock that tokens expire by.</param>
    public DevelopmentTokenClient(
        Uri issuer,
        string clientId,
        X509Certificate2 clientCertificate,
        X509Certificate2 root,
        TimeProvider? timeProvider = null)
    {
        _clientId = clientId;
        _time = timeProvider ?? TimeProvider.System;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = SslStreamCertificateContext.Create(clientCertificate, null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { root },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        })
        {
            BaseAddress = issuer,
        };
    }

    /// <summary>A token of an employee who signs in through this case system.</summary>
    /// <param name="employeeId">Who signs in.</param>
    /// <param name="assignmentId">The assignment to work under; null for the employee's usual one.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DevelopmentTokenException">The provider refused.</exception>
    public Task<string> ForEmployeeAsync(string employeeId, string? assignmentId = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(employeeId);
        return GetAsync(new Holder(employeeId, assignmentId), cancellationToken);
    }

    /// <summary>A token of the system itself.</summary>
    /// <exception cref="DevelopmentTokenException">The provider refused.</exception>
    public Task<string> ForSystemAsync(CancellationToken cancellationToken = default) => GetAsync(Holder.System, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _turn.Dispose();
    }

    private async Task<string> GetAsync(Holder holder, CancellationToken cancellationToken)
    {
        if (Cached(holder) is { } cached)
        {
            return cached;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Cached(holder) is { } fetchedMeanwhile)
            {
                return fetchedMeanwhile;
            }

            var asked = _time.GetUtcNow();
            var response = holder.EmployeeId is null
                ? await RequestTokenAsync(new() { ["grant_type"] = "client_credentials" }, cancellationToken)
                : await SignInAsync(holder, cancellationToken);
            _tokens[holder] = new Token(response.AccessToken, asked.AddSeconds(response.ExpiresIn) - _margin);
            return response.AccessToken;
        }
        finally
        {
            _turn.Release();
        }
    }

    private string? Cached(Holder holder) =>
        _tokens.TryGetValue(holder, out var token) && _time.GetUtcNow() < token.UseUntil ? token.AccessToken : null;

    private async Task<TokenResponse> SignInAsync(Holder holder, CancellationToken cancellationToken)
    {
        var verifier = RandomText();
        var state = RandomText();
        var redirectUri = DevelopmentIdentityProvider.RedirectUri.AbsoluteUri;
        var endpoints = await DiscoverAsync(cancellationToken);
        var request = QueryHelpers.AddQueryString(endpoints.Authorization, new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = _clientId,
            ["redirect_uri"] = redirectUri,
            ["state"] = state,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            ["code_challenge_method"] = "S256",
            ["login_hint"] = holder.EmployeeId,
            [DevelopmentIdentityProvider.AssignmentParameter] = holder.AssignmentId,
        });

        using var response = await _http.GetAsync(request, cancellationToken);
        if (response.Headers.Location is not { } location)
        {
            throw new DevelopmentTokenException("invalid_request", await response.Content.ReadAsStringAsync(cancellationToken));
        }

        var answer = QueryHelpers.ParseQuery(location.Query);
        if (answer["state"] != state)
        {
            throw new DevelopmentTokenException("invalid_state", "The redirect does not answer this sign-in.");
        }

        if (answer.TryGetValue("error", out var error))
        {
            throw new DevelopmentTokenException(error.ToString(), answer["error_description"]);
        }

        return await RequestTokenAsync(
            new()
            {
                ["grant_type"] = "authorization_code",
                ["code"] = answer["code"].ToString(),
                ["redirect_uri"] = redirectUri,
                ["code_verifier"] = verifier,
            },
            cancellationToken);
    }

    private async Task<TokenResponse> RequestTokenAsync(Dictionary<string, string> form, CancellationToken cancellationToken)
    {
        var endpoints = await DiscoverAsync(cancellationToken);
        using var content = new FormUrlEncodedContent(form.Append(new("client_id", _clientId)));
        using var response = await _http.PostAsync(endpoints.Token, content, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var error = await response.Content.ReadFromJsonAsync<ErrorResponse>(cancellationToken);
            throw new DevelopmentTokenException(error!.Error, error.Description);
        }

        return (await response.Content.ReadFromJsonAsync<TokenResponse>(cancellationToken))!;
    }

    private async Task<Endpoints> DiscoverAsync(CancellationToken cancellationToken) =>
        _endpoints ??= (await _http.GetFromJsonAsync<Endpoints>(".well-known/openid-configuration", cancellationToken))!;

    private static string RandomText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private sealed record Holder(string? EmployeeId, string? AssignmentId)
    {
        public static Holder System { get; } = new(null, null);
    }

    private sealed record Token(string AccessToken, DateTimeOffset UseUntil);

    private sealed record Endpoints(
        [property: JsonPropertyName("authorization_endpoint")] string Authorization,
        [property: JsonPropertyName("token_endpoint")] string Token);

    private sealed record TokenResponse(
        [property: JsonPropertyName("access_token")] string AccessToken,
        [property: JsonPropertyName("expires_in")] int ExpiresIn);

    private sealed record ErrorResponse(
        [property: JsonPropertyName("error")] string Error,
        [property: JsonPropertyName("error_description")] string? Description);
}
