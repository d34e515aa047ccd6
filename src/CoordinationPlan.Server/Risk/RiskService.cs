using CoordinationPlan.Law;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Risk;

/// <summary>Risk assessments. What each RPC does and who may call it stands in risk_service.proto.</summary>
internal sealed class RiskService(CaseGate gate, DirectoryNames names, LawOptions law) : V1.RiskService.RiskServiceBase
{
    public override Task<ListRiskAssessmentsResponse> ListRiskAssessments(ListRiskAssessmentsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var assessments = trip.Add(RiskSql.Of(planId));
            return Task.FromResult(() => new ListRiskAssessmentsResponse
            {
                RiskAssessments = { assessments.Value.Select(assessment => assessment.ToRiskAssessment(planId, entry.Key, names)) },
            });
        });
    }

    public override Task<RecordRiskAssessmentResponse> RecordRiskAssessment(RecordRiskAssessmentRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        Guid? earlier = null;
        if (request.Supersedes.Length > 0)
        {
            // An assessment is looked for in this plan only; another plan's is not there.
            var (plan, id) = ResourceName.ParseChild(request.Supersedes, ResourceName.RiskAssessments, "supersedes");
            earlier = plan == planId ? id : Guid.Empty;
        }

        var said = request.RiskAssessment;
        var (assessedOn, reassessOn) = (said.AssessDate.ToDateOnly(), said.ReassessDate.ToDateOnly());
        if (reassessOn <= assessedOn)
        {
            throw Errors.InvalidFields(new FieldFault("risk_assessment.reassess_date", "must be after assess_date"));
        }

        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(RiskSql.FindEarlier(planId, earlier)),
            (entry, superseded, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (assessedOn > entry.Today)
                {
                    throw Errors.InvalidFields(new FieldFault("risk_assessment.assess_date", "must not be in the future"));
                }

                if (law.DaysOf(PlanLaw.Reassessment, names.NameOf(entry.Plan.OwnerController)) is { } within && reassessOn > assessedOn.AddDays(within))
                {
                    throw Errors.InvalidFields(new FieldFault("risk_assessment.reassess_date", $"must be at most {within} days after assess_date"));
                }

                if (superseded.Record is { SupersededBy: not null })
                {
                    throw Errors.WrongState("Another assessment has taken its place already.");
                }

                var body = said.Clone();
                body.AssessedBy = entry.ChangedBy;
                body.AssessingUnit = entry.CallerFacts.UnitId;
                var record = new RiskRecord(Ids.Opaque(), said.Instrument, assessedOn, reassessOn, null, 1, []).Holding(entry.Key, body);
                trip.Add(RiskSql.Insert(planId, record, entry.ChangedBy));
                if (superseded.Record is { } older)
                {
                    trip.Add(RiskSql.Supersede(planId, older, record.AssessmentId, entry.ChangedBy));
                }

                return new RecordRiskAssessmentResponse { RiskAssessment = record.ToRiskAssessment(planId, entry.Key, names) };
            });
    }
}
