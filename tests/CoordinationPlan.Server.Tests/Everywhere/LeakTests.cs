using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
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
public sealed class LeakTests(Service service) : IClassFixture<Service>
{
    /// <summary>So many calls are under way at once: a refusal waits for its slot, and the waits need not come one after the other.</summary>
    private const int AtOnce = 8;

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    /// <summary>Every way to lack access to a plan that is there.</summary>
    public static readonly IReadOnlyDictionary<string, Func<Service, Task<Lacking>>> Ways = new Dictionary<string, Func<Service, Task<Lacking>>>
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
            await service.LetRetentionPass(current);
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
        var calls = from caller in callers from method in World.PlanMethods select (caller, method);
        await Parallel.ForEachAsync(calls, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (call, _) =>
        {
            var existing = await Refusal(call.caller, call.method, About(world, call.method));
            var missing = await Refusal(call.caller, call.method, About(world, call.method, Ids.Opaque()));

            Assert.Equal((call.method.Name, missing), (call.method.Name, existing));
        });

        foreach (var caller in callers)
        {
            await LearnsNothingElsewhere(world, caller);
        }
    }

    /// <summary>
    /// Calls that name any person by number answer alike whoever it is. Their work takes longer for a person whom the service does not know, and where somebody
    /// is alerted; with a slot that is longer than any of it, each answer is seen to wait for its end.
    /// </summary>
    [Theory]
    [InlineData("CreatePlan")]
    [InlineData("SuggestPlan")]
    [InlineData("OpenEmergencyAccess")]
    [InlineData("DeclareRelation")]
    public async Task Whether_a_person_is_known_is_not_told_by_the_time_that_an_answer_takes(string name)
    {
        var slot = TimeSpan.FromMilliseconds(300);
        var method = World.Methods.Single(method => method.Name == name);
        var world = await World.Make(service);
        var caller = name switch
        {
            "SuggestPlan" => DemonstrationDirectory.School,
            "DeclareRelation" => DemonstrationDirectory.Ward,
            _ => DemonstrationDirectory.Psychiatry,
        };
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Access = new AccessOptions { RefusalSlot = slot };
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var connection = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentInfrastructure.ClientOf(caller));
        var clients = connection.For(service.Infrastructure.Choice(caller));
        await World.Call(clients, method, About(Cases.NewPerson()));

        foreach (var person in new[] { world.Plan.Subject, Cases.NewPerson() })
        {
            var start = TimeProvider.System.GetTimestamp();
            await World.Call(clients, method, About(person));
            Assert.InRange(TimeProvider.System.GetElapsedTime(start), slot - TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1));
        }

        await app.StopAsync(TestContext.Current.CancellationToken);

        IMessage About(Subject person)
        {
            var request = world.Request(method);
            switch (request)
            {
                case CreatePlanRequest create:
                    create.Plan.Subject = person;
                    break;
                case SuggestPlanRequest suggest:
                    suggest.PlanSuggestion.Subject = person;
                    break;
                case OpenEmergencyAccessRequest open:
                    open.Person = person.IdentityNumber;
                    break;
                case DeclareRelationRequest declare:
                    declare.Person = person.IdentityNumber;
                    break;
            }

            return request;
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

        var answering = World.Methods.Single(method => method.Name == "AnswerSuggestion");
        var toNone = (AnswerSuggestionRequest)world.Request(answering);
        toNone.Name = ResourceName.PlanSuggestion(Ids.Opaque());
        Assert.Equal(await Refusal(caller, answering, toNone), await Refusal(caller, answering, world.Request(answering)));

        string[] secrets = [world.Plan.Name["plans/".Length..], person.IdentityNumber.Value, person.GivenName, world.Suggestion.Name];
        foreach (var method in World.Methods.Where(method => method.Name is "ListPlans" or "ListTasks" or "ListAlerts" or "ListSuggestions"))
        {
            // A reviewer hears of attempts to reach what its controller owns: that is what alerts are for.
            if (caller != DemonstrationDirectory.LogReviewer)
            {
                var answer = await Answer(caller, method, world.Request(method));
                Assert.All(secrets, secret => Assert.DoesNotContain(secret, answer, StringComparison.Ordinal));
            }
        }
    }

    /// <summary>A request about the world's plan, or the same about another.</summary>
    public static IMessage About(World world, MethodDescriptor method, Guid? plan = null)
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

    private static string Whole(RpcException error) => $"{error.StatusCode} {error.Status.Detail}\n{World.Trailers(error)}";

    /// <summary>A world, and who lacks access to its plan.</summary>
    public sealed record Lacking(World World, IReadOnlyList<DemonstrationEmployee> Callers);
}
