using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.Server.Tests.Schooling;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <content>Sara, Elias and Nora: partner violence, shelter, school, a father in health care.</content>
public sealed partial class ScenarioTests
{
    [Fact]
    public async Task A_Sara_Elias_and_Nora()
    {
        var plans = new Dictionary<string, Plan>();
        foreach (var subject in new[] { DemonstrationPersons.Sara, DemonstrationPersons.Elias, DemonstrationPersons.Nora })
        {
            // The need is noted: somebody must begin, and assess the risk.
            var plan = await service.OpenPlan(subject);
            Assert.Equal(PlanState.Noted, plan.State);
            Assert.Superset(new HashSet<TaskKind> { TaskKind.BeginPlan, TaskKind.AssessRisk }, (await Tasks(Rvt, plan)).ToHashSet());
            await service.Protect(plan, ProtectionLevel.ProtectedPopulationRegistration);
            await service.KeepSecretFromJonas(plan);
            await Block(plan, new() { Guardian = DemonstrationPersons.Jonas, Ground = BlockGround.ExposesToViolence });
            await PlaceAt(plan, Shelter, "Gömstigen 4");

            // Consent is sought and given: by Sara for herself, by Sara for Elias with the ground on which his father is not asked, by Nora for herself.
            var recipient = subject == DemonstrationPersons.Sara ? PrimaryCare : Bup;
            await CannotAdvance(Rvt, plan, PlanState.ConsentSought, "consent.asked");
            await RecordConsent(Rvt, plan, NewConsent(ConsentState.Asked, recipient, InformationCategory.Meetings));
            await Advance(Rvt, plan, PlanState.ConsentSought);
            await CannotAdvance(Rvt, plan, PlanState.Preparing, "consent.in_force");
            var consent = NewConsent(ConsentState.Given, recipient, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings);
            if (subject == DemonstrationPersons.Elias)
            {
                (consent.GivenBy, consent.ChildsView) = (ConsentGiver.Guardian, "Elias vill att någon pratar med fröken.");
                consent.MissingGuardians.Add(new MissingGuardian { Ground = MissingGuardianGround.BoardDecided, DecisionReference = "BESLUT 2026-4" });
            }

            var given = await RecordConsent(Rvt, plan, consent);
            Assert.Equal(consent.MissingGuardians, given.MissingGuardians);
            await Advance(Rvt, plan, PlanState.Preparing);
            Assert.DoesNotContain(TaskKind.BeginPlan, await Tasks(Rvt, plan));

            // Goals in the person's own words, interventions of the principals, measures of others, one lead principal.
            var goal = await AddGoal(Rvt, plan, new() { Title = "Trygghet", Horizon = GoalHorizon.ShortTerm, OwnWords = "Jag vill sova en hel natt." });
            await AddIntervention(Rvt, plan, Rvt, "Skyddsplanering", goal);
            await AddMeasure(Rvt, plan, "Rådgivning", "Kvinnojouren");
            await Write(Rvt, plan, new() { LeadPrincipal = Cases.City, WhatMatters = "Att vara i fred." }, "lead_principal", "what_matters");
            if (subject != DemonstrationPersons.Sara)
            {
                await Write(Rvt, plan, new() { ChildsOwnWords = "Jag vill ha min cykel." }, "childs_own_words");
            }

            plans[subject.GivenName] = await service.Read(Rvt, plan);
        }

        var (sara, elias, nora) = (plans["Sara"], plans["Elias"], plans["Nora"]);
        foreach (var child in new[] { elias, nora })
        {
            await Share(child, Shelter, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Schooling, InformationCategory.ProtectionMeasures, InformationCategory.ChildsOwnWords]);
            await Share(child, Bup, [InformationCategory.Health, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings, InformationCategory.ProtectionMeasures]);
        }

        await Share(elias, School, [InformationCategory.Identity, InformationCategory.Schooling, InformationCategory.ContactDetails, InformationCategory.ProtectionMeasures, InformationCategory.SocialSituation, InformationCategory.GoalsAndInterventions]);
        var care = await Share(sara, PrimaryCare, [InformationCategory.Health, InformationCategory.GoalsAndInterventions]);

        // RVT: everything in the three plans.
        foreach (var plan in plans.Values)
        {
            var read = await service.Read(Rvt, plan);
            Assert.NotEmpty(read.SocialSituation);
            Assert.NotEmpty(read.HealthSituation);
            Assert.NotEmpty(read.Goals);
            Assert.Equal("Gömstigen 4", (await Whereabouts(Rvt, plan)).Address);
        }

        // Kriscentrum: the children's plans and where they are; not the narrative of the violence.
        var shelters = await service.Read(Shelter, elias);
        Assert.Equal("Elias", shelters.Subject.GivenName);
        Assert.NotEmpty(shelters.Goals);
        Assert.Equal("", shelters.SocialSituation + shelters.HealthSituation);
        Assert.Equal("Gömstigen 4", (await Whereabouts(Shelter, elias)).Address);
        await IsNotThere(Shelter, sara);

        // BUP: the children's health, goals and interventions; neither where they are nor Sara.
        var bups = await service.Read(Bup, nora);
        Assert.NotEmpty(bups.HealthSituation);
        Assert.NotEmpty(bups.Goals);
        Assert.Equal("", bups.SocialSituation);
        DoesNotMention(bups, "KRISCENTRUM", "Kriscentrum", "Gömstigen");
        await service.As(Bup).Protection.GetWhereaboutsAsync(new() { Name = nora.Name + "/whereabouts" }).IsRefused();
        await IsNotThere(Bup, sara);

        // Primary care: Sara's health; the children's plans are not there.
        Assert.NotEmpty((await service.Read(PrimaryCare, sara)).HealthSituation);
        Assert.Equal("", (await service.Read(PrimaryCare, sara)).SocialSituation);
        await IsNotThere(PrimaryCare, elias, nora);

        // The school: who Elias is, and nothing that leads to the shelter, the violence or the other parties, whatever the consent says.
        var schools = await service.Read(School, elias);
        Assert.Equal("Elias", schools.Subject.GivenName);
        Assert.Equal("", schools.SocialSituation + schools.HealthSituation + schools.OwningUnit + schools.LeadPrincipal);
        Assert.Empty(schools.Participations.Concat<object>(schools.Goals).Concat(schools.Interventions).Concat(schools.OtherMeasures).Concat(schools.Consents));
        DoesNotMention(schools, "KRISCENTRUM", DemonstrationDirectory.City, "FARSTA", "Gömstigen", "Våld");
        await IsNotThere(School, sara, nora);

        // Elias's schooling: due since he was placed, secured with his own words, in place; the school knows what it needs and reports.
        Assert.Contains(TaskKind.SecureSchooling, await Tasks(Rvt, elias));
        var arrangement = Cases.NewArrangement(School);
        var schooling = (await service.CaseWorker.Schooling.AddSchoolArrangementAsync(
            new() { Parent = elias.Name, SchoolArrangement = arrangement, Etag = (await service.Read(Rvt, elias)).Etag, RequestId = Cases.NewId() })).SchoolArrangement;
        schooling = await service.Advance(schooling, SchoolArrangementState.Secured);
        await service.Advance(schooling, SchoolArrangementState.InPlace);
        Assert.DoesNotContain(TaskKind.SecureSchooling, await Tasks(Rvt, elias));
        var pupil = (await service.As(School).Schooling.GetPupilAsync(new() { Name = elias.Name + "/pupil" })).Pupil;
        Assert.Equal(("Elias", SecurityMarking.ProtectedPopulationRegistration, arrangement.PickUpRules), (pupil.Subject.GivenName, pupil.SecurityMarking, pupil.PickUpRules));
        await service.As(DemonstrationDirectory.SchoolRegister).Schooling.ReportAttendanceAsync(
            new() { Name = elias.Name + "/pupil", Attendance = Cases.WeekOf(1, 20, 12, 4, 4), Etag = "new", RequestId = Cases.NewId() });
        Assert.Contains(TaskKind.LookAtAttendance, await Tasks(Rvt, elias));
        await NobodyIsLedToTheShelter(elias, "Gömstigen 4");

        // Jonas, his colleague, and the region's system: nothing is there. His attempts are alerts, also those by emergency access.
        foreach (var stranger in new[] { DemonstrationDirectory.Jonas, DemonstrationDirectory.Colleague, DemonstrationDirectory.RegionIntegration, DemonstrationDirectory.OtherCaseWorker })
        {
            await IsNotThere(stranger, sara, elias, nora);
        }

        var access = await service.OpenEmergencyAccess(DemonstrationDirectory.Jonas, DemonstrationPersons.Elias);
        Assert.Empty((await service.As(DemonstrationDirectory.Jonas).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = access.Name })).Plans);
        Assert.Contains(
            (await service.As(DemonstrationDirectory.LogReviewer).Oversight.ListAlertsAsync(new() { PageSize = 500 })).Alerts,
            alert => alert.Kind == AlertKind.BlockedAttempt && alert.Plan == elias.Name && alert.Employee == "employees/" + DemonstrationDirectory.Jonas.Id);

        // The log reviewer: who accessed what and why; no plan.
        var entries = await Log(elias);
        Assert.Contains(entries, entry => entry.Outcome == AccessOutcome.Refused && entry.Employee == "employees/" + DemonstrationDirectory.Jonas.Id);
        Assert.Contains(entries, entry => entry.Outcome == AccessOutcome.Permitted && entry.Employee == "employees/" + Bup.Id && entry.Reason.Length > 0);
        await service.As(DemonstrationDirectory.LogReviewer).Plans.GetPlanAsync(new() { Name = elias.Name }).IsRefused();

        // Summons to primary care and BUP, an invitation to the school only with leave; one summoned unit does not come.
        await service.Join(sara, Bup);
        await MeetAndAgree(sara, [Rvt, PrimaryCare, Bup], absent: Bup);
        await IsNotThere(Bup, sara);
        await service.CaseWorker.Meetings.CallMeetingAsync(await CallOf(Rvt, elias, MeetingKind.Planning, [Rvt, Bup, School], personPermits: false))
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await MeetAndAgree(elias, [Rvt, Bup, School], absent: School);
        await MeetAndAgree(nora, [Rvt, Bup], absent: Rvt);

        // The risk: FREDA for Sara, iRiSk for the children, kept by RVT.
        foreach (var (plan, instrument) in new[] { (sara, RiskInstrument.Freda), (elias, RiskInstrument.Irisk), (nora, RiskInstrument.Irisk) })
        {
            Assert.Contains(TaskKind.AssessRisk, await Tasks(Rvt, plan));
            await Assess(Rvt, plan, instrument, "2024");
            Assert.DoesNotContain(TaskKind.AssessRisk, await Tasks(Rvt, plan));
            foreach (var other in new[] { Bup, Shelter, School, PrimaryCare })
            {
                await service.As(other).Risk.ListRiskAssessmentsAsync(new() { Parent = plan.Name }).IsRefused();
            }
        }

        // Follow-up has a day; when it has gone by it is overdue until there is a new one.
        foreach (var plan in plans.Values)
        {
            await CannotAdvance(Rvt, plan, PlanState.InFollowUp, "follow_up.date");
            await Write(Rvt, plan, new() { FollowUpDate = Cases.ToDate(service.Clock.Today().AddDays(60)) }, "follow_up_date");
            await Advance(Rvt, plan, PlanState.InFollowUp);
            Assert.DoesNotContain(TaskKind.FollowUpPlan, await Overdue(Rvt, plan));
        }

        service.Clock.Advance(TimeSpan.FromDays(61));
        Assert.Contains(TaskKind.FollowUpPlan, await Overdue(Rvt, sara));
        var followUp = await Call(Rvt, sara, MeetingKind.FollowUp, [Rvt, PrimaryCare], personPermits: true);
        await Hold(Rvt, followUp, Rvt, PrimaryCare);
        await Write(Rvt, sara, new() { FollowUpDate = Cases.ToDate(service.Clock.Today().AddDays(60)) }, "follow_up_date");
        Assert.DoesNotContain(TaskKind.FollowUpPlan, await Overdue(Rvt, sara));

        // Sara withdraws her consent for primary care: reads stop at once.
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = care.Name, Etag = care.Etag, RequestId = Cases.NewId() });
        await service.CaseWorker.Consents.WithdrawConsentAsync(await FirstConsent(sara));
        await IsNotThere(PrimaryCare, sara);

        foreach (var plan in plans.Values)
        {
            await Close(plan);
        }

        await NothingInClear(
            [DemonstrationPersons.Sara, DemonstrationPersons.Elias, DemonstrationPersons.Nora],
            "Gömstigen", "min cykel", "hel natt", "BESLUT 2026-4", "Mötet hölls", "Våld i en", "Sömnbesvär", "Trygghet", "KRISCENTRUM", DemonstrationPersons.Jonas.Value, DemonstrationDirectory.Jonas.Id);
    }

    /// <summary>Every call of the school, its register, Jonas and the reviewer at his employer, joined with what there is to know of every sheltered housing.</summary>
    private async Task NobodyIsLedToTheShelter(Plan plan, string address)
    {
        var housings = await Looking.HousingTokens(service);
        var own = housings[Shelter.UnitId].Union(Linkage.Tokens(address)).ToHashSet();
        var stays = housings.Select(housing => (housing.Key, Record: (IReadOnlySet<string>)(housing.Key == Shelter.UnitId ? own : housing.Value))).ToLookup(stay => stay.Key, stay => stay.Record);
        // What a plan of somebody who is placed nowhere tells is no link.
        var world = await World.Make(service, Cases.NewPerson(9));
        var known = new HashSet<string>();
        var told = new List<Told>();
        foreach (var looker in Looking.Lookers)
        {
            foreach (var method in World.Methods.Where(method => method.Name != "ListUnits"))
            {
                known.UnionWith((await Looking.At(service, looker, method, world.Request(method))).SelectMany(value => Linkage.Tokens(value.Value)));
                told.AddRange(await Looking.At(service, looker, method, world.RequestAbout(method, Guid.Parse(plan.Name["plans/".Length..]))));
            }
        }

        Assert.Contains("Elias", told.Select(value => value.Value));
        Assert.Equal([], Linkage.Search(told.SelectMany(value => Linkage.Tokens(value.Value)).Except(known), own, stays).Select(link => string.Join(" + ", link.Values)));
    }

    /// <summary>From the call to the established plan; who is absent is recorded as such.</summary>
    private async Task MeetAndAgree(Plan plan, DemonstrationEmployee[] called, DemonstrationEmployee absent)
    {
        await CannotAdvance(Rvt, plan, PlanState.Summoned, "meeting.called", "meeting.principals_summoned");
        var meeting = await Call(Rvt, plan, MeetingKind.Planning, called, personPermits: true);
        await Advance(Rvt, plan, PlanState.Summoned);
        await Reply(called[1], meeting, CallReply.Accepted);
        await CannotAdvance(Rvt, plan, PlanState.Met, "meeting.held");
        var held = await Hold(Rvt, meeting, [.. called.Except([absent])]);
        Assert.All(called.Except([absent]), unit => Assert.Equal(Attendance.Attended, CallOf(held, unit).Item3));
        Assert.Equal((absent == School ? CallKind.Invitation : CallKind.Summons, Attendance.NoShow), (CallOf(held, absent).Item1, CallOf(held, absent).Item3));
        await Advance(Rvt, plan, PlanState.Met);
        await Agree(Rvt, plan, Rvt, called[1]);
    }
}
