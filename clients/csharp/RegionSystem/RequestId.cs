namespace CoordinationPlan.RegionSystem;

/// <summary>The ids of changes: made once for what is to be done, and kept with it until it is answered.</summary>
internal static class RequestId
{
    public static string New() => Guid.CreateVersion7().ToString("D");
}
