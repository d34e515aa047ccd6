using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CoordinationPlan.Development;

/// <summary>
/// A certificate authority of one's own, kept in a directory, so that development and tests use the same mutual TLS as production and no
/// check is ever turned off "only locally".
/// </summary>
/// <remarks>
/// The root and each certificate lie as <c>name.pem</c> and <c>name.key</c> in the directory, for clients that want files. A name stands
/// for one certificate: the latest issued under it. The private keys are as safe as the directory; install the root nowhere.
/// </remarks>
public sealed class DevelopmentCertificateAuthority : IDisposable
{
    private const string RootName = "root";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan _rootLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan _lifetime = TimeSpan.FromDays(365);

    /// <summary>What is valid for less than this is issued anew, so that nothing expires in the middle of a working day.</summary>
    private static readonly TimeSpan _renewal = TimeSpan.FromDays(30);

    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly X509Certificate2 _issuer;

    private DevelopmentCertificateAuthority(string directory, TimeProvider time, X509Certificate2 issuer)
    {
        _directory = directory;
        _time = time;
        _issuer = issuer;
        Root = X509CertificateLoader.LoadCertificate(issuer.RawDataMemory.Span);
    }

    /// <summary>The root certificate, without its private key.</summary>
    public X509Certificate2 Root { get; }

    /// <summary>The root certificate as a PEM file, for clients in other languages.</summary>
    public string RootCertificatePath => CertificatePath(_directory, RootName);

    /// <summary>Uses the root in the directory; makes one when there is none or when it is about to expire.</summary>
    public static DevelopmentCertificateAuthority LoadOrCreate(string directory, TimeProvider timeProvider)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(timeProvider);

        directory = Path.GetFullPath(directory);
        PrivateFiles.CreateDirectory(directory);
        using var turn = TakeTurn(directory);

        var root = Load(directory, RootName);
        if (root is null || root.NotAfter.ToUniversalTime() < timeProvider.GetUtcNow() + _renewal)
        {
            root?.Dispose();
            root = CreateRoot(timeProvider.GetUtcNow());
            Save(directory, RootName, root);
        }

        return new DevelopmentCertificateAuthority(directory, timeProvider, root);
    }

    /// <summary>A certificate for a server on this machine: localhost, 127.0.0.1 and ::1.</summary>
    /// <param name="name">The name of the files, and the common name, which nothing checks.</param>
    public X509Certificate2 IssueServer(string name)
    {
        var loopback = new SubjectAlternativeNameBuilder();
        loopback.AddDnsName("localhost");
        loopback.AddIpAddress(IPAddress.Loopback);
        loopback.AddIpAddress(IPAddress.IPv6Loopback);

        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        return Issue(name, subject.Build(), ServerAuthentication, loopback.Build());
    }

    /// <summary>A certificate for a client system, with the subject <c>CN=commonName, O=organisation</c>.</summary>
    /// <param name="commonName">The name of the system, and of the files.</param>
    /// <param name="organisation">The organisation that runs the system.</param>
    public X509Certificate2 IssueClient(string commonName, string organisation)
    {
        ArgumentException.ThrowIfNullOrEmpty(organisation);

        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        subject.AddOrganizationName(organisation);
        return Issue(commonName, subject.Build(), ClientAuthentication);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _issuer.Dispose();
        Root.Dispose();
    }

    private X509Certificate2 Issue(string name, X500DistinguishedName subject, string purpose, params X509Extension[] extensions)
    {
        ThrowIfNotFileName(name);
        using var turn = TakeTurn(_directory);

        var existing = Load(_directory, name);
        if (existing is not null && existing.SubjectName.Name == subject.Name && IsUsable(existing, purpose))
        {
            return existing;
        }

        existing?.Dispose();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
        {
            CertificateExtensions =
            {
                X509BasicConstraintsExtension.CreateForEndEntity(critical: true),
                new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true),
                new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false),
                X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
                    _issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single()),
            },
        };
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        foreach (var extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        var now = _time.GetUtcNow();
        DateTimeOffset rootEnd = _issuer.NotAfter;
        var end = now + _lifetime < rootEnd ? now + _lifetime : rootEnd;
        using var signed = request.Create(_issuer, now.AddMinutes(-5), end, NewSerialNumber());
        var certificate = signed.CopyWithPrivateKey(key);
        Save(_directory, name, certificate);
        return certificate;
    }

    /// <summary>Issued by this root, for this purpose, and valid for long enough: one question to the chain builder.</summary>
    private bool IsUsable(X509Certificate2 certificate, string purpose)
    {
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { Root },
                RevocationMode = X509RevocationMode.NoCheck,
                ApplicationPolicy = { new Oid(purpose) },
                VerificationTime = (_time.GetUtcNow() + _renewal).UtcDateTime,
            },
        };
        return chain.Build(certificate);
    }

    private static X509Certificate2 CreateRoot(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=CoordinationPlan development CA", key, HashAlgorithmName.SHA256)
        {
            CertificateExtensions =
            {
                X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLengthConstraint: 0),
                new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true),
            },
        };
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now.AddDays(-1), now + _rootLifetime);
    }

    /// <summary>128 random bits, positive as RFC 5280 asks for.</summary>
    private static byte[] NewSerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }

    private static X509Certificate2? Load(string directory, string name)
    {
        var certificate = CertificatePath(directory, name);
        return File.Exists(certificate) ? X509Certificate2.CreateFromPemFile(certificate, KeyPath(directory, name)) : null;
    }

    /// <summary>The certificate goes first and comes last: where it is, the key beside it is its own, even after a crash.</summary>
    private static void Save(string directory, string name, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        File.Delete(CertificatePath(directory, name));
        PrivateFiles.Write(KeyPath(directory, name), key.ExportPkcs8PrivateKeyPem() + "\n", secret: true);
        PrivateFiles.Write(CertificatePath(directory, name), certificate.ExportCertificatePem() + "\n", secret: false);
    }

    private static void ThrowIfNotFileName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name != Path.GetFileName(name) || name.StartsWith('.') || name == RootName)
        {
            throw new ArgumentException($"'{name}' cannot be a certificate's name, as it cannot be its file's.", nameof(name));
        }
    }

    private static FileLock TakeTurn(string directory) => FileLock.Acquire(Path.Combine(directory, ".lock"));

    private static string CertificatePath(string directory, string name) => Path.Combine(directory, name + ".pem");

    private static string KeyPath(string directory, string name) => Path.Combine(directory, name + ".key");
}
