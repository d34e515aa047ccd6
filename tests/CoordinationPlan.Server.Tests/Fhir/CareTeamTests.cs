using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>Who takes part, read and changed against the version that was read.</summary>
public sealed class CareTeamTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task A_unit_is_brought_in_and_its_part_is_ended()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var team = (await Read(caller, plan)).Resource<CareTeam>();
        Assert.Empty(team.Participant);
        Assert.Equal(DemonstrationDirectory.CaseWorker.UnitId, Assert.Single(team.ManagingOrganization).Identifier!.Value);

        var start = await service.Now();
        team.Participant.Add(ParticipantOf(Care));
        var added = await caller.Put(team);

        var participant = Assert.Single(added.Resource<CareTeam>().Participant);
        Assert.Equal((Care.UnitId, Day(0), Day(180)), (participant.Member!.Identifier!.Value, participant.Period!.Start, participant.Period.End));
        var participation = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);
        Assert.Equal((Cases.UnitOf(Care), Cases.HalfAYear), (participation.Unit, participation.Period));
        // What was there is read to be compared, and then changed: one entry and one receipt for each.
        Assert.Equal([Act.ReadPlan, Act.WriteParticipation], (await service.LogSince(start)).Take(2).Select(entry => entry.Act));
        Assert.Equal(2, added.Headers[AuditReceipts.Trailer].Length);
        Assert.Equal((await Read(caller, plan)).Text, added.Text);

        var current = added.Resource<CareTeam>();
        current.Participant.Clear();
        var ended = await caller.Put(current);

        Assert.Empty(ended.Resource<CareTeam>().Participant);
        Assert.True(Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations).Ended);
        Assert.Equal((await Read(caller, plan)).Text, ended.Text);
        // The team is as it was at first, and yet another version.
        Assert.NotEqual(team.Meta!.VersionId, ended.Version);
    }

    [Fact]
    public async Task The_same_PUT_sent_again_changes_nothing_and_succeeds()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var team = (await Read(caller, plan)).Resource<CareTeam>();
        team.Participant.Add(ParticipantOf(Care));
        var requestId = Cases.NewId();

        var first = await caller.Put(team, requestId);
        var again = await caller.Put(team, requestId);
        var anew = await caller.Put(team);

        Assert.Equal(first.Resource<CareTeam>().Meta!.VersionId, again.Resource<CareTeam>().Meta!.VersionId);
        Assert.Equal(first.Text, anew.Text);
        Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);

        var ending = first.Resource<CareTeam>();
        ending.Participant.Clear();
        Assert.Equal((await caller.Put(ending)).Text, (await caller.Put(ending)).Text);
    }

    [Fact]
    public async Task What_was_read_before_another_changed_it_is_not_written()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var team = (await Read(caller, plan)).Resource<CareTeam>();
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);

        team.Participant.Add(ParticipantOf(Care));
        var issue = Assert.Single((await caller.Put(team)).Outcome(HttpStatusCode.PreconditionFailed).Issue);

        Assert.Equal("STALE_ETAG", issue.Details!.Coding[0].Code);
        Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);
    }

    [Fact]
    public async Task Of_two_at_the_same_time_that_bring_in_the_same_unit_it_comes_once()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var team = (await Read(caller, plan)).Resource<CareTeam>();
        team.Participant.Add(ParticipantOf(Care));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => caller.Put(team)));

        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity }));
        Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);
    }

    [Fact]
    public async Task A_change_needs_the_version_that_was_read_and_an_id_of_its_own()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var team = (await Read(caller, plan)).Resource<CareTeam>();
        team.Participant.Add(ParticipantOf(Care));
        var (path, body) = ("CareTeam/" + team.Id, FhirJson.Write(team));
        var version = (Name: "If-Match", Value: $"W/\"{team.Meta!.VersionId}\"");
        var start = await service.Now();

        (await caller.Put(path, body, (FhirDoor.RequestIdHeader, Cases.NewId()))).Outcome(HttpStatusCode.PreconditionRequired);
        (await caller.Put(path, body, version)).Outcome(HttpStatusCode.BadRequest);
        (await caller.Put(path, body, version, (FhirDoor.RequestIdHeader, "1"))).Outcome(HttpStatusCode.BadRequest);
        (await caller.Put(path, body, ("If-Match", "*"), (FhirDoor.RequestIdHeader, Cases.NewId()))).Outcome(HttpStatusCode.BadRequest);
        (await caller.Put("CareTeam/" + Guid.CreateVersion7(), body, version, (FhirDoor.RequestIdHeader, Cases.NewId()))).Outcome(HttpStatusCode.BadRequest);

        Assert.Empty(await service.LogSince(start));
        Assert.Empty((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);
    }

    [Fact]
    public async Task Nothing_but_one_participant_is_changed()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var changes = new Dictionary<string, Action<CareTeam>>
        {
            ["two units"] = team => team.Participant.AddRange([ParticipantOf(DemonstrationDirectory.Psychiatry), ParticipantOf(DemonstrationDirectory.ChildPsychiatry)]),
            ["one for another"] = team => team.Participant = [ParticipantOf(DemonstrationDirectory.Psychiatry)],
            ["another period"] = team => team.Participant[0].Period!.End = Day(7),
            ["another unit under the same id"] = team => team.Participant[0].Member = FhirSystems.ToEntry(Cases.UnitOf(DemonstrationDirectory.Psychiatry)),
            ["a participant twice"] = team => team.Participant.Add((CareTeam.ParticipantComponent)team.Participant[0].DeepCopy()),
            ["an id of its own"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.ElementId = "mine")),
            ["a role"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Role = [new CodeableConcept { Text = "x" }])),
            ["a practitioner"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Member!.Type = "Practitioner")),
            ["a unit by another system"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Member!.Identifier!.System = FhirSystems.OrganisationNumber)),
            ["a part of a day"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Period!.Start = "2026-01-01T10:00:00Z")),
            ["no start"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Period!.Start = null)),
            ["a unit that is not there"] = team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry, participant => participant.Member!.Identifier!.Value = "SE2321000016-INGEN")),
            ["another status"] = team => team.Status = CareTeam.CareTeamStatus.Inactive,
            ["a name"] = team => team.Name = "Teamet",
            ["another owner"] = team => team.ManagingOrganization = [FhirSystems.ToEntry(Cases.UnitOf(Care))],
            ["another person"] = team => team.Subject!.Identifier!.Value = Cases.NewPerson().IdentityNumber.Value,
            ["an extension"] = team => team.Extension.Add(new Extension("http://example.org", new FhirString("x"))),
        };

        foreach (var (what, change) in changes)
        {
            var team = (await Read(caller, plan)).Resource<CareTeam>();
            change(team);
            var answer = await caller.Put(team);
            Assert.True(answer.Status == HttpStatusCode.UnprocessableEntity, $"{what}: {answer.Status} {answer.Text}");
        }

        Assert.False(Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations).Ended);
    }

    [Fact]
    public async Task Who_takes_part_is_for_the_owning_unit_to_change()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Identity, InformationCategory.Meetings]);
        using var owner = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var body = (await Read(owner, plan)).Resource<CareTeam>();
        body.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry));
        using var care = FhirCaller.Of(service, Care);
        var team = (await Read(care, plan)).Resource<CareTeam>();
        Assert.Equal(Care.UnitId, Assert.Single(team.Participant).Member!.Identifier!.Value);

        team.Participant.Add(ParticipantOf(DemonstrationDirectory.Psychiatry));
        (await care.Put(team)).IsRefused();
        foreach (var stranger in new[] { DemonstrationDirectory.Jonas, DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.SchoolRegister, DemonstrationDirectory.LogReviewer })
        {
            using var caller = FhirCaller.Of(service, stranger);
            var existing = await caller.Put(body, version: body.Meta!.VersionId);
            var missing = (CareTeam)body.DeepCopy();
            missing.Id = Ids.Opaque().ToString("D");

            existing.IsRefused();
            Assert.Equal((await caller.Put(missing, version: body.Meta.VersionId)).Whole(), existing.Whole());
        }

        Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations);
    }

    private static CareTeam.ParticipantComponent ParticipantOf(DemonstrationEmployee employee, Action<CareTeam.ParticipantComponent>? change = null)
    {
        var participant = new CareTeam.ParticipantComponent
        {
            Member = new ResourceReference { Identifier = new Identifier(FhirSystems.HsaId, employee.UnitId) },
            Period = new Period { Start = Day(0), End = Day(180) },
        };
        change?.Invoke(participant);
        return participant;
    }

    private static string Day(int fromToday) => FhirElements.Day(Cases.Period(fromToday, null).StartDate);

    private static Task<FhirAnswer> Read(FhirCaller caller, Plan plan) => caller.Get("CareTeam/" + plan.Name["plans/".Length..]);
}
