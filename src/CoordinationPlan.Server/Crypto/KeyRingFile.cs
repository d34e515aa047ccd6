using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// The keys of a ring as one file, encrypted for a certificate (CMS, RFC 5652, AES-256): whoever has the file without the certificate's private
/// key has nothing. Made, rotated and cleared by `coordplan keys`.
/// </summary>
public static class KeyRingFile
{
    private const int KeyBytes = 32;
    private static readonly Oid Aes256 = new("2.16.840.1.101.3.4.1.42");
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Makes a ring with one key of each use.</summary>
    public static void Create(string path, X509Certificate2 certificate, TimeProvider time)
    {
        if (File.Exists(path))
        {
            throw new KeyRingException("There is a key ring at that path already. It is never overwritten: what it wraps would be lost.");
        }

        Write(path, [.. Enum.GetValues<KeyUse>().Select(use => NewKey(use, time))], certificate);
    }

    /// <summary>Adds a new key of each use, which is the current one from then on. Running services notice.</summary>
    public static void Rotate(string path, X509Certificate2 certificate, TimeProvider time) =>
        Write(path, [.. Read(path, certificate), .. Enum.GetValues<KeyUse>().Select(use => NewKey(use, time))], certificate);

    /// <summary>
    /// Destroys every key but the current ones. What they wrapped, in the database and in every backup of it, cannot be read any more: run
    /// `coordplan keys rewrap` first.
    /// </summary>
    /// <returns>How many keys were destroyed.</returns>
    public static int Retire(string path, X509Certificate2 certificate)
    {
        var keys = Read(path, certificate);
        var current = keys.GroupBy(key => key.Use).Select(group => group.Last()).ToList();
        Write(path, current, certificate);
        return keys.Count - current.Count;
    }

    internal static IReadOnlyList<RingKey> Read(string path, X509Certificate2 certificate)
    {
        try
        {
            var envelope = new EnvelopedCms();
            envelope.Decode(File.ReadAllBytes(path));
            envelope.Decrypt([certificate]);
            return JsonSerializer.Deserialize<RingKey[]>(envelope.ContentInfo.Content, Json) ?? [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or JsonException)
        {
            throw new KeyRingException($"The key ring cannot be read with this certificate: {exception.Message}", exception);
        }
    }

    private static RingKey NewKey(KeyUse use, TimeProvider time) =>
        new($"{use.ToString().ToLowerInvariant()}-{Guid.CreateVersion7(time.GetUtcNow()):N}", use, RandomNumberGenerator.GetBytes(KeyBytes), time.GetUtcNow());

    /// <summary>Beside the file and then in its place, so that a service that reads meanwhile sees the one or the other.</summary>
    private static void Write(string path, IReadOnlyList<RingKey> keys, X509Certificate2 certificate)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("The key ring needs the file modes of Unix.");
        }

        var envelope = new EnvelopedCms(new ContentInfo(JsonSerializer.SerializeToUtf8Bytes(keys, Json)), new AlgorithmIdentifier(Aes256));
        envelope.Encrypt(new CmsRecipient(SubjectIdentifierType.IssuerAndSerialNumber, certificate, RSAEncryptionPadding.OaepSHA256));
        var beside = path + ".new";
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(envelope.Encode());
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }
}

/// <summary>One key of a ring. The last of its use is the current one.</summary>
internal sealed record RingKey(string Id, KeyUse Use, byte[] Key, DateTimeOffset Created);
