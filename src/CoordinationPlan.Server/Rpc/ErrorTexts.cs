using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Rpc;

/// <summary>The two texts of each error reason: for developers in English, for users in Swedish. Constant: no personal data can enter.</summary>
internal static class ErrorTexts
{
    public static (string English, string Swedish) Of(ErrorReason reason) => reason switch
    {
        ErrorReason.Unauthenticated => ("A valid token that is bound to the client certificate is required.", "Logga in på nytt. Inloggningen saknas, har gått ut eller hör till ett annat system."),
        ErrorReason.AccessDenied => ("Permission denied, or there is no such resource.", "Uppgiften finns inte, eller så har du inte behörighet till den."),
        ErrorReason.InvalidFields => ("One or more fields are missing or malformed; see BadRequest.", "Ett eller flera fält saknas eller är felaktigt ifyllda."),
        ErrorReason.StaleEtag => ("The etag is not current; read again and send the change with the new etag.", "Uppgiften har ändrats av någon annan. Läs in den på nytt innan du ändrar."),
        ErrorReason.RequestIdReused => ("The request id was used before for another request.", "Begäran har redan använts för något annat. Försök igen."),
        ErrorReason.WrongState => ("The state of what this is about does not allow it; see PreconditionFailure.", "Det går inte i det läge som gäller nu."),
        ErrorReason.StatutoryContentMissing => ("The plan lacks content that the law demands; see PreconditionFailure.", "Planen saknar innehåll som lagen kräver."),
        ErrorReason.UnknownReference => ("The request refers to something that does not exist or is not in force; see PreconditionFailure.", "Begäran hänvisar till något som inte finns eller inte gäller."),
        ErrorReason.InvalidPageToken => ("The page token is not valid for this caller and query.", "Sidan kan inte visas. Börja om från första sidan."),
        ErrorReason.Unavailable => ("The service is not ready; retry with the same request id.", "Tjänsten är inte tillgänglig just nu. Försök igen om en stund."),
        ErrorReason.DeadlineExceeded => ("The deadline passed before the answer was committed; retry with the same request id.", "Det tog för lång tid. Försök igen."),
        ErrorReason.ConsentMissing => ("No consent in force allows this.", "Det finns inget gällande samtycke som tillåter detta."),
        ErrorReason.PlanExists => ("The person has a plan already; ErrorInfo names it.", "Personen har redan en plan. Samordna i den."),
        ErrorReason.WhereaboutsFound => ("The document tells of the person's whereabouts, and what it tells is not accepted; see PreconditionFailure.", "Handlingen avslöjar var personen finns. Ändra den, eller godkänn varje fynd med ett skäl."),
        ErrorReason.TooManyCalls => ("Too many calls by this client system; wait as long as RetryInfo says.", "Systemet har gjort för många anrop. Försök igen om en stund."),
        ErrorReason.MessageTooLarge => ("The message is larger than the service takes.", "Det är för mycket på en gång. Dela upp det."),
        _ => ("An internal error occurred.", "Ett tekniskt fel uppstod."),
    };
}
