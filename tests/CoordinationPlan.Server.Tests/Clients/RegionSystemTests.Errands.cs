using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Tests.Clients;

public sealed partial class RegionSystemTests
{
    [Fact]
    public async Task What_a_unit_answers_to_its_summons_reaches_the_service_once_and_only_for_the_meeting_that_it_is_about()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        var (plan, other) = (await Released(Cases.NewPerson()), await Released(Cases.NewPerson()));
        var meeting = await service.CallMeeting(plan, [Care, DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));
        var moved = await service.CallMeeting(other, [Care], TimeSpan.FromDays(20));
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);

        // A summons that it does not hold is not answered.
        await Assert.ThrowsAnyAsync<Exception>(() => Answer(file, journal, "plans/x/meetings/y", nameof(CallReply.Accepted)));
        await Answer(file, journal, meeting.Name, nameof(CallReply.Substitute), "--substitute", "employees/SE2321000016-E778");
        await Answer(file, journal, moved.Name, nameof(CallReply.Accepted));
        moved = (await service.CaseWorker.Meetings.RescheduleMeetingAsync(new()
        {
            Name = moved.Name,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(30)),
            Form = moved.Form,
            Place = moved.Place,
            Etag = moved.Etag,
            RequestId = Cases.NewId(),
        })).Meeting;
        // A copy from before it was sent, as a backup that is put back: it sends the same again.
        Copy(file, file + ".old");
        await RegionProcess.RunOnce(service, file, journal);
        await RegionProcess.RunOnce(service, file + ".old", journal);
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);

        var call = Assert.Single((await service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = plan.Name })).Meetings[0].Calls, call => call.Unit == Cases.UnitOf(Care));
        Assert.Equal((CallReply.Substitute, "employees/SE2321000016-E778"), (call.Reply, call.Substitute.Employee));
        Assert.Equal(CallReply.Unspecified, Assert.Single((await service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = other.Name })).Meetings[0].Calls).Reply);
        Assert.Equal(
            [["errand", "Answer", plan.Name, Cases.UnitOf(Care), meeting.Name, "Substitute"], ["errand", "Answer", other.Name, Cases.UnitOf(Care), moved.Name, "not taken: StaleEtag"]],
            await Lines(file, "errand"));
        Assert.Contains("SE2321000016-E778", Assert.Single(await Lines(file), line => line[1] == plan.Name && line[3] == nameof(ChangeKind.Summons))[5], StringComparison.Ordinal);

        // Looked at and answered anew, it is taken.
        await Answer(file, journal, moved.Name, nameof(CallReply.Accepted));
        await Answer(file, journal, moved.Name, nameof(CallReply.Declined));
        await RegionProcess.RunOnce(service, file, journal);
        Assert.Equal(CallReply.Declined, Assert.Single((await service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = other.Name })).Meetings[0].Calls).Reply);

        // What it answered is forgotten with what it answered to, before it is sent as well.
        await Answer(file, journal, meeting.Name, nameof(CallReply.Accepted));
        await Withdraw(plan);
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        Assert.All(await Lines(file, "errand"), line => Assert.Equal(other.Name, line[2]));
        Assert.DoesNotContain(Id(plan), Bytes(file), StringComparison.Ordinal);
        Assert.DoesNotMatch(PersonalOrSecret(), await File.ReadAllTextAsync(journal));
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_notice_of_discharge_is_for_the_plan_as_it_is_and_comes_once()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Ward);
        await service.Consent(plan, Ward, [InformationCategory.Health]);
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        foreach (var kind in new[] { DischargeNoticeKind.Admitted, DischargeNoticeKind.Ready })
        {
            await RegionProcess.Call(file, journal, "discharge", "--plan", plan.Name, "--unit", Cases.UnitOf(Ward), "--kind", kind.ToString());
        }

        // The plan changes before they are sent, and each of them changes it.
        await service.CallMeeting(await service.Read(DemonstrationDirectory.CaseWorker, plan), [DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));
        Copy(file, file + ".old");
        await RegionProcess.RunOnce(service, file, journal);
        // The copy does not know that they were sent.
        await RegionProcess.RunOnce(service, file + ".old", journal);

        var notices = (await service.CaseWorker.Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices;
        Assert.Equal([DischargeNoticeKind.Ready, DischargeNoticeKind.Admitted], notices.Select(notice => notice.Kind));
        Assert.NotNull(notices[0].SummonsDueDate);
        Assert.All([.. await Lines(file, "errand"), .. await Lines(file + ".old", "errand")], line => Assert.Equal("Taken", line[5]));
        Assert.DoesNotMatch(PersonalOrSecret(), await File.ReadAllTextAsync(journal));
        System.IO.Directory.Delete(directory, recursive: true);
    }

    private static async Task Answer(string file, string journal, string meeting, string reply, params string[] more) =>
        await RegionProcess.Call(file, journal, ["answer", "--meeting", meeting, "--unit", Cases.UnitOf(Care), "--reply", reply, .. more]);
}
