using CoordinationPlan.Server.Rpc;
using Google.Rpc;
using Grpc.Core;
using Hl7.Fhir.Model;
using Microsoft.AspNetCore.Http;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// What the door itself has to say against a request, before anything was asked of the service or about nothing but the request. The text is constant: nothing that was
/// sent is repeated.
/// </summary>
internal sealed class FhirFault(int status, OperationOutcome.IssueType code, string text) : Exception(text)
{
    public int Status => status;

    public OperationOutcome Outcome => new()
    {
        Issue = [new OperationOutcome.IssueComponent { Severity = OperationOutcome.IssueSeverity.Error, Code = code, Diagnostics = Message }],
    };

    public static FhirFault Invalid(string text) => new(StatusCodes.Status400BadRequest, OperationOutcome.IssueType.Invalid, text);

    public static FhirFault Unprocessable(string text) => new(StatusCodes.Status422UnprocessableEntity, OperationOutcome.IssueType.BusinessRule, text);

    public static FhirFault NotThere(string text) => new(StatusCodes.Status404NotFound, OperationOutcome.IssueType.NotFound, text);

    public static FhirFault NotSupported() => new(
        StatusCodes.Status404NotFound,
        OperationOutcome.IssueType.NotSupported,
        "This interaction is not supported here; metadata lists those that are. Searches are made by POST to _search, with nothing of a person in the address.");

    public static FhirFault NotAcceptable() =>
        new(StatusCodes.Status406NotAcceptable, OperationOutcome.IssueType.NotSupported, "Answers are application/fhir+json in FHIR version 4.0, and nothing else.");

    public static FhirFault MediaTypeNotSupported(string text) => new(StatusCodes.Status415UnsupportedMediaType, OperationOutcome.IssueType.NotSupported, text);

    public static FhirFault VersionRequired() =>
        new(StatusCodes.Status428PreconditionRequired, OperationOutcome.IssueType.Required, "If-Match with the version that was read is required.");

    public static FhirFault TooLarge() => new(StatusCodes.Status413PayloadTooLarge, OperationOutcome.IssueType.TooLong, "The body is larger than the service takes.");
}

/// <summary>The contract's errors as FHIR has them: the same coded reason and the same two texts.</summary>
internal static class FhirErrors
{
    public static (int Status, OperationOutcome Outcome) Of(RpcException error)
    {
        var (status, code) = error.StatusCode switch
        {
            StatusCode.Unauthenticated => (StatusCodes.Status401Unauthorized, OperationOutcome.IssueType.Login),
            StatusCode.PermissionDenied => (StatusCodes.Status403Forbidden, OperationOutcome.IssueType.Forbidden),
            StatusCode.InvalidArgument => (StatusCodes.Status400BadRequest, OperationOutcome.IssueType.Invalid),
            StatusCode.Aborted => (StatusCodes.Status412PreconditionFailed, OperationOutcome.IssueType.Conflict),
            StatusCode.FailedPrecondition => (StatusCodes.Status422UnprocessableEntity, OperationOutcome.IssueType.BusinessRule),
            StatusCode.ResourceExhausted => (StatusCodes.Status429TooManyRequests, OperationOutcome.IssueType.Throttled),
            StatusCode.Unavailable => (StatusCodes.Status503ServiceUnavailable, OperationOutcome.IssueType.Transient),
            StatusCode.DeadlineExceeded => (StatusCodes.Status504GatewayTimeout, OperationOutcome.IssueType.Timeout),
            _ => (StatusCodes.Status500InternalServerError, OperationOutcome.IssueType.Exception),
        };
        var (english, swedish) = ErrorTexts.Of(Errors.ReasonOf(error));
        var outcome = new OperationOutcome
        {
            Issue =
            [
                new OperationOutcome.IssueComponent
                {
                    Severity = OperationOutcome.IssueSeverity.Error,
                    Code = code,
                    Details = new CodeableConcept { Coding = [new Coding(FhirSystems.Own + "error-reason", Errors.WireName(Errors.ReasonOf(error)))], Text = swedish },
                    Diagnostics = english,
                },
            ],
        };
        var details = error.GetRpcStatus();
        foreach (var violation in details?.GetDetail<BadRequest>()?.FieldViolations ?? [])
        {
            Add(outcome, code, $"{violation.Field} {violation.Description}");
        }

        foreach (var violation in details?.GetDetail<PreconditionFailure>()?.Violations ?? [])
        {
            Add(outcome, code, $"{violation.Subject}: {violation.Description}");
        }

        if (details?.GetDetail<RequestInfo>() is { } request)
        {
            Add(outcome, code, $"trace id {request.RequestId}");
        }

        return (status, outcome);
    }

    /// <summary>How long to wait before the same is tried again, where the service says so.</summary>
    public static TimeSpan? RetryAfter(RpcException error) => error.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay.ToTimeSpan();

    private static void Add(OperationOutcome outcome, OperationOutcome.IssueType code, string text) =>
        outcome.Issue.Add(new OperationOutcome.IssueComponent { Severity = OperationOutcome.IssueSeverity.Error, Code = code, Diagnostics = text });
}
