using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Consents;

/// <summary>The person's consents. What each RPC does and who may call it stands in consent_service.proto.</summary>
internal sealed class ConsentService(CaseGate gate, DirectoryNames names) : V1.ConsentService.ConsentServiceBase
{
    private const int MaxGuardians = 10;

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
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (recipients.Known < units.Length || (recipients.ShelteredHousings > 0 && !entry.Permit.Reads.HasFlag(Categories.Whereabouts)))
                {
                    throw Errors.UnknownReference("consent.recipient_units", "must all be units in the directory");
                }

                RequireGuardiansStanding(
                    entry, identity!.Value.State, consent.GivenBy, consent.Period.EndDate.ToDateOnly(), consent.ChildsView, "consent.period.end_date", "consent.childs_view");

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
                    1,
                    null).Holding(entry.Key, consent);
                trip.Add(ConsentSql.Insert(planId, record, entry.ChangedBy));
                return new RecordConsentResponse { Consent = record.ToConsent(planId, entry.Today, entry.Key, names) };
            });
    }

    public override Task<WithdrawConsentResponse> WithdrawConsent(WithdrawConsentRequest request, ServerCallContext context) =>
        Replace(request, context, request.Name, request.Etag, (entry, consent, _) =>
        {
            // Also in a closed plan: a person may withdraw at any time.
            if (consent.State == ConsentState.Withdrawn)
            {
                throw Errors.WrongState("The consent has been withdrawn already.");
            }

            return consent.Next(entry.Key) with { State = ConsentState.Withdrawn, WithdrawnAt = entry.Now };
        }, consent => new WithdrawConsentResponse { Consent = consent });

    public override Task<NarrowConsentResponse> NarrowConsent(NarrowConsentRequest request, ServerCallContext context)
    {
        var units = request.RecipientUnits.Select((name, i) => names.Parse(name, ResourceName.Units, $"recipient_units[{i}]")).Distinct().ToArray();
        var (categories, excluded, endsOn) = (CategorySets.ToSet(request.Categories), CategorySets.ToSet(request.ExcludedCategories), request.EndDate.ToDateOnly());
        return Replace(request, context, request.Name, request.Etag, (entry, consent, _) =>
        {
            RequireGiven(consent);
            var wider = new List<FieldFault>();
            if (units.Except(consent.RecipientUnits).Any())
            {
                wider.Add(new FieldFault("recipient_units", "lists a unit that the consent does not"));
            }

            if ((categories & ~consent.Categories) != Categories.None)
            {
                wider.Add(new FieldFault("categories", "lists a category that the consent does not"));
            }

            if ((consent.ExcludedCategories & ~excluded) != Categories.None)
            {
                wider.Add(new FieldFault("excluded_categories", "must list all that is excluded now"));
            }

            if (endsOn > consent.EndsOn || endsOn < consent.StartsOn)
            {
                wider.Add(new FieldFault("end_date", "must be within the consent's period"));
            }

            if (wider.Count > 0)
            {
                throw Errors.InvalidFields(wider);
            }

            return consent.Next(entry.Key) with { RecipientUnits = units, Categories = categories, ExcludedCategories = excluded, EndsOn = endsOn };
        }, consent => new NarrowConsentResponse { Consent = consent });
    }

    public override Task<RenewConsentResponse> RenewConsent(RenewConsentRequest request, ServerCallContext context)
    {
        var endsOn = request.EndDate.ToDateOnly();
        return Replace(request, context, request.Name, request.Etag, (entry, consent, identity) =>
        {
            RequireGiven(consent);
            if (endsOn <= consent.EndsOn || endsOn < entry.Today)
            {
                throw Errors.InvalidFields(new FieldFault("end_date", "must be after the consent's last day, and not before today"));
            }

            RequireGuardiansStanding(entry, identity, consent.GivenBy, endsOn, request.ChildsView, "end_date", "childs_view");
            var renewed = consent.Next(entry.Key, said =>
            {
                said.EvidenceReference = request.EvidenceReference;
                said.ChildsView = request.ChildsView;
            });
            return renewed with { EndsOn = endsOn, Form = request.Form };
        }, consent => new RenewConsentResponse { Consent = consent });
    }

    private Task<TResponse> Replace<TResponse>(
        IChangeRequest request,
        ServerCallContext context,
        string name,
        string etag,
        Func<Entry, ConsentRecord, SealedIdentity?, ConsentRecord> change,
        Func<Consent, TResponse> answer)
        where TResponse : class, IMessage<TResponse>
    {
        var (planId, consentId) = ResourceName.ParseChild(name, ResourceName.Consents, "name");
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(ConsentSql.Find(planId, consentId));
            },
            (entry, consent, trip) =>
            {
                Entry.RequireEtag(etag, consent.Etag);
                var next = change(entry, consent, identity!.Value.State);
                trip.Add(ConsentSql.Replace(planId, next, entry.ChangedBy));
                return answer(next.ToConsent(planId, entry.Today, entry.Key, names));
            });
    }

    private static void RequireGiven(ConsentRecord consent)
    {
        if (consent.State != ConsentState.Given)
        {
            throw Errors.WrongState("Only a consent that was given and has not been withdrawn can be narrowed or renewed.");
        }
    }

    /// <summary>
    /// A guardian speaks for a child until the day the child turns 18; so that this standing ends by itself, the consent ends before. From 15 the child's own view
    /// stands beside it (docs/law.md, ages).
    /// </summary>
    private static void RequireGuardiansStanding(
        Entry entry, SealedIdentity? identity, ConsentGiver giver, DateOnly endsOn, string childsView, string endField, string viewField)
    {
        if (giver != ConsentGiver.Guardian)
        {
            return;
        }

        if (endsOn >= entry.ReachedOn(PlanLaw.Majority, identity))
        {
            throw Errors.InvalidFields(new FieldFault(endField, "must be before the person turns 18, where a guardian gives the consent: the guardian's standing ends that day"));
        }

        if (string.IsNullOrWhiteSpace(childsView) && entry.Today >= entry.ReachedOn(PlanLaw.OwnVoice, identity))
        {
            throw Errors.InvalidFields(new FieldFault(viewField, "is required where a guardian gives the consent of a child who has turned 15"));
        }
    }

    /// <summary>A consent is never general (OSL 2009:400 10 kap. 1 §): it has an end, and it releases only what a person can release.</summary>
    private static void RequireWhatLawAllows(Consent consent)
    {
        var faults = new List<FieldFault>();
        if (consent.State is ConsentState.Withdrawn or ConsentState.Expired)
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

        if (string.IsNullOrWhiteSpace(consent.Representative) == (consent.GivenBy == ConsentGiver.Representative))
        {
            faults.Add(new FieldFault("consent.representative", "says who the representative is and by what right, where a representative gives the consent and only there"));
        }

        if (consent.GivenBy != ConsentGiver.Guardian && consent.MissingGuardians.Count > 0)
        {
            faults.Add(new FieldFault("consent.missing_guardians", "is for a consent that a guardian gives"));
        }

        if (consent.MissingGuardians.Count > MaxGuardians)
        {
            faults.Add(new FieldFault("consent.missing_guardians", $"lists more than {MaxGuardians}"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }
}
