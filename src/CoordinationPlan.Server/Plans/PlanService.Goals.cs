using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<AddGoalResponse> AddGoal(AddGoalRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Change(request, context, planId, (entry, trip) =>
            new AddGoalResponse { Goal = PlanItems.Add(entry, trip, request.Goal.Clone(), PartKind.Goal, request.Etag) });
    }

    public override Task<UpdateGoalResponse> UpdateGoal(UpdateGoalRequest request, ServerCallContext context)
    {
        var (planId, goalId) = ResourceName.ParseChild(request.Goal.Name, ResourceName.Goals, "goal.name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, goalId, PartKind.Goal, time.Today())),
            (entry, part, trip) => new UpdateGoalResponse { Goal = PlanItems.Update(entry, trip, part, request.Goal, request.UpdateMask, request.Etag) });
    }

    public override Task<EndGoalResponse> EndGoal(EndGoalRequest request, ServerCallContext context)
    {
        var (planId, goalId) = ResourceName.ParseChild(request.Name, ResourceName.Goals, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, goalId, PartKind.Goal, time.Today())),
            (entry, part, trip) => new EndGoalResponse { Goal = PlanItems.End<Goal>(entry, trip, part, request.Ending, request.Outcome, request.Etag) });
    }
}
