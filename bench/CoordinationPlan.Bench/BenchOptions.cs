namespace CoordinationPlan.Bench;

/// <summary>What is asked for on the command line.</summary>
internal sealed record BenchOptions
{
    public required int Plans { get; init; }

    public required TimeSpan Measured { get; init; }

    public required TimeSpan WarmUp { get; init; }

    public required int Repeats { get; init; }

    /// <summary>Calls in flight.</summary>
    public required IReadOnlyList<int> Concurrency { get; init; }

    public required int Connections { get; init; }

    /// <summary>Methods, by their last word.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Calls a second for one more run of GetPlan; null for none.</summary>
    public double? Rate { get; init; }

    /// <summary>How many participations a region's system sends; 0 for none.</summary>
    public int Sync { get; init; }

    /// <summary>Another build's coordplan.dll; null for the one built along.</summary>
    public FileInfo? Service { get; init; }

    public FileInfo? Json { get; init; }

    /// <summary>Whether a missed gate is a failure.</summary>
    public bool Gate { get; init; }
}
