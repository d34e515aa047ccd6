using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CoordinationPlan.Server.Hosting;

/// <summary>Chains that end at named authorities only, not at the machine's.</summary>
internal static class CertificateTrust
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <param name="authorities">PEM file.</param>
    /// <param name="usage">The extended key usage that a certificate must have.</param>
    public static X509ChainPolicy Of(string authorities, string usage)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            // Whoever connects must not make the service fetch anything.
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPemFile(authorities);
        policy.ApplicationPolicy.Add(new Oid(usage));
        return policy;
    }
}
