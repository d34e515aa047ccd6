using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Indicators;

/// <summary>Counts for follow-up. What each RPC does and who may call it stands in indicator_service.proto.</summary>
internal sealed class IndicatorService(CaseGate gate, DirectoryNames names, IndicatorOptions options, TimeProvider time) : V1.IndicatorService.IndicatorServiceBase
{
    public override Task<GetMeetingAttendanceResponse> GetMeetingAttendance(GetMeetingAttendanceRequest request, ServerCallContext context)
    {
        var tertial = SettledTertial(request);
        return gate.Read(request, context, null, (entry, trip) =>
        {
            var calls = trip.Add(AttendanceSql.HeldCalls(
                entry.CallerFacts.Controller,
                SwedishTime.StartOf(tertial.FirstDay),
                SwedishTime.StartOf(tertial.LastDay.AddDays(1)),
                SwedishTime.StartOf(tertial.SettledOn)));
            return Task.FromResult(() => new GetMeetingAttendanceResponse { MeetingAttendance = ToMeetingAttendance(tertial, AttendanceTable.Of(calls.Value, options.SmallestNumber)) });
        });
    }

    private Tertial SettledTertial(GetMeetingAttendanceRequest request)
    {
        var faults = new List<FieldFault>();
        if (request.Year is < Tertial.FirstYear or > Tertial.LastYear)
        {
            faults.Add(new FieldFault("year", $"must be from {Tertial.FirstYear} to {Tertial.LastYear}"));
        }

        if (request.Tertial is < 1 or > 3)
        {
            faults.Add(new FieldFault("tertial", "must be 1, 2 or 3"));
        }

        if (faults.Count == 0 && new Tertial(request.Year, request.Tertial).SettledOn is var settledOn && time.Today() < settledOn)
        {
            faults.Add(new FieldFault("tertial", $"is given from {settledOn:yyyy-MM-dd} on"));
        }

        return faults.Count == 0 ? new Tertial(request.Year, request.Tertial) : throw Errors.InvalidFields(faults);
    }

    private MeetingAttendance ToMeetingAttendance(Tertial tertial, IEnumerable<AttendanceRow> rows)
    {
        var attendance = new MeetingAttendance
        {
            StartDate = tertial.FirstDay.ToDate(),
            EndDate = tertial.LastDay.ToDate(),
            SettleDate = tertial.SettledOn.ToDate(),
            SmallestNumber = options.SmallestNumber,
        };
        // In an order that tells nothing: the database's is that of when things were written.
        attendance.Rows.AddRange(rows.Select(ToRow).OrderBy(row => row.Unit.Length == 0).ThenBy(row => row.Unit, StringComparer.Ordinal).ThenBy(row => row.Kind));
        return attendance;
    }

    private MeetingAttendanceRow ToRow(AttendanceRow row) => new()
    {
        Unit = names.Name(ResourceName.Units, row.UnitId),
        Kind = row.Kind,
        Calls = row.Calls,
        Accepted = row.Accepted,
        Declined = row.Declined,
        Substitutes = row.Substitutes,
        Attended = row.Attended,
        AbsentAsDeclined = row.AbsentAsDeclined,
        NoShows = row.NoShows,
    };
}
