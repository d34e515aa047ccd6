using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Rpc;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Bearer tokens of several issuers (RFC 9068), each found by discovery, with audience, type, algorithms and clock skew pinned, and bound to the
/// client certificate of the connection (RFC 8705). What remains of a token is a few claims under the service's own names.
/// </summary>
internal static class CallerAuthentication
{
    private const string Scheme = "Issuers";
    private static readonly string[] DefaultAlgorithms = ["ES256", "PS256"];

    public static IServiceCollection AddCallerAuthentication(this IServiceCollection services, IdentityOptions identity, TimeProvider time)
    {
        var accepted = new AcceptedTokens(time);
        services.AddSingleton(_ => accepted);
        var authentication = services.AddAuthentication(Scheme);
        authentication.AddPolicyScheme(Scheme, null, options =>
        {
            options.ForwardDefaultSelector = context =>
                accepted.Find(context.Request.Headers.Authorization.ToString(), context.Connection.ClientCertificate)?.Scheme ?? SchemeOf(IssuerIn(context.Request), identity);
        });
        for (var i = 0; i < identity.Issuers.Count; i++)
        {
            var issuer = identity.Issuers[i];
            authentication.AddJwtBearer(SchemeOf(i), options => Configure(options, issuer, identity, accepted, time));
        }

        services.AddAuthorizationBuilder().SetFallbackPolicy(new Microsoft.AspNetCore.Authorization.AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    private static void Configure(JwtBearerOptions options, IssuerOptions issuer, IdentityOptions identity, AcceptedTokens accepted, TimeProvider time)
    {
        options.Authority = issuer.Issuer;
        options.MapInboundClaims = false;
        options.TimeProvider = time;
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidIssuer = issuer.Issuer,
            ValidAudience = issuer.Audience,
            ValidAlgorithms = issuer.Algorithms.Count > 0 ? issuer.Algorithms : DefaultAlgorithms,
            ValidTypes = ["at+jwt"],
            ClockSkew = identity.ClockSkew,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            // The library's own clock cannot be moved; the service's can.
            LifetimeValidator = (notBefore, expires, _, parameters) =>
                expires is { } end && time.GetUtcNow().UtcDateTime < end + parameters.ClockSkew
                && (notBefore is not { } start || time.GetUtcNow().UtcDateTime >= start - parameters.ClockSkew),
        };
        if (issuer.TrustedAuthorities.Length > 0)
        {
            options.BackchannelHttpHandler = new SocketsHttpHandler
            {
                SslOptions = { CertificateChainPolicy = CertificateTrust.Of(issuer.TrustedAuthorities, CertificateTrust.ServerAuthentication) },
            };
        }

        options.Events = new JwtBearerEvents
        {
            OnMessageReceived = context =>
            {
                if (accepted.Find(context.Request.Headers.Authorization.ToString(), context.HttpContext.Connection.ClientCertificate) is { } known)
                {
                    context.Principal = known.Caller;
                    // A stream ends with its token, also where the token has been seen before.
                    context.Properties.ExpiresUtc = known.End;
                    context.Success();
                }

                return Task.CompletedTask;
            },
            OnTokenValidated = context =>
            {
                if (Accept(context.Principal!, context.HttpContext.Connection.ClientCertificate, issuer) is { } caller)
                {
                    context.Principal = caller;
                    accepted.Keep(
                        context.Request.Headers.Authorization.ToString(),
                        context.HttpContext.Connection.ClientCertificate!,
                        caller,
                        context.Scheme.Name,
                        new DateTimeOffset(context.SecurityToken.ValidTo, TimeSpan.Zero));
                }
                else
                {
                    context.Fail("The token is not bound to the client certificate, or names no client system.");
                }

                return Task.CompletedTask;
            },
            OnChallenge = context =>
            {
                context.HandleResponse();
                if (FhirDoor.IsFor(context.HttpContext))
                {
                    return FhirDoor.AnswerUnauthenticated(context.HttpContext);
                }

                HeaderErrors.Write(context.Response, Errors.Unauthenticated());
                return Task.CompletedTask;
            },
        };
    }

    /// <summary>The caller in the service's own claims, or null where the token is not this connection's.</summary>
    private static ClaimsPrincipal? Accept(ClaimsPrincipal token, X509Certificate2? certificate, IssuerOptions issuer)
    {
        var employee = token.FindFirstValue(issuer.EmployeeClaim);
        var clientSystem = token.FindFirstValue("client_id");
        if (string.IsNullOrEmpty(clientSystem) || certificate is null)
        {
            return null;
        }

        // A token that speaks for the system itself says so (RFC 9068 section 2.2). One that merely lacks the employee's claim is nobody's.
        if (string.IsNullOrEmpty(employee) && token.FindFirstValue("sub") != clientSystem)
        {
            return null;
        }

        var thumbprint = ThumbprintIn(token.FindFirstValue("cnf"));
        var mustBeBound = string.IsNullOrEmpty(employee) || issuer.EmployeeTokensBound;
        if (thumbprint is null ? mustBeBound : !IsOf(thumbprint, certificate))
        {
            return null;
        }

        // A system that calls for itself has no login of a person to be sure of: its certificate is what it is known by.
        var assurance = string.IsNullOrEmpty(employee) ? Policy.AssuranceLevel.Level3 : issuer.LevelOf(token.FindFirstValue(issuer.AssuranceClaim));
        var claims = new List<Claim> { new(CallerClaims.ClientSystem, clientSystem), new(CallerClaims.Assurance, assurance.ToString()) };
        if (!string.IsNullOrEmpty(employee))
        {
            claims.Add(new(CallerClaims.Employee, employee));
            if (token.FindFirstValue("auth_time") is { Length: > 0 } loginTime)
            {
                claims.Add(new(CallerClaims.LoginTime, loginTime));
            }
        }

        claims.AddRange(issuer.Organisations.Select(organisation => new Claim(CallerClaims.VouchedFor, organisation)));
        if (token.FindFirstValue(issuer.AssignmentClaim) is { Length: > 0 } assignment)
        {
            claims.Add(new(CallerClaims.Assignment, assignment));
        }

        return new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme));
    }

    /// <summary>What a token says that it is bound to; null where it says nothing, and empty, which nothing fits, where that is no certificate.</summary>
    private static string? ThumbprintIn(string? confirmation)
    {
        if (confirmation is null)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(confirmation);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("x5t#S256", out var thumbprint)
                && thumbprint.ValueKind == JsonValueKind.String
                    ? thumbprint.GetString()
                    : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private static bool IsOf(string thumbprint, X509Certificate2 certificate)
    {
        var expected = System.Text.Encoding.ASCII.GetBytes(Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA256)));
        return CryptographicOperations.FixedTimeEquals(expected, System.Text.Encoding.ASCII.GetBytes(thumbprint));
    }

    private static string SchemeOf(int issuer) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Issuer{issuer}");

    /// <summary>The first issuer's scheme answers for tokens of nobody we know: it refuses them.</summary>
    private static string SchemeOf(string? issuer, IdentityOptions identity) =>
        SchemeOf(Math.Max(0, identity.Issuers.Select(known => known.Issuer).ToList().IndexOf(issuer ?? "")));

    private static string? IssuerIn(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var token = header["Bearer ".Length..].Trim();
        var handler = new JsonWebTokenHandler();
        try
        {
            return handler.CanReadToken(token) ? handler.ReadJsonWebToken(token).Issuer : null;
        }
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException)
        {
            // Not a token at all. The scheme that is asked to validate it says so.
            return null;
        }
    }
}
