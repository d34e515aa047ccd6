using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// Wraps every key in the database with the ring's current keys, row by row, while services run: the keys themselves stay the same, so nothing
/// that they sealed changes.
/// </summary>
public static class Rewrapping
{
    private const int AtATime = 500;

    private static readonly KeyTable[] Tables =
    [
        new(
            "coordinationplan.subject_key", "subject_id::text || '/' || compartment", "subject_id = split_part($3, '/', 1)::uuid AND compartment = split_part($3, '/', 2)::smallint",
            "CASE compartment WHEN 2 THEN 'Whereabouts' ELSE 'Content' END"),
        new("coordinationplan.service_key", "name", "name = $3", "'Service'"),
    ];

    /// <summary>Returns how many keys were wrapped anew. Stopped half-way it is run again.</summary>
    /// <param name="connectionString">As coordplan_keys, or the owner.</param>
    public static async Task<long> Run(string connectionString, IKeyRing ring, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(ring);
        await using var source = NpgsqlDataSource.Create(connectionString);
        var count = 0L;
        foreach (var table in Tables)
        {
            foreach (var old in await OldKeys(source, table, ring, stop))
            {
                while (await Batch(source, table, old, ring, stop) is var done and > 0)
                {
                    count += done;
                }
            }
        }

        return count;
    }

    /// <summary>How many keys are wrapped by a key that is not current.</summary>
    public static async Task<long> CountLeft(string connectionString, IKeyRing ring, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(ring);
        await using var source = NpgsqlDataSource.Create(connectionString);
        var count = 0L;
        foreach (var table in Tables)
        {
            await using var command = source.CreateCommand($"SELECT count(*) FROM {table.Name} WHERE ring_key <> ALL ($1)");
            command.Parameters.Add(Parameter.Of(CurrentKeys(ring)));
            count += (long)(await command.ExecuteScalarAsync(stop))!;
        }

        return count;
    }

    private static async Task<List<string>> OldKeys(NpgsqlDataSource source, KeyTable table, IKeyRing ring, CancellationToken stop)
    {
        await using var find = source.CreateCommand($"SELECT DISTINCT ring_key FROM {table.Name} WHERE ring_key <> ALL ($1)");
        find.Parameters.Add(Parameter.Of(CurrentKeys(ring)));
        await using var reader = await find.ExecuteReaderAsync(stop);
        var old = new List<string>();
        while (await reader.ReadAsync(stop))
        {
            old.Add(reader.GetString(0));
        }

        return old;
    }

    private static async Task<int> Batch(NpgsqlDataSource source, KeyTable table, string oldKey, IKeyRing ring, CancellationToken stop)
    {
        var found = new List<(string Id, KeyUse Use, WrappedKey Key)>();
        await using (var find = source.CreateCommand(
            $"SELECT {table.Id}, {table.Use}, ring_key, wrapped FROM {table.Name} WHERE ring_key = $1 LIMIT {AtATime}"))
        {
            find.Parameters.Add(Parameter.Of(oldKey));
            await using var reader = await find.ExecuteReaderAsync(stop);
            while (await reader.ReadAsync(stop))
            {
                found.Add((reader.GetString(0), Enum.Parse<KeyUse>(reader.GetString(1)), new WrappedKey(reader.GetString(2), reader.GetFieldValue<byte[]>(3))));
            }
        }

        await using var batch = source.CreateBatch();
        foreach (var (id, use, old) in found)
        {
            var anew = await ring.Wrap(use, await ring.Unwrap(use, old, stop), stop);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                $"UPDATE {table.Name} SET ring_key = $1, wrapped = $2 WHERE {table.Row} AND ring_key = $4")
            {
                Parameters = { Parameter.Of(anew.RingKey), Parameter.Of(anew.Wrapped), Parameter.Of(id), Parameter.Of(old.RingKey) },
            });
        }

        if (found.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(stop);
        }

        return found.Count;
    }

    /// <param name="Id">One text that names a row.</param>
    /// <param name="Row">The condition that finds the row by that text, as $3.</param>
    /// <param name="Use">What its key is used for.</param>
    private sealed record KeyTable(string Name, string Id, string Row, string Use);

    private static string[] CurrentKeys(IKeyRing ring) => [.. Enum.GetValues<KeyUse>().Select(ring.CurrentKey)];
}
