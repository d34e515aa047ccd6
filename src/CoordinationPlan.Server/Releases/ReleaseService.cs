using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Server.Releases;

/// <summary>Releases on legal ground. What each RPC does and who may call it stands in release_service.proto.</summary>
internal sealed class ReleaseService(CaseGate gate, DirectoryNames names, LegalGrounds grounds, TimeProvider time) : V1.ReleaseService.ReleaseServiceBase
{
    /// <summary>A release is reviewed soon after it has begun, while it can still be stopped, and never after its end.</summary>
    private const int DaysToReview = 30;

    public override Task<ListLegalGroundsResponse> ListLegalGrounds(ListLegalGroundsRequest request, ServerCallContext context) =>
        gate.Read(request, context, null, (entry, _) => Task.FromResult(() =>
        {
            var response = new ListLegalGroundsResponse();
            response.LegalGrounds.AddRange(grounds.On(entry.Today).Select(ground => ground.ToLegalGround()));
            return response;
        }));

    public override Task<RecordReleaseResponse> RecordRelease(RecordReleaseRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var release = request.Release;
        var units = release.RecipientUnits
            .Select((name, i) => names.Parse(name, ResourceName.Units, $"release.recipient_units[{i}]"))
            .Distinct()
            .ToArray();
        var ground = grounds.Find(release.Ground, time.Today()) is { IsForReleases: true } found
            ? found
            : throw Errors.UnknownReference("release.ground", "must be a legal ground in force today, as ListLegalGrounds gives it");
        RequireWithin(ground, release);
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(ReleaseSql.Recipients(units));
            },
            (entry, recipients, trip) =>
            {
                entry.RequireOpen();
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (recipients.Known < units.Length || (recipients.Kinds.Contains(UnitKind.ShelteredHousing) && !entry.Permit.Reads.HasFlag(Categories.Whereabouts)))
                {
                    throw Errors.UnknownReference("release.recipient_units", "must all be units in the directory");
                }

                RequireHolds(ground, release, entry, recipients, identity!.Value.State);
                var (start, end) = (release.Period.StartDate.ToDateOnly(), release.Period.EndDate.ToDateOnly());
                var record = new ReleaseRecord(
                    Ids.Opaque(),
                    ground.Code,
                    ground.OverridesRefusal,
                    units,
                    CategorySets.ToSet(release.Categories),
                    release.Purpose,
                    start,
                    end,
                    start.AddDays(DaysToReview) is var due && due < end ? due : end,
                    null,
                    null,
                    1,
                    []).Holding(entry.Key, new Release { Decider = release.Decider, Reason = release.Reason, RecordedBy = entry.ChangedBy });
                trip.Add(ReleaseSql.Insert(planId, record, entry.ChangedBy));
                return new RecordReleaseResponse { Release = record.ToRelease(planId, entry.Key, names) };
            });
    }

    public override Task<EndReleaseResponse> EndRelease(EndReleaseRequest request, ServerCallContext context) =>
        Replace(request, context, request.Name, request.Etag, (entry, release) =>
        {
            // Also in a closed plan: less is released afterwards, never more.
            if (release.EndedAt is not null)
            {
                throw Errors.WrongState("The release has been ended already.");
            }

            return release.Next(entry.Key, release.Open(entry.Key), entry.Now, release.ReviewedAt);
        }, release => new EndReleaseResponse { Release = release });

    public override Task<ReviewReleaseResponse> ReviewRelease(ReviewReleaseRequest request, ServerCallContext context) =>
        Replace(request, context, request.Name, request.Etag, (entry, release) =>
        {
            var narrative = release.Open(entry.Key);
            if (narrative.RecordedBy == entry.ChangedBy)
            {
                throw Errors.WrongState("Nobody reviews a release that he or she has recorded. Another manager of the unit has to.");
            }

            if (release.ReviewedAt is not null)
            {
                throw Errors.WrongState("The release has been reviewed already.");
            }

            // Who reviewed it is who made this version: changed_by, here and in the history.
            narrative.ReviewOutcome = request.Outcome;
            return release.Next(entry.Key, narrative, request.Outcome == ReviewOutcome.NotJustified ? release.EndedAt ?? entry.Now : release.EndedAt, entry.Now);
        }, release => new ReviewReleaseResponse { Release = release });

    private Task<TResponse> Replace<TResponse>(
        IChangeRequest request, ServerCallContext context, string name, string etag, Func<Entry, ReleaseRecord, ReleaseRecord> change, Func<Release, TResponse> answer)
        where TResponse : Google.Protobuf.IMessage<TResponse>
    {
        var (planId, releaseId) = ResourceName.ParseChild(name, ResourceName.Releases, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ReleaseSql.Find(planId, releaseId)),
            (entry, release, trip) =>
            {
                Entry.RequireEtag(etag, release.Etag);
                var changed = change(entry, release);
                trip.Add(ReleaseSql.Replace(planId, changed, entry.ChangedBy));
                return answer(changed.ToRelease(planId, entry.Key, names));
            });
    }

    /// <summary>What can be told from the ground alone: no more than it allows, and never what no release can open.</summary>
    private static void RequireWithin(LegalGround ground, Release release)
    {
        var faults = new List<FieldFault>();
        if ((CategorySets.ToSet(release.Categories) & ~(ground.Categories & AccessPolicy.Releasable)) != Categories.None)
        {
            faults.Add(new FieldFault("release.categories", $"lists a category that {ground.Paragraph} does not release"));
        }

        if (release.Period.EndDate is null)
        {
            faults.Add(new FieldFault("release.period.end_date", "is required: a release holds for a limited time"));
        }
        else
        {
            var (start, end) = (release.Period.StartDate.ToDateOnly(), release.Period.EndDate.ToDateOnly());
            if (end.DayNumber - start.DayNumber >= ground.MaxDays)
            {
                faults.Add(new FieldFault("release.period.end_date", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"makes it longer than the {ground.MaxDays} days that the ground allows")));
            }

            if (!ground.IsValidOn(start) || !ground.IsValidOn(end))
            {
                faults.Add(new FieldFault("release.period", "goes beyond the time that the ground is in force"));
            }
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    /// <summary>What can be told only of the plan: from whom, to whom, about whom.</summary>
    private static void RequireHolds(LegalGround ground, Release release, Entry entry, Recipients recipients, SealedIdentity? identity)
    {
        if (!ground.From.Contains(entry.CallerFacts.UnitKind))
        {
            throw Errors.InvalidFields(new FieldFault("release.ground", $"is no ground for a unit like the owning one: {ground.Paragraph}"));
        }

        if (recipients.Kinds.Except(ground.To).Any())
        {
            throw Errors.InvalidFields(new FieldFault("release.recipient_units", $"holds a unit of a kind that {ground.Paragraph} releases nothing to"));
        }

        // Under 18 on its last day too: the ground must hold for as long as the release does.
        if (ground.OnlyMinors && release.Period.EndDate.ToDateOnly() >= entry.ReachedOn(PlanLaw.Majority, identity))
        {
            throw Errors.InvalidFields(new FieldFault("release.ground", "holds only as long as the person is under 18"));
        }
    }
}
