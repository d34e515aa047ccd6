using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Bench.Http2;
using CoordinationPlan.Client;

namespace CoordinationPlan.Bench.Load;

/// <summary>The service, and as whom it is called: a client certificate, an employee's token, an assignment, a purpose.</summary>
internal sealed record Target(Uri Address, X509Certificate2 ClientCertificate, X509Certificate2 Authority, CallerChoice Caller)
{
    public Http2Connection Connect() => Http2Connection.Open(
        Address.Port,
        new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            ClientCertificateContext = SslStreamCertificateContext.Create(ClientCertificate, null, offline: true),
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { Authority },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        });

    /// <summary>The headers of a call. Encoded anew for each run, so that the token is never near its end.</summary>
    public async Task<byte[]> Headers(string method, CancellationToken stop) => RequestHeaders.Encode(
        $"localhost:{Address.Port}",
        "/" + method,
        await Caller.AccessToken(stop),
        [("coordinationplan-assignment", Caller.Assignment), ("coordinationplan-purpose", PurposeNames.Of(Caller.Purpose))]);
}
