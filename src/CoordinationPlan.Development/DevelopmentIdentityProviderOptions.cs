using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoordinationPlan.Development;

/// <summary>What a <see cref="DevelopmentIdentityProvider"/> needs to know.</summary>
public sealed record DevelopmentIdentityProviderOptions
{
    /// <summary>The environment of the host. Anything but <c>Development</c> is refused: the provider asks nobody for a password.</summary>
    public required string EnvironmentName { get; init; }

    /// <summary>The name of this provider, and of its server certificate.</summary>
    public required string Name { get; init; }

    /// <summary>The <c>aud</c> of its tokens.</summary>
    public required string Audience { get; init; }

    /// <summary>Issues the server's certificate, and must have issued the clients'.</summary>
    public required DevelopmentCertificateAuthority CertificateAuthority { get; init; }

    /// <summary>The systems that may ask for tokens.</summary>
    public required IReadOnlyCollection<DevelopmentClientSystem> ClientSystems { get; init; }

    /// <summary>Who may sign in; null for a stranger.</summary>
    public required Func<string, DevelopmentEmployee?> FindEmployee { get; init; }

    /// <summary>What the claims are called.</summary>
    public DevelopmentClaimNames ClaimNames { get; init; } = new();

    /// <summary>The port on the loopback address; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>How long an access token is valid.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The clock that tokens are dated by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where the provider's own log goes. It says why a sign-in was refused.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
