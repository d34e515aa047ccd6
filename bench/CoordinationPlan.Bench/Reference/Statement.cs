using System.Text.RegularExpressions;

namespace CoordinationPlan.Bench.Reference;

/// <summary>A statement of the service, and what pgbench puts in the place of each parameter.</summary>
/// <param name="Sql">As the service sends it.</param>
/// <param name="Values">For $1, $2 and so on: an expression over pgbench's variables, with the parameter's type.</param>
internal sealed partial record Statement(string Sql, params string[] Values)
{
    /// <summary>The text without regard to how it is broken into lines, and without comments.</summary>
    public static string OneLine(string sql) => string.Join(' ', Comment().Replace(sql, "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The statement with the expressions in place.</summary>
    public string Bound()
    {
        var sql = OneLine(Sql);
        for (var i = Values.Length; i > 0; i--)
        {
            sql = sql.Replace($"${i}", Values[i - 1], StringComparison.Ordinal);
        }

        return sql;
    }

    [GeneratedRegex("--.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
