using CoordinationPlan.V1;
using Google.Rpc;
using Grpc.Core;

namespace CoordinationPlan.Client;

/// <summary>Reads what the service says of an error.</summary>
public static class ServiceErrors
{
    /// <summary>The coded reason; UNSPECIFIED where the error did not come from the service.</summary>
    public static ErrorReason Reason(this RpcException error)
    {
        var reason = error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;
        return ErrorReasonReflection.Descriptor.FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>("ErrorReason").Values
            .FirstOrDefault(value => value.Name == "ERROR_REASON_" + reason) is { } found
                ? (ErrorReason)found.Number
                : ErrorReason.Unspecified;
    }

    /// <summary>The plan that the person has already, `plans/{plan}`, where the reason is PLAN_EXISTS; null for any other.</summary>
    public static string? ExistingPlan(this RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Metadata.GetValueOrDefault("plan");

    /// <summary>A text for the user, in Swedish; null where the error did not come from the service.</summary>
    public static string? UserText(this RpcException error) => error.GetRpcStatus()?.GetDetail<LocalizedMessage>()?.Message;

    /// <summary>Under what a fault of the service is recorded there, for its operator, where the reason is INTERNAL; null for any other.</summary>
    public static string? TraceId(this RpcException error) => error.GetRpcStatus()?.GetDetail<RequestInfo>()?.RequestId;

    /// <summary>The faulty fields and what is wrong with each.</summary>
    public static IReadOnlyList<(string Field, string Description)> FieldFaults(this RpcException error) =>
        [.. (error.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations ?? []).Select(fault => (fault.Field, fault.Description))];

    /// <summary>What must hold first, each with what it is about: for example the statutory content that a plan lacks.</summary>
    public static IReadOnlyList<(string Subject, string Description)> UnmetPreconditions(this RpcException error) =>
        [.. (error.GetRpcStatus()?.GetDetail<PreconditionFailure>()?.Violations ?? []).Select(unmet => (unmet.Subject, unmet.Description))];
}
