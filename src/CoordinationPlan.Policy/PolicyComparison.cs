using System.Buffers.Binary;

namespace CoordinationPlan.Policy;

/// <summary>A decision as the access log has it.</summary>
/// <param name="Input">What it was made of: <see cref="RecordedInput.Pack"/>.</param>
/// <param name="IsPermit">Whether the act was permitted.</param>
/// <param name="Reason">Why it was refused.</param>
/// <param name="Reads">Which categories could be read.</param>
public readonly record struct RecordedDecision(ReadOnlyMemory<byte> Input, bool IsPermit, RefusalReason Reason, Categories Reads)
{
    private const int InputAt = 6;

    /// <summary>
    /// Packs a decision for the access log: one byte that is 1 for a permit, one for the reason of a refusal, four for the categories that could
    /// be read, most significant first, and then <see cref="RecordedInput.Pack"/>.
    /// </summary>
    public static byte[] Pack(Act act, in Caller caller, in Facts facts, in Decision decision)
    {
        var packed = new byte[InputAt + RecordedInput.Length];
        packed[0] = decision.IsPermit ? (byte)1 : (byte)0;
        packed[1] = (byte)decision.Reason;
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(2), (int)decision.Reads);
        RecordedInput.Pack(act, caller, facts).CopyTo(packed, InputAt);
        return packed;
    }

    /// <summary>Unpacks what <see cref="Pack"/> has written, of whichever layout its input is.</summary>
    /// <exception cref="FormatException">It is too short to be a decision.</exception>
    public static RecordedDecision Unpack(ReadOnlyMemory<byte> packed) => packed.Length < InputAt
        ? throw new FormatException($"A recorded decision of {packed.Length} bytes is too short.")
        : new(packed[InputAt..], packed.Span[0] == 1, (RefusalReason)packed.Span[1], (Categories)BinaryPrimitives.ReadInt32BigEndian(packed.Span[2..]));
}

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
