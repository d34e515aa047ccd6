using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace CoordinationPlan.Server.Database;

/// <summary>One numbered migration, embedded in the service.</summary>
public sealed record Migration(int Number, string Name, string Sql)
{
    /// <summary>SHA-256 of the text. A migration that has been applied is never edited.</summary>
    public byte[] Hash { get; } = SHA256.HashData(Encoding.UTF8.GetBytes(Sql));
}

/// <summary>What a database is for.</summary>
public enum InstallationKind
{
    /// <summary>Real persons.</summary>
    Production,

    /// <summary>Test persons only; identities of a development provider.</summary>
    Development,
}

/// <summary>The database does not have the schema that this service needs, or is for something else.</summary>
public sealed class SchemaException(string message) : Exception(message);

/// <summary>Brings a database to this service's schema, and refuses one that does not fit.</summary>
public static class Schema
{
    private const long MigrationLock = 7200000;

    /// <summary>All migrations of this service, in order.</summary>
    public static IReadOnlyList<Migration> Migrations { get; } = [.. Load()];

    /// <summary>
    /// Applies what is missing, all in one transaction, as the connection string's own user (who must be able to create roles and own the
    /// schema). With <paramref name="dryRun"/> everything is run and rolled back. Returns what was, or would be, applied.
    /// </summary>
    public static async Task<IReadOnlyList<Migration>> Migrate(string connectionString, InstallationKind kind, bool dryRun, CancellationToken stop)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);

        await Execute(connection, $"SELECT pg_advisory_xact_lock({MigrationLock})", stop);
        await Execute(
            connection,
            """
            CREATE SCHEMA IF NOT EXISTS coordinationplan;
            CREATE TABLE IF NOT EXISTS coordinationplan.schema_migration (
                number integer PRIMARY KEY,
                name text NOT NULL,
                sha256 bytea NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
            );
            """,
            stop);

        var applied = await Applied(connection, stop);
        CheckUnedited(applied);
        var missing = Migrations.Where(migration => !applied.ContainsKey(migration.Number)).ToList();
        foreach (var migration in missing)
        {
            await Execute(connection, migration.Sql, stop);
            await using var record = new NpgsqlCommand("INSERT INTO coordinationplan.schema_migration (number, name, sha256) VALUES ($1, $2, $3)", connection)
            {
                Parameters = { new() { Value = migration.Number }, new() { Value = migration.Name }, new() { Value = migration.Hash } },
            };
            await record.ExecuteNonQueryAsync(stop);
        }

        await Execute(connection, "GRANT SELECT ON coordinationplan.schema_migration TO coordplan_case, coordplan_log_review, coordplan_directory, coordplan_keys", stop);
        await using (var install = new NpgsqlCommand(
            "INSERT INTO coordinationplan.installation (kind) VALUES ($1) ON CONFLICT DO NOTHING", connection)
        {
            Parameters = { new() { Value = Text(kind) } },
        })
        {
            await install.ExecuteNonQueryAsync(stop);
        }

        await CheckKind(connection, kind, stop);
        await (dryRun ? transaction.RollbackAsync(stop) : transaction.CommitAsync(stop));
        return missing;
    }

    /// <summary>
    /// Throws unless every migration of this service has been applied as it stands here and the database is of the right kind. Later
    /// migrations than this service knows are fine: a migration must suit the service before it and the service after it.
    /// </summary>
    public static async Task Check(DataSources dataSources, InstallationKind kind, CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.Case).OpenConnectionAsync(stop);
        Dictionary<int, byte[]> applied;
        try
        {
            applied = await Applied(connection, stop);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new SchemaException("The database has no schema yet. Run `coordplan migrate` first.");
        }

        CheckUnedited(applied);
        var missing = Migrations.Where(migration => !applied.ContainsKey(migration.Number)).Select(migration => migration.Name).ToList();
        if (missing.Count > 0)
        {
            throw new SchemaException($"The database lacks {string.Join(", ", missing)}. Run `coordplan migrate` first.");
        }

        await CheckKind(connection, kind, stop);
    }

    private static void CheckUnedited(Dictionary<int, byte[]> applied)
    {
        foreach (var migration in Migrations)
        {
            if (applied.TryGetValue(migration.Number, out var hash) && !hash.AsSpan().SequenceEqual(migration.Hash))
            {
                throw new SchemaException($"{migration.Name} was applied with another content than this service has. Migrations are never edited.");
            }
        }
    }

    private static async Task CheckKind(NpgsqlConnection connection, InstallationKind kind, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand("SELECT kind FROM coordinationplan.installation", connection);
        var found = (string?)await command.ExecuteScalarAsync(stop);
        if (found != Text(kind))
        {
            throw new SchemaException($"The database is for {found ?? "nothing yet"}, and this service runs for {Text(kind)}. They are never mixed.");
        }
    }

    private static async Task<Dictionary<int, byte[]>> Applied(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand("SELECT number, sha256 FROM coordinationplan.schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var applied = new Dictionary<int, byte[]>();
        while (await reader.ReadAsync(stop))
        {
            applied.Add(reader.GetInt32(0), reader.GetFieldValue<byte[]>(1));
        }

        return applied;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(stop);
    }

    private static string Text(InstallationKind kind) => kind == InstallationKind.Production ? "production" : "development";

    private static IEnumerable<Migration> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("Migrations/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = Path.GetFileNameWithoutExtension(resource);
            yield return new Migration(int.Parse(name[..4], System.Globalization.CultureInfo.InvariantCulture), name, reader.ReadToEnd());
        }
    }
}
