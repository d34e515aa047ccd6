using System.Text;
using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Disclosures;
using CoordinationPlan.V1;
using Google.Rpc;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Disclosures;

/// <summary>Documents that leave for receivers outside a plan: warned, compared with the whereabouts, recorded with a ground.</summary>
public sealed class DisclosureTests(Service service) : IClassFixture<Service>
{
    private const string Telling = "Taxi hämtar vid Gömvägen 17 klockan åtta. Ring 070-765 43 21.";

    [Fact]
    public async Task A_document_that_tells_where_the_child_is_is_recorded_only_when_just_that_is_accepted()
    {
        var plan = await PlanInShelter();
        var check = await Check(plan, Telling);
        Assert.Equal([(FindingKind.Address, 16, 11), (FindingKind.PhoneNumber, 47, 13)], check.Findings.Select(finding => (finding.Kind, finding.Offset, finding.Length)));
        Assert.Contains("mötesplats", check.Warning, StringComparison.Ordinal);
        Assert.False(check.More);
        var before = await service.Count("disclosure");
        var start = await service.Now();

        var refusal = await Record(plan, Telling).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);

        Assert.Equal(
            [("ADDRESS", "text", "at 16, 11 characters"), ("PHONE_NUMBER", "text", "at 47, 13 characters")],
            refusal.GetRpcStatus()!.GetDetail<PreconditionFailure>()!.Violations.Select(unmet => (unmet.Type, unmet.Subject, unmet.Description)));
        foreach (var value in new[] { "Gömvägen", "765" })
        {
            Assert.DoesNotContain(value, refusal.ToString() + refusal.UserText(), StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal((AccessOutcome.Failed, "WHEREABOUTS_FOUND"), (Assert.Single(await service.LogSince(start)) is var entry ? (entry.Outcome, entry.Reason) : default));
        // Not one of them, not one more, and not the place that another text had.
        await Record(plan, Telling, disclosure => Accept(disclosure, check.Findings.Take(1))).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await Record(plan, Telling, disclosure => Accept(disclosure, check.Findings.Append(new() { Kind = FindingKind.Town, Field = "text" }))).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await Record(plan, " " + Telling, disclosure => Accept(disclosure, check.Findings)).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await Record(plan, "Hämtas vid skolan.", disclosure => Accept(disclosure, check.Findings)).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);
        await Record(plan, Telling, disclosure => disclosure.AcceptedFindings.AddRange(check.Findings)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal(before, await service.Count("disclosure"));

        start = await service.Now();
        var outline = (await Record(plan, Telling, disclosure => Accept(disclosure, check.Findings))).Disclosure;

        Assert.Equal(AccessOutcome.Permitted, Assert.Single(await service.LogSince(start)).Outcome);
        Assert.Equal(("", "", null), (outline.ReceiverName, outline.DecisionReference, outline.Document));
        var read = (await service.CaseWorker.Disclosures.GetDisclosureAsync(new() { Name = outline.Name })).Disclosure;
        Assert.Equal((Telling, "Taxibolaget, beställningen", "SKOL_10_33", check.Warning), (read.Document.Text, read.ReceiverName, read.Ground, read.Warning));
        Assert.Equal(check.Findings, read.AcceptedFindings);
        Assert.Equal("employees/" + DemonstrationDirectory.CaseWorker.Id, read.RecordedBy);
        Assert.Equal(outline.RecordTime, read.RecordTime);
        var listed = Assert.Single((await service.CaseWorker.Disclosures.ListDisclosuresAsync(new() { Parent = plan.Name })).Disclosures);
        Assert.Equal(new Disclosure(read) { Document = null }, listed);
    }

    [Fact]
    public async Task Sheltered_housing_school_and_their_municipality_are_found_and_the_senders_own_name_is_not()
    {
        var plan = await PlanInShelter(DemonstrationDirectory.School);

        var check = await Check(plan, "Stockholms stad: elev vid skola i annan kommun, Grannkommunens resurs, boende på KRISCENTRUMET. Kod 1234 5678, tystberga 12345.");

        Assert.Equal(
            [FindingKind.SchoolName, FindingKind.SchoolMunicipality, FindingKind.UnitName, FindingKind.SchoolId, FindingKind.Town, FindingKind.PostalCode],
            check.Findings.Select(finding => finding.Kind));
        Assert.Empty((await Check(plan, "Stockholms stad: elev i årskurs 3.")).Findings);
    }

    [Fact]
    public async Task A_plan_without_whereabouts_has_its_documents_recorded_all_the_same()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var check = await Check(plan, Telling);
        Assert.Empty(check.Findings);

        var recorded = (await Record(plan, Telling, disclosure => disclosure.Document.Properties.Add(new DocumentProperty { Name = "filename", Value = "bestallning.pdf" }))).Disclosure;
        var second = (await Record(plan, "Faktura", disclosure => (disclosure.Kind, disclosure.Ground) = (DisclosureKind.Reimbursement, "SKOL_10_34"))).Disclosure;

        Assert.Equal([second.Name, recorded.Name], (await service.CaseWorker.Disclosures.ListDisclosuresAsync(new() { Parent = plan.Name })).Disclosures.Select(disclosure => disclosure.Name));
        Assert.Equal("bestallning.pdf", (await service.CaseWorker.Disclosures.GetDisclosureAsync(new() { Name = recorded.Name })).Disclosure.Document.Properties[0].Value);
        // The whereabouts that come later have the same key, and what was recorded before them is still read.
        await SetWhereabouts(plan);
        Assert.Equal(Telling, (await service.CaseWorker.Disclosures.GetDisclosureAsync(new() { Name = recorded.Name })).Disclosure.Document.Text);
    }

    [Fact]
    public async Task A_document_with_more_findings_than_can_be_listed_is_not_recorded()
    {
        var plan = await PlanInShelter();
        var text = string.Concat(Enumerable.Repeat("Tystberga. ", 51));
        var check = await Check(plan, text);
        Assert.Equal((50, true), (check.Findings.Count, check.More));

        var refusal = await Record(plan, text, disclosure => Accept(disclosure, check.Findings)).Fails(StatusCode.FailedPrecondition, ErrorReason.WhereaboutsFound);

        Assert.Equal(20, refusal.UnmetPreconditions().Count);
        Assert.False((await Check(plan, text[..^11])).More);
    }

    [Fact]
    public async Task Nobody_but_the_owning_social_services_with_an_assignment_for_protected_persons_gets_at_it()
    {
        var plan = await PlanInShelter();
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Schooling, InformationCategory.SocialSituation]);
        var recorded = (await Record(plan, "Hämtas vid skolan.")).Disclosure;
        foreach (var other in DemonstrationDirectory.Employees.Where(employee => employee != DemonstrationDirectory.CaseWorker && employee != DemonstrationDirectory.UnitManager))
        {
            var disclosures = service.As(other).Disclosures;
            await disclosures.CheckDisclosureAsync(new() { Parent = plan.Name, Kind = DisclosureKind.Other, Document = new() { Text = "x" } }).IsRefused();
            await disclosures.RecordDisclosureAsync(Request(plan, "Hämtas vid skolan.")).IsRefused();
            await disclosures.ListDisclosuresAsync(new() { Parent = plan.Name }).IsRefused();
            await disclosures.GetDisclosureAsync(new() { Name = recorded.Name }).IsRefused();
        }
    }

    [Fact]
    public async Task The_ground_is_one_for_such_a_document_and_there_is_one_receiver()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await Record(plan, "x", disclosure => disclosure.Ground = "SKOL_10_34").Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await Record(plan, "x", disclosure => disclosure.Ground = "NO_SUCH").Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        // The secrecy of health care is not the social services' to lift, and the duty to report is about children.
        await Record(plan, "x", disclosure => disclosure.Ground = "OSL_25_12_ADDICTION").Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, "x", disclosure => disclosure.Ground = "SOL_19_1_REPORT").Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, "x", disclosure => disclosure.ReceiverName = "").Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, "x", disclosure => disclosure.ReceiverUnit = Cases.UnitOf(DemonstrationDirectory.School)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, "x", disclosure => (disclosure.ReceiverName, disclosure.ReceiverUnit) = ("", "units/nowhere")).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await Record(plan, new string('x', 50_001)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, new string('å', 50_000), disclosure => (disclosure.ReceiverName, disclosure.ReceiverUnit) = ("", Cases.UnitOf(DemonstrationDirectory.School)));

        // A ground for documents opens no standing release.
        var grounds = (await service.CaseWorker.Releases.ListLegalGroundsAsync(new())).LegalGrounds;
        Assert.Equal([DisclosureKind.Transport], grounds.Single(ground => ground.Code == "SKOL_10_33").DisclosureKinds);
        await service.CaseWorker.Releases.RecordReleaseAsync(new()
        {
            Parent = plan.Name,
            Release = Cases.NewRelease(DemonstrationDirectory.School, [InformationCategory.Identity], release => (release.Ground, release.Period) = ("SKOL_10_33", Cases.Period(0, 10))),
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
    }

    [Fact]
    public async Task Nothing_of_it_lies_in_clear_nothing_is_changed_and_disposal_reaches_it()
    {
        var plan = await PlanInShelter();
        var findings = (await Check(plan, Telling)).Findings;
        var recorded = (await Record(plan, Telling, disclosure => Accept(disclosure, findings))).Disclosure;

        var dump = await service.Dump();
        foreach (var secret in new[] { "Gömvägen", "Taxibolaget", "BESLUT 77", "Taxi hämtar", "765 43 21", "kan inte hitta annars" })
        {
            Assert.DoesNotContain(secret, dump, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal);
        }

        // Recorded in a closed plan too: invoices come late.
        var closed = (await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag, RequestId = Cases.NewId() })).Plan;
        await Record(closed, "Faktura för hösten.");
        await using (var change = service.Administrator.CreateCommand("UPDATE coordinationplan.disclosure SET kind = 4"))
        {
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => change.ExecuteNonQueryAsync());
        }

        await service.LetRetentionPass(closed);
        await service.As(DemonstrationDirectory.UnitManager).Plans.DisposeSubjectAsync(new() { Name = closed.Name, DecisionReference = "GALL 2026-1", Etag = closed.Etag, RequestId = Cases.NewId() });

        await service.CaseWorker.Disclosures.GetDisclosureAsync(new() { Name = recorded.Name }).IsRefused();
        await using var keys = service.Administrator.CreateCommand("SELECT count(*) FROM coordinationplan.plan p JOIN coordinationplan.subject_key k USING (subject_id) WHERE p.plan_id = $1");
        keys.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        Assert.Equal(0L, await keys.ExecuteScalarAsync());
    }

    [Fact]
    public void Every_kind_of_document_has_a_warning()
    {
        foreach (var kind in Enum.GetValues<DisclosureKind>().Where(kind => kind != DisclosureKind.Unspecified))
        {
            Assert.True(DisclosureWarnings.Load().Of(kind).Length > 100);
        }

        foreach (var faulty in new[] { "{}", """{ "TRANSPORT": "x", "REIMBURSEMENT": "x", "OPINION": "x", "OTHER": " " }""", """{ "TRANSPORT": "x", "REIMBURSEMENT": "x", "OPINION": "x", "OTHER": "x", "MORE": "x" }""" })
        {
            Assert.Throws<InvalidOperationException>(() => DisclosureWarnings.Parse(new MemoryStream(Encoding.UTF8.GetBytes(faulty))));
        }
    }

    private async Task<Plan> PlanInShelter(params DemonstrationEmployee[] others)
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        foreach (var other in others)
        {
            await service.Join(plan, other);
        }

        await SetWhereabouts(plan);
        return plan;
    }

    private async Task SetWhereabouts(Plan plan) => await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
    {
        Whereabouts = new()
        {
            Name = plan.Name + "/whereabouts",
            Unit = Cases.UnitOf(DemonstrationDirectory.Shelter),
            Address = "Gömvägen 17, 123 45 Tystberga",
            SafeContact = "070-765 43 21 efter sju",
        },
        Etag = "new",
        RequestId = Cases.NewId(),
    });

    private static void Accept(Disclosure disclosure, IEnumerable<WhereaboutsFinding> findings)
    {
        disclosure.AcceptedFindings.AddRange(findings);
        disclosure.AcceptanceReason = "Taxin kan inte hitta annars.";
    }

    private async Task<CheckDisclosureResponse> Check(Plan plan, string text) =>
        await service.CaseWorker.Disclosures.CheckDisclosureAsync(new() { Parent = plan.Name, Kind = DisclosureKind.Transport, Document = new() { Text = text } });

    private AsyncUnaryCall<RecordDisclosureResponse> Record(Plan plan, string text, Action<Disclosure>? change = null) =>
        service.CaseWorker.Disclosures.RecordDisclosureAsync(Request(plan, text, change));

    private static RecordDisclosureRequest Request(Plan plan, string text, Action<Disclosure>? change = null)
    {
        var disclosure = Cases.NewDisclosure(text);
        change?.Invoke(disclosure);
        return new() { Parent = plan.Name, Disclosure = disclosure, Etag = plan.Etag, RequestId = Cases.NewId() };
    }
}
