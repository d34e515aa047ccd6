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
    public async Task A_participant_without_leave_to_read_meetings_reads_its_own_call_alone()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.ChildPsychiatry], NextWeek);

        Assert.Empty(await Meetings(DemonstrationDirectory.ChildPsychiatry, plan));
        Assert.Equal(meeting.Name, Assert.Single(await Calls(DemonstrationDirectory.ChildPsychiatry, plan)).Meeting);
        var answer = await Reply(DemonstrationDirectory.ChildPsychiatry, meeting, CallReply.Accepted);
        Assert.Equal((null, CallReply.Accepted), (answer.Meeting, answer.Call.Reply));
    }

    [Fact]
    public async Task A_school_sees_and_answers_its_own_invitation_and_learns_of_nobody_else()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.School, [InformationCategory.Schooling, InformationCategory.Meetings]);
        var meeting = await service.CallMeeting(
            plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Shelter, DemonstrationDirectory.School], NextWeek);
        meeting = Assert.Single(await Meetings(DemonstrationDirectory.CaseWorker, plan));
        await service.CallMeeting(plan, [DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(3));
        var start = await service.Now();

        var call = Assert.Single(await Calls(DemonstrationDirectory.School, plan));

        Assert.Equal(
            new OwnCall
            {
                Meeting = meeting.Name,
                MeetingEtag = meeting.Etag,
                MeetingKind = MeetingKind.Planning,
                Kind = CallKind.Invitation,
                State = MeetingState.Called,
                StartTime = meeting.StartTime,
                Form = MeetingForm.Room,
                Place = "Sammanträdesrum 3",
            },
            call);
        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.ReadOwnCalls, AccessOutcome.Permitted, Policy.Categories.Existence), (entry.Act, entry.Outcome, entry.Categories));
        // Consent or not, a school reads no meetings.
        Assert.Empty(await Meetings(DemonstrationDirectory.School, plan));

        start = await service.Now();
        var substitute = new Substitute { Employee = "employees/SE2120000142-E777", DisplayName = "Vikarie Vikariesson" };
        var request = new ReplyToCallRequest { Name = call.Meeting, Reply = CallReply.Substitute, Substitute = substitute, Etag = call.MeetingEtag, RequestId = Cases.NewId() };
        var answer = await service.As(DemonstrationDirectory.School).Meetings.ReplyToCallAsync(request);
        Assert.Null(answer.Meeting);
        Assert.NotNull(answer.Call.ReplyTime);
        Assert.Equal(new OwnCall(call) { Reply = CallReply.Substitute, Substitute = substitute, ReplyTime = answer.Call.ReplyTime }, answer.Call);
        Assert.Equal(answer, await service.As(DemonstrationDirectory.School).Meetings.ReplyToCallAsync(request));
        Assert.All(await service.LogSince(start), row => Assert.Equal((Act.ReplyToCall, Policy.Categories.Existence), (row.Act, row.Categories)));
        Assert.Equal(answer.Call, Assert.Single(await Calls(DemonstrationDirectory.School, plan)));
        foreach (var other in new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Shelter })
        {
            Assert.DoesNotContain(other.UnitId, answer.ToString(), StringComparison.Ordinal);
        }

        var owners = CallOf((await Meetings(DemonstrationDirectory.CaseWorker, plan)).Single(one => one.Name == meeting.Name), DemonstrationDirectory.School);
        Assert.Equal((CallReply.Substitute, substitute), (owners.Reply, owners.Substitute));
        await service.CaseWorker.Meetings.CancelMeetingAsync(new() { Name = meeting.Name, Etag = meeting.Etag, RequestId = Cases.NewId() });
        Assert.Equal(MeetingState.Cancelled, Assert.Single(await Calls(DemonstrationDirectory.School, plan)).State);
    }

    [Fact]
    public async Task A_school_that_is_not_called_does_not_learn_that_there_is_a_meeting()
    {
        var plan = await Plan();
        await service.Consent(plan, DemonstrationDirectory.School, [InformationCategory.Schooling]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.PrimaryCare], NextWeek);
        var never = new Meeting { Name = $"{plan.Name}/meetings/{Cases.NewId()}", Etag = meeting.Etag };

        Assert.Empty(await Calls(DemonstrationDirectory.School, plan));
        var refused = await Reply(DemonstrationDirectory.School, meeting, CallReply.Accepted).IsRefused();
        var stale = await Reply(DemonstrationDirectory.School, new Meeting { Name = meeting.Name, Etag = "AAAAAAAAAAAAAAAA" }, CallReply.Accepted).IsRefused();
        var missing = await Reply(DemonstrationDirectory.School, never, CallReply.Accepted).IsRefused();

        Assert.Equal(Details(missing), Details(refused));
        Assert.Equal(Details(missing), Details(stale));
        // One that may read meetings and is not called is told so.
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Meetings]);
        await Reply(DemonstrationDirectory.ChildPsychiatry, meeting, CallReply.Accepted).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);

        static string Details(RpcException error) => Convert.ToHexString(error.Trailers.GetValueBytes("grpc-status-details-bin")!);
    }

    [Fact]
    public async Task Calls_are_read_by_those_who_take_part_with_a_release_and_a_shelter_reads_its_own()
    {
        var plan = await Plan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.School, DemonstrationDirectory.Shelter], NextWeek);
        // The school takes part and nothing is released to it, the shelter likewise.
        await service.As(DemonstrationDirectory.School).Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        await service.As(DemonstrationDirectory.Shelter).Meetings.ListCallsAsync(new() { Parent = plan.Name }).IsRefused();
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.Schooling]);

        Assert.Equal(CallKind.Invitation, Assert.Single(await Calls(DemonstrationDirectory.Shelter, plan)).Kind);
        Assert.Equal(CallKind.Summons, Assert.Single(await Calls(DemonstrationDirectory.CaseWorker, plan)).Kind);
        Assert.Empty(await Calls(DemonstrationDirectory.PrimaryCare, plan));
    }

    private async Task<IEnumerable<OwnCall>> Calls(DemonstrationEmployee employee, Plan plan) =>
        (await service.As(employee).Meetings.ListCallsAsync(new() { Parent = plan.Name })).Calls;

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
