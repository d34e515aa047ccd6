namespace CoordinationPlan.Law.Tests;

/// <summary>The committed page is what the rules say.</summary>
public sealed class LawDocumentTests
{
    private const string Update = "COORDPLAN_UPDATE_LAW";

    [Fact]
    public void The_committed_page_is_what_the_rules_say()
    {
        var file = Path.Combine(RepositoryRoot(), "docs", "law.md");
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            File.WriteAllText(file, LawDocument.Text());
        }

        Assert.True(
            File.Exists(file) && File.ReadAllText(file) == LawDocument.Text(),
            $"docs/law.md is not what the rules say. Look at what has changed; if it is meant, run: {Update}=1 dotnet test --project tests/CoordinationPlan.Law.Tests -c Release, and commit what it writes.");
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CoordinationPlan.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}
