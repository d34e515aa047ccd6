using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Suggestions;

/// <summary>What has become of a suggestion.</summary>
internal enum SuggestionState : short
{
    /// <summary>Sent, and not answered.</summary>
    Open = 1,

    /// <summary>A plan was opened from it, or it was dismissed.</summary>
    Answered = 2,

    /// <summary>Sent by somebody who is kept out from the person: it reaches nobody, and the sender is not told.</summary>
    SetAside = 3,
}

/// <summary>A school's suggestion that a person needs a plan.</summary>
/// <param name="Sealed">Who is meant, why, and whom to ask, sealed with the person's key.</param>
internal sealed record SuggestionRecord(
    Guid SuggestionId, Guid SubjectId, string RecipientUnitId, string SenderUnitId, SuggestionState State, DateTimeOffset SentAt, int Version, byte[] Sealed)
{
    private static readonly MessageParser<PlanSuggestion> Parser = PlanSuggestion.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(SuggestionId, Version);

    // Without a version: what the sender wrote is never written anew.
    private string Place => $"plan_suggestion/{SuggestionId:D}";

    public SuggestionRecord Holding(DataKey key, PlanSuggestion suggestion) => this with
    {
        Sealed = key.Seal(Place, new PlanSuggestion { Subject = suggestion.Subject, Reason = suggestion.Reason, Contact = suggestion.Contact }.ToByteArray()),
    };

    /// <summary>The answer, with where it is documented; that is sealed too.</summary>
    public SuggestionAnswer Answer(DataKey key, Guid? plan, SuggestionDismissal dismissal, string reference) =>
        new(SuggestionId, Version + 1, plan, dismissal, reference.Length == 0 ? null : key.Seal($"{Place}/answer", new AnswerSuggestionRequest { Reference = reference }.ToByteArray()));

    /// <summary>What the receiving unit reads.</summary>
    public PlanSuggestion ToSuggestion(DataKey key, DirectoryNames names)
    {
        var suggestion = Parser.ParseFrom(key.Open(Place, Sealed));
        suggestion.Name = ResourceName.PlanSuggestion(SuggestionId);
        suggestion.Etag = Etag;
        suggestion.SendTime = Timestamp.FromDateTimeOffset(SentAt);
        suggestion.RecipientUnit = names.Name(ResourceName.Units, RecipientUnitId);
        suggestion.SenderUnit = names.Name(ResourceName.Units, SenderUnitId);
        return suggestion;
    }
}

/// <summary>The receiving unit's answer.</summary>
/// <param name="PlanId">The plan that was opened from the suggestion; null where it was dismissed.</param>
/// <param name="Sealed">Where the unit has documented it.</param>
internal sealed record SuggestionAnswer(Guid SuggestionId, int Version, Guid? PlanId, SuggestionDismissal Dismissal, byte[]? Sealed);

/// <summary>What a suggestion about a person meets.</summary>
/// <param name="RecipientTakes">The unit that it is sent to is social services or health care of a municipality or region.</param>
/// <param name="Plans">One plan for each unit that owns some of the person, to alert it by.</param>
internal sealed record Surroundings(bool RecipientTakes, Guid[] Plans);
