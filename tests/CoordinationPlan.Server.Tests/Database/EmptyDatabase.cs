using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Database;

/// <summary>A new database with nothing in it, on the tests' PostgreSQL.</summary>
public sealed class EmptyDatabase : IAsyncDisposable
{
    private static int _count;

    private EmptyDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Administrator = NpgsqlDataSource.Create(connectionString);
        Options = new DatabaseOptions { ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Username = null }.ConnectionString };
        DataSources = new DataSources(Options);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Administrator { get; }

    public DatabaseOptions Options { get; }

    public DataSources DataSources { get; }

    public static async Task<EmptyDatabase> Create(Machine machine)
    {
        var name = $"empty_{Interlocked.Increment(ref _count)}";
        var postgres = machine.Infrastructure.Postgres!;
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString("postgres", "postgres"));
        await using var create = source.CreateCommand($"CREATE DATABASE {name} TEMPLATE template0");
        await create.ExecuteNonQueryAsync();
        return new EmptyDatabase(postgres.ConnectionString("postgres", name));
    }

    public async Task Execute(string sql)
    {
        await using var command = Administrator.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> Scalar<T>(string sql)
    {
        await using var command = Administrator.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await DataSources.DisposeAsync();
        await Administrator.DisposeAsync();
    }
}
