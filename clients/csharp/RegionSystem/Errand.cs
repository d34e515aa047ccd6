using CoordinationPlan.V1;

namespace CoordinationPlan.RegionSystem;

/// <summary>What kind of call an errand is.</summary>
internal enum ErrandKind
{
    /// <summary><see cref="ReplyToCallRequest"/>: about a summons.</summary>
    Answer = 1,

    /// <summary><see cref="AddDischargeNoticeRequest"/>: about a plan.</summary>
    Discharge = 2,
}

/// <summary>
/// What a person of a unit has decided, and the service is to be told by an ordinary call for that unit. The request stands in the database with its request id:
/// sent again after a crash it has no second effect.
/// </summary>
internal sealed record Errand(long Id, ErrandKind Kind, string Plan, string Unit, byte[] Request);
