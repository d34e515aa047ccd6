using System.Text;
using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Releases;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Releases;

/// <summary>What a release on legal ground opens, to whom and for how long; and what no release opens.</summary>
public sealed class ReleaseTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Care = DemonstrationDirectory.PrimaryCare;
    private static readonly DemonstrationEmployee OtherCare = DemonstrationDirectory.ChildPsychiatry;

    [Fact]
    public async Task A_release_opens_its_categories_to_its_units_and_nothing_else_to_nobody_else()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Join(plan, OtherCare);
        await ReadAs(Care, plan).IsRefused();

        await service.Release(plan, Care, [Identity, Health]);

        var read = await service.Read(Care, plan);
        Assert.Equal(plan.Subject, read.Subject);
        Assert.Equal(plan.HealthSituation, read.HealthSituation);
        Assert.Equal("", read.SocialSituation);
        Assert.Empty(read.Releases);
        Assert.Empty(read.Participations);
        await ReadAs(OtherCare, plan).IsRefused();
    }

    [Fact]
    public async Task The_owning_unit_reads_the_release_as_it_was_recorded()
    {
        var plan = await service.OpenPlan();
        var release = await service.Release(plan, Care, [Identity]);

        var read = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Releases);

        Assert.Equal(release, read);
        Assert.Equal(("Enhetschef enligt delegation 4.2", "employees/" + DemonstrationDirectory.CaseWorker.Id), (read.Decider, read.RecordedBy));
        Assert.Equal(Cases.UnitOf(Care), Assert.Single(read.RecipientUnits));
        Assert.Equal((ReviewOutcome.Unspecified, null), (read.ReviewOutcome, read.EndTime));
    }

    [Fact]
    public async Task A_release_is_reviewed_within_thirty_days_and_not_after_its_end()
    {
        var plan = await service.OpenPlan();
        var (longer, shorter) = (await service.Release(plan, Care, [Identity]), await service.Release(plan, Care, [Identity], release => release.Period = Cases.Period(0, 5)));

        Assert.Equal(Cases.Period(0, 30).EndDate, longer.ReviewDueDate);
        Assert.Equal(Cases.Period(0, 5).EndDate, shorter.ReviewDueDate);
    }

    [Fact]
    public async Task Ending_a_release_stops_reads_at_once()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        var release = await service.Release(plan, Care, [Identity]);
        Assert.NotNull((await service.Read(Care, plan)).Subject);

        var ended = await End(release);

        Assert.NotNull(ended.EndTime);
        Assert.NotEqual(release.Etag, ended.Etag);
        await ReadAs(Care, plan).IsRefused();
        Assert.DoesNotContain((await service.As(Care).Plans.ListPlansAsync(new() { PageSize = 100 })).Plans, listed => listed.Name == plan.Name);
        await service.CaseWorker.Releases.EndReleaseAsync(new() { Name = ended.Name, Etag = ended.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Theory]
    [InlineData(-10, -1)]
    [InlineData(1, 10)]
    public async Task A_release_opens_nothing_outside_its_period(int from, int to)
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Release(plan, Care, [Identity], release => release.Period = Cases.Period(from, to));

        await ReadAs(Care, plan).IsRefused();
    }

    [Fact]
    public async Task A_release_for_another_purpose_opens_nothing()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Release(plan, Care, [Identity], release => release.Purpose = Purpose.SocialServicesCase);

        await ReadAs(Care, plan).IsRefused();
    }

    [Fact]
    public async Task A_refusal_beats_a_ground_that_does_not_override_it()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        await service.Release(plan, Care, [Identity, Health]);
        await service.Consent(plan, Care, [Health], consent => consent.State = ConsentState.Refused);

        var read = await service.Read(Care, plan);

        Assert.NotNull(read.Subject);
        Assert.Equal("", read.HealthSituation);
    }

    [Fact]
    public async Task A_refusal_does_not_stop_a_ground_that_overrides_it()
    {
        var other = DemonstrationDirectory.OtherCaseWorker;
        var plan = await service.OpenPlan(DemonstrationPersons.Elias);
        await service.Join(plan, other);
        await service.Release(plan, other, [Identity, Health], OfAReport);
        await service.Consent(plan, other, [Health], consent => consent.State = ConsentState.Refused);

        Assert.Equal(plan.HealthSituation, (await service.Read(other, plan)).HealthSituation);
    }

    [Fact]
    public async Task The_manager_reviews_what_somebody_else_has_recorded_and_once()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        var release = await service.Release(plan, Care, [Identity]);
        await service.CaseWorker.Releases.ReviewReleaseAsync(Review(release, ReviewOutcome.Justified)).IsRefused();

        var reviewed = (await Manager.ReviewReleaseAsync(Review(release, ReviewOutcome.Justified))).Release;

        Assert.Equal((ReviewOutcome.Justified, null), (reviewed.ReviewOutcome, reviewed.EndTime));
        Assert.NotNull((await service.Read(Care, plan)).Subject);
        await Manager.ReviewReleaseAsync(Review(reviewed, ReviewOutcome.NotJustified)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task Not_justified_ends_the_release()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, Care);
        var release = await service.Release(plan, Care, [Identity]);

        var reviewed = (await Manager.ReviewReleaseAsync(Review(release, ReviewOutcome.NotJustified))).Release;

        Assert.NotNull(reviewed.EndTime);
        await ReadAs(Care, plan).IsRefused();
        Assert.Equal(reviewed, Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Releases));
    }

    [Fact]
    public async Task Nobody_reviews_a_release_of_his_own()
    {
        var plan = await service.OpenPlan();
        var release = (await Manager.RecordReleaseAsync(Record(plan, Cases.NewRelease(Care, [Identity])))).Release;

        var error = await Manager.ReviewReleaseAsync(Review(release, ReviewOutcome.Justified)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        Assert.Contains("Another manager", Assert.Single(error.UnmetPreconditions()).Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Releases_of_a_closed_plan_are_ended_and_reviewed_and_no_new_ones_recorded()
    {
        var plan = await service.OpenPlan();
        var release = await service.Release(plan, Care, [Identity]);
        var closed = (await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Etag = plan.Etag, Reason = PlanClosingReason.Moved, RequestId = Cases.NewId() })).Plan;

        await Manager.ReviewReleaseAsync(Review(await End(release), ReviewOutcome.Justified));
        await Assert.ThrowsAsync<RpcException>(() => service.Release(closed, Care, [Identity]));
    }

    [Fact]
    public async Task A_ground_is_one_of_the_list()
    {
        var plan = await service.OpenPlan();
        foreach (var ground in new[] { "OSL_10_27", "osl_26_9_addiction", "OSL_26_9" })
        {
            await service.CaseWorker.Releases.RecordReleaseAsync(Record(plan, Cases.NewRelease(Care, [Identity], release => release.Ground = ground)))
                .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        }
    }

    [Theory]
    [InlineData(InformationCategory.RiskAssessment)]
    [InlineData(InformationCategory.Whereabouts)]
    [InlineData(ThirdParties)]
    [InlineData(ConsentDocuments)]
    [InlineData(InformationCategory.Schooling)]
    public async Task A_release_is_no_wider_than_its_ground(InformationCategory category) =>
        await IsFaulty("release.categories", release => release.Categories.Add(category));

    [Fact]
    public async Task A_release_has_an_end_and_is_no_longer_than_its_ground()
    {
        await IsFaulty("release.period.end_date", release => release.Period = Cases.Period(0, null));
        await IsFaulty("release.period.end_date", release => release.Period = Cases.Period(0, 184));
        await service.Release(await service.OpenPlan(), Care, [Identity], release => release.Period = Cases.Period(0, 183));
    }

    [Fact]
    public async Task A_release_lies_within_the_time_that_its_ground_is_in_force() =>
        await IsFaulty("release.period", release => release.Period = new() { StartDate = Cases.ToDate(new(2009, 6, 29)), EndDate = Cases.ToDate(new(2009, 7, 10)) });

    [Fact]
    public async Task A_ground_lifts_the_secrecy_of_the_owning_unit_and_lets_its_recipients_receive()
    {
        await IsFaulty("release.ground", release => release.Ground = "OSL_25_12_ADDICTION");
        await IsFaulty("release.recipient_units", release => release.RecipientUnits.Add(Cases.UnitOf(DemonstrationDirectory.School)));
    }

    [Fact]
    public async Task A_ground_for_minors_holds_while_the_person_is_under_eighteen()
    {
        await IsFaulty("release.ground", release => release.Ground = "OSL_26_9_MINOR");
        var child = await service.OpenPlan(DemonstrationPersons.Nora);
        Assert.NotNull(await service.Release(child, Care, [Identity], release => release.Ground = "OSL_26_9_MINOR"));
    }

    [Theory]
    [InlineData("199003712396", 1990, 3, 11)]
    [InlineData("201706032396", 2017, 6, 3)]
    public void A_coordination_number_has_sixty_added_to_the_day(string number, int year, int month, int day) =>
        Assert.Equal(new DateOnly(year, month, day), IdentityNumbers.DayOfBirth(number));

    [Fact]
    public async Task A_recipient_is_a_unit_in_the_directory()
    {
        var plan = await service.OpenPlan();
        await service.CaseWorker.Releases.RecordReleaseAsync(Record(plan, Cases.NewRelease(Care, [Identity], release => release.RecipientUnits.Add("units/nowhere"))))
            .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
    }

    [Fact]
    public async Task A_sheltered_housing_is_unknown_to_who_may_not_know_the_whereabouts()
    {
        // Health care owns this one, and health care is told nothing of sheltered housings.
        var plan = (await service.As(Care).Plans.CreatePlanAsync(new() { Plan = new() { Subject = DemonstrationPersons.Sara }, RequestId = Cases.NewId() })).Plan;
        async Task<string> Answer(string unit)
        {
            var release = Cases.NewRelease(OtherCare, [Identity], release => (release.Ground, release.RecipientUnits[0]) = ("OSL_25_12_ADDICTION", unit));
            return (await service.As(Care).Releases.RecordReleaseAsync(Record(plan, release)).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference)).UnmetPreconditions().Single().Description;
        }

        Assert.Equal(await Answer("units/nowhere"), await Answer(Cases.UnitOf(DemonstrationDirectory.Shelter)));
        await service.Release(await service.OpenPlan(), DemonstrationDirectory.Shelter, [Identity]);
    }

    [Fact]
    public async Task A_sheltered_housing_that_reads_on_legal_ground_knows_of_itself_and_of_no_other_housing()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.Kruton);
        await service.AddIntervention(plan, DemonstrationDirectory.Kruton, "Boende");
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Release(plan, DemonstrationDirectory.Shelter, [Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings]);

        var read = await service.Read(DemonstrationDirectory.Shelter, plan);

        Assert.Contains(read.Participations, participation => participation.Unit == Cases.UnitOf(DemonstrationDirectory.Shelter));
        Assert.DoesNotContain(DemonstrationDirectory.Kruton.UnitId, read.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_grounds_in_force_are_listed_to_everyone_with_an_assignment()
    {
        foreach (var employee in new[] { DemonstrationDirectory.CaseWorker, Care, DemonstrationDirectory.School, DemonstrationDirectory.LogReviewer })
        {
            var grounds = (await service.As(employee).Releases.ListLegalGroundsAsync(new())).LegalGrounds;

            Assert.Equal(grounds.OrderBy(ground => ground.Code, StringComparer.Ordinal), grounds);
            var report = Assert.Single(grounds, ground => ground.Code == "SOL_19_1_REPORT");
            Assert.Equal((true, true, 31), (report.OverridesRefusal, report.OnlyMinors, report.MaxDays));
            Assert.EndsWith("Osäkert: rådfråga jurist.", report.Summary, StringComparison.Ordinal);
            // The general clause does not lift the secrecy of chapters 25 and 26.
            Assert.DoesNotContain(grounds, ground => ground.Paragraph.Contains("10 kap. 27 §", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_ground_can_be_used_from_its_first_day_to_its_last()
    {
        var grounds = Parse("""[{ "code": "X", "validFrom": "2026-01-01", "validTo": "2026-06-30" }]""");

        Assert.Null(grounds.Find("X", new(2025, 12, 31)));
        Assert.NotNull(grounds.Find("X", new(2026, 1, 1)));
        Assert.NotNull(grounds.Find("X", new(2026, 6, 30)));
        Assert.Null(grounds.Find("X", new(2026, 7, 1)));
        Assert.Null(LegalGrounds.Load().Find("OSL_10_15A", new(2025, 11, 30)));
        Assert.NotNull(LegalGrounds.Load().Find("OSL_10_15A", new(2025, 12, 1)));
    }

    [Theory]
    [InlineData("""[{ "code": "" }]""", "lacks code")]
    [InlineData("""[{ "code": "X", "summary": " " }]""", "lacks code")]
    [InlineData("""[{ "code": "X", "categories": [] }]""", "no category")]
    [InlineData("""[{ "code": "X", "categories": ["WHEREABOUTS"] }]""", "never be released")]
    [InlineData("""[{ "code": "X", "categories": ["EVERYTHING"] }]""", "no category")]
    [InlineData("""[{ "code": "X", "to": [] }]""", "from whom to whom")]
    [InlineData("""[{ "code": "X", "from": ["UNSPECIFIED"] }]""", "from whom to whom")]
    [InlineData("""[{ "code": "X", "maxDays": 0 }]""", "no day")]
    [InlineData("""[{ "code": "X", "validTo": "2025-01-01" }]""", "ends before")]
    [InlineData("""[{ "code": "X" }, { "code": "X" }]""", "twice")]
    public void A_list_with_a_fault_is_refused(string rows, string fault) =>
        Assert.Contains(fault, Assert.Throws<InvalidOperationException>(() => Parse(rows)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_list_with_a_field_too_many_or_too_few_is_refused()
    {
        Assert.Throws<System.Text.Json.JsonException>(() => Parse("""[{ "code": "X", "overridesRefusals": true }]"""));
        Assert.Throws<System.Text.Json.JsonException>(() => LegalGrounds.Parse(new MemoryStream("""[{ "code": "X" }]"""u8.ToArray())));
    }

    /// <summary>A list of rows, each completed to one that is right but for what it says itself.</summary>
    private static LegalGrounds Parse(string rows)
    {
        var list = System.Text.Json.Nodes.JsonNode.Parse(rows)!.AsArray();
        foreach (var row in list)
        {
            foreach (var (name, value) in System.Text.Json.Nodes.JsonNode.Parse(
                """
                {
                  "code": "X", "paragraph": "X", "summary": "X", "categories": ["IDENTITY"], "from": ["SOCIAL_SERVICES"], "to": ["HEALTH_CARE"], "maxDays": 1,
                  "overridesRefusal": false, "onlyMinors": false, "validFrom": "2026-01-01"
                }
                """)!.AsObject())
            {
                row!.AsObject().TryAdd(name, value!.DeepClone());
            }
        }

        return LegalGrounds.Parse(new MemoryStream(Encoding.UTF8.GetBytes(list.ToJsonString())));
    }

    private static void OfAReport(Release release)
    {
        release.Ground = "SOL_19_1_REPORT";
        release.Period = Cases.Period(0, 20);
    }

    private V1.ReleaseService.ReleaseServiceClient Manager => service.As(DemonstrationDirectory.UnitManager).Releases;

    private static RecordReleaseRequest Record(Plan plan, Release release) => new() { Parent = plan.Name, Release = release, Etag = plan.Etag, RequestId = Cases.NewId() };

    private static ReviewReleaseRequest Review(Release release, ReviewOutcome outcome) =>
        new() { Name = release.Name, Outcome = outcome, Etag = release.Etag, RequestId = Cases.NewId() };

    private async Task<Release> End(Release release) =>
        (await service.CaseWorker.Releases.EndReleaseAsync(new() { Name = release.Name, Etag = release.Etag, RequestId = Cases.NewId() })).Release;

    private async Task IsFaulty(string field, Action<Release> change)
    {
        var plan = await service.OpenPlan();

        var error = await service.CaseWorker.Releases.RecordReleaseAsync(Record(plan, Cases.NewRelease(Care, [Identity], change))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal(field, Assert.Single(error.FieldFaults()).Field);
    }

    private AsyncUnaryCall<GetPlanResponse> ReadAs(DemonstrationEmployee employee, Plan plan) => service.As(employee).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name });
}
