using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CoordinationPlan.Server.Tests.Hosting;

/// <summary>Connects to the API below gRPC, to see what TLS and HTTP/2 let through.</summary>
public sealed class TlsProbe(Uri address, X509Certificate2 root)
{
    private static readonly byte[] _http2 = [.. Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// <summary>Whether the service begins to speak HTTP/2 with whom shows this certificate.</summary>
    public async Task<bool> SpeaksHttp2With(X509Certificate2? certificate)
    {
        // The first frame of an HTTP/2 server is SETTINGS: type 4, the fourth byte.
        var answer = await Send(certificate, SslApplicationProtocol.Http2, _http2);
        return answer.Length >= 4 && answer[3] == 4;
    }

    /// <summary>What the service says to a request in HTTP/1.1; empty where it ends the connection.</summary>
    public async Task<string> AnswerToHttp1(X509Certificate2 certificate) =>
        Encoding.ASCII.GetString(await Send(certificate, SslApplicationProtocol.Http11, Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));

    private async Task<byte[]> Send(X509Certificate2? certificate, SslApplicationProtocol protocol, byte[] bytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = address.Host,
                ApplicationProtocols = [protocol],
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { root },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            });

            // In TLS 1.3 the server looks at the certificate after the client's handshake is over: a refusal shows when something is read.
            await tls.WriteAsync(bytes);
            var answer = new byte[256];
            return answer[..await tls.ReadAsync(answer)];
        }
        catch (Exception refusal) when (refusal is IOException or AuthenticationException)
        {
            return [];
        }
    }
}
