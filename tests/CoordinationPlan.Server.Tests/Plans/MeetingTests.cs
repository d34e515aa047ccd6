using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>Who is called how, who answers, and who comes.</summary>
public sealed class MeetingTests(Service service) : IClassFixture<Service>
{
    private static readonly TimeSpan NextWeek = TimeSpan.FromDays(7);

    [Fact]
    public async Task The_principals_units_are_summoned_and_others_invited_with_the_persons_leave()
    {
        var plan = await Plan();
        var request = new CallMeetingRequest
        {
            Parent = plan.Name,
            Meeting = Cases.NewMeeting(NextWeek),
            Units = { Cases.UnitOf(DemonstrationDirectory.CaseWorker), Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Cases.UnitOf(DemonstrationDirectory.School) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        // Finer than it is kept.
        request.Meeting.StartTime.Nanos = 678578300;
        await service.CaseWorker.Meetings.CallMeetingAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        request.PersonPermitsInvitations = true;
        request.RequestId = Cases.NewId();

        var meeting = (await service.CaseWorker.Meetings.CallMeetingAsync(request)).Meeting;

        Assert.Equal(
            new[]
            {
                (Cases.UnitOf(DemonstrationDirectory.CaseWorker), CallKind.Summons), (Cases.UnitOf(DemonstrationDirectory.PrimaryCare), CallKind.Summons),
                (Cases.UnitOf(DemonstrationDirectory.School), CallKind.Invitation),
            }.Order(),
            meeting.Calls.Select(call => (call.Unit, call.Kind)).Order());
        Assert.Equal((MeetingState.Called, "Sammanträdesrum 3", "Vad är viktigt för dig?"), (meeting.State, meeting.Place, meeting.Agenda));
        Assert.DoesNotContain("Sammanträdesrum 3", await service.Dump(), StringComparison.Ordinal);
        Assert.Equal((meeting.Etag, meeting.StartTime), Assert.Single(await Meetings(DemonstrationDirectory.PrimaryCare, plan)) is var read ? (read.Etag, read.StartTime) : default);
    }

    [Fact]
    public async Task A_unit_that_does_not_take_part_cannot_be_called_nor_a_meeting_in_the_past()
    {
        var plan = await Plan();
        var request = new CallMeetingRequest
        {
            Parent = plan.Name,
            Meeting = Cases.NewMeeting(NextWeek),
            Units = { Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        await service.CaseWorker.Meetings.CallMeetingAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await service.CaseWorker.Meetings.CallMeetingAsync(new(request) { Units = { "units/none-such" }, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);

        request.Units[0] = Cases.UnitOf(DemonstrationDirectory.PrimaryCare);
        request.Meeting = Cases.NewMeeting(TimeSpan.FromMinutes(-1));
        request.RequestId = Cases.NewId();
        await service.CaseWorker.Meetings.CallMeetingAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Empty(await Meetings(DemonstrationDirectory.CaseWorker, plan));
    }

    [Fact]
    public async Task A_called_unit_answers_for_itself_and_again_when_the_meeting_is_moved()
    {
        var plan = await Plan();
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare], NextWeek);

        var replied = (await Reply(DemonstrationDirectory.PrimaryCare, meeting, CallReply.Declined)).Meeting;
        Assert.Equal(CallReply.Declined, CallOf(replied, DemonstrationDirectory.PrimaryCare).Reply);
        Assert.Equal(CallReply.Unspecified, CallOf(replied, DemonstrationDirectory.CaseWorker).Reply);
        Assert.Equal(meeting.Etag, replied.Etag);
        // The school takes part and may read meetings of no plan; nobody answers for another.
        await Reply(DemonstrationDirectory.School, replied, CallReply.Accepted).IsRefused();

        await service.CaseWorker.Meetings.RescheduleMeetingAsync(new()
        {
            Name = meeting.Name,
            StartTime = Cases.NewMeeting(TimeSpan.FromMinutes(-1)).StartTime,
            Form = MeetingForm.Video,
            Etag = replied.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        var moved = (await service.CaseWorker.Meetings.RescheduleMeetingAsync(new()
        {
            Name = meeting.Name,
            StartTime = Cases.NewMeeting(TimeSpan.FromDays(9)).StartTime,
            Form = MeetingForm.Video,
            Place = "Länk",
            Etag = replied.Etag,
            RequestId = Cases.NewId(),
        })).Meeting;
        Assert.Equal((MeetingForm.Video, "Länk", "Vad är viktigt för dig?"), (moved.Form, moved.Place, moved.Agenda));
        Assert.All(moved.Calls, call => Assert.Equal((CallReply.Unspecified, null), (call.Reply, call.ReplyTime)));

        await Reply(DemonstrationDirectory.PrimaryCare, meeting, CallReply.Accepted).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
        var cancelled = (await service.CaseWorker.Meetings.CancelMeetingAsync(new() { Name = meeting.Name, Etag = moved.Etag, RequestId = Cases.NewId() })).Meeting;
        await Reply(DemonstrationDirectory.PrimaryCare, cancelled, CallReply.Accepted).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task Who_had_not_said_that_it_would_stay_away_and_does_is_a_no_show()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Meetings]);
        var meeting = await service.CallMeeting(
            plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.School], NextWeek);
        var request = new RecordMeetingRequest
        {
            Name = meeting.Name,
            AttendingUnits = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
            Minutes = "Elias vill gå kvar i sin klass.",
            Decisions = "Nytt möte om en månad.",
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        };
        await service.CaseWorker.Meetings.RecordMeetingAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        meeting = (await Reply(DemonstrationDirectory.PrimaryCare, meeting, CallReply.Accepted)).Meeting;
        meeting = (await Reply(DemonstrationDirectory.ChildPsychiatry, meeting, CallReply.Declined)).Meeting;
        await service.LetBegin(meeting);
        request.Etag = meeting.Etag;
        request.AttendingUnits.Add(Cases.UnitOf(DemonstrationDirectory.OtherCaseWorker));
        request.RequestId = Cases.NewId();
        await service.CaseWorker.Meetings.RecordMeetingAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        request.AttendingUnits.RemoveAt(1);
        request.RequestId = Cases.NewId();
        var held = (await service.CaseWorker.Meetings.RecordMeetingAsync(request)).Meeting;

        Assert.Equal(
            [Attendance.Attended, Attendance.NoShow, Attendance.Declined, Attendance.NoShow],
            new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.School }
                .Select(employee => CallOf(held, employee).Attendance));
        Assert.Equal((MeetingState.Held, "Elias vill gå kvar i sin klass.", "Nytt möte om en månad."), (held.State, held.Minutes, held.Decisions));
        await service.CaseWorker.Meetings.RecordMeetingAsync(new(request) { Etag = held.Etag, RequestId = Cases.NewId() }).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task That_the_sheltered_housing_is_called_is_seen_by_nobody_who_may_not_know_where_the_person_is()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Shelter], NextWeek);

        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.Meetings]);
        var before = Assert.Single(await Meetings(DemonstrationDirectory.PrimaryCare, plan));
        await Reply(DemonstrationDirectory.Shelter, before, CallReply.Accepted);
        var own = Assert.Single(await Meetings(DemonstrationDirectory.CaseWorker, plan));
        Assert.Equal(CallReply.Accepted, CallOf(own, DemonstrationDirectory.Shelter).Reply);
        // That somebody answered whom it does not see is not seen either.
        Assert.Equal(before, Assert.Single(await Meetings(DemonstrationDirectory.PrimaryCare, plan)));
        var participants = Assert.Single(await Meetings(DemonstrationDirectory.PrimaryCare, plan));

        Assert.Equal(3, own.Calls.Count);
        Assert.Equal(2, participants.Calls.Count);
        Assert.DoesNotContain(Cases.UnitOf(DemonstrationDirectory.Shelter), participants.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_participant_without_leave_to_read_meetings_reads_none()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.ChildPsychiatry], NextWeek);

        Assert.Empty(await Meetings(DemonstrationDirectory.ChildPsychiatry, plan));
        await Reply(DemonstrationDirectory.ChildPsychiatry, meeting, CallReply.Accepted).IsRefused();
    }

    private async Task<Plan> Plan()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.School);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        return plan;
    }

    private async Task<IEnumerable<Meeting>> Meetings(DemonstrationEmployee employee, Plan plan) =>
        (await service.As(employee).Meetings.ListMeetingsAsync(new() { Parent = plan.Name })).Meetings;

    private AsyncUnaryCall<ReplyToCallResponse> Reply(DemonstrationEmployee employee, Meeting meeting, CallReply reply) =>
        service.As(employee).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = reply, Etag = meeting.Etag, RequestId = Cases.NewId() });

    private static MeetingCall CallOf(Meeting meeting, DemonstrationEmployee employee) => meeting.Calls.Single(call => call.Unit == Cases.UnitOf(employee));
}
