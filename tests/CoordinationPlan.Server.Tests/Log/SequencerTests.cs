using CoordinationPlan.Server.Log;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>Every entry gets its place, once, whatever comes in between.</summary>
public sealed class SequencerTests(Machine machine)
{
    [Fact]
    public async Task Whatever_waits_gets_a_place_in_the_log_of_its_controller_and_year()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(700, "organisations/a");
        await database.Add(3, "boards/b");

        await database.Sequencer(batch: 300).RunOnce(default);

        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM coordinationplan.log_pending"));
        Assert.Equal(700L, await database.Scalar<long>("SELECT size FROM coordinationplan.log_state WHERE controller = 'organisations/a'"));
        Assert.Equal(3L, await database.Scalar<long>("SELECT size FROM coordinationplan.log_state WHERE controller = 'boards/b'"));
        Assert.Equal(
            LogNames.IdOf("boards/b", TimeProvider.System.GetUtcNow().Year),
            await database.Scalar<string>("SELECT log_id FROM coordinationplan.log_state WHERE controller = 'boards/b'"));
        await database.AssertClean();
    }

    [Fact]
    public async Task What_commits_late_is_taken_late_and_not_lost()
    {
        await using var database = await LogDatabase.Create(machine);
        await using var slow = await database.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await slow.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await database.Add(1, connection: slow);
        await database.Add(2);
        await database.Sequencer().RunOnce(default);
        Assert.Equal(2L, await database.Scalar<long>("SELECT size FROM coordinationplan.log_state WHERE controller = 'organisations/a'"));

        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await database.Sequencer().RunOnce(default));

        Assert.Equal(
            2L,
            await database.Scalar<long>("SELECT position FROM coordinationplan.log_leaf JOIN coordinationplan.access_log USING (entry_id) WHERE actor_controller = 'organisations/a' ORDER BY access_log.occurred_at LIMIT 1"));
        await database.AssertClean();
    }

    [Fact]
    public async Task Many_who_sequence_at_once_lose_nothing_and_double_nothing()
    {
        await using var database = await LogDatabase.Create(machine);
        var before = await database.Scalar<long>("SELECT count(*) FROM coordinationplan.access_log");
        using var done = new CancellationTokenSource();
        var sequencers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var sequencer = database.Sequencer(batch: 37);
            while (!done.IsCancellationRequested)
            {
                await sequencer.RunOnce(default);
            }
        })).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                await database.Add(10, $"organisations/{(writer + i) % 3}");
            }
        })));
        await done.CancelAsync();
        await Task.WhenAll(sequencers);
        await database.Sequencer().RunOnce(default);

        Assert.Equal(before + 1000, await database.Scalar<long>("SELECT sum(size)::bigint FROM coordinationplan.log_state"));
        Assert.Empty(database.Condition.Faults);
        await database.AssertClean();
    }

    [Fact]
    public async Task A_log_that_one_has_in_hand_is_left_to_it_and_taken_over_when_it_is_gone()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Sequencer().RunOnce(default);
        await database.Add(1);
        await database.Sequencer().RunOnce(default);
        await database.Add(1);
        await using var other = await database.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await database.Execute("BEGIN; SELECT FROM coordinationplan.log_state WHERE controller = 'organisations/a' FOR UPDATE", other);

        Assert.Equal(0, await database.Sequencer().RunOnce(default));
        await database.Scalar<bool>($"SELECT pg_terminate_backend({other.ProcessID})");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => database.Execute("SELECT 1", other));
        var begin = TimeProvider.System.GetTimestamp();
        while (await database.Sequencer().RunOnce(default) == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(5), "Nobody took over.");
        }

        await database.AssertClean();
    }

    [Theory]
    [InlineData("BEFORE INSERT", "log_state")]
    [InlineData("AFTER INSERT", "log_state")]
    [InlineData("BEFORE INSERT", "log_leaf")]
    [InlineData("AFTER INSERT", "log_leaf")]
    [InlineData("BEFORE INSERT", "log_tile")]
    [InlineData("AFTER INSERT", "log_tile")]
    [InlineData("BEFORE UPDATE", "log_tile")]
    [InlineData("AFTER UPDATE", "log_tile")]
    [InlineData("BEFORE UPDATE", "log_state")]
    [InlineData("AFTER UPDATE", "log_state")]
    [InlineData("BEFORE DELETE", "log_pending")]
    [InlineData("AFTER DELETE", "log_pending")]
    [InlineData("AT COMMIT", "log_leaf")]
    public async Task Killed_at_a_step_it_has_done_all_or_nothing(string moment, string table)
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(300);
        await database.Sequencer().RunOnce(default);
        await database.Add(300);
        await database.Add(5, "organisations/new");
        await database.Kill(moment, table);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => database.Sequencer(batch: 100).RunOnce(default));
        // What was committed before the kill is whole.
        await database.AssertClean();
        await database.StopKilling(table);
        await database.Sequencer(batch: 100).RunOnce(default);

        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM coordinationplan.log_pending"));
        Assert.Equal(600L, await database.Scalar<long>("SELECT size FROM coordinationplan.log_state WHERE controller = 'organisations/a'"));
        await database.AssertClean();
    }

    [Fact]
    public async Task An_entry_that_is_gone_before_its_turn_holds_up_nothing_and_is_found()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Sequencer().RunOnce(default);
        await database.Add(3);
        await database.Execute("SET session_replication_role = replica; DELETE FROM coordinationplan.access_log WHERE entry_id = (SELECT entry_id FROM coordinationplan.log_pending LIMIT 1)");

        Assert.Equal(2, await database.Sequencer().RunOnce(default));

        Assert.Contains("removed before it was sequenced", Assert.Single((await database.Check()).Findings).What, StringComparison.Ordinal);
    }
}

internal static class Kills
{
    /// <summary>Whoever comes to this point of this table loses its connection, as if the server had died.</summary>
    public static async Task Kill(this LogDatabase database, string moment, string table)
    {
        await database.Execute(
            """
            CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $body$
            BEGIN
                PERFORM pg_terminate_backend(pg_backend_pid());
                PERFORM pg_sleep(10);
                RETURN NEW;
            END $body$
            """);
        await database.Execute(moment == "AT COMMIT"
            ? $"CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON coordinationplan.{table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.die()"
            : $"CREATE TRIGGER dies {moment} ON coordinationplan.{table} FOR EACH ROW EXECUTE FUNCTION public.die()");
    }

    public static Task StopKilling(this LogDatabase database, string table) => database.Execute($"DROP TRIGGER dies ON coordinationplan.{table}");
}
