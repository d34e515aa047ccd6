using System.Globalization;
using System.Text.Json;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Tests.Emergency;

/// <summary>Emergency access: to one person, for some minutes, by a login of just now; it tells nothing before it opens anything.</summary>
public sealed class EmergencyAccessTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Nurse = DemonstrationDirectory.Colleague;
    private static int _persons;

    private EmergencyAccessService.EmergencyAccessServiceClient AsNurse => service.As(Nurse).EmergencyAccess;

    [Fact]
    public async Task It_reads_what_an_emergency_opens_and_no_more()
    {
        var (person, plan) = await OpenFullPlan();

        var read = Assert.Single(await Read(await service.OpenEmergencyAccess(Nurse, person)));

        Assert.Equal((plan.Name, plan.Subject, plan.HealthSituation), (read.Name, read.Subject, read.HealthSituation));
        Assert.Single(read.Goals);
        Assert.Equal("Stöd", Assert.Single(read.Interventions).Title);
        Assert.Equal("", read.SocialSituation + read.OwningUnit + read.Coordinator);
        Assert.Empty(read.Participations.Concat<object>(read.Consents).Concat(read.Releases));
        Assert.DoesNotContain("KRISCENTRUM", read.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task It_reads_every_plan_of_the_person_whoever_owns_it_and_the_closed_ones_with_one_entry_for_each()
    {
        var person = NewPerson();
        var closed = await service.OpenPlan(person);
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = closed.Name, Etag = closed.Etag, Reason = PlanClosingReason.Moved, RequestId = Cases.NewId() });
        await OpenPlanAs(DemonstrationDirectory.OtherCaseWorker, person);
        await OpenPlanAs(DemonstrationDirectory.PrimaryCare, person);
        var access = await service.OpenEmergencyAccess(Nurse, person);
        var start = await service.Now();

        var plans = await Read(access);

        Assert.Equal(3, plans.Count);
        Assert.Contains(plans, plan => plan.State == PlanState.Closed);
        var entries = await service.LogSince(start);
        Assert.Equal(plans.Select(plan => plan.Name).Order(), entries.Select(entry => $"plans/{entry.PlanId:D}").Order());
        Assert.All(entries, entry =>
        {
            Assert.Equal((Act.ReadInEmergency, AccessOutcome.Permitted, "EMERGENCY", Nurse.Id), (entry.Act, entry.Outcome, entry.Reason, entry.EmployeeId));
            Assert.NotNull(entry.SubjectId);
            Assert.True(entry.Categories.HasFlag(Policy.Categories.Health));
            Assert.False(entry.Categories.HasFlag(Policy.Categories.SocialSituation));
        });
    }

    [Fact]
    public async Task The_answer_is_the_same_for_a_person_with_plans_and_one_whom_nobody_knows()
    {
        var (known, unknown) = (NewPerson(), NewPerson());
        await service.OpenPlan(known);
        await service.OpenEmergencyAccess(Nurse, NewPerson());

        var first = await Whole(known);
        var second = await Whole(unknown);

        Assert.Equal(first, second);

        async Task<string> Whole(Subject person)
        {
            var call = AsNurse.OpenEmergencyAccessAsync(Request(person));
            var answer = (await call).EmergencyAccess;
            Assert.Equal(TimeSpan.FromMinutes(60), answer.ExpireTime.ToDateTime() - answer.OpenTime.ToDateTime());
            // What is random or the time, and only that, is made alike.
            (answer.Name, answer.Etag) = (answer.Name[..("emergencyAccesses/".Length)], new string('.', answer.Etag.Length));
            (answer.OpenTime, answer.ExpireTime) = (null, null);
            return $"{Convert.ToHexString(answer.ToByteArray())} {call.GetStatus()} {string.Join(',', call.GetTrailers().Select(entry => entry.Key))}";
        }
    }

    [Fact]
    public async Task Reading_answers_alike_for_a_person_whom_nobody_knows_and_one_who_is_not_opened_in_an_emergency()
    {
        var (unknown, assumed, undecided, blocked) = (NewPerson(), NewPerson(), NewPerson(), NewPerson());
        var (assumedPlan, undecidedPlan, blockedPlan) = (await service.OpenPlan(assumed), await service.OpenPlan(undecided), await service.OpenPlan(blocked));
        await Execute("UPDATE coordinationplan.subject SET protection = 4 WHERE subject_id = (SELECT subject_id FROM coordinationplan.plan WHERE plan_id = $1)", IdOf(assumedPlan));
        await Execute("UPDATE coordinationplan.subject SET protection = 0 WHERE subject_id = (SELECT subject_id FROM coordinationplan.plan WHERE plan_id = $1)", IdOf(undecidedPlan));
        await Execute(
            """
            INSERT INTO coordinationplan.block (subject_id, block_id, kind, target, body, decided_on, changed_by)
            SELECT subject_id, gen_random_uuid(), 2, $2, '', current_date, 'test' FROM coordinationplan.plan WHERE plan_id = $1
            """,
            IdOf(blockedPlan),
            "employees/" + service.Names.Stored(ResourceName.Employees, Nurse.Id));

        foreach (var person in new[] { unknown, assumed, undecided, blocked })
        {
            var access = await service.OpenEmergencyAccess(Nurse, person);
            var start = await service.Now();

            Assert.Equal(new ReadEmergencyPlansResponse(), await AsNurse.ReadEmergencyPlansAsync(new() { Name = access.Name }));

            var entry = Assert.Single(await service.LogSince(start));
            Assert.Equal((AccessOutcome.Permitted, null, null, Policy.Categories.None), (entry.Outcome, entry.PlanId, entry.SubjectId, entry.Categories));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Persons_with_marked_or_protected_registration_are_opened(int level)
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await Execute("UPDATE coordinationplan.subject SET protection = $2 WHERE subject_id = (SELECT subject_id FROM coordinationplan.plan WHERE plan_id = $1)", IdOf(plan), (short)level);

        Assert.Equal(plan.Name, Assert.Single(await Read(await service.OpenEmergencyAccess(Nurse, person))).Name);
    }

    [Fact]
    public async Task It_ends_by_the_databases_clock_and_is_then_refused_like_one_that_never_was()
    {
        var person = NewPerson();
        await service.OpenPlan(person);
        var access = await service.OpenEmergencyAccess(Nurse, person, minutes: 1);
        Assert.Equal(TimeSpan.FromMinutes(1), access.ExpireTime.ToDateTimeOffset() - access.OpenTime.ToDateTimeOffset());
        Assert.InRange(await service.Now() - access.OpenTime.ToDateTime(), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.Single(await Read(access));

        await Execute("UPDATE coordinationplan.emergency_access SET expires_at = clock_timestamp() - interval '1 second' WHERE access_id = $1", IdOf(access));

        await IsRefusedLikeOneThatNeverWas(Nurse, access);
    }

    [Fact]
    public async Task Anothers_access_and_ones_own_under_another_assignment_are_refused_like_one_that_never_was()
    {
        var person = NewPerson();
        await service.OpenPlan(person);
        var access = await service.OpenEmergencyAccess(Nurse, person);

        await IsRefusedLikeOneThatNeverWas(DemonstrationDirectory.Jonas, access);
        await IsRefusedLikeOneThatNeverWas(DemonstrationDirectory.PrimaryCare, access);
        await Execute("UPDATE coordinationplan.emergency_access SET assignment_id = 'another' WHERE access_id = $1", IdOf(access));
        await IsRefusedLikeOneThatNeverWas(Nurse, access);
    }

    [Fact]
    public async Task It_writes_nothing_and_opens_nothing_else()
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await service.OpenEmergencyAccess(Nurse, person);

        await service.As(Nurse).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.As(Nurse).Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål" }, Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
        await AsNurse.ListEmergencyAccessesAsync(new() { Parent = plan.Name }).IsRefused();
        Assert.Empty((await service.As(Nurse).Plans.ListPlansAsync(new())).Plans);
    }

    [Theory]
    [InlineData(-14 * 60, true)]
    [InlineData(-16 * 60, false)]
    [InlineData(10, true)]
    [InlineData(120, false)]
    public async Task It_takes_a_login_of_just_now(int seconds, bool isFresh)
    {
        var start = await service.Now();
        var call = WithLogin(claims => claims["auth_time"] = TimeProvider.System.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds()).OpenEmergencyAccessAsync(Request(NewPerson()));
        if (isFresh)
        {
            await call;
            return;
        }

        var before = await service.Count("emergency_access");
        await call.IsRefused();
        Assert.Equal(before, await service.Count("emergency_access"));
        Assert.Equal((Act.OpenEmergencyAccess, AccessOutcome.Refused), Assert.Single((await service.LogSince(start)).Select(entry => (entry.Act, entry.Outcome))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("-1")]
    [InlineData("99999999999999999")]
    [InlineData(null)]
    public async Task It_takes_no_login_that_does_not_say_when(string? loginTime) =>
        await WithLogin(claims =>
        {
            claims.Remove("auth_time");
            if (loginTime is not null)
            {
                claims["auth_time"] = loginTime;
            }
        }).OpenEmergencyAccessAsync(Request(NewPerson())).IsRefused();

    [Fact]
    public async Task A_stale_login_reads_on_under_an_access_that_a_fresh_one_opened()
    {
        var person = NewPerson();
        await service.OpenPlan(person);
        var access = await service.OpenEmergencyAccess(Nurse, person);

        var read = await WithLogin(claims => claims["auth_time"] = 0L).ReadEmergencyPlansAsync(new() { Name = access.Name });

        Assert.Single(read.Plans);
    }

    [Fact]
    public async Task Only_who_works_with_the_person_opens_it()
    {
        foreach (var employee in new[] { DemonstrationDirectory.School, DemonstrationDirectory.Shelter, DemonstrationDirectory.LogReviewer, DemonstrationDirectory.Administrator, DemonstrationDirectory.RegionIntegration })
        {
            await service.As(employee).EmergencyAccess.OpenEmergencyAccessAsync(Request(NewPerson())).IsRefused();
        }
    }

    [Fact]
    public async Task Each_owning_unit_is_alerted_at_once_of_one_plan_that_is_open()
    {
        var person = NewPerson();
        var closed = await service.OpenPlan(person);
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = closed.Name, Etag = closed.Etag, Reason = PlanClosingReason.Moved, RequestId = Cases.NewId() });
        var open = await service.OpenPlan(person);
        var others = await OpenPlanAs(DemonstrationDirectory.OtherCaseWorker, person);
        var start = await service.Now();

        await service.OpenEmergencyAccess(Nurse, person);

        var alerts = await AlertsSince(start);
        Assert.Equal(
            new[] { (Cases.UnitOf(DemonstrationDirectory.CaseWorker), open.Name), (Cases.UnitOf(DemonstrationDirectory.OtherCaseWorker), others.Name) }.Order(),
            alerts.Select(alert => (alert.Unit, alert.Plan)).Order());
        Assert.All(alerts, alert =>
        {
            Assert.Equal(AlertKind.EmergencyAccess, alert.Kind);
            Assert.Equal(new Alert { Employee = "employees/" + Nurse.Id, Unit = Cases.UnitOf(Nurse) }, alert.Body);
        });
        Assert.Equal(2, (await service.LogSince(start)).Count(entry => entry.Act == Act.OpenEmergencyAccess && entry.PlanId is not null));
    }

    [Fact]
    public async Task A_dry_run_opens_nothing_alerts_nobody_and_says_nothing_of_the_person_in_the_log()
    {
        var person = NewPerson();
        await service.OpenPlan(person);
        var (start, before) = (await service.Now(), await service.Count("emergency_access"));
        var request = Request(person);
        request.ValidateOnly = true;

        var access = (await AsNurse.OpenEmergencyAccessAsync(request)).EmergencyAccess;

        Assert.Equal(before, await service.Count("emergency_access"));
        Assert.Empty(await AlertsSince(start));
        Assert.Equal((AccessOutcome.Validated, null, null), Assert.Single((await service.LogSince(start)).Select(entry => (entry.Outcome, entry.PlanId, entry.SubjectId))));
        await IsRefusedLikeOneThatNeverWas(Nurse, access);
    }

    [Fact]
    public async Task The_owning_unit_lists_who_opened_it_why_and_from_where_newest_first()
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await service.OpenEmergencyAccess(DemonstrationDirectory.PrimaryCare, person);
        var latest = await service.OpenEmergencyAccess(Nurse, person);

        var accesses = (await service.CaseWorker.EmergencyAccess.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses;

        Assert.Equal(2, accesses.Count);
        Assert.Equal(
            new EmergencyAccess
            {
                Name = $"{plan.Name}/{latest.Name}",
                Etag = accesses[0].Etag,
                Reason = EmergencyReason.UrgentCare,
                Explanation = "Medvetslös på akuten.",
                OpenTime = latest.OpenTime,
                ExpireTime = latest.ExpireTime,
                Employee = "employees/" + Nurse.Id,
                Unit = Cases.UnitOf(Nurse),
                ReviewDueDate = Cases.Period(0, 7).EndDate,
            },
            accesses[0]);
    }

    [Fact]
    public async Task The_manager_of_the_owning_unit_reviews_it_once_also_when_the_plan_is_closed()
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await service.OpenEmergencyAccess(Nurse, person);
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Etag = plan.Etag, Reason = PlanClosingReason.Moved, RequestId = Cases.NewId() });
        var access = Assert.Single((await service.CaseWorker.EmergencyAccess.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses);
        await service.CaseWorker.EmergencyAccess.ReviewEmergencyAccessAsync(Review(access, ReviewOutcome.Justified)).IsRefused();
        await AsNurse.ReviewEmergencyAccessAsync(Review(access, ReviewOutcome.Justified)).IsRefused();

        var reviewed = (await Manager.ReviewEmergencyAccessAsync(Review(access, ReviewOutcome.NotJustified))).EmergencyAccess;

        Assert.Equal(ReviewOutcome.NotJustified, reviewed.ReviewOutcome);
        Assert.Equal(access.Explanation, reviewed.Explanation);
        Assert.Equal(reviewed, Assert.Single((await Manager.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses));
        await Manager.ReviewEmergencyAccessAsync(Review(reviewed, ReviewOutcome.Justified)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task Nobody_reviews_an_access_of_his_own()
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await service.OpenEmergencyAccess(DemonstrationDirectory.UnitManager, person);
        var access = Assert.Single((await Manager.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses);

        var error = await Manager.ReviewEmergencyAccessAsync(Review(access, ReviewOutcome.Justified)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        Assert.Contains("Another manager", Assert.Single(error.UnmetPreconditions()).Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_access_to_another_person_is_not_there_for_the_plan()
    {
        var (person, other) = (NewPerson(), NewPerson());
        var (plan, _) = (await service.OpenPlan(person), await service.OpenPlan(other));
        var access = await service.OpenEmergencyAccess(Nurse, other);

        await Manager.ReviewEmergencyAccessAsync(new() { Name = $"{plan.Name}/{access.Name}", Outcome = ReviewOutcome.Justified, Etag = access.Etag, RequestId = Cases.NewId() }).IsRefused();
        Assert.Empty((await Manager.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses);
    }

    [Fact]
    public async Task It_asks_for_a_reason_an_explanation_and_at_most_an_hour()
    {
        await IsFaulty("reason", request => request.Reason = EmergencyReason.Unspecified);
        await IsFaulty("explanation", request => request.Explanation = "Akut nu.         ");
        await IsFaulty("minutes", request => request.Minutes = 61);
        await IsFaulty("minutes", request => request.Minutes = -1);
        await IsFaulty("person.value", request => request.Person.Value = "198804121112");
    }

    [Fact]
    public async Task Nothing_of_what_was_written_stands_in_clear()
    {
        var person = NewPerson();
        await service.OpenPlan(person);
        await service.OpenEmergencyAccess(Nurse, person);
        await service.OpenEmergencyAccess(Nurse, NewPerson());

        await using var command = service.Administrator.CreateCommand(
            """
            SELECT (SELECT string_agg(encode(body, 'escape') || m::text, ' ') FROM coordinationplan.emergency_access m)
                || (SELECT string_agg(encode(body, 'escape') || a::text, ' ') FROM coordinationplan.alert a)
            """);
        var rows = (string)(await command.ExecuteScalarAsync())!;
        Assert.DoesNotContain("Medvetsl", rows, StringComparison.Ordinal);
        Assert.DoesNotContain(Nurse.Id, rows, StringComparison.Ordinal);
        Assert.DoesNotContain(person.IdentityNumber.Value, rows, StringComparison.Ordinal);
    }

    private EmergencyAccessService.EmergencyAccessServiceClient Manager => service.As(DemonstrationDirectory.UnitManager).EmergencyAccess;

    /// <summary>A test person whom no other test has.</summary>
    private static Subject NewPerson()
    {
        var digits = new DateOnly(1960, 1, 1).AddDays(Interlocked.Increment(ref _persons)).ToString("yyyyMMdd", CultureInfo.InvariantCulture) + "238";
        return new Subject
        {
            IdentityNumber = new() { Kind = IdentityNumberKind.Personal, Value = digits + IdentityNumbers.CheckDigit(digits.AsSpan(2)) },
            GivenName = "Test",
            FamilyName = "Testsson",
        };
    }

    private static OpenEmergencyAccessRequest Request(Subject person) => new()
    {
        Person = person.IdentityNumber,
        Reason = EmergencyReason.DangerToLife,
        Explanation = "Medvetslös på akuten.",
        RequestId = Cases.NewId(),
    };

    private static ReviewEmergencyAccessRequest Review(EmergencyAccess access, ReviewOutcome outcome) =>
        new() { Name = access.Name, Outcome = outcome, Etag = access.Etag, RequestId = Cases.NewId() };

    private static Guid IdOf(Plan plan) => Guid.Parse(plan.Name["plans/".Length..]);

    private static Guid IdOf(EmergencyAccess access) => Guid.Parse(access.Name["emergencyAccesses/".Length..]);

    private async Task<(Subject Person, Plan Plan)> OpenFullPlan()
    {
        var person = NewPerson();
        var plan = await service.OpenPlan(person);
        await service.AddGoal(plan);
        await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker);
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.AddIntervention(plan, DemonstrationDirectory.Shelter, "Boende och trygghet");
        return (person, plan);
    }

    private async Task<Plan> OpenPlanAs(DemonstrationEmployee employee, Subject person) =>
        (await service.As(employee).Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId() })).Plan;

    private async Task<IReadOnlyList<Plan>> Read(EmergencyAccess access) => (await AsNurse.ReadEmergencyPlansAsync(new() { Name = access.Name })).Plans;

    private async Task IsRefusedLikeOneThatNeverWas(DemonstrationEmployee employee, EmergencyAccess access)
    {
        var start = await service.Now();
        var refused = await service.As(employee).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = access.Name }).IsRefused();
        var never = await service.As(employee).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = $"emergencyAccesses/{Ids.Opaque():D}" }).IsRefused();

        Assert.Equal(never.Status.Detail, refused.Status.Detail);
        Assert.Equal(Details(never), Details(refused));
        var entries = (await service.LogSince(start)).Select(entry => (entry.Outcome, entry.Reason, entry.PlanId, entry.SubjectId, entry.Categories)).ToList();
        Assert.Equal(2, entries.Count);
        Assert.Equal(entries[1], entries[0]);

        static string Details(RpcException error) => Convert.ToHexString(error.Trailers.GetValueBytes("grpc-status-details-bin")!);
    }

    private async Task IsFaulty(string field, Action<OpenEmergencyAccessRequest> change)
    {
        var request = Request(NewPerson());
        request.Person = request.Person.Clone();
        change(request);

        var error = await AsNurse.OpenEmergencyAccessAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Contains(field, error.FieldFaults().Select(fault => fault.Field));
    }

    /// <summary>The nurse with a token that is good but for what is changed of it.</summary>
    private EmergencyAccessService.EmergencyAccessServiceClient WithLogin(Action<Dictionary<string, object>> change)
    {
        var choice = service.Infrastructure.Choice(Nurse);
        return service.As(choice with { AccessToken = async stop => Changed(await choice.AccessToken(stop)) }, DevelopmentInfrastructure.ClientOf(Nurse)).EmergencyAccess;

        string Changed(string token)
        {
            var claims = JsonSerializer.Deserialize<Dictionary<string, object>>(Base64UrlEncoder.Decode(new JsonWebToken(token).EncodedPayload))!;
            Assert.Contains("auth_time", claims.Keys);
            claims.Remove("exp");
            change(claims);
            return service.Infrastructure.National.MintToken(claims, TimeProvider.System.GetUtcNow().AddMinutes(5));
        }
    }

    private async Task<List<(AlertKind Kind, string Unit, string Plan, Alert Body)>> AlertsSince(DateTime start)
    {
        await using var command = service.Administrator.CreateCommand("SELECT kind, unit_id, plan_id, body, alert_id FROM coordinationplan.alert WHERE raised_at >= $1");
        command.Parameters.Add(new() { Value = start });
        await using var reader = await command.ExecuteReaderAsync();
        var alerts = new List<(AlertKind, string, string, Alert)>();
        while (await reader.ReadAsync())
        {
            alerts.Add((
                (AlertKind)reader.GetInt16(0),
                service.Names.Name(ResourceName.Units, reader.GetString(1)),
                $"plans/{reader.GetGuid(2):D}",
                Alert.Parser.ParseFrom(service.Keys.OutcomeKey.Open(RaisedAlert.PlaceOf(reader.GetGuid(4)), reader.GetFieldValue<byte[]>(3)))));
        }

        return alerts;
    }

    private async Task Execute(string sql, params object[] values)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }
}
