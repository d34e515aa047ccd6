using CoordinationPlan.Server.Database;

namespace CoordinationPlan.Server.Log;

internal static class PublisherSql
{
    // One server publishes at a time; the lock goes with the transaction, and so with a server that dies.
    private const long Lock = 7200002;

    public static Query<bool> TryLead() => new(
        $"SELECT pg_try_advisory_xact_lock({Lock})",
        [],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return reader.GetBoolean(0);
        });

    public static Command Publish(int log, string note) => new(
        "INSERT INTO log_checkpoint (log, note) VALUES ($1, $2) ON CONFLICT (log) DO UPDATE SET note = EXCLUDED.note",
        [Parameter.Of(log), Parameter.Of(note)],
        ExpectedRows: 1);
}
