using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>A plan's way through its steps: what each lacks is told before it is tried and refused when it is.</summary>
public sealed class PlanStepTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_plan_goes_from_need_to_closure_and_back_and_each_step_is_refused_until_it_lacks_nothing()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        Assert.Equal(["consent.asked"], await MissingFor(plan, PlanState.ConsentSought));
        await Advance(plan, PlanState.ConsentSought).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);

        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings], consent => consent.State = ConsentState.Asked);
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        plan = (await Advance(plan, PlanState.ConsentSought)).Plan;
        Assert.Equal(["consent.in_force"], await MissingFor(plan, PlanState.Preparing));

        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        plan = (await Advance(plan, PlanState.Preparing)).Plan;
        Assert.Equal(["meeting.called", "meeting.principals_summoned"], await MissingFor(plan, PlanState.Summoned));
        await Advance(plan, PlanState.Met).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);

        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(1));
        plan = (await Advance(plan, PlanState.Summoned)).Plan;
        Assert.Equal(["meeting.held"], await MissingFor(plan, PlanState.Met));
        await service.LetBegin(meeting);
        await service.CaseWorker.Meetings.RecordMeetingAsync(new() { Name = meeting.Name, Etag = meeting.Etag, RequestId = Cases.NewId() });
        plan = (await Advance(plan, PlanState.Met)).Plan;

        var toEstablish = await StepTo(plan, PlanState.Established);
        Assert.Equal(("EstablishPlan", false), (toEstablish.Method, toEstablish.Ready));
        Assert.Equal(["content.interventions", "content.other_measures", "content.lead_principal"], toEstablish.Missing.Select(rule => rule.Rule));
        Assert.All(toEstablish.Missing, rule => Assert.StartsWith("SoL (2025:400) 10 kap. 8 §", rule.LegalBasis, StringComparison.Ordinal));

        plan = (await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal([PlanState.Noted], (await Readiness(plan)).Steps.Select(step => step.To));
        await Advance(plan, PlanState.Preparing).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        plan = (await service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Noted, PlanClosingReason.Unspecified, null), (plan.State, plan.ClosingReason, plan.ClosedDate));
        // Whoever took part then does not take part now.
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task An_established_plan_is_followed_up_and_established_anew()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        plan = (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, FollowUpDate = Cases.InMonths(3) },
            UpdateMask = new() { Paths = { "follow_up_date" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Plan;

        plan = (await Advance(plan, PlanState.InFollowUp)).Plan;
        Assert.Equal((PlanState.InFollowUp, 1), (plan.State, plan.Revision));
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Established, 2), (plan.State, plan.Revision));
        await Decline(plan, PlanDeclineReason.PersonDoesNotWant).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Theory]
    [InlineData(PlanDeclineReason.PersonDoesNotWant, PlanState.Refused)]
    [InlineData(PlanDeclineReason.OnePrincipalSuffices, PlanState.Declined)]
    [InlineData(PlanDeclineReason.NeedsMetOtherwise, PlanState.Declined)]
    [InlineData(PlanDeclineReason.OtherPlanApplies, PlanState.Declined)]
    public async Task No_plan_is_made_with_a_documented_reason_and_can_be_taken_up_again(PlanDeclineReason reason, PlanState state)
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity]);
        if (state == PlanState.Declined)
        {
            await Decline(plan, reason).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        var declined = (await Decline(plan, reason, "BESLUT 2026-17")).Plan;
        Assert.Equal((state, reason), (declined.State, declined.DeclineReason));
        var read = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        Assert.Equal("BESLUT 2026-17", read.DeclineReference);
        Assert.DoesNotContain("BESLUT 2026-17", await service.Dump(), StringComparison.Ordinal);
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.CaseWorker.Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål" }, Etag = read.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        Assert.DoesNotContain(plan.Name, (await service.CaseWorker.Plans.ListPlansAsync(new() { PageSize = 100 })).Plans.Select(listed => listed.Name));

        var reopened = (await service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = read.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Noted, PlanDeclineReason.Unspecified), (reopened.State, reopened.DeclineReason));
        // The history keeps what later migrations added to the table, too.
        await using var history = service.Administrator.CreateCommand("SELECT decline_reason, is_open FROM coordinationplan.plan_history WHERE plan_id = $1 AND state = $2");
        history.Parameters.Add(new() { Value = Guid.Parse(plan.Name.AsSpan("plans/".Length)) });
        history.Parameters.Add(new() { Value = (short)state });
        await using var kept = await history.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        Assert.True(await kept.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(((short)reason, false), (kept.GetInt16(0), kept.GetBoolean(1)));
    }

    [Fact]
    public async Task Every_principal_that_takes_part_or_answers_for_an_intervention_is_summoned_before_the_plan_is()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        // Others than the principals are invited and not asked for; nor is a housing, which would tell where the person is.
        foreach (var unit in new[] { DemonstrationDirectory.School, DemonstrationDirectory.Origo, DemonstrationDirectory.Shelter, DemonstrationDirectory.ElderCare })
        {
            await service.Join(plan, unit);
        }

        await service.AddIntervention(plan, DemonstrationDirectory.Shelter);
        plan = (await Advance(plan, PlanState.Preparing)).Plan;
        var first = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(1));
        Assert.Empty(await MissingFor(plan, PlanState.Summoned));

        // Now the region takes part: one of its units is summoned, whichever.
        var care = await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        Assert.Equal(["meeting.principals_summoned"], await MissingFor(plan, PlanState.Summoned));
        await Advance(plan, PlanState.Summoned).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        var second = await service.CallMeeting(plan, [DemonstrationDirectory.ChildPsychiatry], TimeSpan.FromDays(2));
        Assert.Empty(await MissingFor(plan, PlanState.Summoned));
        await service.CaseWorker.Meetings.CancelMeetingAsync(new() { Name = second.Name, Etag = second.Etag, RequestId = Cases.NewId() });
        Assert.Equal(["meeting.principals_summoned"], await MissingFor(plan, PlanState.Summoned));
        // A call to a follow-up is not one to the planning.
        await service.CallMeeting(plan, [DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(2), MeetingKind.FollowUp);
        Assert.Equal(["meeting.principals_summoned"], await MissingFor(plan, PlanState.Summoned));

        // It takes part no longer, and answers for an intervention.
        var intervention = await service.AddIntervention(plan, DemonstrationDirectory.PrimaryCare);
        foreach (var participation in (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations.Where(found => found.Unit == care.Unit || found.Unit == Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry)))
        {
            await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() });
        }

        Assert.Equal(["meeting.principals_summoned"], await MissingFor(plan, PlanState.Summoned));
        await service.CaseWorker.Plans.EndInterventionAsync(new() { Name = intervention.Name, Ending = ItemEnding.Discontinued, Etag = intervention.Etag, RequestId = Cases.NewId() });
        Assert.Empty(await MissingFor(plan, PlanState.Summoned));
        Assert.Equal(MeetingState.Called, first.State);
        Assert.Equal(PlanState.Summoned, (await Advance(plan, PlanState.Summoned)).Plan.State);
    }

    [Fact]
    public async Task A_school_and_a_sheltered_housing_of_another_municipality_are_invited_and_make_no_principal_that_must_be_summoned()
    {
        var housing = "units/x" + Guid.CreateVersion7().ToString("N")[20..];
        await service.As(DemonstrationDirectory.Administrator).Directory.PutUnitAsync(new()
        {
            Unit = new() { Name = housing, Organisation = "organisations/" + DemonstrationDirectory.OtherMunicipality, Kind = UnitKind.ShelteredHousing, DisplayName = "Boende" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        plan = (await Advance(plan, PlanState.Preparing)).Plan;
        await service.CaseWorker.Participations.AddParticipationAsync(new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = housing, Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        await service.CaseWorker.Plans.AddInterventionAsync(
            new() { Parent = plan.Name, Intervention = new() { Title = "Boende", ResponsibleUnit = housing }, Etag = plan.Etag, RequestId = Cases.NewId() });
        await service.Join(plan, DemonstrationDirectory.School);
        await service.AddIntervention(plan, DemonstrationDirectory.School);
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(1));

        Assert.Empty(await MissingFor(plan, PlanState.Summoned));
    }

    [Fact]
    public async Task When_the_person_is_ready_to_be_discharged_the_named_care_contact_is_among_the_summoned()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.Ward);
        plan = (await Advance(plan, PlanState.Preparing)).Plan;
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.Ward], TimeSpan.FromDays(1));
        Assert.Empty(await MissingFor(plan, PlanState.Summoned));

        await Notice(DischargeNoticeKind.Ready, 30);
        var missing = Assert.Single((await StepTo(plan, PlanState.Summoned)).Missing);
        Assert.Equal(("meeting.care_contact", "meetings.calls", "Lag (2017:612) 4 kap. 3 §"), (missing.Rule, missing.Subject, missing.LegalBasis));
        await Advance(plan, PlanState.Summoned).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);
        await Notice(DischargeNoticeKind.NotReady, 20);
        Assert.Empty(await MissingFor(plan, PlanState.Summoned));
        await Notice(DischargeNoticeKind.Ready, 10);
        Assert.Equal(["meeting.care_contact"], await MissingFor(plan, PlanState.Summoned));
        await service.CallMeeting(plan, [DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(2));

        Assert.Empty(await MissingFor(plan, PlanState.Summoned));
        await Advance(plan, PlanState.Summoned);

        async Task Notice(DischargeNoticeKind kind, int minutesAgo) => await service.CaseWorker.Discharge.AddDischargeNoticeAsync(new()
        {
            Parent = plan.Name,
            DischargeNotice = new() { Kind = kind, NoticeTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-minutesAgo)) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
    }

    [Fact]
    public async Task Where_a_controller_has_decided_intervals_a_follow_up_and_a_new_assessment_of_risk_are_within_them()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        await using var decided = await LaterService.Start(service, 0, options => (options.Law.Default.FollowUpWithinDays, options.Law.Default.ReassessRiskWithinDays) = (30, 30));
        foreach (var (days, missing) in new (int, string[])[] { (31, ["follow_up.interval"]), (30, []) })
        {
            plan = (await service.CaseWorker.Plans.UpdatePlanAsync(new()
            {
                Plan = new() { Name = plan.Name, FollowUpDate = Cases.Period(days, null).StartDate },
                UpdateMask = new() { Paths = { "follow_up_date" } },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            })).Plan;
            var step = (await decided.CaseWorker.Plans.GetPlanReadinessAsync(new() { Name = plan.Name })).Steps.Single(step => step.To == PlanState.InFollowUp);
            Assert.Equal((days, string.Join(' ', missing)), (days, string.Join(' ', step.Missing.Select(rule => rule.Rule))));
            // Nobody else has decided anything.
            Assert.Empty(await MissingFor(plan, PlanState.InFollowUp));
        }

        var assessment = Cases.NewRiskAssessment();
        var request = new RecordRiskAssessmentRequest { Parent = plan.Name, RiskAssessment = assessment, Etag = plan.Etag, RequestId = Cases.NewId() };
        assessment.ReassessDate = Cases.Period(31, null).StartDate;
        await decided.CaseWorker.Risk.RecordRiskAssessmentAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        assessment.ReassessDate = Cases.Period(30, null).StartDate;
        request.RequestId = Cases.NewId();
        await decided.CaseWorker.Risk.RecordRiskAssessmentAsync(request);
        Assert.Equal(
            PlanState.InFollowUp,
            (await decided.CaseWorker.Plans.AdvancePlanAsync(new() { Name = plan.Name, State = PlanState.InFollowUp, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan.State);
    }

    [Fact]
    public async Task A_step_that_does_not_lead_on_is_refused_whatever_the_plan_holds()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        foreach (var to in new[] { PlanState.Noted, PlanState.Established, PlanState.Closed, PlanState.Refused, PlanState.InFollowUp, PlanState.Met, (PlanState)99 })
        {
            var error = await Assert.ThrowsAsync<RpcException>(async () => await Advance(plan, to));
            Assert.True(error.StatusCode is StatusCode.FailedPrecondition or StatusCode.InvalidArgument, $"{to}: {error.StatusCode}");
        }

        Assert.Equal(plan.Etag, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag);
    }

    [Fact]
    public async Task A_participant_learns_where_the_plan_stands_and_not_what_it_lacks()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions, InformationCategory.Meetings]);

        var readiness = await service.As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanReadinessAsync(new() { Name = plan.Name });

        Assert.Equal(PlanState.Noted, readiness.State);
        Assert.Empty(readiness.Steps);
        await service.As(DemonstrationDirectory.PrimaryCare).Plans.AdvancePlanAsync(new() { Name = plan.Name, State = PlanState.Preparing, Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
    }

    [Fact]
    public async Task What_is_to_be_done_with_a_plan_shows_until_it_is_done()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity], consent => consent.Period = Cases.Period(0, 30));
        Assert.Equal([TaskKind.BeginPlan, TaskKind.AssessRisk, TaskKind.RenewConsent], await Tasks(plan));

        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity, InformationCategory.Health], consent => consent.Period = Cases.Period(0, 31));
        await Advance(plan, PlanState.Preparing);
        await service.CaseWorker.Risk.RecordRiskAssessmentAsync(new()
        {
            Parent = plan.Name,
            RiskAssessment = Cases.NewRiskAssessment(),
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        });

        // The longer consent is not yet about to end, and the other is renewed by it.
        Assert.Equal([TaskKind.ReassessRisk], await Tasks(plan));
    }

    [Fact]
    public async Task An_assessment_in_an_earlier_plan_counts_until_it_is_to_be_done_again()
    {
        var person = Cases.NewPerson();
        var earlier = await service.OpenPlan(person);
        var assessment = Cases.NewRiskAssessment();
        (assessment.AssessDate, assessment.ReassessDate) = (Cases.InMonths(-3), Cases.Today);
        await service.CaseWorker.Risk.RecordRiskAssessmentAsync(new() { Parent = earlier.Name, RiskAssessment = assessment, Etag = earlier.Etag, RequestId = Cases.NewId() });
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = earlier.Name, Reason = PlanClosingReason.Moved, Etag = earlier.Etag, RequestId = Cases.NewId() });
        var plan = await service.OpenPlan(person);
        Assert.DoesNotContain(TaskKind.AssessRisk, await Tasks(plan));

        await using var age = service.Administrator.CreateCommand("UPDATE coordinationplan.risk_assessment SET reassess_on = reassess_on - 1 WHERE plan_id = $1");
        age.Parameters.Add(new() { Value = Guid.Parse(earlier.Name.AsSpan("plans/".Length)) });
        Assert.Equal(1, await age.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        Assert.Contains(TaskKind.AssessRisk, await Tasks(plan));
    }

    private async Task<List<TaskKind>> Tasks(Plan plan)
    {
        var tasks = new List<UnitTask>();
        var request = new ListTasksRequest { PageSize = 500 };
        do
        {
            var page = await service.CaseWorker.Oversight.ListTasksAsync(request);
            tasks.AddRange(page.Tasks.Where(task => task.Subject == plan.Name || task.Subject.StartsWith(plan.Name + "/", StringComparison.Ordinal)));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return [.. tasks.Where(task => task.Kind != TaskKind.FindOutProtectionLevel).Select(task => task.Kind)];
    }

    private AsyncUnaryCall<AdvancePlanResponse> Advance(Plan plan, PlanState to) =>
        service.CaseWorker.Plans.AdvancePlanAsync(new() { Name = plan.Name, State = to, Etag = plan.Etag, RequestId = Cases.NewId() });

    private AsyncUnaryCall<DeclinePlanResponse> Decline(Plan plan, PlanDeclineReason reason, string reference = "") =>
        service.CaseWorker.Plans.DeclinePlanAsync(new() { Name = plan.Name, Reason = reason, DecisionReference = reference, Etag = plan.Etag, RequestId = Cases.NewId() });

    private async Task<GetPlanReadinessResponse> Readiness(Plan plan) => await service.CaseWorker.Plans.GetPlanReadinessAsync(new() { Name = plan.Name });

    private async Task<PlanStep> StepTo(Plan plan, PlanState to) => (await Readiness(plan)).Steps.Single(step => step.To == to);

    private async Task<IEnumerable<string>> MissingFor(Plan plan, PlanState to) => (await StepTo(plan, to)).Missing.Select(rule => rule.Rule);
}
