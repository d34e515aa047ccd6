using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>What a unit that takes part can have: what consent or law released, and nothing that the person refused unless the ground holds in spite of it.</summary>
public sealed class ReleaseTests
{
    [Fact]
    public void A_participant_never_reads_or_writes_what_is_withheld_without_a_ground_that_holds_in_spite_of_it() =>
        World.Holds(
            Participating(),
            (question, answer) => ((answer.Reads | answer.Writes) & question.Facts.Withheld & ~(question.Facts.ReleasedByLaw & question.Facts.Overriding) & ~Existence) == None);

    [Fact]
    public void That_the_plan_exists_is_not_known_where_it_is_withheld_unless_a_ground_opens_something_in_spite_of_it() =>
        World.Holds(
            Participating().Where(question => question.Facts.Withheld.HasFlag(Existence)),
            (question, answer) => (answer.Reads & ~Existence).IsWithin(question.Facts.ReleasedByLaw & question.Facts.Overriding)
                && (question.Facts.ReleasedByLaw & question.Facts.Overriding) != None);

    [Fact]
    public void A_participant_reads_what_is_released_that_the_plan_exists_and_nothing_more() =>
        World.Holds(
            Participating(),
            (question, answer) => answer.Reads.IsWithin(
                question.Facts.Released | question.Facts.ReleasedByLaw | Existence | Expected.Itself(question.Caller, question.Facts)));

    [Fact]
    public void A_participant_reads_no_more_than_its_role_can_have() =>
        World.Holds(
            Participating(),
            (question, answer) => answer.Reads.IsWithin(Expected.Ceiling(question.Caller.Role) | Expected.Itself(question.Caller, question.Facts)));

    [Fact]
    public void A_participant_that_reads_anything_of_the_plan_knows_that_it_exists() =>
        World.Holds(
            Participating(),
            (_, answer) => answer.Reads.HasFlag(Existence));

    [Fact]
    public void A_consent_is_what_a_read_rests_on_just_where_it_opens_all_of_it_alone() =>
        World.Holds(
            Participating().Where(question => question.Act == Act.ReadPlan),
            (question, answer) => (answer.Basis == Basis.Release)
                == ((question with { Facts = question.Facts with { ReleasedByLaw = None } }).Answer().Reads == answer.Reads));

    [Fact]
    public void Releasing_more_never_gives_less() =>
        World.Holds(
            World.Releases(World.Sets, Few),
            (question, less) => World.Singles.All(one => less.IsWithin((question with { Facts = question.Facts with { Released = question.Facts.Released | one } }).Answer())
                && less.IsWithin((question with { Facts = question.Facts with { ReleasedByLaw = question.Facts.ReleasedByLaw | one } }).Answer())));

    [Fact]
    public void Withholding_more_never_gives_more() =>
        World.Holds(
            World.Releases(Few, World.Sets),
            (question, more) => World.Singles.All(one => (question with { Facts = question.Facts with { Withheld = question.Facts.Withheld | one } }).Answer().IsWithin(more)));

    [Fact]
    public void What_holds_in_spite_of_a_refusal_is_not_more_than_what_is_released_on_legal_ground() =>
        World.Holds(
            World.Releases(World.Sets, Few),
            (question, answer) => answer == (question with { Facts = question.Facts with { Overriding = question.Facts.Overriding | ~question.Facts.ReleasedByLaw } }).Answer());

    private static readonly Categories[] Few = [None, Existence, Identity | Health, AccessPolicy.Releasable & ~Schooling, World.Everything];

    private static IEnumerable<Question> Participating() => World.PermittedOfPlans().Where(question =>
        question.Facts.Relation == Relation.Participating && question.Act is not (Act.ReadInEmergency or Act.ReadWhereabouts or Act.ExplainAccess));
}
