using CoordinationPlan.Law;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Releases;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using LegalGround = CoordinationPlan.Server.Releases.LegalGround;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>Documents that leave for receivers outside a plan. What each RPC does and who may call it stands in disclosure_service.proto.</summary>
internal sealed class DisclosureService(CaseGate gate, DirectoryNames names, LegalGrounds grounds, DisclosureWarnings warnings, TimeProvider time)
    : V1.DisclosureService.DisclosureServiceBase
{
    /// <summary>As many as a request can list, so that a document with more cannot be accepted unread.</summary>
    private const int MostFindings = 50;

    public override Task<CheckDisclosureResponse> CheckDisclosure(CheckDisclosureRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        Pending<List<TellingUnit>>? units = null;
        return gate.Read<WhereaboutsRecord, CheckDisclosureResponse>(
            request,
            context,
            planId,
            trip =>
            {
                units = trip.Add(DisclosureSql.TellingUnits(planId, names));
                return trip.Add(ProtectionSql.Whereabouts(planId));
            },
            async (entry, whereabouts, _) =>
            {
                var findings = await Find(entry, whereabouts, units!.Value, request.Document, context.CancellationToken);
                return () => new CheckDisclosureResponse { Findings = { findings.Take(MostFindings) }, More = findings.Count > MostFindings, Warning = warnings.Of(request.Kind) };
            });
    }

    public override Task<RecordDisclosureResponse> RecordDisclosure(RecordDisclosureRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var disclosure = request.Disclosure;
        var receiver = names.ParseOptional(disclosure.ReceiverUnit, ResourceName.Units, "disclosure.receiver_unit");
        RequireWhole(disclosure);
        var ground = grounds.Find(disclosure.Ground, time.Today()) is { } found && found.IsForDocument(disclosure.Kind)
            ? found
            : throw Errors.UnknownReference("disclosure.ground", "must be a legal ground in force today, for documents of this kind, as ListLegalGrounds gives it");
        Pending<List<TellingUnit>>? units = null;
        Pending<bool>? receiverIsThere = null;
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                units = trip.Add(DisclosureSql.TellingUnits(planId, names));
                receiverIsThere = trip.Add(DisclosureSql.IsThere(receiver));
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(ProtectionSql.Whereabouts(planId));
            },
            async (entry, whereabouts, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (!receiverIsThere!.Value)
                {
                    throw Errors.UnknownReference("disclosure.receiver_unit", "must be a unit in the directory");
                }

                RequireHolds(ground, entry, identity!.Value.State);
                RequireAccepted(disclosure, await Find(entry, whereabouts, units!.Value, disclosure.Document, context.CancellationToken));
                using var key = await Protection.ProtectionService.WhereaboutsKey(entry, whereabouts, trip, context.CancellationToken);
                var said = disclosure.Clone();
                said.Warning = warnings.Of(disclosure.Kind);
                var record = new DisclosureRecord(Ids.Opaque(), disclosure.Kind, ground.Code, entry.ChangedBy, entry.Now, [], null).Holding(key, said);
                trip.Add(DisclosureSql.Insert(planId, record));
                return new RecordDisclosureResponse { Disclosure = record.ToOutline(planId) };
            });
    }

    public override Task<ListDisclosuresResponse> ListDisclosures(ListDisclosuresRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        Pending<List<DisclosureRecord>>? disclosures = null;
        return gate.Read<WhereaboutsRecord, ListDisclosuresResponse>(
            request,
            context,
            planId,
            trip =>
            {
                disclosures = trip.Add(DisclosureSql.Of(planId));
                return trip.Add(ProtectionSql.Whereabouts(planId));
            },
            async (entry, whereabouts, _) =>
            {
                var response = new ListDisclosuresResponse();
                if (whereabouts.Key is { } wrapped)
                {
                    using var key = await entry.SubjectKeys.Unwrap(Compartment.Whereabouts, wrapped, context.CancellationToken);
                    response.Disclosures.AddRange(disclosures!.Value.Select(disclosure => disclosure.ToDisclosure(planId, key, names)));
                }

                return () => response;
            });
    }

    public override Task<GetDisclosureResponse> GetDisclosure(GetDisclosureRequest request, ServerCallContext context)
    {
        var (planId, disclosureId) = ResourceName.ParseChild(request.Name, ResourceName.Disclosures, "name");
        Pending<Loaded<WhereaboutsRecord>>? whereabouts = null;
        return gate.Read<DisclosureRecord, GetDisclosureResponse>(
            request,
            context,
            planId,
            trip =>
            {
                whereabouts = trip.Add(ProtectionSql.Whereabouts(planId));
                return trip.Add(DisclosureSql.Find(planId, disclosureId));
            },
            async (entry, disclosure, _) =>
            {
                // What was recorded was sealed with this key, so it is there.
                using var key = await entry.SubjectKeys.Unwrap(Compartment.Whereabouts, whereabouts!.Value.State!.Key!.Value, context.CancellationToken);
                var response = new GetDisclosureResponse { Disclosure = disclosure.ToDisclosure(planId, key, names) };
                return () => response;
            });
    }

    private static async Task<IReadOnlyList<WhereaboutsFinding>> Find(
        Entry entry, WhereaboutsRecord record, IEnumerable<TellingUnit> units, OutgoingDocument document, CancellationToken stop) =>
        (await WhereaboutsGuard.Search(entry, record, units, stop)).In(document);

    private static void RequireWhole(Disclosure disclosure)
    {
        var faults = new List<FieldFault>();
        if (disclosure.ReceiverUnit.Length == 0 == (disclosure.ReceiverName.Length == 0))
        {
            faults.Add(new FieldFault("disclosure.receiver_name", "exactly one of receiver_unit and receiver_name must be set"));
        }

        if (disclosure.AcceptedFindings.Count > 0 && disclosure.AcceptanceReason.Length == 0)
        {
            faults.Add(new FieldFault("disclosure.acceptance_reason", "is required where findings are accepted"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    private static void RequireHolds(LegalGround ground, Entry entry, SealedIdentity? identity)
    {
        if (!ground.From.Contains(entry.CallerFacts.UnitKind))
        {
            throw Errors.InvalidFields(new FieldFault("disclosure.ground", $"is no ground for a unit like the owning one: {ground.Paragraph}"));
        }

        if (ground.OnlyMinors && entry.Today >= entry.ReachedOn(PlanLaw.Majority, identity))
        {
            throw Errors.InvalidFields(new FieldFault("disclosure.ground", "holds only as long as the person is under 18"));
        }
    }

    /// <summary>Exactly what is found is accepted: neither less, nor something that another document or other whereabouts had.</summary>
    private static void RequireAccepted(Disclosure disclosure, IReadOnlyList<WhereaboutsFinding> findings)
    {
        if (findings.Count > MostFindings || !findings.ToHashSet().SetEquals(disclosure.AcceptedFindings))
        {
            throw Errors.WhereaboutsFound(findings);
        }
    }
}
