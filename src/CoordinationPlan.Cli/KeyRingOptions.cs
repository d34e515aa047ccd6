using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Server.Crypto;

namespace CoordinationPlan.Cli;

/// <summary>Where the key ring is, for the commands that need it.</summary>
internal sealed class KeyRingOptions
{
    public Option<string> Ring { get; } = new("--ring") { Description = "File of the key ring.", Required = true };

    public Option<string> Certificate { get; } = new("--certificate") { Description = "Certificate that the ring is encrypted for (PEM, RSA).", Required = true };

    public Option<string> Key { get; } = new("--key") { Description = "The certificate's private key (PEM).", Required = true };

    public string Path(ParseResult parsed) => parsed.GetRequiredValue(Ring);

    public X509Certificate2 Load(ParseResult parsed) => X509Certificate2.CreateFromPemFile(parsed.GetRequiredValue(Certificate), parsed.GetRequiredValue(Key));

    public FileKeyRing Open(ParseResult parsed) => new(Path(parsed), Load(parsed), TimeProvider.System);
}
