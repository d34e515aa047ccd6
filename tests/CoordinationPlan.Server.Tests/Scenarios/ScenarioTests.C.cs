using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <content>Birgitta: violence by an adult son, discharge from hospital.</content>
public sealed partial class ScenarioTests
{
    [Fact]
    public async Task C_Birgitta()
    {
        var elderCare = DemonstrationDirectory.ElderCare;
        var ward = DemonstrationDirectory.Ward;
        var birgitta = Person(74, "Birgitta", "Avdelning");
        var plan = await service.OpenPlan(birgitta, "Slagen av sin vuxne son.");
        await service.Join(plan, PrimaryCare);
        await service.Join(plan, elderCare);
        await service.Join(plan, ward);

        // Oral and recorded, to primary care and the elder care; the ward takes part and is not released to.
        var wide = await service.Consent(plan, PrimaryCare, [InformationCategory.Health, InformationCategory.SocialSituation]);
        Assert.Equal(ConsentForm.Oral, wide.Form);
        await service.Consent(plan, elderCare, [InformationCategory.GoalsAndInterventions]);
        Assert.NotEmpty((await service.Read(PrimaryCare, plan)).SocialSituation);
        Assert.Equal("", (await service.Read(elderCare, plan)).SocialSituation);
        await IsNotThere(ward, plan);

        // She narrows it: what she takes back is not read again, what she leaves is.
        await service.CaseWorker.Consents.NarrowConsentAsync(new()
        {
            Name = wide.Name,
            RecipientUnits = { wide.RecipientUnits },
            Categories = { InformationCategory.Health },
            EndDate = wide.Period.EndDate,
            Etag = wide.Etag,
            RequestId = Cases.NewId(),
        });
        var narrowed = await service.Read(PrimaryCare, plan);
        Assert.Equal(("", "Sömnbesvär."), (narrowed.SocialSituation, narrowed.HealthSituation));

        // The older care plan is linked, not copied.
        var older = (await service.CaseWorker.Plans.AddRelatedPlanAsync(new()
        {
            Parent = plan.Name,
            RelatedPlan = new() { Kind = RelatedPlanKind.CarePlan, Owner = "Geriatrikmottagningen", Reference = "VP 2024-3" },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).RelatedPlan;
        await service.CaseWorker.Plans.EndRelatedPlanAsync(new() { Name = older.Name, Ending = ItemEnding.Completed, Outcome = "Ersatt av denna plan.", Etag = older.Etag, RequestId = Cases.NewId() });
        Assert.Equal((ItemState.Completed, "VP 2024-3"), ((await service.Read(Rvt, plan)).RelatedPlans[0].State, older.Reference));
        Assert.Empty((await service.Read(PrimaryCare, plan)).RelatedPlans);

        // Ready to be discharged: the summons is due in three calendar days, until a meeting is called; primary care notes it, who may read health.
        var now = TimeProvider.System.GetUtcNow();
        var ready = (await service.As(PrimaryCare).Discharge.AddDischargeNoticeAsync(NoticeOf(plan, DischargeNoticeKind.Ready, now.AddHours(-2)))).DischargeNotice;
        Assert.Equal(Cases.ToDate(SwedishTime.DayOf(now.AddHours(-2)).AddDays(3)), ready.SummonsDueDate);
        await service.As(elderCare).Discharge.AddDischargeNoticeAsync(NoticeOf(plan, DischargeNoticeKind.NotReady, now)).IsRefused();
        await service.As(PrimaryCare).Discharge.AddDischargeNoticeAsync(NoticeOf(plan, DischargeNoticeKind.Ready, now.AddHours(1))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal([ready.SummonsDueDate], await SummonsTasks(plan));
        await service.As(PrimaryCare).Discharge.AddDischargeNoticeAsync(NoticeOf(plan, DischargeNoticeKind.NotReady, now.AddHours(-1)));
        Assert.Empty(await SummonsTasks(plan));
        var compulsory = NoticeOf(plan, DischargeNoticeKind.Ready, now.AddMinutes(-50));
        compulsory.DischargeNotice.OpenCompulsoryCare = true;
        Assert.Null((await service.As(PrimaryCare).Discharge.AddDischargeNoticeAsync(compulsory)).DischargeNotice.SummonsDueDate);
        await service.As(PrimaryCare).Discharge.AddDischargeNoticeAsync(NoticeOf(plan, DischargeNoticeKind.Ready, now.AddMinutes(-40)));
        Assert.Single(await SummonsTasks(plan));
        var meeting = await service.CallMeeting(plan, [Rvt, PrimaryCare, elderCare], TimeSpan.FromDays(1));
        Assert.Empty(await SummonsTasks(plan));
        Assert.Equal(4, (await service.CaseWorker.Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices.Count);
        Assert.Empty((await service.As(elderCare).Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices);

        // From the summons to the follow-up. Who asked for the steps before is not asked again: the person has consented.
        await Advance(Rvt, plan, PlanState.Preparing);
        await Advance(Rvt, plan, PlanState.Summoned);
        // She has taken back that primary care reads about meetings: it answers its own call, and reads nothing else of the meeting.
        var replied = await service.As(PrimaryCare).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = Cases.NewId() });
        Assert.Equal((CallReply.Accepted, new Meeting()), (replied.Call.Reply, replied.Meeting ?? new()));
        var held = await Hold(Rvt, meeting, Rvt, PrimaryCare);
        Assert.Equal((CallKind.Summons, CallReply.Unspecified, Attendance.NoShow), CallOf(held, elderCare));
        await Advance(Rvt, plan, PlanState.Met);
        await AddIntervention(Rvt, plan, elderCare, "Hemtjänst");
        await AddIntervention(Rvt, plan, PrimaryCare, "Läkemedelsgenomgång");
        await Write(Rvt, plan, new() { LeadPrincipal = Cases.City, NoOtherMeasures = true }, "lead_principal", "no_other_measures");
        await Agree(Rvt, plan, Rvt, elderCare);
        await Assess(Rvt, plan, RiskInstrument.Freda, "kortfrågor");
        await Write(Rvt, plan, new() { FollowUpDate = Cases.ToDate(service.Clock.Today().AddDays(30)) }, "follow_up_date");
        await Advance(Rvt, plan, PlanState.InFollowUp);

        await Close(plan);
        await NothingInClear([birgitta], "vuxne son", "Sömnbesvär", elderCare.Id, "VP 2024-3", "Avdelning 34");
    }
}
