namespace CoordinationPlan.Policy.Tests;

/// <summary>One question to the policy.</summary>
internal readonly record struct Question(Act Act, Caller Caller, Facts Facts)
{
    public Decision Answer() => AccessPolicy.Decide(Act, Caller, Facts);
}

/// <summary>
/// A finite world: every caller with the facts that open most and least, and every caller who has come past the conditions on callers with
/// every combination of facts. What is asserted over it holds for all that the service can ask.
/// </summary>
internal static class World
{
    public static readonly Act[] Acts = Enum.GetValues<Act>();
    public static readonly Role[] Roles = Enum.GetValues<Role>();
    public static readonly Purpose[] Purposes = Enum.GetValues<Purpose>();
    public static readonly UnitKind[] UnitKinds = Enum.GetValues<UnitKind>();
    public static readonly Relation[] Relations = Enum.GetValues<Relation>();
    public static readonly AssuranceLevel[] Levels = Enum.GetValues<AssuranceLevel>();

    /// <summary>Every category that there is, also those that no consent can release.</summary>
    public static readonly Categories Everything = Enum.GetValues<Categories>().Aggregate(Categories.None, (all, one) => all | one);

    /// <summary>What is said of a person in a case.</summary>
    public static readonly Categories OfACase = Everything & ~(Categories.Directory | Categories.AccessLog);

    /// <summary>Each category alone.</summary>
    public static readonly Categories[] Singles = [.. Enum.GetValues<Categories>().Where(one => one != Categories.None)];
    private static readonly bool[] Both = [false, true];

    /// <summary>
    /// Sets of categories: none, each alone, all that a consent can release, all but one of them, everything.
    /// </summary>
    public static readonly Categories[] Sets =
    [
        Categories.None,
        .. Singles,
        AccessPolicy.Releasable,
        .. Singles.Where(one => AccessPolicy.Releasable.HasFlag(one)).Select(one => AccessPolicy.Releasable & ~one),
        Everything,
    ];

    /// <summary>The acts about one plan. The others are about none yet, about many, about the log or about the directory.</summary>
    public static bool IsAboutAPlan(Act act) =>
        act is not (Act.Unspecified or Act.CreatePlan or Act.ListPlans or Act.SearchAccessLog or Act.ReadDirectory or Act.WriteDirectory);

    /// <summary>Everybody who can call at all.</summary>
    public static IEnumerable<Caller> Callers() =>
        from names in Both
        from inForce in Both
        from assigned in Both
        from level in Levels
        from caller in CallersInOrder()
        select caller with { NamesAssignment = names, AssignmentInForce = inForce, PurposeAssigned = assigned, Assurance = level };

    /// <summary>Everybody whose assignment, purpose and identity are in order, whether or not the purpose fits the role.</summary>
    public static IEnumerable<Caller> CallersInOrder() =>
        from role in Roles
        from purpose in Purposes
        from kind in UnitKinds
        from principal in Both
        select new Caller(true, true, role, purpose, true, AssuranceLevel.Level3, kind, principal);

    /// <summary>Every combination of facts, with the outermost sets of what is released and withheld.</summary>
    public static IEnumerable<Facts> Facts() =>
        from exists in Both
        from relation in Relations
        from released in (Categories[])[Categories.None, AccessPolicy.Releasable, Everything]
        from withheld in (Categories[])[Categories.None, Categories.Existence, Everything]
        from responsible in Both
        from isNew in Both
        from takesPart in Both
        from own in Both
        select new Facts(exists, relation, released, withheld, responsible, isNew, takesPart, own);

    /// <summary>Every caller, every act, and the facts that open most and least.</summary>
    public static IEnumerable<Question> EveryCaller() =>
        from caller in Callers()
        from act in Acts
        from facts in Extremes
        select new Question(act, caller, facts);

    /// <summary>Callers in order, every act, and every combination of facts, with the outermost sets of what is released and withheld.</summary>
    public static IEnumerable<Question> EveryFact() =>
        from caller in CallersInOrder().Where(FitsSomeRule)
        from act in Acts
        from facts in Facts()
        select new Question(act, caller, facts);

    /// <summary>Callers in order, every act, and every pair of <see cref="Sets"/>, for units that take part.</summary>
    public static IEnumerable<Question> EveryRelease() => Releases(Sets, Sets);

    /// <summary>Callers in order, every act, and every pair of some sets, for units that take part.</summary>
    public static IEnumerable<Question> Releases(Categories[] releases, Categories[] refusals) =>
        from caller in CallersInOrder().Where(FitsSomeRule)
        from act in Acts
        from released in releases
        from withheld in refusals
        from responsible in Both
        select new Question(act, caller, new Facts(true, Relation.Participating, released, withheld, responsible, ResponsibleUnitTakesPart: true));

    /// <summary>All of it.</summary>
    public static IEnumerable<Question> All() => EveryCaller().Concat(EveryFact()).Concat(EveryRelease());

    private static readonly Lazy<List<Question>> AllPermitted = new(() => [.. All().Where(question => question.Answer().IsPermit)]);

    /// <summary>All of it that is permitted. What holds of every permit is asserted of these; what is refused opens nothing.</summary>
    public static IEnumerable<Question> Permitted() => AllPermitted.Value;

    /// <summary>All of it that is permitted and about one plan.</summary>
    public static IEnumerable<Question> PermittedOfPlans() => Permitted().Where(question => IsAboutAPlan(question.Act));

    /// <summary>
    /// Asserts that something holds of every answer. Fails with the first question of which it does not, and where there was no question.
    /// </summary>
    public static void Holds(IEnumerable<Question> questions, Func<Question, Decision, bool> rule)
    {
        var count = 0L;
        foreach (var question in questions)
        {
            count++;
            var answer = question.Answer();
            if (!rule(question, answer))
            {
                Assert.Fail($"Not so for {question}, which is answered {answer}");
            }
        }

        Assert.NotEqual(0, count);
    }

    public static bool IsWithin(this Categories some, Categories all) => (some & ~all) == Categories.None;

    private static readonly Facts[] Extremes =
    [
        default,
        .. from relation in Relations
           select new Facts(true, relation, Everything, Categories.None, true, true, true, true),
    ];

    // A role with a purpose that is not its own is refused whatever the facts are: EveryCaller shows it.
    private static bool FitsSomeRule(Caller caller) => Expected.PurposesOf(caller.Role).Contains(caller.Purpose);
}
