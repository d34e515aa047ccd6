using System.Buffers.Binary;
using System.Text;
using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Purpose = CoordinationPlan.V1.Purpose;
using Role = CoordinationPlan.Policy.Role;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Server.Oversight;

/// <summary>Who can read, what must be heard of, what is to be done. What each RPC does and who may call it stands in oversight_service.proto.</summary>
internal sealed class OversightService(CaseGate gate, PageTokens pageTokens, ServiceKeys keys, LawOptions law) : V1.OversightService.OversightServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 500;
    private const int CandidatesAtATime = 1000;

    /// <summary>Fewer where each plan is locked: the database has room for so many locks only.</summary>
    private const int DecidedAtATime = 100;

    public override Task<ExplainAccessResponse> ExplainAccess(ExplainAccessRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var pageSize = PageSize(request.PageSize);
        return gate.Read<ExplainAccessResponse>(request, context, planId, async (entry, _) =>
        {
            var after = pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request) is { } position ? (Encoding.UTF8.GetString(position.AsSpan(1)), (int)position[0]) : ("", 0);
            var readers = new List<(Candidate Candidate, Decision Decision)>();
            while (readers.Count <= pageSize)
            {
                var trip = entry.NewTrip();
                var candidates = trip.Add(FactsSql.Readers(planId, entry.Today, after, CandidatesAtATime));
                await trip.Run(context.CancellationToken);
                readers.AddRange(candidates.Value.SelectMany(Decide));
                if (candidates.Value.Count < CandidatesAtATime)
                {
                    break;
                }

                after = (candidates.Value[^1].AssignmentId, (int)candidates.Value[^1].Purpose);
            }

            var response = new ExplainAccessResponse { Readers = { readers.Take(pageSize).Select(reader => ToReader(reader.Candidate, reader.Decision, MayNamePlaces(entry.CallerFacts))) } };
            if (readers.Count > pageSize)
            {
                var last = readers[pageSize - 1].Candidate;
                response.NextPageToken = pageTokens.Seal([(byte)last.Purpose, .. Encoding.UTF8.GetBytes(last.AssignmentId)], entry.Caller.AssignmentId!, request);
            }

            return () => response;
        });
    }

    public override Task<ListAlertsResponse> ListAlerts(ListAlertsRequest request, ServerCallContext context)
    {
        var pageSize = PageSize(request.PageSize);
        return gate.Read<ListAlertsResponse>(request, context, null, async (entry, _) =>
        {
            var position = pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request);
            var newest = position is null
                ? (DateTime.SpecifyKind(new DateTime(9000, 1, 1), DateTimeKind.Utc), Guid.Empty)
                : (new DateTime(BinaryPrimitives.ReadInt64BigEndian(position), DateTimeKind.Utc), new Guid(position.AsSpan(8)));
            var (alerts, isMore) = await PermittedPage(
                entry,
                newest,
                before => OversightSql.Alerts(IsReviewer(entry) ? null : entry.CallerFacts.UnitId, entry.CallerFacts.Controller, before, DecidedAtATime),
                alert => (alert.RaisedAt, alert.AlertId),
                alert => alert.PlanId,
                pageSize,
                context.CancellationToken);
            var response = new ListAlertsResponse { Alerts = { alerts.Select(ToAlert) } };
            if (isMore)
            {
                var next = new byte[24];
                BinaryPrimitives.WriteInt64BigEndian(next, alerts[^1].RaisedAt.Ticks);
                alerts[^1].AlertId.TryWriteBytes(next.AsSpan(8));
                response.NextPageToken = pageTokens.Seal(next, entry.Caller.AssignmentId!, request);
            }

            return () => response;
        });
    }

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        var pageSize = PageSize(request.PageSize);
        return gate.Read<ListTasksResponse>(request, context, null, async (entry, _) =>
        {
            var position = pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request);
            var first = position is null ? (new DateOnly(1900, 1, 1), "") : (DateOnly.FromDayNumber(BinaryPrimitives.ReadInt32BigEndian(position)), Encoding.UTF8.GetString(position.AsSpan(4)));
            var controller = keys.Names.NameOf(entry.CallerFacts.Controller);
            var limits = new TaskLimits(law.DaysOf(PlanLaw.Start, controller), law.DaysOf(PlanLaw.ConsentEnds, controller), law.DaysOf(PlanLaw.Risk, controller),
                law.DaysOf(SchoolingLaw.Secured, controller), law.DaysOf(SchoolingLaw.Handover, controller));
            var (tasks, isMore) = await PermittedPage(
                entry,
                first,
                after => OversightSql.Tasks(entry.CallerFacts.UnitId, limits, entry.Now, after, DecidedAtATime),
                task => (task.DueOn, task.Subject),
                task => task.PlanId,
                pageSize,
                context.CancellationToken);
            var response = new ListTasksResponse
            {
                Tasks =
                {
                    tasks.Select(task => new UnitTask
                    {
                        Subject = task.Subject, Kind = task.Kind, DueDate = task.DueOn.ToDate(), Overdue = task.DueOn < entry.Today,
                    }),
                },
            };
            if (isMore)
            {
                var next = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(next, tasks[^1].DueOn.DayNumber);
                response.NextPageToken = pageTokens.Seal([.. next, .. Encoding.UTF8.GetBytes(tasks[^1].Subject)], entry.Caller.AssignmentId!, request);
            }

            return () => response;
        });
    }

    /// <summary>
    /// Candidates are fetched and their plans decided until the page is full, so that one that may not be shown leaves no gap. The plans are locked
    /// before they are decided: a block that has been answered is seen.
    /// </summary>
    private static async Task<(List<T> Page, bool IsMore)> PermittedPage<T, TPosition>(
        Entry entry,
        TPosition after,
        Func<TPosition, Query<List<T>>> candidatesAfter,
        Func<T, TPosition> positionOf,
        Func<T, Guid?> planOf,
        int pageSize,
        CancellationToken stop)
    {
        var page = new List<T>();
        while (true)
        {
            var find = entry.NewTrip();
            var candidates = find.Add(candidatesAfter(after));
            await find.Run(stop);

            var plans = candidates.Value.Select(planOf).OfType<Guid>().Distinct().ToArray();
            var decide = entry.NewTrip();
            decide.Add(FactsSql.LockPlans(plans));
            var facts = decide.Add(FactsSql.Plans(plans, entry.Caller, entry.Today));
            await decide.Run(stop);

            page.AddRange(candidates.Value.Where(candidate => planOf(candidate) is not { } plan || MayHearOf(entry, facts.Value.GetValueOrDefault(plan))));
            if (page.Count > pageSize)
            {
                return (page[..pageSize], true);
            }

            if (candidates.Value.Count < DecidedAtATime)
            {
                return (page, false);
            }

            after = positionOf(candidates.Value[^1]);
        }
    }

    /// <summary>
    /// A case worker hears of what it may read, a reviewer of all that its controller owns, also when the person's keys are destroyed; nobody of a person
    /// whom he is kept out from.
    /// </summary>
    private static bool MayHearOf(Entry entry, PlanFacts? plan) => IsReviewer(entry)
        ? plan is null or { Blocked: Blocked.No }
        : plan is not null && entry.Decide(Policy.Act.ReadPlan, plan).IsPermit;

    private static bool IsReviewer(Entry entry) => entry.CallerFacts.Role is Role.LogReviewer or Role.DataProtectionOfficer;

    /// <summary>The same function that every call is decided by, so that the explanation cannot say anything else than what happens.</summary>
    private static IEnumerable<(Candidate Candidate, Decision Decision)> Decide(Candidate candidate)
    {
        var facts = CaseGate.PolicyFacts(candidate.Plan);
        return new[] { Policy.Act.ReadPlan, Policy.Act.ReadInEmergency }
            .Select(act => (candidate, AccessPolicy.Decide(act, candidate.Caller, facts)))
            .Where(reader => reader.Item2.IsPermit);
    }

    private Reader ToReader(Candidate candidate, Decision decision, bool mayNamePlaces)
    {
        var isNamed = mayNamePlaces || candidate.Facts.UnitKind switch
        {
            UnitKind.ShelteredHousing => false,
            UnitKind.School => !AccessPolicy.HidesSchool(CaseGate.PolicyFacts(candidate.Plan)),
            _ => true,
        };
        return new Reader
        {
            Employee = isNamed ? keys.Names.Name(ResourceName.Employees, candidate.EmployeeId) : "",
            Assignment = isNamed ? keys.Names.Name(ResourceName.Assignments, candidate.AssignmentId) : "",
            Unit = isNamed ? keys.Names.Name(ResourceName.Units, candidate.Facts.UnitId) : "",
            Basis = WireNames.Of(decision.Basis),
            Purpose = (Purpose)candidate.Purpose,
            Categories = { CategorySets.ToList(decision.Reads) },
        };
    }

    private Alert ToAlert(AlertRecord record)
    {
        var alert = Alert.Parser.ParseFrom(keys.OutcomeKey.Open(RaisedAlert.PlaceOf(record.AlertId), record.Sealed));
        alert.Name = $"alerts/{record.AlertId:D}";
        alert.Kind = record.Kind;
        alert.Time = Timestamp.FromDateTime(record.RaisedAt);
        alert.Plan = record.PlanId is { } plan ? ResourceName.Plan(plan) : "";
        return alert;
    }

    /// <summary>Who may know which housing or school a reader works in, whoever the person is.</summary>
    private static bool MayNamePlaces(CallerFacts caller) => caller is { UnitKind: UnitKind.SocialServices, Role: Role.UnitManager, HandlesProtectedPersons: true };

    private static int PageSize(int asked) => asked <= 0 ? DefaultPageSize : Math.Min(asked, MaxPageSize);
}
