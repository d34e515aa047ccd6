using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Purpose = CoordinationPlan.V1.Purpose;

namespace CoordinationPlan.Server.Consents;

/// <summary>That a person was asked, consents, or refuses.</summary>
/// <param name="Sealed">
/// Evidence, representative, the child's view and missing guardians, sealed with the person's key for just this version; null where nothing of it was said.
/// </param>
internal sealed record ConsentRecord(
    Guid ConsentId,
    ConsentState State,
    string[] RecipientUnits,
    Categories Categories,
    Categories ExcludedCategories,
    Purpose Purpose,
    DateOnly StartsOn,
    DateOnly EndsOn,
    ConsentForm Form,
    ConsentGiver GivenBy,
    string RecordedBy,
    DateTimeOffset RecordedAt,
    DateTimeOffset? WithdrawnAt,
    int Version,
    byte[]? Sealed)
{
    private static readonly MessageParser<Consent> Parser = Consent.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(ConsentId, Version);

    private string Place => $"consent/{ConsentId:D}/{Version}";

    /// <summary>Seals of what is said just that which no column holds.</summary>
    public ConsentRecord Holding(DataKey key, Consent said)
    {
        var body = new Consent
        {
            EvidenceReference = said.EvidenceReference,
            Representative = said.Representative,
            ChildsView = said.ChildsView,
            MissingGuardians = { said.MissingGuardians },
        };
        return this with { Sealed = body.CalculateSize() == 0 ? null : key.Seal(Place, body.ToByteArray()) };
    }

    /// <summary>The next version, sealed anew for its place.</summary>
    public ConsentRecord Next(DataKey key, Action<Consent>? change = null)
    {
        var said = Open(key);
        change?.Invoke(said);
        return (this with { Version = Version + 1 }).Holding(key, said);
    }

    /// <summary>The consent as it stands on a day.</summary>
    public Consent ToConsent(Guid planId, DateOnly today, DataKey key, DirectoryNames names)
    {
        var consent = Open(key);
        consent.Name = ResourceName.Child(planId, ResourceName.Consents, ConsentId);
        consent.Etag = Etag;
        consent.State = State == ConsentState.Given && EndsOn < today ? ConsentState.Expired : State;
        consent.RecipientUnits.AddRange(RecipientUnits.Select(unit => names.Name(ResourceName.Units, unit)));
        consent.Categories.AddRange(CategorySets.ToList(Categories));
        consent.ExcludedCategories.AddRange(CategorySets.ToList(ExcludedCategories));
        consent.Purpose = Purpose;
        consent.Period = new DatePeriod { StartDate = StartsOn.ToDate(), EndDate = EndsOn.ToDate() };
        consent.Form = Form;
        consent.GivenBy = GivenBy;
        consent.RecordedBy = names.NameOf(RecordedBy);
        consent.RecordTime = Timestamp.FromDateTimeOffset(RecordedAt);
        consent.WithdrawTime = WithdrawnAt is { } at ? Timestamp.FromDateTimeOffset(at) : null;
        return consent;
    }

    private Consent Open(DataKey key) => Sealed is null ? new Consent() : Parser.ParseFrom(key.Open(Place, Sealed));
}
