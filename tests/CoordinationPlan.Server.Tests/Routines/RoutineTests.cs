using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Routines;
using CoordinationPlan.V1;
using Google.Type;
using Grpc.Core;
using static CoordinationPlan.V1.RoutineDecisionLevel;
using static CoordinationPlan.V1.RoutineForm;

namespace CoordinationPlan.Server.Tests.Routines;

/// <summary>The boards' routines for schooling, and the programme's indicator over them.</summary>
public sealed class RoutineTests(Service service) : IClassFixture<Service>
{
    private const string Farsta = "boards/" + DemonstrationDirectory.City + "-FARSTA";

    /// <summary>
    /// Computed by hand. A: decided, renewed. B: none of the management's. C: not written until June. D: written and decided, ended early by a correction. E: an
    /// old one and, beside it, a draft. F: has registered nothing.
    /// </summary>
    private static readonly RoutineRecord[] Registered =
    [
        Of("A", 1, "A 1", Written, Management, "2024-01-01", "2024-12-31"),
        Of("A", 2, "A 2", Written, Management, "2025-02-01", "2026-01-31"),
        Of("B", 1, "B 1", Written, Other, "2024-01-01", "2026-12-31"),
        Of("C", 1, "C 1", Unwritten, Management, "2024-01-01", "2026-12-31"),
        Of("C", 2, "C 2", Written, Management, "2025-06-01", "2025-06-30"),
        Of("D", 1, "D 1", Written, Management, "2024-01-01", "2026-12-31"),
        Of("D", 2, "D 1", Written, Management, "2024-01-01", "2025-05-31"),
        Of("E", 1, "E 1", Written, Management, "2024-01-01", "2025-06-01"),
        Of("E", 2, "E 2", Unwritten, Other, "2025-01-01", "2026-12-31"),
    ];

    public static TheoryData<string, string, double> HandComputed => new()
    {
        // The day, who has a current one, the share of six.
        { "2023-12-31", "", 0 },
        { "2024-01-01", "A D E", 3 / 6.0 },
        { "2024-12-31", "A D E", 3 / 6.0 },
        { "2025-01-01", "D E", 2 / 6.0 },
        { "2025-01-31", "D E", 2 / 6.0 },
        { "2025-02-01", "A D E", 3 / 6.0 },
        { "2025-05-31", "A D E", 3 / 6.0 },
        { "2025-06-01", "A C E", 3 / 6.0 },
        { "2025-06-02", "A C", 2 / 6.0 },
        { "2025-06-30", "A C", 2 / 6.0 },
        { "2025-07-01", "A", 1 / 6.0 },
        { "2026-01-31", "A", 1 / 6.0 },
        { "2026-02-01", "", 0 },
    };

    [Theory]
    [MemberData(nameof(HandComputed))]
    public void The_share_is_that_of_the_hand_computed_table(string day, string current, double share)
    {
        var indicator = RoutineIndicator.Of("organisations/x", DateOnly.Parse(day, null), ["F", "E", "D", "C", "B", "A"], Registered, name => name);

        Assert.Equal(["A", "B", "C", "D", "E", "F"], indicator.Authorities.Select(authority => authority.Authority));
        Assert.Equal(current, string.Join(' ', indicator.Authorities.Where(authority => authority.Current).Select(authority => authority.Authority)));
        Assert.Equal((6, current.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, share), (indicator.DueCount, indicator.CurrentCount, indicator.Share));
    }

    [Fact]
    public void Where_nobody_ought_to_have_one_there_is_no_share()
    {
        var indicator = RoutineIndicator.Of("organisations/x", new(2025, 1, 1), [], Registered, name => name);

        Assert.Equal((0, 0, false), (indicator.DueCount, indicator.CurrentCount, indicator.HasShare));
    }

    [Fact]
    public async Task A_manager_registers_for_the_own_board_what_everybody_reads_and_the_indicator_counts()
    {
        var before = await Indicator();
        // Eleven district boards, and the social services board with its on-call teams.
        Assert.Equal((12, 12), (before.DueCount, before.Authorities.Count));
        Assert.Equal((0, 0, Cases.City), (before.CurrentCount, before.Share, before.Organisation));
        Assert.Equal("new", (await List()).Etag);
        var start = await service.Now();

        var first = await Register("new", "SDN 2024/17", Cases.InMonths(-6), Cases.InMonths(6));

        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.WriteRoutine, AccessOutcome.Permitted, (Guid?)null), (entry.Act, entry.Outcome, entry.SubjectId));
        Assert.Equal((Farsta, "SDN 2024/17"), (first.SchoolRoutine.Authority, first.SchoolRoutine.Reference));
        var with = await Indicator();
        Assert.Equal((1, 1 / 12.0), (with.CurrentCount, with.Share));
        Assert.Equal(Farsta, Assert.Single(with.Authorities, authority => authority.Current).Authority);
        Assert.Equal(0, (await Indicator(Cases.InMonths(-7))).CurrentCount);
        Assert.Equal(1, (await Indicator(Cases.InMonths(-6))).CurrentCount);

        // Ended before its time: the registration with the same reference counts, and the first one stays to be read.
        await Register("new", "SDN 2024/17", Cases.InMonths(-6), Cases.Today).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
        var second = await Register(first.Etag, "SDN 2024/17", Cases.InMonths(-6), Cases.ToDate(Today.AddDays(-1)));
        Assert.Equal(0, (await Indicator()).CurrentCount);
        var listed = await service.As(DemonstrationDirectory.School).Routines.ListSchoolRoutinesAsync(new() { Authority = Farsta });
        Assert.Equal([second.SchoolRoutine, first.SchoolRoutine], listed.SchoolRoutines);
        Assert.Equal(second.Etag, listed.Etag);
        Assert.DoesNotContain("SDN 2024", await service.Dump(), StringComparison.Ordinal);

        // Another board has none of it.
        Assert.Empty((await service.As(DemonstrationDirectory.OtherCaseWorker).Routines.ListSchoolRoutinesAsync(new())).SchoolRoutines);
        Assert.Equal(0, (await Indicator(organisation: "organisations/" + DemonstrationDirectory.Region)).DueCount);
    }

    [Fact]
    public async Task Nobody_else_registers_and_nobody_but_a_statistician_reads_the_indicator()
    {
        foreach (var employee in DemonstrationDirectory.Employees.Append(DemonstrationDirectory.Administrator))
        {
            if (employee != DemonstrationDirectory.UnitManager)
            {
                await service.As(employee).Routines.RegisterSchoolRoutineAsync(Request("new", "X", Cases.Today, Cases.Today)).IsRefused();
            }

            if (employee != DemonstrationDirectory.Statistician)
            {
                await service.As(employee).Routines.GetSchoolRoutineIndicatorAsync(new()).IsRefused();
            }
        }
    }

    [Fact]
    public async Task Days_are_in_order_and_names_are_names()
    {
        var manager = service.As(DemonstrationDirectory.UnitManager).Routines;
        await manager.RegisterSchoolRoutineAsync(Request("new", "X", Cases.InMonths(1), Cases.InMonths(2))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await manager.RegisterSchoolRoutineAsync(Request("new", "X", Cases.Today, Cases.InMonths(-1))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await manager.RegisterSchoolRoutineAsync(Request("new", "", Cases.Today, Cases.Today)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        foreach (var authority in new[] { "boards/", "units/x", "Farsta", "boards/a b" })
        {
            await manager.ListSchoolRoutinesAsync(new() { Authority = authority }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        await service.As(DemonstrationDirectory.Statistician).Routines.GetSchoolRoutineIndicatorAsync(new() { Date = Cases.InMonths(1) }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
    }

    private static DateOnly Today => new(Cases.Today.Year, Cases.Today.Month, Cases.Today.Day);

    private static RoutineRecord Of(string controller, int version, string reference, RoutineForm form, RoutineDecisionLevel level, string decidedOn, string validTo) =>
        new(controller, version, reference, form, level, "Nämnden", DateOnly.Parse(decidedOn, null), DateOnly.Parse(validTo, null), default);

    private static RegisterSchoolRoutineRequest Request(string etag, string reference, Date decided, Date validTo) => new()
    {
        SchoolRoutine = new() { Reference = reference, Form = Written, DecisionLevel = Management, Decider = "Ledningsgruppen", DecideDate = decided, ValidToDate = validTo },
        Etag = etag,
        RequestId = Cases.NewId(),
    };

    private AsyncUnaryCall<RegisterSchoolRoutineResponse> Register(string etag, string reference, Date decided, Date validTo) =>
        service.As(DemonstrationDirectory.UnitManager).Routines.RegisterSchoolRoutineAsync(Request(etag, reference, decided, validTo));

    private async Task<ListSchoolRoutinesResponse> List() => await service.As(DemonstrationDirectory.UnitManager).Routines.ListSchoolRoutinesAsync(new());

    private async Task<SchoolRoutineIndicator> Indicator(Date? day = null, string organisation = "") =>
        (await service.As(DemonstrationDirectory.Statistician).Routines.GetSchoolRoutineIndicatorAsync(new() { Date = day, Organisation = organisation })).SchoolRoutineIndicator;
}
