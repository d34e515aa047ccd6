using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<AddInterventionResponse> AddIntervention(AddInterventionRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var unitId = keys.Names.Parse(request.Intervention.ResponsibleUnit, ResourceName.Units, "intervention.responsible_unit");
        var links = InterventionLinks.Parse(planId, request.Intervention, keys.Names);
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.LoadReferences(planId, unitId, null, links.Goals, links.ContactPerson, time.Today())),
            (entry, found, trip) =>
            {
                if (!found.UnitTakesPart || !entry.Sight.MayName(found.UnitKind, unitId))
                {
                    throw Errors.UnknownReference("intervention.responsible_unit", "must be the owning unit or a unit that takes part in the plan today");
                }

                links.Require(found);
                var intervention = request.Intervention.Clone();
                intervention.ResponsiblePrincipal = keys.Names.Name(ResourceName.Organisations, found.OrganisationId);
                // What a sheltered housing or a school does for the person tells where the person is.
                var category = Sight.CategoryOf(found.UnitKind, Categories.GoalsAndInterventions);
                return new AddInterventionResponse
                {
                    Intervention = PlanItems.Add(entry, trip, intervention, PartKind.Intervention, request.Etag, unitId, category, ScheduleOf(intervention)),
                };
            });
    }

    public override Task<UpdateInterventionResponse> UpdateIntervention(UpdateInterventionRequest request, ServerCallContext context)
    {
        var (planId, interventionId) = ResourceName.ParseChild(request.Intervention.Name, ResourceName.Interventions, "intervention.name");
        var links = InterventionLinks.Parse(planId, request.Intervention, keys.Names);
        Pending<Loaded<InterventionReferences>>? references = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                references = links.AreNone ? null : trip.Add(PartSql.LoadReferences(planId, null, interventionId, links.Goals, links.ContactPerson, time.Today()));
                return trip.Add(PartSql.Find(planId, interventionId, PartKind.Intervention, time.Today()));
            },
            (entry, part, trip) =>
            {
                if (references is not null)
                {
                    links.Require(references.Value.State!);
                }

                return new UpdateInterventionResponse
                {
                    Intervention = PlanItems.Update(entry, trip, part, request.Intervention, request.UpdateMask, request.Etag, ScheduleOf),
                };
            });
    }

    public override Task<EndInterventionResponse> EndIntervention(EndInterventionRequest request, ServerCallContext context)
    {
        var (planId, interventionId) = ResourceName.ParseChild(request.Name, ResourceName.Interventions, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(PartSql.Find(planId, interventionId, PartKind.Intervention, time.Today())),
            (entry, part, trip) => new EndInterventionResponse
            {
                Intervention = PlanItems.End<Intervention>(entry, trip, part, request.Ending, request.Outcome, request.Etag, ScheduleOf),
            });
    }

    private Schedule ScheduleOf(Intervention intervention) => Schedule.Of(intervention, keys.Names);

    /// <summary>What an intervention refers to beside its unit.</summary>
    private sealed record InterventionLinks(Guid[] Goals, string? ContactPerson)
    {
        public bool AreNone => Goals.Length == 0 && ContactPerson is null;

        public static InterventionLinks Parse(Guid planId, Intervention intervention, DirectoryNames names) => new(
            [.. intervention.Goals.Select((name, i) =>
            {
                var field = $"intervention.goals[{i}]";
                var (ofPlan, goalId) = ResourceName.ParseChild(name, ResourceName.Goals, field);
                return ofPlan == planId ? goalId : throw Errors.InvalidFields(new FieldFault(field, "must be a goal of the same plan"));
            }).Distinct()],
            names.ParseOptional(intervention.ContactPerson, ResourceName.Employees, "intervention.contact_person"));

        public void Require(InterventionReferences found)
        {
            if (found.GoalsFound != Goals.Length)
            {
                throw Errors.UnknownReference("intervention.goals", "must all be goals of the plan");
            }

            if (ContactPerson is not null && !found.ContactPersonWorksThere)
            {
                throw Errors.UnknownReference("intervention.contact_person", "must be an employee with an assignment in the responsible unit");
            }
        }
    }
}
