using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Changes;
using CoordinationPlan.V1;
using Microsoft.Data.Sqlite;

namespace CoordinationPlan.Server.Tests.Clients;

/// <summary>
/// The sample of an integration beside the service in cases where much happens: killed at any moment, restarted, cut off, run twice, fed the same again. After that its file is what the
/// service tells now, it holds nothing else, and all that was recalled is confirmed.
/// </summary>
public sealed partial class RegionSystemTests(Service service, ITestOutputHelper output) : IClassFixture<Service>
{
    private static readonly int Kills = Campaign.Of("REGION_KILLS", always: 15, thorough: 100);

    private static DemonstrationEmployee Care => DemonstrationDirectory.PrimaryCare;

    private static DemonstrationEmployee Ward => DemonstrationDirectory.Ward;

    [Fact]
    public async Task Whatever_happens_to_it_it_ends_equal_to_the_service()
    {
        var seed = Environment.GetEnvironmentVariable("COORDPLAN_TEST_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.TickCount;
        output.WriteLine($"COORDPLAN_TEST_SEED={seed}");
        var random = new Random(seed);
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        await using var relay = new Relay(service.Address);

        // What it knows before anything happens to it.
        var persons = Enumerable.Range(0, 5).Select(_ => Cases.NewPerson()).ToList();
        var (steady, withdrawn, blocked) = (await Released(persons[0]), await Released(persons[1]), await Released(persons[2]));
        Plan[] eventful = [await service.OpenPlan(persons[3]), await service.OpenPlan(persons[4])];
        await service.CallMeeting(withdrawn, [Care, DemonstrationDirectory.CaseWorker], TimeSpan.FromDays(20));
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        Assert.All(new[] { steady, withdrawn, blocked }, plan => Assert.Contains(Id(plan), Bytes(file), StringComparison.Ordinal));
        Copy(file, file + ".old");
        var began = Cursor(file);
        await Report(file, journal, steady, "vårdrelation-1");

        // Much happens, and it is killed, cut off and run twice.
        using var enough = new CancellationTokenSource();
        var history = Task.Run(async () =>
        {
            var happening = new Random(seed + 1);
            while (!enough.IsCancellationRequested)
            {
                await service.ChangeSomething(happening, eventful[happening.Next(eventful.Length)]);
                await Task.Delay(happening.Next(60));
            }
        });
        for (var kill = 0; kill < Kills && !history.IsFaulted; kill++)
        {
            var length = new FileInfo(journal).Length;
            await using var process = RegionProcess.Run(service, relay.Address, file, journal, "--watch");
            await using var second = kill % 5 == 2 ? RegionProcess.Run(service, service.Address, file, journal, "--watch") : null;
            if (kill % 3 > 0)
            {
                // In the middle of its work, and not only while it starts.
                await Until(() => new FileInfo(journal).Length > length || process.HasExited);
            }

            await Task.Delay(random.Next(400));
            if (kill % 4 == 1)
            {
                relay.Cut();
                await Task.Delay(random.Next(300));
                relay.Mend();
                await Task.Delay(random.Next(600));
            }

            Assert.False(process.HasExited, await File.ReadAllTextAsync(journal));
            await Task.WhenAll(process.Kill(), second?.Kill() ?? Task.CompletedTask);
            switch (kill * 4 / Kills)
            {
                case 1 when kill * 4 % Kills < 4:
                    Copy(file, file + ".middle");
                    await Withdraw(withdrawn);
                    break;
                case 2 when kill * 4 % Kills < 4:
                    await Block(blocked);
                    await Report(file, journal, steady, "vårdrelation-1");
                    break;
            }
        }

        await enough.CancelAsync();
        await history;

        // Two copies of one file at once, both behind, each with the other's confirmations in its way.
        await service.Settled();
        await Task.WhenAll(RegionProcess.RunOnce(service, file, journal), RegionProcess.RunOnce(service, file + ".middle", journal), RegionProcess.RunOnce(service, file + ".old", journal));
        var held = await Held(file);
        Assert.Equal(held, await Held(file + ".middle"));
        Assert.Equal(held, await Held(file + ".old"));

        // Everything once more from an old cursor: it is known, and changes nothing.
        var took = (await File.ReadAllLinesAsync(journal)).Length;
        Cursor(file, set: began);
        await RegionProcess.RunOnce(service, file, journal);
        Assert.Contains((await File.ReadAllLinesAsync(journal)).Skip(took), line => Repeated().Match(line) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) > 0);
        Assert.DoesNotContain((await File.ReadAllLinesAsync(journal)).Skip(took), line => line.Contains("took ", StringComparison.Ordinal) && !line.Contains("took 0 changes", StringComparison.Ordinal));
        Assert.Equal(held, await Held(file));

        // The owning unit has what was reported, the latest of it, and sees that all is confirmed.
        var synced = Assert.Single((await service.CaseWorker.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = steady.Name })).SyncedParticipations);
        Assert.Equal(
            ["report", steady.Name, synced.Unit, synced.ExternalId, synced.ExternalVersion.ToString(CultureInfo.InvariantCulture), nameof(SyncedParticipationState.Waiting)],
            Assert.Single(await Lines(file, "report")));
        var deliveries = new List<Delivery>();
        foreach (var plan in eventful.Concat([steady, withdrawn, blocked]))
        {
            deliveries.AddRange((await service.CaseWorker.Changes.ListDeliveriesAsync(new() { Parent = plan.Name })).Deliveries);
        }

        Assert.All(deliveries, delivery => Assert.Null(delivery.WaitingSinceTime));
        Assert.All(deliveries.SelectMany(delivery => delivery.Recalls), recall => Assert.NotNull(recall.AcknowledgeTime));
        Assert.True(deliveries.SelectMany(delivery => delivery.Recalls).Count() >= 2);

        // What a system is told that begins now is what it holds, and it holds nothing else: not in any page of its file.
        var now = new HeldData();
        now.Apply((await Integration.Start(service)).Delivered);
        var plans = (await Lines(file)).Select(line => line[1]).Concat(eventful.Append(steady).Append(withdrawn).Append(blocked).Select(plan => plan.Name)).ToHashSet();
        var told = now.Of(plans);
        Assert.Equal(told.Order(StringComparer.Ordinal), held);
        Assert.Contains(held, line => line.Contains(steady.Name, StringComparison.Ordinal));
        foreach (var each in new[] { file, file + ".middle", file + ".old" })
        {
            var bytes = Bytes(each);
            Assert.All(new[] { withdrawn, blocked }, plan => Assert.DoesNotContain(Id(plan), bytes, StringComparison.Ordinal));
            Assert.All(persons, person => Assert.DoesNotContain(person.IdentityNumber.Value, bytes, StringComparison.Ordinal));
            Assert.DoesNotContain(DemonstrationDirectory.Shelter.UnitId, bytes, StringComparison.Ordinal);
        }

        // Its cursor is from before that snapshot: it begins anew, and so does one that has forgotten everything.
        await RegionProcess.RunOnce(service, file, journal);
        Assert.Equal(held, await Held(file));
        // A recall leaves nothing where it stood, nor in what the system itself had to say.
        await Withdraw(steady);
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        Assert.DoesNotContain(Id(steady), Bytes(file), StringComparison.Ordinal);
        Assert.Empty(await Lines(file, "report"));
        held = await Held(file);
        await RegionProcess.Call(file, journal, "forget-all");
        Assert.DoesNotContain("plans/", Bytes(file), StringComparison.Ordinal);
        await RegionProcess.RunOnce(service, file, journal);
        Assert.Equal(held, await Held(file));

        var written = await File.ReadAllTextAsync(journal);
        Assert.DoesNotMatch(PersonalOrSecret(), written);
        output.WriteLine($"{written.Split('\n').Length} lines in its journal, {held.Count} things held, {deliveries.Sum(delivery => delivery.Recalls.Count)} recalls confirmed");
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task It_waits_as_long_as_the_service_says()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        await using var strict = await LaterService.Start(service, 0, options => (options.Limits.PointsPerSecond, options.Limits.Burst) = (50, 100));
        await using var process = RegionProcess.Run(service, strict.Address, file, journal);

        // To begin and to confirm cost 100 points each, which is all that there is at once.
        var end = process.End();
        while (!end.IsCompleted)
        {
            await Task.Delay(50);
            strict.Advance(TimeSpan.FromMilliseconds(50));
        }

        var code = await end;
        var written = await File.ReadAllTextAsync(journal);
        Assert.True(code == 0, written);
        Assert.Matches("ResourceExhausted TooManyCalls; again in [0-9.]+ s", written);
        Assert.DoesNotMatch(PersonalOrSecret(), written);
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Its_token_may_come_from_a_file_that_something_else_keeps_fresh()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal, token) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"), Path.Combine(directory, "token"));
        var now = TimeProvider.System.GetUtcNow();
        await File.WriteAllTextAsync(token, LongTokens.Of(service.Infrastructure, DemonstrationDirectory.RegionIntegration, now.AddHours(-2), now.AddHours(-1)) + "\n");
        await using var process = RegionProcess.RunWithToken(service, file, journal, token);
        await Until(() => File.Exists(journal) && File.ReadAllText(journal).Contains("Unauthenticated", StringComparison.Ordinal));

        await File.WriteAllTextAsync(token, LongTokens.Of(service.Infrastructure, DemonstrationDirectory.RegionIntegration, now) + "\n");

        Assert.True(await process.End() == 0, await File.ReadAllTextAsync(journal));
        Assert.DoesNotMatch(PersonalOrSecret(), await File.ReadAllTextAsync(journal));
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task All_that_it_takes_from_a_stream_is_confirmed_also_where_messages_were_under_way()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        for (var i = 0; i < 25; i++)
        {
            await service.CallMeeting(await Released(Cases.NewPerson()), [Care], TimeSpan.FromDays(20));
        }

        await service.Settled();

        await using (RegionProcess.Run(service, service.Address, file, journal, "--watch"))
        {
            // A plan, a participation, a meeting, a summons and a task of each: more than one message.
            await Until(() => File.Exists(file) && File.ReadAllText(journal).Contains("took", StringComparison.Ordinal) && Standing(file) is { Held: >= 125, IsUnconfirmed: false });
        }

        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task What_is_forgotten_leaves_no_pages_behind_in_the_file()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        var plans = new List<Plan>();
        for (var i = 0; i < 25; i++)
        {
            plans.Add(await Released(Cases.NewPerson()));
        }

        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        foreach (var plan in plans)
        {
            await Withdraw(plan);
        }

        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);

        // What other tests have left to be confirmed is told in the snapshot too.
        Assert.True((await Lines(file, "forgotten")).Count(line => line[4] == "confirmed") >= 25);
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA freelist_count";
        Assert.Equal(0L, command.ExecuteScalar());
        connection.Close();
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_report_that_was_refused_stays_to_be_sent()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("coordplan-region-").FullName;
        var (file, journal) = (Path.Combine(directory, "region.db"), Path.Combine(directory, "journal"));
        var plan = await Released(Cases.NewPerson());
        await service.Settled();
        await RegionProcess.RunOnce(service, file, journal);
        const string Unit = "units/SE2321000016-NYMOTTAGNING";
        await RegionProcess.Call(
            file, journal, "report", "--plan", plan.Name, "--unit", Unit, "--external-id", "ny-1", "--from", TimeProvider.System.Today().ToString("O", CultureInfo.InvariantCulture));

        // The administrator has not entered the unit yet.
        await RegionProcess.RunOnce(service, file, journal);
        Assert.Equal("to be sent", Assert.Single(await Lines(file, "report"))[5]);
        await service.As(DemonstrationDirectory.Administrator).Directory.PutUnitAsync(new()
        {
            Unit = new() { Name = Unit, Organisation = "organisations/2321000016", Kind = UnitKind.HealthCare, DisplayName = "En ny mottagning" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        await RegionProcess.RunOnce(service, file, journal);

        Assert.Equal(nameof(SyncedParticipationState.Waiting), Assert.Single(await Lines(file, "report"))[5]);
        System.IO.Directory.Delete(directory, recursive: true);
    }

    /// <summary>How much the file holds, and whether anything is to be confirmed.</summary>
    private static (long Held, bool IsUnconfirmed) Standing(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT (SELECT count(*) FROM held), unconfirmed FROM standing";
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt64(0), reader.GetBoolean(1));
    }

    private async Task<Plan> Released(Subject person)
    {
        var plan = await service.OpenPlan(person);
        await service.Join(plan, Care);
        await service.Consent(plan, Care, [InformationCategory.Meetings]);
        return plan;
    }

    private async Task Withdraw(Plan plan)
    {
        var consent = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents[0];
        await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
    }

    private async Task Block(Plan plan)
    {
        var now = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        await service.CaseWorker.Protection.AddBlockAsync(new()
        {
            Parent = plan.Name,
            Block = new() { Unit = Cases.UnitOf(Care), Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
            Etag = now.Etag,
            RequestId = Cases.NewId(),
        });
    }

    private static async Task Report(string file, string journal, Plan plan, string externalId) => await RegionProcess.Call(
        file, journal, "report", "--plan", plan.Name, "--unit", Cases.UnitOf(Ward), "--external-id", externalId, "--role", nameof(ParticipantRole.CareUnit), "--from", TimeProvider.System.Today().ToString("O", CultureInfo.InvariantCulture));

    /// <summary>What the file holds, as its own program shows it, in the words of <see cref="HeldData"/>.</summary>
    private static async Task<List<string>> Held(string file) =>
        [.. (await Lines(file)).Select(line => $"({line[1]}, {line[2]}) {NameOf(line[3], line[4])} {line[5]}").Order(StringComparer.Ordinal)];

    private static async Task<List<string[]>> Lines(string file, string kind = "held") =>
        [.. (await RegionProcess.Call(file, file + ".journal", "show")).Select(line => line.Split('\t')).Where(line => line[0] == kind)];

    /// <summary>Where the file stands in the feed, or is to stand.</summary>
    private static string Cursor(string file, string? set = null)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE standing SET cursor = coalesce($cursor, cursor) RETURNING cursor";
        command.Parameters.AddWithValue("$cursor", (object?)set ?? DBNull.Value);
        return (string)command.ExecuteScalar()!;
    }

    private static string NameOf(string kind, string thing) => Enum.Parse<ChangeKind>(kind) switch
    {
        ChangeKind.Plan => "plan",
        ChangeKind.Summons => "summons " + thing,
        ChangeKind.Task => "task " + thing,
        ChangeKind.SyncedParticipation => "synced " + thing,
        _ => thing,
    };

    private static string Id(Plan plan) => plan.Name["plans/".Length..];

    private static string Bytes(string file) => Encoding.Latin1.GetString(File.ReadAllBytes(file));

    /// <summary>A copy as a backup takes it, of a file whose process was killed: with what was under way.</summary>
    private static void Copy(string file, string to)
    {
        File.Copy(file, to);
        if (File.Exists(file + "-journal"))
        {
            File.Copy(file + "-journal", to + "-journal");
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "It does not get to work.");
        }
    }

    [GeneratedRegex("took [0-9]+ changes.*; ([0-9]+) had been seen before")]
    private static partial Regex Repeated();

    /// <summary>Names of plans, units and recalls, numbers of persons, given names of test persons, tokens, certificates' paths.</summary>
    [GeneratedRegex("(plans|units|recalls|employees|assignments)/|[0-9]{10,}|Prov[0-9]|Testsson|eyJ|\\.key")]
    private static partial Regex PersonalOrSecret();
}
