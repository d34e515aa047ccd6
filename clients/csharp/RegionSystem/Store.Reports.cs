using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.RegionSystem;

/// <summary>What the system itself says: which of the organisation's units take part. The newest version of each, and up to which the service has answered.</summary>
internal sealed partial class Store
{
    /// <summary>In bytes of items: the service takes messages of 256 KiB.</summary>
    private const int LargestBatch = 200_000;

    /// <summary>
    /// Notes what is to be reported, with a version higher than any before: higher than the clock as well, so that a file that begins anew is heard. False where the system
    /// has not been told of that plan: then it does not know of it.
    /// </summary>
    public bool Report(ParticipationItem item, DateTimeOffset now) => Write(database =>
    {
        if (database.List("SELECT 1 FROM held WHERE plan = $1 UNION SELECT 1 FROM notice WHERE plan = $1", _ => 1, item.Plan).Count == 0)
        {
            return false;
        }

        item.ExternalVersion = database.List(
            "UPDATE standing SET last_version = max(last_version + 1, $1) RETURNING last_version", row => row.GetInt64(0), now.ToUnixTimeMilliseconds())[0];
        database.Run(
            """
            INSERT INTO report (plan, unit, external_id, version, item) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO UPDATE SET version = excluded.version, item = excluded.item
            """,
            item.Plan, item.Unit, item.ExternalId, item.ExternalVersion, item.ToByteArray());
        return true;
    });

    /// <summary>What became of a report, as the service tells later on.</summary>
    private static void BecameOf(Database database, string plan, SyncedParticipation synced) => database.Run(
        "UPDATE report SET outcome = $4 WHERE plan = $1 AND unit = $2 AND external_id = $3 AND answered <= $5", plan, synced.Unit, synced.ExternalId, synced.State.ToString(), synced.ExternalVersion);

    /// <summary>What the service has not answered yet, as much as it takes at once.</summary>
    public List<ParticipationItem> ToReport()
    {
        var room = LargestBatch;
        return [.. Read(database => database.List("SELECT item FROM report WHERE answered < version ORDER BY version LIMIT 500", row => (byte[])row.GetValue(0)))
            .TakeWhile(item => (room -= item.Length) >= 0)
            .Select(item => ParticipationItem.Parser.ParseFrom(item))];
    }

    /// <summary>The answers to what was sent. What has changed here meanwhile stays to be sent.</summary>
    public void Answered(IReadOnlyList<ParticipationItem> items, IReadOnlyList<ParticipationItemResult> results) => Write(database =>
    {
        foreach (var (item, result) in items.Zip(results))
        {
            var outcome = result.Reason == ErrorReason.Unspecified ? result.State.ToString() : $"not taken: {result.Reason} {result.Field}".TrimEnd();
            database.Run(
                "UPDATE report SET answered = $4, outcome = $5 WHERE plan = $1 AND unit = $2 AND external_id = $3 AND version >= $4 AND answered < $4",
                item.Plan, item.Unit, item.ExternalId, item.ExternalVersion, outcome);
        }

        return results.Count;
    });
}
