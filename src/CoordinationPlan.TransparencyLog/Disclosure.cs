namespace CoordinationPlan.TransparencyLog;

/// <summary>A field of a record as an extract has it.</summary>
public abstract record DisclosedField
{
    internal abstract TreeHash Commitment();
}

/// <summary>A field that is shown, with the salt that proves it. A value that is not there is null, which is not the same as empty.</summary>
public sealed record RevealedField(string Name, byte[]? Value, ReadOnlyMemory<byte> Salt) : DisclosedField
{
    internal override TreeHash Commitment() => TransparencyLog.Commitment.OfField(Salt.Span, StrictText.Utf8(Name), Value);
}

/// <summary>A field that is hidden: nothing can be told of it but that it is there.</summary>
public sealed record HiddenField(TreeHash Hash) : DisclosedField
{
    internal override TreeHash Commitment() => Hash;
}

/// <summary>A record of which some fields are shown, in the record's order. It proves what it shows when its entry is in the log.</summary>
public sealed record Disclosure(IReadOnlyList<DisclosedField> Fields)
{
    /// <summary>The entry that this is a disclosure of: in the log, or not.</summary>
    /// <exception cref="FormatException">A field's salt has another length, or two that are shown have one name.</exception>
    public byte[] Entry()
    {
        var shown = Fields.OfType<RevealedField>().ToList();
        if (shown.Exists(field => field.Salt.Length != Commitment.SaltLength))
        {
            throw new FormatException($"A salt has {Commitment.SaltLength} bytes.");
        }

        return shown.DistinctBy(field => field.Name).Count() == shown.Count
            ? Commitment.Entry(Fields.Select(field => field.Commitment()))
            : throw new FormatException("Each field has a name of its own.");
    }

    /// <summary>The hash of the leaf of that entry.</summary>
    public TreeHash Leaf() => TreeHash.OfLeaf(Entry());
}
