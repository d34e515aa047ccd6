using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Log;
using CoordinationPlan.V1;
using CsCheck;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>
/// Kills the service and its database by turns, at random moments, while many work with it. What was acknowledged is there, once; what was
/// answered is in the log.
/// </summary>
public sealed class CrashTests(Machine machine, ITestOutputHelper output)
{
    private const int Plans = 4;
    private const int Writers = 8;
    private const int LongestPause = 30;
    private static readonly int Kills = Campaign.Of("KILLS", always: 80, thorough: 200);

    [Fact]
    [Trait("Duration", "Minutes")]
    public async Task Whatever_is_killed_what_was_acknowledged_is_there_once_and_what_was_answered_is_in_the_log()
    {
        _ = machine.Infrastructure;
        var seed = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
        output.WriteLine($"Seed {seed}");
        await using var own = new Machine();
        await own.InitializeAsync();
        var database = await own.CloneDatabaseAsync();
        await using var administrator = NpgsqlDataSource.Create(database.AdministratorConnectionString + ";Pooling=false");
        await RecoverQuickly(administrator);
        var log = Path.GetTempFileName();
        await using var service = new ServiceProcess(own.Infrastructure.ServerOptions(database.Options, ServiceProcess.FreePort(), null), log);
        await service.Start();

        using var clients = new Clients(own.Infrastructure, service.Address);
        var calls = new Calls();
        var plans = await Open(clients, calls);
        var rows = await Rows.Of(administrator);
        using var done = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Writers).Select(i => new Writer($"S{i}", clients.CaseWorker, plans[i % Plans], calls)).ToList();
        Task[] work =
        [
            .. writers.Select(writer => writer.Work(done.Token)),
            .. plans.Select(plan => Readers.Read(clients, calls, plan, done.Token)),
            Readers.List(clients, calls, done.Token),
            Readers.TryAsStranger(clients, calls, plans[0], done.Token),
        ];

        var begin = TimeProvider.System.GetTimestamp();
        await KillByTurns(new PCG(1, seed), service, own.Infrastructure.Postgres!, calls, Task.WhenAny(work));
        var took = TimeProvider.System.GetElapsedTime(begin);
        await calls.Answered(100);
        await done.CancelAsync();
        await Task.WhenAll(work);

        foreach (var (i, plan) in plans.Index())
        {
            var read = (await clients.CaseWorker.Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name })).Plan;
            var authors = writers.Where((_, writer) => writer % Plans == i).ToList();
            Assert.Equal(Sorted(authors.SelectMany(author => author.Goals)), Sorted(read.Goals.Select(goal => goal.Title)));
            Assert.Equal(Sorted(authors.SelectMany(author => author.Interventions)), Sorted(read.Interventions.Select(intervention => intervention.Title)));
        }

        foreach (var (name, text) in writers.SelectMany(writer => writer.Opened))
        {
            Assert.Equal(text, (await clients.CaseWorker.Plans.GetPlanAsync(new GetPlanRequest { Name = name })).Plan.SocialSituation);
        }

        var added = await Rows.Of(administrator) - rows;
        Assert.Equal(
            new Rows(
                Plans: writers.Sum(writer => writer.Opened.Count),
                Goals: writers.Sum(writer => writer.Goals.Count),
                Interventions: writers.Sum(writer => writer.Interventions.Count),
                Replaced: writers.Sum(writer => writer.Updates),
                Requests: writers.Sum(writer => writer.Acknowledged)),
            added);

        await LogIsWhole(own, database);

        var (permitted, refused) = (await Traces(administrator, AccessOutcome.Permitted), await Traces(administrator, AccessOutcome.Refused));
        Assert.Empty(calls.WithContent.Except(permitted));
        Assert.Empty(calls.Refused.Except(refused));

        output.WriteLine($"{Kills} kills in {took.TotalSeconds:F0} s, {calls.InFlightAtKills / (double)Kills:F1} calls under way at each, at least {calls.FewestInFlight}");
        output.WriteLine($"{added.Requests} changes acknowledged ({added}), {calls.WithContent.Count} answers with content and {calls.Refused.Count} refusals, all in the log");
        output.WriteLine($"{calls.Failures} attempts failed; {permitted.Except(calls.WithContent).Count()} were done and in the log but never answered");
        File.Delete(log);
    }

    /// <summary>Every entry has its place in a tree, and what is published is what is there; once the last ones have come in.</summary>
    private async Task LogIsWhole(Machine own, DevelopmentDatabase database)
    {
        var options = LogCheckOptions.Of(own.Infrastructure.ServerOptions(database.Options, 0, null).Log, [], TimeProvider.System.GetUtcNow());
        var auditor = database.Options.ConnectionString + ";Username=coordplan_auditor";
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System))
        {
            var result = await LogCheck.Run(auditor, options, null, default);
            if (result is { Pending: 0, Findings.Count: 0 })
            {
                output.WriteLine($"{result.Entries} entries in {result.Logs} logs, each once");
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), $"{result.Pending} pending; {string.Join("; ", result.Findings)}");
        }
    }

    /// <summary>After a crash PostgreSQL makes sure that every file is on disk: all at once takes it a moment, one by one takes it seconds.</summary>
    private static async Task RecoverQuickly(NpgsqlDataSource administrator)
    {
        await using var command = administrator.CreateCommand("ALTER SYSTEM SET recovery_init_sync_method = 'syncfs'");
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Half of the kills hit the service, half the database, each while calls are under way after the restart before.</summary>
    private static async Task KillByTurns(PCG random, ServiceProcess service, LocalPostgres postgres, Calls calls, Task<Task> failed)
    {
        for (var kill = 0; kill < Kills; kill++)
        {
            await await Task.WhenAny(calls.Answered(5), failed.Unwrap());
            // Who has been unlucky again and again has its turn before the next kill.
            await await Task.WhenAny(calls.NobodyStarves(), failed.Unwrap());
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(LongestPause + 1)), TimeProvider.System);
            calls.NoteKill();
            if (kill % 2 == 0)
            {
                await service.Kill();
                await service.Start();
            }
            else
            {
                await postgres.KillAsync();
                await postgres.RestartAsync();
            }
        }
    }

    private static async Task<List<Plan>> Open(Clients clients, Calls calls)
    {
        var plans = new List<Plan>();
        for (var i = 0; i < Plans; i++)
        {
            var plan = (await calls.UntilAnswered(clients.CaseWorker.Plans.CreatePlanAsync, new CreatePlanRequest
            {
                Plan = new Plan { Subject = Cases.NewPerson(), HealthSituation = "Sömnbesvär." },
                RequestId = Cases.NewId(),
            })).Plan;
            await calls.UntilAnswered(clients.CaseWorker.Participations.AddParticipationAsync, new AddParticipationRequest
            {
                Parent = plan.Name,
                Participation = new Participation { Unit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Period = Cases.HalfAYear },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
            await calls.UntilAnswered(clients.CaseWorker.Consents.RecordConsentAsync, new RecordConsentRequest
            {
                Parent = plan.Name,
                Consent = new Consent
                {
                    State = ConsentState.Given,
                    RecipientUnits = { Cases.UnitOf(DemonstrationDirectory.PrimaryCare) },
                    Categories = { InformationCategory.GoalsAndInterventions },
                    Purpose = Purpose.CareAndTreatment,
                    Period = Cases.HalfAYear,
                    Form = ConsentForm.Written,
                    GivenBy = ConsentGiver.Self,
                },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
            plans.Add(plan);
        }

        return plans;
    }

    private static async Task<HashSet<string>> Traces(NpgsqlDataSource administrator, AccessOutcome outcome)
    {
        await using var command = administrator.CreateCommand("SELECT DISTINCT encode(trace_id, 'hex') FROM coordinationplan.access_log WHERE outcome = $1 AND trace_id IS NOT NULL");
        command.Parameters.Add(new() { Value = (short)outcome });
        await using var reader = await command.ExecuteReaderAsync();
        var traces = new HashSet<string>();
        while (await reader.ReadAsync())
        {
            traces.Add(reader.GetString(0));
        }

        return traces;
    }

    private static IEnumerable<string> Sorted(IEnumerable<string> titles) => titles.Order(StringComparer.Ordinal);

    /// <summary>Counts of what each change leaves.</summary>
    private sealed record Rows(long Plans, long Goals, long Interventions, long Replaced, long Requests)
    {
        public static async Task<Rows> Of(NpgsqlDataSource administrator)
        {
            await using var command = administrator.CreateCommand(
                """
                SELECT (SELECT count(*) FROM coordinationplan.plan),
                       (SELECT count(*) FROM coordinationplan.plan_part WHERE kind = 2),
                       (SELECT count(*) FROM coordinationplan.plan_part WHERE kind = 3),
                       (SELECT count(*) FROM coordinationplan.plan_part_history),
                       (SELECT count(*) FROM coordinationplan.request_outcome)
                """);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            return new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
        }

        public static Rows operator -(Rows after, Rows before) => new(
            after.Plans - before.Plans,
            after.Goals - before.Goals,
            after.Interventions - before.Interventions,
            after.Replaced - before.Replaced,
            after.Requests - before.Requests);
    }

    private sealed class Clients(DevelopmentInfrastructure infrastructure, Uri address) : IDisposable
    {
        private readonly ConcurrentDictionary<string, CoordinationPlanConnection> _connections = new();

        public CoordinationPlanClients CaseWorker => As(DemonstrationDirectory.CaseWorker);

        public CoordinationPlanClients As(DemonstrationEmployee employee) =>
            _connections.GetOrAdd(DevelopmentInfrastructure.ClientOf(employee), id => infrastructure.Connect(address, id)).For(infrastructure.Choice(employee));

        public void Dispose()
        {
            foreach (var connection in _connections.Values)
            {
                connection.Dispose();
            }
        }
    }

    /// <summary>Makes calls as a careful client does, each attempt with a trace id of its own, and remembers what was answered.</summary>
    private sealed class Calls
    {
        private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(10);
        /// <summary>Between two attempts, as long as the service is away: shorter ones only take the processor from what is to come back.</summary>
        private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(60);
        private static readonly TimeSpan _longest = TimeSpan.FromMinutes(2);
        private static readonly TimeSpan _longEnough = TimeSpan.FromSeconds(20);
        private readonly ConcurrentDictionary<object, long> _waiting = new();
        private readonly ConcurrentQueue<(long Count, TaskCompletionSource Reached)> _awaited = new();
        private long _answers;
        private int _failures;
        private int _inFlight;

        public ConcurrentBag<string> WithContent { get; } = [];

        public ConcurrentBag<string> Refused { get; } = [];

        public int Failures => _failures;

        public int InFlightAtKills { get; private set; }

        public int FewestInFlight { get; private set; } = int.MaxValue;

        public void NoteKill()
        {
            var inFlight = Volatile.Read(ref _inFlight);
            InFlightAtKills += inFlight;
            FewestInFlight = Math.Min(FewestInFlight, inFlight);
        }

        /// <summary>Returns once so many more calls have been answered.</summary>
        public Task Answered(int count)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Enqueue((Interlocked.Read(ref _answers) + count, reached));
            return reached.Task;
        }

        /// <summary>Returns once no call has been tried in vain for long.</summary>
        public async Task NobodyStarves()
        {
            while (_waiting.Values.Any(begin => TimeProvider.System.GetElapsedTime(begin) > _longEnough))
            {
                await Task.Delay(_pause, TimeProvider.System);
            }
        }

        public async Task<TResponse> UntilAnswered<TRequest, TResponse>(Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call, TRequest request)
        {
            var (begin, waiting) = (TimeProvider.System.GetTimestamp(), new object());
            _waiting[waiting] = begin;
            using var answered = new Answer(() => _waiting.TryRemove(waiting, out _));
            while (true)
            {
                var trace = ActivityTraceId.CreateRandom().ToHexString();
                var headers = new Metadata { { "traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01" } };
                Interlocked.Increment(ref _inFlight);
                try
                {
                    var response = await call(request, new CallOptions(headers, TimeProvider.System.GetUtcNow().UtcDateTime + _deadline));
                    WithContent.Add(trace);
                    CountAnswer();
                    return response;
                }
                catch (RpcException error) when (error.Reason() == ErrorReason.AccessDenied)
                {
                    Refused.Add(trace);
                    CountAnswer();
                    throw;
                }
                catch (RpcException error) when (IsOfACrash(error) && TimeProvider.System.GetElapsedTime(begin) < _longest)
                {
                    Interlocked.Increment(ref _failures);
                }
                finally
                {
                    Interlocked.Decrement(ref _inFlight);
                }

                await Task.Delay(_pause, TimeProvider.System);
            }
        }

        private sealed class Answer(Action came) : IDisposable
        {
            public void Dispose() => came();
        }

        /// <summary>What the service says when its database has gone, and what the connection says when the service has. Nothing else is excused.</summary>
        private static bool IsOfACrash(RpcException error) => error.Reason() switch
        {
            ErrorReason.Unavailable or ErrorReason.DeadlineExceeded => true,
            ErrorReason.Unspecified => error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Cancelled,
            _ => false,
        };

        private void CountAnswer()
        {
            var answers = Interlocked.Increment(ref _answers);
            while (_awaited.TryPeek(out var next) && next.Count <= answers && _awaited.TryDequeue(out next))
            {
                next.Reached.TrySetResult();
            }
        }
    }

    /// <summary>Goes on changing a plan, and remembers what was acknowledged.</summary>
    private sealed class Writer(string name, CoordinationPlanClients clients, Plan plan, Calls calls)
    {
        public List<string> Goals { get; } = [];

        public List<string> Interventions { get; } = [];

        public List<(string Name, string Text)> Opened { get; } = [];

        public int Updates { get; private set; }

        public int Acknowledged => Goals.Count + Interventions.Count + Opened.Count + Updates;

        public async Task Work(CancellationToken done)
        {
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                var goal = await AddGoal($"{name} mål {i}");
                await Update(goal, $"{name} mål {i}, ändrat");
                await AddIntervention($"{name} insats {i}");
                if (i % 3 == 0)
                {
                    await OpenPlan($"{name} plan {i}");
                }
            }
        }

        private async Task<Goal> AddGoal(string title)
        {
            var goal = (await calls.UntilAnswered(clients.Plans.AddGoalAsync, new AddGoalRequest
            {
                Parent = plan.Name,
                Goal = new Goal { Title = title },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            })).Goal;
            Goals.Add(title);
            return goal;
        }

        private async Task Update(Goal goal, string title)
        {
            await calls.UntilAnswered(clients.Plans.UpdateGoalAsync, new UpdateGoalRequest
            {
                Goal = new Goal { Name = goal.Name, Title = title },
                UpdateMask = new() { Paths = { "title" } },
                Etag = goal.Etag,
                RequestId = Cases.NewId(),
            });
            Goals[^1] = title;
            Updates++;
        }

        private async Task AddIntervention(string title)
        {
            await calls.UntilAnswered(clients.Plans.AddInterventionAsync, new AddInterventionRequest
            {
                Parent = plan.Name,
                Intervention = new Intervention { Title = title, ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
            Interventions.Add(title);
        }

        private async Task OpenPlan(string text)
        {
            var opened = await calls.UntilAnswered(clients.Plans.CreatePlanAsync, new CreatePlanRequest
            {
                Plan = new Plan { Subject = Cases.NewPerson(), SocialSituation = text },
                RequestId = Cases.NewId(),
            });
            Opened.Add((opened.Plan.Name, text));
        }
    }

    private static class Readers
    {
        /// <summary>Owner and participant read by turns.</summary>
        public static async Task Read(Clients clients, Calls calls, Plan plan, CancellationToken done)
        {
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                var reader = i % 2 == 0 ? clients.CaseWorker : clients.As(DemonstrationDirectory.PrimaryCare);
                var read = await calls.UntilAnswered(reader.Plans.GetPlanAsync, new GetPlanRequest { Name = plan.Name });
                Assert.Equal(plan.Name, read.Plan.Name);
            }
        }

        public static async Task List(Clients clients, Calls calls, CancellationToken done)
        {
            while (!done.IsCancellationRequested)
            {
                await calls.UntilAnswered(clients.CaseWorker.Plans.ListPlansAsync, new ListPlansRequest { PageSize = 3 });
            }
        }

        public static async Task TryAsStranger(Clients clients, Calls calls, Plan plan, CancellationToken done)
        {
            while (!done.IsCancellationRequested)
            {
                var error = await Assert.ThrowsAsync<RpcException>(
                    () => calls.UntilAnswered(clients.As(DemonstrationDirectory.Colleague).Plans.GetPlanAsync, new GetPlanRequest { Name = plan.Name }));
                Assert.Equal(ErrorReason.AccessDenied, error.Reason());
            }
        }
    }
}
