using CoordinationPlan.Policy;
using CoordinationPlan.Server.Changes;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>The pure part: what comes of what was noted, for every way to know before and after.</summary>
public sealed class FanOutTests
{
    private const string Own = "own";
    private static readonly Source System = new("organisation", "system");
    private static readonly Guid Meeting = new("00000000-0000-0000-0000-000000000001");
    private static readonly Guid OtherMeeting = new("00000000-0000-0000-0000-000000000002");
    private static readonly Guid Part = new("00000000-0000-0000-0000-000000000003");
    private static readonly Guid HousingsPart = new("00000000-0000-0000-0000-000000000004");
    private static readonly Guid Said = new("00000000-0000-0000-0000-000000000005");
    private static readonly Guid SaidByAnother = new("00000000-0000-0000-0000-000000000006");
    private static readonly Guid SaidElsewhere = new("00000000-0000-0000-0000-000000000007");

    private static readonly PlanThings Things = new(
        1,
        [(Part, Categories.Meetings), (HousingsPart, Categories.Whereabouts)],
        [Meeting, OtherMeeting],
        [(Meeting, Own, Categories.Meetings), (Meeting, "housing", Categories.Whereabouts), (OtherMeeting, "other", Categories.Meetings)],
        [(Said, System), (SaidByAnother, System with { ClientSystem = "another" }), (SaidElsewhere, System with { OrganisationId = "another" })]);

    private static readonly Categories[] Known = [Categories.None, Categories.Existence, Categories.Existence | Categories.Schooling, Categories.Existence | Categories.Meetings];

    private static readonly Noted[] EveryChange =
    [
        new(1, NotedKind.Plan, null, null, null, Categories.None, null),
        new(2, NotedKind.Participation, null, Part, "other", Categories.Meetings, null),
        new(3, NotedKind.Participation, null, HousingsPart, "housing", Categories.Whereabouts, null),
        new(4, NotedKind.Meeting, null, Meeting, null, Categories.None, null),
        new(5, NotedKind.Call, null, Meeting, Own, Categories.Meetings, null),
        new(6, NotedKind.Call, null, Meeting, "housing", Categories.Whereabouts, null),
        new(7, NotedKind.Synced, null, Said, null, Categories.None, null),
        new(8, NotedKind.Synced, null, SaidByAnother, null, Categories.None, null),
        new(9, NotedKind.Plan, null, null, null, Categories.Meetings, null),
        new(10, NotedKind.Synced, null, SaidElsewhere, null, Categories.None, null),
        new(11, NotedKind.WhoMayKnow, null, null, null, Categories.None, null),
    ];

    [Fact]
    public void Who_may_not_know_hears_nothing_and_who_may_nothing_but_what_it_may()
    {
        foreach (var before in Known)
        {
            foreach (var after in Known)
            {
                var items = FanOut.Items(before, after, FanOut.Lost(before, after), Own, System, EveryChange, Things);
                Assert.All(items, item => Assert.True(after.HasFlag(item.Kind is ChangeKind.Participation or ChangeKind.Meeting ? Categories.Meetings : Categories.Existence)));
                Assert.True(after != Categories.None || items.Count == 0);
                Assert.DoesNotContain(items, item => item.ItemId == HousingsPart || item.ItemId == SaidByAnother || item.ItemId == SaidElsewhere);
                Assert.Equal(items.Distinct(), items);
            }
        }
    }

    [Fact]
    public void What_has_come_to_be_known_is_told_whole() =>
        Assert.Equal(
            [
                new(ChangeKind.Plan), new(ChangeKind.Participation, Part), new(ChangeKind.Meeting, Meeting), new(ChangeKind.Meeting, OtherMeeting), new(ChangeKind.Summons, Meeting),
                new(ChangeKind.Task, Meeting), new(ChangeKind.SyncedParticipation, Said),
            ],
            FanOut.Items(Categories.None, Categories.Existence | Categories.Meetings, Categories.None, Own, System, [EveryChange[^1]], Things));

    [Fact]
    public void What_is_known_of_a_plan_and_of_a_call_besides_is_told_in_them_again() =>
        Assert.Equal(
            [
                new(ChangeKind.Plan), new(ChangeKind.Participation, Part), new(ChangeKind.Meeting, Meeting), new(ChangeKind.Meeting, OtherMeeting), new(ChangeKind.Summons, Meeting),
                new(ChangeKind.Task, Meeting), new(ChangeKind.SyncedParticipation, Said),
            ],
            FanOut.Items(Categories.Existence, Categories.Existence | Categories.Meetings, Categories.None, Own, System, [EveryChange[^1]], Things));

    [Fact]
    public void A_change_of_who_may_know_that_changes_nothing_for_a_unit_is_not_told() =>
        Assert.All(Known, known => Assert.Empty(FanOut.Items(known, known, Categories.None, Own, System, [EveryChange[^1]], Things)));

    [Fact]
    public void What_a_report_has_come_to_is_told_anew_to_who_may_know_of_the_plan_and_no_longer_of_who_takes_part()
    {
        Assert.Equal([new(ChangeKind.SyncedParticipation, Said)], Narrowed(Categories.Existence));
        Assert.Empty(Narrowed(Categories.None));

        static IEnumerable<NewItem> Narrowed(Categories after)
        {
            const Categories Before = Categories.Existence | Categories.Meetings;
            return FanOut.Items(Before, after, FanOut.Lost(Before, after), Own, System, [EveryChange[^1]], Things);
        }
    }

    [Fact]
    public void What_no_change_tells_is_not_told_when_it_is_released() =>
        Assert.Empty(FanOut.Items(Categories.Existence, Categories.Existence | Categories.Health, Categories.None, Own, System, [EveryChange[^1]], Things));

    [Fact]
    public void A_change_of_a_plan_is_told_to_those_who_may_know_what_has_changed()
    {
        var (anybody, some) = (EveryChange[0] with { Category = Categories.Existence }, EveryChange[8]);
        foreach (var known in Known)
        {
            Assert.Equal(known.HasFlag(Categories.Existence), FanOut.Items(known, known, Categories.None, Own, System, [anybody], Things).Count == 1);
            Assert.Equal(known.HasFlag(Categories.Meetings), FanOut.Items(known, known, Categories.None, Own, System, [some], Things).Count == 1);
            // What the version of the service before it has noted says nothing of it.
            Assert.Equal(known.HasFlag(Categories.Existence), FanOut.Items(known, known, Categories.None, Own, System, [EveryChange[0]], Things).Count == 1);
        }
    }

    [Fact]
    public void The_call_of_a_housing_is_told_to_nobody() =>
        Assert.All(Known, known => Assert.Empty(FanOut.Items(known, known, Categories.None, Own, System, [EveryChange[5]], Things)));

    [Fact]
    public void What_was_told_and_may_not_be_known_is_lost_and_nothing_else()
    {
        foreach (var told in Known)
        {
            foreach (var after in Known)
            {
                var lost = FanOut.Lost(told, after);
                Assert.Equal(lost, lost & told);
                Assert.Equal(after == Categories.None ? told : told & ~after, lost);
            }
        }
    }
}
