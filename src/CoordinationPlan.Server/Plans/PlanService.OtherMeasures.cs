using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<AddOtherMeasureResponse> AddOtherMeasure(AddOtherMeasureRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Change(request, context, planId, (entry, trip) =>
            new AddOtherMeasureResponse { OtherMeasure = PlanItems.Add(entry, trip, request.OtherMeasure.Clone(), PartKind.OtherMeasure, request.Etag) });
    }

    public override Task<UpdateOtherMeasureResponse> UpdateOtherMeasure(UpdateOtherMeasureRequest request, ServerCallContext context)
    {
        var (planId, measureId) = ResourceName.ParseChild(request.OtherMeasure.Name, ResourceName.OtherMeasures, "other_measure.name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, measureId, PartKind.OtherMeasure, time.Today())),
            (entry, part, trip) => new UpdateOtherMeasureResponse
            {
                OtherMeasure = PlanItems.Update(entry, trip, part, request.OtherMeasure, request.UpdateMask, request.Etag),
            });
    }

    public override Task<EndOtherMeasureResponse> EndOtherMeasure(EndOtherMeasureRequest request, ServerCallContext context)
    {
        var (planId, measureId) = ResourceName.ParseChild(request.Name, ResourceName.OtherMeasures, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, measureId, PartKind.OtherMeasure, time.Today())),
            (entry, part, trip) => new EndOtherMeasureResponse
            {
                OtherMeasure = PlanItems.End<OtherMeasure>(entry, trip, part, request.Ending, request.Outcome, request.Etag),
            });
    }
}
