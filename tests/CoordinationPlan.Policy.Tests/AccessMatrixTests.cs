using System.Globalization;

namespace CoordinationPlan.Policy.Tests;

/// <summary>The committed table is what the policy answers, and no answer changes without a new version.</summary>
public sealed class AccessMatrixTests
{
    private const string Update = "COORDPLAN_UPDATE_MATRIX";

    private const string HowToUpdate =
        $"Look at what has changed; if it is meant, run: {Update}=1 dotnet test --project tests/CoordinationPlan.Policy.Tests -c Release, and commit what it writes.";

    private static readonly string Docs = Path.Combine(RepositoryRoot(), "docs");
    private static readonly string MatrixFile = Path.Combine(Docs, "access-matrix.csv");
    private static readonly string VersionsFile = Path.Combine(Docs, "access-matrix.versions");

    private static bool IsUpdate => Environment.GetEnvironmentVariable(Update) == "1";

    [Fact]
    public void The_committed_matrix_is_what_the_policy_answers()
    {
        var expected = AccessMatrix.Text();
        if (IsUpdate)
        {
            File.WriteAllText(MatrixFile, expected);
        }

        var committed = File.Exists(MatrixFile) ? File.ReadAllText(MatrixFile) : "";
        if (committed != expected)
        {
            var (was, now) = (committed.Split('\n'), expected.Split('\n'));
            var differences = was.Except(now).Select(line => "- " + line).Concat(now.Except(was).Select(line => "+ " + line)).Take(20);
            Assert.Fail($"docs/access-matrix.csv is not what the policy answers. {HowToUpdate}\n{string.Join('\n', differences)}");
        }
    }

    [Fact]
    public void An_answer_does_not_change_without_a_new_version()
    {
        var hash = AccessMatrix.HashOf(AccessMatrix.Body());
        var versions = Versions();
        if (IsUpdate && !versions.ContainsKey(AccessPolicy.Version))
        {
            File.AppendAllText(VersionsFile, string.Create(CultureInfo.InvariantCulture, $"{AccessPolicy.Version} {hash}\n"));
            versions = Versions();
        }

        Assert.True(
            versions.TryGetValue(AccessPolicy.Version, out var recorded),
            $"docs/access-matrix.versions does not know version {AccessPolicy.Version} of the policy. {HowToUpdate}");
        Assert.True(
            recorded == hash,
            $"The policy answers otherwise than version {AccessPolicy.Version} did, by which the access log says what was decided. Raise AccessPolicy.Version. {HowToUpdate}");
    }

    [Fact]
    public void The_matrix_stays_short_enough_to_be_read()
    {
        var lines = AccessMatrix.Text().TrimEnd('\n').Split('\n');

        Assert.InRange(lines.Length, 100, 3200);
        var columns = lines[2].Split(',').Length;
        Assert.All(lines[2..], line => Assert.Equal(columns, line.Split(',').Length));
    }

    private static Dictionary<int, string> Versions() => File.Exists(VersionsFile)
        ? File.ReadLines(VersionsFile).Select(line => line.Split(' ')).ToDictionary(parts => int.Parse(parts[0], CultureInfo.InvariantCulture), parts => parts[1])
        : [];

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "CoordinationPlan.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
