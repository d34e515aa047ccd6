using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Copies;

/// <summary>A plan on paper: what it holds for whom, that it was issued, and that everybody can read it.</summary>
public sealed class CopyTests(Service service) : IClassFixture<Service>
{
    private const Policy.Categories InDocuments = CoordinationPlan.Server.Copies.CopyService.InDocuments;

    private static readonly DemonstrationEmployee Care = DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task The_persons_copy_speaks_to_the_person_and_holds_what_is_for_the_person()
    {
        var person = Cases.NewPerson();
        var plan = await Full(person);
        await service.CaseWorker.Risk.RecordRiskAssessmentAsync(new() { Parent = plan.Name, RiskAssessment = Cases.NewRiskAssessment(), Etag = plan.Etag, RequestId = Cases.NewId() });
        var start = await service.Now();

        var issued = await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson);

        using var file = new PdfFile(issued.Document.Content.Memory);
        var text = file.Text;
        foreach (var expected in new[]
        {
            $"{person.GivenName} {person.FamilyName}", "Vad är viktigt för dig?", "Att få sova om natten.", "Din situation", "Våld i en nära relation.", "Din hälsa", "Sömnbesvär.",
            "Mål", "Trygghet", "Insatser: vad, vem och när", "Relationsvåldsteam Farsta, Stockholms stad", "Andras åtgärder", "Rådgivning", "Kvinnojour",
            "Vem har det övergripande ansvaret?", "Stockholms stad har det övergripande ansvaret", "Uppföljning", "Planen ska följas upp den 3 maj 2027.", "Möten", "Sammanträdesrum 3",
            "Vilka deltar i planen?", "Vårdcentralen, Region Stockholm", "Vem du kan kontakta", "Kopian är din.", "Den är inte fastställd", "nummer 1, utlämnad",
        })
        {
            Assert.Contains(expected, text, StringComparison.Ordinal);
        }

        foreach (var secret in new[] { person.IdentityNumber.Value[8..], "ÄRENDE-77", "FREDA", "farlighet", "skyddat boende", "Risk", "samtycke", "personen" })
        {
            Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(("application/pdf", 0), (issued.Document.MediaType, issued.Document.MissingCharacters));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file.Bytes)), issued.PlanCopy.Sha256);
        Assert.Equal(
            (CopyReceiver.ThePerson, 1, 0, "employees/" + DemonstrationDirectory.CaseWorker.Id, Cases.UnitOf(DemonstrationDirectory.CaseWorker)),
            (issued.PlanCopy.Receiver, issued.PlanCopy.Number, issued.PlanCopy.Revision, issued.PlanCopy.IssuedBy, issued.PlanCopy.Unit));
        Assert.Equal($"kopia-{Guid.Parse(issued.PlanCopy.Name.Split('/')[3]):N}.pdf", issued.Document.FileName);
        // Which school the person goes to hides nothing here: the person is neither protected nor placed.
        Assert.Equal(InDocuments | Policy.Categories.SchoolPlacement, Assert.Single(await service.LogSince(start)).Categories);
    }

    [Fact]
    public async Task A_participants_copy_holds_what_it_may_read_and_nothing_else_and_the_log_says_what()
    {
        var person = Cases.NewPerson();
        var plan = await Full(person);
        await service.Consent(plan, Care, [InformationCategory.Identity]);
        var start = await service.Now();

        var issued = await Issue(Care, plan, CopyReceiver.CallersUnit);

        using var file = new PdfFile(issued.Document.Content.Memory);
        var text = file.Text;
        foreach (var expected in new[] { $"{person.GivenName} {person.FamilyName}, {person.IdentityNumber.Value[..8]}-{person.IdentityNumber.Value[8..]}", "Vad är viktigt för personen?", "Trygghet", "Rådgivning" })
        {
            Assert.Contains(expected, text, StringComparison.Ordinal);
        }

        foreach (var secret in new[] { "Våld i en nära", "Sömnbesvär", "Sammanträdesrum", "ÄRENDE-77", "Vilka deltar", "situation", "hälsa", "Möten" })
        {
            Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
        }

        var held = Policy.Categories.Existence | Policy.Categories.Identity | Policy.Categories.GoalsAndInterventions;
        Assert.Equal(held, Assert.Single(await service.LogSince(start)).Categories);
        Assert.Equal(held, CategorySets.ToSet(issued.Document.Categories));
        Assert.Equal(issued.Document.Categories, issued.PlanCopy.Categories);

        // What it reads by asking for the plan is what its copy holds.
        var read = await service.Read(Care, plan);
        Assert.Equal(("", "", 0), (read.SocialSituation, read.HealthSituation, read.Participations.Count));
        await service.As(Care).Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = CopyReceiver.ThePerson, Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
        await service.As(DemonstrationDirectory.OtherCaseWorker).Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = CopyReceiver.CallersUnit, Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
    }

    [Fact]
    public async Task A_copy_shows_the_revision_that_was_asked_for_and_who_the_person_is_today()
    {
        var old = Cases.NewPerson();
        var plan = await Full(old);
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        var goal = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals[0];
        await service.CaseWorker.Plans.UpdateGoalAsync(new() { Goal = new() { Name = goal.Name, Title = "Ett nytt mål" }, UpdateMask = new() { Paths = { "title" } }, Etag = goal.Etag, RequestId = Cases.NewId() });
        var renamed = Cases.NewPerson();
        await service.CaseWorker.Protection.ReplaceIdentityAsync(new()
        {
            Name = plan.Name,
            Subject = renamed,
            Decision = new() { Level = ProtectionLevel.AssumedIdentity, Source = ProtectionSource.CourtOrPolice, DecideDate = Cases.Today },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        plan = await service.Read(DemonstrationDirectory.CaseWorker, plan);

        using var established = new PdfFile((await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson, revision: 1)).Document.Content.Memory);
        var latest = await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson);
        using var now = new PdfFile(latest.Document.Content.Memory);

        Assert.Contains("1, fastställd den ", established.Text, StringComparison.Ordinal);
        Assert.Contains("Trygghet", established.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Ett nytt mål", established.Text, StringComparison.Ordinal);
        Assert.Contains("Ett nytt mål", now.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Trygghet", now.Text, StringComparison.Ordinal);
        Assert.Contains("Senast fastställd den ", now.Text, StringComparison.Ordinal);
        Assert.All(new[] { established, now }, file =>
        {
            Assert.Contains(renamed.GivenName, file.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(old.GivenName + " ", file.Text, StringComparison.Ordinal);
        });
        Assert.Equal(2, latest.PlanCopy.Number);
        await service.CaseWorker.Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = CopyReceiver.ThePerson, Revision = 2, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);

        var listed = await Copies(DemonstrationDirectory.CaseWorker, plan);
        Assert.Equal([(2, 0), (1, 1)], listed.Select(copy => (copy.Number, copy.Revision)));
        Assert.Equal(latest.PlanCopy, listed[0]);
    }

    [Fact]
    public async Task A_retry_after_a_withdrawal_gets_the_record_and_not_what_may_no_longer_be_read()
    {
        var plan = await Full(Cases.NewPerson());
        var health = await service.Consent(plan, Care, [InformationCategory.Health]);
        var request = new IssueCopyRequest { Parent = plan.Name, Receiver = CopyReceiver.CallersUnit, Etag = plan.Etag, RequestId = Cases.NewId() };
        var first = await service.As(Care).Copies.IssueCopyAsync(request);
        using (var file = new PdfFile(first.Document.Content.Memory))
        {
            Assert.Contains("Sömnbesvär.", file.Text, StringComparison.Ordinal);
        }

        var start = await service.Now();
        Assert.Equal(first, await service.As(Care).Copies.IssueCopyAsync(request));
        Assert.Equal(CategorySets.ToSet(first.Document.Categories), Assert.Single(await service.LogSince(start)).Categories);

        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = health.Name, Etag = health.Etag, RequestId = Cases.NewId() });
        start = await service.Now();
        var retried = await service.As(Care).Copies.IssueCopyAsync(request);

        Assert.True(retried.Document.Content.IsEmpty);
        Assert.Equal(first.PlanCopy, retried.PlanCopy);
        Assert.Equal(Policy.Categories.Existence, Assert.Single(await service.LogSince(start)).Categories);
        Assert.Single(await Copies(Care, plan));

        foreach (var consent in (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents.Where(consent => consent.State == ConsentState.Given))
        {
            await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
        }

        await service.As(Care).Copies.IssueCopyAsync(request).IsRefused();
        await service.As(Care).Copies.ListCopiesAsync(new() { Parent = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task No_document_tells_where_the_person_is_not_even_the_housings_own()
    {
        var plan = await Full(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings]);
        await service.Consent(plan, Care, [InformationCategory.Identity, InformationCategory.Meetings]);
        await service.CaseWorker.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömda gatan 7" },
            Etag = (await service.CaseWorker.Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" })).Whereabouts.Etag,
            RequestId = Cases.NewId(),
        });
        await service.AddIntervention(plan, DemonstrationDirectory.Shelter, "Stöd i boendet");
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, Care, DemonstrationDirectory.Shelter], TimeSpan.FromDays(3));
        plan = (await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;

        foreach (var (caller, receiver) in new[]
        {
            (DemonstrationDirectory.CaseWorker, CopyReceiver.ThePerson), (DemonstrationDirectory.CaseWorker, CopyReceiver.CallersUnit), (Care, CopyReceiver.CallersUnit),
            (DemonstrationDirectory.Shelter, CopyReceiver.CallersUnit),
        })
        {
            foreach (var revision in new[] { 0, 1 })
            {
                var start = await service.Now();
                var issued = await Issue(caller, plan, receiver, revision);
                using var file = new PdfFile(issued.Document.Content.Memory);
                // The properties, and the text however it is written in the file: its streams are not compressed.
                var all = string.Join('\n', file.Text, string.Concat(file.Artifacts), file.Metadata, file.Information.ToString(), Encoding.Latin1.GetString(file.Bytes), issued.Document.FileName);
                foreach (var secret in new[] { "Kriscentrum", "KRISCENTRUM", "Gömda", "boendet", DemonstrationDirectory.Shelter.Id, DemonstrationDirectory.Shelter.DisplayName })
                {
                    Assert.DoesNotContain(secret, all, StringComparison.OrdinalIgnoreCase);
                }

                Assert.Contains("Stöd", file.Text, StringComparison.Ordinal);
                Assert.Contains("Vårdcentralen", file.Text, StringComparison.Ordinal);
                Assert.DoesNotContain(InformationCategory.Whereabouts, issued.PlanCopy.Categories);
                Assert.Equal(Policy.Categories.None, Assert.Single(await service.LogSince(start)).Categories & ~InDocuments);
            }
        }

        Assert.Equal(8, (await Copies(DemonstrationDirectory.CaseWorker, plan)).Count);
        Assert.Equal([(2, Cases.UnitOf(Care)), (1, Cases.UnitOf(Care))], (await Copies(Care, plan)).Select(copy => (copy.Number, copy.Unit)));
        Assert.All(await Copies(DemonstrationDirectory.Shelter, plan), copy => Assert.Equal(Cases.UnitOf(DemonstrationDirectory.Shelter), copy.Unit));
    }

    [Fact]
    public async Task That_a_housing_has_a_copy_is_seen_by_no_owner_who_may_not_know_where_the_person_is()
    {
        var plan = (await service.As(Care).Plans.CreatePlanAsync(new() { Plan = new() { Subject = Cases.NewPerson() }, RequestId = Cases.NewId() })).Plan;
        await Issue(Care, plan, CopyReceiver.ThePerson);
        await using (var housings = service.Administrator.CreateCommand(
            """
            INSERT INTO coordinationplan.plan_copy (plan_id, copy_id, receiver, number, unit_id, category, revision, held, sha256, issued_by, issued_at)
            SELECT plan_id, gen_random_uuid(), 2, 1, $2, 1024, 0, 2, '\x00', issued_by, clock_timestamp() FROM coordinationplan.plan_copy WHERE plan_id = $1
            """))
        {
            housings.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
            housings.Parameters.Add(new() { Value = service.Names.Stored("units", DemonstrationDirectory.Shelter.UnitId) });
            Assert.Equal(1, await housings.ExecuteNonQueryAsync());
        }

        await Issue(Care, plan, CopyReceiver.ThePerson);

        Assert.Equal(
            [(CopyReceiver.ThePerson, 2, Cases.UnitOf(Care)), (CopyReceiver.ThePerson, 1, Cases.UnitOf(Care))],
            (await Copies(Care, plan)).Select(copy => (copy.Receiver, copy.Number, copy.Unit)));
        Assert.Equal(3, await service.Count($"plan_copy WHERE plan_id = '{plan.Name["plans/".Length..]}'"));
    }

    [Fact]
    public async Task Everybody_can_read_it_by_eye_or_by_ear()
    {
        var plan = await Full(Cases.NewPerson());

        using var file = new PdfFile((await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson)).Document.Content.Memory);

        Assert.Equal(("sv-SE", true, true), (file.Language, file.IsTagged, file.ShowsTitle));
        Assert.Equal(("Samordnad individuell plan", "", "", ""), (file.Information.Title, file.Information.Author ?? "", file.Information.Subject ?? "", file.Information.Keywords ?? ""));
        Assert.Contains("<pdfuaid:part>1</pdfuaid:part>", file.Metadata, StringComparison.Ordinal);
        Assert.Contains("<rdf:li>sv-SE</rdf:li>", file.Metadata, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.MachineName, file.Metadata + file.Information, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(file.Fonts);
        Assert.All(file.Fonts, font => Assert.True(font.IsEmbedded, font.Name));
        Assert.Empty(file.FontsWithoutText);
        Assert.NotEmpty(file.HeaderScopes);
        Assert.All(file.HeaderScopes, scope => Assert.Equal("Column", scope));

        var structure = file.Structure;
        Assert.Equal(("H1", "Samordnad individuell plan"), structure[0]);
        Assert.Single(structure, item => item.Tag == "H1");
        Assert.Equal(
            [
                "Vad är viktigt för dig?", "Din situation", "Din hälsa", "Mål", "Insatser: vad, vem och när", "Andras åtgärder", "Vem har det övergripande ansvaret?", "Uppföljning", "Möten",
                "Vilka deltar i planen?", "Vem du kan kontakta", "Om den här kopian",
            ],
            structure.Where(item => item.Tag == "H2").Select(item => item.Text));
        Assert.Contains(("L/LI/Lbl", "Vem"), structure);
        Assert.Contains(("L/LI/LBody", "Kvinnojour"), structure);
        Assert.Contains(("Table/TR/TH", "Verksamhet"), structure);
        Assert.Contains(("Table/TR/TD", "har inte svarat"), structure);
        Assert.Equal(file.Letters.All, file.Letters.Marked);
        Assert.Equal(["H1", "H2", "H3", "L", "P", "Table"], structure.Select(item => item.Tag.Split('/')[0]).Distinct().Order());
        Assert.Contains(file.Artifacts, text => text.Contains("Sida 1 av", StringComparison.Ordinal));
        Assert.DoesNotContain("Sida 1 av", file.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_texts_go_on_over_the_pages_and_nothing_of_them_is_lost()
    {
        var words = Enumerable.Range(1000, 1200).Select(number => $"ord{number}").ToArray();
        var plan = await service.OpenPlan(Cases.NewPerson(), string.Join(' ', words) + "\n\n" + new string('ö', 300));

        using var file = new PdfFile((await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson)).Document.Content.Memory);

        Assert.InRange(file.Pages, 3, 6);
        var situation = file.Structure.SkipWhile(item => item.Text != "Din situation").Skip(1).Take(2).ToList();
        Assert.Equal(("P", string.Join(' ', words)), situation[0]);
        Assert.Equal(("P", new string('ö', 300)), situation[1]);
        for (var page = 1; page <= file.Pages; page++)
        {
            Assert.Contains(file.Artifacts, text => text.Contains($"Sida {page} av {file.Pages}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Letters_that_cannot_be_shown_are_counted_and_the_document_says_that_they_are_missing()
    {
        var person = Cases.NewPerson();
        (person.GivenName, person.FamilyName) = ("Åsa-Łucja Şöğüt Δήμητρα Оксана", "محمد");
        var plan = await service.OpenPlan(person, "Ring 😀 a\u030A.");

        var issued = await Issue(DemonstrationDirectory.CaseWorker, plan, CopyReceiver.ThePerson);

        using var file = new PdfFile(issued.Document.Content.Memory);
        Assert.Equal(5, issued.Document.MissingCharacters);
        Assert.Contains("Åsa-Łucja Şöğüt Δήμητρα Оксана ����", file.Text, StringComparison.Ordinal);
        Assert.Contains("Ring � ", file.Text, StringComparison.Ordinal);
        Assert.Contains("Tecknet � står för bokstäver eller tecken som inte kan visas", file.Text, StringComparison.Ordinal);
        using var whole = new PdfFile((await Issue(DemonstrationDirectory.CaseWorker, await service.OpenPlan(Cases.NewPerson()), CopyReceiver.ThePerson)).Document.Content.Memory);
        Assert.DoesNotContain("Tecknet", whole.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_gives_no_document_and_one_that_clients_would_not_take_is_refused()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var dry = await service.CaseWorker.Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = CopyReceiver.ThePerson, Etag = plan.Etag, RequestId = Cases.NewId(), ValidateOnly = true });
        Assert.True(dry.Document.Content.IsEmpty);
        Assert.Empty(await Copies(DemonstrationDirectory.CaseWorker, plan));

        for (var i = 0; i < 200; i++)
        {
            await service.CaseWorker.Plans.AddGoalAsync(new() { Parent = plan.Name, Goal = new() { Title = "Mål", Description = new string('ö', 4000) }, Etag = plan.Etag, RequestId = Cases.NewId() });
        }

        await service.CaseWorker.Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = CopyReceiver.ThePerson, Etag = plan.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        Assert.Empty(await Copies(DemonstrationDirectory.CaseWorker, plan));
    }

    /// <summary>A plan with something in every section of a copy.</summary>
    private async Task<Plan> Full(Subject person)
    {
        var plan = await service.OpenCompletePlan(person);
        await service.Join(plan, Care);
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, Care], TimeSpan.FromDays(7));
        return (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, WhatMatters = "Att få sova om natten.", CaseNumber = "ÄRENDE-77", FollowUpDate = new() { Year = 2027, Month = 5, Day = 3 } },
            UpdateMask = new() { Paths = { "what_matters", "case_number", "follow_up_date" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Plan;
    }

    private async Task<IssueCopyResponse> Issue(DemonstrationEmployee caller, Plan plan, CopyReceiver receiver, int revision = 0) =>
        await service.As(caller).Copies.IssueCopyAsync(new() { Parent = plan.Name, Receiver = receiver, Revision = revision, Etag = plan.Etag, RequestId = Cases.NewId() });

    private async Task<IList<PlanCopy>> Copies(DemonstrationEmployee caller, Plan plan) =>
        (await service.As(caller).Copies.ListCopiesAsync(new() { Parent = plan.Name })).PlanCopies;
}
