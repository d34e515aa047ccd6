using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>What is signed never contradicts what was signed before.</summary>
public sealed class PublisherTests(Machine machine)
{
    private const string OfA = "(SELECT note FROM coordinationplan.log_checkpoint JOIN coordinationplan.log_state USING (log) WHERE controller = 'organisations/a')";

    private static string LogOfA => LogNames.IdOf("organisations/a", TimeProvider.System.GetUtcNow().Year);

    [Fact]
    public async Task A_log_that_has_grown_is_signed_and_what_was_signed_is_kept_outside()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(300);
        await database.SequenceAndPublish();

        var checkpoint = await Published(database);
        Assert.Equal(300, checkpoint.Size);
        Assert.Equal(await database.Scalar<byte[]>("SELECT root FROM coordinationplan.log_state WHERE controller = 'organisations/a'"), checkpoint.Root.ToArray());
        Assert.Equal(checkpoint.Root, new SignedLogs(database.Options.Directory).Read(LogOfA)?.Root);
        var result = await database.Check();
        Assert.Empty(result.Findings);
        Assert.Equal(result.Logs, result.Checkpoints);
        Assert.Equal(["entries that were removed before they were sequenced: no receipts were given"], result.NotChecked);

        await database.Add(1);
        await database.SequenceAndPublish();
        Assert.Equal(301, (await Published(database)).Size);
        await database.AssertClean();
    }

    [Fact]
    public async Task An_unchanged_log_is_not_signed_again_before_its_time()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(1);
        await database.Sequencer().RunOnce(default);
        var publisher = database.Publisher();
        Assert.NotEqual(0, await publisher.RunOnce(default));
        Assert.Equal(0, await publisher.RunOnce(default));

        database.Options.RepublishAfter = TimeSpan.Zero;
        Assert.NotEqual(0, await publisher.RunOnce(default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(50)]
    public async Task A_database_that_was_restored_is_not_signed_however_much_comes_after(int later)
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(10);
        await database.SequenceAndPublish();
        await using var backup = await database.Copy();
        await database.Add(20);
        await database.SequenceAndPublish();
        var signed = await Published(database);

        if (later > 0)
        {
            await backup.Add(later);
        }

        await backup.SequenceAndPublish();

        Assert.Contains((LogPart.Publisher, LogOfA), backup.Condition.Faults.Keys);
        Assert.Equal(10, (await Published(backup)).Size);
        Assert.Equal(signed.Root, new SignedLogs(backup.Options.Directory).Read(LogOfA)?.Root);
        Assert.NotEmpty((await backup.Check()).Findings);
        Assert.Equal(Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy, (await backup.Condition.CheckHealthAsync(null!, default)).Status);
    }

    [Theory]
    [InlineData("UPDATE coordinationplan.log_leaf SET commitment = set_byte(commitment, 20, 255 - get_byte(commitment, 20)) WHERE position = 0")]
    [InlineData("UPDATE coordinationplan.log_tile SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))")]
    [InlineData("UPDATE coordinationplan.log_state SET root = set_byte(root, 0, 255 - get_byte(root, 0))")]
    [InlineData("UPDATE coordinationplan.log_state SET size = size - 1")]
    [InlineData("UPDATE coordinationplan.log_checkpoint SET note = replace(note, E'\\n10\\n', E'\\n11\\n')")]
    [InlineData("DELETE FROM coordinationplan.log_leaf; DELETE FROM coordinationplan.log_tile; DELETE FROM coordinationplan.log_state; DELETE FROM coordinationplan.log_checkpoint")]
    public async Task What_was_changed_is_not_signed(string change)
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(10);
        await database.SequenceAndPublish();
        await database.Execute($"SET session_replication_role = replica; {change}");

        await database.Publisher().RunOnce(default);

        Assert.Contains((LogPart.Publisher, LogOfA), database.Condition.Faults.Keys);
    }

    [Fact]
    public async Task Killed_between_signing_and_publishing_it_publishes_the_same()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(10);
        await database.Sequencer().RunOnce(default);
        await database.Kill("BEFORE INSERT", "log_checkpoint");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => database.Publisher().RunOnce(default));
        await database.StopKilling("log_checkpoint");
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM coordinationplan.log_checkpoint JOIN coordinationplan.log_state USING (log) WHERE controller = 'organisations/a'"));

        await database.Add(5);
        await database.SequenceAndPublish();

        Assert.Equal(15, (await Published(database)).Size);
        await database.AssertClean();
    }

    [Fact]
    public async Task A_server_without_its_file_signs_nothing_until_somebody_has_said_that_this_is_the_true_one()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(10);
        await database.SequenceAndPublish();
        await database.Add(1);
        await database.Sequencer().RunOnce(default);
        var empty = System.IO.Directory.CreateTempSubdirectory("coordplan-log-").FullName;

        await database.Publisher(empty).RunOnce(default);
        Assert.Contains("coordplan log adopt", database.Condition.Faults[(LogPart.Publisher, LogOfA)], StringComparison.Ordinal);
        Assert.Contains(LogOfA, await database.Publisher(empty).Adopt(default));
        await database.Publisher(empty).RunOnce(default);

        Assert.Empty(database.Condition.Faults);
        Assert.Equal(11, (await Published(database)).Size);
        System.IO.Directory.Delete(empty, recursive: true);
    }

    [Fact]
    public async Task Of_two_servers_one_publishes_and_the_other_keeps_up_and_can_go_on()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.SequenceAndPublish();
        var others = System.IO.Directory.CreateTempSubdirectory("coordplan-log-").FullName;
        foreach (var file in System.IO.Directory.EnumerateFiles(database.Options.Directory))
        {
            File.Copy(file, Path.Combine(others, Path.GetFileName(file)));
        }

        var follower = database.Publisher(others);
        await follower.RunOnce(default);
        // A log that is new to both.
        await database.Add(10);
        await database.SequenceAndPublish();
        await using (var leader = await database.Administrator.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await database.Execute("BEGIN; SELECT pg_advisory_xact_lock(7200002)", leader);
            Assert.Equal(0, await follower.RunOnce(default));
            await database.Execute("ROLLBACK", leader);
        }

        Assert.Equal((await Published(database)).Root, new SignedLogs(others).Read(LogOfA)?.Root);
        await database.Add(1);
        await database.Sequencer().RunOnce(default);
        await follower.RunOnce(default);
        Assert.Equal(11, (await Published(database)).Size);
        System.IO.Directory.Delete(others, recursive: true);
    }

    private static async Task<Checkpoint> Published(LogDatabase database)
    {
        using var key = LogKey.Read(database.Options.PublisherKey);
        return Checkpoint.Open(SignedNote.Parse(await database.Scalar<string>("SELECT " + OfA)), key.As(new LogNames(database.Options.Name).Origin(LogOfA)).Verifier);
    }
}
