using System.Security.Cryptography;
using System.Text;

namespace CoordinationPlan.Policy.Tests;

/// <summary>
/// The access policy as a table for people who do not read code: docs/access-matrix.csv. Pure; the same policy gives the same text.
/// </summary>
internal static class AccessMatrix
{
    private const string Header = "act,role,block,relation,circumstance,school,release,for protected persons,protection,state,unit,outcome,because,reads,writes,obliges to";

    /// <summary>What every row supposes, in a line that spreadsheets show and programs skip.</summary>
    private const string Suppositions =
        "# Every row: an assignment in force that covers the purpose of the role; level of assurance 3; of schools, where \"-\" stands: the caller has no arrangement, and the person is not placed. Everything else is refused. \"any\" is whichever value; \"-\" is nothing.";

    private static readonly Lazy<string> TheBody = new(MakeBody);

    /// <summary>The first line of the file.</summary>
    public static string VersionLine => $"# policy version {AccessPolicy.Version}";

    /// <summary>All but the first line of the file.</summary>
    public static string Body() => TheBody.Value;

    public static string Text() => VersionLine + "\n" + Body();

    public static string HashOf(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    private static string MakeBody()
    {
        var text = new StringBuilder().Append(Suppositions).Append('\n').Append(Header).Append('\n');
        foreach (var act in World.Acts.Where(act => act != Act.Unspecified))
        {
            foreach (var (conditions, outcome) in new Table().RowsOf(act))
            {
                text.AppendJoin(',', [Words(act), .. conditions, Outcome(outcome)]).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>One value of a column and what it makes of a question.</summary>
    private sealed record Value(string Text, Func<Question, Question> Set);

    /// <summary>
    /// The rows of one act. Every combination of every column is asked of the policy; values of a column that make no difference, whatever stands
    /// in the columns after it, are put together.
    /// </summary>
    private sealed class Table
    {
        private readonly Dictionary<Decision, int> outcomes = [];
        private readonly Dictionary<string, int> branchings = [];
        private readonly List<object> nodes = [];

        public IEnumerable<(string[] Conditions, Decision Outcome)> RowsOf(Act act)
        {
            var question = new Question(act, new Caller(true, true, default, default, true, AssuranceLevel.Level3, UnitKind.Unspecified, UnitOfPrincipal: true), default);
            var columns = new[] { Roles, BlocksOf(act), RelationsOf(act), CircumstancesOf(act), SchoolsOf(act), ReleasesOf(act), ClearancesOf(act), ProtectionsOf(act), StatesOf(act), Units };
            return Rows(NodeOf(question, columns));
        }

        private int NodeOf(Question question, ReadOnlySpan<Value[]> columns)
        {
            if (columns.IsEmpty)
            {
                return Id(outcomes, question.Answer());
            }

            var alike = new List<(int Node, List<string> Values)>();
            foreach (var value in columns[0])
            {
                var node = NodeOf(value.Set(question), columns[1..]);
                var known = alike.FindIndex(one => one.Node == node);
                if (known < 0)
                {
                    alike.Add((node, [value.Text]));
                }
                else
                {
                    alike[known].Values.Add(value.Text);
                }
            }

            var all = alike.Count == 1 && columns[0].Length > 1;
            var branches = alike.Select(one => (one.Node, Text: all ? "any" : string.Join("; ", one.Values))).ToArray();
            return Id(branchings, string.Join('|', branches.Select(branch => $"{branch.Node} {branch.Text}")), branches);
        }

        private IEnumerable<(string[] Conditions, Decision Outcome)> Rows(int node) => nodes[node] is Decision answer
            ? [([], answer)]
            : from branch in ((int Node, string Text)[])nodes[node]
              from row in Rows(branch.Node)
              select ((string[])[branch.Text, .. row.Conditions], row.Outcome);

        private int Id<T>(Dictionary<T, int> ids, T key, object? node = null)
            where T : notnull
        {
            if (!ids.TryGetValue(key, out var id))
            {
                id = ids[key] = nodes.Count;
                nodes.Add(node ?? key);
            }

            return id;
        }
    }

    private static string Outcome(Decision decision) => string.Join(
        ',',
        decision.IsPermit ? "permit" : "refuse",
        decision.IsPermit ? Words(decision.Basis) : Words(decision.Reason),
        Words(decision.Reads),
        Words(decision.Writes),
        decision.Obligations == Obligations.None
            ? "-"
            : string.Join("; ", Enum.GetValues<Obligations>().Where(one => one != Obligations.None && decision.Obligations.HasFlag(one)).Select(one => Words((Enum)one))));

    private static Value Of(string text, Func<Facts, Facts> set) => new(text, question => question with { Facts = set(question.Facts) });

    private static readonly Value[] Roles =
    [
        .. from role in World.Roles
           where role != Role.Unspecified
           select new Value(Words(role), question => question with { Caller = question.Caller with { Role = role, Purpose = Expected.PurposesOf(role)[0] } }),
    ];

    private static readonly Value[] Units =
    [
        .. from kind in World.UnitKinds
           where kind != UnitKind.Unspecified
           select new Value(Words(kind), question => question with { Caller = question.Caller with { UnitKind = kind } }),
    ];

    private static readonly Value[] NoMatter = [new("-", question => question)];

    private static Value[] BlocksOf(Act act) => !World.IsAboutAPerson(act)
        ? NoMatter
        :
        [
            Of("nobody", facts => facts with { Blocked = Blocked.No }),
            .. from block in World.Blocks
               where block is not (Blocked.No or Blocked.Unknown)
               select Of(Words(block), facts => facts with { Blocked = block }),
            Of("not looked up", facts => facts with { Blocked = Blocked.Unknown }),
        ];

    private static Value[] RelationsOf(Act act) => !World.IsAboutAPlan(act)
        ? NoMatter
        :
        [
            Of("owning", facts => facts with { PlanExists = true, Relation = Relation.Owning }),
            Of("participating", facts => facts with { PlanExists = true, Relation = Relation.Participating }),
            Of("none", facts => facts with { PlanExists = true }),
            Of("no such plan", facts => facts),
        ];

    private static Value[] CircumstancesOf(Act act) => act switch
    {
        Act.CreatePlan or Act.ReadSuggestions =>
        [
            new("unit of a municipality or region", question => question),
            new("unit of another organisation", question => question with { Caller = question.Caller with { UnitOfPrincipal = false } }),
        ],
        Act.AnswerSuggestion =>
        [
            Of("sent to the own unit of a municipality or region", facts => facts with { ResponsibleUnit = true }),
            new("sent to the own unit of another organisation", question => question with
            {
                Caller = question.Caller with { UnitOfPrincipal = false },
                Facts = question.Facts with { ResponsibleUnit = true },
            }),
            Of("sent to another unit", facts => facts),
        ],
        Act.WriteIntervention =>
        [
            Of("a new one of the own unit", facts => facts with { NewItem = true, ResponsibleUnit = true }),
            Of("a new one of another unit", facts => facts with { NewItem = true }),
            Of("one of the own unit", facts => facts with { ResponsibleUnit = true }),
            Of("one of another unit", facts => facts),
            Of("one of a unit that has left", facts => facts with { ResponsibleUnitGone = true }),
        ],
        Act.WriteDirectory or Act.ExplainAccess =>
        [
            Of("own organisation", facts => facts with { OwnOrganisation = true }),
            Of("another organisation", facts => facts),
        ],
        Act.ReadWhereabouts =>
        [
            Of("the person stays in the unit", facts => facts with { Placement = true }),
            Of("the person does not stay in the unit", facts => facts),
        ],
        Act.ReadSchooling =>
        [
            Of("the person stays in the unit", facts => facts with { Placement = true }),
            Of("the person does not stay in the unit", facts => facts),
        ],
        Act.ReadInEmergency =>
        [
            Of("emergency access in force", facts => facts with { Emergency = true }),
            Of("no emergency access in force", facts => facts),
        ],
        _ => NoMatter,
    };

    /// <summary>What the caller's unit is to a pupil, where it is a school, and whether anything hides where the child goes to school.</summary>
    private static Value[] SchoolsOf(Act act) => act is not (Act.ReadPlan or Act.ReadSchooling or Act.ReadPupil or Act.ReportAttendance)
        ? [Of("-", facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Never })]
        :
        [
            Of("no arrangement with the caller", facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Never }),
            Of("the caller's pupil", facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Now }),
            Of("the caller's pupil by an alias", facts => facts with { Unplaced = true, NoAlias = false, Pupil = Pupil.Now }),
            Of("the caller's pupil and placed", facts => facts with { Unplaced = false, NoAlias = true, Pupil = Pupil.Now }),
            Of("has left the caller or not known", facts => facts with { Unplaced = false, NoAlias = false, Pupil = Pupil.Former }),
        ];

    private static Value[] ReleasesOf(Act act) => !World.IsAboutAPlan(act)
        ? NoMatter
        :
        [
            Of("nothing released", facts => facts),
            Of("consent to all that can be released", facts => facts with { Released = AccessPolicy.Releasable }),
            Of("that consent but goals and interventions excluded", facts => facts with
            {
                Released = AccessPolicy.Releasable, Withheld = Categories.GoalsAndInterventions,
            }),
            Of("that consent but existence refused", facts => facts with { Released = AccessPolicy.Releasable, Withheld = Categories.Existence }),
            Of("that consent but all refused", facts => facts with { Released = AccessPolicy.Releasable, Withheld = World.Everything }),
            Of("consent to identity and contact details", facts => facts with { Released = Categories.Identity | Categories.ContactDetails }),
            Of("legal ground for all that can be released", facts => facts with { ReleasedByLaw = AccessPolicy.Releasable }),
            Of("that ground but all refused", facts => facts with { ReleasedByLaw = AccessPolicy.Releasable, Withheld = World.Everything }),
            Of("legal ground for health in spite of all refused", facts => facts with
            {
                Released = AccessPolicy.Releasable, ReleasedByLaw = Categories.Health, Overriding = Categories.Health, Withheld = World.Everything,
            }),
        ];

    /// <summary>Whether the assignment is for protected persons.</summary>
    private static Value[] ClearancesOf(Act act) => !World.IsAboutAPerson(act)
        ? NoMatter
        :
        [
            new("yes", question => question with { Caller = question.Caller with { HandlesProtectedPersons = true } }),
            new("no", question => question),
        ];

    private static Value[] ProtectionsOf(Act act) => !World.IsAboutAPerson(act)
        ? NoMatter
        :
        [
            .. from level in World.Protections.Where(level => level != ProtectionLevel.Unspecified).Append(ProtectionLevel.Unspecified)
               select Of(level == ProtectionLevel.Unspecified ? "not known" : Words(level), facts => facts with { Protection = level }),
        ];

    private static Value[] StatesOf(Act act) => !World.IsAboutAPlan(act)
        ? NoMatter
        :
        [
            Of("open", facts => facts with { PlanOpen = true }),
            Of("closed", facts => facts),
        ];

    private static string Words(Categories set) => set == Categories.None
        ? "-"
        : string.Join("; ", World.Singles.Where(one => set.HasFlag(one)).Select(one => Words((Enum)one)));

    private static string Words(Enum name) => name is Categories.ChildsOwnWords
        ? "child's own words"
        : string.Concat(name.ToString().Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? " " : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
