using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Indicators;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Indicators;

/// <summary>Counts of who came to meetings: through the front door, of a tertial that has settled.</summary>
public sealed class AttendanceTests(Service service) : IClassFixture<Service>
{
    private static readonly int LastYear = TimeProvider.System.Today().Year - 1;

    [Fact]
    public async Task A_tertials_counts_are_of_the_own_controllers_held_meetings_fixed_when_it_settled_and_of_no_person()
    {
        var second = new Tertial(LastYear, 2);
        var meetings = new List<Meeting>();
        for (var n = 0; n < 6; n++)
        {
            meetings.Add(await Hold(second.FirstDay.AddDays(n), CallReply.Accepted, [DemonstrationDirectory.PrimaryCare, .. n < 4 ? new[] { DemonstrationDirectory.ChildPsychiatry } : []]));
        }

        // On the tertial's last evening in Sweden, and one minute before and after it begins and ends.
        await Hold(second.LastDay, CallReply.Declined, [], at: SwedishTime.StartOf(second.LastDay.AddDays(1)).AddMinutes(-1));
        await Hold(second.FirstDay, CallReply.Unspecified, [], at: SwedishTime.StartOf(second.FirstDay).AddMinutes(-1));
        await Hold(second.FirstDay, CallReply.Unspecified, [], at: SwedishTime.StartOf(second.LastDay.AddDays(1)));
        var start = await service.Now();

        var answer = await service.As(DemonstrationDirectory.Statistician).Indicators.GetMeetingAttendanceAsync(new() { Year = LastYear, Tertial = 2 });

        var counts = answer.MeetingAttendance;
        Assert.Equal((Cases.ToDate(second.FirstDay), Cases.ToDate(second.LastDay), Cases.ToDate(second.SettledOn), 5), (counts.StartDate, counts.EndDate, counts.SettleDate, counts.SmallestNumber));
        Assert.Equal(
            (MeetingAttendanceRow[])
            [
                new() { Unit = Cases.UnitOf(DemonstrationDirectory.CaseWorker), Kind = CallKind.Summons, Calls = 7, Attended = 7 },
                new() { Unit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Kind = CallKind.Summons, Calls = 7, Accepted = 6, Declined = 1, AbsentAsDeclined = 1, NoShows = 6 },
            ],
            counts.Rows);
        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.ReadIndicators, AccessOutcome.Permitted, (Guid?)null, (Guid?)null), (entry.Act, entry.Outcome, entry.PlanId, entry.SubjectId));
        Assert.DoesNotContain(meetings, meeting => answer.ToString().Contains(meeting.Name.Split('/')[1], StringComparison.Ordinal));

        // What is written later changes nothing: not a reply, not a meeting that is cancelled, not one that is added to the tertial.
        await Change("UPDATE coordinationplan.meeting_call SET attendance = 1, version = version + 1, changed_at = clock_timestamp() WHERE meeting_id = $1", meetings[0]);
        await Change("UPDATE coordinationplan.meeting SET state = 3, version = version + 1, changed_at = clock_timestamp() WHERE meeting_id = $1", meetings[1]);
        await Hold(second.FirstDay.AddDays(30), CallReply.Accepted, [], written: TimeProvider.System.GetUtcNow());
        Assert.Equal(answer, await service.As(DemonstrationDirectory.Statistician).Indicators.GetMeetingAttendanceAsync(new() { Year = LastYear, Tertial = 2 }));
    }

    [Fact]
    public async Task That_a_sheltered_housing_or_a_school_was_called_is_in_no_row()
    {
        for (var n = 0; n < 6; n++)
        {
            await Hold(new Tertial(LastYear, 3).FirstDay.AddDays(n), CallReply.Accepted, [DemonstrationDirectory.Shelter, DemonstrationDirectory.School]);
        }

        var rows = (await service.As(DemonstrationDirectory.Statistician).Indicators.GetMeetingAttendanceAsync(new() { Year = LastYear, Tertial = 3 })).MeetingAttendance.Rows;

        Assert.Equal([Cases.UnitOf(DemonstrationDirectory.CaseWorker), Cases.UnitOf(DemonstrationDirectory.PrimaryCare)], rows.Select(row => row.Unit));
    }

    [Fact]
    public async Task Nobody_but_a_statistician_reads_counts()
    {
        foreach (var other in DemonstrationDirectory.Employees.Append(DemonstrationDirectory.Administrator).Where(employee => employee != DemonstrationDirectory.Statistician))
        {
            await service.As(other).Indicators.GetMeetingAttendanceAsync(new() { Year = LastYear, Tertial = 1 }).IsRefused();
        }
    }

    [Fact]
    public async Task A_tertial_is_given_when_it_has_settled_and_nothing_else_is_a_period()
    {
        var today = TimeProvider.System.Today();
        var running = new Tertial(today.Year, ((today.Month - 1) / 4) + 1);
        foreach (var (year, tertial) in new[] { (running.Year, running.Number), (LastYear, 0), (LastYear, 4), (0, 1), (2019, 1), (2200, 1), (int.MaxValue, 1) })
        {
            await service.As(DemonstrationDirectory.Statistician).Indicators.GetMeetingAttendanceAsync(new() { Year = year, Tertial = tertial })
                .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }
    }

    /// <summary>A meeting about a new person, held on a day of the past. The case worker's unit came; primary care, which is always called, answered and did not.</summary>
    private async Task<Meeting> Hold(DateOnly day, CallReply reply, IEnumerable<DemonstrationEmployee> also, DateTimeOffset? at = null, DateTimeOffset? written = null)
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        DemonstrationEmployee[] others = [DemonstrationDirectory.PrimaryCare, .. also.Where(employee => employee != DemonstrationDirectory.PrimaryCare)];
        foreach (var other in others)
        {
            await service.Join(plan, other);
        }

        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Meetings]);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, .. others], TimeSpan.FromDays(1));
        if (reply != CallReply.Unspecified)
        {
            await service.As(DemonstrationDirectory.PrimaryCare).Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = reply, Etag = meeting.Etag, RequestId = Cases.NewId() });
        }

        await service.LetBegin(meeting);
        await service.CaseWorker.Meetings.RecordMeetingAsync(new()
        {
            Name = meeting.Name,
            AttendingUnits = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
            Minutes = "Mötet hölls.",
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        });
        var start = at ?? SwedishTime.StartOf(day).AddHours(13);
        await Change("UPDATE coordinationplan.meeting SET starts_at = $2, changed_at = $3 WHERE meeting_id = $1", meeting, start, written ?? start.AddHours(2));
        await Change("UPDATE coordinationplan.meeting_call SET changed_at = $2 WHERE meeting_id = $1", meeting, written ?? start.AddHours(2));
        return meeting;
    }

    private async Task Change(string sql, Meeting meeting, params DateTimeOffset[] times)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Guid.Parse(meeting.Name.AsSpan(meeting.Name.LastIndexOf('/') + 1)) });
        foreach (var time in times)
        {
            command.Parameters.Add(new() { Value = time.UtcDateTime });
        }

        Assert.True(await command.ExecuteNonQueryAsync() > 0);
    }
}
