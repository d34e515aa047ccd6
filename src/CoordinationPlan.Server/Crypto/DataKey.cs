using System.Security.Cryptography;
using System.Text;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// Seals content with AES-256-GCM. Each sealed value is bound to the place that it belongs in: moved to another row, or put back in an older
/// version's stead, it does not open. Any number of calls may use one key at once: a cipher of the platform may not be shared, so each operation
/// has its own.
/// </summary>
internal sealed class DataKey(byte[] key) : IDisposable
{
    public const int KeyBytes = 32;

    private const byte Format = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int Overhead = 1 + NonceSize + TagSize;

    /// <summary>New key material.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(KeyBytes);

    /// <param name="place">Where the value stands: table, row, version.</param>
    public byte[] Seal(string place, ReadOnlySpan<byte> content)
    {
        var value = new byte[content.Length + Overhead];
        value[0] = Format;
        var nonce = value.AsSpan(1, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagSize);
        cipher.Encrypt(nonce, content, value.AsSpan(1 + NonceSize, content.Length), value.AsSpan(value.Length - TagSize), Encoding.UTF8.GetBytes(place));
        return value;
    }

    /// <summary>Throws <see cref="CryptographicException"/> for anything that was not sealed by this key for this place.</summary>
    public byte[] Open(string place, ReadOnlySpan<byte> value)
    {
        if (value.Length < Overhead || value[0] != Format)
        {
            throw new CryptographicException("The value is not sealed content of a known format.");
        }

        var content = new byte[value.Length - Overhead];
        using var cipher = new AesGcm(key, TagSize);
        cipher.Decrypt(value.Slice(1, NonceSize), value[(1 + NonceSize)..^TagSize], value[^TagSize..], content, Encoding.UTF8.GetBytes(place));
        return content;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(key);
}
