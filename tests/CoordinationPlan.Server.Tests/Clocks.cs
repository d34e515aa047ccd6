using System.Security.Cryptography;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Tests;

/// <summary>A clock that stands still until somebody moves it. Timers run by the machine's.</summary>
public sealed class MovedClock(DateTimeOffset start) : TimeProvider
{
    private DateTimeOffset _now = start;

    public override DateTimeOffset GetUtcNow() => _now;

    public void SetTo(DateTimeOffset now) => _now = now;

    public void Advance(TimeSpan by) => _now += by;
}

/// <summary>The machine's clock, put forward as far as somebody has moved it.</summary>
public sealed class ClockAhead : TimeProvider
{
    private TimeSpan _ahead;

    public bool IsMoved => _ahead > TimeSpan.Zero;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;

    public void Advance(TimeSpan by) => _ahead += by;
}

/// <summary>Tokens that are good however far a service's clock is moved: an issuer's own are for minutes.</summary>
public static class LongTokens
{
    public static string Of(DevelopmentInfrastructure infrastructure, DemonstrationEmployee employee, DateTimeOffset now, DateTimeOffset? until = null)
    {
        var clientId = DevelopmentInfrastructure.ClientOf(employee);
        var (issuer, claim) = employee.Role == Role.SchoolContact
            ? (infrastructure.Schools, "https://id.oidc.se/claim/orgAffiliation")
            : (infrastructure.National, "employeeHsaId");
        var claims = new Dictionary<string, object>
        {
            ["iss"] = issuer.Issuer.ToString(),
            ["aud"] = "coordinationplan",
            ["sub"] = employee.Id,
            ["client_id"] = clientId,
            ["acr"] = "http://id.sambi.se/loa/loa3",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["auth_time"] = now.ToUnixTimeSeconds(),
            ["cnf"] = new Dictionary<string, object>
            {
                ["x5t#S256"] = Base64UrlEncoder.Encode(infrastructure.ClientCertificate(clientId).GetCertHash(HashAlgorithmName.SHA256)),
            },
        };
        if (!employee.IsSystem)
        {
            claims[claim] = employee.Id;
        }

        return issuer.MintToken(claims, until ?? now.AddYears(20));
    }
}
