using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Discharge;

/// <summary>Discharge from inpatient care. What each RPC does and who may call it stands in discharge_service.proto.</summary>
internal sealed class DischargeService(CaseGate gate) : V1.DischargeService.DischargeServiceBase
{
    public override Task<AddDischargeNoticeResponse> AddDischargeNotice(AddDischargeNoticeRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Change(request, context, planId, (entry, trip) =>
        {
            Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
            if (request.DischargeNotice.NoticeTime.ToDateTimeOffset() > entry.Now)
            {
                throw Errors.InvalidFields(new FieldFault("discharge_notice.notice_time", "must not be in the future"));
            }

            var notice = DischargeRecord.New(request.DischargeNotice, entry.Key);
            trip.Add(DischargeSql.Insert(planId, notice, entry.ChangedBy));
            return new AddDischargeNoticeResponse { DischargeNotice = notice.ToNotice(planId, entry.Key) };
        });
    }

    public override Task<ListDischargeNoticesResponse> ListDischargeNotices(ListDischargeNoticesRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var notices = entry.Permit.Reads.HasFlag(Categories.Health) ? trip.Add(DischargeSql.Of(planId)) : null;
            return Task.FromResult(() =>
            {
                var response = new ListDischargeNoticesResponse();
                response.DischargeNotices.AddRange(notices?.Value.Select(notice => notice.ToNotice(planId, entry.Key)) ?? []);
                return response;
            });
        });
    }
}
