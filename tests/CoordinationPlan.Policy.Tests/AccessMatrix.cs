using System.Security.Cryptography;
using System.Text;

namespace CoordinationPlan.Policy.Tests;

/// <summary>
/// The access policy as a table for people who do not read code: docs/access-matrix.csv. Pure; the same policy gives the same text.
/// </summary>
internal static class AccessMatrix
{
    private const string Header = "act,role,relation,circumstance,release,unit,outcome,because,reads,writes";

    /// <summary>What every row supposes, in a line that spreadsheets show and programs skip.</summary>
    private const string Suppositions =
        "# Every row: an assignment in force that covers the purpose of the role; level of assurance 3. Everything else is refused. \"any\" is whichever value; \"-\" is nothing.";

    /// <summary>The first line of the file.</summary>
    public static string VersionLine => $"# policy version {AccessPolicy.Version}";

    /// <summary>All but the first line of the file.</summary>
    public static string Body()
    {
        var text = new StringBuilder().Append(Suppositions).Append('\n').Append(Header).Append('\n');
        foreach (var act in World.Acts.Where(act => act != Act.Unspecified))
        {
            foreach (var role in World.Roles.Where(role => role != Role.Unspecified))
            {
                foreach (var row in RowsOf(act, role))
                {
                    text.AppendJoin(',', [Words(act), Words(role), .. row.Conditions, row.Outcome]).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    public static string Text() => VersionLine + "\n" + Body();

    public static string HashOf(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    private sealed record Row(string[] Conditions, string Outcome);

    /// <summary>One value of a column and what it makes of a question.</summary>
    private sealed record Value(string Text, Func<Question, Question> Set);

    private static List<Row> RowsOf(Act act, Role role)
    {
        var caller = new Caller(true, true, role, Expected.PurposesOf(role)[0], true, AssuranceLevel.Level3, UnitKind.Unspecified, UnitOfPrincipal: true);
        return Rows(new Question(act, caller, default), [RelationsOf(act), CircumstancesOf(act), ReleasesOf(act), Units]);
    }

    /// <summary>
    /// The rows of a question with the columns that are still open. Values of a column that make no difference stand in one row.
    /// </summary>
    private static List<Row> Rows(Question question, ReadOnlySpan<Value[]> columns)
    {
        if (columns.IsEmpty)
        {
            return [new Row([], Outcome(question.Answer()))];
        }

        var alike = new List<(List<string> Values, List<Row> Rows)>();
        foreach (var value in columns[0])
        {
            var rows = Rows(value.Set(question), columns[1..]);
            if (alike.Find(other => SameRows(other.Rows, rows)) is { Values: { } values })
            {
                values.Add(value.Text);
            }
            else
            {
                alike.Add(([value.Text], rows));
            }
        }

        var count = columns[0].Length;
        return
        [
            .. from one in alike
               let text = one.Values.Count == count && count > 1 ? "any" : string.Join("; ", one.Values)
               from row in one.Rows
               select row with { Conditions = [text, .. row.Conditions] },
        ];
    }

    private static bool SameRows(List<Row> some, List<Row> others) =>
        some.Count == others.Count && some.Zip(others).All(pair => pair.First.Outcome == pair.Second.Outcome && pair.First.Conditions.SequenceEqual(pair.Second.Conditions));

    private static string Outcome(Decision decision) => decision.IsPermit
        ? $"permit,{Words(decision.Basis)},{Words(decision.Reads)},{Words(decision.Writes)}"
        : $"refuse,{Words(decision.Reason)},-,-";

    private static readonly Value[] Units =
    [
        .. from kind in World.UnitKinds
           where kind != UnitKind.Unspecified
           select new Value(Words(kind), question => question with { Caller = question.Caller with { UnitKind = kind } }),
    ];

    private static Value[] RelationsOf(Act act) => !World.IsAboutAPlan(act)
        ? [new("-", question => question)]
        :
        [
            new("owning", question => question with { Facts = question.Facts with { PlanExists = true, Relation = Relation.Owning } }),
            new("participating", question => question with { Facts = question.Facts with { PlanExists = true, Relation = Relation.Participating } }),
            new("none", question => question with { Facts = question.Facts with { PlanExists = true } }),
            new("no such plan", question => question),
        ];

    private static Value[] CircumstancesOf(Act act) => act switch
    {
        Act.CreatePlan =>
        [
            new("unit of a municipality or region", question => question),
            new("unit of another organisation", question => question with { Caller = question.Caller with { UnitOfPrincipal = false } }),
        ],
        Act.WriteIntervention =>
        [
            new("a new one of the own unit", question => question with { Facts = question.Facts with { NewItem = true, ResponsibleUnit = true, ResponsibleUnitTakesPart = true } }),
            new("a new one of another unit", question => question with { Facts = question.Facts with { NewItem = true, ResponsibleUnitTakesPart = true } }),
            new("one of the own unit", question => question with { Facts = question.Facts with { ResponsibleUnit = true, ResponsibleUnitTakesPart = true } }),
            new("one of another unit", question => question with { Facts = question.Facts with { ResponsibleUnitTakesPart = true } }),
            new("one of a unit that has left", question => question),
        ],
        Act.WriteDirectory =>
        [
            new("own organisation", question => question with { Facts = question.Facts with { OwnOrganisation = true } }),
            new("another organisation", question => question),
        ],
        _ => [new("-", question => question)],
    };

    private static Value[] ReleasesOf(Act act) => !World.IsAboutAPlan(act)
        ? [new("-", question => question)]
        :
        [
            new("no consent", question => question),
            new("consent to all that can be released", question => question with { Facts = question.Facts with { Released = AccessPolicy.Releasable } }),
            new("that consent but goals and interventions excluded", question => question with
            {
                Facts = question.Facts with { Released = AccessPolicy.Releasable, Withheld = Categories.GoalsAndInterventions },
            }),
            new("that consent but existence refused", question => question with
            {
                Facts = question.Facts with { Released = AccessPolicy.Releasable, Withheld = Categories.Existence },
            }),
            new("that consent but all refused", question => question with { Facts = question.Facts with { Released = AccessPolicy.Releasable, Withheld = World.Everything } }),
        ];

    private static string Words(Categories set) => set == Categories.None
        ? "-"
        : string.Join("; ", World.Singles.Where(one => set.HasFlag(one)).Select(one => Words((Enum)one)));

    private static string Words(Enum name) => name is Categories.ChildsOwnWords
        ? "child's own words"
        : string.Concat(name.ToString().Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? " " : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
