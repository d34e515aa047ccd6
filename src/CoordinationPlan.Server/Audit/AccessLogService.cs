using System.Buffers.Binary;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Audit;

/// <summary>The access log for those who review it. What each RPC does and who may call it stands in access_log_service.proto.</summary>
internal sealed class AccessLogService(CaseGate gate, PageTokens pageTokens, ServiceKeys keys) : V1.AccessLogService.AccessLogServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 500;
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromDays((365 * 5) + 2);

    public override Task<SearchAccessLogResponse> SearchAccessLog(SearchAccessLogRequest request, ServerCallContext context)
    {
        var (from, to) = (request.StartTime.ToDateTimeOffset(), request.EndTime.ToDateTimeOffset());
        if (to <= from || to - from > LongestPeriod)
        {
            throw Errors.InvalidFields(new FieldFault("end_time", "must be after start_time, by at most 5 years"));
        }

        var planId = request.Plan.Length == 0 ? (Guid?)null : ResourceName.ParsePlan(request.Plan, "plan");
        var employeeId = keys.Names.ParseOptional(request.Employee, ResourceName.Employees, "employee");
        var unitId = keys.Names.ParseOptional(request.Unit, ResourceName.Units, "unit");
        var pageSize = request.PageSize == 0 ? DefaultPageSize : Math.Min(request.PageSize, MaxPageSize);

        return gate.Read(request, context, null, (entry, trip) =>
        {
            var before = Position(pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request)) ?? (to, Guid.Empty);
            var found = trip.Add(AccessLogSql.Find(new AccessLogSql.Search(
                entry.CallerFacts.Controller, from, to, before, planId, request.Person is { } person ? keys.IndexOf(person) : null, employeeId, unitId, request.Outcome, pageSize + 1,
                entry.Today, entry.Caller.EmployeeId, entry.CallerFacts.UnitId), keys.Names));
            return Task.FromResult(() =>
            {
                var response = new SearchAccessLogResponse();
                response.Entries.AddRange(found.Value.Take(pageSize));
                if (found.Value.Count > pageSize)
                {
                    response.NextPageToken = pageTokens.Seal(Bytes(response.Entries[^1]), entry.Caller.AssignmentId!, request);
                }

                return response;
            });
        });
    }

    public override Task<GetAccessLogEntryResponse> GetAccessLogEntry(GetAccessLogEntryRequest request, ServerCallContext context)
    {
        var entryId = ResourceName.ParseAccessLogEntry(request.Name, "name");
        return gate.Read<GetAccessLogEntryResponse>(request, context, null, async (entry, _) =>
        {
            // The log has no index by id; when it was is known where its place in the tree is, or where it waits for one.
            var look = entry.NewTrip();
            var at = look.Add(LogSql.TimeOf(entryId));
            await look.Run(context.CancellationToken);
            var (from, to) = at.Value is { } time ? (time, time.AddTicks(TimeSpan.TicksPerMicrosecond)) : (entry.Now, entry.Now);
            var find = entry.NewTrip();
            var found = find.Add(AccessLogSql.Find(new AccessLogSql.Search(
                entry.CallerFacts.Controller, from, to, (to, Guid.Empty), null, null, null, null, AccessOutcome.Unspecified, 1,
                entry.Today, entry.Caller.EmployeeId, entry.CallerFacts.UnitId, entryId), keys.Names));
            await find.Run(context.CancellationToken);
            // One that this reviewer is not shown, and one that never was: the same.
            var shown = found.Value.SingleOrDefault() ?? throw Errors.AccessDenied();
            return () => new GetAccessLogEntryResponse { Entry = shown };
        });
    }

    private static (DateTimeOffset Time, Guid EntryId)? Position(byte[]? bytes) => bytes is null
        ? null
        : (new DateTimeOffset(BinaryPrimitives.ReadInt64BigEndian(bytes), TimeSpan.Zero), new Guid(bytes.AsSpan(8)));

    private static byte[] Bytes(AccessLogEntry last)
    {
        var bytes = new byte[24];
        BinaryPrimitives.WriteInt64BigEndian(bytes, last.Time.ToDateTimeOffset().Ticks);
        ResourceName.ParseAccessLogEntry(last.Name, "name").TryWriteBytes(bytes.AsSpan(8));
        return bytes;
    }
}
