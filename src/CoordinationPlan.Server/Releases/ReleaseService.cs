using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Consents;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Releases;

/// <summary>Releases on legal ground. What each RPC does and who may call it stands in release_service.proto.</summary>
internal sealed class ReleaseService(CaseGate gate, DirectoryNames names, TimeProvider time) : V1.ReleaseService.ReleaseServiceBase
{
    /// <summary>A release is looked at afterwards within this time, or when its period ends if that is sooner.</summary>
    private const int ReviewWithinDays = 30;

    public override Task<ListLegalGroundsResponse> ListLegalGrounds(ListLegalGroundsRequest request, ServerCallContext context) =>
        gate.Read(request, context, null, (entry, _) => Task.FromResult(() => new ListLegalGroundsResponse
        {
            LegalGrounds = { LegalGrounds.All.Where(ground => ground.IsValidOn(entry.Today)).Select(ground => ground.ToLegalGround()) },
        }));

    public override Task<RecordReleaseResponse> RecordRelease(RecordReleaseRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var release = request.Release;
        var units = release.RecipientUnits.Select((name, i) => names.Parse(name, ResourceName.Units, $"release.recipient_units[{i}]")).Distinct().ToArray();
        var ground = RequireWhatLawAllows(release);
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                identity = trip.Add(ProtectionSql.Identity(planId));
                return trip.Add(ConsentSql.Count(units));
            },
            (entry, recipients, trip) =>
            {
                entry.RequireState(PlanState.Preparing, PlanState.Established);
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (recipients.Known < units.Length || (recipients.ShelteredHousings > 0 && !entry.MayKnowWhereabouts))
                {
                    throw Errors.UnknownReference("release.recipient_units", "must all be units in the directory");
                }

                var period = release.Period;
                var endsOn = period.EndDate.ToDateOnly();
                if (ground.OnlyMinors && BirthDate(entry, identity!.Value.State!).AddYears(18) <= endsOn)
                {
                    throw Errors.InvalidFields(new FieldFault("release.period.end_date", "must be before the person turns 18: the ground holds for minors only"));
                }

                var startsOn = period.StartDate.ToDateOnly();
                var reviewOn = startsOn.AddDays(ReviewWithinDays) is var due && due < endsOn ? due : endsOn;
                var body = release.Clone();
                body.RecordedBy = names.NameOf(entry.ChangedBy);
                body.ReviewOutcome = ReviewOutcome.Unspecified;
                var record = new ReleaseRecord(
                    Ids.Opaque(), ground.Code, ground.OverridesRefusal, units, CategorySets.ToSet(release.Categories), (Policy.Purpose)release.Purpose, startsOn, endsOn, reviewOn,
                    null, null, 1, []).Holding(entry.Key, body);
                trip.Add(ReleaseSql.Insert(planId, record, entry.ChangedBy));
                return new RecordReleaseResponse { Release = record.ToRelease(planId, entry.Key, names) };
            });
    }

    public override Task<EndReleaseResponse> EndRelease(EndReleaseRequest request, ServerCallContext context)
    {
        var (planId, releaseId) = ResourceName.ParseChild(request.Name, ResourceName.Releases, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ReleaseSql.Find(planId, releaseId)),
            (entry, current, trip) =>
            {
                Entry.RequireEtag(request.Etag, current.Etag);
                if (current.EndedAt is not null)
                {
                    throw Errors.WrongState("The release has ended already.");
                }

                var body = current.Open(entry.Key);
                var ended = (current with { EndedAt = entry.Now.UtcDateTime, Version = current.Version + 1 }).Holding(entry.Key, body);
                trip.Add(ReleaseSql.Replace(planId, ended, entry.ChangedBy));
                return new EndReleaseResponse { Release = ended.ToRelease(planId, entry.Key, names) };
            });
    }

    public override Task<ReviewReleaseResponse> ReviewRelease(ReviewReleaseRequest request, ServerCallContext context)
    {
        var (planId, releaseId) = ResourceName.ParseChild(request.Name, ResourceName.Releases, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ReleaseSql.Find(planId, releaseId)),
            (entry, current, trip) =>
            {
                Entry.RequireEtag(request.Etag, current.Etag);
                var body = current.Open(entry.Key);
                if (current.ReviewedAt is not null)
                {
                    throw Errors.WrongState("The release has been reviewed already.");
                }

                if (body.RecordedBy == names.NameOf(entry.ChangedBy))
                {
                    throw Errors.WrongState("Whoever recorded a release does not review it; another manager does.");
                }

                body.ReviewOutcome = request.Outcome;
                var reviewed = (current with
                {
                    ReviewedAt = entry.Now.UtcDateTime,
                    EndedAt = current.EndedAt ?? (request.Outcome == ReviewOutcome.NotJustified ? entry.Now.UtcDateTime : null),
                    Version = current.Version + 1,
                }).Holding(entry.Key, body);
                trip.Add(ReleaseSql.Replace(planId, reviewed, entry.ChangedBy));
                return new ReviewReleaseResponse { Release = reviewed.ToRelease(planId, entry.Key, names) };
            });
    }

    private static DateOnly BirthDate(Entry entry, SealedIdentity identity) =>
        IdentityNumbers.BirthDateOf(IdentityNumber.Parser.ParseFrom(entry.Key.Open(SubjectSql.IdentityPlace(identity.SubjectId), identity.Sealed)));

    /// <summary>No more than the ground gives: its categories, its longest period, its time of validity.</summary>
    private Ground RequireWhatLawAllows(Release release)
    {
        if (LegalGrounds.Find(release.Ground, time.Today()) is not { } ground)
        {
            throw Errors.InvalidFields(new FieldFault("release.ground", "must be a code of ListLegalGrounds"));
        }

        var faults = new List<FieldFault>();
        if (release.Period.EndDate is null)
        {
            faults.Add(new FieldFault("release.period.end_date", "is required: a release holds for a limited time"));
        }
        else if (release.Period.EndDate.ToDateOnly() > release.Period.StartDate.ToDateOnly().AddDays(ground.MaxDays))
        {
            faults.Add(new FieldFault("release.period.end_date", $"must be at most {ground.MaxDays} days after start_date on this ground"));
        }

        if ((CategorySets.ToSet(release.Categories) & ~(ground.Most | Categories.Existence)) != Categories.None)
        {
            faults.Add(new FieldFault("release.categories", "lists a category that this ground cannot release"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }

        return ground;
    }
}
