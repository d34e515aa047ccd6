using CoordinationPlan.Policy;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// The only way into a case. Every RPC goes through it: one transaction that loads the facts, decides, writes the log and does the work, in two
/// round trips of which the second commits. Nothing is answered before the commit. A refusal commits its entry and then fails the call; work
/// that fails is rolled back and logged as a failed attempt of its own.
/// </summary>
internal sealed partial class CaseGate(Transactions transactions, ServiceKeys keys, SubjectKeys subjectKeys, AccessOptions options, CallLimits limits, AuditReceipts receipts, TimeProvider time, ILogger<CaseGate> log)
{
    private static readonly TimeSpan TimeToLogAFailure = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A read. The work adds its queries to the second round trip and says how the answer is made of their results; it must not read what the
    /// permit does not list.
    /// </summary>
    /// <param name="plan">The plan that the call names; null where it names none.</param>
    public Task<TResponse> Read<TResponse>(
        IMessage request, ServerCallContext context, Guid? plan, Func<Entry, RoundTrip, Task<Func<TResponse>>> work)
        where TResponse : IMessage<TResponse> =>
        Enter(new Call(request, null, CallerIdentity.Of(context, keys.Names), plan), static _ => null, (entry, _, trip) => work(entry, trip), context);

    /// <summary>
    /// One batch of a stream: a read like any other, with an entry of its own, whose receipt goes with the message; no transaction stays open while it is sent.
    /// </summary>
    public async Task<(TResponse Response, byte[] Receipt)> ReadBatch<TResponse>(IMessage request, ServerCallContext context, Func<Entry, RoundTrip, Task<Func<TResponse>>> work)
        where TResponse : IMessage<TResponse>
    {
        byte[] receipt = [];
        var call = new Call(request, null, CallerIdentity.Of(context, keys.Names), null);
        var response = await Enter(call, static _ => null, (entry, _, trip) => work(entry, trip), context, batchReceipt => receipt = batchReceipt);
        return (response, receipt);
    }

    /// <summary>
    /// A read that rests on something read in the first round trip. Where that is not there, the call is refused as if it had never been.
    /// </summary>
    public Task<TResponse> Read<T, TResponse>(
        IMessage request, ServerCallContext context, Guid? plan, Func<RoundTrip, Pending<Loaded<T>>> load, Func<Entry, T, RoundTrip, Task<Func<TResponse>>> work)
        where T : class
        where TResponse : IMessage<TResponse> =>
        Enter(
            new Call(request, null, CallerIdentity.Of(context, keys.Names), plan),
            trip => load(trip) is var pending ? () => LoadedFacts.Of(pending.Value) : null,
            (entry, state, trip) => work(entry, (T)state!, trip),
            context);

    /// <summary>
    /// A change. <paramref name="load"/> reads the thing to change in the first round trip; the work checks it, adds its statements to the
    /// second, and gives the answer.
    /// </summary>
    /// <param name="directoryEntry">The entry that a change of the directory is about: two changes of it wait for each other.</param>
    public Task<TResponse> Change<T, TResponse>(
        IChangeRequest request,
        ServerCallContext context,
        Guid? plan,
        Func<RoundTrip, Pending<Loaded<T>>> load,
        Func<Entry, T, RoundTrip, TResponse> work,
        string? directoryEntry = null)
        where T : class
        where TResponse : IMessage<TResponse> =>
        ChangeAsync(request, context, plan, load, (entry, state, trip) => Task.FromResult(work(entry, state, trip)), directoryEntry);

    /// <summary>A change whose work waits for something beside the database: a key, a register.</summary>
    public Task<TResponse> ChangeAsync<T, TResponse>(
        IChangeRequest request,
        ServerCallContext context,
        Guid? plan,
        Func<RoundTrip, Pending<Loaded<T>>> load,
        Func<Entry, T, RoundTrip, Task<TResponse>> work,
        string? directoryEntry = null)
        where T : class
        where TResponse : IMessage<TResponse> =>
        Enter<TResponse>(
            new Call(request, request, CallerIdentity.Of(context, keys.Names), plan, directoryEntry),
            trip => load(trip) is var pending ? () => LoadedFacts.Of(pending.Value) : null,
            async (entry, state, trip) =>
            {
                var response = await work(entry, (T)state!, trip);
                return () => response;
            },
            context);

    /// <summary>A change that needs nothing read beside the facts.</summary>
    public Task<TResponse> Change<TResponse>(
        IChangeRequest request, ServerCallContext context, Guid? plan, Func<Entry, RoundTrip, TResponse> work)
        where TResponse : IMessage<TResponse> =>
        Enter(
            new Call(request, request, CallerIdentity.Of(context, keys.Names), plan),
            static _ => null,
            (entry, _, trip) =>
            {
                var response = work(entry, trip);
                return Task.FromResult(() => response);
            },
            context);

    /// <summary>A change that waits for something, and needs nothing read beside the facts.</summary>
    public Task<TResponse> ChangeAsync<TResponse>(
        IChangeRequest request, ServerCallContext context, Guid? plan, Func<Entry, RoundTrip, Task<TResponse>> work)
        where TResponse : IMessage<TResponse> =>
        Enter<TResponse>(
            new Call(request, request, CallerIdentity.Of(context, keys.Names), plan),
            static _ => null,
            async (entry, _, trip) =>
            {
                var response = await work(entry, trip);
                return () => response;
            },
            context);

    private async Task<TResponse> Enter<TResponse>(
        Call call,
        Func<RoundTrip, Func<LoadedFacts>?> load,
        Func<Entry, object?, RoundTrip, Task<Func<TResponse>>> work,
        ServerCallContext context,
        Action<byte[]>? takeReceipt = null)
        where TResponse : IMessage<TResponse>
    {
        var visit = new Visit(time.GetUtcNow(), TimeProvider.System.GetUtcNow());
        var arrived = TimeProvider.System.GetTimestamp();
        // Nothing has been looked at before its turn comes.
        var turn = await limits.TakeTurn(call.Caller.ClientSystem, context.CancellationToken);
        try
        {
            TResponse response;
            using (turn)
            {
                response = await transactions.Run(call.Role, (connection, stop) => Pass(call, visit, connection, load, work, stop), context.CancellationToken);
            }

            AddReceipt(visit, context, takeReceipt);
            if (visit.ConcernsNobody || call.NamesAnyPerson)
            {
                await NextSlot(arrived);
            }

            return response;
        }
        catch (Exception exception)
        {
            if (!visit.IsLogged)
            {
                await LogFailure(call, visit, exception);
            }

            AddReceipt(visit, context);
            if (exception is RpcException { StatusCode: StatusCode.PermissionDenied })
            {
                await NextSlot(arrived);
            }

            throw;
        }
    }

    /// <summary>
    /// Whatever left an entry takes a receipt over it along. Always one, so that it does not tell how many there are, and before the slot, so that its
    /// making does not show.
    /// </summary>
    private void AddReceipt(Visit visit, ServerCallContext context, Action<byte[]>? takeReceipt = null)
    {
        if (visit is not { IsLogged: true, First: { } first })
        {
            return;
        }

        var receipt = receipts.Of(first.Record, first.Entered.Value, visit.ArrivedByTheMachinesClock);
        if (takeReceipt is not null)
        {
            takeReceipt(receipt);
        }
        else if (context.ResponseTrailers.Get(AuditReceipts.Trailer) is null)
        {
            // A client's stream has several passes; the receipt is over what the first of them left.
            context.ResponseTrailers.Add(AuditReceipts.Trailer, receipt);
        }
    }

    /// <summary>
    /// Waits for the next slot, without a connection. Which facts there were to load before nothing was disclosed, and whether an alert was written,
    /// takes some hundred microseconds more or less; the answer leaves at the same moment either way (docs/adr/0012).
    /// </summary>
    private Task NextSlot(long arrived)
    {
        // By the caller's clock, whatever time it is for the service.
        var taken = TimeProvider.System.GetElapsedTime(arrived).Ticks;
        var slot = options.RefusalSlot.Ticks;
        return Task.Delay(TimeSpan.FromTicks(slot - (taken % slot)), CancellationToken.None);
    }

    private async Task<TResponse> Pass<TResponse>(
        Call call,
        Visit visit,
        NpgsqlConnection connection,
        Func<RoundTrip, Func<LoadedFacts>?> load,
        Func<Entry, object?, RoundTrip, Task<Func<TResponse>>> work,
        CancellationToken stop)
        where TResponse : IMessage<TResponse>
    {
        var now = time.GetUtcNow().AsKept();
        var today = SwedishTime.DayOf(now);

        var first = new RoundTrip(connection);
        first.Begin();
        if (call is { PlanId: { } ofPerson, LocksPerson: true })
        {
            first.Add(LocksSql.PersonOf(ofPerson));
            var plans = first.Add(FactsSql.PlansOfPersonOf(ofPerson));
            await first.Run(stop);
            first = new RoundTrip(connection);
            first.Add(LocksSql.Plans(plans.Value, alone: true));
        }

        if (call.Caller.AssignmentId is { } assignment)
        {
            first.Add(LocksSql.Assignment(assignment));
        }

        if (call.Lock() is { } planLock)
        {
            first.Add(planLock);
        }

        var callerFacts = first.Add(FactsSql.Caller(call.Caller, today));
        var planFacts = call.PlanId is { } planId ? first.Add(FactsSql.Plan(planId, call.Caller, today)) : null;
        var loaded = load(first);
        var earlier = call.Change is null ? null : first.Add(RequestOutcomeSql.Find(call.Role, call.Caller.Name, call.RequestId));
        await first.Run(stop);

        visit.CallerFacts = callerFacts.Value;
        visit.PlanFacts = planFacts?.Value;
        var thing = loaded?.Invoke() ?? LoadedFacts.None;
        var decision = Decide(call, visit, thing);
        if (decision.Reason is RefusalReason.PlanClosed or RefusalReason.PlanNotClosed && earlier?.Value is not null)
        {
            // The same request has closed the plan, or was made before it was: it is answered again by the right that it had.
            decision = Decide(call, visit, thing, isOpen: decision.Reason == RefusalReason.PlanClosed);
        }

        visit.IsPermitted = decision.IsPermit;

        var second = new RoundTrip(connection);
        if (!decision.IsPermit)
        {
            AddEntries(visit, second, Record(call, visit, AccessOutcome.Refused, WireNames.Of(decision.Reason), visit.ConcernOf(call, Categories.None)));
            if (call.Role == DatabaseRole.Case)
            {
                var alert = Ids.Ordered(now);
                second.Add(AlertSql.RaiseForBlocked(
                    alert,
                    decision.Obligations.HasFlag(Obligations.AlertReviewers),
                    call.PlanId,
                    call.Caller.Name,
                    AlertSql.Body(alert, call.Caller, visit.CallerFacts?.UnitId, keys)));
            }

            second.Commit();
            await second.Run(CancellationToken.None);
            visit.IsLogged = true;
            throw decision.Reason switch
            {
                // Everything else permitted it, so the caller may know.
                RefusalReason.PlanClosed => Errors.WrongState("The plan is closed, refused or declined."),
                RefusalReason.PlanNotClosed => Errors.WrongState("The plan is worked on: it is not closed, refused or declined."),
                _ => Errors.AccessDenied(),
            };
        }

        using var entry = new Entry(call.Caller, visit.CallerFacts!, visit.PlanFacts, decision, now, subjectKeys, () => new RoundTrip(connection));
        await entry.OpenKey(stop);
        if (earlier?.Value is { } outcome)
        {
            if (!outcome.IsOf(call.Caller.Method.Name, call.Hash))
            {
                throw Errors.RequestIdReused();
            }

            if (!call.IsBatch)
            {
                return await AnswerAgain<TResponse>(call, visit, entry, outcome, second);
            }
        }

        Func<TResponse> answer;
        try
        {
            answer = await work(entry, thing.State, call.IsDryRun ? new RoundTrip(connection) : second);
        }
        catch (RpcException error) when (entry.PointsTo is { } pointedTo)
        {
            // The error names a plan: that is a disclosure, and its entry commits with what was read, before it is answered.
            var told = new RoundTrip(connection);
            AddEntries(visit, told, Record(call, visit, AccessOutcome.Failed, Errors.WireName(Errors.ReasonOf(error)), pointedTo));
            told.Commit();
            await told.Run(CancellationToken.None);
            visit.IsLogged = true;
            throw;
        }

        if (call.Change is { ValidateOnly: false } && earlier?.Value is null)
        {
            var concern = call.IsBatch ? default : entry.Concerns.Count > 0 ? entry.Concerns[0] : visit.ConcernOf(call, Categories.None);
            // An answer about no plan holds nothing of the person, and is answered again also when the person's keys are destroyed.
            var key = concern.PlanId is null ? keys.OutcomeKey : entry.Key;
            second.Add(RequestOutcomeSql.Keep(
                call.Role,
                call.Caller.Name,
                call.RequestId,
                new RequestOutcome(call.Caller.Method.Name, call.Hash, key.Seal(call.OutcomePlace, call.IsBatch ? [] : answer().ToByteArray()), concern, entry.Places)));
        }

        var held = call.Change is null ? Categories.None : Redaction.HeldIn(answer());
        AddEntries<TResponse>(call, visit, entry, second, call.IsDryRun ? AccessOutcome.Validated : AccessOutcome.Permitted, held);
        second.Commit();
        // From here on the caller's going away changes nothing: what is sent is committed or not by the database, never in doubt here.
        await second.Run(CancellationToken.None);
        visit.IsLogged = true;

        var response = answer();
        Redaction.Apply(response, decision.Reads);
        return response;
    }

    /// <summary>
    /// The request id was used before. The right to do it has just been decided anew, and what the caller may read is what the permit of today
    /// lists: a retry after a withdrawal discloses nothing more, nor one after the person was placed where the caller may not know of.
    /// </summary>
    private async Task<TResponse> AnswerAgain<TResponse>(Call call, Visit visit, Entry entry, RequestOutcome outcome, RoundTrip second)
        where TResponse : IMessage<TResponse>
    {
        using var key = outcome.Concern.PlanId is null ? null
            : outcome.Key is { } wrapped ? await subjectKeys.Unwrap(Compartment.Content, wrapped, CancellationToken.None)
            : throw Errors.AccessDenied();
        var response = Answer<TResponse>.Parser.ParseFrom((key ?? keys.OutcomeKey).Open(call.OutcomePlace, outcome.Sealed));
        if ((outcome.Places & ~entry.Places) != Categories.None)
        {
            // Which of its rows a place is in is not known any more.
            Redaction.DropWhatNamesUnits(response);
        }

        Redaction.Apply(response, entry.Permit.Reads);
        var held = Redaction.HeldIn(response);
        entry.ConcernAgain(outcome.Concern == default ? default : outcome.Concern with { Categories = Answer<TResponse>.Categories | held });
        AddEntries<TResponse>(call, visit, entry, second, AccessOutcome.Permitted, held);
        second.Commit();
        await second.Run(CancellationToken.None);
        visit.IsLogged = true;
        return response;
    }

    private Decision Decide(Call call, Visit visit, LoadedFacts thing, bool? isOpen = null)
    {
        try
        {
            var known = thing.IsEmergency ? PolicyInputs.OfAnEmergency : PolicyInputs.Of(visit.PlanFacts);
            var facts = known with
            {
                PlanOpen = isOpen ?? known.PlanOpen,
                PlanExists = (thing.IsEmergency || visit.PlanFacts is not null) && thing.Exists,
                ResponsibleUnit = thing.ResponsibleUnitId is not null && thing.ResponsibleUnitId == visit.CallerFacts?.UnitId,
                ResponsibleUnitGone = thing.ResponsibleUnitGone,
                NewItem = thing.IsNew,
                Blocked = thing.Blocked ?? known.Blocked,
                Protection = thing.Blocked is null ? known.Protection : thing.Protection,
                OwnOrganisation = visit.CallerFacts is { } ofCaller && (visit.PlanFacts is { } ofPlan ? ofPlan.OwnerController == ofCaller.Controller
                    : ofCaller.OrganisationKind == OrganisationKind.Operator || (thing.OrganisationId is not null && thing.OrganisationId == ofCaller.OrganisationId)),
            };
            var caller = PolicyInputs.Of(call.Caller, visit.CallerFacts);
            var decision = AccessPolicy.Decide(call.Caller.Method.Act, caller, facts);
            visit.Decision = RecordedDecision.Pack(call.Caller.Method.Act, caller, facts, decision);
            return decision;
        }
        catch (Exception exception)
        {
            log.LogError("The access policy failed with {Kind} in {Method}; the call is refused", exception.GetType().FullName, call.Caller.Method.Name);
            return Decision.Refuse(RefusalReason.ErrorInDeciding);
        }
    }

    /// <param name="held">What is in fields of the answer that hold several categories.</param>
    private void AddEntries<TResponse>(Call call, Visit visit, Entry entry, RoundTrip trip, AccessOutcome outcome, Categories held)
        where TResponse : IMessage<TResponse>
    {
        // A dry run answers what it would have done, so it discloses as much.
        var disclosed = entry.Permit.Reads & (Answer<TResponse>.Categories | held);
        IReadOnlyList<Concern> concerns = entry.Concerns.Count > 0 ? entry.Concerns : [visit.ConcernOf(call, disclosed)];
        visit.ConcernsNobody = entry.Concerns is [{ SubjectId: null, Resource: null }];
        AddEntries(visit, trip, [.. concerns.Select(concern => concern.Refusal == RefusalReason.None
            ? Record(call, visit, outcome, WireNames.Of(entry.Permit.Basis), concern)
            : Record(call, visit, AccessOutcome.Refused, WireNames.Of(concern.Refusal), concern))]);
    }

    /// <summary>All entries of a call. Each says how many they are, so that the first, over which the receipt goes, vouches for the others.</summary>
    private static void AddEntries(Visit visit, RoundTrip trip, params IReadOnlyList<AccessLogRecord> entries)
    {
        foreach (var (i, entry) in entries.Index())
        {
            var record = entry with { CallId = entries[0].EntryId, CallSize = entries.Count };
            var entered = trip.Add(AccessLogSql.Add(record));
            if (i == 0)
            {
                visit.First = (record, entered);
            }
        }
    }

    /// <summary>The attempt was rolled back, so its entry is written in a transaction of its own, also when the caller has gone.</summary>
    private async Task LogFailure(Call call, Visit visit, Exception exception)
    {
        var isRefusal = exception is RpcException { StatusCode: StatusCode.PermissionDenied };
        var reason = exception switch
        {
            _ when isRefusal => WireNames.Of(RefusalReason.FieldMayNot),
            RpcException error => Errors.WireName(Errors.ReasonOf(error)),
            OperationCanceledException => Errors.WireName(ErrorReason.DeadlineExceeded),
            NpgsqlException { IsTransient: true } => Errors.WireName(ErrorReason.Unavailable),
            _ => Errors.WireName(ErrorReason.Internal),
        };
        using var limit = new CancellationTokenSource(TimeToLogAFailure, time);
        try
        {
            await transactions.Run(
                call.Role,
                async (connection, stop) =>
                {
                    var trip = new RoundTrip(connection);
                    AddEntries(visit, trip, Record(call, visit, isRefusal ? AccessOutcome.Refused : AccessOutcome.Failed, reason, visit.ConcernOfFailure(call)));
                    await trip.Run(stop);
                    return true;
                },
                limit.Token);
            visit.IsLogged = true;
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException)
        {
            // Nothing was disclosed and nothing changed; that it was tried is in the service's own log at least.
            log.LogError("A failed attempt could not be entered in the access log: {Kind} in {Method}, entry {Entry}", failure.GetType().Name, call.Caller.Method.Name, visit.EntryId);
        }
    }

    private AccessLogRecord Record(Call call, Visit visit, AccessOutcome outcome, string reason, Concern concern) =>
        new(
            visit.EntryId = Ids.Ordered(visit.Arrived), call.Caller, visit.CallerFacts, outcome, reason, concern,
            concern.Decision ?? (visit.IsPermitted || outcome == AccessOutcome.Refused ? visit.Decision : null));
}
