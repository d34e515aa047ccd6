using System.Net;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>A region's system reports over the FHIR door which of its units take part, as it does by the contract.</summary>
public sealed class ReportedTeamTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee Ward => DemonstrationDirectory.Ward;

    [Fact]
    public async Task A_part_is_reported_changed_and_ended_and_waits_for_the_owning_unit()
    {
        var plan = await KnownPlan();
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        var team = (await Read(system, plan)).Resource<CareTeam>();
        Assert.Empty(team.Participant);
        var start = await service.Now();

        team.Participant.Add(ParticipantOf(Ward, 1));
        var reported = await system.Put(team);

        var participant = Assert.Single(reported.Resource<CareTeam>().Participant);
        Assert.Equal(("WAITING", Ward.UnitId, "Vera Vårdkontakt"), (StateOf(participant), participant.OnBehalfOf?.Identifier?.Value, participant.Member?.Display));
        Assert.Equal(3, (await service.LogSince(start)).Count);
        Assert.Equal((await Read(system, plan)).Text, reported.Text);
        var item = Cases.Item(plan, Ward, "vårdrelation-1", 1);
        var synced = Assert.Single(await Synced(plan));
        Assert.Equal(
            (item.Unit, item.ExternalId, item.ExternalVersion, item.ExternalTime, item.Role, item.NamedCareContact, item.Period, item.Ended),
            (synced.Unit, synced.ExternalId, synced.ExternalVersion, synced.ExternalTime, synced.Role, synced.NamedCareContact, synced.Period, synced.Ended));
        // The same again, and one that was sent again after another answer had come.
        Assert.Equal(reported.Text, (await system.Put(team)).Text);
        await service.CaseWorker.ParticipationSync.AnswerSyncedParticipationAsync(new() { Name = synced.Name, Answer = SyncAnswer.Accept, Etag = synced.Etag, RequestId = Cases.NewId() });
        Assert.Equal("IN_STEP", StateOf(Assert.Single((await system.Put(team)).Resource<CareTeam>().Participant)));
        Assert.Contains((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward));

        // In its place: the same id of the system's, a newer version.
        var current = (await Read(system, plan)).Resource<CareTeam>();
        (current.Participant[0].Period!.End, current.Participant[0].Extension.Single(extension => extension.Url == FhirSystems.Own + "external-version").Value) = (Day(30), new FhirString("2"));
        current = (await system.Put(current)).Resource<CareTeam>();
        Assert.Equal(Cases.Period(0, 30), Assert.Single(await Synced(plan)).Period);

        current.Participant[0] = ParticipantOf(Ward, 3, ended: true);
        Assert.Equal("ENDED", StateOf(Assert.Single((await system.Put(current)).Resource<CareTeam>().Participant)));
        Assert.True(Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations, one => one.Unit == Cases.UnitOf(Ward)).Ended);
    }

    [Theory]
    [InlineData("2026-11-25T01:00:00Z")]
    [InlineData("2026-11-25T02:00:00.1234567+01:00")]
    [InlineData("2026-11-25T01:00:00.000+00:00")]
    public async Task An_instant_may_be_written_in_any_way_and_the_same_is_safe_to_send_again(string written)
    {
        var plan = await KnownPlan();
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        var team = (await Read(system, plan)).Resource<CareTeam>();
        var (tag, participant) = ($"W/\"{team.Meta!.VersionId}\"", ParticipantOf(Ward, 1));
        participant.Extension.RemoveAll(extension => extension.Url == FhirSystems.Own + "external-time");
        participant.Extension.Add(FhirSystems.Extension("external-time", new Instant(DateTimeOffset.UnixEpoch)));
        team.Participant.Add(participant);
        var body = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(FhirJson.Write(team)).Replace("1970-01-01T00:00:00+00:00", written, StringComparison.Ordinal));

        for (var i = 0; i < 2; i++)
        {
            var answer = await system.Put("CareTeam/" + team.Id, body, ("If-Match", tag), (FhirDoor.RequestIdHeader, Cases.NewId()));
            Assert.Single(answer.Resource<CareTeam>().Participant);
        }

        var kept = DateTimeOffset.Parse(written, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(kept, Assert.Single(await Synced(plan)).ExternalTime.ToDateTimeOffset(), TimeSpan.FromMicroseconds(1));
    }

    [Fact]
    public async Task What_was_read_before_another_report_is_not_written()
    {
        var plan = await KnownPlan();
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        var team = (await Read(system, plan)).Resource<CareTeam>();
        await service.Sync(Cases.Item(plan, Ward));

        team.Participant.Add(ParticipantOf(DemonstrationDirectory.ChildPsychiatry, 1));

        Assert.Equal("STALE_ETAG", Assert.Single((await system.Put(team)).Outcome(HttpStatusCode.PreconditionFailed).Issue).Details!.Coding[0].Code);
        Assert.Equal(Cases.UnitOf(Ward), Assert.Single(await Synced(plan)).Unit);
    }

    [Fact]
    public async Task Only_one_part_of_an_own_unit_is_reported_and_only_in_full()
    {
        var plan = await KnownPlan();
        await service.Sync(Cases.Item(plan, Ward));
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        var child = DemonstrationDirectory.ChildPsychiatry;
        var changes = new Dictionary<string, (HttpStatusCode Status, Action<CareTeam> Change)>
        {
            ["two at once"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.AddRange([ParticipantOf(child, 1), ParticipantOf(DemonstrationDirectory.PrimaryCare, 1)])),
            ["one left out"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Clear()),
            ["one twice"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add((CareTeam.ParticipantComponent)team.Participant[0].DeepCopy())),
            ["changed and no newer"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant[0].Period!.End = Day(7)),
            ["no period"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Period = null))),
            ["a part of a day"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Period!.End = "2027-01-01T10:00:00Z"))),
            ["no version"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Extension.RemoveAt(1)))),
            ["ended and not ended"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, ended: true, participant => participant.Extension.Add(FhirSystems.Extension("ended", new FhirBoolean(false)))))),
            ["ended in words"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Extension.Add(FhirSystems.Extension("ended", new FhirString("true")))))),
            ["another role"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Role[0].Coding[0].Code = "BOSS"))),
            ["more"] = (HttpStatusCode.UnprocessableEntity, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Extension.Add(new Extension("http://example.org", new FhirString("x")))))),
            ["a name"] = (HttpStatusCode.UnprocessableEntity, team => team.Name = "Teamet"),
            ["a contact who is none"] = (HttpStatusCode.BadRequest, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.Role[0].Coding[0].Code = "CARE_UNIT"))),
            ["a unit of another organisation"] = (HttpStatusCode.Forbidden, team => team.Participant.Add(ParticipantOf(DemonstrationDirectory.CaseWorker, 1))),
            ["a unit that is not there"] = (HttpStatusCode.Forbidden, team => team.Participant.Add(ParticipantOf(child, 1, change: participant => participant.OnBehalfOf!.Identifier!.Value = "SE2321000016-INGEN"))),
        };

        foreach (var (what, (status, change)) in changes)
        {
            var team = (await Read(system, plan)).Resource<CareTeam>();
            change(team);
            var answer = await system.Put(team);
            Assert.True(answer.Status == status, $"{what}: {answer.Status} {answer.Text}");
        }

        Assert.Equal(1, Assert.Single(await Synced(plan)).ExternalVersion);
    }

    [Fact]
    public async Task A_system_has_no_team_of_a_plan_that_none_of_its_units_may_know_of()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        using var system = FhirCaller.Of(service, DemonstrationDirectory.RegionIntegration);
        var never = Ids.Opaque().ToString("D");

        Assert.Equal((await system.Get("CareTeam/" + never)).Whole(), (await Read(system, plan)).Whole());
        var body = new CareTeam { Id = IdOf(plan), Participant = [ParticipantOf(Ward, 1)] };
        var there = await system.Put(body, version: "0123456789abcdef01234567");
        body.Id = never;
        there.IsRefused();
        Assert.Equal((await system.Put(body, version: "0123456789abcdef01234567")).Whole(), there.Whole());
        Assert.Empty(await Synced(plan));
    }

    private static CareTeam.ParticipantComponent ParticipantOf(DemonstrationEmployee unit, int version, bool ended = false, Action<CareTeam.ParticipantComponent>? change = null)
    {
        // As the same report is by the contract.
        var item = Cases.Item(new Plan(), unit, "vårdrelation-1", version, ended: ended);
        var participant = new CareTeam.ParticipantComponent
        {
            Role = [new CodeableConcept(FhirSystems.Own + "participant-role", "NAMED_CARE_CONTACT")],
            Member = new ResourceReference { Identifier = new Identifier(FhirSystems.HsaId, item.NamedCareContact.Employee["employees/".Length..]), Display = item.NamedCareContact.DisplayName },
            OnBehalfOf = new ResourceReference { Identifier = new Identifier(FhirSystems.HsaId, unit.UnitId) },
            Period = new Period { Start = Day(0), End = Day(180) },
            Extension =
            [
                FhirSystems.Extension("external-id", new FhirString(item.ExternalId)),
                FhirSystems.Extension("external-version", new FhirString($"{version}")),
                FhirSystems.Extension("external-time", new Instant(item.ExternalTime.ToDateTimeOffset())),
            ],
        };
        if (ended)
        {
            participant.Extension.Insert(0, FhirSystems.Extension("ended", new FhirBoolean(true)));
        }

        change?.Invoke(participant);
        return participant;
    }

    private static string? StateOf(CareTeam.ParticipantComponent participant) =>
        (Assert.Single(participant.Extension, extension => extension.Url == FhirSystems.Own + "synced-participation-state").Value as Code)?.Value;

    private static string Day(int fromToday) => FhirElements.Day(Cases.Period(fromToday, null).StartDate);

    private static string IdOf(Plan plan) => plan.Name["plans/".Length..];

    private static Task<FhirAnswer> Read(FhirCaller caller, Plan plan) => caller.Get("CareTeam/" + IdOf(plan));

    private async Task<IReadOnlyList<SyncedParticipation>> Synced(Plan plan) =>
        (await service.CaseWorker.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name })).SyncedParticipations;

    /// <summary>A plan that one of the region's units may know of.</summary>
    private async Task<Plan> KnownPlan()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
        return plan;
    }
}
