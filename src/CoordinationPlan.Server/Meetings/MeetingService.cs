using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Meetings;

/// <summary>Meetings about a plan. What each RPC does and who may call it stands in meeting_service.proto.</summary>
internal sealed class MeetingService(CaseGate gate, DirectoryNames names) : V1.MeetingService.MeetingServiceBase
{
    private const int MaxUnits = 30;

    public override Task<ListMeetingsResponse> ListMeetings(ListMeetingsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var mayRead = MayReadMeetings(entry);
            var meetings = mayRead ? trip.Add(MeetingSql.Of(planId)) : null;
            var calls = mayRead ? trip.Add(MeetingSql.Calls(planId, null)) : null;
            return Task.FromResult(() =>
            {
                var response = new ListMeetingsResponse();
                response.Meetings.AddRange(meetings?.Value.Select(meeting => ToMeeting(entry, meeting, calls!.Value)) ?? []);
                return response;
            });
        });
    }

    public override Task<ListCallsResponse> ListCalls(ListCallsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var calls = trip.Add(MeetingSql.CallsOf(planId, entry.CallerFacts.UnitId));
            return Task.FromResult(() => new ListCallsResponse
            {
                Calls = { calls.Value.Where(item => IsOwn(entry, item.Call)).Select(item => item.Meeting.ToOwnCall(planId, item.Call, entry.Key)) },
            });
        });
    }

    public override Task<CallMeetingResponse> CallMeeting(CallMeetingRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var units = request.Units.Select((name, i) => names.Parse(name, ResourceName.Units, $"units[{i}]")).Distinct().ToArray();
        if (units.Length > MaxUnits)
        {
            throw Errors.InvalidFields(new FieldFault("units", $"lists more than {MaxUnits} units"));
        }

        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(MeetingSql.Callable(planId, units)),
            (entry, callable, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                var startsAt = request.Meeting.StartTime.ToDateTimeOffset().AsKept();
                RequireFuture(startsAt, entry, "meeting.start_time");
                var called = callable.Where(unit => entry.Sight.MayName(unit.Kind, unit.UnitId)).ToList();
                if (called.Count < units.Length)
                {
                    throw Errors.UnknownReference("units", "must all take part in the plan or own it");
                }

                var meeting = new MeetingRecord(Ids.Opaque(), request.Meeting.Kind, MeetingState.Called, startsAt, request.Meeting.Form, 1, [])
                    .Holding(entry.Key, request.Meeting);
                var calls = called
                    .Select(unit => new CallRecord(
                        meeting.MeetingId,
                        unit.UnitId,
                        Sight.CategoryOf(unit.Kind, Categories.Meetings),
                        CallRecord.KindOf(unit.Kind, unit.Organisation),
                        CallReply.Unspecified,
                        null,
                        Attendance.Unspecified,
                        null,
                        entry.Now))
                    .ToList();
                if (!request.PersonPermitsInvitations && calls.Exists(call => call.Kind == CallKind.Invitation))
                {
                    throw Errors.WrongState("A unit outside the principals is invited only where the person permits it (person_permits_invitations).");
                }

                trip.Add(MeetingSql.Insert(planId, meeting, entry.ChangedBy));
                calls.ForEach(call => trip.Add(MeetingSql.InsertCall(planId, call, entry.ChangedBy)));
                return new CallMeetingResponse { Meeting = ToMeeting(entry, meeting, calls) };
            });
    }

    public override Task<RescheduleMeetingResponse> RescheduleMeeting(RescheduleMeetingRequest request, ServerCallContext context) =>
        Change(request, context, request.Name, request.Etag, (entry, meeting, calls) =>
        {
            var startsAt = request.StartTime.ToDateTimeOffset().AsKept();
            RequireFuture(startsAt, entry, "start_time");
            return (
                meeting.Next(entry.Key, narrative => narrative.Place = request.Place) with { StartsAt = startsAt, Form = request.Form },
                [.. calls.Select(call => call.AskedAgain())]);
        }, (entry, meeting, calls) => new RescheduleMeetingResponse { Meeting = ToMeeting(entry, meeting, calls) });

    public override Task<CancelMeetingResponse> CancelMeeting(CancelMeetingRequest request, ServerCallContext context) =>
        Change(
            request,
            context,
            request.Name,
            request.Etag,
            (entry, meeting, calls) => (meeting.Next(entry.Key) with { State = MeetingState.Cancelled }, calls),
            (entry, meeting, calls) => new CancelMeetingResponse { Meeting = ToMeeting(entry, meeting, calls) });

    public override Task<RecordMeetingResponse> RecordMeeting(RecordMeetingRequest request, ServerCallContext context)
    {
        var attending = request.AttendingUnits.Select((name, i) => names.Parse(name, ResourceName.Units, $"attending_units[{i}]")).ToHashSet(StringComparer.Ordinal);
        return Change(request, context, request.Name, request.Etag, (entry, meeting, calls) =>
        {
            if (meeting.StartsAt > entry.Now)
            {
                throw Errors.WrongState("The meeting has not begun.");
            }

            if (!attending.IsSubsetOf(calls.Where(call => entry.Sight.Shows(call.Category, call.UnitId)).Select(call => call.UnitId)))
            {
                throw Errors.UnknownReference("attending_units", "must all be units that were called");
            }

            var held = meeting.Next(entry.Key, narrative => (narrative.Minutes, narrative.Decisions) = (request.Minutes, request.Decisions));
            return (held with { State = MeetingState.Held }, [.. calls.Select(call => call.Attended(attending.Contains(call.UnitId)))]);
        }, (entry, meeting, calls) => new RecordMeetingResponse { Meeting = ToMeeting(entry, meeting, calls) });
    }

    public override Task<ReplyToCallResponse> ReplyToCall(ReplyToCallRequest request, ServerCallContext context)
    {
        if ((request.Reply == CallReply.Unspecified) == (request.Attendance == Attendance.Unspecified))
        {
            throw Errors.InvalidFields(new FieldFault("reply", "is needed, or else attendance; just one of them"));
        }

        if (request.Attendance == Attendance.Declined)
        {
            throw Errors.InvalidFields(new FieldFault("attendance", "must be ATTENDED or NO_SHOW: that a unit does not come is a reply"));
        }

        if (request.Substitute is not null && request.Reply != CallReply.Substitute)
        {
            throw Errors.InvalidFields(new FieldFault("substitute", "is for the reply SUBSTITUTE"));
        }

        if (request.Substitute is not null && ResourceName.TryParseEntry(request.Substitute.Employee, ResourceName.Employees) is null)
        {
            throw Errors.InvalidFields(new FieldFault("substitute.employee", "must be a name of the form employees/{employee}"));
        }

        return Change(
            request,
            context,
            request.Name,
            request.Etag,
            (entry, meeting, calls) =>
            {
                if (OwnCall(entry, calls) is null)
                {
                    throw Errors.WrongState("The caller's unit is not called to this meeting.");
                }

                if (request.Attendance != Attendance.Unspecified && meeting.StartsAt > entry.Now)
                {
                    throw Errors.WrongState("The meeting has not begun.");
                }

                // The meeting's etag stays: one that changes unseen would tell of a unit that is not shown.
                return (meeting, [.. calls.Select(call => call == OwnCall(entry, calls) ? call.Answered(entry.Key, request, entry.Now) : call)]);
            },
            (entry, meeting, calls) => new ReplyToCallResponse
            {
                Meeting = MayReadMeetings(entry) ? ToMeeting(entry, meeting, calls) : null,
                Call = meeting.ToOwnCall(entry.Plan.PlanId, OwnCall(entry, calls)!, entry.Key),
            });
    }

    /// <summary>Changes a meeting that is called and has not been held.</summary>
    private Task<TResponse> Change<TResponse>(
        IChangeRequest request,
        ServerCallContext context,
        string name,
        string etag,
        Func<Entry, MeetingRecord, List<CallRecord>, (MeetingRecord Meeting, List<CallRecord> Calls)> change,
        Func<Entry, MeetingRecord, List<CallRecord>, TResponse> answer)
        where TResponse : class, IMessage<TResponse>
    {
        var (planId, meetingId) = ResourceName.ParseChild(name, ResourceName.Meetings, "name");
        Pending<List<CallRecord>>? calls = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                calls = trip.Add(MeetingSql.Calls(planId, meetingId));
                return trip.Add(MeetingSql.Find(planId, meetingId));
            },
            (entry, meeting, trip) =>
            {
                if (!MayReadMeetings(entry) && OwnCall(entry, calls!.Value) is null)
                {
                    // Whoever is not called and may not read meetings does not learn that there is this one, nor whether its etag is current.
                    throw Errors.AccessDenied();
                }

                Entry.RequireEtag(etag, meeting.Etag);
                if (meeting.State != MeetingState.Called)
                {
                    throw Errors.WrongState("The meeting has been held or cancelled.");
                }

                var (next, nextCalls) = change(entry, meeting, calls!.Value);
                if (next.Version > meeting.Version)
                {
                    trip.Add(MeetingSql.Replace(planId, next, entry.ChangedBy));
                }

                foreach (var call in nextCalls.Except(calls.Value))
                {
                    trip.Add(MeetingSql.ReplaceCall(planId, call, entry.ChangedBy));
                }

                return answer(entry, next, nextCalls);
            });
    }

    private Meeting ToMeeting(Entry entry, MeetingRecord meeting, IEnumerable<CallRecord> calls) =>
        meeting.ToMeeting(entry.Plan.PlanId, calls.Where(call => call.MeetingId == meeting.MeetingId && entry.Sight.Shows(call.Category, call.UnitId)), entry.Key, names);

    private static bool MayReadMeetings(Entry entry) => entry.Permit.Reads.HasFlag(Categories.Meetings);

    /// <summary>The call of the caller's own unit; null where it is not called.</summary>
    private static CallRecord? OwnCall(Entry entry, List<CallRecord> calls) => calls.Find(call => IsOwn(entry, call));

    /// <summary>Who is called knows it by that; of a sheltered housing only those who may know that the person stays there.</summary>
    private static bool IsOwn(Entry entry, CallRecord call) =>
        call.UnitId == entry.CallerFacts.UnitId && (call.Category != Categories.Whereabouts || entry.Sight.Shows(call.Category, call.UnitId));

    private static void RequireFuture(DateTimeOffset startsAt, Entry entry, string field)
    {
        if (startsAt <= entry.Now)
        {
            throw Errors.InvalidFields(new FieldFault(field, "must be in the future"));
        }
    }
}
