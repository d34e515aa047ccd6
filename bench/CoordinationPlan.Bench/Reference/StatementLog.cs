using System.Text.RegularExpressions;
using Npgsql;

namespace CoordinationPlan.Bench.Reference;

/// <summary>What a role of the service sends to the database, as PostgreSQL's own log has it.</summary>
internal sealed partial class StatementLog(string file, string role)
{
    /// <summary>The setting that makes the log say whose a line is.</summary>
    public const string LinePrefix = "[%u] ";

    private long _from;

    /// <summary>Has the statements of the role's new sessions logged, or no longer.</summary>
    public static async Task Switch(NpgsqlConnection administrator, string role, bool on, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(on ? $"ALTER ROLE {role} SET log_statement = 'all'" : $"ALTER ROLE {role} RESET log_statement", administrator);
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Begins to listen.</summary>
    public void Begin() => _from = new FileInfo(file).Length;

    /// <summary>The statements since then, in their order, each on one line.</summary>
    public async Task<IReadOnlyList<string>> Statements(CancellationToken stop)
    {
        await using var log = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(_from, SeekOrigin.Begin);
        using var reader = new StreamReader(log);
        var text = await reader.ReadToEndAsync(stop);
        return
        [
            .. Entry().Matches(text)
                .Where(entry => entry.Groups["role"].Value == role)
                .Select(entry => Statement.OneLine(entry.Groups["sql"].Value)),
        ];
    }

    // A line that begins with a tab goes on with the one before.
    [GeneratedRegex(@"^\[(?<role>\w*)\] LOG:  execute [^:\n]+: (?<sql>.*(?:\n\t.*)*)", RegexOptions.Multiline)]
    private static partial Regex Entry();
}
