using CoordinationPlan.Server.Indicators;
using CoordinationPlan.V1;
using CsCheck;

namespace CoordinationPlan.Server.Tests.Indicators;

/// <summary>What is shown of who came, over any calls there can be.</summary>
public sealed class AttendanceTableTests
{
    private const int Smallest = 5;

    private static readonly Gen<HeldCall[]> SomeCalls =
        from calls in Gen.Select(Gen.Int[0, 11], Gen.Int[0, 11], Gen.Int[0, 9], Gen.Enum<CallReply>(), Gen.Enum<Attendance>()).Array[0, 120]
        select calls
            .Select(call => Call(person: call.Item1, meeting: call.Item2, unit: call.Item3, call.Item4, call.Item5))
            .DistinctBy(call => (call.MeetingId, call.UnitId))
            .ToArray();

    [Fact]
    public void Every_row_rests_on_enough_meetings_and_persons_and_no_unit_can_take_its_own_away_from_those_together() => SomeCalls.Sample(
        calls =>
        {
            var rows = AttendanceTable.Of(calls, Smallest);
            Assert.Equal(rows.Count, rows.Select(row => (row.UnitId, row.Kind)).Distinct().Count());
            foreach (var row in rows)
            {
                if (row.UnitId is { } unit)
                {
                    var own = calls.Where(call => call.UnitId == unit && call.Kind == row.Kind).ToList();
                    Assert.True(own.DistinctBy(call => call.MeetingId).Count() >= Smallest && own.DistinctBy(call => call.SubjectId).Count() >= Smallest);
                    Assert.DoesNotContain(own, call => call.UnitKind is UnitKind.School or UnitKind.ShelteredHousing);
                    Assert.Equal(AttendanceRow.Of(unit, row.Kind, own), row);
                }
                else
                {
                    var hidden = calls.Where(call => call.Kind == row.Kind && call.UnitKind != UnitKind.ShelteredHousing && !rows.Any(other => other.UnitId == call.UnitId)).ToList();
                    Assert.Equal(AttendanceRow.Of(null, row.Kind, hidden), row);
                    foreach (var member in hidden.Select(call => call.UnitId).Distinct())
                    {
                        var rest = hidden.Where(call => call.UnitId != member).ToList();
                        Assert.True(rest.DistinctBy(call => call.MeetingId).Count() >= Smallest && rest.DistinctBy(call => call.SubjectId).Count() >= Smallest);
                    }
                }
            }
        },
        iter: 20_000);

    [Fact]
    public void What_a_sheltered_housing_did_changes_nothing() => SomeCalls.Sample(
        calls => Assert.Equal(AttendanceTable.Of(calls.Where(call => call.UnitKind != UnitKind.ShelteredHousing), Smallest), AttendanceTable.Of(calls, Smallest)),
        iter: 5_000);

    [Fact]
    public void The_counts_of_a_unit_are_those_of_its_calls()
    {
        HeldCall[] calls =
        [
            Call(1, 1, 0, CallReply.Accepted, Attendance.Attended),
            Call(2, 2, 0, CallReply.Accepted, Attendance.NoShow),
            Call(3, 3, 0, CallReply.Declined, Attendance.Declined),
            Call(4, 4, 0, CallReply.Substitute, Attendance.Attended),
            Call(5, 5, 0, CallReply.Unspecified, Attendance.NoShow),
            Call(5, 6, 0, CallReply.Unspecified, Attendance.Attended),
        ];

        Assert.Equal(new AttendanceRow("unit 0", CallKind.Summons, 6, 2, 1, 1, 3, 1, 2), Assert.Single(AttendanceTable.Of(calls, Smallest)));
        // The same five meetings about four persons, and five persons at four meetings, are too few.
        Assert.Empty(AttendanceTable.Of(calls.Select(call => call with { SubjectId = Id(Math.Min(4, (int)call.SubjectId.ToByteArray()[0])) }), Smallest));
        Assert.Empty(AttendanceTable.Of(calls.Select(call => call with { MeetingId = Id(Math.Min(4, (int)call.MeetingId.ToByteArray()[0])) }), Smallest));
    }

    [Fact]
    public void Schools_are_shown_together_and_only_where_no_school_can_tell_another()
    {
        HeldCall[] Of(int school, int from, int count) => [.. Enumerable.Range(from, count).Select(n => Call(n, n, school, CallReply.Accepted, Attendance.Attended))];

        Assert.Empty(AttendanceTable.Of(Of(8, 1, 9), Smallest));
        Assert.Empty(AttendanceTable.Of([.. Of(8, 1, 9), .. Of(9, 10, 4)], Smallest));
        var together = Assert.Single(AttendanceTable.Of([.. Of(8, 1, 5), .. Of(9, 10, 5)], Smallest));
        Assert.Equal((null, 10, 10), (together.UnitId, together.Calls, together.Attended));
    }

    [Theory]
    [InlineData(2025, 1, "2025-01-01", "2025-04-30", "2025-05-15")]
    [InlineData(2025, 2, "2025-05-01", "2025-08-31", "2025-09-15")]
    [InlineData(2025, 3, "2025-09-01", "2025-12-31", "2026-01-15")]
    public void Tertials_are_four_months_and_settle_two_weeks_later(int year, int number, string first, string last, string settled)
    {
        var tertial = new Tertial(year, number);

        Assert.Equal((DateOnly.Parse(first, null), DateOnly.Parse(last, null), DateOnly.Parse(settled, null)), (tertial.FirstDay, tertial.LastDay, tertial.SettledOn));
    }

    /// <summary>Units 0 to 5 are of principals, 6 and 7 sheltered housings, 8 and 9 schools.</summary>
    private static HeldCall Call(int person, int meeting, int unit, CallReply reply, Attendance attendance) => new(
        Id(person),
        Id(meeting),
        $"unit {unit}",
        unit switch { < 3 => UnitKind.SocialServices, < 6 => UnitKind.HealthCare, < 8 => UnitKind.ShelteredHousing, _ => UnitKind.School },
        unit < 6 ? CallKind.Summons : CallKind.Invitation,
        reply,
        attendance);

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);
}
