using System.Globalization;

namespace CoordinationPlan.Server.Tests;

/// <summary>
/// How much is done of what is tried by chance, each time by another seed: as much as fits into every run, or with `scripts/test --thorough` what stands for a release.
/// COORDPLAN_TEST_[NAME] sets one of them.
/// </summary>
internal static class Campaign
{
    private static readonly bool IsThorough = Environment.GetEnvironmentVariable("COORDPLAN_TEST_THOROUGH") is { Length: > 0 };

    public static int Of(string name, int always, int thorough) =>
        Environment.GetEnvironmentVariable("COORDPLAN_TEST_" + name) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : IsThorough ? thorough : always;
}
