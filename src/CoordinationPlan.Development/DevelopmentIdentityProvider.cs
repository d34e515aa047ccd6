using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.EntityFrameworkCore.Models;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace CoordinationPlan.Development;

/// <summary>
/// An identity provider inside the process, so that development and tests go through the same sign-in, certificates and token checks as
/// production. It believes whoever asks: <c>login_hint</c> signs that employee in at once. Hence it starts in development only.
/// </summary>
/// <remarks>
/// Client systems authenticate with their certificate (RFC 8705) and every token is bound to it. The signing key is made at the start and
/// goes when the process does, so no token outlives its provider.
/// </remarks>
public sealed class DevelopmentIdentityProvider : IAsyncDisposable
{
    /// <summary>
    /// Where a browser would be sent with the code. No such host can exist (RFC 2606): the code is read from the redirect itself.
    /// </summary>
    public static readonly Uri RedirectUri = new("https://case-system.invalid/signed-in");

    /// <summary>The parameter of the authorization request that chooses an assignment other than the employee's usual one.</summary>
    public const string AssignmentParameter = "assignment";

    private const string AccessTokenType = "at+jwt";

    private readonly WebApplication _app;
    private readonly X509Certificate2 _serverCertificate;
    private readonly ECDsaSecurityKey _signingKey;

    private DevelopmentIdentityProvider(Uri issuer, WebApplication app, X509Certificate2 serverCertificate, ECDsaSecurityKey signingKey)
    {
        Issuer = issuer;
        _app = app;
        _serverCertificate = serverCertificate;
        _signingKey = signingKey;
    }

    /// <summary>The issuer of the tokens; the discovery document is below it.</summary>
    public Uri Issuer { get; }

    /// <summary>Starts a provider on the loopback address.</summary>
    /// <exception cref="InvalidOperationException">The environment is not <c>Development</c>.</exception>
    public static async Task<DevelopmentIdentityProvider> StartAsync(
        DevelopmentIdentityProviderOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.EnvironmentName != Environments.Development)
        {
            throw new InvalidOperationException(
                $"The development identity provider signs anyone in without a password. It starts in '{Environments.Development}' only, "
                + $"and this environment is '{options.EnvironmentName}'.");
        }

        var serverCertificate = options.CertificateAuthority.IssueServer(options.Name);
        var signingKey = new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            KeyId = RandomNumberGenerator.GetHexString(16, lowercase: true),
        };

        // The issuer is part of every token, so the port has to be known before anything is configured.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, options.Port));
        var address = (IPEndPoint)socket.LocalEndPoint!;
        var issuer = new Uri($"https://localhost:{address.Port}/");

        // The empty builder, so that the settings of the host around it (addresses, certificates, files) do not leak in here.
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = options.EnvironmentName });
        builder.Services.AddSingleton(options.TimeProvider).AddSingleton(options.LoggerFactory);
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = _ => socket);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            kestrel.Listen(address, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = serverCertificate;
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate(); // Judged in CertificateSubjectManager, which answers in OAuth's words.
            })));
        builder.Services.Configure<KeyManagementOptions>(keys => keys.XmlRepository = new InMemoryKeyRepository());
        AddOpenIddict(builder.Services, options, issuer, signingKey);

        var app = builder.Build();
        app.UseAuthentication();
        var provider = new DevelopmentIdentityProvider(issuer, app, serverCertificate, signingKey);
        try
        {
            await RegisterAsync(app.Services, options.ClientSystems, cancellationToken);
            await app.StartAsync(cancellationToken);
            return provider;
        }
        catch
        {
            socket.Dispose();
            await provider.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Signs exactly these claims, and <c>exp</c>, so that tests can show a resource server tokens that no sign-in would give: of another
    /// audience, expired, unbound, of another type.
    /// </summary>
    /// <param name="claims">All claims of the token except <c>exp</c>.</param>
    /// <param name="expires">When the token expires or expired.</param>
    /// <param name="algorithm">
    /// <c>ES256</c> signs with the real key; <c>none</c> does not sign; <c>HS256</c> abuses the public key as a shared secret, the classic
    /// confusion of a verifier that lets the token choose.
    /// </param>
    /// <param name="type">The <c>typ</c> of the token's header.</param>
    public string MintToken(
        IDictionary<string, object> claims,
        DateTimeOffset expires,
        string algorithm = SecurityAlgorithms.EcdsaSha256,
        string type = AccessTokenType)
    {
        var credentials = algorithm switch
        {
            SecurityAlgorithms.EcdsaSha256 => new SigningCredentials(_signingKey, algorithm),
            SecurityAlgorithms.HmacSha256 => new SigningCredentials(
                new SymmetricSecurityKey(_signingKey.ECDsa.ExportSubjectPublicKeyInfo()) { KeyId = _signingKey.KeyId },
                algorithm),
            SecurityAlgorithms.None => null,
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Known are ES256, HS256 and none."),
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = claims,
            Expires = expires.UtcDateTime,
            SigningCredentials = credentials,
            TokenType = type,
        });
    }

    /// <summary>Stops listening. Tokens stay valid until they expire, for whoever has fetched the keys.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _serverCertificate.Dispose();
        _signingKey.ECDsa.Dispose();
    }

    private static void AddOpenIddict(
        IServiceCollection services,
        DevelopmentIdentityProviderOptions options,
        Uri issuer,
        ECDsaSecurityKey signingKey)
    {
        // In-memory databases are shared in the process by name.
        var database = RandomNumberGenerator.GetHexString(16);
        services.AddDbContext<DbContext>(context => context.UseInMemoryDatabase(database).UseOpenIddict());
        services.AddOpenIddict()
            .AddCore(core => core
                .ReplaceApplicationManager<OpenIddictEntityFrameworkCoreApplication, CertificateSubjectManager>()
                .UseEntityFrameworkCore()
                .UseDbContext<DbContext>())
            .AddServer(server =>
            {
                server.UseAspNetCore(); // First, because it adds defaults that are removed below.
                server.SetIssuer(issuer)
                    .SetAuthorizationEndpointUris("authorize")
                    .SetTokenEndpointUris("token")
                    .AllowAuthorizationCodeFlow()
                    .RequireProofKeyForCodeExchange()
                    .AllowClientCredentialsFlow()
                    .EnablePublicKeyInfrastructureTlsClientAuthentication(
                        [options.CertificateAuthority.Root],
                        policy => policy.RevocationMode = X509RevocationMode.NoCheck)
                    .UseClientCertificateBoundAccessTokens()
                    .SetAccessTokenLifetime(options.AccessTokenLifetime)
                    .DisableAccessTokenEncryption()
                    .AddSigningKey(signingKey)
                    .AddEncryptionKey(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(32)))
                    .Configure(settings =>
                    {
                        settings.CodeChallengeMethods.Remove(CodeChallengeMethods.Plain);
                        settings.ClientAuthenticationMethods.Clear();
                        settings.ClientAuthenticationMethods.Add(ClientAuthenticationMethods.TlsClientAuth);
                    });
                server.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
                {
                    SignEmployeeIn(context, options);
                    return ValueTask.CompletedTask;
                }));
                server.AddEventHandler<HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
                {
                    if (context.Request.IsClientCredentialsGrantType())
                    {
                        context.SignIn(Principal(context.ClientId!, options.Audience, []));
                    }

                    return ValueTask.CompletedTask;
                }));
            });
    }

    private static void SignEmployeeIn(HandleAuthorizationRequestContext context, DevelopmentIdentityProviderOptions options)
    {
        var employee = context.Request.LoginHint is { Length: > 0 } employeeId ? options.FindEmployee(employeeId) : null;
        if (employee is null)
        {
            context.Reject(Errors.AccessDenied, "The login_hint names no employee.");
            return;
        }

        var claims = new Dictionary<string, string>(employee.ExtraClaims ?? new Dictionary<string, string>())
        {
            [options.ClaimNames.Employee] = employee.EmployeeId,
            [options.ClaimNames.Assurance] = employee.AssuranceUri,
        };
        if (((string?)context.Request[AssignmentParameter] ?? employee.AssignmentId) is { } assignment)
        {
            claims[options.ClaimNames.Assignment] = assignment;
        }

        context.SignIn(Principal(employee.EmployeeId, options.Audience, claims, loggedInAt: options.TimeProvider.GetUtcNow()));
    }

    private static ClaimsPrincipal Principal(string subject, string audience, Dictionary<string, string> claims, DateTimeOffset? loggedInAt = null)
    {
        var identity = new ClaimsIdentity(authenticationType: "development", Claims.Name, Claims.Role);
        foreach (var (name, value) in claims)
        {
            identity.SetClaim(name, value);
        }

        identity.SetClaim(Claims.Subject, subject);
        identity.SetClaim(Claims.AuthenticationTime, loggedInAt?.ToUnixTimeSeconds());
        identity.SetResources(audience);
        identity.SetDestinations(_ => [Destinations.AccessToken]);
        return new ClaimsPrincipal(identity);
    }

    private static async Task RegisterAsync(
        IServiceProvider services,
        IEnumerable<DevelopmentClientSystem> systems,
        CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();

        // OpenIddict wants a confidential client to have a key or a secret. Nobody has the private half of this one, so that only the
        // certificate can authenticate.
        using var discarded = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var publicHalf = ECDsa.Create(discarded.ExportParameters(includePrivateParameters: false));
        var unusable = new JsonWebKeySet { Keys = { JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(publicHalf)) } };

        foreach (var system in systems)
        {
            var application = new OpenIddictApplicationDescriptor
            {
                ClientId = system.ClientId,
                ClientType = ClientTypes.Confidential,
                JsonWebKeySet = unusable,
                Properties = { [CertificateSubjectManager.SubjectProperty] = JsonSerializer.SerializeToElement(system.CertificateSubject) },
                Permissions = { Permissions.Endpoints.Token },
            };
            if (system.Kind == DevelopmentClientKind.CaseSystem)
            {
                application.RedirectUris.Add(RedirectUri);
                application.Permissions.UnionWith(
                    [Permissions.Endpoints.Authorization, Permissions.GrantTypes.AuthorizationCode, Permissions.ResponseTypes.Code]);
            }
            else
            {
                application.Permissions.Add(Permissions.GrantTypes.ClientCredentials);
            }

            await applications.CreateAsync(application, cancellationToken);
        }
    }
}
