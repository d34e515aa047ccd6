using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>What a system is told of what changes, in which order, and what it is never told.</summary>
public sealed class FeedTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    private static DemonstrationEmployee Psychiatry => DemonstrationDirectory.ChildPsychiatry;

    [Fact]
    public async Task A_snapshot_has_all_that_the_units_may_know_and_then_comes_what_changes()
    {
        var plan = await Released(Care, InformationCategory.Meetings);
        await service.Join(plan, Psychiatry);
        var feed = await Integration.Start(service);

        Assert.Equal((ChangeKind.SnapshotBegin, ChangeKind.SnapshotEnd), (feed.Delivered[0].Kind, feed.Delivered[^1].Kind));
        var told = Of(plan, feed.Delivered);
        Assert.Equal([ChangeKind.Plan, ChangeKind.Participation, ChangeKind.Participation], told.Select(change => change.Kind));
        Assert.All(told, change => Assert.Equal(Cases.UnitOf(Care), change.Unit));
        Assert.Equal((plan.Name, "", PlanState.Noted), (told[0].PlanState.Name, told[0].PlanState.Etag, told[0].PlanState.State));
        Assert.Null(told[0].PlanState.Subject);
        Assert.Equal([Cases.UnitOf(Care), Cases.UnitOf(Psychiatry)], told.Skip(1).Select(change => change.Participation.Unit));

        var meeting = await service.CallMeeting(plan, [Care, DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));
        told = Of(plan, await feed.Pull());
        Assert.Equal([ChangeKind.Meeting, ChangeKind.Summons, ChangeKind.Task], told.Select(change => change.Kind));
        Assert.Equal((meeting.Name, "", 2), (told[0].Meeting.Name, told[0].Meeting.Agenda, told[0].Meeting.Calls.Count));
        Assert.Equal((meeting.Name, meeting.Etag, CallKind.Summons, "Sammanträdesrum 3"), (told[1].Summons.Meeting, told[1].Summons.MeetingEtag, told[1].Summons.Kind, told[1].Summons.Place));
        Assert.Equal((meeting.Name, TaskKind.AnswerCall, true), (told[2].Task.Subject, told[2].Task.Kind, told[2].Task.Open));

        await service.As(Care).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = Cases.NewId() });
        told = Of(plan, await feed.Pull());
        Assert.Equal(CallReply.Accepted, told.Single(change => change.Kind == ChangeKind.Summons).Summons.Reply);
        Assert.False(told.Single(change => change.Kind == ChangeKind.Task).Task.Open);
        var sequences = Of(plan, feed.Delivered).Select(change => change.Sequence).ToList();
        Assert.Equal(Enumerable.Range(0, sequences.Count).Select(n => sequences[0] + n), sequences);
    }

    [Fact]
    public async Task Without_meetings_a_unit_is_told_of_the_plan_and_its_own_calls_and_of_nobody_else()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Schooling);
        await service.Settled();
        await service.Join(plan, Psychiatry);
        await service.CallMeeting(plan, [Psychiatry], TimeSpan.FromDays(20));
        await service.CallMeeting(plan, [Care, Psychiatry], TimeSpan.FromDays(21));

        var told = Of(plan, await feed.Pull());

        Assert.Equal([ChangeKind.Plan, ChangeKind.Summons, ChangeKind.Task], told.Select(change => change.Kind));
        Assert.Equal("", told[0].PlanState.OwningUnit);
        Assert.DoesNotContain(Cases.UnitOf(Psychiatry), string.Concat(told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_to_be_answered_is_due_when_the_units_own_task_is_and_no_longer_once_it_has_come()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        // Called later than it would have had to answer.
        var meeting = await service.CallMeeting(plan, [Care], TimeSpan.FromMinutes(5));
        var own = Assert.Single((await service.As(Care).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks, task => task.Subject == meeting.Name && task.Kind == TaskKind.AnswerCall);

        var told = Of(plan, await feed.Pull()).Last(change => change.Kind == ChangeKind.Task).Task;

        Assert.Equal((own.DueDate, true), (told.DueDate, told.Open));
        Assert.Equal(Cases.Today, told.DueDate);
        await service.LetBegin(meeting);
        await service.As(Care).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Attendance = Attendance.Attended, Etag = meeting.Etag, RequestId = Cases.NewId() });
        Assert.False(Of(plan, await feed.Pull()).Last(change => change.Kind == ChangeKind.Task).Task.Open);
        Assert.DoesNotContain((await service.As(Care).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks, task => task.Subject == meeting.Name && task.Kind == TaskKind.AnswerCall);
    }

    [Fact]
    public async Task What_else_is_released_is_not_told_by_the_feed_which_would_neither_log_nor_recall_it()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.GoalsAndInterventions);
        await Update(plan, new Plan { FollowUpDate = Cases.InMonths(3) }, "follow_up_date");
        Assert.Equal(Cases.InMonths(3), (await service.Read(Care, plan)).FollowUpDate);
        var start = await service.Now();

        var told = Of(plan, await feed.Pull());

        Assert.All(told, change => Assert.Equal((ChangeKind.Plan, null, ""), (change.Kind, change.PlanState.FollowUpDate, change.PlanState.LeadPrincipal)));
        Assert.NotEmpty(told);
        Assert.All((await service.LogSince(start)).Where(row => row.PlanId is not null), row => Assert.Equal(Policy.Categories.Existence, row.Categories));
    }

    [Fact]
    public async Task An_edit_of_what_is_not_told_is_no_event_and_shows_in_nothing()
    {
        var feed = await Integration.Start(service);
        var (plan, knows) = (await Released(Care, InformationCategory.GoalsAndInterventions), await Released(Care, InformationCategory.Meetings));
        var before = Of(plan, await feed.Pull())[^1].PlanState;

        await Update(plan, new Plan { SocialSituation = "Bor tillfälligt hos en vän." }, "social_situation");
        await Update(plan, new Plan { FollowUpDate = Cases.InMonths(3) }, "follow_up_date");
        await Update(plan, new Plan { Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id }, "coordinator");
        await Update(knows, new Plan { Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id }, "coordinator");
        var told = await feed.Pull();

        Assert.Empty(Of(plan, told));
        Assert.Equal("employees/" + DemonstrationDirectory.CaseWorker.Id, Assert.Single(Of(knows, told)).PlanState.Coordinator);
        // Not by a snapshot later either.
        await feed.Start();
        var now = Assert.Single(Of(plan, await feed.Pull())).PlanState;
        Assert.Equal(before, now);
        Assert.Equal("", now.Etag);
    }

    [Fact]
    public async Task Each_unit_of_the_organisation_is_told_for_itself_and_another_organisation_nothing()
    {
        var school = await Integration.Start(service, DemonstrationDirectory.SchoolRegister);
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        await service.Settled();
        await service.Join(plan, Psychiatry);
        await service.Consent(plan, Psychiatry, [InformationCategory.Schooling]);

        var told = Of(plan, await feed.Pull());

        Assert.Equal([ChangeKind.Plan, ChangeKind.Participation, ChangeKind.Participation], OfUnit(Care).Select(change => change.Kind));
        Assert.Equal([ChangeKind.Plan], OfUnit(Psychiatry).Select(change => change.Kind));
        Assert.All([Care, Psychiatry], unit => Assert.Equal(Enumerable.Range(1, OfUnit(unit).Count).Select(n => (long)n), OfUnit(unit).Select(change => change.Sequence)));
        Assert.Empty(await school.Pull());
        Assert.DoesNotContain(plan.Name, string.Concat(school.Delivered), StringComparison.Ordinal);

        List<Change> OfUnit(DemonstrationEmployee unit) => told.FindAll(change => change.Unit == Cases.UnitOf(unit));
    }

    [Fact]
    public async Task A_sheltered_housing_and_a_school_are_named_to_no_system_but_the_schools_own()
    {
        var feed = await Integration.Start(service);
        var register = await Integration.Start(service, DemonstrationDirectory.SchoolRegister);
        var plan = await Released(Care, InformationCategory.Meetings);
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.Meetings]);
        await service.SecureSchool(plan);
        await service.Settled();
        await service.CallMeeting(plan, [Care, DemonstrationDirectory.Shelter, DemonstrationDirectory.School], TimeSpan.FromDays(20));

        var told = string.Concat(await feed.Pull());
        var toldTheSchool = Of(plan, await register.Pull());

        Assert.Contains(plan.Name, told, StringComparison.Ordinal);
        Assert.DoesNotContain(DemonstrationDirectory.Shelter.UnitId, told, StringComparison.Ordinal);
        Assert.DoesNotContain(DemonstrationDirectory.School.UnitId, told, StringComparison.Ordinal);
        Assert.Equal([ChangeKind.Plan, ChangeKind.Summons, ChangeKind.Task], toldTheSchool.Select(change => change.Kind));
        Assert.DoesNotContain("SE21200", string.Concat(toldTheSchool), StringComparison.Ordinal);
        Assert.Equal(
            0L,
            await service.Scalar<long>("SELECT count(*) FROM coordinationplan.change_item i JOIN coordinationplan.unit u USING (unit_id) WHERE u.kind = 4"));
    }

    [Fact]
    public async Task What_a_unit_may_not_know_leaves_no_number()
    {
        var feed = await Integration.Start(service);
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.CallMeeting(plan, [Care], TimeSpan.FromDays(20));
        await service.Settled();
        Assert.Equal(0L, await ItemsOf(plan));
        Assert.Empty(await feed.Pull());

        // Released and withdrawn before anything was delivered: nothing was told, so nothing is recalled, and no number is used.
        var consent = await service.Consent(plan, Care, [InformationCategory.Meetings]);
        await service.Settled();
        Assert.NotEqual(0L, await ItemsOf(plan));
        await Withdraw(consent);
        Assert.Empty(await feed.Pull());

        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        var told = Of(plan, await feed.Pull());
        Assert.Equal(Enumerable.Range(1, told.Count).Select(n => (long)n), told.Select(change => change.Sequence));
        Assert.Equal([ChangeKind.Plan, ChangeKind.Participation, ChangeKind.Meeting, ChangeKind.Summons, ChangeKind.Task], told.Select(change => change.Kind));
        Assert.Equal(0L, await service.Scalar<long>($"SELECT count(*) FROM coordinationplan.change_recall WHERE plan_id = '{plan.Name["plans/".Length..]}'"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(200)]
    public async Task Much_that_may_not_be_told_any_more_is_passed_over_in_pieces_that_do_not_count_it(int pageSize)
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        await service.Settled();
        // As if much had happened before the system looks, and the consent had been withdrawn then.
        await using (var command = service.Administrator.CreateCommand(
            $"""
            WITH r AS (SELECT DISTINCT c.receiver, c.position FROM coordinationplan.change_receiver c JOIN coordinationplan.change_item i ON i.receiver = c.receiver WHERE i.plan_id = '{Id(plan)}'),
                 i AS (INSERT INTO coordinationplan.change_item (receiver, position, event_id, kind, plan_id, unit_id)
                       SELECT r.receiver, r.position + n, gen_random_uuid(), 1, '{Id(plan)}', (SELECT max(unit_id) FROM coordinationplan.change_item x WHERE x.plan_id = '{Id(plan)}')
                       FROM r, generate_series(1, 1500) n)
            UPDATE coordinationplan.change_receiver c SET position = c.position + 1500 FROM r WHERE c.receiver = r.receiver
            """))
        {
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        await Withdraw((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0]);
        await service.Settled();
        var pages = new List<PullChangesResponse>();
        do
        {
            pages.Add(await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor, PageSize = pageSize }));
            feed.Cursor = pages[^1].NextCursor;
        }
        while (pages[^1].More);

        Assert.Equal(2, pages.Count);
        Assert.All(pages, page => Assert.Empty(page.Changes));
        Assert.Equal(0L, await service.Scalar<long>($"SELECT count(*) FROM coordinationplan.change_item WHERE plan_id = '{Id(plan)}' AND sequence IS DISTINCT FROM 0"));
    }

    [Fact]
    public async Task Whether_there_is_more_does_not_tell_that_something_was_passed_over()
    {
        var feed = await Integration.Start(service);
        var (told, hidden) = (await Released(Care, InformationCategory.GoalsAndInterventions), await Released(Care, InformationCategory.GoalsAndInterventions));
        await service.Settled();
        await Withdraw((await service.Read(DemonstrationDirectory.CaseWorker, hidden)).Consents[0]);
        await service.Settled();

        var page = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor, PageSize = 2 });
        Assert.Equal(told.Name, Assert.Single(page.Changes).Plan);
        Assert.False(page.More);
        // A full page says that there may be more, whether there is or not.
        page = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor, PageSize = 1 });
        Assert.True(page.More);
        page = await feed.Feed.PullChangesAsync(new() { Cursor = page.NextCursor, PageSize = 1 });
        Assert.Equal((0, false), (page.Changes.Count, page.More));
        await Touch(told, null);
        await service.Settled();
        page = await feed.Feed.PullChangesAsync(new() { Cursor = page.NextCursor, PageSize = 1 });
        Assert.Equal((1, true), (page.Changes.Count, page.More));
    }

    [Fact]
    public async Task Each_change_is_decided_again_when_it_is_delivered()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        await service.Consent(plan, Care, [InformationCategory.Schooling]);
        Assert.NotEmpty(await feed.Pull());
        var cursor = feed.Cursor;
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));
        await service.Settled();
        // In order, and narrowed before it is delivered.
        await Withdraw((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents.Single(consent => consent.Categories.Contains(InformationCategory.Meetings)));
        var told = Of(plan, await feed.Pull());
        Assert.Equal([ChangeKind.Unspecified, ChangeKind.Recall], told.Select(change => change.Kind));
        Assert.DoesNotContain(meeting.Name, string.Concat(told), StringComparison.Ordinal);
        Assert.Equal([InformationCategory.Meetings], told[1].Recall.Categories);

        // Any cursor from before is of no use for what is gone, and the numbers stay.
        feed.Cursor = "";
        var again = Of(plan, await feed.Pull());
        Assert.Equal(ChangeKind.Plan, again[0].Kind);
        Assert.Equal("", again[0].PlanState.OwningUnit);
        Assert.DoesNotContain(again, change => change.Participation is not null || change.Meeting is not null);
        feed.Cursor = cursor;
        Assert.Equal(told.Select(change => (change.Event, change.Sequence)), Of(plan, await feed.Pull()).Select(change => (change.Event, change.Sequence)));
    }

    [Fact]
    public async Task A_withdrawal_recalls_everything_and_leaves_nothing_to_hear_again()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        var before = Of(plan, await feed.Pull());
        await Withdraw((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0]);

        var recall = Assert.Single(Of(plan, await feed.Pull()));
        Assert.Equal(ChangeKind.Recall, recall.Kind);
        Assert.Equal([InformationCategory.Existence, InformationCategory.Meetings], recall.Recall.Categories);

        // More happens, and none of it is heard.
        await service.CallMeeting(plan, [Care], TimeSpan.FromDays(20));
        Assert.Empty(Of(plan, await feed.Pull()));
        feed.Cursor = "";
        var again = await feed.Pull();
        Assert.Equal([recall.Event], Of(plan, again).Select(change => change.Event));
        foreach (var forgotten in before.Select(change => again.Find(other => other.Event == change.Event)!))
        {
            Assert.Equal(new Change { Event = forgotten.Event, Kind = ChangeKind.Forgotten, Sequence = forgotten.Sequence }, forgotten);
        }

        Assert.Equal(before.Select(change => change.Sequence), before.Select(change => again.Find(other => other.Event == change.Event)!.Sequence));
    }

    public static TheoryData<string> Losses => ["the participation ends", "the unit is blocked", "the person is protected", "the release ends", "the plan is closed", "the person is placed", "the place is secret"];

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Whatever_takes_a_right_away_is_a_recall(string loss)
    {
        var unprotected = loss == "the person is protected";
        if (unprotected)
        {
            await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment => assignment.ProtectedPersons = false);
        }

        try
        {
            var feed = await Integration.Start(service);
            var plan = await service.OpenPlan(Cases.NewPerson());
            var participation = await service.Join(plan, Care);
            var release = loss == "the release ends" ? await service.Release(plan, Care, [InformationCategory.Meetings]) : null;
            // Which school a child goes to may be released as long as nobody knows that the person is placed.
            var released = loss is "the person is placed" or "the place is secret" ? InformationCategory.SchoolPlacement : InformationCategory.Meetings;
            var consent = release is null ? await service.Consent(plan, Care, [released]) : null;
            Assert.NotEmpty(Of(plan, await feed.Pull()));
            switch (loss)
            {
                case "the participation ends":
                    await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() });
                    break;
                case "the unit is blocked":
                    await service.CaseWorker.Protection.AddBlockAsync(new()
                    {
                        Parent = plan.Name,
                        Block = new() { Unit = Cases.UnitOf(Care), Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
                        Etag = plan.Etag,
                        RequestId = Cases.NewId(),
                    });
                    break;
                case "the person is protected":
                    await service.Protect(plan, ProtectionLevel.ConfidentialityMarked);
                    break;
                case "the person is placed":
                    await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
                    {
                        Whereabouts = new() { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömvägen 17, 123 45 Tystberga" },
                        Etag = "new",
                        RequestId = Cases.NewId(),
                    });
                    break;
                case "the place is secret":
                    await service.KeepSecretFromJonas(plan);
                    break;
                case "the release ends":
                    await service.CaseWorker.Releases.EndReleaseAsync(new() { Name = release!.Name, Etag = release.Etag, RequestId = Cases.NewId() });
                    break;
                default:
                    await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() });
                    break;
            }

            var recall = Assert.Single(Of(plan, await feed.Pull()));

            Assert.Equal((ChangeKind.Recall, Cases.UnitOf(Care)), (recall.Kind, recall.Recall.Unit));
            Assert.Contains(InformationCategory.Existence, recall.Recall.Categories);
            _ = consent;
        }
        finally
        {
            if (unprotected)
            {
                await service.Reassign(DemonstrationDirectory.RegionIntegration, _ => { });
            }
        }
    }

    [Fact]
    public async Task What_ends_with_a_day_is_recalled_when_the_next_one_comes()
    {
        var feed = await Integration.Start(service);
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care, Cases.Period(0, 30));
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        Assert.NotEmpty(Of(plan, await feed.Pull()));

        await using (await LaterService.Start(service, 31))
        {
            for (var begin = TimeProvider.System.GetTimestamp(); await service.Scalar<long>($"SELECT count(*) FROM coordinationplan.change_recall WHERE plan_id = '{plan.Name["plans/".Length..]}'") == 0;)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), "The end of the period is not noted.");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task What_commits_late_is_delivered()
    {
        var feed = await Integration.Start(service);
        var (late, early) = (await Released(Care, InformationCategory.Meetings), await Released(Care, InformationCategory.Meetings));
        await feed.Pull();
        await using var slow = await service.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await slow.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await Touch(late, slow);
        await Touch(early, null);
        Assert.Equal([early.Name], (await PullWithoutWaiting()).Select(change => change.Plan));

        await transaction.CommitAsync(TestContext.Current.CancellationToken);

        Assert.Equal([late.Name], (await feed.Pull()).Select(change => change.Plan));

        async Task<List<Change>> PullWithoutWaiting()
        {
            for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(20))
            {
                var page = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor });
                feed.Cursor = page.NextCursor;
                if (page.Changes.Count > 0)
                {
                    return [.. page.Changes];
                }

                Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), "Nothing is delivered.");
            }
        }
    }

    [Fact]
    public async Task What_is_rolled_back_is_never_heard_of()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        await feed.Pull();
        await using (var connection = await service.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await Touch(plan, connection);
            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        }

        Assert.Empty(await feed.Pull());
    }

    [Fact]
    public async Task What_is_withdrawn_and_given_again_before_it_is_put_in_order_is_told_anew()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        Assert.NotEmpty(await feed.Pull());
        var meeting = await service.CallMeeting(plan, [Care], TimeSpan.FromDays(20));
        await service.Settled();
        await using (var connection = await service.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            // Nobody puts anything in order meanwhile.
            await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(7200011)", connection);
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await Withdraw((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0]);
            var page = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor });
            feed.Cursor = page.NextCursor;
            Assert.All(page.Changes, change => Assert.Equal(ChangeKind.Forgotten, change.Kind));
            Assert.NotEmpty(page.Changes);
            await service.Consent(plan, Care, [InformationCategory.Meetings]);
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", connection);
            await release.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var told = Of(plan, await feed.Pull());

        Assert.Equal([ChangeKind.Plan, ChangeKind.Participation, ChangeKind.Meeting, ChangeKind.Summons, ChangeKind.Task], told.Select(change => change.Kind));
        Assert.Equal(meeting.Name, told[2].Meeting.Name);
    }

    [Fact]
    public async Task What_changes_while_an_assignment_is_not_in_force_is_told_when_it_is_again()
    {
        var feed = await Integration.Start(service);
        var plan = await Released(Care, InformationCategory.Meetings);
        await feed.Pull();
        await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment => assignment.Period.EndDate = Cases.Period(-1, null).StartDate);
        await service.Join(plan, Psychiatry);
        await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor }).IsRefused();
        await service.Reassign(DemonstrationDirectory.RegionIntegration, _ => { });

        Assert.Equal(Cases.UnitOf(Psychiatry), Assert.Single(Of(plan, await feed.Pull())).Participation.Unit);
    }

    [Fact]
    public async Task From_any_cursor_the_rest_comes_again_alike()
    {
        var feed = await Integration.Start(service);
        for (var i = 0; i < 5; i++)
        {
            await service.Join(await Released(Care, InformationCategory.Meetings), Psychiatry);
        }

        var cursors = new List<(string Cursor, int Before)> { (feed.Cursor, 0) };
        await service.Settled();
        var all = new List<Change>();
        while (await feed.Feed.PullChangesAsync(new() { Cursor = cursors[^1].Cursor, PageSize = 2 }) is { Changes.Count: > 0 } page)
        {
            all.AddRange(page.Changes);
            cursors.Add((page.NextCursor, all.Count));
        }

        Assert.True(all.Count >= 15);
        foreach (var (cursor, before) in cursors)
        {
            feed.Cursor = cursor;
            Assert.Equal(all.Skip(before), await feed.Pull(pageSize: 3));
        }
    }

    [Fact]
    public async Task A_cursor_is_no_right_and_is_of_no_use_to_another()
    {
        var feed = await Integration.Start(service);
        var other = await Integration.Start(service, DemonstrationDirectory.SchoolRegister);

        foreach (var cursor in new[] { other.Cursor, "nonsense", feed.Cursor + "A", feed.Cursor[..^2] })
        {
            await feed.Feed.PullChangesAsync(new() { Cursor = cursor }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        }

        await service.CaseWorker.Changes.PullChangesAsync(new() { Cursor = feed.Cursor }).IsRefused();
    }

    [Fact]
    public async Task Every_delivered_change_is_accounted_for_in_the_log()
    {
        var feed = await Integration.Start(service);
        var plans = new[] { await Released(Care, InformationCategory.Meetings), await Released(Care, InformationCategory.Schooling) };
        await service.Settled();
        var start = await service.Now();

        var pulled = await feed.Feed.PullChangesAsync(new() { Cursor = feed.Cursor });

        var log = await service.LogSince(start);
        Assert.Equal(plans.Select(plan => plan.Name).Order(), log.Select(row => ResourceName.Plan(row.PlanId!.Value)).Order());
        Assert.Equal(pulled.Changes.Select(change => change.Plan).Distinct().Order(), plans.Select(plan => plan.Name).Order());
        Assert.Equal(
            Policy.Categories.Existence | Policy.Categories.Meetings, log.Single(row => ResourceName.Plan(row.PlanId!.Value) == plans[0].Name).Categories);
        Assert.Equal(Policy.Categories.Existence, log.Single(row => ResourceName.Plan(row.PlanId!.Value) == plans[1].Name).Categories);
    }

    private async Task<Plan> Released(DemonstrationEmployee unit, params InformationCategory[] categories)
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, unit);
        await service.Consent(plan, unit, categories);
        return plan;
    }

    private async Task Withdraw(Consent consent) =>
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });

    private static string Id(Plan plan) => plan.Name["plans/".Length..];

    private Task<long> ItemsOf(Plan plan) => service.Scalar<long>($"SELECT count(*) FROM coordinationplan.change_item WHERE plan_id = '{plan.Name["plans/".Length..]}'");

    private async Task Touch(Plan plan, NpgsqlConnection? connection)
    {
        await using var own = connection is null ? await service.Administrator.OpenConnectionAsync() : null;
        await using var command = new NpgsqlCommand($"UPDATE coordinationplan.plan SET legal_basis = legal_basis || ' ', version = version + 1 WHERE plan_id = '{plan.Name["plans/".Length..]}'", connection ?? own);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private async Task Update(Plan plan, Plan to, string field)
    {
        to.Name = plan.Name;
        await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = to,
            UpdateMask = new() { Paths = { field } },
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        });
    }

    private static List<Change> Of(Plan plan, IEnumerable<Change> changes) => [.. changes.Where(change => change.Plan == plan.Name)];
}
