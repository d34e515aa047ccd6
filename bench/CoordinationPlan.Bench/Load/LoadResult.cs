namespace CoordinationPlan.Bench.Load;

/// <summary>What one run of load came to.</summary>
/// <param name="Calls">All calls that were made, measured or not: as many entries the access log must have.</param>
/// <param name="Rate">Measured calls a second.</param>
/// <param name="P50">Half of the measured calls took at most this, in milliseconds.</param>
/// <param name="P99">99 of 100.</param>
/// <param name="P999">999 of 1,000.</param>
/// <param name="ServiceMicros">Processor time of the service for each call, in microseconds.</param>
/// <param name="ClientMicros">The same of the load generator.</param>
internal sealed record LoadResult(long Calls, double Rate, double P50, double P99, double P999, double ServiceMicros, double ClientMicros);

/// <summary>Calls that failed or were answered wrongly: the run shows nothing.</summary>
internal sealed class UnsoundRunException(string message) : Exception(message);
