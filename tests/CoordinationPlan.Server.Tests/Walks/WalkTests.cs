using System.Collections.Concurrent;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using CsCheck;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Walks;

/// <summary>
/// Random sequences of calls by those who own a plan, take part in it, have no relation to it or are blocked, with valid and stale etags, repeated requests and a
/// clock that moves; after each call the answer is what a small model of a plan says, and at the end the access log holds every call once.
/// </summary>
/// <remarks>
/// A failure prints the seed and the last steps of the shortest walk that fails. <c>CsCheck_Seed</c> set to the seed walks just that one again.
/// </remarks>
[Collection(nameof(Alone))]
public sealed class WalkTests(Machine machine, ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly int Steps = Campaign.Of("STEPS", always: 40_000, thorough: 100_000);
    private const int StepsOfAWalk = 150;

    /// <summary>Refusals wait for their slots, so many walk at once.</summary>
    private const int AtOnce = 16;

    private readonly ConcurrentBag<Stand> _free = [];
    private readonly List<Stand> _stands = [];
    private NpgsqlDataSource? _administrator;

    public async ValueTask InitializeAsync()
    {
        _ = machine.Infrastructure;
        var database = await machine.CloneDatabaseAsync();
        _administrator = NpgsqlDataSource.Create(database.AdministratorConnectionString);
        for (var i = 0; i < AtOnce; i++)
        {
            _stands.Add(await Stand.Start(machine.Infrastructure, database));
            _free.Add(_stands[i]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stand in _stands)
        {
            await stand.DisposeAsync();
        }

        if (_administrator is not null)
        {
            await _administrator.DisposeAsync();
        }
    }

    [Fact]
    [Trait("Duration", "Minutes")]
    public async Task Whatever_is_called_in_whatever_order_is_answered_as_the_model_says_and_logged_once()
    {
        var isReplay = Environment.GetEnvironmentVariable("CsCheck_Seed") is { Length: > 0 };
        var wanted = isReplay ? 1 : Steps;
        var (before, walks, calls) = (await CountEntries(), 0L, 0L);

        while (calls < wanted)
        {
            var more = Math.Max(1, (wanted - calls) / StepsOfAWalk);
            await Gen.UInt.Array[60, (2 * StepsOfAWalk) - 60].SampleAsync(
                async numbers =>
                {
                    var walk = await Take(numbers);
                    Interlocked.Add(ref calls, walk.Calls);
                },
                iter: more,
                threads: AtOnce,
                print: numbers => $"{numbers.Length} steps");
            walks += more;
        }

        var logged = await CountEntries() - before;
        output.WriteLine($"{walks} walks, {calls} calls, {logged} entries");
        Assert.Equal(calls, logged);
        Assert.True(calls >= wanted, $"{calls} steps are fewer than {wanted}.");
    }

    private async Task<Walk> Take(uint[] numbers)
    {
        Assert.True(_free.TryTake(out var stand));
        try
        {
            stand.Clock.SetTo(TimeProvider.System.GetUtcNow());
            var walk = await Walk.Begin(stand);
            foreach (var number in numbers)
            {
                await walk.Step(number);
            }

            Assert.Equal(
                walk.Entries.Where(entry => entry.AboutThePlan).Select(entry => $"{entry.Method} {entry.Employee} {entry.Outcome}").Order(StringComparer.Ordinal),
                (await EntriesOf(walk.Plan)).Order(StringComparer.Ordinal));
            return walk;
        }
        finally
        {
            _free.Add(stand);
        }
    }

    private async Task<long> CountEntries()
    {
        await using var command = _administrator!.CreateCommand("SELECT count(*) FROM coordinationplan.access_log");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<List<string>> EntriesOf(string plan)
    {
        await using var command = _administrator!.CreateCommand("SELECT method, employee_id, outcome FROM coordinationplan.access_log WHERE plan_id = $1");
        command.Parameters.Add(new() { Value = Guid.Parse(plan["plans/".Length..]) });
        await using var reader = await command.ExecuteReaderAsync();
        var entries = new List<string>();
        while (await reader.ReadAsync())
        {
            var method = reader.GetString(0);
            entries.Add($"{method[(method.IndexOf('/', StringComparison.Ordinal) + 1)..]} {_stands[0].Names.Id(ResourceName.Employees, reader.GetString(1))} {(AccessOutcome)reader.GetInt16(2)}");
        }

        return entries;
    }
}
