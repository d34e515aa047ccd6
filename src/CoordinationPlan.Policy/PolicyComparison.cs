namespace CoordinationPlan.Policy;

/// <summary>A decision as the access log has it.</summary>
/// <param name="Input">What it was made of: <see cref="RecordedInput.Pack"/>.</param>
/// <param name="IsPermit">Whether the act was permitted.</param>
/// <param name="Reason">Why it was refused.</param>
/// <param name="Reads">Which categories could be read.</param>
public readonly record struct RecordedDecision(ReadOnlyMemory<byte> Input, bool IsPermit, RefusalReason Reason, Categories Reads);

/// <summary>A recorded decision that this policy does not make.</summary>
/// <param name="Number">Which of the decisions it is, from 0.</param>
/// <param name="Recorded">As it was made.</param>
/// <param name="Input">What it was made of; null where this version cannot read it.</param>
/// <param name="Now">As this policy makes it; a refusal for an error in deciding where it cannot.</param>
public sealed record DecisionDifference(long Number, RecordedDecision Recorded, RecordedInput? Input, Decision Now)
{
    /// <summary>This policy permits what was refused.</summary>
    public bool Permits => Now.IsPermit && !Recorded.IsPermit;

    /// <summary>What can be read now and could not.</summary>
    public Categories Opens => Now.Reads & ~Recorded.Reads;

    /// <summary>What could be read and cannot now.</summary>
    public Categories Closes => Recorded.Reads & ~Now.Reads;
}

/// <summary>Runs recorded decisions through the policy of this build, so that a candidate is looked at before it is taken into use.</summary>
public static class PolicyComparison
{
    /// <summary>The differences, in the order of the decisions. Takes one decision at a time, so there may be any number of them.</summary>
    public static IEnumerable<DecisionDifference> Differences(IEnumerable<RecordedDecision> recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return Compare(recorded);
    }

    private static IEnumerable<DecisionDifference> Compare(IEnumerable<RecordedDecision> recorded)
    {
        var number = 0L;
        foreach (var decision in recorded)
        {
            if (!RecordedInput.TryUnpack(decision.Input.Span, out var input))
            {
                // What cannot be replayed is listed: left out, it would pass for unchanged.
                yield return new(number, decision, null, Decision.Refuse(RefusalReason.ErrorInDeciding));
            }
            else if (AccessPolicy.Decide(input.Act, input.Caller, input.Facts) is var now
                && (now.IsPermit, now.Reason, now.Reads) != (decision.IsPermit, decision.Reason, decision.Reads))
            {
                yield return new(number, decision, input, now);
            }

            number++;
        }
    }
}
