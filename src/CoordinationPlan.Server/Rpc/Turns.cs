namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// How much of each client system is under way at once, so that none can take all there is of a thing for itself. What is more waits for its turn, in the order that it came; and of what
/// waits there is so much at most, because it holds its request meanwhile.
/// </summary>
internal sealed class Turns(int atOnce, int waiting)
{
    /// <summary>After how long a system of which too much waits may try again.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);

    /// <summary>How many client systems have anything under way.</summary>
    internal int Remembered
    {
        get
        {
            lock (_lines)
            {
                return _lines.Count;
            }
        }
    }

    /// <summary>Waits for a turn, which lasts until it is disposed of. TOO_MANY_CALLS where too much waits already.</summary>
    public async ValueTask<Turn> Take(string clientSystem, CancellationToken stop)
    {
        Line? line;
        lock (_lines)
        {
            if (!_lines.TryGetValue(clientSystem, out line))
            {
                _lines.Add(clientSystem, line = new Line(atOnce));
            }
            else if (line.Count >= atOnce + waiting)
            {
                throw Errors.TooManyCalls(Retry);
            }

            line.Count++;
        }

        try
        {
            await line.Room.WaitAsync(stop);
        }
        catch
        {
            Leave(clientSystem, line);
            throw;
        }

        return new Turn(this, clientSystem, line);
    }

    private void Leave(string clientSystem, Line line)
    {
        lock (_lines)
        {
            if (--line.Count == 0)
            {
                _lines.Remove(clientSystem);
                line.Room.Dispose();
            }
        }
    }

    /// <summary>One turn. To be disposed of once.</summary>
    internal readonly struct Turn(Turns turns, string clientSystem, Line line) : IDisposable
    {
        public void Dispose()
        {
            line.Room.Release();
            turns.Leave(clientSystem, line);
        }
    }

    /// <summary>What of one client system is under way or waits.</summary>
    internal sealed class Line(int atOnce)
    {
        public SemaphoreSlim Room { get; } = new(atOnce);

        public int Count { get; set; }
    }
}
