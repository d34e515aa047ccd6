namespace CoordinationPlan.TransparencyLog;

/// <summary>How many of which witnesses must have signed a checkpoint before it is believed.</summary>
public sealed record WitnessPolicy
{
    /// <param name="needed">How many of them.</param>
    /// <param name="witnesses">The keys, one for each witness.</param>
    /// <exception cref="ArgumentException">More are needed than there are, a key is no witness's, or one stands there twice and would count for two.</exception>
    public WitnessPolicy(int needed, IReadOnlyList<NoteVerifier> witnesses)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(needed);
        ArgumentNullException.ThrowIfNull(witnesses);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(needed, witnesses.Count);
        if (witnesses.Any(witness => witness.Algorithm != NoteAlgorithm.Cosignature))
        {
            throw new ArgumentException("A witness signs with a time: its key is of the kind 04.", nameof(witnesses));
        }

        if (witnesses.DistinctBy(witness => witness.Name).Count() < witnesses.Count
            || witnesses.DistinctBy(witness => Convert.ToHexString(witness.PublicKeyBytes.Span)).Count() < witnesses.Count)
        {
            throw new ArgumentException("Each witness has a name and a key of its own.", nameof(witnesses));
        }

        Needed = needed;
        Witnesses = witnesses;
    }

    /// <summary>No witness is asked for.</summary>
    public static WitnessPolicy None { get; } = new(0, []);

    public int Needed { get; }

    public IReadOnlyList<NoteVerifier> Witnesses { get; }

    /// <summary>The witnesses that have signed.</summary>
    /// <exception cref="NoteException">A line claims to be by one of them and is not.</exception>
    public IReadOnlyList<NoteVerifier> SignedBy(SignedNote checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return checkpoint.SignedBy(Witnesses);
    }

    /// <summary>Whether as many have signed as are needed.</summary>
    /// <exception cref="NoteException">A line claims to be by one of them and is not.</exception>
    public bool IsMetBy(SignedNote checkpoint) => SignedBy(checkpoint).Count >= Needed;
}
