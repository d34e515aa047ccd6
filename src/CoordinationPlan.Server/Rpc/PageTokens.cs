using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Opaque page tokens (AIP-158): where a list goes on, encrypted and bound to who asked and what for. A token that another caller, another RPC
/// or another query sends is refused. It proves no right: whatever comes on the page is decided again.
/// </summary>
internal sealed class PageTokens(byte[] key)
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <param name="position">Where the next page begins, at most 100 bytes.</param>
    /// <param name="caller">Who asked: the assignment.</param>
    /// <param name="request">The request; its page fields do not count.</param>
    public string Seal(ReadOnlySpan<byte> position, string caller, IMessage request) => Seal(position, Binding(caller, request));

    /// <summary>The position, or null for an empty token; INVALID_ARGUMENT for one that is not this caller's for this query.</summary>
    public byte[]? Open(string token, string caller, IMessage request) => Open(token, Binding(caller, request), Errors.InvalidPageToken);

    /// <summary>A place in something that a caller reads again and again, whatever the request: what it is and whose, in a text of its own.</summary>
    public string SealCursor(ReadOnlySpan<byte> position, string of) => Seal(position, Binding(of));

    /// <summary>The place, or null for an empty cursor; INVALID_ARGUMENT for one that is not of this.</summary>
    public byte[]? OpenCursor(string cursor, string of) => Open(cursor, Binding(of), Errors.InvalidCursor);

    private string Seal(ReadOnlySpan<byte> position, byte[] binding)
    {
        Span<byte> token = stackalloc byte[NonceSize + position.Length + TagSize];
        RandomNumberGenerator.Fill(token[..NonceSize]);
        // One for each operation: a cipher of the platform may not be shared by calls.
        using var cipher = new AesGcm(key, TagSize);
        cipher.Encrypt(token[..NonceSize], position, token[NonceSize..^TagSize], token[^TagSize..], binding);
        return Base64Url.EncodeToString(token);
    }

    private byte[]? Open(string token, byte[] binding, Func<Grpc.Core.RpcException> refusal)
    {
        if (token.Length == 0)
        {
            return null;
        }

        try
        {
            ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(token);
            if (bytes.Length > NonceSize + TagSize)
            {
                var position = new byte[bytes.Length - NonceSize - TagSize];
                using var cipher = new AesGcm(key, TagSize);
                cipher.Decrypt(bytes[..NonceSize], bytes[NonceSize..^TagSize], bytes[^TagSize..], position, binding);
                return position;
            }
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException)
        {
            throw refusal();
        }

        throw refusal();
    }

    // A line feed is in no name of a message, so a cursor is never a page token.
    private static byte[] Binding(string of) => SHA256.HashData(Encoding.UTF8.GetBytes("\n" + of));

    private static byte[] Binding(string caller, IMessage request)
    {
        var query = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        query.Descriptor.FindFieldByName("page_token").Accessor.Clear(query);
        query.Descriptor.FindFieldByName("page_size").Accessor.Clear(query);
        return SHA256.HashData([.. Encoding.UTF8.GetBytes($"{query.Descriptor.FullName}\n{caller}\n"), .. query.ToByteArray()]);
    }
}
