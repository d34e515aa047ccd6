using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;

namespace CoordinationPlan.Development;

/// <summary>A key ring for development, with the certificate that it is encrypted for beside it: it protects test persons only.</summary>
internal static class DevelopmentKeyRing
{
    private const int RsaBits = 3072;

    public static KeyOptions LoadOrCreate(string directory, TimeProvider time)
    {
        PrivateFiles.CreateDirectory(directory);
        var options = new KeyOptions
        {
            Ring = Path.Combine(directory, "ring.p7m"),
            Certificate = Path.Combine(directory, "ring.pem"),
            Key = Path.Combine(directory, "ring.key"),
        };
        if (!File.Exists(options.Ring))
        {
            using var rsa = RSA.Create(RsaBits);
            var request = new CertificateRequest("CN=CoordinationPlan development key ring", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            using var certificate = request.CreateSelfSigned(time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddYears(10));
            PrivateFiles.Write(options.Key, rsa.ExportPkcs8PrivateKeyPem(), secret: true);
            PrivateFiles.Write(options.Certificate, certificate.ExportCertificatePem(), secret: false);
            KeyRingFile.Create(options.Ring, certificate, time);
        }

        return options;
    }
}
