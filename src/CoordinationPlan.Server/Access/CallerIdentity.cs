using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using Grpc.Core;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// Who calls, as token and metadata say, before anything is looked up. What is missing stays null or unspecified, and the policy denies it.
/// Ids are what the database calls them (<see cref="DirectoryNames"/>).
/// </summary>
/// <param name="EmployeeId">The employee; null where a system calls for itself.</param>
/// <param name="ClientSystem">The client id of the system that calls.</param>
/// <param name="AssignmentId">The one assignment that the call is made under.</param>
/// <param name="ContradictsToken">The token is bound to another assignment than the call names.</param>
/// <param name="UnitId">For which unit of its organisation a system calls; null for the assignment's own, as every employee does.</param>
/// <param name="Purpose">What the call is made for.</param>
/// <param name="Assurance">How sure the identity is.</param>
/// <param name="LoggedInAt">When the employee last proved who he or she is; null where the token does not say.</param>
/// <param name="VouchedFor">The organisations whose people the token's issuer answers for; null for all.</param>
/// <param name="Method">The RPC and its act.</param>
/// <param name="TraceId">The W3C trace id.</param>
internal sealed record CallerIdentity(
    string? EmployeeId,
    string ClientSystem,
    string? AssignmentId,
    bool ContradictsToken,
    string? UnitId,
    Purpose Purpose,
    AssuranceLevel Assurance,
    DateTimeOffset? LoggedInAt,
    string[]? VouchedFor,
    RpcMethod Method,
    byte[]? TraceId)
{
    /// <summary>Metadata: which assignment the call is made under, `assignments/{assignment}`.</summary>
    public const string AssignmentKey = "coordinationplan-assignment";

    /// <summary>Metadata: what for, a name of the contract's Purpose without its prefix.</summary>
    public const string PurposeKey = "coordinationplan-purpose";

    /// <summary>Metadata: for which unit of its organisation a system calls, `units/{unit}`. Employees call for the unit of their assignment.</summary>
    public const string UnitKey = "coordinationplan-unit";

    /// <summary>What no unit is called: a name that is given and malformed.</summary>
    private const string NoUnit = "-";

    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private static readonly Dictionary<string, Purpose> PurposesByName = V1.PurposeReflection.Descriptor
        .FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>("Purpose").Values
        .ToDictionary(value => value.Name["PURPOSE_".Length..], value => (Purpose)value.Number, StringComparer.Ordinal);

    /// <summary>The caller's own name: who has changed something, and whose a request id is.</summary>
    public string Name => EmployeeId is null ? ResourceName.Entry(ResourceName.Systems, ClientSystem) : ResourceName.Entry(ResourceName.Employees, EmployeeId);

    public static CallerIdentity Of(ServerCallContext context, DirectoryNames names)
    {
        var user = context.GetHttpContext().User;
        var bound = user.FindFirstValue(CallerClaims.Assignment);
        // A name that is given and malformed names none: the token's is not taken in its place.
        var named = context.RequestHeaders.GetValue(AssignmentKey) is { } name ? ResourceName.TryParseEntry(name, ResourceName.Assignments) : bound;
        return new(
            user.FindFirstValue(CallerClaims.Employee) is { } employee ? names.Stored(ResourceName.Employees, employee) : null,
            names.Stored(ResourceName.Systems, user.FindFirstValue(CallerClaims.ClientSystem) ?? throw new InvalidOperationException("An unauthenticated call reached the gate.")),
            named is null ? null : names.Stored(ResourceName.Assignments, named),
            named is not null && bound is not null && named != bound,
            context.RequestHeaders.GetValue(UnitKey) is { } unit ? ResourceName.TryParseEntry(unit, ResourceName.Units) is { } id ? names.Stored(ResourceName.Units, id) : NoUnit : null,
            PurposesByName.GetValueOrDefault(context.RequestHeaders.GetValue(PurposeKey) ?? ""),
            Enum.TryParse<AssuranceLevel>(user.FindFirstValue(CallerClaims.Assurance), out var level) ? level : AssuranceLevel.Unknown,
            long.TryParse(user.FindFirstValue(CallerClaims.LoginTime), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= LastSecond
                ? DateTimeOffset.FromUnixTimeSeconds(seconds)
                : null,
            user.FindAll(CallerClaims.VouchedFor).Select(claim => names.Stored(ResourceName.Organisations, claim.Value)).ToArray() is { Length: > 0 } organisations ? organisations : null,
            Contract.MethodOf(context.Method),
            TraceIdOf(Activity.Current));
    }

    private static byte[]? TraceIdOf(Activity? activity)
    {
        if (activity is null)
        {
            return null;
        }

        var bytes = new byte[16];
        activity.TraceId.CopyTo(bytes);
        return bytes;
    }
}

/// <summary>The claims that authentication leaves, whatever the issuer calls them.</summary>
internal static class CallerClaims
{
    public const string Employee = "coordinationplan/employee";
    public const string ClientSystem = "coordinationplan/client-system";
    public const string Assignment = "coordinationplan/assignment";
    public const string Assurance = "coordinationplan/assurance";
    public const string LoginTime = "coordinationplan/login-time";
    public const string VouchedFor = "coordinationplan/vouched-for";
}
