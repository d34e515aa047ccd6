using CoordinationPlan.Policy;
using CoordinationPlan.Server.Disclosures;
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
        WhereaboutsGuard? guard = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                guard = WhereaboutsGuard.Load(trip, planId, keys.Names);
                return trip.Add(PartSql.LoadReferences(planId, unitId, null, [], null, time.Today()));
            },
            async (entry, found, trip) =>
            {
                if (unitId is not null && (!found.UnitTakesPart || !entry.Sight.MayName(found.UnitKind, unitId)))
                {
                    throw Errors.UnknownReference("protection_measure.unit", "must be the owning unit or a unit that takes part in the plan today");
                }

                if (found.UnitKind != UnitKind.ShelteredHousing)
                {
                    await guard!.Require(entry, Instruction(request.ProtectionMeasure), context.CancellationToken);
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
        WhereaboutsGuard? guard = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                guard = WhereaboutsGuard.Load(trip, planId, keys.Names);
                return trip.Add(PartSql.Find(planId, measureId, PartKind.ProtectionMeasure, time.Today()));
            },
            async (entry, part, trip) =>
            {
                if (part.Category != Categories.Whereabouts)
                {
                    await guard!.Require(entry, Instruction(request.ProtectionMeasure), context.CancellationToken);
                }

                return new UpdateProtectionMeasureResponse
                {
                    ProtectionMeasure = PlanItems.Update(entry, trip, part, request.ProtectionMeasure, request.UpdateMask, request.Etag),
                };
            });
    }

    private static IEnumerable<(string Field, string Text)> Instruction(ProtectionMeasure measure) => [("protection_measure.instruction", measure.Instruction)];

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
