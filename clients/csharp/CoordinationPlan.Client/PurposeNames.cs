using CoordinationPlan.V1;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Client;

/// <summary>Purposes as metadata carries them.</summary>
public static class PurposeNames
{
    /// <summary>The name without its prefix, for example `SOCIAL_SERVICES_CASE`.</summary>
    public static string Of(Purpose purpose) =>
        PurposeReflection.Descriptor.FindTypeByName<EnumDescriptor>("Purpose").FindValueByNumber((int)purpose).Name["PURPOSE_".Length..];
}
