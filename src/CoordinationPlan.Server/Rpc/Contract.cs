using CoordinationPlan.V1;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Rpc;

/// <summary>The contract as the service sees it: every method with the act that it declares.</summary>
internal static class Contract
{
    /// <summary>The points of a call that reads one thing.</summary>
    public const int CostOfARead = 1;

    /// <summary>All services.</summary>
    public static IReadOnlyList<ServiceDescriptor> Services { get; } =
    [
        PlanServiceReflection.Descriptor.Services[0],
        ParticipationServiceReflection.Descriptor.Services[0],
        ParticipationSyncServiceReflection.Descriptor.Services[0],
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
            (Policy.Act)ActOf(method),
            CostOf(method)))
        .ToDictionary(method => "/" + method.Name);

    /// <summary>The method of a call, by the path that gRPC gives it. One that is not in the contract has no act and is refused.</summary>
    public static RpcMethod MethodOf(string path) => Methods.TryGetValue(path, out var method) ? method : new RpcMethod(path.TrimStart('/'), Policy.Act.Unspecified, CostOfARead);

    private static Act ActOf(MethodDescriptor method) => method.GetOptions()?.GetExtension(OptionsExtensions.Act) ?? Act.Unspecified;

    private const int CostOfAList = 20;
    private const int CostOfAChange = 100;

    /// <summary>Whatever answers with messages in a list is one; so is one task, which is looked for in a list.</summary>
    private static int CostOf(MethodDescriptor method) =>
        method.InputType.FindFieldByName("request_id") is not null ? CostOfAChange
        : method.OutputType.Fields.InDeclarationOrder().Any(field => field is { IsRepeated: true, FieldType: FieldType.Message }) || ActOf(method) == Act.ListTasks ? CostOfAList
        : CostOfARead;
}

/// <summary>A method of the contract: its full name without the leading slash, its act, and how many points a call costs; for a stream, each message that it brings or tells something by.</summary>
internal sealed record RpcMethod(string Name, Policy.Act Act, int Cost);
