using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<ListProposalsResponse> ListProposals(ListProposalsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var mayRead = entry.Permit.Reads.HasFlag(Categories.GoalsAndInterventions);
            var proposals = mayRead ? trip.Add(ProposalSql.Of(planId)) : null;
            var answers = mayRead ? trip.Add(ProposalSql.Answers(planId, entry.Sight)) : null;
            return Task.FromResult(() =>
            {
                var response = new ListProposalsResponse();
                response.Proposals.AddRange(proposals?.Value.Select(proposal => proposal.ToProposal(entry, answers!.Value, keys.Names)) ?? []);
                return response;
            });
        });
    }

    public override Task<ProposeRevisionResponse> ProposeRevision(ProposeRevisionRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        Pending<PlanContent>? content = null;
        Pending<ContentVersion?>? holds = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                content = trip.Add(PlanSql.Content(planId, time.Today()));
                holds = trip.Add(ProposalSql.VersionOf(planId));
                return trip.Add(PlanSql.Load(planId));
            },
            (entry, record, trip) =>
            {
                Entry.RequireEtag(request.Etag, record.Etag);
                RequireStep(record.State, PlanState.Established, nameof(EstablishPlan), content!.Value, entry.Today);
                var proposal = new ProposalRecord(Ids.Opaque(), holds!.Value!, holds.Value!, 0, entry.Now, 1);
                trip.Add(ProposalSql.Insert(planId, proposal, entry.ChangedBy));
                return new ProposeRevisionResponse { Proposal = proposal.ToProposal(entry, [], keys.Names) };
            });
    }

    public override Task<AnswerProposalResponse> AnswerProposal(AnswerProposalRequest request, ServerCallContext context)
    {
        var (planId, proposalId) = ResourceName.ParseChild(request.Name, ResourceName.Proposals, "name");
        if (request.Answer == ProposalAnswerKind.Objects && string.IsNullOrWhiteSpace(request.Reason))
        {
            throw Errors.InvalidFields(new FieldFault("reason", "is required for an objection"));
        }

        Pending<List<AnswerRecord>>? answers = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                answers = trip.Add(ProposalSql.Answers(planId, null));
                return trip.Add(ProposalSql.Find(planId, proposalId));
            },
            (entry, proposal, trip) =>
            {
                Entry.RequireEtag(request.Etag, proposal.Etag);
                proposal.RequireOpenTo(entry);

                var unit = entry.CallerFacts.UnitId;
                var category = Sight.CategoryOf((V1.UnitKind)entry.CallerFacts.UnitKind, Categories.GoalsAndInterventions);
                var answer = new AnswerRecord(proposalId, unit, category, request.Answer, entry.Now, null).Holding(entry.Key, request.Reason);
                trip.Add(ProposalSql.Answer(planId, answer, entry.ChangedBy));
                var visible = answers!.Value
                    .Where(other => other.UnitId != unit && entry.Sight.Shows(other.Category, other.UnitId))
                    .Append(answer);
                return new AnswerProposalResponse { Proposal = proposal.ToProposal(entry, visible, keys.Names) };
            });
    }
}
