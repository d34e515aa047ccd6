using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <content>Linn: sexual exploitation, risk of suicide, refuses at first.</content>
public sealed partial class ScenarioTests
{
    [Fact]
    public async Task D_Linn()
    {
        var stodcentrum = DemonstrationDirectory.Stodcentrum;
        var doctor = DemonstrationDirectory.Colleague;
        var linn = Born(TimeProvider.System.Today().AddYears(-18).AddDays(100), "Linn", "Nattvak");
        var plan = await service.OpenPlan(linn, "Sexuell exploatering.");
        foreach (var unit in new[] { Bup, stodcentrum, School })
        {
            await service.Join(plan, unit);
        }

        // She refuses at first: nothing is shared.
        var refusal = await service.Consent(
            plan, Bup, [InformationCategory.Health, InformationCategory.GoalsAndInterventions], consent => consent.State = ConsentState.Refused);
        await IsNotThere(Bup, plan);
        await IsNotThere(stodcentrum, plan);
        plan = (await service.CaseWorker.Plans.DeclinePlanAsync(
            new() { Name = plan.Name, Reason = PlanDeclineReason.PersonDoesNotWant, DecisionReference = "SAMTAL 7", Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Refused, PlanDeclineReason.PersonDoesNotWant), (plan.State, plan.DeclineReason));
        plan.Subject = linn;
        Assert.All((await service.Read(Rvt, plan)).Participations, participation => Assert.True(participation.Ended));
        await service.CaseWorker.Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål" }, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await IsNotThere(Bup, plan);

        // The plan is taken up again, and the units are brought in anew.
        plan = (await service.CaseWorker.Plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Noted, PlanDeclineReason.Unspecified), (plan.State, plan.DeclineReason));
        plan.Subject = linn;
        foreach (var unit in new[] { Bup, stodcentrum, School })
        {
            await service.Join(plan, unit);
        }

        await IsNotThere(Bup, plan);

        // Later she consents to BUP and Stödcentrum, not to the school.
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = refusal.Name, Etag = refusal.Etag, RequestId = Cases.NewId() });
        await service.Consent(plan, Bup, [InformationCategory.Identity, InformationCategory.Health]);
        await service.Consent(plan, stodcentrum, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions]);
        Assert.NotEmpty((await service.Read(Bup, plan)).HealthSituation);
        Assert.Equal("Linn", (await service.Read(stodcentrum, plan)).Subject.GivenName);
        await IsNotThere(School, plan);

        // The night: a reason, sixty minutes, one person, no whereabouts.
        await Place(Rvt, plan, Shelter, "Nattgatan 2");
        var access = await service.OpenEmergencyAccess(doctor, linn);
        Assert.Equal(TimeSpan.FromMinutes(60), access.ExpireTime.ToDateTime() - access.OpenTime.ToDateTime());
        var read = Assert.Single((await service.As(doctor).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = access.Name })).Plans);
        Assert.Equal(("Linn", "Sömnbesvär.", ""), (read.Subject.GivenName, read.HealthSituation, read.SocialSituation));
        DoesNotMention(read, "KRISCENTRUM", "Nattgatan");
        await service.As(doctor).Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" }).IsRefused();

        // The owning unit hears of it at once, its manager reviews it, and it is in the log of who has read about Linn.
        Assert.Contains(
            (await service.CaseWorker.Oversight.ListAlertsAsync(new() { PageSize = 500 })).Alerts,
            alert => alert.Kind == AlertKind.EmergencyAccess && alert.Plan == plan.Name && alert.Employee == "employees/" + doctor.Id);
        var manager = service.As(DemonstrationDirectory.UnitManager);
        var opened = Assert.Single((await manager.EmergencyAccess.ListEmergencyAccessesAsync(new() { Parent = plan.Name })).EmergencyAccesses);
        await manager.EmergencyAccess.ReviewEmergencyAccessAsync(new() { Name = opened.Name, Outcome = ReviewOutcome.Justified, Etag = opened.Etag, RequestId = Cases.NewId() });
        Assert.Contains(await Log(plan), entry => entry is { Act: Act.ReadInEmergency, Outcome: AccessOutcome.Permitted } && entry.Employee == "employees/" + doctor.Id);

        // Her guardians' standing ends by itself the day she turns 18: what they agree to holds until then and no longer.
        var until = IdentityNumbers.DayOfBirth(linn.IdentityNumber.Value).AddYears(18);
        await GuardiansConsent(until).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        var guardians = await GuardiansConsent(until.AddDays(-1));
        Assert.Equal(Cases.ToDate(until.AddDays(-1)), guardians.Period.EndDate);

        // The plan goes on, with Stödcentrum invited with her leave.
        await Advance(Rvt, plan, PlanState.Preparing);
        var meeting = await Call(Rvt, plan, MeetingKind.Planning, [Rvt, Bup, stodcentrum], personPermits: true);
        await Advance(Rvt, plan, PlanState.Summoned);
        await Reply(Bup, meeting, CallReply.Declined);
        var held = await Hold(Rvt, meeting, Rvt, stodcentrum);
        Assert.Equal((CallKind.Summons, CallReply.Declined, Attendance.Declined), CallOf(held, Bup));
        Assert.Equal((CallKind.Invitation, CallReply.Unspecified, Attendance.Attended), CallOf(held, stodcentrum));
        await Advance(Rvt, plan, PlanState.Met);
        await AddGoal(Rvt, plan, new() { Title = "Trygga nätter", OwnWords = "Jag vill bli lämnad i fred." });
        await AddIntervention(Rvt, plan, Bup, "Suicidriskbedömning");
        await AddMeasure(Rvt, plan, "Stödsamtal", "Stödcentrum");
        await Write(Rvt, plan, new() { LeadPrincipal = "organisations/" + DemonstrationDirectory.Region, FollowUpDate = Cases.ToDate(until) }, "lead_principal", "follow_up_date");
        await Agree(Rvt, plan, Rvt, stodcentrum);
        await Assess(Rvt, plan, RiskInstrument.OtherStructured, "1");
        await Advance(Rvt, plan, PlanState.InFollowUp);

        // The last day as a minor, and the first as an adult: what her guardians opened closes, what she opened stays.
        service.Clock.Advance(TimeSpan.FromDays(until.DayNumber - 1 - service.Clock.Today().DayNumber));
        Assert.Equal(until.AddDays(-1), service.Clock.Today());
        Assert.Equal((ConsentState.Given, Cases.UnitOf(Rvt)), (await StateOf(guardians), (await service.Read(Bup, plan)).OwningUnit));
        service.Clock.Advance(TimeSpan.FromDays(1));
        var bups = await service.Read(Bup, plan);
        Assert.Equal((ConsentState.Expired, "", "Sömnbesvär."), (await StateOf(guardians), bups.OwningUnit, bups.HealthSituation));
        plan = await service.Read(Rvt, plan);
        await GuardiansConsent(until.AddDays(30)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await RecordConsent(Rvt, plan, NewConsent(ConsentState.Given, Bup, InformationCategory.Meetings));
        Assert.Equal(Cases.UnitOf(Rvt), (await service.Read(Bup, plan)).OwningUnit);

        await Close(plan);
        await NothingInClear([linn], "exploatering", "Sömnbesvär", "SAMTAL 7", "lämnad i fred", "Nattgatan", doctor.Id, stodcentrum.Id);

        async Task<ConsentState> StateOf(Consent consent) => (await service.Read(Rvt, plan)).Consents.Single(kept => kept.Name == consent.Name).State;

        Task<Consent> GuardiansConsent(DateOnly end) => service.Consent(plan, Bup, [InformationCategory.Meetings], consent =>
        {
            consent.GivenBy = ConsentGiver.Guardian;
            consent.ChildsView = "Linn vill att mamma får säga ja till det här.";
            consent.Period = new() { StartDate = Cases.Today, EndDate = Cases.ToDate(end) };
        });
    }
}
