using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;

namespace CoordinationPlan.Development.Tests;

public sealed class DevelopmentCertificateAuthorityTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Server_and_client_certificates_carry_a_mutual_tls_connection()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var authority = Authority();
        using var server = authority.IssueServer("server");
        using var client = authority.IssueClient("case-system", "Social Services");

        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var outgoing = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync(cancel);
        await outgoing.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancel);
        using var incoming = await accepting;
        await using var serverStream = new SslStream(incoming.GetStream());
        await using var clientStream = new SslStream(outgoing.GetStream());

        await Task.WhenAll(
            serverStream.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = server,
                    ClientCertificateRequired = true,
                    CertificateChainPolicy = Policy(authority),
                },
                cancel),
            clientStream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    ClientCertificateContext = SslStreamCertificateContext.Create(client, additionalCertificates: null, offline: true),
                    CertificateChainPolicy = Policy(authority),
                },
                cancel));

        Assert.Equal(client.RawData, serverStream.RemoteCertificate!.GetRawCertData());
        Assert.Equal("CN=case-system, O=Social Services", client.Subject);
    }

    /// <summary>Builders stricter than .NET's (Python 3.13, Java, Node) follow what openssl calls x509_strict.</summary>
    [Theory]
    [InlineData("sslserver", "server")]
    [InlineData("sslclient", "client")]
    public async Task Files_satisfy_a_strict_verifier(string purpose, string name)
    {
        using var authority = Authority();
        authority.IssueServer("server").Dispose();
        authority.IssueClient("client", "Social Services").Dispose();

        var file = _directory.Under($"ca/{name}.pem");

        using var openssl = Start("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority.RootCertificatePath, file);
        var output = await openssl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)
            + await openssl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await openssl.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(openssl.ExitCode == 0, output);
    }

    [Fact]
    public void Private_files_are_for_their_owner_only()
    {
        using var authority = Authority();
        authority.IssueClient("client", "Social Services").Dispose();

        const UnixFileMode others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_directory.Under("ca")) & others);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_directory.Under("ca/root.key")) & others);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_directory.Under("ca/client.key")) & others);
    }

    [Fact]
    public void A_directory_that_others_may_enter_is_refused()
    {
        Directory.CreateDirectory(_directory.Under("ca"), UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);

        Assert.Throws<InvalidOperationException>(Authority);
    }

    [Fact]
    public void Certificates_are_reused_until_they_are_about_to_expire()
    {
        var first = ThumbprintOfNextRun();
        Assert.Equal(first, ThumbprintOfNextRun());

        _time.Advance(TimeSpan.FromDays(365 - 31));
        Assert.Equal(first, ThumbprintOfNextRun());

        _time.Advance(TimeSpan.FromDays(2));
        Assert.NotEqual(first, ThumbprintOfNextRun());
    }

    [Fact]
    public void A_certificate_of_an_earlier_root_is_not_reused()
    {
        var first = ThumbprintOfNextRun();
        File.Delete(_directory.Under("ca/root.pem"));

        Assert.NotEqual(first, ThumbprintOfNextRun());
    }

    [Fact]
    public void Another_organisation_under_the_same_name_gets_a_certificate_of_its_own()
    {
        using var authority = Authority();
        using var first = authority.IssueClient("client", "Social Services");
        using var second = authority.IssueClient("client", "Region");

        Assert.Equal("CN=client, O=Region", second.Subject);
        Assert.NotEqual(first.SerialNumber, second.SerialNumber);
    }

    [Fact]
    public async Task Runs_at_the_same_time_agree_on_one_root_and_one_certificate()
    {
        var thumbprints = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(ThumbprintOfNextRun)));

        Assert.Single(thumbprints.Distinct());
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("root")]
    [InlineData(".lock")]
    public void A_name_that_is_no_file_name_is_refused(string name)
    {
        using var authority = Authority();

        Assert.Throws<ArgumentException>(() => authority.IssueClient(name, "Social Services"));
    }

    private DevelopmentCertificateAuthority Authority() => DevelopmentCertificateAuthority.LoadOrCreate(_directory.Under("ca"), _time);

    private string ThumbprintOfNextRun()
    {
        using var authority = Authority();
        using var certificate = authority.IssueClient("client", "Social Services");
        return certificate.Thumbprint;
    }

    private static X509ChainPolicy Policy(DevelopmentCertificateAuthority authority) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { authority.Root },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
}
