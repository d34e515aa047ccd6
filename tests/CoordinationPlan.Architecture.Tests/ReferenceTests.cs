using System.Reflection;
using System.Xml.Linq;

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

    [Fact]
    public void The_logs_pure_part_leans_on_the_runtime_and_on_ed25519_alone()
    {
        var names = typeof(TransparencyLog.TreeHash).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!).ToList();

        Assert.All(names, name => Assert.True(name == "NSec.Cryptography" || name.StartsWith("System.", StringComparison.Ordinal), name));
        Assert.DoesNotContain(names, name => name.StartsWith("System.Net", StringComparison.Ordinal) || name.StartsWith("System.IO", StringComparison.Ordinal));
        Assert.Equal(["NSec.Cryptography"], Referenced("Package", "src/CoordinationPlan.TransparencyLog/CoordinationPlan.TransparencyLog.csproj"));
        Assert.Empty(Referenced("Project", "src/CoordinationPlan.TransparencyLog/CoordinationPlan.TransparencyLog.csproj"));
    }

    [Theory]
    [InlineData("src/CoordinationPlan.TransparencyLog.Client/CoordinationPlan.TransparencyLog.Client.csproj")]
    [InlineData("src/CoordinationPlan.Witness/CoordinationPlan.Witness.csproj")]
    public void Who_checks_the_log_needs_nothing_of_the_service(string project)
    {
        // A witness is run by others, who must not have to trust or to read more than this.
        Assert.Equal(["../CoordinationPlan.TransparencyLog/CoordinationPlan.TransparencyLog.csproj"], Referenced("Project", project));
        Assert.Empty(Referenced("Package", project));
    }

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

    private static IEnumerable<string> Referenced(string kind, string project) =>
        from item in XDocument.Parse(Source.TextOf(project)).Descendants($"{kind}Reference")
        select item.Attribute("Include")!.Value;

    private static Assembly Server => typeof(Server.Hosting.CoordinationPlanHost).Assembly;
}
