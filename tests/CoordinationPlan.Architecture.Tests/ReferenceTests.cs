using System.Reflection;

namespace CoordinationPlan.Architecture.Tests;

/// <summary>Which project may lean on what.</summary>
public sealed class ReferenceTests
{
    [Fact]
    public void The_policy_leans_on_nothing_but_the_runtime() =>
        Assert.All(typeof(Policy.AccessPolicy).Assembly.GetReferencedAssemblies(), reference => Assert.StartsWith("System.", reference.Name, StringComparison.Ordinal));

    [Fact]
    public void The_policys_project_names_no_package_and_no_other_project() =>
        Assert.DoesNotContain("Reference Include", Source.TextOf("src/CoordinationPlan.Policy/CoordinationPlan.Policy.csproj"), StringComparison.Ordinal);

    [Theory]
    [InlineData("OpenIddict")]
    [InlineData("Microsoft.EntityFrameworkCore")]
    [InlineData("CoordinationPlan.Development")]
    [InlineData("CoordinationPlan.Cli")]
    public void What_is_for_development_never_comes_with_the_server(string name)
    {
        Assert.DoesNotContain(Server.GetReferencedAssemblies(), reference => reference.Name!.StartsWith(name, StringComparison.Ordinal));
        // What is referenced and not used, and what a package brings along, stands in the lock file.
        Assert.DoesNotContain($"\"{name}", Source.TextOf(Source.Server + "packages.lock.json"), StringComparison.OrdinalIgnoreCase);
    }

    private static Assembly Server => typeof(Server.Hosting.CoordinationPlanHost).Assembly;
}
