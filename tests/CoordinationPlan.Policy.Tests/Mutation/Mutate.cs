#:package Microsoft.CodeAnalysis.CSharp
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

// Mutation testing of the access policy: changes one thing in its sources, compiles them, and runs the tests against the result, again and again.
// A change that no test notices is a rule that no test holds. Started by scripts/mutate, which says what the arguments are.
//
// Each change is loaded with a copy of the tests of its own, because most of the policy is read once, when its rule book is made: a mutant that
// is switched on in running code comes too late for that. The tests are called without their runner: each is a method without parameters that
// throws where it fails.

using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

const string Tests = "CoordinationPlan.Policy.Tests";
const string Policy = "CoordinationPlan.Policy";

// The words and numbers of the contract: VocabularyTests compares them as a whole, and numbers that are only the policy's own mean nothing.
const string Words = "Vocabulary.cs";

var atLeast = double.Parse(args[0], CultureInfo.InvariantCulture);
var only = args.Length > 1 ? args[1] : "";
var built = Path.GetFullPath($"tests/{Tests}/bin/Release/net10.0");

// By this the tests find the repository.
AppContext.SetData("APP_CONTEXT_BASE_DIRECTORY", built);
Environment.SetEnvironmentVariable("COORDPLAN_UPDATE_MATRIX", null);

var parsing = new CSharpParseOptions(LanguageVersion.Latest);
var sources = Directory.EnumerateFiles($"src/{Policy}", "*.cs")
    .Order(StringComparer.Ordinal)
    .Select(file => CSharpSyntaxTree.ParseText(SourceText.From(File.ReadAllText(file)), parsing, Path.GetFileName(file)))
    .ToList();
var common = CSharpSyntaxTree.ParseText(
    $"""
    global using System; global using System.Collections.Generic; global using System.Linq;
    [assembly: System.Reflection.AssemblyVersion("{AssemblyName.GetAssemblyName(Path.Combine(built, Policy + ".dll")).Version}")]
    """,
    parsing);
var compilation = CSharpCompilation.Create(
    Policy,
    [common, .. sources],
    ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(file => Path.GetFileName(file).StartsWith("System.", StringComparison.Ordinal))
        .Select(file => MetadataReference.CreateFromFile(file)),
    new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));

var mutants = sources
    .Where(source => source.FilePath != Words)
    .SelectMany(source => Mutants.Of(source))
    .DistinctBy(mutant => (mutant.Source.FilePath, mutant.Span, mutant.Text))
    .Where(mutant => $"{mutant.Source.FilePath}:{mutant.Line}".Contains(only, StringComparison.Ordinal))
    .ToList();

using (var image = Compile(compilation)!)
{
    if (IsNoticed(image, Words) is { } failure)
    {
        Console.Error.WriteLine($"The tests fail without any change: {failure}");
        return 1;
    }
}

Console.WriteLine($"{mutants.Count} changes to {sources.Count - 1} files");
int killed = 0, unsound = 0;
var survivors = new ConcurrentBag<Mutant>();
Parallel.ForEach(mutants, new ParallelOptions { MaxDegreeOfParallelism = Math.Min(2, Environment.ProcessorCount) }, mutant =>
{
    using var image = Compile(compilation.ReplaceSyntaxTree(mutant.Source, mutant.Mutated(parsing)));
    if (image is null)
    {
        Interlocked.Increment(ref unsound);
    }
    else if (IsNoticed(image, mutant.Source.FilePath) is not null)
    {
        var count = Interlocked.Increment(ref killed);
        if (count % 100 == 0)
        {
            Console.WriteLine($"{count} noticed");
        }
    }
    else
    {
        survivors.Add(mutant);
        Console.WriteLine($"survived  {mutant}");
    }
});

var tried = killed + survivors.Count;
var share = tried == 0 ? 0 : 100.0 * killed / tried;
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{killed} of {tried} changes noticed ({share:0.0} %); {unsound} more do not compile"));
return share >= atLeast ? 0 : 1;

static MemoryStream? Compile(CSharpCompilation compilation)
{
    var image = new MemoryStream();
    return compilation.Emit(image).Success ? image : null;
}

// The name of a test that fails, or that does not end; null where none does.
string? IsNoticed(MemoryStream image, string file)
{
    image.Position = 0;
    var copy = new TestsOfOneMutant(built, Policy, image);
    try
    {
        var tests = from type in copy.LoadFromAssemblyPath(Path.Combine(built, Tests + ".dll")).GetExportedTypes()
                    from method in type.GetMethods()
                    where method.CustomAttributes.Any(attribute => attribute.AttributeType.Name == "FactAttribute")
                    orderby Rank(method, file), method.Name
                    select method;
        return tests.FirstOrDefault(test => !Passes(test))?.Name;
    }
    finally
    {
        copy.Unload();
    }
}

// The tests that are about the file come first, and of them the draw: they notice most, and soonest.
static int Rank(MethodInfo test, string file) => test.DeclaringType!.Name switch
{
    "RecordedInputTests" => file == "RecordedInput.cs" ? 0 : 3,
    "PolicyComparisonTests" => file == "PolicyComparison.cs" ? 0 : 3,
    "OracleTests" => test.Name.StartsWith("What_", StringComparison.Ordinal) ? 0 : 1,
    "AccessMatrixTests" => 2,
    _ => 3,
};

// Whatever is thrown is a failure: of the test, of the policy, or of making the rule book.
static bool Passes(MethodInfo test)
{
    var run = Task.Factory.StartNew(
        () => test.Invoke(Activator.CreateInstance(test.DeclaringType!), null),
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
    return Task.WaitAny([run], TimeSpan.FromMinutes(5)) == 0 && run.IsCompletedSuccessfully;
}

/// <summary>The tests, what they need, and one mutant; everything apart from what other mutants are tested with.</summary>
internal sealed class TestsOfOneMutant(string folder, string policy, Stream mutant) : AssemblyLoadContext(isCollectible: true)
{
    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name == policy ? LoadFromStream(mutant)
        : Path.Combine(folder, assemblyName.Name + ".dll") is var file && File.Exists(file) ? LoadFromAssemblyPath(file)
        : null;
}

/// <summary>One change: a stretch of a source file and what stands there instead.</summary>
internal sealed record Mutant(SyntaxTree Source, TextSpan Span, string Text)
{
    public int Line => Source.GetLineSpan(Span).StartLinePosition.Line + 1;

    public SyntaxTree Mutated(CSharpParseOptions options) =>
        CSharpSyntaxTree.ParseText(Source.GetText().WithChanges(new TextChange(Span, Text)), options, Source.FilePath);

    public override string ToString()
    {
        var was = string.Join(' ', Source.GetText().ToString(Span).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return $"{Source.FilePath}:{Line}  {(was.Length > 90 ? was[..90] + "..." : was)}  ->  {(Text.Length == 0 ? "(nothing)" : Text.Length > 90 ? Text[..90] + "..." : Text)}";
    }
}

/// <summary>The changes that are tried.</summary>
internal static class Mutants
{
    private static readonly Dictionary<SyntaxKind, string[]> Operators = new()
    {
        [SyntaxKind.EqualsEqualsToken] = ["!="],
        [SyntaxKind.ExclamationEqualsToken] = ["=="],
        [SyntaxKind.LessThanToken] = ["<=", ">"],
        [SyntaxKind.LessThanEqualsToken] = ["<", ">"],
        [SyntaxKind.GreaterThanToken] = [">=", "<"],
        [SyntaxKind.GreaterThanEqualsToken] = [">", "<"],
        [SyntaxKind.AmpersandAmpersandToken] = ["||"],
        [SyntaxKind.BarBarToken] = ["&&"],
        [SyntaxKind.AmpersandToken] = ["|"],
        [SyntaxKind.BarToken] = ["&"],
        [SyntaxKind.LessThanLessThanToken] = [">>"],
        [SyntaxKind.PlusToken] = ["-"],
        [SyntaxKind.MinusToken] = ["+"],
        [SyntaxKind.PlusPlusToken] = ["--"],
        [SyntaxKind.BarEqualsToken] = ["&="],
        [SyntaxKind.AmpersandEqualsToken] = ["|="],
    };

    public static IEnumerable<Mutant> Of(SyntaxTree source)
    {
        foreach (var node in source.GetRoot().DescendantNodes().Where(node => !IsLeftAlone(node)))
        {
            foreach (var (span, text) in Of(node))
            {
                yield return new(source, span, text);
            }
        }
    }

    // What says how bits are numbered, the attributes, and the version, a constant that the compiler has put into the tests themselves.
    private static bool IsLeftAlone(SyntaxNode node) => node.AncestorsAndSelf().Any(one =>
        one is EnumMemberDeclarationSyntax or AttributeListSyntax or VariableDeclaratorSyntax { Identifier.Text: "Version" });

    private static IEnumerable<(TextSpan Span, string Text)> Of(SyntaxNode node)
    {
        switch (node)
        {
            case BinaryExpressionSyntax binary:
                foreach (var other in Operators.GetValueOrDefault(binary.OperatorToken.Kind(), []))
                {
                    yield return (binary.OperatorToken.Span, other);
                }

                // Of a condition or a set, each side alone.
                if (binary.OperatorToken.Kind() is SyntaxKind.BarToken or SyntaxKind.AmpersandToken or SyntaxKind.AmpersandAmpersandToken or SyntaxKind.BarBarToken)
                {
                    yield return (binary.Span, $"({binary.Left})");
                    yield return (binary.Span, $"({binary.Right})");
                }

                break;
            case AssignmentExpressionSyntax assignment when Operators.TryGetValue(assignment.OperatorToken.Kind(), out var others):
                yield return (assignment.OperatorToken.Span, others[0]);
                break;
            case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression or (int)SyntaxKind.BitwiseNotExpression } not:
                yield return (not.Span, not.Operand.ToString());
                break;
            case PostfixUnaryExpressionSyntax { OperatorToken.RawKind: (int)SyntaxKind.PlusPlusToken } count:
                yield return (count.OperatorToken.Span, "--");
                break;
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.TrueLiteralExpression } yes:
                yield return (yes.Span, "false");
                break;
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.FalseLiteralExpression } no:
                yield return (no.Span, "true");
                break;
            case LiteralExpressionSyntax { Token.Value: int number } literal:
                yield return (literal.Span, (number + 1).ToString(CultureInfo.InvariantCulture));
                yield return (literal.Span, (number - 1).ToString(CultureInfo.InvariantCulture));
                break;
            case InterpolatedStringExpressionSyntax text:
                yield return (text.Span, "\"\"");
                break;
            case IfStatementSyntax condition:
                yield return (condition.Condition.Span, $"!({condition.Condition})");
                yield return (condition.Span, condition.Else?.Statement.ToString() ?? ";");
                break;
            case ConditionalExpressionSyntax choice:
                yield return (choice.Span, $"({choice.WhenTrue})");
                yield return (choice.Span, $"({choice.WhenFalse})");
                break;
            case IsPatternExpressionSyntax pattern:
                yield return (pattern.Span, $"!({pattern})");
                break;
            case BinaryPatternSyntax pattern:
                yield return (pattern.OperatorToken.Span, pattern.OperatorToken.IsKind(SyntaxKind.OrKeyword) ? "and" : "or");
                yield return (pattern.Span, $"({pattern.Left})");
                yield return (pattern.Span, $"({pattern.Right})");
                break;
            case UnaryPatternSyntax pattern:
                yield return (pattern.Span, $"({pattern.Pattern})");
                break;
            case RelationalPatternSyntax pattern:
                foreach (var other in Operators.GetValueOrDefault(pattern.OperatorToken.Kind(), []))
                {
                    yield return (pattern.OperatorToken.Span, other);
                }

                break;
            case SubpatternSyntax { Parent: PropertyPatternClauseSyntax all } pattern:
                // One property of a pattern that does not matter.
                yield return (all.Span, $"{{ {string.Join(", ", all.Subpatterns.Where(one => one != pattern))} }}");
                break;
            case SwitchExpressionArmSyntax arm:
                // An arm that is never taken; the next one answers.
                yield return (TextSpan.FromBounds(arm.Pattern.SpanStart, arm.EqualsGreaterThanToken.SpanStart), $"{arm.Pattern} when false ");
                if (arm.WhenClause is { } when)
                {
                    yield return (when.Span, "");
                    yield return (when.Condition.Span, $"!({when.Condition})");
                }

                break;
            case ExpressionStatementSyntax statement:
                yield return (statement.Span, ";");
                break;
            case YieldStatementSyntax statement:
                yield return (statement.Span, ";");
                break;
            case InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access } call:
                if (access.Name.Identifier.Text is "Demands" or "Contains" or "Any")
                {
                    yield return (call.Span, "true");
                    yield return (call.Span, "false");
                }

                if (access.Name.Identifier.Text == "Where")
                {
                    yield return (call.Span, access.Expression.ToString());
                }

                // One role, purpose or bit fewer in a set.
                if (access.Name.Identifier.Text == "Of")
                {
                    foreach (var argument in call.ArgumentList.Arguments)
                    {
                        yield return (call.ArgumentList.Span, $"({string.Join(", ", call.ArgumentList.Arguments.Where(one => one != argument))})");
                    }
                }

                break;
            case ExpressionElementSyntax { Parent: CollectionExpressionSyntax all, Expression: ImplicitObjectCreationExpressionSyntax } row:
                // A row fewer in the rule book.
                yield return (all.Span, $"[{string.Join(", ", all.Elements.Where(one => one != row))}]");
                break;
            case ArgumentSyntax { NameColon: not null, Parent: ArgumentListSyntax all } argument:
                yield return (all.Span, $"({string.Join(", ", all.Arguments.Where(one => one != argument))})");
                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Relation" }, Name.Identifier.Text: var relation } access:
                foreach (var other in ((string[])["None", "Participating", "Owning"]).Where(other => other != relation))
                {
                    yield return (access.Span, $"Relation.{other}");
                }

                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "UnitKind" } } access:
                yield return (access.Span, "UnitKind.Support");
                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Needs" } } access:
                yield return (access.Span, "Needs.Nothing");
                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "RefusalReason" }, Name.Identifier.Text: var reason } access:
                yield return (access.Span, reason == "NoRule" ? "RefusalReason.RoleMayNot" : "RefusalReason.NoRule");
                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Basis" } } access:
                yield return (access.Span, access.Name.Identifier.Text == "RoleAlone" ? "Basis.Oversight" : "Basis.RoleAlone");
                break;
            case MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Obligations" }, Name.Identifier.Text: not "None" } access:
                yield return (access.Span, "Obligations.None");
                break;
        }
    }
}
