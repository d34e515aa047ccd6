using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

internal sealed partial class PlanService
{
    public override Task<ListPlanRevisionsResponse> ListPlanRevisions(ListPlanRevisionsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        return gate.Read(request, context, planId, (_, trip) =>
        {
            var revisions = trip.Add(RevisionSql.Of(planId));
            return Task.FromResult(() => new ListPlanRevisionsResponse
            {
                Revisions =
                {
                    revisions.Value.Select(revision => new PlanRevision
                    {
                        Revision = revision.Number,
                        EstablishTime = Timestamp.FromDateTimeOffset(revision.EstablishedAt),
                        EstablishedBy = keys.Names.NameOf(revision.EstablishedBy),
                    }),
                },
            });
        });
    }

    public override Task<ComparePlanRevisionsResponse> ComparePlanRevisions(ComparePlanRevisionsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        if (request.BaseRevision < 0 || request.Revision < 0 || (request.Revision > 0 && request.BaseRevision >= request.Revision))
        {
            throw Errors.InvalidFields(new FieldFault("base_revision", "must be earlier than revision, and neither negative"));
        }

        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var before = request.BaseRevision == 0 ? null : Add(request.BaseRevision);
            var after = Add(request.Revision);
            return Task.FromResult(() =>
            {
                var was = before?.Invoke("base_revision");
                var now = after("revision");
                return new ComparePlanRevisionsResponse { Before = was, After = now, Changes = { PlanComparison.Changes(was, now) } };
            });

            // The plan as it was, within the permit, once the trip has run. Who the person is, is no part of a revision: an old one would join a new identity
            // to the old.
            Func<string, Plan> Add(int revision)
            {
                var permitted = entry.Permit.Reads & ~Categories.Identity;
                var record = trip.Add(revision == 0 ? PlanSql.Load(planId) : RevisionSql.Record(planId, revision));
                var sight = entry.Sight with { Permitted = permitted };
                var parts = trip.Add(revision == 0 ? PartSql.Of(planId, sight) : RevisionSql.Parts(planId, revision, sight));
                return field =>
                {
                    var found = record.Value.State ?? throw Errors.UnknownReference(field, "must be the number of an established revision, as ListPlanRevisions gives it");
                    var plan = PlanMapping.ToPlan(found, parts.Value, entry.Key, keys.Names);
                    Redaction.Apply(plan, permitted);
                    return plan;
                };
            }
        });
    }
}
