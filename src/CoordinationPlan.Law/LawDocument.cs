using System.Globalization;
using System.Text;

namespace CoordinationPlan.Law;

/// <summary>docs/law.md: the rules as a page that people review who do not read code.</summary>
public static class LawDocument
{
    /// <summary>The page.</summary>
    public static string Text()
    {
        var page = new StringBuilder(
            """
            # What the law asks, and where the service checks it

            Made from `src/CoordinationPlan.Law` by its tests; change the rules there, not this page. What else the service rests on is in [legal-basis.md](legal-basis.md). Not legal advice. Source: **statute** was read in the statute itself, **reported** in an
            authority's or a region's text, **practice** is asked for by no law, **uncertain** means that sources conflict or are silent: a board decides and sets the parameter.

            ## Conditions

            | rule | demands | på svenska | where it stands | source | note |
            |---|---|---|---|---|---|

            """);
        foreach (var rule in PlanLaw.Conditions)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| `{rule.Id}` | {rule.Demand} | {rule.DemandSv} | {Places(rule)} | {Source(rule)} | {rule.Note} |");
        }

        page.Append(
            """

            ## Clocks

            Swedish calendar days. Where a parameter is named, the section `Law` of the configuration sets it; the limit is what applies otherwise.

            | rule | demands | på svenska | limit | parameter | where it stands | source | note |
            |---|---|---|---|---|---|---|---|

            """);
        foreach (var clock in PlanLaw.Clocks.Concat(SchoolingLaw.Clocks))
        {
            var limit = clock.Months > 0 ? $"{clock.Months} months" : clock.Days is { } days ? $"{days} days" : "none";
            var parameter = clock.Parameter is null ? "" : $"`{clock.Parameter}`";
            page.AppendLine(
                CultureInfo.InvariantCulture, $"| `{clock.Id}` | {clock.Demand} | {clock.DemandSv} | {limit} | {parameter} | {Places(clock)} | {Source(clock)} | {clock.Note} |");
        }

        page.Append(
            """

            ## Ages

            | rule | demands | på svenska | years | where it stands | source | note |
            |---|---|---|---|---|---|---|

            """);
        foreach (var age in PlanLaw.Ages)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| `{age.Id}` | {age.Demand} | {age.DemandSv} | {age.Years} | {Places(age)} | {Source(age)} | {age.Note} |");
        }

        page.Append(
            """

            ## Retention

            Disposal is refused before the time has passed for every plan of the person. The section `Law` sets a longer time, never a shorter one, and whether the sample is kept.

            | rule | demands | på svenska | kept | parameter | where it stands | source | note |
            |---|---|---|---|---|---|---|---|

            """);
        foreach (var rule in PlanRetention.Rules)
        {
            var parameter = rule.Parameter is null ? "" : $"`{rule.Parameter}`";
            page.AppendLine(
                CultureInfo.InvariantCulture, $"| `{rule.Id}` | {rule.Demand} | {rule.DemandSv} | {rule.Years} years | {parameter} | {Places(rule)} | {Source(rule)} | {rule.Note} |");
        }

        var sample = PlanRetention.SampledBirths;
        page.AppendLine(
            CultureInfo.InvariantCulture, $"| `{sample.Id}` | {sample.Demand} | {sample.DemandSv} | for good | `{sample.Parameter}` | {Places(sample)} | {Source(sample)} | {sample.Note} |");

        page.Append(
            """

            ## Tasks

            A task is there as long as the fact behind it; nobody ticks it off. It is due on the day that it counts from, or so many days before or after it.

            | task | counts from | due | shown | done by |
            |---|---|---|---|---|

            """);
        foreach (var task in PlanTasks.Rules)
        {
            var due = task.After is { } after ? $"after it, `{after.Id}`" : task.Before is { } before ? $"before it, `{before.Id}`" : "on it";
            var shown = (task.ShownBefore is { } warning ? $"before it, `{warning.Id}`" : "at once") + (task.Lapses ? "; not after it" : "");
            page.AppendLine(CultureInfo.InvariantCulture, $"| {task.Duty} | {task.Day} | {due} | {shown} | {(task.DoneBy.Length > 0 ? task.DoneBy : "no fact is kept")} |");
        }

        page.Append(
            """

            ## Steps of a plan

            Who may take a step is the access policy's to say (`access-matrix.csv`, the act of the RPC).

            | from | to | RPC | demands | then |
            |---|---|---|---|---|

            """);
        foreach (var step in PlanLaw.Steps)
        {
            page.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {string.Join(", ", step.From)} | {step.To} | `{step.Method}` | {string.Join(", ", step.Demands.Select(rule => $"`{rule.Id}`"))} | {step.Effect} |");
        }

        AppendSchooling(page);
        return page.ToString().ReplaceLineEndings("\n");
    }

    private static void AppendSchooling(StringBuilder page)
    {
        page.Append(
            """

            ## Schooling of a child in sheltered housing: conditions

            | rule | demands | på svenska | where it stands | source | note |
            |---|---|---|---|---|---|

            """);
        foreach (var rule in SchoolingLaw.Conditions)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| `{rule.Id}` | {rule.Demand} | {rule.DemandSv} | {Places(rule)} | {Source(rule)} | {rule.Note} |");
        }

        page.Append(
            """

            ## Schooling: steps of an arrangement

            All by `AdvanceSchoolArrangement`.

            | from | to | demands | then |
            |---|---|---|---|

            """);
        foreach (var step in SchoolingLaw.Steps)
        {
            page.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {string.Join(", ", step.From)} | {step.To} | {string.Join(", ", step.Demands.Select(rule => $"`{rule.Id}`"))} | {step.Effect} |");
        }

        page.Append(
            """

            ## Schooling: limits of absence

            The section `Law` of the configuration sets the parameter.

            | rule | demands | på svenska | limit | parameter | where it stands | source | note |
            |---|---|---|---|---|---|---|---|

            """);
        foreach (var limit in SchoolingLaw.Limits)
        {
            page.AppendLine(
                CultureInfo.InvariantCulture,
                $"| `{limit.Id}` | {limit.Demand} | {limit.DemandSv} | {limit.Value} {limit.Unit} | `{limit.Parameter}` | {Places(limit)} | {Source(limit)} | {limit.Note} |");
        }
    }

    private static string Source(Rule rule) => rule.Certainty.ToString().ToLowerInvariant();

    private static string Places(Rule rule) => string.Join("<br>", rule.Paragraphs.Select(paragraph => (paragraph.From == DateOnly.MinValue, paragraph.To) switch
    {
        (true, null) => paragraph.Place,
        (true, { } to) => $"until {to:yyyy-MM-dd}: {paragraph.Place}",
        (false, null) => $"from {paragraph.From:yyyy-MM-dd}: {paragraph.Place}",
        (false, { } to) => $"{paragraph.From:yyyy-MM-dd} to {to:yyyy-MM-dd}: {paragraph.Place}",
    }));
}
