using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Audit;

public sealed class AccessLogTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Reviewer = DemonstrationDirectory.LogReviewer;

    [Fact]
    public async Task The_owners_reviewer_finds_by_plan_person_employee_unit_and_outcome()
    {
        var plan = await service.OpenPlan(DemonstrationPersons.Nora);
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();

        var byPlan = await Search(request => request.Plan = plan.Name);
        var byPerson = await Search(request => request.Person = DemonstrationPersons.Nora.IdentityNumber);
        var byEmployee = await Search(request => request.Employee = "employees/" + DemonstrationDirectory.Jonas.Id);
        var byUnit = await Search(request => request.Unit = Cases.UnitOf(DemonstrationDirectory.Jonas));
        var refused = await Search(request => request.Outcome = AccessOutcome.Refused);

        Assert.Equal([Act.ReadPlan, Act.CreatePlan], byPlan.Select(entry => entry.Act));
        Assert.All(byPlan, entry => Assert.Equal(plan.Name, entry.Plan));
        Assert.Contains(byPerson, entry => entry.Plan == plan.Name && entry.Outcome == AccessOutcome.Refused);
        Assert.Single(byPerson.Select(entry => entry.Subject).Distinct());
        Assert.All(byEmployee, entry => Assert.Equal("employees/" + DemonstrationDirectory.Jonas.Id, entry.Employee));
        Assert.Contains(byUnit, entry => entry.Plan == plan.Name);
        Assert.All(refused, entry => Assert.Equal((AccessOutcome.Refused, 0), (entry.Outcome, entry.Categories.Count)));
        Assert.Equal("NO_RELATION", byPlan[0].Reason);
        Assert.Equal(Role.HealthCareProfessional, byPlan[0].Role);
        Assert.Equal(32, byPlan[0].TraceId.Length);
    }

    [Fact]
    public async Task What_was_decided_is_decided_again_by_the_same_policy_and_what_is_not_is_listed()
    {
        var start = await service.Now();
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.CaseWorker.Plans.ListPlansAsync(new());
        await service.CaseWorker.Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål" }, Etag = "stale", RequestId = Cases.NewId() }).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
        var reviewer = new NpgsqlConnectionStringBuilder(service.Database.Options.ConnectionString) { Username = "coordplan_log_review" }.ConnectionString;

        var same = await PolicyReplay.Run(reviewer, start, start.AddMinutes(10), TestContext.Current.CancellationToken);

        // Every entry holds its decision, and in lists the one about the plan: its act is the byte after the answer and the layout.
        await using var entries = service.Administrator.CreateCommand("SELECT count(*), count(*) FILTER (WHERE act = $2 AND get_byte(decision, 7) = $3) FROM coordinationplan.access_log WHERE occurred_at >= $1");
        entries.Parameters.Add(new() { Value = start });
        entries.Parameters.Add(new() { Value = (short)Act.ListPlans });
        entries.Parameters.Add(new() { Value = (int)Act.ReadPlan });
        await using (var reader = await entries.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            await reader.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal(reader.GetInt64(0), same.Decisions);
            Assert.True(reader.GetInt64(1) > 0);
        }

        Assert.Equal([Policy.AccessPolicy.Version], same.RecordedVersions);
        Assert.Empty(same.Differences);

        // As if Jonas had been permitted under another policy.
        await using var command = service.Administrator.CreateCommand(
            """
            INSERT INTO coordinationplan.access_log (entry_id, act, outcome, reason, method, client_system, categories, policy_version, decision)
            SELECT gen_random_uuid(), act, 1, 'RELEASE', method, client_system, 0, 1, set_byte(decision, 0, 1)
            FROM coordinationplan.access_log WHERE occurred_at >= $1 AND outcome = 2 AND reason = 'NO_RELATION' LIMIT 1
            """);
        command.Parameters.Add(new() { Value = start });
        Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        var other = await PolicyReplay.Run(reviewer, start, start.AddMinutes(10), TestContext.Current.CancellationToken);

        var difference = Assert.Single(other.Differences);
        Assert.Equal((true, false, Policy.RefusalReason.NoRelation, 1), (difference.Recorded.IsPermit, difference.Now.IsPermit, difference.Now.Reason, difference.Count));
        Assert.Equal(Policy.Act.ReadPlan, difference.Input?.Act);
    }

    [Fact]
    public async Task A_reviewer_who_is_kept_out_of_a_person_finds_nothing_about_that_person_and_another_reviewer_does()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        Assert.NotEmpty(await Search(request => request.Plan = plan.Name));

        await service.BlockEmployee(plan, Reviewer);

        Assert.Empty(await Search(request => request.Plan = plan.Name));
        Assert.Empty(await Search(request => request.Person = plan.Subject.IdentityNumber));
        Assert.DoesNotContain((await service.As(Reviewer).Oversight.ListAlertsAsync(new() { PageSize = 500 })).Alerts, alert => alert.Plan == plan.Name);
        Assert.NotEmpty((await service.As(DemonstrationDirectory.DataProtectionOfficer).AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
            Plan = plan.Name,
        })).Entries);
    }

    [Fact]
    public async Task A_reviewer_finds_nothing_about_himself()
    {
        var officer = service.As(DemonstrationDirectory.DataProtectionOfficer);
        var plan = await service.OpenPlan(Cases.NewPerson());
        Assert.NotEmpty(await Entries());

        // The employer enters the officer's number, which is the person's.
        var administrator = SameRequest.Administrator(service).Directory;
        await using var version = service.Administrator.CreateCommand("SELECT version FROM coordinationplan.employee WHERE employee_id = $1");
        version.Parameters.Add(new() { Value = service.Names.Stored(ResourceName.Employees, DemonstrationDirectory.DataProtectionOfficer.Id) });
        var name = "employees/" + DemonstrationDirectory.DataProtectionOfficer.Id;
        await administrator.PutEmployeeAsync(new()
        {
            Employee = new() { Name = name, Organisation = Cases.City, DisplayName = "Dataskyddsombud", IdentityNumber = plan.Subject.IdentityNumber },
            Etag = Etag.Of(name, (int)(await version.ExecuteScalarAsync(TestContext.Current.CancellationToken))!),
            RequestId = Cases.NewId(),
        });

        Assert.Empty(await Entries());
        Assert.NotEmpty(await Search(request => request.Plan = plan.Name));

        async Task<IEnumerable<AccessLogEntry>> Entries() => (await officer.AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
            Plan = plan.Name,
        })).Entries;
    }

    [Fact]
    public async Task Another_controllers_reviewer_learns_of_its_own_peoples_attempts_and_not_whether_there_is_a_plan()
    {
        var plan = await service.OpenPlan(DemonstrationPersons.Elias);
        var start = Timestamp.FromDateTime(await service.Now());
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = "plans/00000000-0000-4000-8000-000000000001" }).IsRefused();

        var seen = await Search(request => (request.StartTime, request.Employee) = (start, "employees/" + DemonstrationDirectory.Jonas.Id), DemonstrationDirectory.RegionLogReviewer);
        var byPerson = await Search(request => (request.StartTime, request.Person) = (start, DemonstrationPersons.Elias.IdentityNumber), DemonstrationDirectory.RegionLogReviewer);
        var owners = await Search(request => (request.StartTime, request.Plan) = (start, plan.Name));

        Assert.Equal(2, seen.Count);
        Assert.All(seen, entry => Assert.Equal(("NO_ACCESS", ""), (entry.Reason, entry.Subject)));
        Assert.Empty(byPerson);
        Assert.NotEmpty(Assert.Single(owners).Subject);
        Assert.Empty(await Search(request => (request.StartTime, request.Plan) = (start, plan.Name), DemonstrationDirectory.RegionLogReviewer, AccessOutcome.Permitted));
    }

    [Fact]
    public async Task A_released_reading_is_seen_by_both_controllers()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity, InformationCategory.Health]);
        await service.Read(DemonstrationDirectory.PrimaryCare, plan);

        foreach (var reviewer in new[] { Reviewer, DemonstrationDirectory.RegionLogReviewer })
        {
            var entry = Assert.Single(await Search(request => (request.Plan, request.Employee) = (plan.Name, "employees/" + DemonstrationDirectory.PrimaryCare.Id), reviewer));
            Assert.Equal((AccessOutcome.Permitted, "RELEASE"), (entry.Outcome, entry.Reason));
            Assert.Equal([InformationCategory.Existence, InformationCategory.Identity, InformationCategory.Health], entry.Categories);
            Assert.NotEmpty(entry.Subject);
        }
    }

    [Fact]
    public async Task A_list_leaves_an_entry_for_each_person_shown_and_one_where_nobody_is()
    {
        var worker = service.As(DemonstrationDirectory.ChildPsychiatry).Plans;
        var empty = await service.Now();
        await worker.ListPlansAsync(new());
        var none = Assert.Single(await service.LogSince(empty));
        Assert.Equal((null, null, Policy.Categories.None), (none.PlanId, none.SubjectId, none.Categories));

        var plans = new[] { DemonstrationPersons.Sara, DemonstrationPersons.Elias }.Select(async subject =>
            (await worker.CreatePlanAsync(new() { Plan = new Plan { Subject = subject }, RequestId = Cases.NewId() })).Plan);
        var names = (await Task.WhenAll(plans)).Select(plan => plan.Name).ToHashSet();
        var start = await service.Now();
        await worker.ListPlansAsync(new());

        var entries = await service.LogSince(start);
        Assert.Equal(names, entries.Select(entry => $"plans/{entry.PlanId}").ToHashSet());
        Assert.Equal(2, entries.Select(entry => entry.SubjectId).Distinct().Count());
    }

    [Fact]
    public async Task Pages_hold_every_entry_once()
    {
        var plan = await service.OpenPlan();
        for (var i = 0; i < 6; i++)
        {
            await service.Read(DemonstrationDirectory.CaseWorker, plan);
        }

        var all = await Search(request => request.Plan = plan.Name);
        var paged = new List<AccessLogEntry>();
        var request = Request(found => (found.Plan, found.PageSize) = (plan.Name, 3));
        do
        {
            var page = await service.As(Reviewer).AccessLog.SearchAccessLogAsync(request);
            paged.AddRange(page.Entries);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(7, all.Count);
        Assert.Equal(all, paged);
        Assert.Equal(all.OrderByDescending(entry => entry.Time.ToDateTime()), all);
    }

    [Fact]
    public async Task The_search_is_itself_logged_and_reviewers_read_no_plans()
    {
        var plan = await service.OpenPlan();
        var start = await service.Now();
        await Search(request => request.Plan = plan.Name);
        await service.As(Reviewer).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.CaseWorker.AccessLog.SearchAccessLogAsync(Request(_ => { })).IsRefused();

        Assert.Equal(
            [(Act.SearchAccessLog, AccessOutcome.Permitted), (Act.ReadPlan, AccessOutcome.Refused), (Act.SearchAccessLog, AccessOutcome.Refused)],
            (await service.LogSince(start)).Select(entry => (entry.Act, entry.Outcome)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(366 * 6)]
    public async Task The_period_is_forward_and_at_most_five_years(int days)
    {
        var error = await service.As(Reviewer).AccessLog.SearchAccessLogAsync(Request(request =>
            request.EndTime = Timestamp.FromDateTimeOffset(request.StartTime.ToDateTimeOffset().AddDays(days)))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal("end_time", error.FieldFaults().Single().Field);
    }

    [Fact]
    public async Task Failed_attempts_are_logged_on_their_own_and_the_plan_is_unchanged()
    {
        var plan = await service.OpenPlan();
        var start = await service.Now();

        await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);

        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.EstablishPlan, AccessOutcome.Failed, "STATUTORY_CONTENT_MISSING"), (entry.Act, entry.Outcome, entry.Reason));
        Assert.NotNull(entry.SubjectId);
    }

    private static SearchAccessLogRequest Request(Action<SearchAccessLogRequest> narrow)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new SearchAccessLogRequest
        {
            StartTime = Timestamp.FromDateTimeOffset(now.AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(now.AddHours(1)),
            PageSize = 500,
        };
        narrow(request);
        return request;
    }

    private async Task<IList<AccessLogEntry>> Search(Action<SearchAccessLogRequest> narrow, DemonstrationEmployee? reviewer = null, AccessOutcome outcome = AccessOutcome.Unspecified)
    {
        var request = Request(narrow);
        request.Outcome = outcome == AccessOutcome.Unspecified ? request.Outcome : outcome;
        return (await service.As(reviewer ?? Reviewer).AccessLog.SearchAccessLogAsync(request)).Entries;
    }
}
