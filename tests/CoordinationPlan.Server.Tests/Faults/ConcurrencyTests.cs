using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>No lost update and no double effect, whoever comes at once.</summary>
public sealed class ConcurrencyTests(Service service) : IClassFixture<Service>
{
    private const int Many = 50;

    public static TheoryData<string> Changes => [.. SameRequest.Kinds.Keys];

    [Fact]
    public async Task Fifty_who_change_the_same_text_from_what_they_have_read_lose_nothing()
    {
        var plan = await service.OpenPlan(socialSituation: "Början.");

        await Task.WhenAll(Enumerable.Range(0, Many).Select(i => Append(plan.Name, $"rad {i};")));

        var lines = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).SocialSituation.Split('\n');
        Assert.Equal(Many + 1, lines.Length);
        Assert.Equal(Enumerable.Range(0, Many).Select(i => $"rad {i};").Order(StringComparer.Ordinal), lines.Skip(1).Order(StringComparer.Ordinal));
        Assert.Equal(Enumerable.Range(1, Many).ToList(), await Versions("plan_history", plan));
        Assert.Equal(Texts(lines), await KeptTexts(plan));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task The_same_request_fifty_times_at_once_is_done_once_and_answered_alike(string rpc)
    {
        var change = await SameRequest.Kinds[rpc](service);
        var before = await service.Count(change.Table);
        var start = await service.Now();

        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => change.Send()));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(before + 1, await service.Count(change.Table));
        Assert.Equal(Many, (await service.LogSince(start)).Count(row => row.Outcome == AccessOutcome.Permitted));
    }

    [Fact]
    public async Task A_request_id_at_once_for_two_plans_changes_one_of_them()
    {
        var plans = new[] { await service.OpenPlan(), await service.OpenPlan() };
        var id = Cases.NewId();

        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(i => Try(service.CaseWorker.Plans.AddGoalAsync(new AddGoalRequest
        {
            Parent = plans[i % 2].Name,
            Goal = new Goal { Title = "Ett" },
            Etag = plans[i % 2].Etag,
            RequestId = id,
        }))));

        var goals = new List<Goal>();
        foreach (var plan in plans)
        {
            goals.AddRange((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals);
        }

        var goal = Assert.Single(goals);
        Assert.Equal((Many / 2, Many / 2), (answers.Count(answer => answer.Reason is null), answers.Count(answer => answer.Reason == ErrorReason.RequestIdReused)));
        Assert.All(answers.Where(answer => answer.Reason is null), answer => Assert.Equal(goal, answer.Response!.Goal));
    }

    [Fact]
    public async Task A_request_id_is_good_for_one_content_of_one_RPC_of_one_caller()
    {
        var plan = await service.OpenPlan();
        var request = new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = "Trygghet" }, Etag = plan.Etag, RequestId = Cases.NewId() };
        await service.CaseWorker.Plans.AddGoalAsync(request);
        var other = request.Clone();
        other.Goal.Title = "Något annat";
        var dry = request.Clone();
        dry.ValidateOnly = true;

        await service.CaseWorker.Plans.AddGoalAsync(other).Fails(StatusCode.InvalidArgument, ErrorReason.RequestIdReused);
        await service.CaseWorker.Plans.AddGoalAsync(dry).Fails(StatusCode.InvalidArgument, ErrorReason.RequestIdReused);
        await service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
        {
            Plan = new Plan { Name = plan.Name, SocialSituation = "Något annat" },
            UpdateMask = new() { Paths = { "social_situation" } },
            Etag = plan.Etag,
            RequestId = request.RequestId,
        }).Fails(StatusCode.InvalidArgument, ErrorReason.RequestIdReused);
        await service.CaseWorker.Plans.CreatePlanAsync(new CreatePlanRequest { Plan = new Plan { Subject = DemonstrationPersons.Sara }, RequestId = request.RequestId })
            .Fails(StatusCode.InvalidArgument, ErrorReason.RequestIdReused);

        var read = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        Assert.Equal((plan.SocialSituation, "Trygghet"), (read.SocialSituation, Assert.Single(read.Goals).Title));
        await service.As(DemonstrationDirectory.UnitManager).Plans.AddGoalAsync(other);
    }

    [Fact]
    public async Task Of_fifty_who_open_a_plan_at_once_for_a_person_not_known_before_one_does_and_the_others_are_pointed_to_it()
    {
        var (persons, plans) = (await service.Count("subject"), await service.Count("plan"));

        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(async _ =>
        {
            try
            {
                return (Name: (await service.OpenPlan(DemonstrationPersons.Nora)).Name, Reason: ErrorReason.Unspecified);
            }
            catch (RpcException error)
            {
                return (Name: error.ExistingPlan(), Reason: error.Reason());
            }
        }));

        Assert.Equal((persons + 1, plans + 1), (await service.Count("subject"), await service.Count("plan")));
        Assert.Single(answers, answer => answer.Reason == ErrorReason.Unspecified);
        Assert.Equal(Many - 1, answers.Count(answer => answer.Reason == ErrorReason.PlanExists));
        Assert.NotNull(Assert.Single(answers.Select(answer => answer.Name).Distinct()));
    }

    [Fact]
    public async Task Units_that_may_not_know_of_each_others_plans_open_them_at_once_for_one_person()
    {
        var (persons, person) = (await service.Count("subject"), Cases.NewPerson());
        DemonstrationEmployee[] workers = [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Psychiatry];

        await Task.WhenAll(workers.Select(worker => service.As(worker).Plans.CreatePlanAsync(new() { Plan = new Plan { Subject = person }, RequestId = Cases.NewId() }).ResponseAsync));

        Assert.Equal(persons + 1, await service.Count("subject"));
    }

    [Fact]
    public async Task Of_many_who_change_a_directory_entry_from_the_same_version_one_does_and_the_others_hear_so()
    {
        var unit = new Unit { Name = "units/" + Cases.NewId(), Organisation = Cases.City, Kind = UnitKind.Support, DisplayName = "Före" };
        var directory = SameRequest.Administrator(service).Directory;
        var etag = (await directory.PutUnitAsync(new PutUnitRequest { Unit = unit, Etag = "new", RequestId = Cases.NewId() })).Unit.Etag;
        var requests = Enumerable.Range(0, 20)
            .Select(i => new PutUnitRequest { Unit = new Unit(unit) { DisplayName = $"Efter {i}" }, Etag = etag, RequestId = Cases.NewId() })
            .ToList();

        var first = await Task.WhenAll(requests.Select(request => Try(directory.PutUnitAsync(request))));
        var again = await Task.WhenAll(requests.Select(request => Try(directory.PutUnitAsync(request))));

        var name = await Scalar<string>("SELECT display_name FROM coordinationplan.unit WHERE unit_id = $1", service.Names.Stored("units", unit.Name["units/".Length..]));
        Assert.Equal([service.Names.Open(name)], first.Concat(again).Where(answer => answer.Reason is null).Select(answer => answer.Response!.Unit.DisplayName).Distinct());
        Assert.All(first.Where(answer => answer.Reason is not null), answer => Assert.Equal(ErrorReason.StaleEtag, answer.Reason));
    }

    private static async Task<(TResponse? Response, ErrorReason? Reason)> Try<TResponse>(AsyncUnaryCall<TResponse> call)
        where TResponse : class, IMessage
    {
        try
        {
            return (await call, null);
        }
        catch (RpcException error)
        {
            return (null, error.Reason());
        }
    }

    /// <summary>The text as it was after each of the changes.</summary>
    private static IEnumerable<string> Texts(string[] lines) => Enumerable.Range(1, Many).Select(count => string.Join('\n', lines.Take(count)));

    private async Task Append(string plan, string line)
    {
        for (var attempt = 1; ; attempt++)
        {
            var read = (await service.CaseWorker.Plans.GetPlanAsync(new GetPlanRequest { Name = plan })).Plan;
            var (_, reason) = await Try(service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
            {
                Plan = new Plan { Name = plan, SocialSituation = read.SocialSituation + "\n" + line },
                UpdateMask = new() { Paths = { "social_situation" } },
                Etag = read.Etag,
                RequestId = Cases.NewId(),
            }));
            if (reason is null)
            {
                return;
            }

            Assert.Equal(ErrorReason.StaleEtag, reason);
            await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(20 * attempt)), TimeProvider.System);
        }
    }

    private async Task<List<string>> KeptTexts(Plan plan)
    {
        await using var command = service.Administrator.CreateCommand(
            "SELECT body, part_id, version FROM coordinationplan.plan_part_history WHERE plan_id = $1 AND category = $2 ORDER BY version");
        command.Parameters.Add(new() { Value = IdOf(plan) });
        command.Parameters.Add(new() { Value = (int)Policy.Categories.SocialSituation });
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync())
        {
            var body = await service.OpenPart(IdOf(plan), reader.GetGuid(1), reader.GetInt32(2), Policy.Categories.SocialSituation, reader.GetFieldValue<byte[]>(0));
            texts.Add(Plan.Parser.ParseFrom(body).SocialSituation);
        }

        return texts;
    }

    private async Task<List<int>> Versions(string table, Plan plan)
    {
        await using var command = service.Administrator.CreateCommand($"SELECT version FROM coordinationplan.{table} WHERE plan_id = $1 ORDER BY version");
        command.Parameters.Add(new() { Value = IdOf(plan) });
        await using var reader = await command.ExecuteReaderAsync();
        var versions = new List<int>();
        while (await reader.ReadAsync())
        {
            versions.Add(reader.GetInt32(0));
        }

        return versions;
    }

    private async Task<T> Scalar<T>(string sql, object parameter)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static Guid IdOf(Plan plan) => Guid.Parse(plan.Name["plans/".Length..]);
}
