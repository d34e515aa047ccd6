using CoordinationPlan.Policy;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// What a call read beside the facts, in the same round trip: the thing that it is about, and what the policy must know of it.
/// A thing that is not there makes the call answer as if the plan were not there.
/// </summary>
/// <param name="State">The thing, or null where there is none of this id in this plan.</param>
internal sealed record Loaded<T>(T? State)
    where T : class
{
    /// <summary>The unit that answers for the thing, or is to answer for a new one.</summary>
    public string? ResponsibleUnitId { get; init; }

    /// <summary>That unit neither owns the plan nor takes part in it any more.</summary>
    public bool ResponsibleUnitGone { get; init; }

    /// <summary>The thing is being added.</summary>
    public bool IsNew { get; init; }

    /// <summary>Whether the caller is kept out of the person whom the call is about, where it names no plan.</summary>
    public Blocked? Blocked { get; init; }

    /// <summary>How that person is protected.</summary>
    public ProtectionLevel Protection { get; init; }

    /// <summary>It is an emergency access of this caller's, in force: the call rests on it and names no plan.</summary>
    public bool IsEmergency { get; init; }

    /// <summary>The organisation that a directory entry belongs to.</summary>
    public string? OrganisationId { get; init; }
}

/// <summary>For changes that need nothing read beside the facts.</summary>
internal sealed class Nothing
{
    public static readonly Loaded<Nothing> Loaded = new(new Nothing());
}
