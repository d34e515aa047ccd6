using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using UnitKind = CoordinationPlan.V1.UnitKind;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<AddProtectionMeasureResponse> AddProtectionMeasure(AddProtectionMeasureRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var unitId = keys.Names.ParseOptional(request.ProtectionMeasure.Unit, ResourceName.Units, "protection_measure.unit");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.LoadReferences(planId, unitId, null, [], null, time.Today())),
            (entry, found, trip) =>
            {
                if (unitId is not null && (!found.UnitTakesPart || !entry.Sight.MayName(found.UnitKind, unitId)))
                {
                    throw Errors.UnknownReference("protection_measure.unit", "must be the owning unit or a unit that takes part in the plan today");
                }

                // What a sheltered housing minds tells where the person is; a school's measure is one that the school reads, and is shown as the school's.
                var category = found.UnitKind == UnitKind.ShelteredHousing ? Categories.Whereabouts : Categories.ProtectionMeasures;
                return new AddProtectionMeasureResponse
                {
                    ProtectionMeasure = PlanItems.Add(entry, trip, request.ProtectionMeasure.Clone(), PartKind.ProtectionMeasure, request.Etag, unitId, category),
                };
            });
    }

    public override Task<UpdateProtectionMeasureResponse> UpdateProtectionMeasure(UpdateProtectionMeasureRequest request, ServerCallContext context)
    {
        var (planId, measureId) = ResourceName.ParseChild(request.ProtectionMeasure.Name, ResourceName.ProtectionMeasures, "protection_measure.name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, measureId, PartKind.ProtectionMeasure, time.Today())),
            (entry, part, trip) => new UpdateProtectionMeasureResponse
            {
                ProtectionMeasure = PlanItems.Update(entry, trip, part, request.ProtectionMeasure, request.UpdateMask, request.Etag),
            });
    }

    public override Task<EndProtectionMeasureResponse> EndProtectionMeasure(EndProtectionMeasureRequest request, ServerCallContext context)
    {
        var (planId, measureId) = ResourceName.ParseChild(request.Name, ResourceName.ProtectionMeasures, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, measureId, PartKind.ProtectionMeasure, time.Today())),
            (entry, part, trip) => new EndProtectionMeasureResponse
            {
                ProtectionMeasure = PlanItems.End<ProtectionMeasure>(entry, trip, part, request.Ending, request.Outcome, request.Etag),
            });
    }
}
