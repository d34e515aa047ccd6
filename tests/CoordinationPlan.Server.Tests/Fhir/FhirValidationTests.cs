using System.Diagnostics;
using System.Globalization;
using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.V1;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>What the door answers passes two validators that are not ours (tests/fhir). That they find what is wrong is shown first.</summary>
public sealed class FhirValidationTests(Service service) : IClassFixture<Service>
{
    private static string Directory => Path.Combine(Machine.RepositoryRoot, "tests", "fhir");

    [Fact]
    public async Task Everything_that_is_answered_is_valid_R4()
    {
        SkipUnlessInstalled();
        var world = await World.Make(service, Cases.NewPerson(9));
        var plan = world.Plan;
        await FillIn(plan);
        await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag, RequestId = Cases.NewId() });
        await service.CaseWorker.Plans.EndGoalAsync(new() { Name = world.Goal.Name, Ending = ItemEnding.Completed, Outcome = "Nått", Etag = world.Goal.Etag, RequestId = Cases.NewId() });
        var answers = new Dictionary<string, FhirAnswer>();
        var id = plan.Name["plans/".Length..];
        using var owner = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        using var care = FhirCaller.Of(service, DemonstrationDirectory.PrimaryCare);
        using var reviewer = FhirCaller.Of(service, DemonstrationDirectory.LogReviewer);
        using var stranger = FhirCaller.Of(service, DemonstrationDirectory.Jonas);
        answers["metadata"] = await owner.Get("metadata");
        answers["careplan-owner"] = await owner.Get("CarePlan/" + id);
        answers["careplan-participant"] = await care.Get("CarePlan/" + id);
        answers["careplan-history"] = await owner.Get($"CarePlan/{id}/_history");
        answers["careplan-version"] = await owner.Get($"CarePlan/{id}/_history/1");
        answers["careplan-search"] = await owner.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|" + plan.Subject.IdentityNumber.Value));
        answers["careplan-list"] = await owner.Search("CarePlan", ("_count", "1"));
        answers["careplan-none"] = await owner.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|" + Cases.NewPerson().IdentityNumber.Value));
        answers["careteam"] = await owner.Get("CareTeam/" + id);
        answers["consents"] = await owner.Search("Consent", ("data", "CarePlan/" + id));
        answers["tasks"] = await owner.Search("Task");
        answers["tasks-done"] = await owner.Search("Task", ("status", "completed"), ("modified", "ge" + FhirElements.Day(Cases.Today)));
        var now = TimeProvider.System.GetUtcNow();
        answers["auditevents"] = await reviewer.Search(
            "AuditEvent", ("date", "ge" + now.AddHours(-1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)), ("date", "lt" + now.AddHours(1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)), ("_count", "500"));
        answers["careteam-history"] = await owner.Get($"CareTeam/{id}/_history");
        answers["task"] = await owner.Get("Task/" + answers["tasks"].Found<Hl7.Fhir.Model.Task>()[0].Id);
        answers["auditevent-history"] = await reviewer.Get($"AuditEvent/{answers["auditevents"].Found<Hl7.Fhir.Model.AuditEvent>()[0].Id}/_history");
        await service.Sync(Cases.Item(plan, DemonstrationDirectory.PrimaryCare), Cases.Item(plan, DemonstrationDirectory.Ward, "vårdrelation-2", ended: true));
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        answers["careteam-reported"] = await system.Get("CareTeam/" + id);
        Assert.Equal(3, answers["careteam-reported"].Resource<Hl7.Fhir.Model.CareTeam>().Participant.Count);
        Assert.All(answers, answer => Assert.True(answer.Value.Status == HttpStatusCode.OK, answer.Key + " " + answer.Value.Text));
        foreach (var (name, type) in new[] { ("consents", "Consent"), ("tasks", "Task"), ("auditevents", "AuditEvent"), ("careplan-owner", "Goal") })
        {
            Assert.Contains($"\"resourceType\":\"{type}\"", answers[name].Text, StringComparison.Ordinal);
        }

        answers["refused"] = await stranger.Get("CarePlan/" + id);
        answers["fault"] = await owner.Search("Task", ("x", "y"));

        var (code, output) = await Validate(answers.Select(answer => (answer.Key, answer.Value.Text)));
        Assert.True(code == 0, output);
    }

    [Theory]
    [InlineData("""{"resourceType":"CareTeam","status":"of-no-value-set"}""")]
    [InlineData("""{"resourceType":"CareTeam","more":1}""")]
    [InlineData("""{"resourceType":"Consent","status":"active","scope":{"text":"a"},"category":[{"text":"b"}]}""")]
    [InlineData("""{"resourceType":"CarePlan","status":"active","intent":"plan"}""")]
    [InlineData("""{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Task","status":"requested"}}]}""")]
    public async Task The_validators_find_what_is_wrong(string resource)
    {
        SkipUnlessInstalled();
        var (code, output) = await Validate([("wrong", resource)]);
        Assert.True(code == 1 && !output.Contains(" 0 faults", StringComparison.Ordinal), output);
    }

    /// <summary>What the world's plan lacks and a mapping has.</summary>
    private async Task FillIn(Plan plan)
    {
        var current = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        string[] paths = ["what_matters", "needs", "resources", "childs_own_words", "case_number", "coordinator", "follow_up_date"];
        current = (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new()
            {
                Name = plan.Name,
                WhatMatters = "Att få sova.\nAtt vara trygg.",
                Needs = "Stöd",
                Resources = "En god vän",
                ChildsOwnWords = "Jag vill spela fotboll.",
                CaseNumber = "Dnr 2026-" + plan.Name[^6..],
                Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id,
                FollowUpDate = Cases.InMonths(3),
            },
            UpdateMask = new() { Paths = { paths } },
            Etag = current.Etag,
            RequestId = Cases.NewId(),
        })).Plan;
        var goal = (await service.CaseWorker.Plans.AddGoalAsync(new()
        {
            Parent = plan.Name,
            Goal = new() { Title = "Trygg skolväg", Description = "Varje dag", TargetDate = Cases.InMonths(2), Horizon = GoalHorizon.ShortTerm, OwnWords = "Gå själv" },
            Etag = current.Etag,
            RequestId = Cases.NewId(),
        })).Goal;
        await service.CaseWorker.Plans.AddInterventionAsync(new()
        {
            Parent = plan.Name,
            Intervention = new()
            {
                Title = "Samtal",
                Description = "En gång i veckan",
                Goals = { goal.Name },
                ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker),
                ContactPerson = "employees/" + DemonstrationDirectory.CaseWorker.Id,
                Period = Cases.HalfAYear,
                Codes = { new ClassificationCode { System = Classification.Ksi, Code = "GB004" }, new ClassificationCode { System = Classification.Kva, Code = "AU120" } },
            },
            Etag = current.Etag,
            RequestId = Cases.NewId(),
        });
        await service.Consent(current, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity, InformationCategory.Health, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings], consent =>
        {
            consent.GivenBy = ConsentGiver.Guardian;
            consent.ExcludedCategories.Add(InformationCategory.SocialSituation);
            consent.EvidenceReference = "AKT 12";
            consent.ChildsView = "Det är bra.";
            consent.MissingGuardians.Add(new MissingGuardian { Ground = MissingGuardianGround.BoardDecided, DecisionReference = "BESLUT 3" });
        });
        await service.Consent(current, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health], consent => consent.State = ConsentState.Refused);
    }

    private static void SkipUnlessInstalled() => Assert.SkipUnless(
        System.IO.Directory.Exists(Path.Combine(Directory, "node_modules")) || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")), "tests/fhir is not installed: run scripts/setup --dev");

    private static async Task<(int Code, string Output)> Validate(IEnumerable<(string Name, string Json)> resources)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("fhir");
        try
        {
            foreach (var (name, json) in resources)
            {
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, name + ".json"), json);
            }

            var start = new ProcessStartInfo("node", ["validate.mjs", folder.FullName]) { WorkingDirectory = Directory, RedirectStandardOutput = true, RedirectStandardError = true };
            using var node = Process.Start(start)!;
            var output = Task.WhenAll(node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            await node.WaitForExitAsync(limit.Token);
            return (node.ExitCode, string.Concat(await output));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
