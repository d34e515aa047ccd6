using System.Globalization;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Everywhere;

/// <summary>
/// What you may not know of does not exist: for every RPC, every role and every way to lack access, a plan that is there and one that never was are
/// answered alike, in content, size and time.
/// </summary>
public sealed class LeakTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private const int PairsOfEach = 10;
    private const int PairsOfReads = 400;

    /// <summary>
    /// How far the chance that a refusal about a real plan is the slower of two may be from a half. Five standard deviations of what chance alone gives for
    /// so many pairs.
    /// </summary>
    private const double Indistinguishable = 0.1;


    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    private static readonly Dictionary<string, Func<Service, Task<Lacking>>> Ways = new()
    {
        ["has no relation to the plan"] = async service => new(
            await World.Make(service, Cases.NewPerson()),
            [
                .. DemonstrationDirectory.Employees.Where(employee => employee.UnitId != DemonstrationDirectory.CaseWorker.UnitId && employee != Care && employee.UnitId != DemonstrationDirectory.School.UnitId
                    && employee != DemonstrationDirectory.DataProtectionOfficer),
                DemonstrationDirectory.Administrator,
            ]),
        ["takes part no longer"] = async service =>
        {
            var world = await World.Make(service, Cases.NewPerson());
            await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = world.Participation.Name, Etag = world.Participation.Etag, RequestId = Cases.NewId() });
            return new(world, [Care]);
        },
        ["had a consent that is withdrawn and a release that has ended"] = async service =>
        {
            var world = await World.Make(service, Cases.NewPerson());
            await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = world.Consent.Name, Etag = world.Consent.Etag, RequestId = Cases.NewId() });
            await service.CaseWorker.Releases.EndReleaseAsync(new() { Name = world.Release.Name, Etag = world.Release.Etag, RequestId = Cases.NewId() });
            return new(world, [Care]);
        },
        ["is refused by the person"] = async service =>
        {
            var world = await World.Make(service, Cases.NewPerson());
            await service.Join(world.Plan, DemonstrationDirectory.ChildPsychiatry);
            await service.Consent(world.Plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Health], consent => consent.State = ConsentState.Refused);
            return new(world, [DemonstrationDirectory.ChildPsychiatry]);
        },
        ["is a blocked employee"] = service => Blocked(service, new() { Employee = "employees/" + Care.Id }, Care),
        ["works in a blocked unit"] = service => Blocked(service, new() { Unit = Cases.UnitOf(Care) }, Care),
        ["is a blocked guardian"] = async service =>
        {
            var lacking = await Blocked(service, new() { Guardian = DemonstrationPersons.Jonas }, DemonstrationDirectory.Jonas);
            await service.Join(lacking.World.Plan, DemonstrationDirectory.Jonas);
            await service.Consent(lacking.World.Plan, DemonstrationDirectory.Jonas, [InformationCategory.Health]);
            return lacking;
        },
        ["is a blocked employee of the owning unit"] = service =>
            Blocked(service, new() { Employee = "employees/" + DemonstrationDirectory.UnitManager.Id }, DemonstrationDirectory.UnitManager),
        ["is the person"] = async service =>
        {
            var person = Cases.NewPerson();
            person.IdentityNumber = DemonstrationPersons.Jonas;
            var world = await World.Make(service, person);
            await service.Join(world.Plan, DemonstrationDirectory.Jonas);
            await service.Consent(world.Plan, DemonstrationDirectory.Jonas, [InformationCategory.Health]);
            return new(world, [DemonstrationDirectory.Jonas]);
        },
        ["has no assignment for protected persons"] = async service =>
        {
            var world = await World.Make(service, Cases.NewPerson());
            await service.Join(world.Plan, DemonstrationDirectory.Colleague);
            await service.Consent(world.Plan, DemonstrationDirectory.Colleague, [InformationCategory.Health]);
            await service.Protect(world.Plan, ProtectionLevel.ProtectedPopulationRegistration);
            return new(world, [DemonstrationDirectory.NewCaseWorker, DemonstrationDirectory.Colleague]);
        },
        ["asks for a person whose keys are destroyed"] = async service =>
        {
            var world = await World.Make(service, Cases.NewPerson());
            var current = await service.Read(DemonstrationDirectory.CaseWorker, world.Plan);
            await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = current.Name, Reason = PlanClosingReason.Moved, Etag = current.Etag, RequestId = Cases.NewId() });
            current = await service.Read(DemonstrationDirectory.CaseWorker, world.Plan);
            await service.As(DemonstrationDirectory.UnitManager).Plans.DisposeSubjectAsync(
                new() { Name = current.Name, DecisionReference = "GALL-1", Etag = current.Etag, RequestId = Cases.NewId() });
            return new(world, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.UnitManager, Care]);
        },
    };

    public static IEnumerable<TheoryDataRow<string>> All => Ways.Keys.Select(way => new TheoryDataRow<string>(way));

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_plan_is_not_there_for_whoever(string way)
    {
        var (world, callers) = await Ways[way](service);
        foreach (var caller in callers)
        {
            foreach (var method in World.PlanMethods)
            {
                var existing = await Refusal(caller, method, About(world, method));
                var missing = await Refusal(caller, method, About(world, method, Ids.Opaque()));

                Assert.Equal((method.Name, missing), (method.Name, existing));
            }

            await LearnsNothingElsewhere(world, caller);
        }
    }

    /// <summary>
    /// Refusals about a plan that is there and one that never was, in turns, and which of each two took longer. Were one of them slower, it would win more than
    /// half of the comparisons. Ranks, so that a disturbed machine moves both alike and no duration is judged.
    /// </summary>
    [Fact]
    public async Task Nothing_is_told_by_the_time_that_a_refusal_takes()
    {
        foreach (var way in new[] { "has no relation to the plan", "is a blocked employee", "has no assignment for protected persons" })
        {
            var (world, callers) = await Ways[way](service);
            var caller = callers[0];
            var read = World.PlanMethods.First(method => method.Name == "GetPlan");
            await Slower(caller, read, world, 100);
            var reads = await Slower(caller, read, world, PairsOfReads);
            var each = new List<(string Method, double Chance)>();
            foreach (var method in World.PlanMethods)
            {
                each.Add((method.Name, await Slower(caller, method, world, PairsOfEach)));
            }

            var mean = each.Average(item => item.Chance);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"who {way}: a refusal about a real plan is the slower one in {reads:P1} of {PairsOfReads} pairs of GetPlan, in {mean:P1} over {each.Count} RPCs ({each.MinBy(item => item.Chance)} to {each.MaxBy(item => item.Chance)})"));
            Assert.InRange(reads, 0.5 - Indistinguishable, 0.5 + Indistinguishable);
            Assert.InRange(mean, 0.5 - Indistinguishable, 0.5 + Indistinguishable);
        }
    }

    [Fact]
    public async Task A_page_token_is_no_right_and_is_of_no_use_to_another()
    {
        var (first, second) = (await Released(), await Released());
        var care = service.As(Care).Plans;
        var page = await care.ListPlansAsync(new() { PageSize = 1 });
        Assert.Equal(second.Plan.Name, Assert.Single(page.Plans).Name);
        var token = page.NextPageToken;

        var others = await service.CaseWorker.Plans.ListPlansAsync(new() { PageSize = 1, PageToken = token }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        var nonsense = await service.CaseWorker.Plans.ListPlansAsync(new() { PageSize = 1, PageToken = "nonsense" }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidPageToken);
        Assert.Equal(Whole(nonsense), Whole(others));

        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = first.Consent.Name, Etag = first.Consent.Etag, RequestId = Cases.NewId() });
        Assert.DoesNotContain((await care.ListPlansAsync(new() { PageSize = 1, PageToken = token })).Plans, plan => plan.Name == first.Plan.Name);

        async Task<(Plan Plan, Consent Consent)> Released()
        {
            var plan = await service.OpenPlan(Cases.NewPerson());
            await service.Join(plan, Care);
            return (plan, await service.Consent(plan, Care, [InformationCategory.Health]));
        }
    }

    private static async Task<Lacking> Blocked(Service service, Block block, DemonstrationEmployee blocked)
    {
        var world = await World.Make(service, Cases.NewPerson());
        (block.Ground, block.DecideDate, block.ReviewDate) = (BlockGround.LinkedToViolentPerson, Cases.Today, Cases.InMonths(3));
        await service.CaseWorker.Protection.AddBlockAsync(new() { Parent = world.Plan.Name, Block = block, Etag = world.Plan.Etag, RequestId = Cases.NewId() });
        return new(world, [blocked]);
    }

    /// <summary>Every RPC that names no plan: a search answers as for nobody, and no list mentions the plan or the person.</summary>
    private async Task LearnsNothingElsewhere(World world, DemonstrationEmployee caller)
    {
        var person = world.Plan.Subject;
        foreach (var (about, aboutNobody) in new[]
        {
            (new FindPlansRequest { IdentityNumber = person.IdentityNumber }, new FindPlansRequest { IdentityNumber = Cases.NewPerson().IdentityNumber }),
            (new FindPlansRequest { GivenName = person.GivenName, FamilyName = person.FamilyName }, new FindPlansRequest { GivenName = "Ingen", FamilyName = "Alls" }),
        })
        {
            var method = World.Methods.Single(method => method.Name == "FindPlans");
            Assert.Equal(await Answer(caller, method, aboutNobody), await Answer(caller, method, about));
        }

        string[] secrets = [world.Plan.Name["plans/".Length..], person.IdentityNumber.Value, person.GivenName];
        foreach (var method in World.Methods.Where(method => method.Name is "ListPlans" or "ListTasks" or "ListAlerts"))
        {
            // A reviewer hears of attempts to reach what its controller owns: that is what alerts are for.
            if (caller != DemonstrationDirectory.LogReviewer)
            {
                var answer = await Answer(caller, method, world.Request(method));
                Assert.All(secrets, secret => Assert.DoesNotContain(secret, answer, StringComparison.Ordinal));
            }
        }
    }

    /// <summary>The chance that the refusal about the real plan takes longer than the other.</summary>
    private async Task<double> Slower(DemonstrationEmployee caller, MethodDescriptor method, World world, int pairs)
    {
        var (existing, missing) = (new long[pairs], new long[pairs]);
        for (var i = 0; i < pairs; i++)
        {
            // Each comes first as often as the other.
            if (i % 2 == 0)
            {
                existing[i] = await Time(About(world, method));
                missing[i] = await Time(About(world, method, Ids.Opaque()));
            }
            else
            {
                missing[i] = await Time(About(world, method, Ids.Opaque()));
                existing[i] = await Time(About(world, method));
            }
        }

        Array.Sort(missing);
        return existing.Average(time =>
        {
            var at = Array.BinarySearch(missing, time);
            return (double)(at < 0 ? ~at : at) / pairs;
        });

        async Task<long> Time(IMessage request)
        {
            var clients = service.As(caller);
            var start = TimeProvider.System.GetTimestamp();
            await Assert.ThrowsAsync<RpcException>(() => World.Call(clients, method, request));
            return TimeProvider.System.GetTimestamp() - start;
        }
    }

    private static IMessage About(World world, MethodDescriptor method, Guid? plan = null)
    {
        var name = plan is { } id ? ResourceName.Plan(id) : world.Plan.Name;
        return method.Name switch
        {
            // Their rightful plan is a closed one of another person; here they are asked about the world's own.
            "DisposeSubject" => new DisposeSubjectRequest { Name = name, DecisionReference = "GALL-1", Etag = world.Plan.Etag, RequestId = Cases.NewId() },
            "ReopenPlan" => new ReopenPlanRequest { Name = name, Etag = world.Plan.Etag, RequestId = Cases.NewId() },
            _ => plan is { } other ? world.RequestAbout(method, other) : world.Request(method),
        };
    }

    private async Task<string> Refusal(DemonstrationEmployee caller, MethodDescriptor method, IMessage request)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(caller), method, request));
        Assert.Equal((method.Name, StatusCode.PermissionDenied), (method.Name, error.StatusCode));
        return Whole(error);
    }

    private async Task<string> Answer(DemonstrationEmployee caller, MethodDescriptor method, IMessage request)
    {
        try
        {
            return (await World.Call(service.As(caller), method, request)).ToString()!;
        }
        catch (RpcException error)
        {
            return Whole(error);
        }
    }

    /// <summary>All that comes with an error but the date, which is the time of the answer.</summary>
    private static string Whole(RpcException error) =>
        $"{error.StatusCode} {error.Status.Detail}\n"
        + string.Join("\n", error.Trailers.Where(entry => entry.Key != "date").Select(entry => entry.Key + "=" + (entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)));

    private sealed record Lacking(World World, IReadOnlyList<DemonstrationEmployee> Callers);
}
