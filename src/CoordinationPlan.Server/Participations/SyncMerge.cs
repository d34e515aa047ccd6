using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Participations;

/// <summary>
/// Which of two things that a system says is the newer: the one with the higher version, and of two with the same version the one with the greater digest. A
/// total order, so that whoever receives them in whatever order keeps the same one.
/// </summary>
internal readonly record struct SyncKey(long Version, UInt128 Digest) : IComparable<SyncKey>
{
    public int CompareTo(SyncKey other) => (Version, Digest).CompareTo((other.Version, other.Digest));

    public static bool operator >(SyncKey left, SyncKey right) => left.CompareTo(right) > 0;

    public static bool operator <(SyncKey left, SyncKey right) => left.CompareTo(right) < 0;

    public static bool operator >=(SyncKey left, SyncKey right) => left.CompareTo(right) >= 0;

    public static bool operator <=(SyncKey left, SyncKey right) => left.CompareTo(right) <= 0;
}

/// <summary>Days from one to another; without a last one, for good.</summary>
internal readonly record struct Days(DateOnly From, DateOnly? To)
{
    private DateOnly Last => To ?? DateOnly.MaxValue;

    public bool IsWithin(Days other) => From >= other.From && Last <= other.Last;

    /// <summary>Whether no day lies between them that is in neither.</summary>
    public bool IsNextTo(Days other) => From <= DayAfter(other.Last) && other.From <= DayAfter(Last);

    public bool IsOver(DateOnly today) => Last < today;

    private static DateOnly DayAfter(DateOnly day) => day == DateOnly.MaxValue ? day : day.AddDays(1);

    /// <summary>The days in both; null where there are none.</summary>
    public static Days? Common(Days one, Days other)
    {
        var from = one.From > other.From ? one.From : other.From;
        var to = one.Last < other.Last ? one.To : other.To;
        return to is { } last && last < from ? null : new Days(from, to);
    }

    /// <summary>From the first day of either to the last of either.</summary>
    public static Days Over(Days one, Days other) =>
        new(one.From < other.From ? one.From : other.From, one.Last > other.Last ? one.To : other.To);
}

/// <summary>What a system says of a unit's part in a plan, as far as it decides anything.</summary>
internal sealed record SyncClaim(SyncKey Key, Days Days, bool Ended);

/// <summary>What a person here has answered to it.</summary>
/// <param name="Number">Which answer it is, from 1: later answers stand above earlier ones.</param>
/// <param name="Of">To what it was given.</param>
/// <param name="Accepted">What is accepted, by this answer or by one before it; null for nothing.</param>
internal sealed record SyncDecision(int Number, SyncAnswer Answer, SyncKey Of, SyncAcceptance? Accepted);

/// <summary>The days on which the unit may take part, and of which claim they were accepted.</summary>
internal readonly record struct SyncAcceptance(Days Days, SyncKey Of);

/// <summary>
/// All that is known of one synced participation: the newest claim, the newest claim that it has ended, and the latest answer. Each only grows by its own order, so
/// registers merge: in any order, any grouping and any number of times to the same.
/// </summary>
internal sealed record SyncRegister(SyncClaim? Claim = null, SyncKey? EndedBy = null, SyncDecision? Decision = null)
{
    /// <summary>The days that are accepted. What was accepted before the system ended it is so no longer, whatever was answered to what it said afterwards.</summary>
    public Days? Accepted => Decision?.Accepted is { } accepted && !(EndedBy > accepted.Of) ? accepted.Days : null;

    /// <summary>What one message of a system says.</summary>
    public static SyncRegister Of(SyncClaim claim) => new(claim, claim.Ended ? claim.Key : null);
}

/// <summary>What follows from a register.</summary>
/// <param name="TakesPart">The days on which the unit takes part by it; null where it does not.</param>
internal readonly record struct SyncEffect(SyncedParticipationState State, Days? TakesPart);

/// <summary>
/// How what systems repeat, reorder and lose, and what persons decide, come to one state. Pure: of registers and nothing else (docs/adr/0024).
/// </summary>
internal static class SyncMerge
{
    /// <summary>Both registers in one: commutative, associative, idempotent.</summary>
    public static SyncRegister Merge(SyncRegister one, SyncRegister other) => new(
        Later(one.Claim, other.Claim, static (a, b) => a.Key.CompareTo(b.Key)),
        one.EndedBy is not { } ended || other.EndedBy > ended ? other.EndedBy ?? one.EndedBy : one.EndedBy,
        Later(one.Decision, other.Decision, Compare));

    /// <summary>
    /// What holds. Nothing that a system says lets a unit take part before a person has accepted it, nor on other days than were accepted, nor again after the
    /// system itself has ended it. What a person has declined stays declined, and a system that goes on to say otherwise is in conflict.
    /// </summary>
    /// <param name="ofAPerson">The days on which the unit takes part because a person here has brought it in. No system changes that.</param>
    public static SyncEffect Effect(SyncRegister register, Days? ofAPerson)
    {
        if (register.Claim is not { } claim)
        {
            return default;
        }

        var decision = register.Decision;
        var isAnswered = decision is not null && decision.Of >= claim.Key;
        if (ofAPerson is { } own)
        {
            return new(
                isAnswered ? decision!.Answer == SyncAnswer.Decline ? SyncedParticipationState.Declined : Following(claim)
                : !claim.Ended && claim.Days == own ? SyncedParticipationState.InStep
                : SyncedParticipationState.Conflict,
                null);
        }

        if (claim.Ended)
        {
            return new(SyncedParticipationState.Ended, null);
        }

        var accepted = register.Accepted;
        var takesPart = accepted is { } days ? Days.Common(claim.Days, days) : null;
        var isWithin = accepted is { } all && claim.Days.IsWithin(all);
        return new(
            decision switch
            {
                { Answer: SyncAnswer.Decline } when isAnswered => SyncedParticipationState.Declined,
                _ when isWithin => SyncedParticipationState.InStep,
                { Answer: SyncAnswer.Decline } => SyncedParticipationState.Conflict,
                _ => SyncedParticipationState.Waiting,
            },
            takesPart);
    }

    private static SyncedParticipationState Following(SyncClaim claim) => claim.Ended ? SyncedParticipationState.Ended : SyncedParticipationState.InStep;

    private static T? Later<T>(T? one, T? other, Comparison<T> compare)
        where T : class => one is null ? other : other is null || compare(one, other) >= 0 ? one : other;

    /// <summary>Two answers with the same number are given by no one plan, whose lock numbers them; a total order all the same.</summary>
    private static int Compare(SyncDecision one, SyncDecision other) =>
        (one.Number, one.Of, (int)one.Answer, Order(one.Accepted)).CompareTo((other.Number, other.Of, (int)other.Answer, Order(other.Accepted)));

    private static (DateOnly From, DateOnly To, SyncKey Of) Order(SyncAcceptance? accepted) =>
        accepted is { } set ? (set.Days.From, set.Days.To ?? DateOnly.MaxValue, set.Of) : default;
}
