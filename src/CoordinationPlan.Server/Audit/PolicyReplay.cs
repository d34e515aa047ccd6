using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;
using Npgsql;

namespace CoordinationPlan.Server.Audit;

/// <summary>Recorded decisions that the policy of this build makes otherwise, all of one kind.</summary>
/// <param name="Input">What they were made of; null where this build cannot read it.</param>
/// <param name="Recorded">The first of them as it was made.</param>
/// <param name="Now">As this policy makes it.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Example">The first one's entry in the log.</param>
public sealed record ReplayDifference(RecordedInput? Input, RecordedDecision Recorded, Decision Now, long Count, string Example);

/// <summary>What a replay found.</summary>
/// <param name="Decisions">How many recorded decisions were run.</param>
/// <param name="RecordedVersions">The policy versions that had made them.</param>
/// <param name="Differences">What this policy decides otherwise, in the order of the log.</param>
public sealed record PolicyReplayResult(long Decisions, IReadOnlyCollection<int> RecordedVersions, IReadOnlyCollection<ReplayDifference> Differences);

/// <summary>
/// Runs the decisions in the access log through the policy of this build, so that a candidate is looked at before it is taken into use. Reads nothing
/// that says who a person or a caller is.
/// </summary>
public static class PolicyReplay
{
    /// <param name="connectionString">Of the role that reviews the log.</param>
    /// <param name="from">Decisions from then on.</param>
    /// <param name="to">Decisions before then.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<PolicyReplayResult> Run(string connectionString, DateTimeOffset from, DateTimeOffset to, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(stop);

        var (count, versions) = (0L, new SortedSet<int>());
        // Kinds of decisions are few however long the log is: there are only so many questions.
        var found = new Dictionary<(RecordedInput?, bool, RefusalReason, Categories), ReplayDifference>();
        await foreach (var (entryId, version, packed) in AccessLogSql.Decisions(connection, from, to, stop))
        {
            count++;
            versions.Add(version);
            var recorded = RecordedDecision.Unpack(packed);
            foreach (var difference in PolicyComparison.Differences([recorded]))
            {
                var kind = (difference.Input, recorded.IsPermit, recorded.Reason, recorded.Reads);
                found[kind] = found.TryGetValue(kind, out var same)
                    ? same with { Count = same.Count + 1 }
                    : new ReplayDifference(difference.Input, recorded, difference.Now, 1, ResourceName.AccessLogEntry(entryId));
            }
        }

        return new PolicyReplayResult(count, versions, found.Values);
    }
}
