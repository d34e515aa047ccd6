using Npgsql;

namespace CoordinationPlan.Server.Database;

/// <summary>A statement that returns rows, and how they are read. SQL texts are constants, so that they can be prepared.</summary>
internal sealed record Query<T>(string Sql, NpgsqlParameter[] Parameters, Func<NpgsqlDataReader, CancellationToken, Task<T>> Read);

internal static class Queries
{
    /// <summary>The same statement, with its result made into something else.</summary>
    public static Query<TResult> Select<T, TResult>(this Query<T> query, Func<T, TResult> select) =>
        new(query.Sql, query.Parameters, async (reader, stop) => select(await query.Read(reader, stop)));
}

/// <summary>
/// A statement that returns no rows. Where <paramref name="ExpectedRows"/> is set, any other count is a fault, and nothing is committed.
/// </summary>
internal sealed record Command(string Sql, NpgsqlParameter[] Parameters, int? ExpectedRows = null);

/// <summary>The result of a query, there once its round trip has run.</summary>
internal sealed class Pending<T>
{
    private T? _value;
    private bool _isThere;

    public T Value => _isThere ? _value! : throw new InvalidOperationException("The round trip has not run yet.");

    internal void Set(T value)
    {
        _value = value;
        _isThere = true;
    }
}

/// <summary>
/// Statements that travel to the database together. The cost of a request is its round trips, so a request is two of them: one that
/// begins and reads what the decision rests on, one that does the work, logs it and commits. Begin and commit travel along.
/// </summary>
internal sealed class RoundTrip(NpgsqlConnection connection)
{
    private bool _commits;
    private readonly List<(NpgsqlBatchCommand Statement, Func<NpgsqlDataReader, CancellationToken, Task>? Read, int? ExpectedRows)> _statements = [];

    /// <summary>Read committed: a request sees what had been committed when it held its plan's lock (docs/adr/0004).</summary>
    public void Begin() => Add(new Command("BEGIN ISOLATION LEVEL READ COMMITTED", []));

    /// <summary>Commits with this trip; where a statement's count must be looked at first, right after it.</summary>
    public void Commit() => _commits = true;

    public Pending<T> Add<T>(Query<T> query)
    {
        var pending = new Pending<T>();
        _statements.Add((Statement(query.Sql, query.Parameters), async (reader, stop) => pending.Set(await query.Read(reader, stop)), null));
        return pending;
    }

    public void Add(Command command) => _statements.Add((Statement(command.Sql, command.Parameters), null, command.ExpectedRows));

    /// <summary>Sends the statements and reads every result.</summary>
    public async Task Run(CancellationToken stop)
    {
        var mustCount = _statements.Exists(statement => statement.ExpectedRows is not null);
        if (_commits && !mustCount)
        {
            Add(new Command("COMMIT", []));
        }

        await using var batch = new NpgsqlBatch(connection);
        foreach (var (statement, _, _) in _statements)
        {
            batch.BatchCommands.Add(statement);
        }

        await using (var reader = await batch.ExecuteReaderAsync(stop))
        {
            // The reader stops only at statements that return rows, in their order.
            foreach (var (_, read, _) in _statements)
            {
                if (read is not null)
                {
                    await read(reader, stop);
                    await reader.NextResultAsync(stop);
                }
            }
        }

        foreach (var (statement, _, expected) in _statements)
        {
            if (expected is not null && statement.RecordsAffected != expected)
            {
                throw new InvalidOperationException($"A statement changed {statement.RecordsAffected} rows where {expected} were due.");
            }
        }

        if (_commits && mustCount)
        {
            await CommitAlone(stop);
        }
    }

    private async Task CommitAlone(CancellationToken stop)
    {
        await using var commit = new NpgsqlCommand("COMMIT", connection);
        await commit.ExecuteNonQueryAsync(stop);
    }

    private static NpgsqlBatchCommand Statement(string sql, NpgsqlParameter[] parameters)
    {
        var statement = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            statement.Parameters.Add(parameter);
        }

        return statement;
    }
}
