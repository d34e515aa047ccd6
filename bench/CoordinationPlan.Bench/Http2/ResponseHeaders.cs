using System.Text;

namespace CoordinationPlan.Bench.Http2;

/// <summary>
/// Reads from a header block (RFC 7541) what tells how a call went. The client allows the server no dynamic table, so that every block can be
/// read by itself.
/// </summary>
internal ref struct ResponseHeaders(ReadOnlySpan<byte> block)
{
    private const int FirstStatus = 8;
    private const int LastStatus = 14;
    private static ReadOnlySpan<int> Statuses => [200, 204, 206, 304, 400, 404, 500];

    private ReadOnlySpan<byte> _rest = block;

    /// <summary>Takes over what the block says; leaves what it does not mention.</summary>
    public static void Read(ReadOnlySpan<byte> block, Call call)
    {
        var headers = new ResponseHeaders(block);
        while (!headers._rest.IsEmpty)
        {
            headers.ReadField(call);
        }
    }

    private void ReadField(Call call)
    {
        var first = _rest[0];
        if ((first & 0x80) != 0)
        {
            var index = Integer(7);
            if (index is >= FirstStatus and <= LastStatus)
            {
                call.HttpStatus = Statuses[index - FirstStatus];
            }
        }
        else if ((first & 0xE0) == 0x20)
        {
            Integer(5); // The table's new size, which is none.
        }
        else
        {
            var nameIndex = Integer((first & 0x40) != 0 ? 6 : 4);
            var name = nameIndex == 0 ? Text() : default;
            var value = Text();
            if (nameIndex is >= FirstStatus and <= LastStatus)
            {
                call.HttpStatus = Number(value);
            }
            else if (name.SequenceEqual("grpc-status"u8))
            {
                call.GrpcStatus = Number(value);
            }
            else if (name.SequenceEqual("grpc-message"u8))
            {
                call.GrpcMessage = Encoding.ASCII.GetString(value);
            }
        }
    }

    private ReadOnlySpan<byte> Text()
    {
        if ((_rest[0] & 0x80) != 0)
        {
            throw new NotSupportedException("The server sends Huffman-coded headers, which this client does not read.");
        }

        var length = Integer(7);
        var text = _rest[..length];
        _rest = _rest[length..];
        return text;
    }

    private int Integer(int prefixBits)
    {
        var most = (1 << prefixBits) - 1;
        var value = _rest[0] & most;
        _rest = _rest[1..];
        if (value < most)
        {
            return value;
        }

        for (var shift = 0; ; shift += 7)
        {
            var next = _rest[0];
            _rest = _rest[1..];
            value = checked(value + ((next & 0x7F) << shift));
            if ((next & 0x80) == 0)
            {
                return value;
            }
        }
    }

    private static int Number(ReadOnlySpan<byte> digits) => int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
}
