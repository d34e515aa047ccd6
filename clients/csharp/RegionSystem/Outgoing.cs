using CoordinationPlan.Client;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.RegionSystem;

/// <summary>Sends what the database has noted to be sent: the system's own reports, and the errands of its units' people.</summary>
/// <param name="clientsFor">The service's clients that call for a unit of the organisation; null: for the system's own.</param>
internal sealed class Outgoing(Func<string?, CoordinationPlanClients> clientsFor, Store store, Patience patience)
{
    /// <summary>A refusal does not say why: the assignment may be out of force for a day.</summary>
    private static readonly TimeSpan TryRefusedAgainAfter = TimeSpan.FromMinutes(10);

    private readonly Dictionary<long, long> _refused = [];
    private readonly Dictionary<long, long> _refusedReports = [];

    /// <summary>Whether there is anything to be sent that was not refused just now, or waits for what was.</summary>
    public bool HasMore => Lines().Any();

    /// <summary>Sends all of it that can be sent now. What cannot keeps nothing else back.</summary>
    /// <exception cref="RpcException">Something is still to be sent, and may be taken later.</exception>
    public async Task Send(CancellationToken stop)
    {
        RpcException? later = null;
        foreach (var send in Lines().Select(line => (Func<Task>)(() => SendErrands(line, stop))).Append(() => SendReports(stop)))
        {
            try
            {
                await send();
            }
            catch (RpcException error) when (Patience.IsPassing(error, stop))
            {
                later = error;
            }
        }

        if (later is not null)
        {
            throw later;
        }
    }

    /// <summary>Of one unit and plan in the order that they were noted: an answer that waits would otherwise undo a later one.</summary>
    private IEnumerable<IEnumerable<Errand>> Lines() => store.ToSend().GroupBy(errand => (errand.Plan, errand.Unit)).Where(line => IsToBeTried(line.First()));

    private bool IsToBeTried(Errand errand) => IsToBeTried(_refused, errand.Id);

    private static bool IsToBeTried(Dictionary<long, long> refused, long id) => !refused.TryGetValue(id, out var at) || TimeProvider.System.GetElapsedTime(at) > TryRefusedAgainAfter;

    private async Task SendErrands(IEnumerable<Errand> line, CancellationToken stop)
    {
        foreach (var errand in line)
        {
            if (!await SendErrand(errand, stop))
            {
                return;
            }
        }
    }

    private async Task SendReports(CancellationToken stop)
    {
        var sync = clientsFor(null).ParticipationSync;
        while (store.ToReport(version => IsToBeTried(_refusedReports, version)) is { Count: > 0 } items)
        {
            var request = new BatchSyncParticipationsRequest { Items = { items }, RequestId = RequestId.New() };
            var answer = await patience.Until("BatchSyncParticipations", () => sync.BatchSyncParticipationsAsync(request, cancellationToken: stop).ResponseAsync, stop);
            store.Answered(items, answer.Results);
            foreach (var (item, result) in items.Zip(answer.Results))
            {
                if (result.Reason == ErrorReason.AccessDenied)
                {
                    _refusedReports[item.ExternalVersion] = TimeProvider.System.GetTimestamp();
                }
            }

            Journal.Write($"reported {items.Count} participations, {answer.Results.Count(result => result.Reason != ErrorReason.Unspecified)} of them not taken");
        }
    }

    /// <summary>False where it stays to be sent.</summary>
    private async Task<bool> SendErrand(Errand errand, CancellationToken stop)
    {
        try
        {
            if (await (errand.Kind == ErrandKind.Answer ? Answer(errand, stop) : Notify(errand, stop)) is not { } outcome)
            {
                return Refused(errand);
            }

            store.Sent(errand, outcome);
            Journal.Write($"sent: {errand.Kind}");
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.AccessDenied)
        {
            return Refused(errand);
        }
        catch (RpcException error) when (!stop.IsCancellationRequested && !Patience.IsPassing(error, stop))
        {
            // A person is to look at it: above all where the meeting has been moved since.
            store.Sent(errand, $"not taken: {error.Reason()}");
            Journal.Write($"not taken: {errand.Kind} {error.Reason()}");
        }

        return true;
    }

    /// <summary>It stays to be sent. Where the unit may not know of the plan any more, a recall takes it away.</summary>
    private bool Refused(Errand errand)
    {
        _refused[errand.Id] = TimeProvider.System.GetTimestamp();
        Journal.Write($"refused for now: {errand.Kind}");
        return false;
    }

    private async Task<string?> Answer(Errand errand, CancellationToken stop)
    {
        var request = ReplyToCallRequest.Parser.ParseFrom(errand.Request);
        var meetings = clientsFor(errand.Unit).Meetings;
        var call = (await patience.Until("ReplyToCall", () => meetings.ReplyToCallAsync(request, cancellationToken: stop).ResponseAsync, stop)).Call;
        return call.Attendance == Attendance.Unspecified ? call.Reply.ToString() : call.Attendance.ToString();
    }

    /// <summary>A notice says nothing of what stands in the plan: it is for the plan as it is when the notice is sent. Null where HEALTH is not released to the unit.</summary>
    private async Task<string?> Notify(Errand errand, CancellationToken stop)
    {
        var request = AddDischargeNoticeRequest.Parser.ParseFrom(errand.Request);
        var clients = clientsFor(errand.Unit);
        while (true)
        {
            try
            {
                var plan = await patience.Until(
                    "ListSyncedParticipations", () => clients.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = errand.Plan }, cancellationToken: stop).ResponseAsync, stop);
                if (plan.PlanEtag.Length == 0)
                {
                    return null;
                }

                request.Etag = plan.PlanEtag;
                await patience.Until("AddDischargeNotice", () => clients.Discharge.AddDischargeNoticeAsync(request, cancellationToken: stop).ResponseAsync, stop);
                return "Taken";
            }
            catch (RpcException error) when (error.Reason() == ErrorReason.StaleEtag)
            {
                // The plan has changed in between.
            }
            catch (RpcException error) when (error.Reason() == ErrorReason.RequestIdReused)
            {
                // Sent before, by the plan as it was then: before a crash, or by this file before it was put back from a copy.
                return "Taken";
            }
        }
    }
}
