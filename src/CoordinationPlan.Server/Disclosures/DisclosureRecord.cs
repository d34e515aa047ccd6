using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>
/// A document that was sent. Sealed with the key of the whereabouts whatever was found in it: what a search does not see a reader may. The document lies apart from
/// what is said of it, so that lists do not open it.
/// </summary>
internal sealed record DisclosureRecord(Guid DisclosureId, DisclosureKind Kind, string Ground, string RecordedBy, DateTimeOffset RecordedAt, byte[] Sealed, byte[]? SealedDocument)
{
    private static readonly MessageParser<Disclosure> Parser = Disclosure.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<OutgoingDocument> DocumentParser = OutgoingDocument.Parser.WithDiscardUnknownFields(true);

    private string Place => $"disclosure/{DisclosureId:D}";

    private string PlaceOfDocument => $"disclosure/{DisclosureId:D}/document";

    public DisclosureRecord Holding(DataKey key, Disclosure said)
    {
        var body = new Disclosure
        {
            DecisionReference = said.DecisionReference,
            ReceiverUnit = said.ReceiverUnit,
            ReceiverName = said.ReceiverName,
            AcceptanceReason = said.AcceptanceReason,
            Warning = said.Warning,
        };
        body.AcceptedFindings.AddRange(said.AcceptedFindings);
        return this with { Sealed = key.Seal(Place, body.ToByteArray()), SealedDocument = key.Seal(PlaceOfDocument, said.Document.ToByteArray()) };
    }

    public Disclosure ToDisclosure(Guid planId, DataKey key, DirectoryNames names)
    {
        var disclosure = Parser.ParseFrom(key.Open(Place, Sealed));
        var outline = ToOutline(planId);
        outline.RecordedBy = names.NameOf(RecordedBy);
        disclosure.MergeFrom(outline);
        disclosure.Document = SealedDocument is { } document ? DocumentParser.ParseFrom(key.Open(PlaceOfDocument, document)) : null;
        return disclosure;
    }

    /// <summary>What the kept answer may hold, which is sealed with the person's other key.</summary>
    public Disclosure ToOutline(Guid planId) => new()
    {
        Name = ResourceName.Child(planId, ResourceName.Disclosures, DisclosureId),
        Kind = Kind,
        Ground = Ground,
        RecordTime = Timestamp.FromDateTimeOffset(RecordedAt),
    };
}
