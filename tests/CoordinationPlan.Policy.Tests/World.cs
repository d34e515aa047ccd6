namespace CoordinationPlan.Policy.Tests;

/// <summary>One question to the policy.</summary>
internal readonly record struct Question(Act Act, Caller Caller, Facts Facts)
{
    public Decision Answer() => AccessPolicy.Decide(Act, Caller, Facts);
}

/// <summary>
/// A finite world. Whole in what matters to an act; what does not is shown not to matter by a draw from all there is. What is asserted over it
/// holds for all that the service can ask.
/// </summary>
internal static class World
{
    public static readonly Act[] Acts = Enum.GetValues<Act>();
    public static readonly Role[] Roles = Enum.GetValues<Role>();
    public static readonly Purpose[] Purposes = Enum.GetValues<Purpose>();
    public static readonly UnitKind[] UnitKinds = Enum.GetValues<UnitKind>();
    public static readonly Relation[] Relations = Enum.GetValues<Relation>();
    public static readonly AssuranceLevel[] Levels = Enum.GetValues<AssuranceLevel>();
    public static readonly ProtectionLevel[] Protections = Enum.GetValues<ProtectionLevel>();
    public static readonly Blocked[] Blocks = Enum.GetValues<Blocked>();
    public static readonly Pupil[] Pupils = Enum.GetValues<Pupil>();

    /// <summary>Every category that there is, also those that cannot be released.</summary>
    public static readonly Categories Everything = Enum.GetValues<Categories>().Aggregate(Categories.None, (all, one) => all | one);

    /// <summary>What is said of a person in a case.</summary>
    public static readonly Categories OfACase = Everything & ~(Categories.Directory | Categories.AccessLog);

    /// <summary>What a plan says: all of it but that it exists, who takes part, and what was agreed to.</summary>
    public static readonly Categories Content = OfACase & ~(Categories.Existence | Categories.Meetings | Categories.ConsentDocuments);

    /// <summary>Each category alone.</summary>
    public static readonly Categories[] Singles = [.. Enum.GetValues<Categories>().Where(one => one != Categories.None)];
    private static readonly bool[] Both = [false, true];

    /// <summary>
    /// Sets of categories: none, each alone, all that can be released, all but one of them, everything.
    /// </summary>
    public static readonly Categories[] Sets =
    [
        Categories.None,
        .. Singles,
        AccessPolicy.Releasable,
        .. Singles.Where(one => AccessPolicy.Releasable.HasFlag(one)).Select(one => AccessPolicy.Releasable & ~one),
        Everything,
    ];

    private static readonly Categories[] FewSets =
    [
        Categories.None, Categories.Existence, Categories.Identity, Categories.GoalsAndInterventions | Categories.Health, Everything,
    ];

    /// <summary>What opens most without a block: an open plan of an unprotected person.</summary>
    public static readonly Facts Open = new(
        PlanExists: true, Protection: ProtectionLevel.None, Blocked: Blocked.No, PlanOpen: true, Unplaced: true, NoAlias: true, Pupil: Pupil.Now);

    /// <summary>What is released and withheld, from nothing to everything, by consent and by law.</summary>
    private static readonly Facts[] SomeReleases =
    [
        default,
        new(Released: Everything),
        new(Released: Everything, Withheld: Categories.GoalsAndInterventions | Categories.Whereabouts),
        new(Released: Everything, Withheld: Categories.Existence),
        new(Released: Everything, Withheld: Everything),
        new(Released: Categories.Identity | Categories.ContactDetails),
        new(ReleasedByLaw: Everything),
        new(ReleasedByLaw: Everything, Withheld: Everything),
        new(ReleasedByLaw: Everything, Withheld: Everything, Overriding: Everything),
        new(Released: Categories.GoalsAndInterventions, ReleasedByLaw: Categories.Health),
    ];

    /// <summary>The acts about one plan. The others are about none yet, about many, about a person, about the log or about the directory.</summary>
    public static bool IsAboutAPlan(Act act) => act is not (Act.Unspecified or Act.CreatePlan or Act.ListPlans or Act.FindPlans or Act.ListTasks
        or Act.SearchAccessLog or Act.ReadDirectory or Act.WriteDirectory or Act.DeclareRelation or Act.OpenEmergencyAccess
        or Act.SuggestPlan or Act.ReadSuggestions or Act.AnswerSuggestion or Act.ReadIndicators or Act.WriteRoutine or Act.ReadLogProofs or Act.WriteLogDisposal or Act.SyncParticipations
        or Act.ReadChanges or Act.AcknowledgeChanges);

    /// <summary>The acts about a person whom no plan names yet: opening one, and answering what was sent about the person.</summary>
    public static bool IsAboutAPersonAlone(Act act) => act is Act.CreatePlan or Act.AnswerSuggestion;

    /// <summary>The acts that a block decides.</summary>
    public static bool IsAboutAPerson(Act act) => IsAboutAPlan(act) || IsAboutAPersonAlone(act);

    /// <summary>Everybody who can call at all, from the kinds of unit that open most.</summary>
    public static IEnumerable<Caller> Callers() =>
        from names in Both
        from inForce in Both
        from assigned in Both
        from level in Levels
        from role in Roles
        from purpose in Purposes
        from kind in (UnitKind[])[UnitKind.SocialServices, UnitKind.HealthCare, UnitKind.ShelteredHousing]
        select new Caller(names, inForce, role, purpose, assigned, level, kind, UnitOfPrincipal: true, HandlesProtectedPersons: true);

    /// <summary>Everybody whose assignment, purpose and identity are in order.</summary>
    public static IEnumerable<Caller> CallersInOrder() =>
        from role in Roles
        from purpose in Expected.PurposesOf(role)
        from kind in UnitKinds
        from handles in Both
        select new Caller(true, true, role, purpose, true, AssuranceLevel.Level3, kind, UnitOfPrincipal: true, handles);

    /// <summary>Every combination of the facts that matter to an act.</summary>
    public static IEnumerable<Facts> FactsOf(Act act) => act switch
    {
        Act.CreatePlan =>
            from protection in Protections
            from block in Blocks
            from unplaced in Both
            select new Facts(Protection: protection, Blocked: block, Unplaced: unplaced),
        Act.AnswerSuggestion =>
            from protection in Protections
            from block in Blocks
            from responsible in Both
            select new Facts(Protection: protection, Blocked: block, ResponsibleUnit: responsible),
        _ when IsAboutAPlan(act) =>
            from one in PlansAndReleases()
            from protection in Protections
            from block in Blocks
            from open in Both
            from special in SpecialsOf(act)
            select special(one with { Protection = protection, Blocked = block, PlanOpen = open }),
        _ => [default, Most with { OwnOrganisation = false }, new(OwnOrganisation: true), Most],
    };

    /// <summary>Every caller, every act, and the facts that open most and least.</summary>
    public static IEnumerable<Question> EveryCaller() =>
        from caller in Callers()
        from act in Acts
        from facts in Extremes
        select new Question(act, caller, facts);

    /// <summary>Callers in order, every act, and every combination of facts that matter to it.</summary>
    public static IEnumerable<Question> EveryFact() =>
        from act in Acts
        let world = FactsOf(act).ToArray()
        from caller in CallersInOrder()
        from principal in act is Act.CreatePlan or Act.ReadSuggestions or Act.AnswerSuggestion ? Both : [true]
        from facts in world
        select new Question(act, caller with { UnitOfPrincipal = principal }, facts);

    /// <summary>Units that take part, with every pair of <see cref="Sets"/> released and withheld, and few sets of all four kinds together.</summary>
    public static IEnumerable<Question> EveryRelease() => Releases(Sets, Sets).Concat(
        from caller in Parties()
        from released in FewSets
        from withheld in FewSets
        from byLaw in FewSets
        from overriding in FewSets
        from protection in Protections
        select new Question(Act.ReadPlan, caller, Open with
        {
            Relation = Relation.Participating,
            Released = released,
            Withheld = withheld,
            ReleasedByLaw = byLaw,
            Overriding = overriding & byLaw,
            Protection = protection,
        }));

    /// <summary>Units that take part, with every pair of some sets released, by consent or by law, and withheld.</summary>
    public static IEnumerable<Question> Releases(Categories[] releases, Categories[] refusals) =>
        from caller in Parties()
        from act in (Act[])[Act.ReadPlan, Act.UpdatePlan, Act.WriteIntervention, Act.ReadWhereabouts]
        from set in releases
        from withheld in refusals
        from released in (Facts[])[new(Released: set), new(ReleasedByLaw: set), new(ReleasedByLaw: set, Overriding: set)]
        select new Question(act, caller, Open with
        {
            Relation = Relation.Participating,
            Released = released.Released,
            ReleasedByLaw = released.ReleasedByLaw,
            Overriding = released.Overriding,
            Withheld = withheld,
            ResponsibleUnit = true,
            Placement = true,
        });

    /// <summary>A draw from all there is, also of what does not matter to an act. The same each time.</summary>
    public static IEnumerable<Question> Draw(int count)
    {
        // The next number is made of the last one, so that a failure comes back (Numerical Recipes' generator).
        var state = 1u;
        var order = CallersInOrder().ToArray();
        for (var i = 0; i < count; i++)
        {
            var caller = order[Next(order.Length)] with { UnitOfPrincipal = Next(2) == 1 };
            yield return new(Acts[Next(Acts.Length)], caller, new Facts(
                Next(8) > 0, Relations[Next(3)], Set(), Next(2) == 0 ? Categories.None : Set(), Yes(), Yes(), Yes(), Yes(),
                Set(), Set(), Protections[Next(5)], Next(3) > 0 ? Blocked.No : Blocks[Next(5)], Yes(), Yes(), Yes(), Yes(), Yes(), Pupils[Next(4)]));
        }

        bool Yes() => Next(2) == 1;

        Categories Set() => (Categories)(Next(1 << 17) << 1);

        int Next(int below)
        {
            state = (state * 1664525u) + 1013904223u;
            return (int)(((ulong)state * (ulong)below) >> 32);
        }
    }

    /// <summary>All of it.</summary>
    public static IEnumerable<Question> All() => EveryCaller().Concat(EveryFact()).Concat(EveryRelease());

    private static readonly Lazy<List<Question>> AllPermitted = new(() => [.. All().Concat(Draw(100_000)).Where(question => question.Answer().IsPermit)]);

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

    /// <summary>One decision permits, reads and writes nothing that another does not.</summary>
    public static bool IsWithin(this Decision less, Decision more) =>
        (!less.IsPermit || more.IsPermit) && less.Reads.IsWithin(more.Reads) && less.Writes.IsWithin(more.Writes);

    private static readonly Facts Most = Open with
    {
        Released = Everything,
        ResponsibleUnit = true,
        NewItem = true,
        ResponsibleUnitGone = true,
        OwnOrganisation = true,
        ReleasedByLaw = Everything,
        Overriding = Everything,
        Placement = true,
        Emergency = true,
    };

    private static readonly Facts[] Extremes = [default, .. Relations.Select(relation => Most with { Relation = relation }), Most with { Relation = Relation.Owning, PlanOpen = false }];

    private static IEnumerable<Caller> Parties() => CallersInOrder().Where(caller => caller is { HandlesProtectedPersons: true, UnitKind: not (UnitKind.Unspecified or UnitKind.Administration) });

    // Releases matter to those who take part; that they do not to others is shown with none and with all.
    private static IEnumerable<Facts> PlansAndReleases() =>
    [
        .. from relation in Relations
           from release in relation == Relation.Participating ? SomeReleases : [SomeReleases[0], SomeReleases[8]]
           select OfSchool[0](release with { PlanExists = true, Relation = relation }),
        .. from relation in Relations
           select SomeReleases[1] with { Relation = relation },
        .. from relation in Relations
           from school in OfSchool[1..]
           select school(SomeReleases[1] with { PlanExists = true, Relation = relation }),
    ];

    /// <summary>What opens most of where the child goes to school and who it is there; and each way to know less.</summary>
    private static readonly Func<Facts, Facts>[] OfSchool =
    [
        facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Now },
        facts => facts with { Unplaced = false, NoAlias = true, Pupil = Pupil.Now },
        facts => facts with { Unplaced = true, NoAlias = false, Pupil = Pupil.Now },
        facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Never },
        facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Former },
        facts => facts with { Unplaced = true, NoAlias = true, Pupil = Pupil.Unknown },
    ];

    private static Func<Facts, Facts>[] SpecialsOf(Act act) => act switch
    {
        Act.WriteIntervention =>
        [
            .. from responsible in Both
               from isNew in Both
               from gone in Both
               select (Func<Facts, Facts>)(facts => facts with { ResponsibleUnit = responsible, NewItem = isNew, ResponsibleUnitGone = gone }),
        ],
        Act.ExplainAccess => [facts => facts, facts => facts with { OwnOrganisation = true }],
        Act.ReadWhereabouts or Act.ReadSchooling => [facts => facts, facts => facts with { Placement = true }],
        Act.ReadInEmergency => [facts => facts, facts => facts with { Emergency = true }],
        _ => [facts => facts],
    };
}
