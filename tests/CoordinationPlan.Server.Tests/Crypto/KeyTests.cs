using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Server.Crypto;
using Microsoft.Extensions.Time.Testing;

namespace CoordinationPlan.Server.Tests.Crypto;

/// <summary>Keys, and what they seal, without a database.</summary>
public sealed class KeyTests : IDisposable
{
    private readonly string _ring = Path.Combine(Path.GetTempPath(), Guid.CreateVersion7().ToString("N"));
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly X509Certificate2 _certificate;

    public KeyTests()
    {
        using var rsa = RSA.Create(2048);
        using var made = new CertificateRequest("CN=ring", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
        _certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        KeyRingFile.Create(_ring, _certificate, _time);
    }

    [Fact]
    public void What_is_sealed_opens_in_its_place_only_and_with_its_key_only()
    {
        using var key = new DataKey(DataKey.NewKey());
        using var other = new DataKey(DataKey.NewKey());
        var value = key.Seal("table/1/1", "innehåll"u8);

        Assert.Equal("innehåll"u8.ToArray(), key.Open("table/1/1", value));
        Assert.ThrowsAny<CryptographicException>(() => key.Open("table/1/2", value));
        Assert.ThrowsAny<CryptographicException>(() => other.Open("table/1/1", value));
        for (var i = 0; i < value.Length; i++)
        {
            var changed = (byte[])value.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => key.Open("table/1/1", changed));
        }

        Assert.ThrowsAny<CryptographicException>(() => key.Open("table/1/1", value.AsSpan(0, 20)));
        Assert.NotEqual(value, key.Seal("table/1/1", "innehåll"u8));
    }

    /// <summary>A cipher of the platform that calls shared would mix their values.</summary>
    [Fact]
    public void Many_calls_use_one_key_at_once()
    {
        using var key = new DataKey(DataKey.NewKey());
        Parallel.For(0, 20_000, i =>
        {
            var content = BitConverter.GetBytes(i);
            Assert.Equal(content, key.Open("place", key.Seal("place", content)));
        });
    }

    [Fact]
    public async Task A_running_ring_notices_new_keys_and_keeps_the_old_ones_until_they_are_retired()
    {
        var ring = new FileKeyRing(_ring, _certificate, _time);
        var key = DataKey.NewKey();
        var before = await ring.Wrap(KeyUse.Content, key, default);

        KeyRingFile.Rotate(_ring, _certificate, _time);
        _time.Advance(TimeSpan.FromSeconds(3));
        var after = await ring.Wrap(KeyUse.Content, key, default);

        Assert.NotEqual(before.RingKey, after.RingKey);
        Assert.Equal(key, await ring.Unwrap(KeyUse.Content, before, default));
        Assert.Equal(3, KeyRingFile.Retire(_ring, _certificate));
        File.SetLastWriteTimeUtc(_ring, File.GetLastWriteTimeUtc(_ring).AddSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(key, await ring.Unwrap(KeyUse.Content, after, default));
        await Assert.ThrowsAsync<KeyRingException>(async () => await ring.Unwrap(KeyUse.Content, before, default));
    }

    [Fact]
    public async Task A_key_of_one_use_does_not_serve_another()
    {
        var ring = new FileKeyRing(_ring, _certificate, _time);
        var wrapped = await ring.Wrap(KeyUse.Content, DataKey.NewKey(), default);

        await Assert.ThrowsAsync<KeyRingException>(async () => await ring.Unwrap(KeyUse.Whereabouts, wrapped, default));
        await Assert.ThrowsAsync<KeyRingException>(async () => await ring.Unwrap(KeyUse.Content, wrapped with { Wrapped = new byte[40] }, default));
    }

    [Fact]
    public void A_ring_is_never_overwritten_and_opens_for_its_certificate_only()
    {
        Assert.Throws<KeyRingException>(() => KeyRingFile.Create(_ring, _certificate, _time));
        using var rsa = RSA.Create(2048);
        using var other = new CertificateRequest("CN=other", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
        Assert.Throws<KeyRingException>(() => new FileKeyRing(_ring, other, _time));
    }

    [Fact]
    public void The_directorys_names_are_alike_each_time_and_no_two_are_the_same()
    {
        var names = new DirectoryNames(DataKey.NewKey());
        var stored = names.Stored("units", "SE2120000142-KRISCENTRUM");

        Assert.Equal(stored, names.Stored("units", "SE2120000142-KRISCENTRUM"));
        Assert.NotEqual(stored, names.Stored("boards", "SE2120000142-KRISCENTRUM"));
        Assert.NotEqual(stored, new DirectoryNames(DataKey.NewKey()).Stored("units", "SE2120000142-KRISCENTRUM"));
        Assert.Equal("units/SE2120000142-KRISCENTRUM", names.Name("units", stored));
        Assert.Equal("employees/x", names.NameOf(names.StoredName("employees/x")));
        Assert.Equal("", names.Name("units", null));
    }

    public void Dispose()
    {
        File.Delete(_ring);
        _certificate.Dispose();
    }
}
