using CoordinationPlan.Server.Participations;
using CoordinationPlan.V1;
using CsCheck;

namespace CoordinationPlan.Server.Tests.Participations;

/// <summary>
/// However what systems say is repeated, reordered, lost and sent again, and whatever persons answer in between, everybody comes to the same; and nothing that a
/// system says lets a unit take part that no person has accepted.
/// </summary>
public sealed class SyncMergeTests
{
    private static readonly DateOnly First = new(2026, 1, 1);

    /// <summary>A few days, so that periods meet, overlap and miss each other.</summary>
    private static readonly Gen<Days> SomeDays =
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 4], Gen.Bool, (from, length, isOpen) => new Days(First.AddDays(from), isOpen ? null : First.AddDays(from + length)));

    /// <summary>Few versions, so that different things are said under one. The digest follows from what is said, as the service's does.</summary>
    private static readonly Gen<SyncClaim> Claims = Gen.Select(Gen.Long[1, 5], SomeDays, Gen.Bool, Claim);

    private static readonly Gen<SyncDecision> Decisions = Gen.Select(
        Gen.Int[1, 4], Gen.Bool, Claims, Claims, SomeDays, Gen.Bool,
        (number, accepts, of, before, days, any) => accepts
            ? new SyncDecision(number, SyncAnswer.Accept, of.Key, new(days, of.Key))
            : new SyncDecision(number, SyncAnswer.Decline, of.Key, any ? new(days, before.Key) : null));

    private static readonly Gen<SyncRegister> Registers = Gen.Select(
        Gen.Bool, Claims, Gen.Bool, Claims, Gen.Bool, Decisions,
        (isSaid, claim, isEnded, ended, isAnswered, decision) => new SyncRegister(isSaid ? claim : null, isEnded ? ended.Key : null, isAnswered ? decision : null));

    [Fact]
    public void Merging_is_commutative() =>
        Gen.Select(Registers, Registers).Sample((one, other) => SyncMerge.Merge(one, other) == SyncMerge.Merge(other, one));

    [Fact]
    public void Merging_is_associative() =>
        Gen.Select(Registers, Registers, Registers).Sample((one, two, three) =>
            SyncMerge.Merge(SyncMerge.Merge(one, two), three) == SyncMerge.Merge(one, SyncMerge.Merge(two, three)));

    [Fact]
    public void Merging_is_idempotent_and_an_empty_register_changes_nothing() =>
        Gen.Select(Registers, Registers).Sample((one, other) =>
        {
            var merged = SyncMerge.Merge(one, other);
            return SyncMerge.Merge(merged, other) == merged && SyncMerge.Merge(one, one) == one && SyncMerge.Merge(one, new()) == one;
        });

    [Fact]
    public void Any_order_repeats_and_losses_that_are_sent_again_come_to_the_same() =>
        Gen.Select(Claims.Array[0, 12], Decisions.Array[0, 3], Gen.Int[0, int.MaxValue]).Sample((claims, decisions, seed) =>
        {
            var messages = claims.Select(SyncRegister.Of).Concat(decisions.Select(decision => new SyncRegister(Decision: decision))).ToArray();
            // Some come late, some twice, and all are sent once more.
            var delivered = messages.Where((_, i) => (seed >> (i % 30) & 1) == 0).Concat(messages.Where((_, i) => i % 3 == seed % 3)).OrderBy(message => Mixed(message, seed)).Concat(messages.OrderBy(message => Mixed(message, ~seed)));

            return All(delivered) == All(messages);
        });

    [Fact]
    public void Nobody_takes_part_whom_no_person_has_accepted_nor_on_other_days() =>
        Registers.Sample(register => SyncMerge.Effect(register, null).TakesPart is not { } days || (register.Decision?.Accepted is { } accepted && days.IsWithin(accepted.Days)));

    [Fact]
    public void What_a_system_says_after_an_answer_never_widens_it() =>
        Gen.Select(Registers, Claims.Array[1, 6]).Sample((register, later) =>
        {
            var before = SyncMerge.Effect(register, null).TakesPart;
            foreach (var claim in later)
            {
                register = SyncMerge.Merge(register, SyncRegister.Of(claim));
                var after = SyncMerge.Effect(register, null).TakesPart;
                // Back to days that were accepted a system may go, as long as it has not ended it in between.
                if (after is { } days && !days.IsWithin(register.Decision!.Accepted!.Value.Days))
                {
                    return false;
                }

                if (before is not null && claim.Ended && claim.Key > register.Decision!.Accepted!.Value.Of && after is not null)
                {
                    return false;
                }
            }

            return true;
        });

    [Fact]
    public void What_a_system_has_ended_takes_part_again_only_after_another_answer() =>
        Gen.Select(Registers, Claims, Claims.Array[0, 6]).Sample((register, ending, later) =>
        {
            ending = Claim(ending.Key.Version + 10, ending.Days, ended: true);
            register = later.Aggregate(
                SyncMerge.Merge(register, SyncRegister.Of(ending)), (all, claim) => SyncMerge.Merge(all, SyncRegister.Of(Claim(claim.Key.Version + 10, claim.Days, claim.Ended))));
            return SyncMerge.Effect(register, null).TakesPart is null;
        });

    /// <summary>Whenever the messages come: an acceptance is of what was said by then, and an answer after it gives it no longer life.</summary>
    [Fact]
    public void What_is_declined_later_does_not_keep_what_was_accepted_from_being_ended() =>
        Gen.Select(Claims, Claims, Claims).Sample((first, ending, last) =>
        {
            var (said, ended, then) = (Claim(1, first.Days, ended: false), Claim(2, ending.Days, ended: true), Claim(3, last.Days, ended: false));
            var accepted = new SyncDecision(1, SyncAnswer.Accept, said.Key, new(said.Days, said.Key));
            var late = SyncMerge.Merge(SyncMerge.Merge(SyncRegister.Of(said), new(Decision: accepted)), SyncRegister.Of(then));
            late = SyncMerge.Merge(SyncMerge.Merge(late, new(Decision: new(2, SyncAnswer.Decline, then.Key, late.Decision!.Accepted))), SyncRegister.Of(ended));
            var inOrder = SyncMerge.Merge(SyncMerge.Merge(SyncMerge.Merge(SyncRegister.Of(said), new(Decision: accepted)), SyncRegister.Of(ended)), SyncRegister.Of(then));
            inOrder = SyncMerge.Merge(inOrder, new(Decision: new(2, SyncAnswer.Decline, then.Key, inOrder.Accepted is null ? null : inOrder.Decision!.Accepted)));
            return SyncMerge.Effect(late, null) == SyncMerge.Effect(inOrder, null) && SyncMerge.Effect(late, null).TakesPart is null;
        });

    [Fact]
    public void Days_are_next_to_each_other_where_none_lies_between()
    {
        Assert.True(Of(1, 3).IsNextTo(Of(4, 5)) && Of(4, 5).IsNextTo(Of(1, 3)) && Of(1, 9).IsNextTo(Of(2, 3)) && Of(1, null).IsNextTo(Of(5, null)) && Of(5, 6).IsNextTo(Of(1, null)));
        Assert.False(Of(1, 3).IsNextTo(Of(5, 6)) || Of(5, null).IsNextTo(Of(1, 3)));

        static Days Of(int from, int? to) => new(First.AddDays(from), to is { } last ? First.AddDays(last) : null);
    }

    [Fact]
    public void What_a_person_has_declined_stays_declined_and_a_system_that_goes_on_is_in_conflict() =>
        Gen.Select(Claims, Claims).Sample((said, later) =>
        {
            var declined = SyncMerge.Merge(SyncRegister.Of(said), new(Decision: new(1, SyncAnswer.Decline, said.Key, null)));
            var repeated = SyncMerge.Effect(SyncMerge.Merge(declined, SyncRegister.Of(said)), null);
            var changed = SyncMerge.Merge(declined, SyncRegister.Of(later));
            var effect = SyncMerge.Effect(changed, null);
            return repeated.State == (said.Ended ? SyncedParticipationState.Ended : SyncedParticipationState.Declined)
                && effect.TakesPart is null
                && (later.Key <= said.Key || effect.State == (later.Ended ? SyncedParticipationState.Ended : SyncedParticipationState.Conflict));
        });

    [Fact]
    public void No_system_changes_what_a_person_has_brought_in_and_a_difference_is_a_conflict_until_it_is_answered() =>
        Gen.Select(Registers.Where(register => register.Claim is not null), SomeDays).Sample((register, own) =>
        {
            var (claim, effect) = (register.Claim!, SyncMerge.Effect(register, own));
            var agrees = !claim.Ended && claim.Days == own;
            var isAnswered = register.Decision is { } decision && decision.Of >= claim.Key;
            return effect.TakesPart is null && (isAnswered ? effect.State != SyncedParticipationState.Conflict
                : effect.State == (agrees ? SyncedParticipationState.InStep : SyncedParticipationState.Conflict));
        });

    [Fact]
    public void What_waits_is_in_step_once_it_is_accepted()
    {
        var said = Claim(1, new(First, First.AddDays(30)), ended: false);
        var register = SyncRegister.Of(said);
        Assert.Equal(new(SyncedParticipationState.Waiting, null), SyncMerge.Effect(register, null));

        register = SyncMerge.Merge(register, new(Decision: new(1, SyncAnswer.Accept, said.Key, new(said.Days, said.Key))));
        Assert.Equal(new(SyncedParticipationState.InStep, said.Days), SyncMerge.Effect(register, null));

        // Fewer days at once; more days wait, and what was accepted stays.
        var shorter = SyncMerge.Merge(register, SyncRegister.Of(Claim(2, new(First, First.AddDays(10)), ended: false)));
        Assert.Equal(new(SyncedParticipationState.InStep, new Days(First, First.AddDays(10))), SyncMerge.Effect(shorter, null));
        var longer = SyncMerge.Merge(register, SyncRegister.Of(Claim(2, new(First, null), ended: false)));
        Assert.Equal(new(SyncedParticipationState.Waiting, said.Days), SyncMerge.Effect(longer, null));
        var kept = SyncMerge.Merge(longer, new(Decision: new(2, SyncAnswer.Decline, longer.Claim!.Key, new(said.Days, said.Key))));
        Assert.Equal(new(SyncedParticipationState.Declined, said.Days), SyncMerge.Effect(kept, null));
    }

    private static SyncClaim Claim(long version, Days days, bool ended) =>
        new(new(version, ((UInt128)days.From.DayNumber << 64) | ((UInt128)(days.To?.DayNumber ?? int.MaxValue) << 8) | (ended ? 1u : 0u)), days, ended);

    private static SyncRegister All(IEnumerable<SyncRegister> messages) => messages.Aggregate(new SyncRegister(), SyncMerge.Merge);

    private static int Mixed(SyncRegister message, int seed) => HashCode.Combine(message, seed);
}
