using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace CoordinationPlan.Architecture.Tests;

/// <summary>What the compiler does not look at.</summary>
public sealed partial class StyleTests
{
    private static readonly string[] EmptyWords = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Base", "Impl", "Dto"];

    [Fact]
    public void No_type_is_named_by_a_word_that_says_nothing()
    {
        Assembly[] assemblies =
        [
            typeof(Policy.AccessPolicy).Assembly,
            typeof(Server.Hosting.CoordinationPlanHost).Assembly,
            typeof(Development.LocalPostgres).Assembly,
            typeof(TransparencyLog.TreeHash).Assembly,
            typeof(Witness.WitnessHost).Assembly,
            Assembly.Load("coordplan"),
        ];

        var named =
            from assembly in assemblies
            from type in assembly.GetTypes()
            where !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
            let word = EmptyWords.FirstOrDefault(word => NameOf(type).EndsWith(word, StringComparison.Ordinal))
            // What extends a library's type keeps the library's word for it.
            where word is not null && (type.BaseType is not { } extended || assemblies.Contains(extended.Assembly) || !NameOf(extended).EndsWith(word, StringComparison.Ordinal))
            select type.FullName;

        Assert.Empty(named);
    }

    [Fact]
    public void Every_file_ends_with_a_line_break() =>
        Assert.Empty(Source.Files.Where(file => !file.Text.EndsWith('\n')).Select(file => file.Path));

    [Fact]
    public void Nothing_is_left_to_do() => Assert.Empty(Source.Files.Where(file => LeftToDo().IsMatch(file.Text)).Select(file => file.Path));

    // Without what generic types have after their names.
    private static string NameOf(Type type) => type.Name.Split('`')[0];

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b")]
    private static partial Regex LeftToDo();
}
