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
    /// <param name="isToBeTried">Whether this version is to be sent now.</param>
    public List<ParticipationItem> ToReport(Func<long, bool> isToBeTried)
    {
        var room = LargestBatch;
        return [.. Read(database => database.List("SELECT version, item FROM report WHERE answered < version ORDER BY version", row => (Version: row.GetInt64(0), Item: (byte[])row.GetValue(1))))
            .Where(report => isToBeTried(report.Version))
            .Take(500)
            .TakeWhile(report => (room -= report.Item.Length) >= 0)
            .Select(report => ParticipationItem.Parser.ParseFrom(report.Item))];
    }

    /// <summary>
    /// The answers to what was sent. What has changed here meanwhile stays to be sent, and so does what was refused: a refusal does not say why, and where the plan may not be known any
    /// more, a recall takes the report away.
    /// </summary>
    public void Answered(IReadOnlyList<ParticipationItem> items, IReadOnlyList<ParticipationItemResult> results) => Write(database =>
    {
        foreach (var (item, result) in items.Zip(results))
        {
            var outcome = result.Reason == ErrorReason.Unspecified ? result.State.ToString() : $"not taken: {result.Reason} {result.Field}".TrimEnd();
            database.Run(
                "UPDATE report SET answered = CASE WHEN $6 THEN answered ELSE $4 END, outcome = $5 WHERE plan = $1 AND unit = $2 AND external_id = $3 AND version >= $4 AND answered < $4",
                item.Plan, item.Unit, item.ExternalId, item.ExternalVersion, outcome, result.Reason == ErrorReason.AccessDenied);
        }

        return results.Count;
    });
}
