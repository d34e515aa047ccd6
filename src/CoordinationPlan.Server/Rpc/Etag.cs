using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Etags (AIP-154): a digest of which thing it is and which version of it. Opaque, so that no client computes the next one instead of reading.
/// </summary>
internal static class Etag
{
    public static string Of(Guid id, int version)
    {
        Span<byte> text = stackalloc byte[20];
        id.TryWriteBytes(text);
        BinaryPrimitives.WriteInt32BigEndian(text[16..], version);
        return Digest(text);
    }

    /// <summary>The etag of a directory entry.</summary>
    public static string Of(string name, int version) =>
        Digest(Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}\n{version}")));

    private static string Digest(ReadOnlySpan<byte> text)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(text, digest);
        return Base64Url.EncodeToString(digest[..12]);
    }
}
