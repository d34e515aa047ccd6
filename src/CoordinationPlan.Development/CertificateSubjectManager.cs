using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OpenIddict.EntityFrameworkCore.Models;

namespace CoordinationPlan.Development;

/// <summary>
/// Knows a client by the subject of its certificate (RFC 8705, <c>tls_client_auth_subject_dn</c>). OpenIddict itself compares the
/// certificate with the host of the client's redirect addresses, which a system that only calls has none of.
/// </summary>
internal sealed class CertificateSubjectManager(
    IOpenIddictApplicationCache<OpenIddictEntityFrameworkCoreApplication> cache,
    ILogger<OpenIddictApplicationManager<OpenIddictEntityFrameworkCoreApplication>> logger,
    IOptionsMonitor<OpenIddictCoreOptions> options,
    IOpenIddictApplicationStore<OpenIddictEntityFrameworkCoreApplication> store)
    : OpenIddictApplicationManager<OpenIddictEntityFrameworkCoreApplication>(cache, logger, options, store)
{
    /// <summary>The property of an application that holds its certificate's subject.</summary>
    public const string SubjectProperty = "tls_client_auth_subject_dn";

    /// <inheritdoc/>
    /// <remarks>The chain is built here because nobody else does: what this method accepts is authenticated.</remarks>
    public override async ValueTask<bool> ValidatePublicKeyInfrastructureTlsClientCertificateAsync(
        OpenIddictEntityFrameworkCoreApplication application,
        X509Certificate2 certificate,
        X509ChainPolicy policy,
        CancellationToken cancellationToken = default)
    {
        using var chain = new X509Chain { ChainPolicy = policy };
        if (!chain.Build(certificate))
        {
            return false;
        }

        var properties = await GetPropertiesAsync(application, cancellationToken);
        var registered = new X500DistinguishedName(properties[SubjectProperty].GetString()!);
        return InOneForm(registered) == InOneForm(certificate.SubjectName);
    }

    /// <summary>A name made from a string repeats that string; decoded, names differ only where they differ.</summary>
    private static string InOneForm(X500DistinguishedName name) => name.Decode(X500DistinguishedNameFlags.None);
}
