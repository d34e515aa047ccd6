using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;
using Act = CoordinationPlan.Policy.Act;
using Role = CoordinationPlan.Policy.Role;

namespace CoordinationPlan.Server.Participations;

/// <summary>What regions' systems say of who takes part. What each RPC does and who may call it stands in participation_sync_service.proto.</summary>
internal sealed class ParticipationSyncService(CaseGate gate, ServiceKeys keys, LimitOptions options, CallLimits limits) : V1.ParticipationSyncService.ParticipationSyncServiceBase, IDisposable
{
    private const int MaxRejectedOfAStream = 1000;

    /// <summary>A batch holds the lock of each plan that it speaks of, and the database has room for so many locks only: batches beyond these wait for their turn.</summary>
    private readonly SemaphoreSlim _turns = new(options.SyncsAtOnce);

    private readonly Turns _turnsOfOne = new(Math.Max(1, options.SyncsAtOnce / 2), options.SyncsWaiting);

    public override async Task<SyncParticipationsResponse> SyncParticipations(IAsyncStreamReader<SyncParticipationsRequest> requestStream, ServerCallContext context)
    {
        var response = new SyncParticipationsResponse();
        using var open = limits.OpenStream(CallLimits.ClientSystemOf(context.GetHttpContext().User));
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            var request = requestStream.Current;
            var batch = await Sync(request, request.Items, context, static results => new BatchSyncParticipationsResponse { Results = { results } });
            foreach (var result in batch.Results)
            {
                result.Index += response.ItemCount;
                if (result.Reason == ErrorReason.Unspecified)
                {
                    response.TakenCount++;
                    response.WaitingCount += result.State == SyncedParticipationState.Waiting ? 1 : 0;
                    response.ConflictCount += result.State == SyncedParticipationState.Conflict ? 1 : 0;
                }
                else if (response.Rejected.Count < MaxRejectedOfAStream)
                {
                    response.Rejected.Add(result);
                }
            }

            response.ItemCount += batch.Results.Count;
        }

        return response;
    }

    public override Task<BatchSyncParticipationsResponse> BatchSyncParticipations(BatchSyncParticipationsRequest request, ServerCallContext context) =>
        Sync(request, request.Items, context, static results => new BatchSyncParticipationsResponse { Results = { results } });

    public override Task<ListSyncedParticipationsResponse> ListSyncedParticipations(ListSyncedParticipationsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            // A system reads what its own organisation has sent; without the meetings, in which others take part, what it has sent itself.
            var ofItself = entry.CallerFacts.Role == Role.SystemIntegration && !entry.Permit.Reads.HasFlag(Categories.Meetings) ? entry.Caller.ClientSystem : null;
            var records = trip.Add(SyncSql.Of([planId], entry.CallerFacts.Role == Role.SystemIntegration ? entry.CallerFacts.OrganisationId : null));
            return Task.FromResult(() => new ListSyncedParticipationsResponse
            {
                SyncedParticipations = { records.Value[planId].Where(record => ofItself is null || record.ClientSystem == ofItself).Select(record => record.ToSynced(planId, entry.Permit.Reads, entry.Key, keys.Names)) },
                // For a notice of discharge, and for nobody else: it changes with what is hidden.
                PlanEtag = entry.Permit.Reads.HasFlag(Categories.Health) ? Etag.Of(planId, entry.Plan.Version) : "",
            });
        });
    }

    public override Task<AnswerSyncedParticipationResponse> AnswerSyncedParticipation(AnswerSyncedParticipationRequest request, ServerCallContext context)
    {
        var (planId, syncedId) = ResourceName.ParseChild(request.Name, ResourceName.SyncedParticipations, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                var open = trip.Add(ParticipationSql.Open([planId]));
                return trip.Add(SyncSql.Of([planId], null).Select(records =>
                {
                    var plan = new SyncedPlan(planId, records[planId], open.Value[planId]);
                    return new Loaded<SyncedPlan>(plan.Find(syncedId) is null ? null : plan);
                }));
            },
            (entry, plan, trip) =>
            {
                var record = plan.Find(syncedId)!;
                Entry.RequireEtag(request.Etag, record.Etag);
                if (record.State is not (SyncedParticipationState.Waiting or SyncedParticipationState.Conflict)
                    && (record.State, request.Answer) is not (SyncedParticipationState.Declined, SyncAnswer.Accept))
                {
                    throw Errors.WrongState("The synced participation waits for no answer.");
                }

                if (request.Answer == SyncAnswer.Accept && plan.WouldFillAGap(record, entry.Today))
                {
                    throw Errors.WrongState("The unit takes part by another report, on days with others in between. Answer when that has ended.", "synced_participation");
                }

                var answered = plan.Answer(record, request.Answer, entry.Now, entry.ChangedBy);
                plan.Write(trip, entry.Now, entry.Today, entry.ChangedBy);
                return new AnswerSyncedParticipationResponse { SyncedParticipation = (answered with { Version = answered.Version + 1 }).ToSynced(planId, entry.Permit.Reads, entry.Key, keys.Names) };
            });
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>One batch, in one transaction.</summary>
    private async Task<TResponse> Sync<TResponse>(
        IChangeRequest request, RepeatedField<ParticipationItem> items, ServerCallContext context, Func<IEnumerable<ParticipationItemResult>, TResponse> answer)
        where TResponse : IMessage<TResponse>
    {
        using var turn = await _turnsOfOne.Take(CallLimits.ClientSystemOf(context.GetHttpContext().User), context.CancellationToken);
        await _turns.WaitAsync(context.CancellationToken);
        try
        {
            return await gate.ChangeAsync(
                request,
                context,
                null,
                async (entry, trip) => answer(await Take(items, entry, trip, context.CancellationToken)));
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Decides and takes each item. The order of the answers is that of the items.</summary>
    private async Task<ParticipationItemResult[]> Take(RepeatedField<ParticipationItem> items, Entry entry, RoundTrip trip, CancellationToken stop)
    {
        var organisation = entry.CallerFacts.OrganisationId;
        var results = items.Select((_, i) => new ParticipationItemResult { Index = i }).ToArray();
        var reports = new List<SyncReport>();
        foreach (var (i, item) in items.Index())
        {
            var (report, fault) = SyncReport.Read(i, item, organisation, keys, entry.Today);
            if (report is not null)
            {
                reports.Add(report);
            }
            else
            {
                (results[i].Reason, results[i].Field) = (ErrorReason.InvalidFields, fault!.Value.Field);
            }
        }

        var plans = reports.Select(report => report.PlanId).Distinct().ToArray();
        var find = entry.NewTrip();
        find.Add(LocksSql.Plans(plans, alone: true));
        var units = find.Add(SyncSql.CareUnits([.. reports.Select(report => report.UnitId).Distinct()], organisation));
        var facts = find.Add(FactsSql.ForUnitsOf(organisation, plans, entry.Caller, entry.Today));
        var records = find.Add(SyncSql.Of(plans, organisation));
        var open = find.Add(ParticipationSql.Open(plans));
        await find.Run(stop);

        // The owning unit hears of who is kept out and tries, also by a dry run: these go on their own, and are committed with the rest.
        var (alerts, isAnyRefused) = (entry.NewTrip(), false);
        foreach (var group in reports.GroupBy(report => report.PlanId))
        {
            var ofUnits = facts.Value.GetValueOrDefault(group.Key);
            var decision = entry.DecideForUnits(Act.ReadSyncedParticipations, group.Key, ofUnits, Categories.Existence | Categories.Meetings);
            if (!decision.IsPermit)
            {
                isAnyRefused = true;
                var alert = Ids.Ordered(entry.Now);
                alerts.Add(AlertSql.RaiseForBlocked(
                    alert,
                    decision.Obligations.HasFlag(Obligations.AlertReviewers),
                    group.Key,
                    entry.Caller.Name,
                    AlertSql.Body(alert, entry.Caller, entry.CallerFacts.UnitId, keys)));
                Refuse(group, ErrorReason.AccessDenied);
                continue;
            }

            var plan = ofUnits![0].Plan;
            var synced = new SyncedPlan(group.Key, records.Value[group.Key], open.Value[group.Key]);
            var key = await entry.KeyOf(plan, stop);
            foreach (var report in group)
            {
                if (!units.Value.Contains(report.UnitId))
                {
                    Refuse([report], ErrorReason.AccessDenied);
                }
                else if (!Entry.IsOpen(plan) || plan.OwnerUnitId == report.UnitId)
                {
                    Refuse([report], ErrorReason.WrongState);
                }
                else
                {
                    var heard = synced.Hear(report, organisation, entry.Caller.ClientSystem, entry.Now, key);
                    (results[report.Index].Name, results[report.Index].State) = (ResourceName.Child(group.Key, ResourceName.SyncedParticipations, heard.SyncedId), heard.StateFor(decision.Reads));
                }
            }

            if (Entry.IsOpen(plan))
            {
                synced.Write(trip, entry.Now, entry.Today, entry.ChangedBy);
            }
        }

        if (isAnyRefused)
        {
            await alerts.Run(stop);
        }

        if (plans.Length == 0)
        {
            // Nothing was well formed enough to be asked about; the attempt is in the log all the same.
            entry.ConcernNobody();
        }

        return results;

        void Refuse(IEnumerable<SyncReport> refused, ErrorReason reason)
        {
            foreach (var report in refused)
            {
                results[report.Index].Reason = reason;
            }
        }
    }
}
