using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>A disposal is carried out whole, whatever comes in between, and only where the log itself says that two have decided it.</summary>
public sealed class DisposerTests(Machine machine)
{
    private const string Left = "SELECT count(*) FROM coordinationplan.access_log WHERE date_part('year', occurred_at AT TIME ZONE 'UTC') = 2015";

    [Theory]
    [InlineData("BEFORE DELETE", "access_log")]
    [InlineData("AFTER DELETE", "access_log")]
    [InlineData("BEFORE UPDATE", "log_disposal")]
    [InlineData("AFTER UPDATE", "log_disposal")]
    public async Task Killed_at_a_step_it_goes_on_and_nothing_is_lost_that_is_kept(string moment, string table)
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Disposal("boards/b", 100, [7, 50, 99]);
        await database.AssertClean();
        await database.Kill(moment, table);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => database.Disposer().RunOnce(default));
        // What was committed before the kill is whole, and the check says so.
        await database.AssertClean();
        await database.StopKilling(table);
        await database.Disposer().RunOnce(default);

        Assert.Equal(3L, await database.Scalar<long>(Left));
        Assert.True(await database.Scalar<bool>("SELECT done FROM coordinationplan.log_disposal"));
        Assert.Equal(97, (await database.Check()).Disposed);
        await database.AssertClean();
        Assert.Equal(0, await database.Disposer().RunOnce(default));
    }

    [Fact]
    public async Task Many_at_once_carry_it_out_once()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Disposal("boards/b", 400, [0]);

        var removed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => database.Disposer().RunOnce(default))));

        // Whoever found it taken has left it to the other.
        Assert.Equal(399, removed.Sum() + await database.Disposer().RunOnce(default));
        await database.AssertClean();
    }

    [Theory]
    [InlineData("UPDATE coordinationplan.log_disposal SET approved_by = 'two'", "no entry in a tree says that it was approved like this")]
    [InlineData("UPDATE coordinationplan.log_disposal SET approved_by = 'one'", "no entry in a tree says that it was approved like this")]
    [InlineData("UPDATE coordinationplan.log_disposal SET approved_by = 'two', size = 99", "no entry in a tree says that it was proposed like this")]
    [InlineData("UPDATE coordinationplan.log_disposal SET approved_by = 'two'; DELETE FROM coordinationplan.log_disposal_kept", "no entry in a tree says that it was proposed like this")]
    public async Task What_the_log_does_not_bear_out_removes_nothing_and_is_found(string forgery, string fault)
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Disposal("boards/b", 100, [7], approved: false);
        await database.Execute($"ALTER TABLE coordinationplan.log_disposal DROP CONSTRAINT log_disposal_check; SET session_replication_role = replica; {forgery}");

        Assert.Equal(0, await database.Disposer().RunOnce(default));

        Assert.Equal(100L, await database.Scalar<long>(Left));
        Assert.Contains(fault, Assert.Single(database.Condition.Faults).Value, StringComparison.Ordinal);
        Assert.Contains(fault, (await database.Check()).Findings[0].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_waits_until_the_decision_is_under_a_published_checkpoint()
    {
        await using var database = await LogDatabase.Create(machine);
        var disposal = await database.Disposal("boards/b", 10, [], approved: false);
        await database.Execute("UPDATE coordinationplan.log_disposal SET approved_by = 'two'");
        await database.Decide(disposal, "Approve", "two");

        Assert.Equal(0, await database.Disposer().RunOnce(default));
        await database.Sequencer().RunOnce(default);
        Assert.Equal(0, await database.Disposer().RunOnce(default));
        Assert.Empty(database.Condition.Faults);
        await database.Publisher().RunOnce(default);
        Assert.Equal(10, await database.Disposer().RunOnce(default));
        await database.AssertClean();
    }
}
