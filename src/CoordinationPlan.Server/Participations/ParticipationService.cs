using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Participations;

/// <summary>Which units take part. What each RPC does and who may call it stands in participation_service.proto.</summary>
internal sealed class ParticipationService(CaseGate gate, DirectoryNames names) : V1.ParticipationService.ParticipationServiceBase
{
    public override Task<AddParticipationResponse> AddParticipation(AddParticipationRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var unitId = names.Parse(request.Participation.Unit, ResourceName.Units, "participation.unit");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ParticipationSql.FindNewcomer(planId, unitId)),
            (entry, newcomer, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (newcomer.UnitKind is not { } kind || kind == V1.UnitKind.Administration || !entry.Sight.MayName(kind, unitId))
                {
                    throw Errors.UnknownReference("participation.unit", "must be a unit in the directory that works with people");
                }

                if (newcomer.OwnsThePlan || newcomer.TakesPartAlready)
                {
                    throw Errors.WrongState("The unit takes part already.");
                }

                var period = request.Participation.Period;
                var participation = new ParticipationRecord(Ids.Opaque(), unitId, period.StartDate.ToDateOnly(), period.EndDate?.ToDateOnly(), false, 1);
                trip.Add(ParticipationSql.Insert(planId, participation, Sight.CategoryOf(kind, Categories.Meetings), entry.ChangedBy));
                return new AddParticipationResponse { Participation = participation.ToParticipation(planId, names) };
            });
    }

    public override Task<EndParticipationResponse> EndParticipation(EndParticipationRequest request, ServerCallContext context)
    {
        var (planId, participationId) = ResourceName.ParseChild(request.Name, ResourceName.Participations, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ParticipationSql.Find(planId, participationId)),
            (entry, participation, trip) =>
            {
                Entry.RequireEtag(request.Etag, participation.Etag);
                if (participation.Ended)
                {
                    throw Errors.WrongState("The participation has ended already.");
                }

                var ended = participation with { Ended = true, Version = participation.Version + 1 };
                trip.Add(ParticipationSql.End(planId, ended, entry.Now, entry.ChangedBy));
                trip.Add(SyncSql.DeclineEnded(planId, ended.UnitId, entry.Now, entry.ChangedBy));
                return new EndParticipationResponse { Participation = ended.ToParticipation(planId, names) };
            });
    }
}
