using System.Text.RegularExpressions;
using CoordinationPlan.Law;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Log;

/// <content>Disposal of what a log says (docs/adr/0022).</content>
internal sealed partial class AuditService
{
    private const int MostKeptPlans = 100;
    private const int MostKept = 100_000;
    private const int MostListed = 1000;

    public override Task<ProposeLogDisposalResponse> ProposeLogDisposal(ProposeLogDisposalRequest request, ServerCallContext context)
    {
        var asked = request.LogDisposal;
        var plans = Checked(asked);
        var logId = names.LogIdOf(asked.Origin) ?? "";
        Pending<List<LogDisposalRecord>>? disposals = null;
        Pending<List<long>>? kept = null;
        return gate.Change(
            request,
            context,
            null,
            trip =>
            {
                trip.Add(LocksSql.Name($"disposals of {logId}"));
                disposals = trip.Add(LogDisposalSql.OfLog(logId));
                kept = trip.Add(LogDisposalSql.Keepable(logId, plans, MostKept + 1));
                return trip.Add(LogDisposalSql.Target(logId));
            },
            (entry, target, trip) =>
            {
                var log = Own(entry, target.State);
                Entry.RequireEtag(request.Etag, EtagOf(log, disposals!.Value.Count));
                RequireDisposable(entry, target, log, disposals.Value);
                if (kept!.Value.Count > MostKept)
                {
                    throw Errors.InvalidFields(new FieldFault("log_disposal.kept_plans", $"must not keep more than {MostKept} entries"));
                }

                var disposal = new LogDisposalRecord(
                    Ids.Ordered(entry.Now), log.Log, log.LogId, log.Controller, log.Size, asked.Decision, plans, target.Leaves, entry.Today, entry.Caller.EmployeeId!, null, false, [.. kept.Value]);
                trip.Add(LogDisposalSql.Propose(disposal));
                trip.Add(LogDisposalSql.Keep(disposal));
                entry.Concern(disposal.Text, entry.CallerFacts.Controller);
                return new ProposeLogDisposalResponse { LogDisposal = disposal.ToLogDisposal(names, directory, entry.Today) };
            });
    }

    public override Task<ApproveLogDisposalResponse> ApproveLogDisposal(ApproveLogDisposalRequest request, ServerCallContext context)
    {
        var id = LogDisposalRecord.ParseName(request.Name, "name");
        var employee = CallerIdentity.Of(context, directory).EmployeeId;
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(LogDisposalSql.ToApprove(id, employee)),
            (entry, found, trip) =>
            {
                if (found.Disposal is not { } disposal || !IsOwn(entry, disposal.Controller))
                {
                    throw Errors.UnknownReference("name", "There is no such disposal.");
                }

                Entry.RequireEtag(request.Etag, disposal.EtagOn(entry.Today));
                if (disposal.StateOn(entry.Today) != LogDisposalState.Proposed)
                {
                    throw Errors.WrongState("The disposal is not proposed any more.", "log_disposal");
                }

                if (disposal.ProposedBy == employee || found.IsSamePerson)
                {
                    throw Errors.WrongState("Another person than the one who proposed the disposal must approve it.", "log_disposal");
                }

                var approved = disposal with { ApprovedBy = employee };
                trip.Add(LogDisposalSql.Approve(id, employee!));
                entry.Concern(disposal.Text, entry.CallerFacts.Controller);
                return new ApproveLogDisposalResponse { LogDisposal = approved.ToLogDisposal(names, directory, entry.Today) };
            });
    }

    public override Task<ListLogDisposalsResponse> ListLogDisposals(ListLogDisposalsRequest request, ServerCallContext context) =>
        gate.Read<ListLogDisposalsResponse>(request, context, null, (entry, trip) =>
        {
            var disposals = trip.Add(LogDisposalSql.OfControllers(ControllersOf(entry), MostListed));
            return Task.FromResult(() => new ListLogDisposalsResponse
            {
                LogDisposals = { disposals.Value.Select(disposal => disposal.ToLogDisposal(names, directory, entry.Today)) },
            });
        });

    /// <summary>Whose logs a caller looks after: the own controller's, and the operator's reviewers also those of callers whom the directory does not know.</summary>
    private static string[] ControllersOf(Entry entry) =>
        entry.CallerFacts.OrganisationKind == OrganisationKind.Operator ? [entry.CallerFacts.Controller, ""] : [entry.CallerFacts.Controller];

    private static bool IsOwn(Entry entry, string controller) => ControllersOf(entry).Contains(controller);

    private static LogState Own(Entry entry, LogState? state) =>
        state is { } log && IsOwn(entry, log.Controller) ? log : throw Errors.UnknownReference("log_disposal.origin", "There is no such log.");

    private static string EtagOf(LogState log, int disposals) => Etag.Of($"disposals of {log.LogId}", disposals);

    /// <summary>The plans of which every entry is kept.</summary>
    private static Guid[] Checked(LogDisposal asked)
    {
        if (!Reference().IsMatch(asked.Decision))
        {
            throw Errors.InvalidFields(new FieldFault("log_disposal.decision", "must be a reference of letters, digits, spaces and .:/-_ that begins with a letter or a digit"));
        }

        if (asked.KeptPlans.Count > MostKeptPlans)
        {
            throw Errors.InvalidFields(new FieldFault("log_disposal.kept_plans", $"must be at most {MostKeptPlans}"));
        }

        return [.. asked.KeptPlans.Select(plan => ResourceName.ParsePlan(plan, "log_disposal.kept_plans")).Distinct().Order()];
    }

    private void RequireDisposable(Entry entry, DisposalTarget target, LogState log, List<LogDisposalRecord> disposals)
    {
        var years = law.YearsOf(PlanRetention.AccessLog, log.Controller.Length == 0 ? "" : directory.NameOf(log.Controller));
        if (PlanRetention.DisposableFrom(RetentionClass.AccessLog, new DateOnly(log.Year, 12, 31), null, years, keepsSample: false) is not { } from || entry.Today < from)
        {
            throw Errors.WrongState($"The log is kept for {years} years after its year (retention.access_log).", "log");
        }

        if (disposals.Exists(disposal => disposal.IsUnderWay(entry.Today)))
        {
            throw Errors.WrongState("Another disposal of the log is under way.", "log");
        }

        if (target.Pending > 0 || target.Note is not { } note || Checkpoint.Parse(SignedNote.Parse(note).Text).Size != log.Size)
        {
            throw Errors.WrongState("Entries of the log wait for their place in it or for a published checkpoint.", "log");
        }
    }

    [GeneratedRegex(@"^[\p{L}\p{N}][\p{L}\p{N} .:/_-]{0,63}$")]
    private static partial Regex Reference();
}
