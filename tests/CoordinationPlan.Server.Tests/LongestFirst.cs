using CoordinationPlan.Server.Tests.Changes;
using CoordinationPlan.Server.Tests.Clients;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.Server.Tests.Log;
using CoordinationPlan.Server.Tests.Plans;
using CoordinationPlan.Server.Tests.Scenarios;
using CoordinationPlan.Server.Tests.Schooling;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(CoordinationPlan.Server.Tests.LongestFirst))]

namespace CoordinationPlan.Server.Tests;

/// <summary>What takes minutes begins first, so that nothing is left to wait for alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        .. new[]
        {
            typeof(EveryRpcTests), typeof(CrashTests), typeof(LinkageTests), typeof(RegionSystemTests), typeof(TamperTests), typeof(WatchTests), typeof(SchoolLeakTests), typeof(LeakTests),
            typeof(ConvergenceTests), typeof(ScenarioTests), typeof(StepTableTests),
        }.Select(type => type.FullName!),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)) is var at and >= 0 ? at : int.MaxValue)];
}
