using System.Text.RegularExpressions;

namespace CoordinationPlan.Architecture.Tests;

/// <summary>A file under src/, by its path with forward slashes.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The first folder inside the project: the slice.</summary>
    public string Slice => Path.Split('/')[2];
}

/// <summary>The source as it stands in the repository.</summary>
internal static partial class Source
{
    public const string Server = "src/CoordinationPlan.Server/";

    private static readonly string Root = FindRoot();

    /// <summary>Every file under src/ that people write.</summary>
    public static IReadOnlyList<SourceFile> Files { get; } = [.. Read("src").OrderBy(file => file.Path, StringComparer.Ordinal)];

    public static IEnumerable<SourceFile> CSharp => Files.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<SourceFile> OfTheServer => CSharp.Where(file => file.Path.StartsWith(Server, StringComparison.Ordinal));

    public static string TextOf(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>
    /// The SQL of a file: its string literals that begin with a statement or hold one of its clauses. Comments and other texts are no SQL.
    /// </summary>
    public static IEnumerable<string> SqlIn(SourceFile file) =>
        from token in CSharpToken().Matches(file.Text)
        where token.Groups["text"].Success && Clause().IsMatch(token.Groups["text"].Value)
        select token.Groups["text"].Value;

    /// <summary>The literals of a file that begin with a statement of SQL.</summary>
    public static IEnumerable<string> StatementsIn(SourceFile file) => SqlIn(file).Where(sql => Statement().IsMatch(sql));

    private static IEnumerable<SourceFile> Read(string folder) =>
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Root, file).Replace('\\', '/')
        where !path.Split('/').Any(part => part is "bin" or "obj") && !path.EndsWith("packages.lock.json", StringComparison.Ordinal)
        select new SourceFile(path, File.ReadAllText(file));

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "CoordinationPlan.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }

    // Raw strings first, and comments and characters before plain strings, so that a quote in one of them opens nothing.
    [GeneratedRegex(
        """"
        (?s:"""(?<text>.*?)""")|//[^\n]*|(?s:/\*.*?\*/)|'(?:\\.|[^'\\\n])+'|@"(?<text>(?:[^"]|"")*)"|"(?<text>(?:\\.|[^"\\\n])*)"
        """",
        RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex CSharpToken();

    [GeneratedRegex(@"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|TRUNCATE|CALL|LOCK|COPY|CREATE|ALTER|DROP|GRANT)\b")]
    private static partial Regex Statement();

    [GeneratedRegex(@"\b(SELECT|FROM|JOIN|INSERT INTO|UPDATE|DELETE|MERGE|TRUNCATE|WHERE)\b")]
    private static partial Regex Clause();
}
