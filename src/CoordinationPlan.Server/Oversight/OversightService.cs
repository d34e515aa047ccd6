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

    /// <summary>How far back what was done is listed.</summary>
    private const int DoneAtMostDays = 400;

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
                (alert, plan, _) => alert.PlanId is null || MayHearOf(entry, plan),
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
        var employee = keys.Names.ParseOptional(request.Employee, ResourceName.Employees, "employee");
        Progress[] asked = request.States.Count > 0 ? [.. request.States.Select(state => (Progress)state)] : [Progress.Due, Progress.Overdue];
        return gate.Read<ListTasksResponse>(request, context, null, async (entry, _) =>
        {
            var position = pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request);
            var doneSince = DoneSince(request, asked.Contains(Progress.Done), entry.Today);
            var windows = WindowsOf(entry);
            var (tasks, isMore) = await PermittedPage(
                entry,
                position is null ? TaskPosition.First : TaskPosition.Read(position),
                after => OversightSql.Tasks(
                    entry.CallerFacts.UnitId, employee, asked.Any(state => state != Progress.Done), doneSince, [.. windows.Values], entry.Now, after, DecidedAtATime),
                task => task.Position,
                task => task.PlanId,
                (task, plan, person) => StandingOf(task, windows, entry.Today) is { } standing && asked.Contains(standing.Progress) && MayHearOf(entry, task, plan, person),
                pageSize,
                context.CancellationToken,
                task => task.PersonId);
            var response = new ListTasksResponse { Tasks = { tasks.Select(task => ToTask(task, StandingOf(task, windows, entry.Today)!)) } };
            if (isMore)
            {
                response.NextPageToken = pageTokens.Seal(tasks[^1].Position.ToBytes(), entry.Caller.AssignmentId!, request);
            }

            return () => response;
        });
    }

    public override Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        var wanted = TaskName.Parse(request.Name, "name");
        return gate.Read<GetTaskResponse>(request, context, null, async (entry, _) =>
        {
            if (await Find(entry, wanted, context.CancellationToken) is not { } candidate)
            {
                // Another's, one that is done meanwhile, or none: the same.
                throw Errors.AccessDenied();
            }

            var facts = await Locked(entry, [candidate.PlanId], [candidate.PersonId], context.CancellationToken);
            var (plan, person) = facts.Of(candidate.PlanId, candidate.PersonId);
            if (!MayHearOf(entry, candidate, plan, person))
            {
                throw Errors.AccessDenied();
            }

            var told = candidate.Tells | Categories.ConsentDocuments;
            if (plan is not null)
            {
                entry.Concern(Policy.Act.ReadPlan, plan, told);
            }
            else
            {
                entry.Concern(Policy.Act.AnswerSuggestion, person!, told);
            }

            return () => new GetTaskResponse { Task = ToTask(candidate, StandingOf(candidate, WindowsOf(entry), entry.Today)!) };
        });
    }

    /// <summary>The candidate of a name, looked for among all of the unit's before anything is locked or decided: for one task one plan is.</summary>
    private async Task<TaskCandidate?> Find(Entry entry, TaskName wanted, CancellationToken stop)
    {
        var (windows, isDone) = (WindowsOf(entry), wanted.DoneOn is not null);
        if (wanted.DoneOn is { } day && (day > entry.Today || day < entry.Today.AddDays(-DoneAtMostDays)))
        {
            return null;
        }

        for (var after = TaskPosition.First; ;)
        {
            var find = entry.NewTrip();
            var candidates = find.Add(OversightSql.Tasks(entry.CallerFacts.UnitId, null, !isDone, wanted.DoneOn, [.. windows.Values], entry.Now, after, CandidatesAtATime));
            await find.Run(stop);
            if (candidates.Value.Find(task => TaskName.Of(task, isDone) == wanted.Name && StandingOf(task, windows, entry.Today) is { } standing && (standing.Progress == Progress.Done) == isDone) is { } found)
            {
                return found;
            }

            if (candidates.Value.Count < CandidatesAtATime)
            {
                return null;
            }

            after = candidates.Value[^1].Position;
        }
    }

    private Dictionary<Duty, TaskWindow> WindowsOf(Entry entry)
    {
        var controller = keys.Names.NameOf(entry.CallerFacts.Controller);
        return PlanTasks.Windows(clock => law.DaysOf(clock, controller) ?? 0).ToDictionary(window => window.Duty);
    }

    private static PlanTask? StandingOf(TaskCandidate task, Dictionary<Duty, TaskWindow> windows, DateOnly today) => PlanTasks.Of(task.Fact, windows[task.Fact.Duty], today);

    private static bool MayHearOf(Entry entry, TaskCandidate task, PlanFacts? plan, PersonFacts? person) => task.PersonId is null
        ? plan is not null && entry.Decide(Policy.Act.ReadPlan, plan) is { IsPermit: true } decision && decision.Reads.HasFlag(task.Tells)
        : person is not null && MayHearOf(entry, person);

    /// <summary>From which day on what was done is asked for; null where it is not.</summary>
    private static DateOnly? DoneSince(ListTasksRequest request, bool isAsked, DateOnly today)
    {
        var since = request.DoneSince?.ToDateOnly();
        var fault = (isAsked, since) switch
        {
            (true, null) => "is required where DONE is asked for",
            (false, not null) => "is for DONE, which is not asked for",
            (true, { } day) when day > today => "must not be in the future",
            (true, { } day) when day < today.AddDays(-DoneAtMostDays) => $"must be at most {DoneAtMostDays} days ago",
            _ => null,
        };
        return fault is null ? since : throw Errors.InvalidFields(new FieldFault("done_since", fault));
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
        Func<T, PlanFacts?, PersonFacts?, bool> isShown,
        int pageSize,
        CancellationToken stop,
        Func<T, Guid?>? personOf = null)
    {
        var page = new List<T>();
        while (true)
        {
            var find = entry.NewTrip();
            var candidates = find.Add(candidatesAfter(after));
            await find.Run(stop);

            var facts = await Locked(entry, candidates.Value.Select(planOf), candidates.Value.Select(candidate => personOf?.Invoke(candidate)), stop);
            page.AddRange(candidates.Value.Where(candidate =>
            {
                var (plan, person) = facts.Of(planOf(candidate), personOf?.Invoke(candidate));
                return isShown(candidate, plan, person);
            }));
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

    /// <summary>What is decided of, locked. What is about no plan but a person was sent to the unit: a suggestion. Persons are locked before plans, as whoever blocks somebody does.</summary>
    private static async Task<LockedFacts> Locked(Entry entry, IEnumerable<Guid?> plans, IEnumerable<Guid?> persons, CancellationToken stop)
    {
        var (planIds, subjects) = (plans.OfType<Guid>().Distinct().ToArray(), persons.OfType<Guid>().Distinct().ToArray());
        var decide = entry.NewTrip();
        decide.Add(LocksSql.Persons(subjects));
        decide.Add(LocksSql.Plans(planIds));
        var facts = decide.Add(FactsSql.Plans(planIds, entry.Caller, entry.Today));
        var found = decide.Add(FactsSql.Persons(subjects, entry.Caller, entry.Today));
        await decide.Run(stop);
        return new LockedFacts(facts.Value, found.Value);
    }

    /// <summary>
    /// A case worker hears of what it may read, a reviewer of all that its controller owns, also when the person's keys are destroyed; nobody of a person
    /// whom he is kept out from.
    /// </summary>
    private static bool MayHearOf(Entry entry, PlanFacts? plan) => IsReviewer(entry)
        ? plan is null or { Blocked: Blocked.No }
        : plan is not null && entry.Decide(Policy.Act.ReadPlan, plan).IsPermit;

    /// <summary>Of a suggestion hears who may answer it, as long as it can be opened.</summary>
    private static bool MayHearOf(Entry entry, PersonFacts person) => person.Subject.Key is not null && entry.Decide(Policy.Act.AnswerSuggestion, person).IsPermit;

    private static bool IsReviewer(Entry entry) => entry.CallerFacts.Role is Role.LogReviewer or Role.DataProtectionOfficer;

    /// <summary>The same function that every call is decided by, so that the explanation cannot say anything else than what happens.</summary>
    private static IEnumerable<(Candidate Candidate, Decision Decision)> Decide(Candidate candidate)
    {
        var facts = PolicyInputs.Of(candidate.Plan);
        return new[] { Policy.Act.ReadPlan, Policy.Act.ReadInEmergency }
            .Select(act => (candidate, AccessPolicy.Decide(act, candidate.Caller, facts)))
            .Where(reader => reader.Item2.IsPermit);
    }

    private Reader ToReader(Candidate candidate, Decision decision, bool mayNamePlaces)
    {
        var isNamed = mayNamePlaces || candidate.Facts.UnitKind switch
        {
            UnitKind.ShelteredHousing => false,
            UnitKind.School => !AccessPolicy.HidesSchool(PolicyInputs.Of(candidate.Plan)),
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

    private UnitTask ToTask(TaskCandidate task, PlanTask standing) => new()
    {
        Subject = task.Subject,
        Kind = (TaskKind)task.Fact.Duty,
        DueDate = standing.DueOn.ToDate(),
        Overdue = standing.Progress == Progress.Overdue,
        State = (TaskState)standing.Progress,
        DoneDate = task.Fact.DoneOn.ToDate(),
        Employee = keys.Names.Name(ResourceName.Employees, task.Employee),
        Name = TaskName.Of(task, standing.Progress == Progress.Done),
    };

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

    private sealed record LockedFacts(Dictionary<Guid, PlanFacts> Plans, Dictionary<Guid, PersonFacts> Persons)
    {
        public (PlanFacts? Plan, PersonFacts? Person) Of(Guid? plan, Guid? person) =>
            (plan is { } id ? Plans.GetValueOrDefault(id) : null, person is { } subject ? Persons.GetValueOrDefault(subject) : null);
    }
}
