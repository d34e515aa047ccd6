using System.Buffers.Binary;
using System.Globalization;

namespace CoordinationPlan.Bench.Http2;

/// <summary>A place for one call in flight. It is used again for the next.</summary>
/// <param name="number">Which of the run's places it is.</param>
internal sealed class Call(int number)
{
    private const int PrefixLength = 5;
    private byte[] _answer = new byte[16 * 1024];
    private int _length;

    public int Number => number;

    /// <summary>When the call began or, at a fixed rate, was due to begin.</summary>
    public long Started { get; set; }

    public int Stream { get; set; }

    public int HttpStatus { get; set; }

    public int GrpcStatus { get; set; }

    public string? GrpcMessage { get; set; }

    /// <summary>The answer's one message.</summary>
    public ReadOnlySpan<byte> Message => _answer.AsSpan(PrefixLength, _length - PrefixLength);

    public void Reset(int stream)
    {
        (Stream, HttpStatus, GrpcStatus, GrpcMessage, _length) = (stream, 0, -1, null, 0);
    }

    public void Append(ReadOnlySpan<byte> data)
    {
        if (_length + data.Length > _answer.Length)
        {
            Array.Resize(ref _answer, Math.Max(_answer.Length * 2, _length + data.Length));
        }

        data.CopyTo(_answer.AsSpan(_length));
        _length += data.Length;
    }

    /// <summary>What is wrong with the answer; null where it is a whole message with the status OK.</summary>
    public string? Fault()
    {
        if (HttpStatus != 200 || GrpcStatus != 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"HTTP {HttpStatus}, grpc-status {GrpcStatus}: {GrpcMessage}");
        }

        return _length >= PrefixLength && _answer[0] == 0 && BinaryPrimitives.ReadInt32BigEndian(_answer.AsSpan(1)) == _length - PrefixLength
            ? null
            : "The answer is not one whole uncompressed message.";
    }
}
