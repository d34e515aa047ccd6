using System.Text;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <summary>
/// The cases that the service must carry, played through the API to their end, with what each party may and may not learn. After each, the whole database
/// is searched for what must not stand there in clear.
/// </summary>
public sealed class ScenarioTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Rvt = DemonstrationDirectory.CaseWorker;
    private static readonly DemonstrationEmployee Bup = DemonstrationDirectory.ChildPsychiatry;
    private static readonly DemonstrationEmployee PrimaryCare = DemonstrationDirectory.PrimaryCare;
    private static readonly DemonstrationEmployee Shelter = DemonstrationDirectory.Shelter;
    private static readonly DemonstrationEmployee School = DemonstrationDirectory.School;

    [Fact]
    public async Task A_Sara_Elias_and_Nora()
    {
        var plans = new Dictionary<string, Plan>();
        foreach (var subject in new[] { DemonstrationPersons.Sara, DemonstrationPersons.Elias, DemonstrationPersons.Nora })
        {
            var plan = await service.OpenCompletePlan(subject);
            await service.Protect(plan, ProtectionLevel.ProtectedPopulationRegistration);
            await service.KeepSecretFromJonas(plan);
            await Block(plan, new() { Guardian = DemonstrationPersons.Jonas, Ground = BlockGround.ExposesToViolence });
            await PlaceAt(plan, Shelter, "Gömstigen 4");
            plans[subject.GivenName] = plan;
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

        foreach (var plan in plans.Values)
        {
            await Establish(plan);
        }

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
            "Gömstigen", "Våld i en", "Sömnbesvär", "Trygghet", "KRISCENTRUM", DemonstrationPersons.Jonas.Value, DemonstrationDirectory.Jonas.Id);
    }

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

        await Place(rvt, plan, kruton, "Stilla gatan 9");
        await Take(rvt, plan, kruton, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions]);
        await Take(rvt, plan, clinic, [InformationCategory.Identity, InformationCategory.Health]);
        await Take(rvt, plan, origo, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions]);
        Assert.Equal("Amira", (await service.Read(clinic, plan)).Subject.GivenName);

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

        var current = await service.Read(rvt, plan);
        await clients.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = current.Etag, RequestId = Cases.NewId() });
        await NothingInClear([amira, assumed], "Hedersförtryck", "Ångest", "Stilla gatan", "KRUTON", aunt.Id, cousin.Id);
    }

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
        await service.CallMeeting(plan, [Rvt, PrimaryCare, elderCare], TimeSpan.FromDays(1));
        Assert.Empty(await SummonsTasks(plan));
        Assert.Equal(4, (await service.CaseWorker.Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices.Count);
        Assert.Empty((await service.As(elderCare).Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices);

        await Close(plan);
        await NothingInClear([birgitta], "vuxne son", "Sömnbesvär", elderCare.Id, "VP 2024-3", "Avdelning 34");
    }

    [Fact]
    public async Task D_Linn()
    {
        var stodcentrum = DemonstrationDirectory.Stodcentrum;
        var doctor = DemonstrationDirectory.Colleague;
        var linn = Person(17, "Linn", "Nattvak");
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
        Assert.Equal(Cases.ToDate(until.AddDays(-1)), (await GuardiansConsent(until.AddDays(-1))).Period.EndDate);

        await Close(plan);
        await NothingInClear([linn], "exploatering", "Sömnbesvär", "Nattgatan", doctor.Id, stodcentrum.Id);

        Task<Consent> GuardiansConsent(DateOnly end) => service.Consent(plan, Bup, [InformationCategory.Meetings], consent =>
        {
            consent.GivenBy = ConsentGiver.Guardian;
            consent.ChildsView = "Linn vill att mamma får säga ja till det här.";
            consent.Period = new() { StartDate = Cases.Today, EndDate = Cases.ToDate(end) };
        });
    }

    private static Subject Person(int yearsOld, string givenName, string familyName)
    {
        var person = Cases.NewPerson(yearsOld);
        (person.GivenName, person.FamilyName) = (givenName, familyName);
        return person;
    }

    private static void DoesNotMention(Plan plan, params string[] secrets) =>
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, plan.ToString(), StringComparison.OrdinalIgnoreCase));

    private Task<AddBlockResponse> Block(Plan plan, Block block)
    {
        (block.DecideDate, block.ReviewDate) = (Cases.Today, Cases.InMonths(6));
        return service.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = block, Etag = plan.Etag, RequestId = Cases.NewId() }).ResponseAsync;
    }

    private Task PlaceAt(Plan plan, DemonstrationEmployee shelter, string address) => Place(Rvt, plan, shelter, address);

    private async Task Place(DemonstrationEmployee owner, Plan plan, DemonstrationEmployee shelter, string address) =>
        await service.As(owner).Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(shelter), Address = address },
            Etag = "new",
            RequestId = Cases.NewId(),
        });

    private Task<Consent> Share(Plan plan, DemonstrationEmployee recipient, InformationCategory[] categories) => Take(Rvt, plan, recipient, categories);

    /// <summary>The recipient's unit takes part, and the person consents.</summary>
    private async Task<Consent> Take(DemonstrationEmployee owner, Plan plan, DemonstrationEmployee recipient, InformationCategory[] categories)
    {
        var clients = service.As(owner);
        await clients.Participations.AddParticipationAsync(new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = Cases.UnitOf(recipient), Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        return (await clients.Consents.RecordConsentAsync(new()
        {
            Parent = plan.Name,
            Consent = new()
            {
                State = ConsentState.Given,
                RecipientUnits = { Cases.UnitOf(recipient) },
                Categories = { categories },
                Purpose = recipient.Purpose,
                Period = Cases.HalfAYear,
                Form = ConsentForm.Oral,
                GivenBy = ConsentGiver.Self,
            },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Consent;
    }

    private async Task<WithdrawConsentRequest> FirstConsent(Plan plan)
    {
        var consent = (await service.Read(Rvt, plan)).Consents.First(consent => consent.State == ConsentState.Given);
        return new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() };
    }

    private async Task<Whereabouts> Whereabouts(DemonstrationEmployee caller, Plan plan) =>
        (await service.As(caller).Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" })).Whereabouts;

    /// <summary>For the caller the plans are like plans that never were: by name, in lists and in searches.</summary>
    private async Task IsNotThere(DemonstrationEmployee caller, params Plan[] plans)
    {
        var clients = service.As(caller).Plans;
        var never = await clients.GetPlanAsync(new() { Name = "plans/" + Cases.NewId() }).IsRefused();
        foreach (var plan in plans)
        {
            var refused = await clients.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
            Assert.Equal(never.Status, refused.Status);
            if (!caller.IsSystem)
            {
                Assert.DoesNotContain((await clients.FindPlansAsync(new() { IdentityNumber = plan.Subject.IdentityNumber })).Plans, found => found.Name == plan.Name);
                Assert.DoesNotContain((await clients.ListPlansAsync(new() { PageSize = 500 })).Plans, listed => listed.Name == plan.Name);
            }
        }
    }

    private async Task<IEnumerable<AccessLogEntry>> Log(Plan plan) =>
        (await service.As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
            Plan = plan.Name,
            PageSize = 500,
        })).Entries;

    private async Task Establish(Plan plan) => await service.CaseWorker.Plans.EstablishPlanAsync(
        new() { Name = plan.Name, Etag = (await service.Read(Rvt, plan)).Etag, RequestId = Cases.NewId() });

    private static AddDischargeNoticeRequest NoticeOf(Plan plan, DischargeNoticeKind kind, DateTimeOffset at) => new()
    {
        Parent = plan.Name,
        DischargeNotice = new() { Kind = kind, NoticeTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(at), Note = "Avdelning 34" },
        Etag = plan.Etag,
        RequestId = Cases.NewId(),
    };

    private async Task<IEnumerable<Google.Type.Date>> SummonsTasks(Plan plan) =>
        (await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks
            .Where(task => task.Kind == TaskKind.SummonForDischarge && task.Subject.StartsWith(plan.Name, StringComparison.Ordinal)).Select(task => task.DueDate);

    private async Task Close(Plan plan) => await service.CaseWorker.Plans.ClosePlanAsync(
        new() { Name = plan.Name, Reason = PlanClosingReason.GoalsReached, Etag = (await service.Read(Rvt, plan)).Etag, RequestId = Cases.NewId() });

    private async Task NothingInClear(IEnumerable<Subject> persons, params string[] more)
    {
        var dump = await service.Dump();
        string[] secrets = [.. persons.SelectMany(person => new[] { person.IdentityNumber.Value, person.GivenName, person.FamilyName }), .. more];
        Assert.All(secrets, secret =>
        {
            Assert.DoesNotContain(secret, dump, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal);
        });
        Assert.Contains("PlanService/CreatePlan", dump, StringComparison.Ordinal);
    }
}
