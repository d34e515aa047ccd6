using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Development.Tests;

public sealed class DevelopmentIdentityProviderTests : IAsyncLifetime
{
    private const string Verifier = "a-verifier-that-is-long-enough-for-rfc-7636-which-asks-for-43";

    private readonly TemporaryDirectory _directory = new();
    private readonly DevelopmentCertificateAuthority _authority;
    private readonly X509Certificate2 _caseSystem;
    private readonly X509Certificate2 _integration;
    private DevelopmentIdentityProvider _provider = null!;

    public DevelopmentIdentityProviderTests()
    {
        _authority = DevelopmentCertificateAuthority.LoadOrCreate(_directory.Under("ca"), TimeProvider.System);
        _caseSystem = _authority.IssueClient("case-system", "Social Services");
        _integration = _authority.IssueClient("integration", "Region");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _provider = await DevelopmentIdentityProvider.StartAsync(Options(), Cancel);

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        _caseSystem.Dispose();
        _integration.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task An_employees_token_names_the_employee_and_is_bound_to_the_certificate()
    {
        using var client = TokenClient("case-system", _caseSystem);

        var token = Read(await client.ForEmployeeAsync("SE1-A", cancellationToken: Cancel));

        Assert.Equal("at+jwt", token.Typ);
        Assert.Equal("ES256", token.Alg);
        Assert.Equal(_provider.Issuer.AbsoluteUri, token.Issuer);
        Assert.Equal(["coordinationplan"], token.Audiences);
        Assert.Equal("SE1-A", token.Subject);
        Assert.Equal("case-system", token.GetClaim("client_id").Value);
        Assert.Equal("SE1-A", token.GetClaim("employeeHsaId").Value);
        Assert.Equal("SE1-ASSIGNMENT", token.GetClaim("commissionHsaId").Value);
        Assert.Equal("http://id.sambi.se/loa/loa3", token.GetClaim("acr").Value);
        Assert.Equal("SE1-CARE-UNIT", token.GetClaim("commissionUnit").Value);
        Assert.NotEmpty(token.Id);
        Assert.Equal(TimeSpan.FromMinutes(10), token.ValidTo - token.IssuedAt);
        Assert.Equal(Thumbprint(_caseSystem), Confirmation(token));
    }

    [Fact]
    public async Task The_sign_in_may_choose_another_assignment()
    {
        using var client = TokenClient("case-system", _caseSystem);

        var token = Read(await client.ForEmployeeAsync("SE1-A", "SE1-OTHER", Cancel));

        Assert.Equal("SE1-OTHER", token.GetClaim("commissionHsaId").Value);
    }

    [Fact]
    public async Task Without_an_assignment_the_token_has_none()
    {
        using var client = TokenClient("case-system", _caseSystem);

        var token = Read(await client.ForEmployeeAsync("SE1-B", cancellationToken: Cancel));

        Assert.False(token.TryGetClaim("commissionHsaId", out _));
    }

    [Fact]
    public async Task A_systems_token_names_the_system_and_is_bound_to_the_certificate()
    {
        using var client = TokenClient("integration", _integration);

        var token = Read(await client.ForSystemAsync(Cancel));

        Assert.Equal("integration", token.Subject);
        Assert.Equal("integration", token.GetClaim("client_id").Value);
        Assert.Equal(["coordinationplan"], token.Audiences);
        Assert.False(token.TryGetClaim("employeeHsaId", out _));
        Assert.Equal(Thumbprint(_integration), Confirmation(token));
    }

    [Fact]
    public async Task A_second_provider_uses_its_own_names_and_keys()
    {
        await using var schools = await DevelopmentIdentityProvider.StartAsync(
            Options() with { Name = "schools", ClaimNames = new("eduPersonPrincipalName", "schoolUnit", "loa") }, Cancel);
        using var client = new DevelopmentTokenClient(schools.Issuer, "case-system", _caseSystem, _authority.Root);

        var text = await client.ForEmployeeAsync("SE1-A", cancellationToken: Cancel);

        var token = Read(text);
        Assert.Equal("SE1-A", token.GetClaim("eduPersonPrincipalName").Value);
        Assert.Equal("SE1-ASSIGNMENT", token.GetClaim("schoolUnit").Value);
        Assert.Equal("http://id.sambi.se/loa/loa3", token.GetClaim("loa").Value);
        Assert.True((await ValidateAsync(text, schools)).IsValid);
        Assert.False((await ValidateAsync(text, _provider)).IsValid);
    }

    [Fact]
    public async Task A_stranger_is_denied()
    {
        using var client = TokenClient("case-system", _caseSystem);

        var refusal = await Assert.ThrowsAsync<DevelopmentTokenException>(
            () => client.ForEmployeeAsync("SE1-NOBODY", cancellationToken: Cancel));

        Assert.Equal("access_denied", refusal.Error);
    }

    [Fact]
    public async Task Another_systems_certificate_is_refused()
    {
        using var client = TokenClient("integration", _caseSystem);

        var refusal = await Assert.ThrowsAsync<DevelopmentTokenException>(() => client.ForSystemAsync(Cancel));

        Assert.Equal("invalid_client", refusal.Error);
    }

    [Fact]
    public async Task The_right_subject_from_another_authority_is_refused()
    {
        using var forger = DevelopmentCertificateAuthority.LoadOrCreate(_directory.Under("forger"), TimeProvider.System);
        using var forged = forger.IssueClient("integration", "Region");
        using var client = TokenClient("integration", forged);

        var refusal = await Assert.ThrowsAsync<DevelopmentTokenException>(() => client.ForSystemAsync(Cancel));

        Assert.Equal("invalid_client", refusal.Error);
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_refused()
    {
        using var withCertificate = Http(_caseSystem);
        using var without = Http(certificate: null);
        var code = await SignInAsync(withCertificate);

        using var redeemed = await RedeemAsync(without, code, Verifier);
        using var asSystem = await without.PostAsync(
            "token",
            new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = "integration",
            }),
            Cancel);

        Assert.Equal("invalid_client", await ErrorAsync(redeemed));
        Assert.Equal("invalid_request", await ErrorAsync(asSystem));
    }

    [Fact]
    public async Task Each_system_gets_its_own_kind_of_token_only()
    {
        using var caseSystem = TokenClient("case-system", _caseSystem);
        using var integration = TokenClient("integration", _integration);

        var asSystem = await Assert.ThrowsAsync<DevelopmentTokenException>(() => caseSystem.ForSystemAsync(Cancel));
        await Assert.ThrowsAsync<DevelopmentTokenException>(() => integration.ForEmployeeAsync("SE1-A", cancellationToken: Cancel));

        Assert.Equal("unauthorized_client", asSystem.Error);
    }

    [Fact]
    public async Task A_code_works_once()
    {
        using var http = Http(_caseSystem);
        var code = await SignInAsync(http);

        using var first = await RedeemAsync(http, code, Verifier);
        using var replay = await RedeemAsync(http, code, Verifier);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal("invalid_grant", await ErrorAsync(replay));
    }

    [Fact]
    public async Task A_code_is_worth_nothing_without_its_verifier()
    {
        using var http = Http(_caseSystem);

        using var response = await RedeemAsync(http, await SignInAsync(http), Verifier + "x");

        Assert.Equal("invalid_grant", await ErrorAsync(response));
    }

    [Theory]
    [InlineData("")]
    [InlineData("&code_challenge=" + Verifier + "&code_challenge_method=plain")]
    public async Task Sign_in_needs_a_hashed_code_challenge(string challenge)
    {
        using var http = Http(_caseSystem);

        using var response = await http.GetAsync(AuthorizeUri + challenge, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("error:invalid_request", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discovery_tells_resource_servers_and_clients_what_holds()
    {
        using var http = Http(certificate: null);

        var discovery = await http.GetFromJsonAsync<JsonElement>(".well-known/openid-configuration", Cancel);

        Assert.Equal(_provider.Issuer.AbsoluteUri, discovery.GetProperty("issuer").GetString());
        Assert.Equal(["tls_client_auth"], Strings(discovery, "token_endpoint_auth_methods_supported"));
        Assert.Equal(["S256"], Strings(discovery, "code_challenge_methods_supported"));
        Assert.True(discovery.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
        var keys = new JsonWebKeySet(await http.GetStringAsync(discovery.GetProperty("jwks_uri").GetString(), Cancel)).Keys;
        Assert.Equal("EC", Assert.Single(keys).Kty);
        Assert.False(keys[0].HasPrivateKey);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    [InlineData("development")]
    [InlineData("")]
    public async Task It_starts_in_development_only(string environment)
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DevelopmentIdentityProvider.StartAsync(Options() with { EnvironmentName = environment }, Cancel));

        Assert.Contains($"'{environment}'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_kept_until_a_minute_before_it_expires()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var client = new DevelopmentTokenClient(_provider.Issuer, "case-system", _caseSystem, _authority.Root, time);

        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.ForEmployeeAsync("SE1-A", cancellationToken: Cancel)));
        var first = Assert.Single(tokens.Distinct());
        Assert.NotEqual(first, await client.ForEmployeeAsync("SE1-B", cancellationToken: Cancel));
        Assert.NotEqual(first, await client.ForEmployeeAsync("SE1-A", "SE1-OTHER", Cancel));

        time.Advance(TimeSpan.FromMinutes(8.9));
        Assert.Equal(first, await client.ForEmployeeAsync("SE1-A", cancellationToken: Cancel));

        time.Advance(TimeSpan.FromMinutes(0.1));
        Assert.NotEqual(first, await client.ForEmployeeAsync("SE1-A", cancellationToken: Cancel));
    }

    [Fact]
    public async Task Minted_tokens_are_wrong_only_where_the_test_says_so()
    {
        var claims = new Dictionary<string, object>
        {
            ["iss"] = _provider.Issuer.AbsoluteUri,
            ["aud"] = "coordinationplan",
            ["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = Thumbprint(_caseSystem) },
        };
        var soon = TimeProvider.System.GetUtcNow().AddMinutes(5);

        var right = _provider.MintToken(claims, soon);
        Assert.True((await ValidateAsync(right, _provider)).IsValid);
        Assert.Equal(Thumbprint(_caseSystem), Confirmation(Read(right)));
        Assert.Equal(["aud", "cnf", "exp", "iss"], Read(right).Claims.Select(claim => claim.Type).Order());

        Assert.IsType<SecurityTokenExpiredException>(
            (await ValidateAsync(_provider.MintToken(claims, soon.AddHours(-1)), _provider)).Exception);
        Assert.IsType<SecurityTokenInvalidTypeException>(
            (await ValidateAsync(_provider.MintToken(claims, soon, type: "JWT"), _provider)).Exception);
        Assert.Equal("HS256", Read(_provider.MintToken(claims, soon, "HS256")).Alg);
        Assert.False((await ValidateAsync(_provider.MintToken(claims, soon, "HS256"), _provider)).IsValid);
        Assert.Equal("none", Read(_provider.MintToken(claims, soon, "none")).Alg);
        Assert.False((await ValidateAsync(_provider.MintToken(claims, soon, "none"), _provider)).IsValid);

        claims["aud"] = "another";
        Assert.IsType<SecurityTokenInvalidAudienceException>((await ValidateAsync(_provider.MintToken(claims, soon), _provider)).Exception);
    }

    private static string AuthorizeUri =>
        "authorize?response_type=code&client_id=case-system&login_hint=SE1-A&redirect_uri="
        + Uri.EscapeDataString(DevelopmentIdentityProvider.RedirectUri.AbsoluteUri);

    private DevelopmentIdentityProviderOptions Options() => new()
    {
        EnvironmentName = "Development",
        Name = "employees",
        Audience = "coordinationplan",
        CertificateAuthority = _authority,
        ClientSystems =
        [
            new("case-system", "CN=case-system, O=Social Services", DevelopmentClientKind.CaseSystem),
            new("integration", "CN=integration,O=Region", DevelopmentClientKind.Integration),
        ],
        FindEmployee = id => id switch
        {
            "SE1-A" => new(id, "http://id.sambi.se/loa/loa3", "SE1-ASSIGNMENT", new Dictionary<string, string>
            {
                ["commissionUnit"] = "SE1-CARE-UNIT",
                ["sub"] = "an extra claim cannot replace this one",
            }),
            "SE1-B" => new(id, "http://id.sambi.se/loa/loa3"),
            _ => null,
        },
    };

    private DevelopmentTokenClient TokenClient(string clientId, X509Certificate2 certificate) =>
        new(_provider.Issuer, clientId, certificate, _authority.Root);

    private HttpClient Http(X509Certificate2? certificate) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = certificate is null ? null : [certificate],
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _authority.Root },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    })
    {
        BaseAddress = _provider.Issuer,
    };

    private static async Task<string> SignInAsync(HttpClient http)
    {
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
        using var response = await http.GetAsync($"{AuthorizeUri}&code_challenge={challenge}&code_challenge_method=S256", Cancel);
        return QueryHelpers.ParseQuery(response.Headers.Location!.Query)["code"].ToString();
    }

    private static Task<HttpResponseMessage> RedeemAsync(HttpClient http, string code, string verifier) => http.PostAsync(
        "token",
        new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["client_id"] = "case-system",
            ["code"] = code,
            ["redirect_uri"] = DevelopmentIdentityProvider.RedirectUri.AbsoluteUri,
            ["code_verifier"] = verifier,
        }),
        Cancel);

    private static async Task<string?> ErrorAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("error").GetString();

    /// <summary>As a resource server would, with the keys that the provider publishes.</summary>
    private async Task<TokenValidationResult> ValidateAsync(string token, DevelopmentIdentityProvider provider)
    {
        using var http = Http(certificate: null);
        var keys = new JsonWebKeySet(await http.GetStringAsync(new Uri(provider.Issuer, ".well-known/jwks"), Cancel));
        return await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = provider.Issuer.AbsoluteUri,
            ValidAudience = "coordinationplan",
            ValidTypes = ["at+jwt"],
            IssuerSigningKeys = keys.GetSigningKeys(),
        });
    }

    private static JsonWebToken Read(string token) => new(token);

    private static string? Confirmation(JsonWebToken token) =>
        token.GetPayloadValue<JsonElement>("cnf").GetProperty("x5t#S256").GetString();

    private static string Thumbprint(X509Certificate2 certificate) => Base64Url.EncodeToString(SHA256.HashData(certificate.RawData));

    private static IEnumerable<string?> Strings(JsonElement json, string name) =>
        json.GetProperty(name).EnumerateArray().Select(item => item.GetString());
}
