using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CoordinationPlan.Bench.Data;
using Npgsql;

namespace CoordinationPlan.Bench.Reference;

/// <summary>The service's transaction as a script for pgbench: the same statements on a random plan.</summary>
/// <param name="Statements">The transaction.</param>
/// <param name="Variables">Its constants.</param>
/// <param name="FirstPlan">The first plan that it may choose.</param>
/// <param name="LastPlan">The last.</param>
/// <param name="PartOffset">Which part of a plan is changed.</param>
internal sealed partial record ReferenceScript(
    IReadOnlyList<Statement> Statements, IReadOnlyDictionary<string, string> Variables, int FirstPlan, int LastPlan, int PartOffset)
{
    /// <summary>The script; in one pipeline, all statements travel at once and the transaction is a single round trip.</summary>
    public string Text(bool pipeline)
    {
        var text = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"\\set n random({FirstPlan}, {LastPlan})")
            .AppendLine("\\set r1 random(1000000000000000, 9999999999999999)")
            .AppendLine("\\set r2 random(1000000000000000, 9999999999999999)");
        foreach (var (name, value) in Halves(":n"))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"\\set {name} {value}");
        }

        text.Append(pipeline ? "\\startpipeline\n" : "");
        foreach (var statement in Statements)
        {
            text.Append(statement.Bound()).Append(";\n");
        }

        return text.Append(pipeline ? "\\endpipeline\n" : "").ToString();
    }

    /// <summary>A first request has no outcome yet, and most plans have no release on legal ground.</summary>
    private static readonly string[] MayFindNothing = ["request_outcome", "legal_release WHERE"];

    /// <summary>
    /// Runs the transaction once with the last plan and takes it back. Throws where a statement does not find what it looks for: a reference that
    /// does nothing would be fast.
    /// </summary>
    public async Task Try(NpgsqlConnection administrator, CancellationToken stop)
    {
        var values = Variables.Select(variable => (Name: variable.Key, Value: $"'{variable.Value.Replace("'", "''", StringComparison.Ordinal)}'"))
            .Concat(Halves(LastPlan.ToString(CultureInfo.InvariantCulture) + "::bigint"))
            .Append(("r1", "'1000000000000000'"))
            .Append(("r2", "'1000000000000000'"))
            .ToDictionary();
        await using var transaction = await administrator.BeginTransactionAsync(stop);
        foreach (var sql in Statements.Select(statement => statement.Bound()).Where(sql => !sql.StartsWith("BEGIN", StringComparison.Ordinal) && sql != "COMMIT"))
        {
            await using var command = new NpgsqlCommand(Variable().Replace(sql, match => values[match.Groups[1].Value]), administrator);
            await using var reader = await command.ExecuteReaderAsync(stop);
            var found = await reader.ReadAsync(stop);
            if (!sql.StartsWith("SELECT", StringComparison.Ordinal))
            {
                // How many rows were changed is known when those that came back are read.
                await reader.CloseAsync();
                found = reader.RecordsAffected == 1;
            }

            if (!found && !MayFindNothing.Any(table => sql.Contains($"FROM {table}", StringComparison.Ordinal)))
            {
                throw new InvalidOperationException($"A statement of the reference finds nothing: {sql}");
            }
        }

        await transaction.RollbackAsync(stop);
    }

    private IEnumerable<(string Name, string Value)> Halves(string n) =>
    [
        ("a", PlanIds.FirstHalf(n)),
        ("b", PlanIds.SecondHalf(n)),
        ("s", string.Create(CultureInfo.InvariantCulture, $"({PlanIds.SecondHalf(n)} + {PlanIds.Subject})")),
        ("p", string.Create(CultureInfo.InvariantCulture, $"({PlanIds.SecondHalf(n)} + {PartOffset})")),
    ];

    [GeneratedRegex(@"(?<!:):([a-z]\w*)")]
    private static partial Regex Variable();
}
