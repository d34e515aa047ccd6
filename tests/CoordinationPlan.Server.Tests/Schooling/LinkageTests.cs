using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Changes;
using CoordinationPlan.Server.Tests.Copies;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>
/// Nothing that a school, its register, or a guardian who is not to know, with a login of his own, is told by any call leads to where a placed child is: generated
/// cases, in pairs that differ in nothing but where the child stays. Searched in two ways. What is told is joined with every place (<see cref="Linkage"/>); and
/// it is the same, field by field and byte by byte but for what is drawn by chance, in both cases of a pair: then no combination of it, however large, can tell.
/// </summary>
public sealed partial class LinkageTests(Service service) : IClassFixture<Service>
{
    private static readonly int Pairs = Campaign.Of("LINKAGE_PAIRS", always: 50, thorough: 100);
    private const int AtOnce = 8;

    /// <summary>Of the calls that change something, each case tries so large a part, all in dry run; of those that read, all.</summary>
    private const int PartOfChanges = 8;

    private int _children;

    private static readonly DemonstrationEmployee School = DemonstrationDirectory.School;
    private static readonly DemonstrationEmployee Jonas = DemonstrationDirectory.Jonas;

    private static readonly string[] Towns = ["Vaxholm", "Norrtälje", "Nynäshamn", "Södertälje", "Sigtuna", "Enköping"];
    private static readonly string[] Streets = ["Rosenvägen", "Kvarngatan", "Lingonstigen", "Skeppargränd", "Tallbacken", "Myntgatan", "Hagalundsvägen"];

    /// <summary>Lists that hold every case: they are looked at once, when all cases are there.</summary>
    private static readonly HashSet<string> OfAllCases = ["ListPlans", "ListTasks", "ListAlerts", "ListSuggestions", "ListUnits", "GetMeetingAttendance", "GetSchoolRoutineIndicator", "ListSchoolRoutines",
        // Of a log that grows with each call of whoever looks.
        "ListLogs", "GetCheckpoint", "GetInclusionProof", "GetConsistencyProof", "ListLogDisposals",
        // Of a feed that goes on with each call.
        "PullChanges", "WatchChanges"];

    /// <summary>What a case is, but for where the child stays.</summary>
    private sealed record Case(int Age, ProtectionLevel Level, bool HasAlias, bool IsGuardianBlocked, bool Moves, bool HousingActs, bool IsInPlace, int WeeksReported, bool IssuesCopy, bool HandsOver);

    /// <summary>Where a child stays.</summary>
    private sealed record Stay(DemonstrationEmployee Housing, string Address, string SafeContact, DateOnly Since);

    private sealed record Played(World World, HashSet<string> Own, List<Told> Told);

    [Fact]
    public async Task Nothing_that_a_school_or_an_uninformed_guardian_is_told_leads_to_where_the_child_is()
    {
        var housings = await Looking.HousingTokens(service);
        var known = (await Task.WhenAll(Enumerable.Range(0, 4).Select(async seed => await Play(Draw(new Random(seed)) with { HousingActs = false }, null, null, seed)))).SelectMany(played => played.Told).SelectMany(told => Linkage.Tokens(told.Value)).ToHashSet();

        var pairs = new ConcurrentBag<(int Seed, string Housing, string Other, Played One, Played Two)>();
        await Parallel.ForAsync(0, Pairs, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken }, async (seed, _) =>
        {
            var random = new Random(seed);
            var drawn = Draw(random);
            // Where the housing itself acts in the plan, both of the pair have employees.
            var (one, other) = drawn.HousingActs ? (seed % 2, 1 - (seed % 2)) : (seed % Looking.Housings.Length, (seed + 1 + random.Next(Looking.Housings.Length - 1)) % Looking.Housings.Length);
            var first = await Play(drawn, DrawStay(random, Looking.Housings[one]), drawn.Moves ? DrawStay(random, Looking.Housings[other]) : null, seed);
            var second = await Play(drawn, DrawStay(random, Looking.Housings[other]), drawn.Moves ? DrawStay(random, Looking.Housings[one]) : null, seed);
            pairs.Add((seed, Looking.Housings[drawn.Moves ? other : one].UnitId, Looking.Housings[drawn.Moves ? one : other].UnitId, first, second));
        });

        // One way: what was told, joined with every place.
        var stays = pairs.SelectMany(pair => new[] { (pair.Housing, pair.One.Own), (pair.Other, pair.Two.Own) })
            .ToLookup(stay => stay.Item1, stay => (IReadOnlySet<string>)stay.Own.Union(housings[stay.Item1]).ToHashSet());
        Assert.Equal(Looking.Housings.Length, stays.Count);
        foreach (var pair in pairs)
        {
            foreach (var (played, housing) in new[] { (pair.One, pair.Housing), (pair.Two, pair.Other) })
            {
                Assert.NotEmpty(played.Told);
                var own = played.Own.Union(housings[housing]).ToHashSet();
                var told = played.Told.SelectMany(value => Linkage.Tokens(value.Value)).Except(known);
                Assert.Equal([], Linkage.Search(told, own, stays).Select(link => $"{pair.Seed}: {string.Join(" + ", link.Values)} at {string.Join(", ", played.Told.Where(value => Linkage.Tokens(value.Value).Contains(link.Values[0])).Select(value => value.Place).Take(3))}"));
            }
        }

        // The other: it does not depend on the place at all.
        foreach (var pair in pairs)
        {
            Assert.Equal(WithoutChance(pair.One), WithoutChance(pair.Two));
        }

        // What is told of all cases together: in an order that the places have no part in, and none of their values.
        Assert.Contains((await Integration.Start(service, DemonstrationDirectory.SchoolRegister)).Delivered, change => change.Plan.Length > 0);
        foreach (var looker in Looking.Lookers)
        {
            var told = new List<Told>();
            foreach (var method in World.Methods.Where(method => OfAllCases.Contains(method.Name) && method.Name != "ListUnits"))
            {
                told.AddRange(await Looking.At(service, looker, method, pairs.First().One.World.Request(method)));
            }

            var everywhere = stays.SelectMany(stay => stay).SelectMany(stay => stay).ToHashSet();
            Assert.Equal([], Linkage.Search(told.SelectMany(value => Linkage.Tokens(value.Value)).Except(known), everywhere, stays).Select(link => string.Join(" + ", link.Values)));
        }

        await SeesPlansAsTheyWereOpened(pairs.SelectMany(pair => new[] { pair.One.World.Plan, pair.Two.World.Plan }));
    }

    [Fact]
    public void The_search_finds_a_value_and_values_that_tell_only_together()
    {
        IReadOnlySet<string> Stay(params string[] values) => values.ToHashSet();
        var stays = new[]
        {
            ("A", Stay("VAXHOLM", "2026-01-02", "KRISCENTRUM")), ("A", Stay("SIGTUNA", "2026-01-03", "KRISCENTRUM")),
            ("B", Stay("VAXHOLM", "2026-01-03", "KRUTON")), ("B", Stay("SIGTUNA", "2026-01-02", "KRUTON")), ("B", Stay("VAXHOLM", "2026-01-02", "KRUTON")),
        }.ToLookup(stay => stay.Item1, stay => stay.Item2);
        var own = Stay("VAXHOLM", "2026-01-03", "KRUTON");

        Assert.Empty(Linkage.Search(["VAXHOLM", "SKOLA"], own, stays));
        Assert.Empty(Linkage.Search(["2026-01-03"], own, stays));
        Assert.Equal(["B"], Assert.Single(Linkage.Search(["KRUTON"], own, stays)).Fits);
        Assert.Equal(["2026-01-03", "VAXHOLM"], Assert.Single(Linkage.Search(["VAXHOLM", "2026-01-03"], own, stays)).Values);
    }

    [Fact]
    public void Words_and_numbers_are_found_however_they_are_set()
    {
        Assert.Subset(Linkage.Tokens("Ring 070-123 45 67, port 4, 185 39 Vaxholm").ToHashSet(), new HashSet<string> { "0701234567", "18539", "VAXHOLM" });
        Assert.Contains("20260102", Linkage.Tokens("2026-01-02"));
        Assert.Contains(
            new Told("here/participations[0]/unit", "units/x"), Linkage.In(new Plan { Participations = { new Participation { Unit = "units/x" } } }, "here"));
    }

    [Fact]
    public async Task What_the_school_should_not_be_told_is_found_where_it_is()
    {
        // The search would find nothing too where nothing is told; here a case worker tells the school, before the child moves in.
        var housings = await Looking.HousingTokens(service);
        var stay = DrawStay(new Random(7), DemonstrationDirectory.Kruton);
        var played = await Play(Draw(new Random(7)) with { HasAlias = false, HandsOver = false }, stay, null, 7, tells: true);
        var stays = new[] { (stay.Housing.UnitId, played.Own), (Looking.Housings[0].UnitId, new HashSet<string>()) }.ToLookup(item => item.Item1, item => (IReadOnlySet<string>)item.Item2);

        Assert.NotEmpty(Linkage.Search(played.Told.SelectMany(value => Linkage.Tokens(value.Value)), played.Own.Union(housings[stay.Housing.UnitId]).ToHashSet(), stays));
    }

    /// <summary>A child of an age, born on a day of its own.</summary>
    private Subject NewChild(int age) => Cases.NewPerson(TimeProvider.System.Today().AddYears(-age).AddDays(-Interlocked.Increment(ref _children)));

    private static Case Draw(Random random) => new(
        random.Next(6, 18),
        (ProtectionLevel)random.Next(1, 4),
        HasAlias: random.Next(4) == 0,
        IsGuardianBlocked: random.Next(2) == 0,
        Moves: random.Next(3) == 0,
        HousingActs: random.Next(2) == 0,
        IsInPlace: random.Next(4) > 0,
        WeeksReported: random.Next(3),
        IssuesCopy: random.Next(3) == 0,
        HandsOver: random.Next(6) == 0);

    private static Stay DrawStay(Random random, DemonstrationEmployee housing) => new(
        housing,
        $"{Streets[random.Next(Streets.Length)]} {random.Next(1, 90)}, {random.Next(180, 200)} {random.Next(10, 99)} {Towns[random.Next(Towns.Length)]}",
        $"Ring boendet på 07{random.Next(0, 10)}-{random.Next(1000000, 9999999)}",
        // Before anything that the school has a day of.
        TimeProvider.System.Today().AddDays(-random.Next(100, 160)));

    /// <summary>Plays a case to where everybody has something to see, and looks. Without a stay, nobody is told anything of any.</summary>
    private async Task<Played> Play(Case drawn, Stay? stay, Stay? next, int seed, bool tells = false)
    {
        var world = await World.Make(service, NewChild(drawn.Age));
        var plan = world.Plan;
        var owner = service.CaseWorker;
        if (drawn.Level != ProtectionLevel.None)
        {
            await service.Protect(plan, drawn.Level);
        }

        if (drawn.IsGuardianBlocked)
        {
            await owner.Protection.AddBlockAsync(new()
            {
                Parent = plan.Name,
                Block = new() { Guardian = DemonstrationPersons.Jonas, Ground = BlockGround.ExposesToViolence, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        }

        var arrangement = world.SchoolArrangement;
        if (drawn.HasAlias || tells)
        {
            arrangement = (await owner.Schooling.UpdateSchoolArrangementAsync(new()
            {
                SchoolArrangement = new() { Name = arrangement.Name, Alias = drawn.HasAlias ? new() { GivenName = "Kim", FamilyName = "Ek" } : null, SupportNeeds = tells ? $"Bor i {stay!.Address}" : "Lugn plats" },
                UpdateMask = new() { Paths = { "alias", "support_needs" } },
                Etag = arrangement.Etag,
                RequestId = Cases.NewId(),
            })).SchoolArrangement;
        }

        foreach (var place in new[] { stay, next }.OfType<Stay>())
        {
            await Move(world, place, drawn.HousingActs);
        }

        arrangement = drawn.IsInPlace ? await service.Advance(arrangement, SchoolArrangementState.InPlace) : arrangement;
        for (var week = 0; week < drawn.WeeksReported; week++)
        {
            await service.As(Looking.Lookers[week % 2]).Schooling.ReportAttendanceAsync(new()
            {
                Name = plan.Name + "/pupil",
                Attendance = Cases.WeekOf(week, 20, 10, 5, 5),
                Etag = "new",
                RequestId = Cases.NewId(),
            });
        }

        if (drawn.HandsOver)
        {
            await service.Advance(arrangement, SchoolArrangementState.HandedOver, Cases.Today);
        }

        var told = new List<Told>();
        if (drawn.IssuesCopy)
        {
            told.AddRange(await LookAtACopy(plan));
        }

        foreach (var looker in Looking.Lookers)
        {
            var methods = World.Methods.Where(method => !OfAllCases.Contains(method.Name)).Where((method, i) => method.Name == "SearchAccessLog"
                || (looker != DemonstrationDirectory.RegionLogReviewer && (!World.ChangingMethods.Contains(method) || i % PartOfChanges == seed % PartOfChanges)));
            foreach (var method in methods)
            {
                told.AddRange(await Looking.At(service, looker, method, world.Request(method)));
            }
        }

        return new(world, await OwnTokens(plan, new[] { stay, next }.OfType<Stay>()), told);
    }

    /// <summary>All that is written down, by whomever, because the child stays somewhere, or somewhere else from now on.</summary>
    private async Task Move(World world, Stay stay, bool housingActs)
    {
        var (plan, owner) = (world.Plan, service.CaseWorker);
        foreach (var left in (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Participations.Where(one => !one.Ended && Looking.Housings.Any(housing => one.Unit == Cases.UnitOf(housing))))
        {
            await owner.Participations.EndParticipationAsync(new() { Name = left.Name, Etag = left.Etag, RequestId = Cases.NewId() });
        }

        var name = plan.Name + "/whereabouts";
        await owner.Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = name, Unit = Cases.UnitOf(stay.Housing), Address = stay.Address, SafeContact = stay.SafeContact, SinceDate = Cases.ToDate(stay.Since) },
            Etag = (await owner.Protection.GetWhereaboutsAsync(new() { Name = name })).Whereabouts.Etag,
            RequestId = Cases.NewId(),
        });
        await service.Join(plan, stay.Housing);
        await service.Consent(plan, stay.Housing, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Schooling, InformationCategory.Meetings, InformationCategory.ProtectionMeasures]);
        await service.AddIntervention(plan, stay.Housing, "Stöd i boendet");
        await service.AddProtectionMeasure(plan, stay.Housing, "Öppna inte för okända.");
        await service.AddProtectionMeasure(plan, School, "Ring bara kontaktpersonen.");
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, School, stay.Housing], TimeSpan.FromDays(9));
        if (housingActs)
        {
            var housing = service.As(stay.Housing);
            await housing.Meetings.ReplyToCallAsync(new() { Name = meeting.Name, Reply = CallReply.Accepted, Etag = await EtagOf(stay.Housing, plan, meeting), RequestId = Cases.NewId() });
            await housing.Protection.GetWhereaboutsAsync(new() { Name = name });
            await housing.Schooling.ListSchoolArrangementsAsync(new() { Parent = plan.Name });
        }
    }

    private async Task<string> EtagOf(DemonstrationEmployee called, Plan plan, Meeting meeting) =>
        (await service.As(called).Meetings.ListMeetingsAsync(new() { Parent = plan.Name })).Meetings.Single(one => one.Name == meeting.Name).Etag;

    /// <summary>The school's own copy: what stands in it, and the properties of the file.</summary>
    private async Task<IEnumerable<Told>> LookAtACopy(Plan plan)
    {
        var issued = await service.As(School).Copies.IssueCopyAsync(new()
        {
            Parent = plan.Name,
            Receiver = CopyReceiver.CallersUnit,
            Etag = (await service.Read(School, plan)).Etag,
            RequestId = Cases.NewId(),
        });
        using var file = new PdfFile(issued.Document.Content.Memory);
        var properties = file.Information;
        return
        [
            new("copy:name", issued.Document.FileName),
            new("copy:text", file.Text),
            .. file.Artifacts.Select((text, i) => new Told($"copy:artifact[{i}]", text)),
            .. new[] { properties.Author, properties.Creator, properties.Keywords, properties.Producer, properties.Subject, properties.Title }.OfType<string>().Select((text, i) => new Told($"copy:property[{i}]", text)),
            new("copy:metadata", file.Metadata),
        ];
    }

    /// <summary>What stands in where the child is, and when that was written.</summary>
    private async Task<HashSet<string>> OwnTokens(Plan plan, IEnumerable<Stay> stays)
    {
        var own = stays.SelectMany(stay => new[] { stay.Address, stay.SafeContact, stay.Since.ToString("O", CultureInfo.InvariantCulture) }).SelectMany(Linkage.Tokens).ToHashSet();
        await using var instants = service.Administrator.CreateCommand(
            """
            SELECT w.changed_at FROM coordinationplan.plan p JOIN coordinationplan.whereabouts w USING (subject_id) WHERE p.plan_id = $1
            UNION ALL SELECT x.created_at FROM coordinationplan.participation x WHERE x.plan_id = $1 AND x.category = 1024
            UNION ALL SELECT x.replied_at FROM coordinationplan.meeting_call x WHERE x.plan_id = $1 AND x.category = 1024 AND x.replied_at IS NOT NULL
            """);
        instants.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        await using var reader = await instants.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            own.Add(reader.GetDateTime(0).ToString("O", CultureInfo.InvariantCulture).ToUpperInvariant());
        }

        return own;
    }

    /// <summary>What was told, but for what is drawn by chance or is the moment: ids, etags, instants, and who the child is.</summary>
    private static List<string> WithoutChance(Played played)
    {
        var ids = new Dictionary<string, string>();
        return [.. played.Told.Select(told => $"{told.Place}: {Settled(told)}")];

        string Settled(Told told)
        {
            if (told.Place.EndsWith("etag", StringComparison.Ordinal) || told.Place.EndsWith("/trace_id", StringComparison.Ordinal) || told.Place.EndsWith("/sha256", StringComparison.Ordinal)
                || told.Place.EndsWith("/leaf", StringComparison.Ordinal))
            {
                return "?";
            }

            // Ids first: one can end in as many digits as a personal number has.
            var value = Id().Replace(told.Value, match => ids.TryGetValue(match.Value, out var known) ? known : ids[match.Value] = $"id{ids.Count}");
            return Person().Replace(Instant().Replace(value, "?"), "?");
        }
    }

    /// <summary>The school's list of plans is in the order in which they were opened, whatever happened in them since.</summary>
    private async Task SeesPlansAsTheyWereOpened(IEnumerable<Plan> played)
    {
        var listed = new List<string>();
        var token = "";
        do
        {
            var page = await service.As(School).Plans.ListPlansAsync(new() { PageSize = 100, PageToken = token });
            listed.AddRange(page.Plans.Select(plan => plan.Name));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        await using var opened = service.Administrator.CreateCommand("SELECT 'plans/' || plan_id FROM coordinationplan.plan ORDER BY created_at DESC, plan_id DESC");
        await using var reader = await opened.ExecuteReaderAsync();
        var all = new List<string>();
        while (await reader.ReadAsync())
        {
            all.Add(reader.GetString(0));
        }

        Assert.True(played.Count(plan => listed.Contains(plan.Name)) > Pairs / 2);
        Assert.Equal(all.Where(listed.Contains), listed);
    }

    [GeneratedRegex(@"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")]
    private static partial Regex Id();

    // Name and number of an invented person, the one whom the case is about or one whom the request names.
    [GeneratedRegex(@"Prov\d+|\b\d{8}-?23[89]\d\b")]
    private static partial Regex Person();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+Z-]*")]
    private static partial Regex Instant();
}
