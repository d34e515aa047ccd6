using CoordinationPlan.V1;
using Spectre.Console;

namespace CoordinationPlan.Cli.Demo;

/// <summary>Shows a play on the terminal, and keeps account of what did not go as it should.</summary>
internal sealed class Stage
{
    private readonly List<string> _surprises = [];

    public bool IsAsTheScenarioSays => _surprises.Count == 0;

    /// <summary>What a reader got, in words.</summary>
    public static string Describe(Plan? plan)
    {
        if (plan is null)
        {
            return "nothing: the answer is the same as for a plan that does not exist";
        }

        string?[] parts =
        [
            "that it is " + plan.State.ToString().ToLowerInvariant(),
            plan.Subject is { } subject ? $"{subject.GivenName}'s identity" : null,
            plan.SocialSituation.Length > 0 ? "the social situation" : null,
            plan.HealthSituation.Length > 0 ? "the health situation" : null,
            Count(plan.Goals.Count, "goal"),
            Count(plan.Interventions.Count, "intervention"),
            Count(plan.OtherMeasures.Count, "measure by others", "measures by others"),
            Count(plan.Participations.Count, "participant"),
            Count(plan.Consents.Count, "consent"),
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }

    /// <summary>A coded name as words: `GoalsAndInterventions` and `NO_RELATION` as "goals and interventions" and "no relation".</summary>
    public static string Words(string name) => string.Concat(name
        .Select((letter, i) => letter == '_' ? " " : i > 0 && char.IsUpper(letter) && char.IsLower(name[i - 1]) ? " " + letter : letter.ToString()))
        .ToLowerInvariant();

    public void Title(string text) => AnsiConsole.Write(new Rule($"[bold]{Markup.Escape(text)}[/]").LeftJustified());

    public void Step(string text) => AnsiConsole.MarkupLine($"{Environment.NewLine}[bold blue]{Markup.Escape(text)}[/]");

    public void Expect(bool isSo, string text)
    {
        AnsiConsole.MarkupLine(isSo ? $"  [green]✓[/] {Markup.Escape(text)}" : $"  [red]✗ not so: {Markup.Escape(text)}[/]");
        if (!isSo)
        {
            _surprises.Add(text);
        }
    }

    public void Table(string title, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Title($"[grey]{Markup.Escape(title)}[/]").RoundedBorder().BorderColor(Color.Grey);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(column)}[/]"));
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    }

    public void End() => AnsiConsole.Write(new Rule(IsAsTheScenarioSays
        ? "[green]All went as the scenario says[/]"
        : $"[red]{_surprises.Count} things did not go as the scenario says[/]").LeftJustified());

    private static string? Count(int count, string one, string? many = null) => count switch
    {
        0 => null,
        1 => "1 " + one,
        _ => $"{count} {many ?? one + "s"}",
    };
}
