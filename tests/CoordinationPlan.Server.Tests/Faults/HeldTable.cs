using Npgsql;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>Holds a table, so that calls stand still where they reach it, until it is disposed: what runs at once becomes a sequence.</summary>
public sealed class HeldTable : IAsyncDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(20);

    private readonly NpgsqlDataSource _administrator;
    private readonly NpgsqlConnection _connection;
    private readonly string _table;

    private HeldTable(NpgsqlDataSource administrator, NpgsqlConnection connection, string table) =>
        (_administrator, _connection, _table) = (administrator, connection, table);

    public static async Task<HeldTable> Hold(NpgsqlDataSource administrator, string table)
    {
        var connection = await administrator.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand($"BEGIN; LOCK TABLE coordinationplan.{table} IN ACCESS EXCLUSIVE MODE", connection);
        await hold.ExecuteNonQueryAsync();
        return new HeldTable(administrator, connection, table);
    }

    /// <summary>Returns once a session stands waiting for the table.</summary>
    public async Task IsReached()
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!await Waits($"relation = 'coordinationplan.{_table}'::regclass"))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < _longest, $"Nobody came to wait for {_table}.");
        }
    }

    /// <summary>Returns whether the call comes to wait for a lock that a call which stands here has; false once it has been answered.</summary>
    public async Task<bool> Blocks(Task call)
    {
        while (!call.IsCompleted)
        {
            if (await Waits("locktype = 'advisory'"))
            {
                return true;
            }
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        await using (var release = new NpgsqlCommand("ROLLBACK", _connection))
        {
            await release.ExecuteNonQueryAsync();
        }

        await _connection.DisposeAsync();
    }

    private async Task<bool> Waits(string condition)
    {
        await Task.Delay(_pause, TimeProvider.System);
        await using var command = _administrator.CreateCommand(
            $"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND {condition})");
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
