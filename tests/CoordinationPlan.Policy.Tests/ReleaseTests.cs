using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>What a unit that takes part can have: what the person released, and nothing that the person refused.</summary>
public sealed class ReleaseTests
{
    [Fact]
    public void A_participant_never_reads_or_writes_what_is_withheld() =>
        World.Holds(Participating(), (question, answer) => ((answer.Reads | answer.Writes) & question.Facts.Withheld) == None);

    [Fact]
    public void A_participant_reads_what_is_released_that_the_plan_exists_and_nothing_more() =>
        World.Holds(
            Participating(),
            (question, answer) => answer.Reads.IsWithin(question.Facts.Released | Existence | (question.Caller.HousesThePerson() ? Whereabouts : None)));

    [Fact]
    public void A_participant_reads_no_more_than_its_role_can_have() =>
        World.Holds(
            Participating(),
            (question, answer) => answer.Reads.IsWithin(Expected.Ceiling(question.Caller.Role) | (question.Caller.HousesThePerson() ? Whereabouts : None)));

    [Fact]
    public void A_participant_is_permitted_to_read_just_where_something_is_released_and_the_plan_is_not_withheld() =>
        World.Holds(
            World.EveryRelease().Where(question => question.Act == Act.ReadPlan && Expected.Participants.Contains(question.Caller.Role)),
            (question, answer) => answer.IsPermit == (ReadableOf(question) != None && !question.Facts.Withheld.HasFlag(Existence)));

    [Fact]
    public void A_participant_reads_all_that_is_released_that_its_role_can_have_and_that_is_not_withheld() =>
        World.Holds(Participating(), (question, answer) => ReadableOf(question).IsWithin(answer.Reads));

    [Fact]
    public void A_participant_that_reads_anything_knows_that_the_plan_exists() =>
        World.Holds(Participating(), (_, answer) => answer.Reads.HasFlag(Existence));

    [Fact]
    public void Releasing_more_never_gives_less() =>
        World.Holds(
            AboutAPlan(World.Releases(World.Sets, Few)),
            (question, less) => World.Singles.All(one => IsWithin(less, (question with { Facts = question.Facts with { Released = question.Facts.Released | one } }).Answer())));

    [Fact]
    public void Withholding_more_never_gives_more() =>
        World.Holds(
            AboutAPlan(World.Releases(Few, World.Sets)),
            (question, more) => World.Singles.All(one => IsWithin((question with { Facts = question.Facts with { Withheld = question.Facts.Withheld | one } }).Answer(), more)));

    private static readonly Categories[] Few = [None, Existence, Identity | Health, AccessPolicy.Releasable & ~Schooling, World.Everything];

    private static IEnumerable<Question> Participating() => World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.Participating);

    private static Categories ReadableOf(Question question) => question.Facts.Released & Expected.Ceiling(question.Caller.Role) & ~question.Facts.Withheld;

    private static IEnumerable<Question> AboutAPlan(IEnumerable<Question> questions) => questions.Where(question => World.IsAboutAPlan(question.Act));

    private static bool IsWithin(Decision less, Decision more) =>
        (!less.IsPermit || more.IsPermit) && less.Reads.IsWithin(more.Reads) && less.Writes.IsWithin(more.Writes);
}
