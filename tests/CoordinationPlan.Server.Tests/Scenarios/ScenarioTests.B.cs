using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <content>Amira: honour-related violence, several perpetrators, an assumed identity.</content>
public sealed partial class ScenarioTests
{
    [Fact]
    public async Task B_Amira()
    {
        var rvt = DemonstrationDirectory.OtherCaseWorker;
        var kruton = DemonstrationDirectory.Kruton;
        var clinic = DemonstrationDirectory.Psychiatry;
        var origo = DemonstrationDirectory.Origo;
        var aunt = DemonstrationDirectory.Aunt;
        var cousin = DemonstrationDirectory.Cousin;
        var amira = Person(19, "Amira", "Gammalnamn");
        var clients = service.As(rvt);
        var plan = (await clients.Plans.CreatePlanAsync(new()
        {
            Plan = new() { Subject = amira, SocialSituation = "Hedersförtryck av far och bror.", HealthSituation = "Ångest." },
            RequestId = Cases.NewId(),
        })).Plan;
        foreach (var (relative, ground) in new[] { (aunt, BlockGround.RelatedToPerson), (cousin, BlockGround.LinkedToViolentPerson) })
        {
            await clients.Protection.AddBlockAsync(new()
            {
                Parent = plan.Name,
                Block = new() { Employee = "employees/" + relative.Id, Ground = ground, DecideDate = Cases.Today },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        }

        await CannotAdvance(rvt, plan, PlanState.ConsentSought, "consent.asked");
        await RecordConsent(rvt, plan, NewConsent(ConsentState.Asked, clinic, InformationCategory.Identity));
        await Advance(rvt, plan, PlanState.ConsentSought);
        plan = await service.Read(rvt, plan);
        await Place(rvt, plan, kruton, "Stilla gatan 9");
        await Take(rvt, plan, kruton, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions]);
        await Take(rvt, plan, clinic, [InformationCategory.Identity, InformationCategory.Health]);
        await Take(rvt, plan, origo, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions]);
        Assert.Equal("Amira", (await service.Read(clinic, plan)).Subject.GivenName);
        await Advance(rvt, plan, PlanState.Preparing);
        plan = await service.Read(rvt, plan);

        // Assumed identity while the plan runs: old and new are joined by nobody outside RVT, not by those who take part either.
        var assumed = Person(20, "Nadja", "Nyttnamn");
        await clients.Protection.ReplaceIdentityAsync(new()
        {
            Name = plan.Name,
            Subject = assumed,
            Decision = new() { Level = ProtectionLevel.AssumedIdentity, Source = ProtectionSource.CourtOrPolice, DecideDate = Cases.Today },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        Assert.Equal("Nadja", (await service.Read(rvt, plan)).Subject.GivenName);
        Assert.Empty((await clients.Plans.FindPlansAsync(new() { IdentityNumber = amira.IdentityNumber })).Plans);
        foreach (var party in new[] { kruton, clinic, origo })
        {
            Assert.Null((await service.Read(party, plan)).Subject);
            foreach (var person in new[] { amira, assumed })
            {
                Assert.Empty((await service.As(party).Plans.FindPlansAsync(new() { IdentityNumber = person.IdentityNumber })).Plans);
            }
        }

        Assert.Equal("Stilla gatan 9", (await Whereabouts(kruton, plan)).Address);
        await service.As(clinic).Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" }).IsRefused();

        // The aunt's searches answer as for no one, by number and name, and are heard of where she works.
        var nobody = await service.As(aunt).Plans.FindPlansAsync(new() { IdentityNumber = Person(30, "Ingen", "Alls").IdentityNumber });
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(nobody, await service.As(aunt).Plans.FindPlansAsync(new() { IdentityNumber = (i % 2 == 0 ? amira : assumed).IdentityNumber }));
            Assert.Equal(nobody, await service.As(aunt).Plans.FindPlansAsync(new() { GivenName = amira.GivenName, FamilyName = amira.FamilyName }));
        }

        Assert.Contains(
            (await service.As(DemonstrationDirectory.LogReviewer).Oversight.ListAlertsAsync(new() { PageSize = 500 })).Alerts,
            alert => alert.Kind == AlertKind.RepeatedMisses && alert.Employee == "employees/" + aunt.Id);
        await IsNotThere(aunt, plan);
        await IsNotThere(cousin, plan);

        // The plan goes on under the new identity, which no party but RVT reads: PATRIARK, a meeting, what is agreed, follow-up.
        await Assess(rvt, plan, RiskInstrument.Patriark, "2", assessment => (assessment.Level, assessment.Conclusion) = (RiskLevel.High, "Flera förövare."));
        await service.As(clinic).Risk.ListRiskAssessmentsAsync(new() { Parent = plan.Name }).IsRefused();
        var meeting = await Call(rvt, plan, MeetingKind.Planning, [rvt, clinic, origo], personPermits: true);
        await Advance(rvt, plan, PlanState.Summoned);
        var held = await Hold(rvt, meeting, rvt, clinic, origo);
        Assert.Equal((CallKind.Invitation, CallReply.Unspecified, Attendance.Attended), CallOf(held, origo));
        await Advance(rvt, plan, PlanState.Met);
        var goal = await AddGoal(rvt, plan, new() { Title = "Ett eget liv", OwnWords = "Jag bestämmer själv." });
        await AddIntervention(rvt, plan, rvt, "Skyddsplanering", goal);
        await AddIntervention(rvt, plan, clinic, "Samtal");
        await AddMeasure(rvt, plan, "Stödsamtal", "Origo");
        await Write(rvt, plan, new() { LeadPrincipal = Cases.City, FollowUpDate = Cases.ToDate(service.Clock.Today().AddDays(30)) }, "lead_principal", "follow_up_date");
        await Agree(rvt, plan, rvt, origo);
        await Advance(rvt, plan, PlanState.InFollowUp);
        foreach (var party in new[] { kruton, clinic, origo })
        {
            Assert.Null((await service.Read(party, plan)).Subject);
        }

        await IsNotThere(aunt, plan);
        var current = await service.Read(rvt, plan);
        await service.As(rvt).Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = current.Etag, RequestId = Cases.NewId() });
        await NothingInClear([amira, assumed], "Hedersförtryck", "Ångest", "Flera förövare", "bestämmer själv", "Stilla gatan", "KRUTON", aunt.Id, cousin.Id);
    }
}
