using System.CommandLine;
using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace CoordinationPlan.Cli;

/// <summary>
/// Reads the configuration: a JSON file where one is named, then environment variables <c>COORDPLAN_Section__Key</c>. What neither knows is
/// refused, so that a misspelt key is never a silent default.
/// </summary>
internal static class Configuration
{
    private const string Prefix = "COORDPLAN_";

    private static readonly HashSet<string> Sections = new(typeof(ServerOptions).GetProperties().Select(property => property.Name), StringComparer.OrdinalIgnoreCase);

    public static Option<FileInfo?> File { get; } = new("--config") { Description = "Configuration file (JSON). Environment variables COORDPLAN_Section__Key override it." };

    public static ServerOptions Read(FileInfo? file)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.AddJsonFile(file.FullName, optional: false);
        }

        var options = new ServerOptions();
        builder.AddInMemoryCollection(Variables()).Build().Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        return options;
    }

    /// <summary>The variables that are configuration; <c>COORDPLAN_PG_BIN</c> and others of the scripts and samples have no section.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Variables() =>
        new ConfigurationBuilder().AddEnvironmentVariables(Prefix).Build().AsEnumerable()
            .Where(variable => variable.Value is not null && (variable.Key.Contains(':', StringComparison.Ordinal) || Sections.Contains(variable.Key)));
}
