using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Consents;

/// <summary>The person's consents. What each RPC does and who may call it stands in consent_service.proto.</summary>
internal sealed class ConsentService(CaseGate gate, DirectoryNames names) : V1.ConsentService.ConsentServiceBase
{
    public override Task<RecordConsentResponse> RecordConsent(RecordConsentRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var consent = request.Consent;
        var units = consent.RecipientUnits
            .Select((name, i) => names.Parse(name, ResourceName.Units, $"consent.recipient_units[{i}]"))
            .Distinct()
            .ToArray();
        RequireWhatLawAllows(consent);
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(ConsentSql.Count(units));
            },
            (entry, recipients, trip) =>
            {
                entry.RequireOpen();
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (recipients.Known < units.Length || (recipients.ShelteredHousings > 0 && !entry.MayKnowWhereabouts))
                {
                    throw Errors.UnknownReference("consent.recipient_units", "must all be units in the directory");
                }

                // A guardian speaks for a child until the day the child turns 18 (FB 6 kap. 2 §). So that this standing ends by itself, the consent ends before.
                if (consent.GivenBy == ConsentGiver.Guardian && consent.Period.EndDate.ToDateOnly() >= entry.AdultOn(identity!.Value.State))
                {
                    throw Errors.InvalidFields(new FieldFault(
                        "consent.period.end_date", "must be before the person turns 18, where a guardian gives the consent: the guardian's standing ends that day"));
                }

                var record = new ConsentRecord(
                    Ids.Opaque(),
                    consent.State,
                    units,
                    CategorySets.ToSet(consent.Categories),
                    CategorySets.ToSet(consent.ExcludedCategories),
                    consent.Purpose,
                    consent.Period.StartDate.ToDateOnly(),
                    consent.Period.EndDate.ToDateOnly(),
                    consent.Form,
                    consent.GivenBy,
                    entry.ChangedBy,
                    entry.Now,
                    null,
                    1);
                trip.Add(ConsentSql.Insert(planId, record, entry.ChangedBy));
                return new RecordConsentResponse { Consent = record.ToConsent(planId, names) };
            });
    }

    public override Task<WithdrawConsentResponse> WithdrawConsent(WithdrawConsentRequest request, ServerCallContext context)
    {
        var (planId, consentId) = ResourceName.ParseChild(request.Name, ResourceName.Consents, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ConsentSql.Find(planId, consentId)),
            (entry, consent, trip) =>
            {
                // Also in a closed plan: a person may withdraw at any time.
                Entry.RequireEtag(request.Etag, consent.Etag);
                if (consent.State == ConsentState.Withdrawn)
                {
                    throw Errors.WrongState("The consent has been withdrawn already.");
                }

                var withdrawn = consent with { State = ConsentState.Withdrawn, WithdrawnAt = entry.Now, Version = consent.Version + 1 };
                trip.Add(ConsentSql.Withdraw(planId, withdrawn, entry.ChangedBy));
                return new WithdrawConsentResponse { Consent = withdrawn.ToConsent(planId, names) };
            });
    }

    /// <summary>A consent is never general (OSL 2009:400 10 kap. 1 §): it has an end, and it releases only what a person can release.</summary>
    private static void RequireWhatLawAllows(Consent consent)
    {
        var faults = new List<FieldFault>();
        if (consent.State == ConsentState.Withdrawn)
        {
            faults.Add(new FieldFault("consent.state", "must be ASKED, GIVEN or REFUSED; a withdrawal is recorded by WithdrawConsent"));
        }

        if (consent.Period.EndDate is null)
        {
            faults.Add(new FieldFault("consent.period.end_date", "is required: a consent holds for a limited time"));
        }

        if ((CategorySets.ToSet(consent.Categories) & ~AccessPolicy.Releasable) != Categories.None)
        {
            faults.Add(new FieldFault("consent.categories", "lists a category that a consent cannot release"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }
}
