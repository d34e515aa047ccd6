using System.Diagnostics;
using CoordinationPlan.Bench.Http2;
using Google.Protobuf;

namespace CoordinationPlan.Bench.Load;

/// <summary>Drives one connection, on the thread that reads from it.</summary>
internal sealed class Driver(Http2Connection connection, byte[] headers, Calls calls, Recorder recorder, long end)
{
    private const int PrefixLength = 5;
    private static readonly TimeSpan NextCheck = TimeSpan.FromMicroseconds(50);

    private readonly byte[] _message = new byte[Frame.MaxLength];

    /// <summary>Closed loop: each place makes its next call when the last is answered.</summary>
    public void Closed(IReadOnlyList<Call> places)
    {
        connection.Ended = call =>
        {
            recorder.Ended(call);
            if (Stopwatch.GetTimestamp() < end)
            {
                Begin(call, Stopwatch.GetTimestamp());
            }
        };
        lock (connection.Gate)
        {
            foreach (var place in places)
            {
                Begin(place, Stopwatch.GetTimestamp());
            }

            connection.Flush();
        }

        while (connection.InFlight > 0)
        {
            connection.ReadOnce();
        }
    }

    /// <summary>
    /// Open loop: calls are due at random times, so many a second on average, however the service does. Each is timed from when it was due, also
    /// where all places were taken and it had to wait.
    /// </summary>
    public void Open(IReadOnlyList<Call> places, double rate)
    {
        var free = new Queue<Call>(places);
        var due = new Queue<long>();
        var allDue = false;
        connection.Ended = call =>
        {
            recorder.Ended(call);
            free.Enqueue(call);
            BeginDue();
        };
        var pace = new Thread(() =>
        {
            try
            {
                SetPace();
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                // The reader finds the same.
            }
        });
        pace.Start();
        while (!Volatile.Read(ref allDue) || connection.InFlight > 0)
        {
            connection.ReadOnce();
        }

        pace.Join();

        void SetPace()
        {
            for (var next = Stopwatch.GetTimestamp(); next < end; next += (long)(-Math.Log(1 - Random.Shared.NextDouble()) / rate * Stopwatch.Frequency))
            {
                while (Stopwatch.GetTimestamp() < next)
                {
                    Native.Sleep(NextCheck);
                }

                lock (connection.Gate)
                {
                    due.Enqueue(next);
                    BeginDue();
                    connection.Flush();
                }
            }

            lock (connection.Gate)
            {
                allDue = true;
                connection.Ping(); // So that the reader looks up, also where nothing is in flight.
            }
        }

        void BeginDue()
        {
            while (due.Count > 0 && free.Count > 0)
            {
                Begin(free.Dequeue(), due.Dequeue());
            }
        }
    }

    private void Begin(Call call, long started)
    {
        if (calls.Next(call) is { } request)
        {
            call.Started = started;
            var message = _message.AsSpan(0, PrefixLength + request.CalculateSize());
            request.WriteTo(message[PrefixLength..]);
            connection.Begin(call, headers, message);
        }
    }
}
