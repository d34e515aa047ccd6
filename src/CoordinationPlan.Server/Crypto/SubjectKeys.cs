namespace CoordinationPlan.Server.Crypto;

/// <summary>Which of a person's keys.</summary>
internal enum Compartment : short
{
    /// <summary>Everything in the person's plans.</summary>
    Content = 1,

    /// <summary>Where the person stays.</summary>
    Whereabouts = 2,
}

/// <summary>
/// One data key for each person and compartment, wrapped by the ring. Whoever destroys it has disposed of what it sealed, wherever copies of
/// that lie.
/// </summary>
internal sealed class SubjectKeys(IKeyRing ring)
{
    public async Task<DataKey> Unwrap(Compartment compartment, WrappedKey wrapped, CancellationToken stop) =>
        new(await ring.Unwrap(UseOf(compartment), wrapped, stop));

    public async Task<(DataKey Key, WrappedKey Wrapped)> Create(Compartment compartment, CancellationToken stop)
    {
        var key = DataKey.NewKey();
        return (new DataKey(key), await ring.Wrap(UseOf(compartment), key, stop));
    }

    private static KeyUse UseOf(Compartment compartment) => compartment == Compartment.Whereabouts ? KeyUse.Whereabouts : KeyUse.Content;
}
