using System.Security.Cryptography;
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
/// <param name="Refusal">Why this plan was refused, where the call as a whole was not: in batches.</param>
internal readonly record struct Concern(
    Guid? PlanId, Guid? SubjectId, string? OwnerController, Categories Categories, string? Resource = null, byte[]? Decision = null, RefusalReason Refusal = RefusalReason.None);

/// <summary>One row of the access log before it is written. Its time and, where the caller's unit is not known, its controller are given by the database.</summary>
internal sealed record AccessLogRecord(
    Guid EntryId,
    CallerIdentity Caller,
    CallerFacts? CallerFacts,
    AccessOutcome Outcome,
    string Reason,
    Concern Concern,
    byte[]? Decision)
{
    /// <summary>What hides the entry behind its commitment in the tree.</summary>
    public byte[] Secret { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>The first entry of the call.</summary>
    public Guid CallId { get; init; } = EntryId;

    /// <summary>How many entries the call leaves.</summary>
    public int CallSize { get; init; } = 1;
}

/// <summary>What the database gave to an entry.</summary>
/// <param name="OccurredAt">When, by the database's clock.</param>
/// <param name="Controller">For whom the caller works; null where the directory does not know the caller.</param>
internal sealed record Entered(DateTime OccurredAt, string? Controller);
