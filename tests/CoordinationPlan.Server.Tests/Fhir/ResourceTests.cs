using System.Globalization;
using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using R4Consent = Hl7.Fhir.Model.Consent;
using R4Task = Hl7.Fhir.Model.Task;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>Consents, tasks and the access log as FHIR has them.</summary>
public sealed class ResourceTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_consent_says_to_whom_what_goes_what_for_and_how_long()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var consent = await service.Consent(
            plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health, InformationCategory.Identity], consent => consent.ExcludedCategories.Add(InformationCategory.SocialSituation));
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var start = await service.Now();

        var found = Assert.Single((await caller.Search("Consent", ("data", PathOf(plan)))).Found<R4Consent>());
        Assert.Single(await service.LogSince(start));
        var first = await caller.Get("Consent/" + found.Id);
        var read = first.Resource<R4Consent>();

        Assert.True(found.IsExactly(read));
        Assert.Equal((R4Consent.ConsentState.Active, R4Consent.ConsentProvisionType.Permit), (read.Status, read.Provision!.Type));
        Assert.Equal(DemonstrationDirectory.PrimaryCare.UnitId, Assert.Single(read.Provision.Actor).Reference!.Identifier!.Value);
        Assert.Equal(["IDENTITY", "HEALTH"], read.Provision.Code.Select(code => code.Coding[0].Code));
        Assert.Equal("CARE_AND_TREATMENT", Assert.Single(read.Provision.Purpose).Code);
        Assert.Equal((FhirElements.Day(consent.Period.StartDate), FhirElements.Day(consent.Period.EndDate)), (read.Provision.Period!.Start, read.Provision.Period.End));
        var excluded = Assert.Single(read.Provision.Provision);
        Assert.Equal((R4Consent.ConsentProvisionType.Deny, "SOCIAL_SITUATION"), (excluded.Type, Assert.Single(excluded.Code).Coding[0].Code));
        Assert.Equal(PathOf(plan), Assert.Single(read.Provision.Data).Reference!.Reference);

        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        var withdrawn = await caller.Get("Consent/" + found.Id);
        Assert.Equal(R4Consent.ConsentState.Inactive, withdrawn.Resource<R4Consent>().Status);
        Assert.NotEqual(first.Version, withdrawn.Version);

        // The present version is the one that is kept.
        Assert.Equal(withdrawn.Text, (await caller.Get($"Consent/{found.Id}/_history/{withdrawn.Version}")).Text);
        (await caller.Get($"Consent/{found.Id}/_history/{first.Version}")).Outcome(HttpStatusCode.NotFound);
        var history = (await caller.Get($"Consent/{found.Id}/_history")).Resource<Bundle>();
        Assert.Equal(Bundle.BundleType.History, history.Type);
        Assert.Equal((withdrawn.Version, $"W/\"{withdrawn.Version}\""), Assert.Single(history.Entry) is var entry ? (entry.Resource!.Meta!.VersionId, entry.Response!.Etag) : default);
    }

    [Fact]
    public async Task A_refusal_is_a_consent_that_denies()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health], consent => consent.State = ConsentState.Refused);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        var found = Assert.Single((await caller.Search("Consent", ("data", PathOf(plan)))).Found<R4Consent>());

        Assert.Equal((R4Consent.ConsentState.Rejected, R4Consent.ConsentProvisionType.Deny), (found.Status, found.Provision!.Type));
    }

    [Fact]
    public async Task A_consent_is_not_there_for_who_may_read_the_plan_and_not_its_consents()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        var consent = await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health]);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.PrimaryCare);

        var there = await caller.Get("Consent/" + FhirElements.ConsentId(consent.Name));
        var never = await caller.Get("Consent/" + FhirElements.ConsentId($"{plan.Name}/consents/{Ids.Opaque():D}"));

        there.IsRefused();
        Assert.Equal(never.Whole(), there.Whole());
    }

    [Fact]
    public async Task Tasks_are_what_the_unit_has_to_do_and_what_it_has_done()
    {
        var plan = await service.OpenPlan(Cases.NewPerson(), owner: DemonstrationDirectory.ElderCare);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.ElderCare);
        var told = (await service.As(DemonstrationDirectory.ElderCare).Oversight.ListTasksAsync(new())).Tasks;

        var start = await service.Now();
        var found = (await caller.Search("Task")).Found<R4Task>();

        Assert.All(await service.LogSince(start), entry => Assert.Equal("coordinationplan.v1.OversightService/ListTasks", entry.Method));
        Assert.Equal(told.Count, found.Count);
        var begin = Assert.Single(found, task => task.Code!.Coding[0].Code == "BEGIN_PLAN");
        Assert.Equal((R4Task.TaskStatus.Requested, PathOf(plan)), (begin.Status, begin.Focus!.Reference));
        Assert.Equal(FhirElements.Day(told.Single(task => task.Kind == TaskKind.BeginPlan).DueDate), begin.Restriction!.Period!.End);
        Assert.Equal(found.Count, found.Select(task => task.Id).Distinct().Count());
        var read = await caller.Get("Task/" + begin.Id);
        Assert.True(begin.IsExactly(read.Resource<R4Task>()));
        Assert.Equal(read.Text, (await caller.Get($"Task/{begin.Id}/_history/{read.Version}")).Text);
        Assert.Single((await caller.Get($"Task/{begin.Id}/_history")).Resource<Bundle>().Entry);
        (await caller.Get($"Task/{begin.Id}/_history/0123456789abcdef01234567")).Outcome(HttpStatusCode.NotFound);

        var since = "ge" + FhirElements.Day(Cases.Today);
        var begun = await service.OpenCompletePlan(Cases.NewPerson());
        await service.CaseWorker.Plans.AdvancePlanAsync(new() { Name = begun.Name, State = PlanState.Preparing, Etag = begun.Etag, RequestId = Cases.NewId() });
        using var other = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var done = (await other.Search("Task", ("status", "completed"), ("modified", since))).Found<R4Task>();
        Assert.All(done, task => Assert.Equal(R4Task.TaskStatus.Completed, task.Status));
        Assert.NotEmpty(done);
        foreach (var task in done)
        {
            Assert.True(task.IsExactly((await other.Get("Task/" + task.Id)).Resource<R4Task>()));
        }

        Assert.Empty((await caller.Search("Task", ("owner:identifier", FhirSystems.HsaId + "|SE2120000142-E000"))).Found<R4Task>());
        foreach (var terms in new (string, string)[][] { [("status", "completed")], [("modified", since)], [("status", "failed")], [("modified", "2026-01-01")], [("subject", "Patient/1")], [("owner:identifier", "x|y")] })
        {
            (await caller.Search("Task", terms)).Outcome(HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task The_log_tells_a_reviewer_who_read_what_over_either_door()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var jonas = FhirCaller.Of(service, DemonstrationDirectory.Jonas);
        (await jonas.Get(PathOf(plan))).IsRefused();
        using var reviewer = FhirCaller.Of(service, DemonstrationDirectory.LogReviewer);
        (string, string)[] period = [("date", "ge" + Instant(-1)), ("date", "lt" + Instant(1))];

        var start = await service.Now();
        var found = (await reviewer.Search("AuditEvent", [.. period, ("entity", PathOf(plan))])).Found<AuditEvent>();

        Assert.Equal(Act.SearchAccessLog, Assert.Single(await service.LogSince(start)).Act);
        Assert.Equal([AuditEvent.AuditEventOutcome.N4, AuditEvent.AuditEventOutcome.N0], found.Select(entry => entry.Outcome));
        var (refused, created) = (found[0], found[1]);
        Assert.Equal((AuditEvent.AuditEventAction.R, "NO_RELATION"), (refused.Action, refused.OutcomeDesc));
        Assert.Equal((AuditEvent.AuditEventAction.C, "create"), (created.Action, created.Subtype[0].Code));
        var user = Assert.Single(refused.Agent, agent => agent.Requestor == true);
        Assert.Equal((FhirSystems.HsaId, DemonstrationDirectory.Jonas.Id), (user.Who!.Identifier!.System, user.Who.Identifier.Value));
        Assert.Contains(refused.Agent, agent => agent.Type!.Coding[0].Code == "110153");
        Assert.Contains(refused.Agent, agent => agent.Type!.Coding[0].Code == "110152");
        Assert.Contains(refused.Entity, entity => entity.What!.Reference == PathOf(plan));
        Assert.Contains(refused.Entity, entity => entity.Type!.Code == "1");

        // One by its id, whether it has its place in the tree yet or not; it never changes.
        start = await service.Now();
        var read = await reviewer.Get("AuditEvent/" + refused.Id);
        Assert.True(refused.IsExactly(read.Resource<AuditEvent>()));
        Assert.Equal((Act.SearchAccessLog, "coordinationplan.v1.AccessLogService/GetAccessLogEntry"), Assert.Single(await service.LogSince(start)) is var own ? (own.Act, own.Method) : default);
        await service.LeafOf(Guid.Parse(refused.Id!));
        Assert.Equal(read.Text, (await reviewer.Get($"AuditEvent/{refused.Id}/_history/1")).Text);
        Assert.True(refused.IsExactly(Assert.Single((await reviewer.Get($"AuditEvent/{refused.Id}/_history")).Resource<Bundle>().Entry).Resource!));
        (await reviewer.Get($"AuditEvent/{refused.Id}/_history/2")).Outcome(HttpStatusCode.NotFound);

        var number = FhirSystems.PersonalNumber + "|" + plan.Subject.IdentityNumber.Value;
        Assert.Equal(found.Select(entry => entry.Id), (await reviewer.Search("AuditEvent", [.. period, ("patient:identifier", number)])).Found<AuditEvent>().Select(entry => entry.Id));
        Assert.Contains(refused.Id, (await reviewer.Search("AuditEvent", [.. period, ("agent:identifier", FhirSystems.HsaId + "|" + DemonstrationDirectory.Jonas.Id)])).Found<AuditEvent>().Select(entry => entry.Id));
        foreach (var terms in new (string, string)[][] { [], [period[0]], [period[1], period[1]], [.. period, period[0]], [("date", "ge2026-01-01"), period[1]], [.. period, ("entity", "Consent/1")], [.. period, ("outcome", "4")] })
        {
            (await reviewer.Search("AuditEvent", terms)).Outcome(HttpStatusCode.BadRequest);
        }

        using var caseWorker = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        (await caseWorker.Search("AuditEvent", period)).IsRefused();

        static string Instant(int hours) => TimeProvider.System.GetUtcNow().AddHours(hours).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }

    private static string PathOf(Plan plan) => "CarePlan/" + plan.Name["plans/".Length..];
}
