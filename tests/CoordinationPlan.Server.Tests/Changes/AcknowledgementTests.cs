using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>What systems confirm, what they cannot process, what they forget; and what the owning unit sees of it.</summary>
public sealed class AcknowledgementTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task The_owning_unit_sees_which_revision_a_system_has_since_when()
    {
        var feed = await Integration.Start(service);
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        Assert.Empty(await Deliveries(plan));
        await feed.Pull();

        var told = Assert.Single(await Deliveries(plan));
        Assert.Equal(
            ("organisations/" + DemonstrationDirectory.Region, "systems/" + DemonstrationDirectory.RegionIntegration.Id, Cases.UnitOf(Care)), (told.Organisation, told.System, told.Unit));
        Assert.Equal([InformationCategory.Existence, InformationCategory.Meetings], told.Categories);
        Assert.Null(told.RevisionTime);
        Assert.NotNull(told.WaitingSinceTime);

        await feed.Acknowledge();
        told = Assert.Single(await Deliveries(plan));
        Assert.Equal((0, true), (told.Revision, told.WaitingSinceTime is null));
        var since = told.RevisionTime;

        var established = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal(1, established.Revision);
        await feed.Pull();
        Assert.Equal(0, Assert.Single(await Deliveries(plan)).Revision);
        await feed.Acknowledge();
        told = Assert.Single(await Deliveries(plan));
        Assert.Equal(1, told.Revision);
        Assert.True(told.RevisionTime > since);
    }

    [Fact]
    public async Task What_cannot_be_processed_is_kept_shown_and_a_task()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        var bad = (await feed.Pull())[0];

        await feed.Acknowledge(new Rejection { Event = bad.Event, Reason = RejectionReason.NotMatched });

        Assert.Equal(1, Assert.Single(await Deliveries(plan)).Rejected);
        Assert.Contains(await Tasks(), task => (task.Subject, task.Kind) == (plan.Name + "/deliveries", TaskKind.LookAtDelivery));
        await feed.Feed.AcknowledgeChangesAsync(new() { Cursor = feed.Cursor, Rejections = { new Rejection { Event = Cases.NewId(), Reason = RejectionReason.Internal } }, Etag = feed.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);

        // The next snapshot brings everything anew.
        await feed.Start();
        await feed.Pull();
        Assert.DoesNotContain(await Tasks(), task => task.Kind == TaskKind.LookAtDelivery && task.Subject.StartsWith(plan.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cursor_confirms_no_more_than_it_was_given_for_and_going_back_no_less()
    {
        var feed = await Integration.Start(service);
        var before = feed.Cursor;
        var plan = await Released();
        await feed.Pull();
        await feed.Acknowledge();
        var last = feed.Cursor;
        feed.Cursor = before;
        await feed.Acknowledge();
        Assert.Null(Assert.Single(await Deliveries(plan)).WaitingSinceTime);

        feed.Cursor = (await Integration.Start(service, DemonstrationDirectory.SchoolRegister)).Cursor;
        await feed.Feed.AcknowledgeChangesAsync(new() { Cursor = feed.Cursor, Etag = feed.Etag, RequestId = Cases.NewId() }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        await feed.Feed.AcknowledgeChangesAsync(new() { Cursor = last, Etag = "AAAAAAAAAAAAAAAA", RequestId = Cases.NewId() }).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
    }

    [Fact]
    public async Task A_recall_is_confirmed_once_with_a_receipt_that_the_owning_unit_sees()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        await feed.Pull();
        await Withdraw(plan);
        var recall = (await feed.Pull()).Single(change => change.Recall is not null).Recall;
        Assert.InRange(recall.DueTime.ToDateTimeOffset() - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(23), TimeSpan.FromHours(24.1));

        await Confirm(service.As(DemonstrationDirectory.SchoolRegister).Changes, recall).IsRefused();
        await feed.Feed.AcknowledgeRecallAsync(new() { Name = recall.Name, Receipt = "två ord", Etag = recall.Etag, RequestId = Cases.NewId() }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        var start = await service.Now();
        var confirmed = (await Confirm(feed.Feed, recall)).Recall;

        Assert.NotNull(confirmed.AcknowledgeTime);
        Assert.NotNull(Assert.Single(await service.LogSince(start)).SubjectId);
        await Confirm(feed.Feed, confirmed).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await Confirm(feed.Feed, recall).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        var delivery = Assert.Single(await Deliveries(plan));
        Assert.Empty(delivery.Categories);
        var seen = Assert.Single(delivery.Recalls);
        Assert.Equal(("GALLRAT-7", confirmed.AcknowledgeTime), (seen.Receipt, seen.AcknowledgeTime));
        Assert.Equal([InformationCategory.Existence, InformationCategory.Meetings], seen.Categories);
    }

    [Fact]
    public async Task A_recall_that_is_not_confirmed_in_time_is_a_task_until_it_is()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        await feed.Pull();
        await Withdraw(plan);
        var recall = (await feed.Pull()).Single(change => change.Recall is not null).Recall;
        Assert.DoesNotContain(await Tasks(), IsOfThePlan);

        await using var later = await LaterService.Start(service, 2);
        Assert.Contains(
            (await later.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks, task => IsOfThePlan(task) && task is { State: TaskState.Overdue, Kind: TaskKind.AcknowledgeRecall });
        await later.As(DemonstrationDirectory.RegionIntegration).Changes.AcknowledgeRecallAsync(new() { Name = recall.Name, Receipt = "R1", Etag = recall.Etag, RequestId = Cases.NewId() });
        Assert.DoesNotContain((await later.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks, task => IsOfThePlan(task) && task.Kind == TaskKind.AcknowledgeRecall);
        Assert.Contains(
            (await later.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500, States = { TaskState.Done }, DoneSince = Cases.Today })).Tasks,
            task => IsOfThePlan(task) && task.Kind == TaskKind.AcknowledgeRecall);

        bool IsOfThePlan(UnitTask task) => task.Subject == plan.Name + "/deliveries";
    }

    [Fact]
    public async Task A_school_is_named_only_to_those_who_may_know_which_it_is()
    {
        var register = await Integration.Start(service, DemonstrationDirectory.SchoolRegister);
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.SecureSchool(plan);
        Assert.NotEmpty(await register.Pull());

        Assert.Equal(Cases.UnitOf(DemonstrationDirectory.School), Assert.Single(await Deliveries(plan)).Unit);
    }

    [Fact]
    public async Task What_is_not_kept_any_more_is_begun_anew_clean_and_complete()
    {
        var feed = await Integration.Start(service);
        var old = feed.Cursor;
        var (stays, goes) = (await Released(), await Released());
        await feed.Pull();
        await Withdraw(goes);
        var recall = (await feed.Pull()).Single(change => change.Recall is not null).Recall;
        await service.Reorder(TimeSpan.FromDays(31));
        await using (var keeper = await LaterService.Start(service, 0))
        {
            await keeper.RemoveOldChanges();
        }

        foreach (var cursor in new[] { old, "" })
        {
            var page = await feed.Feed.PullChangesAsync(new() { Cursor = cursor });
            Assert.Equal((true, 0), (page.ResyncRequired, page.Changes.Count));
        }

        using (var stream = feed.Feed.WatchChanges(new() { Cursor = old }))
        {
            Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
            Assert.True(stream.ResponseStream.Current.ResyncRequired);
            Assert.False(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        }

        await feed.Start();
        var snapshot = await feed.Pull();

        Assert.Equal((ChangeKind.SnapshotBegin, ChangeKind.SnapshotEnd), (snapshot[0].Kind, snapshot[^1].Kind));
        Assert.Contains(snapshot, change => change.Plan == stays.Name && change.Participation is not null);
        // What was recalled is still to be confirmed, and is told again; what was told of it before is told no more.
        Assert.Equal(recall, Assert.Single(snapshot, change => change.Plan == goes.Name).Recall);
        Assert.NotNull((await Confirm(feed.Feed, recall)).Recall.AcknowledgeTime);
        Assert.True((await feed.Feed.PullChangesAsync(new() { Cursor = old })).ResyncRequired);
    }

    [Fact]
    public async Task A_recall_that_was_never_heard_comes_first_of_the_next_snapshot_until_it_is_confirmed()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        await feed.Pull();
        await Withdraw(plan);

        // It begins anew without having heard what has come since.
        await feed.Start();
        var snapshot = await feed.Pull();
        var recall = Assert.Single(snapshot, change => change.Plan == plan.Name).Recall;
        Assert.Equal(plan.Name, recall.Plan);
        Assert.Contains(InformationCategory.Existence, recall.Categories);
        Assert.True(snapshot.FindIndex(change => change.Recall == recall) < snapshot.FindIndex(change => change.Kind is not (ChangeKind.Recall or ChangeKind.SnapshotBegin)));
        Assert.InRange(recall.CreateTime.ToDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-2), TimeProvider.System.GetUtcNow());
        await Confirm(feed.Feed, recall);

        await feed.Start();
        Assert.DoesNotContain(await feed.Pull(), change => change.Plan == plan.Name);
    }

    /// <summary>Whoever cannot be reached under an assignment any more is told under another.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_recalled_under_an_assignment_that_is_revoked_or_loses_its_purpose_is_told_under_the_next(bool isRevoked)
    {
        var (first, second) = (await Assign(), await Assign());
        var before = await Integration.Start(service, assignment: first);
        var plan = await Released();
        await before.Pull();
        await Withdraw(plan);
        var recall = Assert.Single(await before.Pull(), change => change.Plan == plan.Name && change.Recall is not null).Recall;
        var beside = await Integration.Start(service, assignment: second);
        Assert.DoesNotContain(beside.Delivered, change => change.Recall?.Name == recall.Name);

        await (isRevoked ? (Task)Assign(first, isRevoked: true) : service.Reassign(
            DemonstrationDirectory.RegionIntegration, assignment => (assignment.Name, assignment.Purposes[0]) = (first, Purpose.SocialServicesCase)));
        await beside.Start();
        var again = Assert.Single(await beside.Pull(), change => change.Recall?.Name == recall.Name);

        Assert.Equal((plan.Name, Cases.UnitOf(Care)), (again.Plan, again.Unit));
        Assert.NotNull((await Confirm(beside.Feed, again.Recall)).Recall.AcknowledgeTime);
        // Another system of another organisation hears nothing of it.
        Assert.DoesNotContain((await Integration.Start(service, DemonstrationDirectory.SchoolRegister)).Delivered, change => change.Recall is not null && change.Plan == plan.Name);
    }

    [Fact]
    public async Task What_was_recalled_from_one_school_is_not_told_to_another_of_the_same_organiser()
    {
        var other = DemonstrationDirectory.SchoolRegister with { UnitId = "45678901" };
        await service.AddSchool(other.UnitId);
        var (here, there) = ("assignments/" + Cases.NewId(), "assignments/" + Cases.NewId());
        await service.Reassign(DemonstrationDirectory.SchoolRegister, assignment => assignment.Name = here);
        await service.Reassign(other, assignment => assignment.Name = there);
        var feed = await Integration.Start(service, DemonstrationDirectory.SchoolRegister, here);
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.SecureSchool(plan);
        Assert.NotEmpty(await feed.Pull());
        await Withdraw(plan);
        Assert.Contains(await feed.Pull(), change => change.Recall is not null);
        await service.Reassign(DemonstrationDirectory.SchoolRegister, assignment => (assignment.Name, assignment.Revoked) = (here, true));

        Assert.DoesNotContain((await Integration.Start(service, other, there)).Delivered, change => change.Plan == plan.Name);
        // The same school's next assignment hears of it.
        var next = "assignments/" + Cases.NewId();
        await service.Reassign(DemonstrationDirectory.SchoolRegister, assignment => assignment.Name = next);
        Assert.Contains((await Integration.Start(service, DemonstrationDirectory.SchoolRegister, next)).Delivered, change => change.Plan == plan.Name && change.Recall is not null);
    }

    [Fact]
    public async Task A_confirmation_that_is_repeated_is_answered_again_with_the_person_in_the_log()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        await feed.Pull();
        await Withdraw(plan);
        var recall = Assert.Single(await feed.Pull(), change => change.Plan == plan.Name && change.Recall is not null).Recall;
        var request = new AcknowledgeRecallRequest { Name = recall.Name, Receipt = "R-1", Etag = recall.Etag, RequestId = Cases.NewId() };
        var start = await service.Now();

        Assert.Equal(await feed.Feed.AcknowledgeRecallAsync(request), await feed.Feed.AcknowledgeRecallAsync(request));

        var entries = await service.LogSince(start);
        Assert.Equal(2, entries.Count);
        Assert.NotNull(entries[0].SubjectId);
        Assert.Equal((entries[0].SubjectId, entries[0].Categories), (entries[1].SubjectId, entries[1].Categories));
    }

    [Fact]
    public async Task What_is_left_of_a_snapshot_is_passed_over_when_another_has_begun()
    {
        var feed = await Integration.Start(service);
        var plan = await Released();
        await feed.Pull();
        await feed.Start();
        await feed.Pull();

        // As if it had been noted by the snapshot before, and was taken late.
        await Note("r.snapshot - 1", plan);
        Assert.Empty(await feed.Pull());
        await Note("r.snapshot", plan);
        Assert.Contains(await feed.Pull(), change => change.Kind == ChangeKind.SnapshotEnd);
    }

    /// <summary>However many plans a snapshot has, nobody's recall waits for it.</summary>
    [Fact]
    public async Task What_has_changed_goes_before_the_plans_of_a_snapshot()
    {
        var feed = await Integration.Start(service);
        var (told, withdrawn) = (await Released(), await Released());
        await feed.Pull();
        await using (var connection = await service.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var hold = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(7200011)", connection);
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await Note("r.snapshot", [.. Enumerable.Repeat(told, 1500)]);
            await Withdraw(withdrawn);
            await using var release = new Npgsql.NpgsqlCommand("SELECT pg_advisory_unlock_all()", connection);
            await release.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var after = await feed.Pull();

        Assert.Equal((ChangeKind.Recall, withdrawn.Name), (after[0].Kind, after[0].Plan));
        Assert.Equal(ChangeKind.SnapshotEnd, after[^1].Kind);
        Assert.True(after.Count(change => change.Plan == told.Name && change.Kind == ChangeKind.Plan) >= 2);
    }

    [Fact]
    public async Task By_what_it_rejected_or_was_not_told_a_system_holds_no_revision()
    {
        var feed = await Integration.Start(service);
        var ((rejected, _), (withdrawn, participation)) = (await Complete(), await Complete());
        await feed.Pull();
        await feed.Acknowledge();
        foreach (var plan in new[] { rejected, withdrawn })
        {
            var now = await service.Read(DemonstrationDirectory.CaseWorker, plan);
            await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = now.Etag, RequestId = Cases.NewId() });
        }

        await service.Settled();
        await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() });
        var told = await feed.Pull();
        Assert.Contains(told, change => change.Kind == ChangeKind.Forgotten);
        var established = Assert.Single(told, change => change.Plan == rejected.Name && change.Kind == ChangeKind.Plan);
        await feed.Acknowledge(new Rejection { Event = established.Event, Reason = RejectionReason.ContentNotTaken });

        Assert.Equal((0, 1), (Assert.Single(await Deliveries(rejected)).Revision, Assert.Single(await Deliveries(rejected)).Rejected));
        Assert.Equal(0, Assert.Single(await Deliveries(withdrawn)).Revision);

        async Task<(Plan Plan, Participation Participation)> Complete()
        {
            var plan = await service.OpenCompletePlan(Cases.NewPerson());
            var participation = await service.Join(plan, Care);
            await service.Consent(plan, Care, [InformationCategory.Meetings]);
            return (plan, participation);
        }
    }

    /// <summary>One more assignment of the region's system.</summary>
    private async Task<string> Assign(string? name = null, bool isRevoked = false) =>
        (await service.Reassign(DemonstrationDirectory.RegionIntegration, assignment => (assignment.Name, assignment.Revoked) = (name ?? "assignments/" + Cases.NewId(), isRevoked))).Name;

    /// <summary>Notes plans of a snapshot of the region's system, and its end, as the sequencer does.</summary>
    private async Task Note(string snapshot, params Plan[] plans)
    {
        await using var command = service.Administrator.CreateCommand(
            $"""
            INSERT INTO coordinationplan.change_pending (kind, plan_id, receiver, snapshot)
            SELECT x.kind, x.plan_id, r.receiver, {snapshot}
            FROM coordinationplan.change_receiver r, (SELECT 10 AS kind, p.plan_id FROM unnest($1::uuid[]) AS p (plan_id) UNION ALL SELECT 9, NULL) x
            WHERE r.assignment_id = $2
            """);
        command.Parameters.Add(new() { Value = plans.Select(plan => Guid.Parse(plan.Name.AsSpan("plans/".Length))).ToArray() });
        command.Parameters.Add(new() { Value = service.Names.Stored(ResourceName.Assignments, DemonstrationDirectory.RegionIntegration.AssignmentId) });
        Assert.Equal(plans.Length + 1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }

    private async Task<Plan> Released()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        return plan;
    }

    private async Task Withdraw(Plan plan)
    {
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0];
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
    }

    private static AsyncUnaryCall<AcknowledgeRecallResponse> Confirm(ChangeFeedService.ChangeFeedServiceClient changes, Recall recall) =>
        changes.AcknowledgeRecallAsync(new() { Name = recall.Name, Receipt = "GALLRAT-7", Etag = recall.Etag, RequestId = Cases.NewId() });

    private async Task<IReadOnlyList<Delivery>> Deliveries(Plan plan) => (await service.CaseWorker.Changes.ListDeliveriesAsync(new() { Parent = plan.Name })).Deliveries;

    private async Task<IReadOnlyList<UnitTask>> Tasks() => (await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks;
}
