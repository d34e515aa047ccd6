using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace CoordinationPlan.Bench.Http2;

/// <summary>
/// Just enough of HTTP/2 (RFC 9113) for unary gRPC calls, written for little work per call: one thread reads, all that it has set off is sent
/// with one write. A general client costs as much of the machine as the service that it is to measure.
/// </summary>
internal sealed class Http2Connection : IDisposable
{
    private const int StreamWindow = 4 * 1024 * 1024;
    private const int ConnectionWindow = 1 << 30;
    private const int DefaultWindow = 65_535;

    private readonly SslStream _stream;
    private readonly Dictionary<int, Call> _inFlight = [];
    private readonly Queue<(Call Call, byte[] Frames, int Data)> _held = new();
    private readonly byte[] _in = new byte[128 * 1024];
    private readonly byte[] _out = new byte[512 * 1024];
    private int _inStart;
    private int _inEnd;
    private int _outLength;
    private int _nextStream = 1;
    private long _mayGet = ConnectionWindow;
    private long _maySend = DefaultWindow;

    private Http2Connection(SslStream stream) => _stream = stream;

    /// <summary>Held while the connection's state is used: by the reader, and at a fixed rate by the thread that sets the pace.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Told of each call that has ended, by the thread that reads, under the gate.</summary>
    public Action<Call>? Ended { get; set; }

    /// <summary>Calls that have begun and not ended.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>
    /// Opens a connection without one asynchronous step: a socket that has been used asynchronously once is never blocking again, and each read
    /// would then go over another thread.
    /// </summary>
    public static Http2Connection Open(int port, SslClientAuthenticationOptions tls)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            stream.AuthenticateAsClient(tls);
            if (stream.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2)
            {
                throw new InvalidOperationException("The service does not speak HTTP/2.");
            }
        }
        catch
        {
            socket.Dispose();
            stream?.Dispose();
            throw;
        }

        var connection = new Http2Connection(stream);
        connection.Greet();
        return connection;
    }

    /// <summary>Prepares a call to be sent with the next <see cref="Flush"/>.</summary>
    /// <param name="headers">The encoded header block.</param>
    /// <param name="message">Room for the gRPC prefix, then the message.</param>
    public void Begin(Call call, ReadOnlySpan<byte> headers, Span<byte> message)
    {
        message[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(message[1..], message.Length - 5);
        call.Reset(_nextStream);
        _inFlight.Add(_nextStream, call);
        _nextStream += 2;

        if (message.Length <= _maySend && _held.Count == 0)
        {
            Reserve((2 * Frame.HeadLength) + headers.Length + message.Length);
            _outLength += Frames(_out.AsSpan(_outLength), call.Stream, headers, message);
            _maySend -= message.Length;
        }
        else
        {
            var frames = new byte[(2 * Frame.HeadLength) + headers.Length + message.Length];
            Frames(frames, call.Stream, headers, message);
            _held.Enqueue((call, frames, message.Length));
        }
    }

    /// <summary>Sends what has been prepared.</summary>
    public void Flush()
    {
        if (_outLength > 0)
        {
            _stream.Write(_out.AsSpan(0, _outLength));
            _outLength = 0;
        }
    }

    /// <summary>Makes the service answer something.</summary>
    public void Ping()
    {
        AddFrame(Frame.Ping, 0, 0, new byte[8]);
        Flush();
    }

    /// <summary>Waits for something to arrive, handles it, and sends what that set off.</summary>
    public void ReadOnce()
    {
        if (_inStart > 0)
        {
            _in.AsSpan(_inStart.._inEnd).CopyTo(_in);
            (_inStart, _inEnd) = (0, _inEnd - _inStart);
        }

        var read = _stream.Read(_in.AsSpan(_inEnd));
        if (read == 0)
        {
            throw new IOException("The service has closed the connection.");
        }

        _inEnd += read;
        lock (Gate)
        {
            while (TryHandleFrame())
            {
            }

            Flush();
        }
    }

    public void Dispose() => _stream.Dispose();

    private static int Frames(Span<byte> to, int stream, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> message)
    {
        new Frame(headers.Length, Frame.Headers, Frame.EndHeaders, stream).Write(to);
        headers.CopyTo(to[Frame.HeadLength..]);
        to = to[(Frame.HeadLength + headers.Length)..];
        new Frame(message.Length, Frame.Data, Frame.EndStream, stream).Write(to);
        message.CopyTo(to[Frame.HeadLength..]);
        return (2 * Frame.HeadLength) + headers.Length + message.Length;
    }

    private void Greet()
    {
        Add("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        Span<byte> settings = stackalloc byte[18];
        Setting(settings, Frame.HeaderTableSize, 0);
        Setting(settings[6..], Frame.EnablePush, 0);
        Setting(settings[12..], Frame.InitialWindowSize, StreamWindow);
        AddFrame(Frame.Settings, 0, 0, settings);
        GrantWindow(ConnectionWindow - DefaultWindow);
        Flush();
    }

    private static void Setting(Span<byte> to, ushort name, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to, name);
        BinaryPrimitives.WriteInt32BigEndian(to[2..], value);
    }

    private bool TryHandleFrame()
    {
        var there = _in.AsSpan(_inStart.._inEnd);
        if (there.Length < Frame.HeadLength)
        {
            return false;
        }

        var frame = Frame.Read(there);
        if (frame.Length > Frame.MaxLength)
        {
            throw new InvalidDataException("The service sent a longer frame than it was allowed.");
        }

        if (there.Length < Frame.HeadLength + frame.Length)
        {
            return false;
        }

        _inStart += Frame.HeadLength + frame.Length;
        Handle(frame, there.Slice(Frame.HeadLength, frame.Length));
        return true;
    }

    private void Handle(in Frame frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case Frame.Data:
                Got(frame.Length);
                Continue(frame, payload, static (call, content) => call.Append(content));
                break;
            case Frame.Headers when (frame.Flags & Frame.EndHeaders) == 0:
                throw new NotSupportedException("The service sent headers in several frames, which this client does not read.");
            case Frame.Headers:
                Continue(frame, payload, static (call, content) => ResponseHeaders.Read(content, call));
                break;
            case Frame.ResetStream:
                if (_inFlight.Remove(frame.Stream, out var reset))
                {
                    reset.GrpcMessage = "The service reset the stream.";
                    Ended?.Invoke(reset);
                }

                break;
            case Frame.Settings when (frame.Flags & Frame.Ack) == 0:
                AddFrame(Frame.Settings, Frame.Ack, 0, []);
                break;
            case Frame.Ping when (frame.Flags & Frame.Ack) == 0:
                AddFrame(Frame.Ping, Frame.Ack, 0, payload);
                break;
            case Frame.GoAway:
                throw new IOException($"The service ends the connection, error {BinaryPrimitives.ReadInt32BigEndian(payload[4..])}.");
            case Frame.WindowUpdate when frame.Stream == 0:
                _maySend += BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
                SendHeld();
                break;
            default:
                break; // Priorities, acknowledgements, windows of streams whose messages are always smaller.
        }
    }

    private void Continue(in Frame frame, ReadOnlySpan<byte> payload, Action<Call, ReadOnlySpan<byte>> take)
    {
        if (!_inFlight.TryGetValue(frame.Stream, out var call))
        {
            throw new InvalidDataException("The service answers a call that was not made.");
        }

        take(call, frame.Content(payload));
        if (frame.Ends)
        {
            _inFlight.Remove(frame.Stream);
            Ended?.Invoke(call);
        }
    }

    private void SendHeld()
    {
        while (_held.TryPeek(out var held) && held.Data <= _maySend)
        {
            _held.Dequeue();
            Add(held.Frames);
            _maySend -= held.Data;
        }
    }

    private void Got(int length)
    {
        _mayGet -= length;
        if (_mayGet < ConnectionWindow / 2)
        {
            GrantWindow((int)(ConnectionWindow - _mayGet));
            _mayGet = ConnectionWindow;
        }
    }

    private void GrantWindow(int more)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, more);
        AddFrame(Frame.WindowUpdate, 0, 0, payload);
    }

    private void AddFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Reserve(Frame.HeadLength + payload.Length);
        new Frame(payload.Length, type, flags, stream).Write(_out.AsSpan(_outLength));
        _outLength += Frame.HeadLength;
        Add(payload);
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_out.AsSpan(_outLength));
        _outLength += bytes.Length;
    }

    private void Reserve(int length)
    {
        if (_outLength + length > _out.Length)
        {
            Flush();
        }
    }
}
