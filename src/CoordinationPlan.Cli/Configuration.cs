using System.CommandLine;
using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace CoordinationPlan.Cli;

/// <summary>Reads the configuration: a JSON file where one is named, then environment variables <c>COORDPLAN_Section__Key</c>.</summary>
internal static class Configuration
{
    public static Option<FileInfo?> File { get; } = new("--config") { Description = "Configuration file (JSON). Environment variables COORDPLAN_Section__Key override it." };

    public static ServerOptions Read(FileInfo? file)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.AddJsonFile(file.FullName, optional: false);
        }

        var options = new ServerOptions();
        builder.AddEnvironmentVariables("COORDPLAN_").Build().Bind(options, binder => binder.ErrorOnUnknownConfiguration = file is not null);
        return options;
    }
}
