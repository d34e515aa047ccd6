using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Verify;

/// <summary>A checkpoint that the log has signed at another time or to somebody else. The log must still begin with it.</summary>
/// <param name="From">Where it comes from, for people.</param>
internal sealed record KnownCheckpoint(Checkpoint Checkpoint, string From);
