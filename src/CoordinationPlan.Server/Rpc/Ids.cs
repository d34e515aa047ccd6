namespace CoordinationPlan.Server.Rpc;

/// <summary>New identifiers, by what they may reveal.</summary>
internal static class Ids
{
    /// <summary>
    /// For everything that leaves its unit: wholly random. A time in it would tell which plans were opened together, and so that two persons
    /// are in one flight (docs/adr/0003).
    /// </summary>
#pragma warning disable RS0030 // The one place where random ids are made.
    public static Guid Opaque() => Guid.NewGuid();
#pragma warning restore RS0030

    /// <summary>For entries of the log, which only reviewers see: begins with the time, so that new ones lie together on disk.</summary>
    public static Guid Ordered(DateTimeOffset now) => Guid.CreateVersion7(now);
}
