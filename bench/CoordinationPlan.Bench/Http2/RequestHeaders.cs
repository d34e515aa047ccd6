using System.Text;

namespace CoordinationPlan.Bench.Http2;

/// <summary>
/// The header block of a gRPC call (RFC 7541), encoded once for all calls of a run: literals that no table keeps, as the common gRPC clients
/// of .NET send them.
/// </summary>
internal static class RequestHeaders
{
    private const byte MethodPost = 0x80 | 3;
    private const byte SchemeHttps = 0x80 | 7;
    private const int Authority = 1;
    private const int Path = 4;
    private const int Authorization = 23;
    private const int ContentType = 31;

    public static byte[] Encode(string authority, string path, string token, IEnumerable<(string Name, string Value)> metadata)
    {
        var block = new List<byte> { MethodPost, SchemeHttps };
        Add(block, Path, path);
        Add(block, Authority, authority);
        Add(block, ContentType, "application/grpc");
        Add(block, "te", "trailers");
        Add(block, Authorization, "Bearer " + token);
        foreach (var (name, value) in metadata)
        {
            Add(block, name, value);
        }

        return block.Count <= Frame.MaxLength ? [.. block] : throw new InvalidOperationException("The headers do not fit in one frame.");
    }

    private static void Add(List<byte> block, int nameIndex, string value)
    {
        AddInteger(block, 0, prefixBits: 4, nameIndex);
        AddText(block, value);
    }

    private static void Add(List<byte> block, string name, string value)
    {
        block.Add(0);
        AddText(block, name);
        AddText(block, value);
    }

    private static void AddText(List<byte> block, string text)
    {
        AddInteger(block, 0, prefixBits: 7, text.Length);
        block.AddRange(Encoding.ASCII.GetBytes(text));
    }

    private static void AddInteger(List<byte> block, byte first, int prefixBits, int value)
    {
        var most = (1 << prefixBits) - 1;
        if (value < most)
        {
            block.Add((byte)(first | value));
            return;
        }

        block.Add((byte)(first | most));
        for (value -= most; value >= 0x80; value >>= 7)
        {
            block.Add((byte)(0x80 | (value & 0x7F)));
        }

        block.Add((byte)value);
    }
}
