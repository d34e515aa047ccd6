using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<AddRelatedPlanResponse> AddRelatedPlan(AddRelatedPlanRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Change(request, context, planId, (entry, trip) =>
            new AddRelatedPlanResponse { RelatedPlan = PlanItems.Add(entry, trip, request.RelatedPlan.Clone(), PartKind.RelatedPlan, request.Etag, category: Categories.Meetings) });
    }

    public override Task<EndRelatedPlanResponse> EndRelatedPlan(EndRelatedPlanRequest request, ServerCallContext context)
    {
        var (planId, relatedId) = ResourceName.ParseChild(request.Name, ResourceName.RelatedPlans, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, relatedId, PartKind.RelatedPlan, time.Today())),
            (entry, part, trip) => new EndRelatedPlanResponse
            {
                RelatedPlan = PlanItems.End<RelatedPlan>(entry, trip, part, request.Ending, request.Outcome, request.Etag),
            });
    }
}
