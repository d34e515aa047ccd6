using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Log;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using static CoordinationPlan.V1.InformationCategory;
using R4Goal = Hl7.Fhir.Model.Goal;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>Plans as CarePlans: what stands where, versions, history, searches, and one log entry for each interaction.</summary>
public sealed class CarePlanTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task A_plan_is_read_whole_by_its_owner_with_Swedish_identifiers()
    {
        var plan = await service.OpenCompletePlan();
        await service.Join(plan, Care);
        var told = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        var read = (await caller.Get(PathOf(plan))).Resource<CarePlan>();

        Assert.Equal(IdOf(plan), read.Id);
        Assert.Equal(("http://electronichealth.se/identifier/personnummer", plan.Subject.IdentityNumber.Value), (read.Subject!.Identifier!.System, read.Subject.Identifier.Value));
        Assert.Equal($"{plan.Subject.GivenName} {plan.Subject.FamilyName}", read.Subject.Display);
        Assert.Equal((RequestStatus.Draft, CarePlan.CarePlanIntent.Plan), (read.Status, read.Intent));
        Assert.Equal(("urn:oid:1.2.752.29.4.19", DemonstrationDirectory.CaseWorker.UnitId), (read.Author!.Identifier!.System, read.Author.Identifier.Value));
        Assert.Equal(("urn:oid:2.5.4.97", DemonstrationDirectory.City), IdentifierIn(read.GetExtension(FhirSystems.Own + "lead-principal")));
        var goal = Assert.IsType<R4Goal>(Assert.Single(read.Contained));
        Assert.Equal((told.Goals[0].Title, "#" + goal.Id), (goal.Description!.Text, Assert.Single(read.Goal).Reference));
        Assert.Equal([told.Interventions[0].Title, told.OtherMeasures[0].Title], read.Activity.Select(activity => activity.Detail!.Code!.Text));
        Assert.Equal(DemonstrationDirectory.CaseWorker.UnitId, read.Activity[0].Detail!.Performer[0].Identifier!.Value);
        Assert.Equal(told.OtherMeasures[0].TakenBy, read.Activity[1].Detail!.Performer[0].Display);
        Assert.Equal([plan.SocialSituation, plan.HealthSituation], read.Note.Select(note => note.Text));
        Assert.Equal("Consent/" + FhirElements.ConsentId(told.Consents[0].Name), Assert.Single(read.SupportingInfo).Reference);
        Assert.Equal("CareTeam/" + IdOf(plan), Assert.Single(read.CareTeam).Reference);
        Assert.Equal("V", Assert.Single(read.Meta!.Security).Code);
    }

    [Fact]
    public async Task A_reading_leaves_one_entry_with_its_receipt_as_the_RPC_does()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var start = await service.Now();

        var answer = await caller.Get(PathOf(plan));

        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.ReadPlan, AccessOutcome.Permitted, "coordinationplan.v1.PlanService/GetPlan", Guid.Parse(IdOf(plan))), (entry.Act, entry.Outcome, entry.Method, entry.PlanId));
        Assert.Equal((DemonstrationDirectory.CaseWorker.Id, DemonstrationDirectory.CaseWorker.UnitId, V1.Purpose.SocialServicesCase), (entry.EmployeeId, entry.UnitId, entry.Purpose));
        Assert.Equal(16, entry.TraceId?.Length);
        var receipt = service.ReceiptIn([new(AuditReceipts.Trailer, Convert.FromBase64String(Assert.Single(answer.Headers[AuditReceipts.Trailer])))]);
        Assert.Equal(receipt.Leaf, (await service.LeafOf(receipt.Entry)).Hash);
    }

    [Fact]
    public async Task A_participant_gets_what_is_released_and_no_element_hints_at_the_rest()
    {
        var plan = await service.OpenCompletePlan();
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [Health], consent => consent.ExcludedCategories.Add(GoalsAndInterventions));
        using var caller = FhirCaller.Of(service, Care);

        var answer = await caller.Get(PathOf(plan));

        var read = answer.Resource<CarePlan>();
        Assert.Equal(plan.HealthSituation, Assert.Single(read.Note).Text);
        Assert.Equal(("Den enskilde", null), (read.Subject!.Display, read.Subject.Identifier));
        foreach (var absent in new[] { "goal", "contained", "activity", "careTeam", "author", "supportingInfo", "contributor", "data-absent", "masked", "lead-principal", plan.Subject.IdentityNumber.Value, plan.Subject.GivenName })
        {
            Assert.DoesNotContain(absent, answer.Text, StringComparison.OrdinalIgnoreCase);
        }

        // Nor is what is not told found out by reading the team.
        (await caller.Get("CareTeam/" + IdOf(plan))).IsRefused();
        Assert.Empty((await caller.Search("Consent", ("data", PathOf(plan)))).Found<Hl7.Fhir.Model.Consent>());
    }

    [Fact]
    public async Task Who_has_the_version_already_gets_it_confirmed_and_any_change_of_what_is_told_is_another_version()
    {
        var plan = await service.OpenCompletePlan();
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var first = await caller.Get(PathOf(plan));
        Assert.Equal(first.Version, first.Resource<CarePlan>().Meta!.VersionId);
        var start = await service.Now();

        var again = await caller.Get(PathOf(plan), ("If-None-Match", first.Headers["ETag"][0]));
        Assert.Equal((HttpStatusCode.NotModified, 0), (again.Status, again.Body.Length));
        Assert.Single(await service.LogSince(start));

        // A change of a part leaves the plan's own etag as it was.
        await service.AddGoal(plan, "Ett mål till");
        var changed = await caller.Get(PathOf(plan), ("If-None-Match", first.Headers["ETag"][0]));
        Assert.Equal(2, changed.Resource<CarePlan>().Goal.Count);
        Assert.NotEqual(first.Version, changed.Version);
    }

    [Fact]
    public async Task The_history_is_the_established_revisions_and_each_is_read_as_it_was_agreed()
    {
        var plan = await service.OpenCompletePlan();
        var person = plan.Subject;
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        await service.AddGoal(plan, "Efter fastställandet");
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        var start = await service.Now();
        var history = (await caller.Get(PathOf(plan) + "/_history")).Resource<Bundle>();
        Assert.Equal("coordinationplan.v1.PlanService/ListPlanRevisions", Assert.Single(await service.LogSince(start)).Method);
        var entry = Assert.Single(history.Entry);
        Assert.Equal(("W/\"1\"", Bundle.HTTPVerb.PUT), (entry.Response!.Etag, entry.Request!.Method));
        Assert.NotNull(entry.Response.LastModified);

        var revision = await caller.Get(entry.Response.Location!);
        Assert.Equal("1", revision.Version);
        Assert.Single(revision.Resource<CarePlan>().Goal);
        // Who the person is, is no part of a revision.
        Assert.DoesNotContain(person.IdentityNumber.Value, revision.Text, StringComparison.Ordinal);

        var current = await caller.Get(PathOf(plan));
        Assert.Equal(2, current.Resource<CarePlan>().Goal.Count);
        Assert.Equal(current.Text, (await caller.Get($"{PathOf(plan)}/_history/{current.Version}")).Text);
        foreach (var unknown in new[] { "2", "0", "01", "000000000000000000000000" })
        {
            (await caller.Get($"{PathOf(plan)}/_history/{unknown}")).Outcome(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Plans_are_found_by_what_the_law_allows_and_by_nothing_else()
    {
        var plan = (await service.CaseWorker.Plans.CreatePlanAsync(new() { Plan = new() { Subject = Cases.NewPerson(), CaseNumber = "FHIR 2026-17" }, RequestId = Cases.NewId() })).Plan;
        var number = (Name: "patient:identifier", Value: FhirSystems.PersonalNumber + "|" + plan.Subject.IdentityNumber.Value);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        foreach (var term in new[] { number, ("identifier", FhirSystems.CaseNumber + "|FHIR 2026-17"), ("_id", IdOf(plan)) })
        {
            var found = Assert.Single((await caller.Search("CarePlan", term)).Found<CarePlan>());
            Assert.Equal(IdOf(plan), found.Id);
        }

        Assert.Empty((await caller.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|" + Cases.NewPerson().IdentityNumber.Value))).Found<CarePlan>());
        Assert.Equal("SUBSETTED", Assert.Single(Assert.Single((await caller.Search("CarePlan", number)).Found<CarePlan>()).Meta!.Tag).Code);
        foreach (var (name, value) in new[]
        {
            ("status", "active"), ("category", "x"), ("_text", "våld"), ("_content", "våld"), ("patient", "Patient/1"), ("_has:Consent:patient:status", "active"), ("_sort", "date"), ("_include", "*"),
            ("patient:identifier", "http://example.org|1"), ("patient:identifier", plan.Subject.IdentityNumber.Value), ("identifier", "FHIR 2026-17"), ("_count", "0"), ("_id", "1"),
        })
        {
            var outcome = await caller.Search("CarePlan", (name, value));
            outcome.Outcome(HttpStatusCode.BadRequest);
            Assert.DoesNotContain(value.Length > 3 ? value : "\u0000", outcome.Text, StringComparison.Ordinal);
        }

        (await caller.Search("CarePlan", number, ("_id", IdOf(plan)))).Outcome(HttpStatusCode.BadRequest);
        (await caller.Search("CarePlan", number, number)).Outcome(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_plans_of_the_own_unit_come_in_pages_without_a_total()
    {
        var plans = new List<Plan> { await service.OpenPlan(Cases.NewPerson(), owner: DemonstrationDirectory.ElderCare), await service.OpenPlan(Cases.NewPerson(), owner: DemonstrationDirectory.ElderCare) };
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.ElderCare);

        var first = await caller.Search("CarePlan", ("_count", "1"));
        var next = Assert.Single(first.Resource<Bundle>().Link, link => link.Relation == "next").Url!;
        // The same POST to the address that the link names.
        using var nothing = new FormUrlEncodedContent([KeyValuePair.Create("_count", "1")]);
        var second = await caller.Send(HttpMethod.Post, next[(next.IndexOf("CarePlan", StringComparison.Ordinal))..], nothing);

        Assert.Equal([IdOf(plans[1]), IdOf(plans[0])], [Assert.Single(first.Found<CarePlan>()).Id, Assert.Single(second.Found<CarePlan>()).Id]);
        Assert.DoesNotContain(second.Resource<Bundle>().Link, link => link.Relation == "next");
        using var other = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        using var same = new FormUrlEncodedContent([KeyValuePair.Create("_count", "1")]);
        (await other.Send(HttpMethod.Post, next[(next.IndexOf("CarePlan", StringComparison.Ordinal))..], same)).Outcome(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_closed_plan_says_how_it_ended()
    {
        var plan = await service.OpenAndClosePlan();
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        var read = (await caller.Get(PathOf(plan))).Resource<CarePlan>();

        Assert.Equal((RequestStatus.Completed, FhirElements.Day(plan.ClosedDate)), (read.Status, read.Period!.End));
        Assert.Equal("NO_LONGER_NEEDED", read.GetExtensionValue<Code>(FhirSystems.Own + "closing-reason")?.Value);
    }

    private static (string?, string?) IdentifierIn(Extension? extension) => extension?.Value is ResourceReference { Identifier: { } found } ? (found.System, found.Value) : default;

    private static string IdOf(Plan plan) => plan.Name["plans/".Length..];

    private static string PathOf(Plan plan) => "CarePlan/" + IdOf(plan);
}
