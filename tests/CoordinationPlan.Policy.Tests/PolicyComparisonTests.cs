namespace CoordinationPlan.Policy.Tests;

/// <summary>A candidate policy is run over what was decided, and every difference is listed.</summary>
public sealed class PolicyComparisonTests
{
    [Fact]
    public void What_this_policy_decided_has_no_differences() =>
        Assert.Empty(PolicyComparison.Differences(World.Draw(50_000).Select(Recorded)));

    [Fact]
    public void A_permit_that_would_be_refused_is_a_difference()
    {
        var recorded = Recorded(World.Draw(1000).First(question => !question.Answer().IsPermit)) with
        {
            IsPermit = true,
            Reason = RefusalReason.None,
            Reads = Categories.Health,
        };

        var difference = Assert.Single(PolicyComparison.Differences([Recorded(World.Permitted().First()), recorded]));

        Assert.Equal((1, recorded), (difference.Number, difference.Recorded));
        Assert.Equal((false, Categories.None, Categories.Health), (difference.Permits, difference.Opens, difference.Closes));
        Assert.Equal(RecordedInput.Unpack(recorded.Input.Span), difference.Input);
    }

    [Fact]
    public void A_refusal_that_would_be_a_permit_is_a_difference()
    {
        var question = World.Permitted().First();
        var recorded = new RecordedDecision(Recorded(question).Input, false, RefusalReason.NoRelation, Categories.None);

        var difference = Assert.Single(PolicyComparison.Differences([recorded]));

        Assert.True(difference.Permits);
        Assert.Equal((question.Answer(), question.Answer().Reads, Categories.None), (difference.Now, difference.Opens, difference.Closes));
    }

    [Fact]
    public void Another_reason_is_a_difference_and_so_is_what_is_read()
    {
        var refused = Recorded(World.Draw(1000).First(question => !question.Answer().IsPermit));
        var permitted = Recorded(World.Permitted().First());

        var differences = PolicyComparison.Differences(
        [
            refused with { Reason = RefusalReason.ErrorInDeciding },
            permitted with { Reads = permitted.Reads ^ Categories.Existence },
        ]).ToList();

        Assert.Equal([0, 1], differences.Select(difference => difference.Number));
        Assert.All(differences, difference => Assert.False(difference.Permits));
        Assert.Equal((Categories.Existence, Categories.None), (differences[1].Opens, differences[1].Closes));
    }

    [Fact]
    public void What_cannot_be_replayed_is_listed_and_stops_nothing()
    {
        var permitted = Recorded(World.Permitted().First());

        var differences = PolicyComparison.Differences([new(new byte[] { 9 }, true, default, default), permitted, permitted with { IsPermit = false }]).ToList();

        Assert.Equal([0, 2], differences.Select(difference => difference.Number));
        Assert.Null(differences[0].Input);
        Assert.Equal(Decision.Refuse(RefusalReason.ErrorInDeciding), differences[0].Now);
    }

    [Fact]
    public void What_is_too_short_to_be_a_decision_is_refused()
    {
        Assert.Throws<FormatException>(() => RecordedDecision.Unpack(new byte[5]));
        Assert.Equal(0, RecordedDecision.Unpack(new byte[6]).Input.Length);
    }

    [Fact]
    public void One_decision_is_taken_at_a_time()
    {
        var taken = 0;
        _ = PolicyComparison.Differences(Endless()).First();

        Assert.Equal(1, taken);
        Assert.Throws<ArgumentNullException>(() => PolicyComparison.Differences(null!));

        IEnumerable<RecordedDecision> Endless()
        {
            while (true)
            {
                taken++;
                yield return default;
            }
        }
    }

    private static RecordedDecision Recorded(Question question)
    {
        var answer = question.Answer();
        var recorded = RecordedDecision.Unpack(RecordedDecision.Pack(question.Act, question.Caller, question.Facts, answer));
        Assert.Equal((answer.IsPermit, answer.Reason, answer.Reads), (recorded.IsPermit, recorded.Reason, recorded.Reads));
        Assert.Equal(RecordedInput.Pack(question.Act, question.Caller, question.Facts), recorded.Input);
        return recorded;
    }
}
