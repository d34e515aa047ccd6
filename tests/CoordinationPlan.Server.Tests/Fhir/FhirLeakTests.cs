using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.Server.Tests.Schooling;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>
/// What you may not know of does not exist, over the FHIR door as over the contract's: for every way to lack access and every interaction, a plan that is there and one that
/// never was are answered with the same bytes.
/// </summary>
public sealed class FhirLeakTests(Service service) : IClassFixture<Service>
{
    private static readonly InformationCategory[] Everything =
    [
        InformationCategory.Identity, InformationCategory.ContactDetails, InformationCategory.GoalsAndInterventions, InformationCategory.SocialSituation, InformationCategory.Health,
        InformationCategory.Schooling, InformationCategory.ProtectionMeasures, InformationCategory.ChildsOwnWords, InformationCategory.Meetings, InformationCategory.SchoolPlacement,
    ];

    /// <summary>Every interaction about one plan.</summary>
    private static readonly Dictionary<string, Func<FhirCaller, World, string, Task<FhirAnswer>>> Interactions = new()
    {
        ["read CarePlan"] = (caller, _, id) => caller.Get("CarePlan/" + id),
        ["history of CarePlan"] = (caller, _, id) => caller.Get($"CarePlan/{id}/_history"),
        ["vread CarePlan"] = (caller, _, id) => caller.Get($"CarePlan/{id}/_history/1"),
        ["vread CarePlan as it is"] = (caller, _, id) => caller.Get($"CarePlan/{id}/_history/0123456789abcdef01234567"),
        ["search CarePlan by id"] = (caller, _, id) => caller.Search("CarePlan", ("_id", id)),
        ["read CareTeam"] = (caller, _, id) => caller.Get("CareTeam/" + id),
        ["update CareTeam"] = (caller, _, id) => caller.Put(new CareTeam { Id = id, Meta = new Meta { VersionId = "0123456789abcdef01234567" } }),
        ["history of CareTeam"] = (caller, _, id) => caller.Get($"CareTeam/{id}/_history"),
        ["vread CareTeam"] = (caller, _, id) => caller.Get($"CareTeam/{id}/_history/0123456789abcdef01234567"),
        ["history of Consent"] = (caller, world, id) => caller.Get($"Consent/{FhirElements.ConsentId(world.Consent.Name.Replace(IdOf(world.Plan), id, StringComparison.Ordinal))}/_history"),
        ["read Consent"] = (caller, world, id) => caller.Get("Consent/" + FhirElements.ConsentId(world.Consent.Name.Replace(IdOf(world.Plan), id, StringComparison.Ordinal))),
        ["search Consent"] = (caller, _, id) => caller.Search("Consent", ("data", "CarePlan/" + id)),
    };

    public static IEnumerable<TheoryDataRow<string>> All => LeakTests.Ways.Keys.Select(way => new TheoryDataRow<string>(way));

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_plan_is_not_there_for_whoever(string way)
    {
        var (world, callers) = await LeakTests.Ways[way](service);
        var id = IdOf(world.Plan);
        var person = world.Plan.Subject;
        foreach (var employee in callers)
        {
            using var caller = FhirCaller.Of(service, employee);
            await Parallel.ForEachAsync(Interactions, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (interaction, _) =>
            {
                var existing = await interaction.Value(caller, world, id);
                existing.IsRefused();
                Assert.Equal((interaction.Key, (await interaction.Value(caller, world, Ids.Opaque().ToString("D"))).Whole()), (interaction.Key, existing.Whole()));
            });

            Assert.Equal(await Found(caller, Cases.NewPerson().IdentityNumber.Value), await Found(caller, person.IdentityNumber.Value));
            foreach (var list in new[] { await caller.Search("CarePlan", ("_count", "100")), await caller.Search("Task", ("_count", "500")) })
            {
                Assert.All(new[] { id, person.IdentityNumber.Value, person.GivenName }, secret => Assert.DoesNotContain(secret, list.Text, StringComparison.Ordinal));
            }
        }

        static async Task<string> Found(FhirCaller caller, string number) => (await caller.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|" + number))).Whole();
    }

    [Fact]
    public async Task A_refusal_leaves_one_entry_whichever_interaction_it_was()
    {
        var world = await World.Shared(service);
        using var jonas = FhirCaller.Of(service, DemonstrationDirectory.Jonas);
        foreach (var (name, interaction) in Interactions)
        {
            foreach (var id in new[] { IdOf(world.Plan), Ids.Opaque().ToString("D") })
            {
                var start = await service.Now();
                (await interaction(jonas, world, id)).IsRefused();
                var entry = Assert.Single(await service.LogSince(start));
                Assert.Equal((name, AccessOutcome.Refused, Policy.Categories.None, Guid.Parse(id)), (name, entry.Outcome, entry.Categories, entry.PlanId));
            }
        }
    }

    /// <summary>Of what is not about one plan by its id: a task of another unit, and an entry that is another controller's to review.</summary>
    [Fact]
    public async Task A_task_and_an_entry_of_others_are_not_there()
    {
        var plan = await service.OpenPlan(Cases.NewPerson(), owner: DemonstrationDirectory.ElderCare);
        using var owner = FhirCaller.Of(service, DemonstrationDirectory.ElderCare);
        var task = (await owner.Search("Task")).Found<Hl7.Fhir.Model.Task>().First(task => task.Focus!.Reference == "CarePlan/" + IdOf(plan));
        (await owner.Get("Task/" + task.Id)).Resource<Hl7.Fhir.Model.Task>();
        using var other = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        foreach (var path in new[] { "Task/{0}", "Task/{0}/_history", "Task/{0}/_history/0123456789abcdef01234567" })
        {
            var there = await other.Get(string.Format(null, path, task.Id));
            there.IsRefused();
            Assert.Equal((await other.Get(string.Format(null, path, "0123456789abcdef01234567"))).Whole(), there.Whole());
        }

        var start = await service.Now();
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new() { Name = "plans/" + Ids.Opaque().ToString("D") }).IsRefused();
        var foreign = await service.Scalar<Guid>($"SELECT entry_id FROM coordinationplan.access_log WHERE occurred_at >= '{start:O}' ORDER BY occurred_at LIMIT 1");
        using var reviewer = FhirCaller.Of(service, DemonstrationDirectory.LogReviewer);
        foreach (var path in new[] { "AuditEvent/{0}", "AuditEvent/{0}/_history", "AuditEvent/{0}/_history/1" })
        {
            var there = await reviewer.Get(string.Format(null, path, foreign));
            there.IsRefused();
            Assert.Equal((await reviewer.Get(string.Format(null, path, Guid.CreateVersion7()))).Whole(), there.Whole());
        }
    }

    [Fact]
    public async Task A_withdrawn_consent_stops_what_was_read_before_and_the_version_that_was_kept_is_no_right()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        var consent = await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health, InformationCategory.Meetings]);
        using var care = FhirCaller.Of(service, DemonstrationDirectory.PrimaryCare);
        var before = await care.Get("CarePlan/" + IdOf(plan));
        before.Resource<CarePlan>();

        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });

        (await care.Get("CarePlan/" + IdOf(plan))).IsRefused();
        (await care.Get("CarePlan/" + IdOf(plan), ("If-None-Match", before.Headers["ETag"][0]))).IsRefused();
        (await care.Get($"CarePlan/{IdOf(plan)}/_history/{before.Version}")).IsRefused();
        (await care.Get("CareTeam/" + IdOf(plan))).IsRefused();
    }

    [Fact]
    public async Task Where_a_child_stays_and_goes_to_school_is_told_to_no_other_and_a_version_does_not_change_with_it()
    {
        var world = await World.Make(service, Cases.NewPerson(9));
        var plan = world.Plan;
        var bup = DemonstrationDirectory.ChildPsychiatry;
        await service.Join(plan, bup);
        await service.Consent(plan, bup, Everything);
        await SchoolLeakTests.Place(service, plan, DemonstrationDirectory.Shelter);
        using var other = FhirCaller.Of(service, bup);
        using var owner = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        string[] paths = ["CarePlan/" + IdOf(plan), "CareTeam/" + IdOf(plan)];
        var before = await Task.WhenAll(paths.Select(path => other.Get(path)));

        // The sheltered housing takes part; the school does already.
        await service.Join(plan, DemonstrationDirectory.Shelter);

        var told = string.Concat((await Task.WhenAll(paths.Select(path => owner.Get(path)))).Select(answer => answer.Text));
        Assert.Contains(DemonstrationDirectory.Shelter.UnitId, told, StringComparison.Ordinal);
        Assert.Contains("12345678", told, StringComparison.Ordinal);
        var after = await Task.WhenAll(paths.Select(path => other.Get(path)));
        for (var i = 0; i < paths.Length; i++)
        {
            Assert.Equal(HttpStatusCode.OK, after[i].Status);
            Assert.Equal((before[i].Text, before[i].Version), (after[i].Text, after[i].Version));
            Assert.All(
                new[] { DemonstrationDirectory.Shelter.UnitId, "Kriscentrum", "12345678", DemonstrationDirectory.School.Id, "sheltered" },
                trace => Assert.DoesNotContain(trace, after[i].Text, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static string IdOf(Plan plan) => plan.Name["plans/".Length..];
}
