using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Audit;

/// <summary>The person and plan that an act concerned.</summary>
/// <param name="PlanId">The plan, as asked for.</param>
/// <param name="SubjectId">The person; null where there is no such plan.</param>
/// <param name="OwnerController">The controller whose plan it is; null where there is no such plan.</param>
/// <param name="Categories">What was disclosed.</param>
/// <param name="Resource">The directory entry that was changed.</param>
/// <param name="Decision">The decision about this plan, where it is not the one about the call: in lists.</param>
internal readonly record struct Concern(Guid? PlanId, Guid? SubjectId, string? OwnerController, Categories Categories, string? Resource = null, byte[]? Decision = null);

/// <summary>One row of the access log before it is written. Its time is given by the database.</summary>
internal sealed record AccessLogRecord(
    Guid EntryId,
    CallerIdentity Caller,
    CallerFacts? CallerFacts,
    AccessOutcome Outcome,
    string Reason,
    Concern Concern,
    byte[]? Decision);
