using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// The calls of the contract that the FHIR door makes, in the process and by the same way as those that come over gRPC: shape, gate, policy, log, redaction, and the
/// metrics of the RPC. The door has no other way to anything.
/// </summary>
internal sealed class FhirCalls(
    Plans.PlanService plans,
    Participations.ParticipationService participations,
    Participations.ParticipationSyncService sync,
    Oversight.OversightService oversight,
    Audit.AccessLogService accessLog,
    FailureInterceptor failures,
    TimeProvider time)
{
    /// <summary>HTTP names no deadline.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public Task<GetPlanResponse> GetPlan(FhirExchange exchange, GetPlanRequest request) =>
        Call(exchange, V1.PlanService.Descriptor, nameof(plans.GetPlan), request, plans.GetPlan);

    public Task<ListPlansResponse> ListPlans(FhirExchange exchange, ListPlansRequest request) =>
        Call(exchange, V1.PlanService.Descriptor, nameof(plans.ListPlans), request, plans.ListPlans);

    public Task<FindPlansResponse> FindPlans(FhirExchange exchange, FindPlansRequest request) =>
        Call(exchange, V1.PlanService.Descriptor, nameof(plans.FindPlans), request, plans.FindPlans);

    public Task<ListPlanRevisionsResponse> ListPlanRevisions(FhirExchange exchange, ListPlanRevisionsRequest request) =>
        Call(exchange, V1.PlanService.Descriptor, nameof(plans.ListPlanRevisions), request, plans.ListPlanRevisions);

    public Task<ComparePlanRevisionsResponse> ComparePlanRevisions(FhirExchange exchange, ComparePlanRevisionsRequest request) =>
        Call(exchange, V1.PlanService.Descriptor, nameof(plans.ComparePlanRevisions), request, plans.ComparePlanRevisions);

    public Task<AddParticipationResponse> AddParticipation(FhirExchange exchange, AddParticipationRequest request) =>
        Call(exchange, V1.ParticipationService.Descriptor, nameof(participations.AddParticipation), request, participations.AddParticipation);

    public Task<EndParticipationResponse> EndParticipation(FhirExchange exchange, EndParticipationRequest request) =>
        Call(exchange, V1.ParticipationService.Descriptor, nameof(participations.EndParticipation), request, participations.EndParticipation);

    public Task<ListSyncedParticipationsResponse> ListSyncedParticipations(FhirExchange exchange, ListSyncedParticipationsRequest request) =>
        Call(exchange, V1.ParticipationSyncService.Descriptor, nameof(sync.ListSyncedParticipations), request, sync.ListSyncedParticipations);

    public Task<BatchSyncParticipationsResponse> BatchSyncParticipations(FhirExchange exchange, BatchSyncParticipationsRequest request) =>
        Call(exchange, V1.ParticipationSyncService.Descriptor, nameof(sync.BatchSyncParticipations), request, sync.BatchSyncParticipations);

    public Task<ListTasksResponse> ListTasks(FhirExchange exchange, ListTasksRequest request) =>
        Call(exchange, V1.OversightService.Descriptor, nameof(oversight.ListTasks), request, oversight.ListTasks);

    public Task<GetTaskResponse> GetTask(FhirExchange exchange, GetTaskRequest request) =>
        Call(exchange, V1.OversightService.Descriptor, nameof(oversight.GetTask), request, oversight.GetTask);

    public Task<SearchAccessLogResponse> SearchAccessLog(FhirExchange exchange, SearchAccessLogRequest request) =>
        Call(exchange, V1.AccessLogService.Descriptor, nameof(accessLog.SearchAccessLog), request, accessLog.SearchAccessLog);

    public Task<GetAccessLogEntryResponse> GetAccessLogEntry(FhirExchange exchange, GetAccessLogEntryRequest request) =>
        Call(exchange, V1.AccessLogService.Descriptor, nameof(accessLog.GetAccessLogEntry), request, accessLog.GetAccessLogEntry);

    private async Task<TResponse> Call<TRequest, TResponse>(
        FhirExchange exchange, ServiceDescriptor service, string method, TRequest request, UnaryServerMethod<TRequest, TResponse> work)
        where TRequest : class
        where TResponse : class
    {
        using var limit = new CancellationTokenSource(Deadline, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, exchange.Http.RequestAborted);
        var context = new FhirCallContext(exchange.Http, $"/{service.FullName}/{method}", time.GetUtcNow().UtcDateTime + Deadline, stop.Token);
        try
        {
            return await failures.UnaryServerHandler(request, context, work);
        }
        finally
        {
            exchange.Receipts.AddRange(context.ResponseTrailers.Where(trailer => trailer.Key == AuditReceipts.Trailer).Select(trailer => trailer.ValueBytes));
        }
    }
}
