namespace CoordinationPlan.Server.Tests;

/// <summary>Tests that run after all others and one by one: those that measure time, for which another test's load is no finding, and those that load all there is.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
