using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Participations;

/// <summary>A region's system and the service in step about who takes part.</summary>
public sealed class ParticipationSyncTests(Service service) : IClassFixture<Service>
{
    private const SyncedParticipationState Waiting = SyncedParticipationState.Waiting;
    private const SyncedParticipationState InStep = SyncedParticipationState.InStep;
    private const SyncedParticipationState Ended = SyncedParticipationState.Ended;
    private const SyncedParticipationState Declined = SyncedParticipationState.Declined;
    private const SyncedParticipationState Conflict = SyncedParticipationState.Conflict;

    private static DemonstrationEmployee Integration => DemonstrationDirectory.RegionIntegration;

    private static DemonstrationEmployee Ward => DemonstrationDirectory.Ward;

    [Fact]
    public async Task A_unit_waits_for_the_owning_unit_and_reads_nothing_without_a_release()
    {
        var plan = await KnownPlan();
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();

        var result = Assert.Single(await service.Sync(Cases.Item(plan, Ward)));

        Assert.Equal((ErrorReason.Unspecified, Waiting), (result.Reason, result.State));
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        var task = Assert.Single(await Tasks(plan), task => task.Kind == TaskKind.AnswerSyncedParticipation);
        Assert.Equal((result.Name, Cases.Today), (task.Subject, task.DueDate));

        var answered = await Answer(await Synced(plan), SyncAnswer.Accept);

        Assert.Equal((InStep, SyncAnswer.Accept, Cases.HalfAYear), (answered.State, answered.Answer, answered.AcceptedPeriod));
        var participation = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward));
        Assert.Equal((answered.Participation, Cases.HalfAYear), (participation.Name, participation.Period));
        Assert.DoesNotContain(await Tasks(plan), task => task.Kind == TaskKind.AnswerSyncedParticipation);
        Assert.Equal(result.Name, Assert.Single(await Tasks(plan, TaskState.Done), task => task.Kind == TaskKind.AnswerSyncedParticipation).Subject);
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.Consent(plan, Ward, [InformationCategory.Health]);
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name });
    }

    [Fact]
    public async Task Where_it_comes_from_is_kept()
    {
        var plan = await KnownPlan();
        var item = Cases.Item(plan, Ward, "vårdrelation-77", 3);
        await service.Sync(item);

        var synced = await Synced(plan);

        Assert.Equal(("vårdrelation-77", 3, ParticipantRole.NamedCareContact, item.NamedCareContact), (synced.ExternalId, synced.ExternalVersion, synced.Role, synced.NamedCareContact));
        Assert.Equal($"systems/{Integration.Id}", synced.System);
        Assert.Equal(item.ExternalTime.ToDateTimeOffset(), synced.ExternalTime.ToDateTimeOffset(), TimeSpan.FromMilliseconds(1));
        Assert.InRange(synced.ReceiveTime.ToDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow());
        // The system's id and who the contact is are for those who may read them, and not for the database.
        var dump = await service.Dump();
        foreach (var secret in new List<string> { synced.ExternalId, synced.NamedCareContact.DisplayName, "SE2321000016-E999" })
        {
            Assert.DoesNotContain(secret, dump, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_the_system_ends_ends_at_once_and_comes_back_only_by_another_answer()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Accept);
        await service.Consent(plan, Ward, [InformationCategory.Health]);
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name });

        Assert.Equal(Ended, (await service.Sync(Cases.Item(plan, Ward, version: 2, ended: true)))[0].State);

        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        Assert.True(Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward)).Ended);
        Assert.Equal(Waiting, (await service.Sync(Cases.Item(plan, Ward, version: 3)))[0].State);
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await Answer(await Synced(plan), SyncAnswer.Accept);
        await service.As(Ward).Plans.GetPlanAsync(new() { Name = plan.Name });
    }

    [Fact]
    public async Task Fewer_days_take_effect_at_once_and_more_wait()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Accept);

        Assert.Equal(InStep, (await service.Sync(Cases.Item(plan, Ward, version: 2, period: Cases.Period(0, 30))))[0].State);
        Assert.Equal(Cases.Period(0, 30), await PeriodOf(plan, Ward));
        Assert.Equal(Waiting, (await service.Sync(Cases.Item(plan, Ward, version: 3, period: Cases.Period(0, 400))))[0].State);
        Assert.Equal(Cases.HalfAYear, await PeriodOf(plan, Ward));
        // Declining the longer time leaves the part that was accepted.
        Assert.Equal(Declined, (await Answer(await Synced(plan), SyncAnswer.Decline)).State);
        Assert.Equal(Cases.HalfAYear, await PeriodOf(plan, Ward));
        Assert.Equal(Conflict, (await service.Sync(Cases.Item(plan, Ward, version: 4, period: Cases.Period(0, 500))))[0].State);
        await Answer(await Synced(plan), SyncAnswer.Accept);
        Assert.Equal(Cases.Period(0, 500), await PeriodOf(plan, Ward));
    }

    [Fact]
    public async Task What_a_person_has_decided_wins_and_only_something_new_is_a_conflict()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Decline);

        Assert.Equal(Declined, (await service.Sync(Cases.Item(plan, Ward)))[0].State);
        Assert.DoesNotContain(await Tasks(plan), task => task.Kind == TaskKind.SettleSyncConflict);
        var result = (await service.Sync(Cases.Item(plan, Ward, version: 2)))[0];
        Assert.Equal(Conflict, result.State);
        Assert.Equal(result.Name, Assert.Single(await Tasks(plan), task => task.Kind == TaskKind.SettleSyncConflict).Subject);
        Assert.DoesNotContain((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward));

        await Answer(await Synced(plan), SyncAnswer.Decline);

        Assert.DoesNotContain(await Tasks(plan), task => task.Kind == TaskKind.SettleSyncConflict);
        Assert.Single(await Tasks(plan, TaskState.Done), task => task.Kind == TaskKind.SettleSyncConflict);
        // One who has thought better of it accepts what was declined.
        Assert.Equal(InStep, (await Answer(await Synced(plan), SyncAnswer.Accept)).State);
        await service.CaseWorker.ParticipationSync.AnswerSyncedParticipationAsync(Answering(await Synced(plan), SyncAnswer.Decline)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task A_participation_that_a_person_has_added_is_not_changed_by_a_system()
    {
        var plan = await KnownPlan();
        var own = await service.Join(plan, Ward);

        await service.Sync(Cases.Item(plan, Ward));
        Assert.Equal(InStep, (await Synced(plan)).State);
        await service.Sync(Cases.Item(plan, Ward, version: 2, ended: true));
        Assert.Equal(Conflict, (await Synced(plan)).State);

        var kept = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward));
        Assert.Equal(own, kept);
        Assert.Single(await Tasks(plan), task => task.Kind == TaskKind.SettleSyncConflict);
        // By a person's answer it becomes what the system says.
        Assert.Equal(Ended, (await Answer(await Synced(plan), SyncAnswer.Accept)).State);
        Assert.True(Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward)).Ended);
    }

    [Fact]
    public async Task What_a_person_ends_stays_ended_and_so_does_everybodys_part_in_a_closed_plan()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Accept);
        var joined = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward));
        await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = joined.Name, Etag = joined.Etag, RequestId = Cases.NewId() });

        Assert.Equal((Declined, SyncAnswer.Decline), ((await Synced(plan)).State, (await Synced(plan)).Answer));
        Assert.Equal(Declined, (await service.Sync(Cases.Item(plan, Ward)))[0].State);
        Assert.Equal(Conflict, (await service.Sync(Cases.Item(plan, Ward, version: 2)))[0].State);
        Assert.All((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations.Where(one => one.Unit == Cases.UnitOf(Ward)), one => Assert.True(one.Ended));

        await Answer(await Synced(plan), SyncAnswer.Accept);
        var current = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = current.Etag, RequestId = Cases.NewId() });
        Assert.Equal(Declined, (await Synced(plan)).State);
        // The region takes part no longer, so its system knows of no such plan any more.
        Assert.Equal(ErrorReason.AccessDenied, (await service.Sync(Cases.Item(plan, Ward, version: 9)))[0].Reason);
    }

    [Fact]
    public async Task Of_a_closed_plan_nothing_is_taken_also_where_the_region_owns_it()
    {
        var owner = service.As(DemonstrationDirectory.PrimaryCare);
        var plan = await service.OpenPlan(Cases.NewPerson(), owner: DemonstrationDirectory.PrimaryCare);
        Assert.Equal(Waiting, (await service.Sync(Cases.Item(plan, Ward)))[0].State);
        await owner.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() });
        var before = await Kept();

        var results = await service.Sync(Cases.Item(plan, Ward, version: 2), Cases.Item(plan, Ward, version: 3, ended: true), Cases.Item(plan, Ward, "another"));

        Assert.All(results, result => Assert.Equal((ErrorReason.WrongState, ""), (result.Reason, result.Name)));
        Assert.Equal(before, await Kept());

        async Task<string> Kept() => (await owner.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).ToString();
    }

    [Theory]
    [InlineData(InformationCategory.Schooling)]
    [InlineData(InformationCategory.Meetings)]
    public async Task Whether_a_person_has_brought_a_unit_in_is_told_by_a_reports_state_only_to_who_may_know_who_takes_part(InformationCategory released)
    {
        var feed = await Changes.Integration.Start(service);
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [released]);
        await service.Join(plan, Ward);
        var mayKnow = released == InformationCategory.Meetings;
        var start = await service.Now();
        var items = new[] { Cases.Item(plan, Ward, period: Cases.Period(0, 99)), Cases.Item(plan, DemonstrationDirectory.ChildPsychiatry) };

        var tried = await service.As(Integration).ParticipationSync.BatchSyncParticipationsAsync(new() { Items = { items }, RequestId = Cases.NewId(), ValidateOnly = true });
        var said = await service.Sync(items);
        await feed.Pull();

        var expected = new[] { mayKnow ? Conflict : Waiting, Waiting };
        Assert.Equal(expected, tried.Results.Select(result => result.State));
        Assert.Equal(expected, said.Select(result => result.State));
        Assert.Equal(
            expected.Order(), feed.Delivered.Where(change => change.Plan == plan.Name && change.SyncedParticipation is not null).GroupBy(change => change.SyncedParticipation.Name).Select(of => of.Last().SyncedParticipation.State).Order());
        Assert.Equal(
            expected.Order(), (await service.As(Integration).ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations.Select(synced => synced.State).Order());
        Assert.All(
            (await service.LogSince(start)).Where(row => row.Method.EndsWith("BatchSyncParticipations", StringComparison.Ordinal)),
            row => Assert.Equal(mayKnow ? Policy.Categories.Existence | Policy.Categories.Meetings : Policy.Categories.Existence, row.Categories));
        // The owning unit sees it as it is.
        Assert.Contains(Conflict, (await AllSynced(plan)).Select(synced => synced.State));

        // Who may not know it any more is told otherwise in place of what it was told.
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents.Single(one => one.Categories.Contains(released));
        await feed.Pull();
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        Assert.Equal(
            mayKnow ? [Waiting, Waiting] : Array.Empty<SyncedParticipationState>(),
            (await feed.Pull()).Where(change => change.Plan == plan.Name && change.SyncedParticipation is not null).Select(change => change.SyncedParticipation.State));
    }

    [Fact]
    public async Task Two_reports_with_days_in_between_are_not_joined()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward, "a", period: Cases.Period(0, 10)), Cases.Item(plan, Ward, "b", period: Cases.Period(200, 210)), Cases.Item(plan, Ward, "c", period: Cases.Period(11, 20)));
        await Answer((await AllSynced(plan)).Single(synced => synced.ExternalId == "a"), SyncAnswer.Accept);
        var far = (await AllSynced(plan)).Single(synced => synced.ExternalId == "b");

        await service.CaseWorker.ParticipationSync.AnswerSyncedParticipationAsync(Answering(far, SyncAnswer.Accept)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        Assert.Equal(Cases.Period(0, 10), await PeriodOf(plan, Ward));
        await Answer((await AllSynced(plan)).Single(synced => synced.ExternalId == "c"), SyncAnswer.Accept);
        Assert.Equal(Cases.Period(0, 20), await PeriodOf(plan, Ward));
        await service.Sync(Cases.Item(plan, Ward, "a", 2, ended: true), Cases.Item(plan, Ward, "c", 2, ended: true));
        await Answer((await AllSynced(plan)).Single(synced => synced.ExternalId == "b"), SyncAnswer.Accept);
        Assert.Equal(Cases.Period(200, 210), await PeriodOf(plan, Ward));

        // Nor does what is over reach to what is to come.
        await service.Sync(Cases.Item(plan, Ward, "d", period: Cases.Period(-20, -1)));
        await Answer((await AllSynced(plan)).Single(synced => synced.ExternalId == "d"), SyncAnswer.Accept);
        Assert.Equal(Cases.Period(200, 210), await PeriodOf(plan, Ward));
    }

    [Fact]
    public async Task Two_reports_of_one_unit_hold_it_in_the_plan_until_both_have_ended()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward, "a"), Cases.Item(plan, Ward, "b", period: Cases.Period(0, 300)));
        foreach (var synced in await AllSynced(plan))
        {
            await Answer(synced, SyncAnswer.Accept);
        }

        Assert.Equal(Cases.Period(0, 300), await PeriodOf(plan, Ward));
        await service.Sync(Cases.Item(plan, Ward, "b", 2, ended: true));
        Assert.Equal(Cases.HalfAYear, await PeriodOf(plan, Ward));
        await service.Sync(Cases.Item(plan, Ward, "a", 2, ended: true));
        Assert.All((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations.Where(one => one.Unit == Cases.UnitOf(Ward)), one => Assert.True(one.Ended));
    }

    [Fact]
    public async Task A_faulty_item_harms_no_other_and_each_is_answered_in_its_place()
    {
        var plan = await KnownPlan();
        var noVersion = Cases.Item(plan, Ward, "1");
        noVersion.ExternalVersion = 0;
        var noContact = Cases.Item(plan, Ward, "2");
        noContact.NamedCareContact = null;
        var backwards = Cases.Item(plan, Ward, "3", period: Cases.Period(10, 0));
        var noRole = Cases.Item(plan, Ward, "4");
        noRole.Role = ParticipantRole.Unspecified;
        var noPlan = Cases.Item(plan, Ward, "5");
        noPlan.Plan = "plans/1";
        var longId = Cases.Item(plan, Ward, new string('x', 65));
        var unit = Cases.Item(plan, Ward, "6");
        unit.Unit = "ward";

        var results = await service.Sync(noVersion, Cases.Item(plan, Ward, "good"), noContact, backwards, noRole, noPlan, longId, unit, Cases.Item(plan, DemonstrationDirectory.Psychiatry, "good"));

        Assert.Equal(
            ["external_version", "", "named_care_contact", "period.end_date", "role", "plan", "external_id", "unit", ""], results.Select(result => result.Field));
        Assert.Equal(Enumerable.Range(0, 9), results.Select(result => result.Index));
        Assert.All(results, result => Assert.Equal(result.Field.Length > 0 ? ErrorReason.InvalidFields : ErrorReason.Unspecified, result.Reason));
        Assert.Equal(2, (await AllSynced(plan)).Count);
    }

    [Fact]
    public async Task Plans_and_units_that_the_organisation_has_nothing_to_do_with_are_answered_alike_and_logged()
    {
        var (known, stranger) = (await KnownPlan(), await service.OpenPlan(Cases.NewPerson()));
        var refused = await service.OpenPlan(Cases.NewPerson());
        await service.Join(refused, DemonstrationDirectory.PrimaryCare);
        await service.Consent(refused, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health], consent => consent.State = ConsentState.Refused);
        var blocked = await KnownPlan();
        await service.CaseWorker.Protection.AddBlockAsync(new()
        {
            Parent = blocked.Name,
            Block = new() { Unit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
            Etag = blocked.Etag,
            RequestId = Cases.NewId(),
        });
        var never = new Plan { Name = ResourceName.Plan(Ids.Opaque()) };
        var unknownUnit = Cases.Item(known, Ward);
        unknownUnit.Unit = "units/SE2321000016-FINNS-INTE";
        var start = await service.Now();

        var results = await service.Sync(
            Cases.Item(stranger, Ward), Cases.Item(never, Ward), Cases.Item(refused, Ward), Cases.Item(blocked, Ward),
            Cases.Item(known, DemonstrationDirectory.OtherCaseWorker), Cases.Item(known, DemonstrationDirectory.Shelter), unknownUnit);

        Assert.All(results, result => Assert.Equal(new ParticipationItemResult { Index = result.Index, Reason = ErrorReason.AccessDenied }, result));
        var entries = await service.LogSince(start);
        Assert.Equal(
            [
                (stranger.Name, AccessOutcome.Refused, "NO_RELATION"), (never.Name, AccessOutcome.Refused, "NO_SUCH_PLAN"), (refused.Name, AccessOutcome.Refused, "NO_RELEASE"),
                (blocked.Name, AccessOutcome.Refused, "BLOCKED"), (known.Name, AccessOutcome.Permitted, "ROLE_ALONE"),
            ],
            entries.OrderBy(entry => Array.FindIndex([stranger.Name, never.Name, refused.Name, blocked.Name, known.Name], name => name == ResourceName.Plan(entry.PlanId!.Value)))
                .Select(entry => (ResourceName.Plan(entry.PlanId!.Value), entry.Outcome, entry.Reason)));
        Assert.Empty(await AllSynced(known));
        Assert.Empty(await AllSynced(stranger));
        Assert.Equal(1, await service.Count($"alert WHERE plan_id = '{blocked.Name["plans/".Length..]}' AND kind = {(int)AlertKind.BlockedAttempt}"));
        Assert.Equal(0, await service.Count($"alert WHERE plan_id = '{stranger.Name["plans/".Length..]}'"));
    }

    [Fact]
    public async Task A_batch_that_is_sent_again_after_a_withdrawal_tells_nothing_more()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        var consent = await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health]);
        var request = new BatchSyncParticipationsRequest { Items = { Cases.Item(plan, Ward) }, RequestId = Cases.NewId() };
        var system = service.As(Integration).ParticipationSync;
        var first = await system.BatchSyncParticipationsAsync(request);
        Assert.Equal(first, await system.BatchSyncParticipationsAsync(request));

        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });

        Assert.Equal(ErrorReason.AccessDenied, Assert.Single((await system.BatchSyncParticipationsAsync(request)).Results).Reason);
        await system.ListSyncedParticipationsAsync(new() { Parent = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task A_system_reads_what_its_own_organisation_has_sent_and_what_became_of_it_within_what_is_released()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Accept);

        var synced = Assert.Single((await service.As(Integration).ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations);

        Assert.Equal((InStep, "vårdrelation-1", Cases.UnitOf(Ward), "Vera Vårdkontakt"), (synced.State, synced.ExternalId, synced.Unit, synced.NamedCareContact.DisplayName));
        Assert.Equal(("", null), (synced.Participation, synced.AcceptedPeriod));
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        synced = Assert.Single((await service.As(Integration).ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations);
        Assert.NotEmpty(synced.Participation);
        Assert.Equal(Cases.HalfAYear, synced.AcceptedPeriod);
        await service.As(DemonstrationDirectory.PrimaryCare).ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task What_another_system_of_the_organisation_has_sent_is_read_with_the_meetings_alone()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Sql("UPDATE coordinationplan.synced_participation SET client_system = $2 WHERE plan_id = $1", plan, service.Names.Stored(ResourceName.Systems, "another-system"));
        var system = service.As(Integration).ParticipationSync;

        Assert.Empty((await system.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations);

        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        Assert.Equal("systems/another-system", Assert.Single((await system.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations).System);
    }

    [Fact]
    public async Task A_substitute_belongs_to_the_answer_that_it_came_with()
    {
        var plan = await KnownPlan();
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(5));
        var system = service.As(Integration).Meetings;
        var answer = new ReplyToCallRequest
        {
            Name = meeting.Name,
            Reply = CallReply.Substitute,
            Substitute = new() { Employee = "employees/SE2321000016-E778" },
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        };
        Assert.NotNull((await system.ReplyToCallAsync(answer)).Call.Substitute);

        // A server of the version before writes another answer, and knows nothing of whom the first one named.
        await Sql("UPDATE coordinationplan.meeting_call SET replied_at = replied_at + interval '1 second', version = version + 1 WHERE plan_id = $1 AND $2 <> ''", plan, "-");

        var call = Assert.Single((await system.ListCallsAsync(new() { Parent = plan.Name })).Calls);
        Assert.Equal((CallReply.Substitute, null), (call.Reply, call.Substitute));
    }

    [Fact]
    public async Task A_system_calls_for_the_units_of_its_own_organisation_and_for_no_others()
    {
        var plan = await KnownPlan();
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.ChildPsychiatry], TimeSpan.FromDays(5));

        Assert.Empty((await service.As(Integration).Meetings.ListCallsAsync(new() { Parent = plan.Name })).Calls);
        var start = await service.Now();
        var call = Assert.Single((await For(DemonstrationDirectory.ChildPsychiatry).Meetings.ListCallsAsync(new() { Parent = plan.Name })).Calls);

        Assert.Equal(meeting.Name, call.Meeting);
        Assert.Equal(DemonstrationDirectory.ChildPsychiatry.UnitId, Assert.Single(await service.LogSince(start)).UnitId);
        // Not for a unit that has nothing to do with it, one of another organisation, or none; and no employee calls for another unit.
        await For(DemonstrationDirectory.Psychiatry).Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        await For(DemonstrationDirectory.CaseWorker).Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        await For("BUP").Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        var employee = service.Infrastructure.Choice(DemonstrationDirectory.PrimaryCare) with { Unit = Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry) };
        await service.As(employee, DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.PrimaryCare)).Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        Assert.Equal("ASSIGNMENT_NOT_IN_FORCE", (await service.LogSince(start))[^1].Reason);
    }

    [Fact]
    public async Task Whatever_the_order_that_versions_come_in_a_unit_takes_part_in_the_end_or_does_not()
    {
        var (first, other) = (Cases.Period(0, 30), Cases.Period(60, 90));
        foreach (var batches in new long[][][] { [[2], [3]], [[3], [2]], [[2, 3]] })
        {
            var plan = await KnownPlan();
            await service.Sync(Cases.Item(plan, Ward, period: first));
            await Answer(await Synced(plan), SyncAnswer.Accept);
            foreach (var versions in batches)
            {
                await service.Sync([.. versions.Select(version => Cases.Item(plan, Ward, version: version, period: version == 2 ? other : first))]);
            }

            // The days were accepted, and the system is back at them.
            var synced = await Synced(plan);
            var part = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward) && !one.Ended);
            Assert.Equal((InStep, part.Name, first), (synced.State, synced.Participation, part.Period));
            Assert.Equal(InStep, (await service.Sync(Cases.Item(plan, Ward, version: 4, period: Cases.Period(0, 20))))[0].State);
            Assert.Equal(Cases.Period(0, 20), await PeriodOf(plan, Ward));
        }
    }

    [Fact]
    public async Task What_a_person_has_ended_or_never_accepted_no_report_brings_back()
    {
        // The longer time was declined, the shorter one went on, and then a person has ended it.
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward, period: Cases.Period(0, 30)));
        await Answer(await Synced(plan), SyncAnswer.Accept);
        await service.Sync(Cases.Item(plan, Ward, version: 2, period: Cases.Period(0, 60)));
        await Answer(await Synced(plan), SyncAnswer.Decline);
        var part = await PartOf();
        await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = part!.Name, Etag = part.Etag, RequestId = Cases.NewId() });
        foreach (var item in new[] { Cases.Item(plan, Ward, version: 2, period: Cases.Period(0, 60)), Cases.Item(plan, DemonstrationDirectory.ChildPsychiatry, "annan"), Cases.Item(plan, Ward, version: 3, period: Cases.Period(0, 20)) })
        {
            await service.Sync(item);
            Assert.Null(await PartOf());
        }

        // A person has brought it in, the system says that it has ended, and that is accepted: no days are.
        plan = await KnownPlan();
        await service.Join(plan, Ward);
        await service.Sync(Cases.Item(plan, Ward, ended: true));
        Assert.Equal(Conflict, (await Synced(plan)).State);
        Assert.Null((await Answer(await Synced(plan), SyncAnswer.Accept)).AcceptedPeriod);
        Assert.Null(await PartOf());
        Assert.Equal(Waiting, (await service.Sync(Cases.Item(plan, Ward, version: 2)))[0].State);
        Assert.Null(await PartOf());

        async Task<Participation?> PartOf() =>
            (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations.SingleOrDefault(one => one.Unit == Cases.UnitOf(Ward) && !one.Ended);
    }

    [Fact]
    public async Task A_system_hears_in_its_feed_what_became_of_what_it_has_said()
    {
        var feed = await Changes.Integration.Start(service);
        var plan = await KnownPlan();
        await service.Settled();
        await service.Sync(Cases.Item(plan, Ward));
        Assert.Equal([Waiting], await Told());
        await Answer(await Synced(plan), SyncAnswer.Accept);
        Assert.Equal([InStep], await Told());
        await service.Sync(Cases.Item(plan, Ward, version: 2, ended: true));
        Assert.Equal([Ended], await Told());
        await service.Sync(Cases.Item(plan, Ward, version: 3));
        Assert.Equal([Waiting], await Told());
        await Answer(await Synced(plan), SyncAnswer.Decline);
        Assert.Equal([Declined], await Told());

        // All of it is in a snapshot, with what the system calls it; and it goes with the plan.
        await feed.Start();
        var synced = Assert.Single(await feed.Pull(), change => change.SyncedParticipation is not null && change.Plan == plan.Name).SyncedParticipation;
        Assert.Equal(("vårdrelation-1", 3, Declined, Cases.UnitOf(Ward)), (synced.ExternalId, synced.ExternalVersion, synced.State, synced.Unit));
        Assert.Equal(("", null), (synced.Participation, synced.AcceptedPeriod));
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0];
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        Assert.Equal([ChangeKind.Recall], (await feed.Pull()).Where(change => change.Plan == plan.Name).Select(change => change.Kind));

        async Task<IEnumerable<SyncedParticipationState>> Told() =>
            (await feed.Pull()).Where(change => change.SyncedParticipation is not null && change.Plan == plan.Name).Select(change => change.SyncedParticipation.State);
    }

    [Fact]
    public async Task The_same_system_in_another_organisation_does_not_hear_what_it_has_said_in_this_one()
    {
        var inTheCity = Integration with { UnitId = DemonstrationDirectory.CaseWorker.UnitId, Purpose = Purpose.SocialServicesCase };
        var assignment = (await service.Reassign(inTheCity, one => one.Name = "assignments/" + Cases.NewId())).Name;
        var feed = await Changes.Integration.Start(service, inTheCity, assignment);
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        await Answer(await Synced(plan), SyncAnswer.Accept);

        await feed.Pull();
        await feed.Start();
        await feed.Pull();

        Assert.Contains(feed.Delivered, change => change.Plan == plan.Name && change.Participation?.Unit == Cases.UnitOf(Ward));
        Assert.DoesNotContain(feed.Delivered, change => change.SyncedParticipation is not null || change.Kind == ChangeKind.Unspecified);
        await service.Reassign(inTheCity, one => (one.Name, one.Revoked) = (assignment, true));
    }

    [Fact]
    public async Task A_summons_is_answered_and_attendance_reported_by_the_units_system()
    {
        var plan = await KnownPlan();
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(5));
        var system = service.As(Integration).Meetings;
        foreach (var reply in new[] { CallReply.Declined, CallReply.Substitute, CallReply.Accepted })
        {
            var answered = await system.ReplyToCallAsync(new() { Name = meeting.Name, Reply = reply, Etag = meeting.Etag, RequestId = Cases.NewId() });
            Assert.Equal((reply, null), (answered.Call.Reply, answered.Meeting));
        }

        // Who comes instead is known to whoever is to meet them, and not to the database; another answer takes it back, and a faulty one changes nothing.
        var substitute = new Substitute { Employee = "employees/SE2321000016-E778", DisplayName = "Vikarie Vikariesson" };
        var comes = new ReplyToCallRequest { Name = meeting.Name, Reply = CallReply.Substitute, Substitute = substitute, Etag = meeting.Etag };
        foreach (var faulty in new[] { new ReplyToCallRequest(comes) { Reply = CallReply.Accepted }, new(comes) { Substitute = new() { Employee = "Vikarie" } }, new(comes) { Substitute = new() { DisplayName = "Vikarie" } } })
        {
            faulty.RequestId = Cases.NewId();
            await system.ReplyToCallAsync(faulty).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        Assert.Equal((CallReply.Accepted, null), await OwnersView() is var before ? (before.Reply, before.Substitute) : default);
        Assert.Equal(substitute, (await system.ReplyToCallAsync(new(comes) { RequestId = Cases.NewId() })).Call.Substitute);
        Assert.Equal(substitute, (await OwnersView()).Substitute);
        var dump = await service.Dump();
        Assert.All(
            new[] { substitute.DisplayName, "SE2321000016-E778" },
            secret => Assert.DoesNotContain(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal));
        Assert.Null((await system.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = Cases.NewId() })).Call.Substitute);
        Assert.Null((await OwnersView()).Substitute);

        var came = new ReplyToCallRequest { Name = meeting.Name, Attendance = Attendance.Attended, Etag = meeting.Etag, RequestId = Cases.NewId() };
        await system.ReplyToCallAsync(came).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await service.LetBegin(meeting);
        Assert.Equal((CallReply.Accepted, Attendance.Attended), (await system.ReplyToCallAsync(came)).Call is var call ? (call.Reply, call.Attendance) : default);
        Assert.Equal(Attendance.Attended, (await OwnersView()).Attendance);
        foreach (var faulty in new[]
        {
            new ReplyToCallRequest(came) { Attendance = Attendance.Unspecified }, new ReplyToCallRequest(came) { Reply = CallReply.Accepted }, new ReplyToCallRequest(came) { Attendance = Attendance.Declined },
        })
        {
            faulty.RequestId = Cases.NewId();
            await system.ReplyToCallAsync(faulty).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        // What the owning unit records holds.
        await service.CaseWorker.Meetings.RecordMeetingAsync(
            new() { Name = meeting.Name, AttendingUnits = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) }, Minutes = "Mötet hölls.", Etag = meeting.Etag, RequestId = Cases.NewId() });
        Assert.Equal(Attendance.NoShow, (await OwnersView()).Attendance);

        async Task<MeetingCall> OwnersView() => Assert.Single((await service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = plan.Name })).Meetings[0].Calls, one => one.Unit == Cases.UnitOf(DemonstrationDirectory.PrimaryCare));
    }

    [Fact]
    public async Task A_notice_of_discharge_comes_in_by_the_system_where_health_is_released_and_starts_the_clock()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Ward);
        await service.Consent(plan, Ward, [InformationCategory.Identity]);
        var ward = For(Ward);
        Assert.Equal("", await PlanEtag());
        var ready = new AddDischargeNoticeRequest
        {
            Parent = plan.Name,
            DischargeNotice = new() { Kind = DischargeNoticeKind.Ready, NoticeTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-1)) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        await ward.Discharge.AddDischargeNoticeAsync(ready).IsRefused();
        await service.Consent(plan, Ward, [InformationCategory.Health]);
        Assert.Equal(plan.Etag, await PlanEtag());

        var notice = (await ward.Discharge.AddDischargeNoticeAsync(ready)).DischargeNotice;

        Assert.NotNull(notice.SummonsDueDate);
        Assert.Single(await Tasks(plan), task => task.Kind == TaskKind.SummonForDischarge);
        // The unit that the notice is not of has no part in it.
        await service.As(Integration).Discharge.AddDischargeNoticeAsync(new(ready) { RequestId = Cases.NewId() }).IsRefused();

        async Task<string> PlanEtag() => (await ward.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).PlanEtag;
    }

    [Fact]
    public async Task A_stream_is_taken_batch_by_batch_and_answered_at_the_end()
    {
        var plans = new List<Plan>();
        for (var i = 0; i < 3; i++)
        {
            plans.Add(await KnownPlan());
        }

        var faulty = Cases.Item(plans[0], Ward, "faulty");
        faulty.ExternalVersion = -1;
        using var call = service.As(Integration).ParticipationSync.SyncParticipations();
        await call.RequestStream.WriteAsync(new() { Items = { Cases.Item(plans[0], Ward), faulty }, RequestId = Cases.NewId() });
        await call.RequestStream.WriteAsync(new() { Items = { Cases.Item(plans[1], Ward), Cases.Item(new Plan { Name = ResourceName.Plan(Ids.Opaque()) }, Ward) }, RequestId = Cases.NewId() });
        await call.RequestStream.WriteAsync(new() { Items = { Cases.Item(plans[2], Ward), Cases.Item(plans[0], Ward) }, RequestId = Cases.NewId() });
        await call.RequestStream.CompleteAsync();

        var response = await call;

        Assert.Equal((6, 4, 4, 0), (response.ItemCount, response.TakenCount, response.WaitingCount, response.ConflictCount));
        Assert.Equal(
            [(1, ErrorReason.InvalidFields, "external_version"), (3, ErrorReason.AccessDenied, "")],
            response.Rejected.Select(rejected => (rejected.Index, rejected.Reason, rejected.Field)));
        Assert.Equal(Waiting, (await Synced(plans[2])).State);
        service.ReceiptIn(call.GetTrailers());
    }

    [Fact]
    public async Task What_a_stream_has_delivered_before_it_fails_counts()
    {
        var plan = await KnownPlan();
        using var call = service.As(Integration).ParticipationSync.SyncParticipations();
        await call.RequestStream.WriteAsync(new() { Items = { Cases.Item(plan, Ward) }, RequestId = Cases.NewId() });
        await call.RequestStream.WriteAsync(new() { Items = { Cases.Item(plan, DemonstrationDirectory.Psychiatry) }, RequestId = "not a UUID" });

        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);

        Assert.Equal((StatusCode.InvalidArgument, ErrorReason.InvalidFields), (error.StatusCode, error.Reason()));
        Assert.Equal(Cases.UnitOf(Ward), (await Synced(plan)).Unit);
    }

    [Fact]
    public async Task A_batch_holds_five_hundred_items_and_no_more()
    {
        var plan = await KnownPlan();
        var items = Enumerable.Range(0, 500).Select(i => Cases.Item(plan, Ward, $"id-{i}")).ToArray();

        Assert.All(await service.Sync(items), result => Assert.Equal(Waiting, result.State));
        Assert.Equal(500, (await AllSynced(plan)).Count);

        var error = await Assert.ThrowsAsync<RpcException>(() => service.Sync([.. items, Cases.Item(plan, Ward, "one more")]));
        Assert.Equal(["items"], error.FieldFaults().Select(fault => fault.Field));
    }

    /// <summary>Several systems' connections deliver the same messages in different orders at once, some of them twice: the service comes to what the newest say.</summary>
    [Fact]
    public async Task Deliveries_in_any_order_at_once_converge()
    {
        var plans = new List<Plan>();
        for (var i = 0; i < 4; i++)
        {
            plans.Add(await KnownPlan());
        }

        var messages = (
            from plan in plans
            from unit in new[] { Ward, DemonstrationDirectory.Psychiatry }
            from version in Enumerable.Range(1, 6)
            select Cases.Item(plan, unit, "one", version, Cases.Period(0, 10 * version), ended: version == 6 && unit == Ward)).ToArray();
        await Parallel.ForAsync(0, 8, async (lane, _) =>
        {
            var order = messages.Concat(messages.Where((_, i) => i % 3 == lane % 3)).OrderBy(message => HashCode.Combine(lane, message.Plan, message.Unit, message.ExternalVersion)).ToArray();
            foreach (var batch in order.Chunk(7))
            {
                Assert.All(await service.Sync(batch), result => Assert.Equal(ErrorReason.Unspecified, result.Reason));
            }
        });

        foreach (var plan in plans)
        {
            Assert.Equal(
                [(Cases.UnitOf(DemonstrationDirectory.Psychiatry), 6L, Waiting, Cases.Period(0, 60)), (Cases.UnitOf(Ward), 6L, Ended, Cases.Period(0, 60))],
                (await AllSynced(plan)).OrderBy(synced => synced.State).Select(synced => (synced.Unit, synced.ExternalVersion, synced.State, synced.Period)));
        }
    }

    [Fact]
    public async Task Who_calls_for_more_than_its_share_is_told_when_there_is_room_and_others_do_not_notice()
    {
        var plan = await KnownPlan();
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Limits = new LimitOptions { PointsPerSecond = 1, Burst = 250, Drain = TimeSpan.Zero };
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var region = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentInfrastructure.ClientOf(Integration));
        using var city = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.CaseWorker));
        var greedy = region.For(service.Infrastructure.Choice(Integration)).ParticipationSync;
        for (var i = 0; i < 2; i++)
        {
            await greedy.BatchSyncParticipationsAsync(Batch(plan));
        }

        var start = await service.Now();
        foreach (var named in new[] { plan, new Plan { Name = ResourceName.Plan(Ids.Opaque()) } })
        {
            var error = await greedy.BatchSyncParticipationsAsync(Batch(named)).Fails(StatusCode.ResourceExhausted, ErrorReason.TooManyCalls);
            var wait = error.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan();
            Assert.InRange(wait, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(50));
        }

        // A stream pays for each of its messages; nothing was looked up for what was refused, so the log has nothing of it.
        using (var stream = greedy.SyncParticipations())
        {
            await stream.RequestStream.WriteAsync(new() { Items = { Cases.Item(plan, Ward) }, RequestId = Cases.NewId() });
            var error = await Assert.ThrowsAsync<RpcException>(async () => await stream);
            Assert.Equal(ErrorReason.TooManyCalls, error.Reason());
        }

        Assert.Empty(await service.LogSince(start));
        // What is left is enough for reading, and the other system has its own.
        await greedy.ListSyncedParticipationsAsync(new() { Parent = plan.Name });
        await city.For(service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans.GetPlanAsync(new() { Name = plan.Name });
        await app.StopAsync(TestContext.Current.CancellationToken);

        static BatchSyncParticipationsRequest Batch(Plan plan) => new() { Items = { Cases.Item(plan, Ward) }, RequestId = Cases.NewId() };
    }

    [Fact]
    public async Task A_sender_that_goes_silent_is_ended()
    {
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Limits = new LimitOptions { StreamSilence = TimeSpan.FromSeconds(1), Drain = TimeSpan.Zero };
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var region = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentInfrastructure.ClientOf(Integration));
        using var call = region.For(service.Infrastructure.Choice(Integration)).ParticipationSync.SyncParticipations();

        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);

        Assert.Equal((StatusCode.DeadlineExceeded, ErrorReason.DeadlineExceeded), (error.StatusCode, error.Reason()));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_server_that_is_about_to_stop_refuses_new_calls_and_says_when_to_come_again()
    {
        var plan = await KnownPlan();
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Limits = new LimitOptions { Drain = TimeSpan.FromSeconds(5), DrainPushback = TimeSpan.FromMilliseconds(1500) };
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var region = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentInfrastructure.ClientOf(Integration));
        var system = region.For(service.Infrastructure.Choice(Integration)).ParticipationSync;
        using var stream = system.SyncParticipations();
        await stream.RequestStream.WriteAsync(new() { Items = { Cases.Item(plan, Ward) }, RequestId = Cases.NewId() });
        await WaitFor(async () => (await AllSynced(plan)).Count == 1);
        var feed = await Changes.Integration.Start(service);
        using var watched = region.For(service.Infrastructure.Choice(Integration)).Changes.WatchChanges(new() { Cursor = feed.Cursor });
        await watched.ResponseHeadersAsync;

        var stopping = app.StopAsync(TestContext.Current.CancellationToken);
        // One attempt only: the client's own retries would wait for as long as it is told to.
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await system.ListSyncedParticipationsAsync(new() { Parent = plan.Name }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(1400)));
        var ended = await Assert.ThrowsAsync<RpcException>(async () => await stream);
        var watchEnded = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await watched.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
        });

        Assert.Equal((StatusCode.Unavailable, "1500"), (watchEnded.StatusCode, watchEnded.Trailers.GetValue("grpc-retry-pushback-ms")));
        Assert.Contains(error.StatusCode, new[] { StatusCode.Unavailable, StatusCode.DeadlineExceeded });
        Assert.Equal((StatusCode.Unavailable, ErrorReason.Unavailable), (ended.StatusCode, ended.Reason()));
        Assert.Equal("1500", ended.Trailers.GetValue("grpc-retry-pushback-ms"));
        await stopping;
    }

    private static AnswerSyncedParticipationRequest Answering(SyncedParticipation synced, SyncAnswer answer) =>
        new() { Name = synced.Name, Answer = answer, Etag = synced.Etag, RequestId = Cases.NewId() };

    private static async Task WaitFor(Func<Task<bool>> condition)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); !await condition(); await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>A plan that the region's primary care takes part in and may know of.</summary>
    private async Task<Plan> KnownPlan()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
        return plan;
    }

    private async Task Sql(string sql, Plan plan, string value)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        command.Parameters.Add(new() { Value = value });
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private CoordinationPlanClients For(DemonstrationEmployee unit) => For(Cases.UnitOf(unit));

    private CoordinationPlanClients For(string unit) => service.As(service.Infrastructure.Choice(Integration) with { Unit = unit }, DevelopmentInfrastructure.ClientOf(Integration));

    private async Task<IReadOnlyList<SyncedParticipation>> AllSynced(Plan plan) =>
        (await service.CaseWorker.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations;

    private async Task<SyncedParticipation> Synced(Plan plan) => Assert.Single(await AllSynced(plan));

    private async Task<SyncedParticipation> Answer(SyncedParticipation synced, SyncAnswer answer) =>
        (await service.CaseWorker.ParticipationSync.AnswerSyncedParticipationAsync(Answering(synced, answer))).SyncedParticipation;

    private async Task<DatePeriod> PeriodOf(Plan plan, DemonstrationEmployee unit) =>
        Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(unit) && !one.Ended).Period;

    private async Task<IEnumerable<UnitTask>> Tasks(Plan plan, TaskState state = TaskState.Unspecified)
    {
        var request = new ListTasksRequest { PageSize = 500 };
        if (state == TaskState.Done)
        {
            request.States.Add(state);
            request.DoneSince = Cases.Period(-100, null).StartDate;
        }

        var tasks = new List<UnitTask>();
        do
        {
            var page = await service.CaseWorker.Oversight.ListTasksAsync(request);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return tasks.Where(task => task.Subject.StartsWith(plan.Name, StringComparison.Ordinal));
    }
}
