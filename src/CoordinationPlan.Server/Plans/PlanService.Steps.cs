using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Participations;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

/// <summary>The steps of a plan: what each demands is PlanLaw's to say, who may take it the access policy's.</summary>
internal sealed partial class PlanService
{
    private static readonly PlanState[] Agreed = [PlanState.Established, PlanState.InFollowUp];

    public override Task<GetPlanReadinessResponse> GetPlanReadiness(GetPlanReadinessRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var content = entry.Permit.Reads.HasFlag(Categories.ConsentDocuments) ? trip.Add(PlanSql.Content(planId, entry.Today)) : null;
            return Task.FromResult(() =>
            {
                var response = new GetPlanReadinessResponse { State = entry.Plan.State };
                if (content is not null)
                {
                    response.Steps.AddRange(PlanLaw.StepsFrom((Stage)entry.Plan.State).Select(step => ToStep(step, Under(entry, content.Value), entry.Today)));
                }

                return response;
            });
        });
    }

    public override Task<AdvancePlanResponse> AdvancePlan(AdvancePlanRequest request, ServerCallContext context) =>
        TakeStep(request, context, request.Name, request.Etag, request.State, nameof(AdvancePlan), (record, _) => record, plan => new AdvancePlanResponse { Plan = plan });

    public override Task<EstablishPlanResponse> EstablishPlan(EstablishPlanRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        Guid? proposalId = null;
        if (request.Proposal.Length > 0)
        {
            var (plan, id) = ResourceName.ParseChild(request.Proposal, ResourceName.Proposals, "proposal");
            proposalId = plan == planId ? id : Guid.Empty;
        }

        Pending<Loaded<ProposalRecord>>? proposal = null;
        Pending<List<PlanFacts>>? others = null;
        return TakeStep(
            request,
            context,
            request.Name,
            request.Etag,
            PlanState.Established,
            nameof(EstablishPlan),
            (record, entry) => record with { Revision = record.Revision + 1, EstablishedOn = entry.Today },
            plan => new EstablishPlanResponse { Plan = plan },
            (record, entry, trip) =>
            {
                if (proposal is not null)
                {
                    var proposed = proposal.Value.State ?? throw Errors.UnknownReference("proposal", "must be a proposal of the plan, as ListProposals gives it");
                    proposed.RequireOpenTo(entry);
                    trip.Add(ProposalSql.Establish(planId, proposed, record.Revision, entry.ChangedBy));
                }

                foreach (var command in PlanSql.InsertRevision(record, entry.ChangedBy))
                {
                    trip.Add(command);
                }
            },
            trip =>
            {
                proposal = proposalId is null ? null : trip.Add(ProposalSql.Find(planId, proposalId));
                others = trip.Add(FactsSql.OthersOfPersonOf(planId, CallerIdentity.Of(context, keys.Names), time.Today()));
            },
            (record, entry) =>
            {
                // A plan that is established already is revised whatever stands beside it.
                if (!Agreed.Contains(record.State))
                {
                    entry.RequireNoPlanBeside(others!.Value.Where(other => Agreed.Contains(other.State)));
                }
            });
    }

    public override Task<ClosePlanResponse> ClosePlan(ClosePlanRequest request, ServerCallContext context) => TakeStep(
        request,
        context,
        request.Name,
        request.Etag,
        PlanState.Closed,
        nameof(ClosePlan),
        (record, entry) => record with { ClosedOn = entry.Today, ClosingReason = request.Reason },
        plan => new ClosePlanResponse { Plan = plan },
        EndParticipations);

    public override Task<DeclinePlanResponse> DeclinePlan(DeclinePlanRequest request, ServerCallContext context)
    {
        var byThePerson = request.Reason == PlanDeclineReason.PersonDoesNotWant;
        if (!byThePerson && string.IsNullOrWhiteSpace(request.DecisionReference))
        {
            throw Errors.InvalidFields(new FieldFault("decision_reference", "is required where the principals decline: the reason is documented"));
        }

        var planId = ResourceName.ParsePlan(request.Name, "name");
        Pending<List<PlanPart>>? parts = null;
        return TakeStep(
            request,
            context,
            request.Name,
            request.Etag,
            byThePerson ? PlanState.Refused : PlanState.Declined,
            nameof(DeclinePlan),
            (record, _) => record with { DeclineReason = request.Reason },
            plan => new DeclinePlanResponse { Plan = plan },
            (record, entry, trip) =>
            {
                EndParticipations(record, entry, trip);
                if (request.DecisionReference.Length > 0)
                {
                    var part = Frame.WithDeclineReference(parts!.Value, request.DecisionReference, entry.Key);
                    trip.Add(part.Version == 1 ? PartSql.Insert(planId, part, entry.ChangedBy) : PartSql.Replace(planId, part, entry.ChangedBy));
                }
            },
            trip => parts = trip.Add(PartSql.FrameOf(planId)));
    }

    public override Task<ReopenPlanResponse> ReopenPlan(ReopenPlanRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        Pending<List<PlanFacts>>? others = null;
        return TakeStep(
            request,
            context,
            request.Name,
            request.Etag,
            PlanState.Noted,
            nameof(ReopenPlan),
            (record, _) => record with { ClosedOn = null, ClosingReason = PlanClosingReason.Unspecified, DeclineReason = PlanDeclineReason.Unspecified },
            plan => new ReopenPlanResponse { Plan = plan },
            alsoLoad: trip => others = trip.Add(FactsSql.OthersOfPersonOf(planId, CallerIdentity.Of(context, keys.Names), time.Today())),
            alsoRequire: (_, entry) => entry.RequireNoPlanBeside(others!.Value.Where(other => PlanLaw.Open.Contains((Stage)other.State))));
    }

    /// <summary>Takes a step of the rule table, where there is one and it lacks nothing.</summary>
    private Task<TResponse> TakeStep<TResponse>(
        IChangeRequest request,
        ServerCallContext context,
        string name,
        string etag,
        PlanState to,
        string method,
        Func<PlanRecord, Entry, PlanRecord> change,
        Func<Plan, TResponse> answer,
        Action<PlanRecord, Entry, RoundTrip>? also = null,
        Action<RoundTrip>? alsoLoad = null,
        Action<PlanRecord, Entry>? alsoRequire = null)
        where TResponse : class, Google.Protobuf.IMessage<TResponse>
    {
        var planId = ResourceName.ParsePlan(name, "name");
        Pending<PlanContent>? content = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                content = trip.Add(PlanSql.Content(planId, time.Today()));
                alsoLoad?.Invoke(trip);
                return trip.Add(PlanSql.Load(planId));
            },
            (entry, record, trip) =>
            {
                Entry.RequireEtag(etag, record.Etag);
                RequireStep(record.State, to, method, Under(entry, content!.Value), entry.Today);
                alsoRequire?.Invoke(record, entry);
                var next = change(record, entry) with { State = to, Version = record.Version + 1 };
                trip.Add(PlanSql.Replace(next, entry.ChangedBy));
                also?.Invoke(next, entry, trip);
                return answer(WithActs(entry, next));
            });
    }

    /// <summary>With what the plan's controller has decided.</summary>
    private PlanContent Under(Entry entry, PlanContent content) =>
        content with { FollowUpWithinDays = law.DaysOf(PlanLaw.FollowUp, keys.Names.NameOf(entry.Plan.OwnerController)) };

    /// <summary>Refuses a step that does not lead on, or lacks something.</summary>
    private static void RequireStep(PlanState from, PlanState to, string method, PlanContent content, DateOnly today)
    {
        var step = PlanLaw.StepBetween((Stage)from, (Stage)to) is { } found && found.Method == method
            ? found
            : throw Errors.WrongState($"No step of {method} leads from {WireNames.Of(from)} to {WireNames.Of(to)}.");
        if (PlanLaw.MissingFor(step, content, today).ToList() is { Count: > 0 } missing)
        {
            throw Errors.StatutoryContentMissing(missing.Select(unmet => new Precondition("STATUTE", unmet.Rule.Subject, $"{unmet.Rule.Demand} ({unmet.Basis})")));
        }
    }

    private static void EndParticipations(PlanRecord record, Entry entry, RoundTrip trip)
    {
        trip.Add(ParticipationSql.EndAll(record.PlanId, entry.Now, entry.ChangedBy));
        trip.Add(SyncSql.DeclineEnded(record.PlanId, null, entry.Now, entry.ChangedBy));
    }

    private static PlanStep ToStep(Step step, PlanContent content, DateOnly today)
    {
        var missing = PlanLaw.MissingFor(step, content, today)
            .Select(unmet => new UnmetRule
            {
                Rule = unmet.Rule.Id,
                Subject = unmet.Rule.Subject,
                Demand = unmet.Rule.Demand,
                DemandSv = unmet.Rule.DemandSv,
                LegalBasis = unmet.Basis,
            })
            .ToList();
        return new PlanStep { To = (PlanState)step.To, Method = step.Method, Ready = missing.Count == 0, Missing = { missing } };
    }
}
