namespace CoordinationPlan.V1;

/// <summary>What goals, interventions and other measures have in common: they are added, changed and ended, and never removed.</summary>
public interface IPlanItem : Google.Protobuf.IMessage
{
    /// <summary>Resource name.</summary>
    string Name { get; set; }

    /// <summary>Changes with every change.</summary>
    string Etag { get; set; }

    /// <summary>Where it stands.</summary>
    ItemState State { get; set; }

    /// <summary>How it ended.</summary>
    string Outcome { get; set; }
}

public sealed partial class Goal : IPlanItem;

public sealed partial class Intervention : IPlanItem;

public sealed partial class OtherMeasure : IPlanItem;

public sealed partial class RelatedPlan : IPlanItem;

public sealed partial class ProtectionMeasure : IPlanItem;
