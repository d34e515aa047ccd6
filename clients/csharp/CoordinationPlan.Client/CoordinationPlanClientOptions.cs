using System.Security.Cryptography.X509Certificates;

namespace CoordinationPlan.Client;

/// <summary>How to reach the service, and as which system.</summary>
public sealed record CoordinationPlanClientOptions
{
    /// <summary>The service's address, https.</summary>
    public required Uri Address { get; init; }

    /// <summary>The case system's client certificate with its private key. Tokens are bound to it (RFC 8705).</summary>
    public required X509Certificate2 ClientCertificate { get; init; }

    /// <summary>The authorities that the service's certificate may come from. Empty: the machine's.</summary>
    public X509Certificate2Collection ServerAuthorities { get; init; } = [];

    /// <summary>How long a call may take, where the call itself sets no deadline. A call without any would wait for ever.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock that deadlines are counted by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
