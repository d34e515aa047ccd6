using CoordinationPlan.V1;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Rpc;

/// <summary>The contract as the service sees it: every method with the act that it declares.</summary>
internal static class Contract
{
    /// <summary>All services.</summary>
    public static IReadOnlyList<ServiceDescriptor> Services { get; } =
    [
        PlanServiceReflection.Descriptor.Services[0],
        ParticipationServiceReflection.Descriptor.Services[0],
        ConsentServiceReflection.Descriptor.Services[0],
        MeetingServiceReflection.Descriptor.Services[0],
        RiskServiceReflection.Descriptor.Services[0],
        SchoolingServiceReflection.Descriptor.Services[0],
        DischargeServiceReflection.Descriptor.Services[0],
        SuggestionServiceReflection.Descriptor.Services[0],
        CopyServiceReflection.Descriptor.Services[0],
        ProtectionServiceReflection.Descriptor.Services[0],
        ReleaseServiceReflection.Descriptor.Services[0],
        DisclosureServiceReflection.Descriptor.Services[0],
        EmergencyAccessServiceReflection.Descriptor.Services[0],
        OversightServiceReflection.Descriptor.Services[0],
        AccessLogServiceReflection.Descriptor.Services[0],
        DirectoryServiceReflection.Descriptor.Services[0],
        IndicatorServiceReflection.Descriptor.Services[0],
        SchoolRoutineServiceReflection.Descriptor.Services[0],
        AuditServiceReflection.Descriptor.Services[0],
        ChangeFeedServiceReflection.Descriptor.Services[0],
    ];

    private static readonly Dictionary<string, RpcMethod> Methods = Services
        .SelectMany(service => service.Methods)
        .Select(method => new RpcMethod(
            $"{method.Service.FullName}/{method.Name}",
            (Policy.Act)(method.GetOptions()?.GetExtension(OptionsExtensions.Act) ?? Act.Unspecified)))
        .ToDictionary(method => "/" + method.Name);

    /// <summary>The method of a call, by the path that gRPC gives it. One that is not in the contract has no act and is refused.</summary>
    public static RpcMethod MethodOf(string path) => Methods.TryGetValue(path, out var method) ? method : new RpcMethod(path.TrimStart('/'), Policy.Act.Unspecified);
}

/// <summary>A method of the contract: its full name without the leading slash, and its act.</summary>
internal sealed record RpcMethod(string Name, Policy.Act Act);
