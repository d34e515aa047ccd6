using System.Diagnostics;
using CoordinationPlan.V1;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Every error that the service answers with: a status with exactly one ErrorInfo (AIP-193), a Swedish LocalizedMessage, and details of
/// fields or preconditions where there are any. Nothing that a caller or a database sent is repeated in it.
/// </summary>
internal static class Errors
{
    /// <summary>The domain of all reasons in <see cref="ErrorReason"/>.</summary>
    public const string Domain = "coordinationplan";

    /// <summary>Details travel in a header, which clients limit.</summary>
    private const int MaxFindings = 20;

    /// <summary>The one neutral refusal: the same bytes whatever the reason, and whether the thing exists or not (AIP-211).</summary>
    public static RpcException AccessDenied() => Error(StatusCode.PermissionDenied, ErrorReason.AccessDenied);

    public static RpcException Unauthenticated() => Error(StatusCode.Unauthenticated, ErrorReason.Unauthenticated);

    public static RpcException StaleEtag() => Error(StatusCode.Aborted, ErrorReason.StaleEtag);

    public static RpcException RequestIdReused() => Error(StatusCode.InvalidArgument, ErrorReason.RequestIdReused, InvalidField("request_id", "was used before for another request"));

    public static RpcException InvalidPageToken() => Error(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken, InvalidField("page_token", "is not valid for this caller and query"));

    public static RpcException InvalidCursor() => Error(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken, InvalidField("cursor", "is not valid for this caller"));

    public static RpcException Unavailable() => Error(StatusCode.Unavailable, ErrorReason.Unavailable);

    /// <summary>This server is about to stop; another answers, or this one after a while.</summary>
    public static RpcException Unavailable(TimeSpan retryAfter) => Error(StatusCode.Unavailable, ErrorReason.Unavailable, new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) });

    /// <summary>The client system has called for more than its share; there is room again after so long.</summary>
    public static RpcException TooManyCalls(TimeSpan retryAfter) =>
        Error(StatusCode.ResourceExhausted, ErrorReason.TooManyCalls, new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) });

    /// <summary>More than the service takes in one message; it was not read.</summary>
    public static RpcException MessageTooLarge() => Error(StatusCode.ResourceExhausted, ErrorReason.MessageTooLarge);

    public static RpcException DeadlineExceeded() => Error(StatusCode.DeadlineExceeded, ErrorReason.DeadlineExceeded);

    /// <summary>A fault of the service's own, with the trace id that it is recorded under.</summary>
    public static RpcException Internal() => TraceId is { } id ? Error(StatusCode.Internal, ErrorReason.Internal, new RequestInfo { RequestId = id }) : Error(StatusCode.Internal, ErrorReason.Internal);

    /// <summary>The trace of the call that is under way, in hexadecimal digits; null where it has none.</summary>
    public static string? TraceId => Activity.Current?.TraceId.ToHexString();

    /// <summary>A field, by its path in the request, and what is wrong with it.</summary>
    public static RpcException InvalidFields(params IEnumerable<FieldFault> faults)
    {
        var details = new BadRequest();
        foreach (var (field, description) in faults)
        {
            details.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = field, Description = description });
        }

        return Error(StatusCode.InvalidArgument, ErrorReason.InvalidFields, details);
    }

    /// <summary>What the state of the plan, or of something else, does not allow.</summary>
    public static RpcException WrongState(string description, string subject = "plan") =>
        Error(StatusCode.FailedPrecondition, ErrorReason.WrongState, Unmet(new Precondition("STATE", subject, description)));

    /// <summary>A reference to something that does not exist, by the field that makes it.</summary>
    public static RpcException UnknownReference(string field, string description) =>
        Error(StatusCode.FailedPrecondition, ErrorReason.UnknownReference, Unmet(new Precondition("REFERENCE", field, description)));

    /// <summary>What the law demands and the plan lacks.</summary>
    public static RpcException StatutoryContentMissing(IEnumerable<Precondition> missing) =>
        Error(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing, Unmet([.. missing]));

    /// <summary>A plan that stands in the way and that the caller may read. <see cref="Access.Entry.RequireNoPlanBeside"/> is where that is decided.</summary>
    public static RpcException PlanExists(Guid plan) =>
        Error(StatusCode.FailedPrecondition, ErrorReason.PlanExists, new Dictionary<string, string> { ["plan"] = ResourceName.Plan(plan) }, Unmet(new Precondition("STATE", "plan", "The person has another plan.")));

    /// <summary>
    /// That a document tells of the whereabouts: kinds and positions, never what stands there; or, where nothing is found, that something was accepted.
    /// </summary>
    public static RpcException WhereaboutsFound(IReadOnlyCollection<WhereaboutsFinding> findings) =>
        Error(
            StatusCode.FailedPrecondition,
            ErrorReason.WhereaboutsFound,
            findings.Count == 0
                ? Unmet(new Precondition("ACCEPTED", "disclosure.accepted_findings", "lists what is not found in the document"))
                : Unmet([.. findings.Take(MaxFindings).Select(finding => new Precondition(WireNames.Of(finding.Kind), finding.Field, $"at {finding.Offset}, {finding.Length} characters"))]));

    /// <summary>The reason of an error that this class made; INTERNAL for any other.</summary>
    public static ErrorReason ReasonOf(RpcException exception)
    {
        var name = exception.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;
        return ErrorReasonDescriptor.Values.FirstOrDefault(value => WireName(value) == name) is { } found ? (ErrorReason)found.Number : ErrorReason.Internal;
    }

    /// <summary>The reason as it goes over the wire: the enum value's name without its prefix.</summary>
    public static string WireName(ErrorReason reason) => WireName(ErrorReasonDescriptor.FindValueByNumber((int)reason));

    private static EnumDescriptor ErrorReasonDescriptor { get; } = ErrorReasonReflection.Descriptor.FindTypeByName<EnumDescriptor>("ErrorReason");

    private static string WireName(EnumValueDescriptor value) => value.Name["ERROR_REASON_".Length..];

    private static RpcException Error(StatusCode code, ErrorReason reason, params ReadOnlySpan<Google.Protobuf.IMessage> details) =>
        Error(code, reason, new Dictionary<string, string>(), details);

    private static RpcException Error(StatusCode code, ErrorReason reason, Dictionary<string, string> metadata, params ReadOnlySpan<Google.Protobuf.IMessage> details)
    {
        var (english, swedish) = ErrorTexts.Of(reason);
        var status = new RpcStatus { Code = (int)code, Message = english };
        status.Details.Add(Any.Pack(new ErrorInfo { Reason = WireName(reason), Domain = Domain, Metadata = { metadata } }));
        status.Details.Add(Any.Pack(new LocalizedMessage { Locale = "sv-SE", Message = swedish }));
        foreach (var detail in details)
        {
            status.Details.Add(Any.Pack(detail));
        }

        return status.ToRpcException();
    }

    private static BadRequest InvalidField(string field, string description) =>
        new() { FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = description } } };

    private static PreconditionFailure Unmet(params ReadOnlySpan<Precondition> missing)
    {
        var failure = new PreconditionFailure();
        foreach (var (type, subject, description) in missing)
        {
            failure.Violations.Add(new PreconditionFailure.Types.Violation { Type = type, Subject = subject, Description = description });
        }

        return failure;
    }
}

/// <summary>What is wrong with a field. The description never repeats the value.</summary>
internal readonly record struct FieldFault(string Field, string Description);

/// <summary>What must hold first: a kind, what it is about, and a text with the paragraph it rests on.</summary>
internal readonly record struct Precondition(string Type, string Subject, string Description);
