using System.Security.Cryptography;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Meetings;
using CoordinationPlan.Server.Participations;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Copies;

/// <summary>Copies of a plan as documents. What each RPC does and who may call it stands in copy_service.proto.</summary>
internal sealed class CopyService(CaseGate gate, DirectoryNames names) : V1.CopyService.CopyServiceBase
{
    /// <summary>Clients take answers of up to 4 MB unless they are told otherwise.</summary>
    private const int MaxDocumentBytes = 3 * 1024 * 1024;

    /// <summary>
    /// What a copy can hold at all, whoever receives it: what is agreed in the plan. A paper leaves every room, so it never tells where the person is; it
    /// says nothing of risk, third parties, protection, or who was asked for consent.
    /// </summary>
    internal const Categories InDocuments = Categories.Existence | Categories.Identity | Categories.GoalsAndInterventions | Categories.SocialSituation
        | Categories.Health | Categories.ChildsOwnWords | Categories.Meetings;

    public override Task<IssueCopyResponse> IssueCopy(IssueCopyRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        Pending<Loaded<PlanRecord>>? revision = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                revision = request.Revision == 0 ? null : trip.Add(RevisionSql.Record(planId, request.Revision));
                return trip.Add(PlanSql.Load(planId));
            },
            async (entry, current, trip) =>
            {
                if (request.Receiver == CopyReceiver.ThePerson && entry.Plan.Relation != Relation.Owning)
                {
                    throw Errors.AccessDenied();
                }

                Entry.RequireEtag(request.Etag, current.Etag);
                var record = revision is null ? current
                    : revision.Value.State ?? throw Errors.UnknownReference("revision", "must be the number of an established revision, as ListPlanRevisions gives it");
                var (contents, copy) = await Read(entry, record, request, context.CancellationToken);
                var (document, missing) = PlanDocument.Of(contents, copy);
                var file = DocumentPdf.Write(document);
                if (file.Length > MaxDocumentBytes)
                {
                    throw Errors.WrongState("The document would be larger than 3 MB.");
                }

                copy = copy with { Sha256 = SHA256.HashData(file) };
                trip.Add(CopySql.Insert(planId, copy));
                return new IssueCopyResponse
                {
                    PlanCopy = copy.ToCopy(planId, names),
                    Document = new CopyDocument
                    {
                        Content = request.ValidateOnly ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(file),
                        Categories = { CategorySets.ToList(copy.Held) },
                        MediaType = "application/pdf",
                        FileName = $"kopia-{copy.CopyId:N}.pdf",
                        MissingCharacters = missing,
                    },
                };
            });
    }

    public override Task<ListCopiesResponse> ListCopies(ListCopiesRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var copies = trip.Add(CopySql.Of(planId, entry.Permit.Reads, entry.Plan.Relation == Relation.Owning ? null : entry.CallerFacts.UnitId));
            return Task.FromResult(() => new ListCopiesResponse { PlanCopies = { copies.Value.Select(copy => copy.ToCopy(planId, names)) } });
        });
    }

    /// <summary>
    /// What the copy is to show, read within the permit and dropped by the same guard as every answer, and the copy's record without its hash. What would tell
    /// where the person is, a school too while it does, is not fetched.
    /// </summary>
    private async Task<(CopyContents Contents, CopyRecord Copy)> Read(Entry entry, PlanRecord record, IssueCopyRequest request, CancellationToken stop)
    {
        var planId = record.PlanId;
        var shown = entry.Permit.Reads & (AccessPolicy.HidesSchool(PolicyInputs.Of(entry.Plan)) ? InDocuments : InDocuments | Categories.SchoolPlacement);
        var sight = entry.Sight with { Permitted = shown };
        var reading = entry.NewTrip();
        var ofRevision = request.Revision == 0 ? null : reading.Add(RevisionSql.Parts(planId, request.Revision, sight with { Permitted = shown & ~Categories.Identity }));
        // Who the person is, is no part of a revision: an old one would join a new identity to the old.
        var ofToday = reading.Add(PartSql.Of(planId, request.Revision == 0 ? sight : sight with { Permitted = shown & Categories.Identity }));
        var participations = reading.Add(ParticipationSql.Of(planId, sight, names));
        var meetings = shown.HasFlag(Categories.Meetings) ? reading.Add(MeetingSql.Of(planId)) : null;
        var calls = shown.HasFlag(Categories.Meetings) ? reading.Add(MeetingSql.Calls(planId, null)) : null;
        var earlier = reading.Add(CopySql.CountFor(planId, request.Receiver, entry.CallerFacts.UnitId));
        await reading.Run(stop);

        var plan = PlanMapping.ToPlan(record, [.. ofRevision?.Value ?? [], .. ofToday.Value], entry.Key, names);
        plan.Participations.AddRange(participations.Value);
        Redaction.Apply(plan, shown);
        var met = (meetings?.Value ?? []).ConvertAll(meeting => meeting.ToMeeting(
            planId, calls!.Value.Where(call => call.MeetingId == meeting.MeetingId && sight.Shows(call.Category, call.UnitId)), entry.Key, names));
        met.ForEach(meeting => Redaction.Apply(meeting, shown));

        var copy = new CopyRecord(
            Ids.Opaque(),
            request.Receiver,
            earlier.Value + 1,
            entry.CallerFacts.UnitId,
            Sight.CategoryOf((V1.UnitKind)entry.CallerFacts.UnitKind, Categories.Existence),
            request.Revision,
            shown,
            [],
            entry.ChangedBy,
            entry.Now);
        var contents = new CopyContents(
            plan, met, request.Receiver == CopyReceiver.ThePerson ? names.NameOf(copy.IssuedBy) : "", entry.Today, new Dictionary<string, string>());
        var naming = entry.NewTrip();
        var displayNames = naming.Add(CopySql.DisplayNames(contents.Named, names));
        await naming.Run(stop);
        return (contents with { DisplayNames = displayNames.Value }, copy);
    }
}
