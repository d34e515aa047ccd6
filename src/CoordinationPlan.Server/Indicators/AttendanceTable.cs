using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Indicators;

/// <summary>A call to a meeting that was held. Who the person is is known here, to count persons, and nowhere after it.</summary>
internal sealed record HeldCall(Guid SubjectId, Guid MeetingId, string UnitId, UnitKind UnitKind, CallKind Kind, CallReply Reply, Attendance Attendance);

/// <summary>The counts of one unit, or of several together.</summary>
/// <param name="UnitId">As the directory is stored; null for several.</param>
internal sealed record AttendanceRow(
    string? UnitId, CallKind Kind, int Calls, int Accepted, int Declined, int Substitutes, int Attended, int AbsentAsDeclined, int NoShows)
{
    public static AttendanceRow Of(string? unitId, CallKind kind, IReadOnlyCollection<HeldCall> calls) => new(
        unitId,
        kind,
        calls.Count,
        calls.Count(call => call.Reply == CallReply.Accepted),
        calls.Count(call => call.Reply == CallReply.Declined),
        calls.Count(call => call.Reply == CallReply.Substitute),
        calls.Count(call => call.Attendance == Attendance.Attended),
        calls.Count(call => call.Attendance == Attendance.Declined),
        calls.Count(call => call.Attendance == Attendance.NoShow));
}

/// <summary>
/// Which counts are shown (docs/adr/0018). A unit has a row of its own where that rests on enough meetings and enough persons. Those that have not, and all
/// schools, are put together, and shown only where no unit among them could take its own part away and be left with few. Sheltered housings are in nothing.
/// There is no total, so nothing that is hidden can be computed.
/// </summary>
internal static class AttendanceTable
{
    public static IReadOnlyList<AttendanceRow> Of(IEnumerable<HeldCall> calls, int smallestNumber)
    {
        var rows = new List<AttendanceRow>();
        var together = new List<(CallKind Kind, List<HeldCall> Calls)>();
        foreach (var ofUnit in calls.Where(call => call.UnitKind != UnitKind.ShelteredHousing).GroupBy(call => (call.UnitId, call.Kind)))
        {
            var group = ofUnit.ToList();
            if (group[0].UnitKind != UnitKind.School && IsEnough(group, smallestNumber))
            {
                rows.Add(AttendanceRow.Of(ofUnit.Key.UnitId, ofUnit.Key.Kind, group));
            }
            else
            {
                together.Add((ofUnit.Key.Kind, group));
            }
        }

        foreach (var ofKind in together.GroupBy(unit => unit.Kind).OrderBy(kind => kind.Key))
        {
            var all = ofKind.SelectMany(unit => unit.Calls).ToList();
            if (ofKind.All(unit => IsEnough(all.Except(unit.Calls), smallestNumber)))
            {
                rows.Add(AttendanceRow.Of(null, ofKind.Key, all));
            }
        }

        return rows;
    }

    private static bool IsEnough(IEnumerable<HeldCall> calls, int smallestNumber)
    {
        var (meetings, persons) = (new HashSet<Guid>(), new HashSet<Guid>());
        foreach (var call in calls)
        {
            meetings.Add(call.MeetingId);
            persons.Add(call.SubjectId);
        }

        return meetings.Count >= smallestNumber && persons.Count >= smallestNumber;
    }
}
