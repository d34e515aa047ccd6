using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;
using Purpose = CoordinationPlan.Policy.Purpose;

namespace CoordinationPlan.Server.Changes;

internal static class ChangeSql
{
    private const string ReceiverColumns = "r.receiver, r.assignment_id, r.purpose, r.client_system, r.position, r.snapshot, r.snapshot_after, r.removed, r.acknowledged, r.version";

    /// <summary>
    /// The caller's feed, locked: what is delivered is numbered one call after the other, and nothing is put in order for it meanwhile. Another system's under the same assignment
    /// is not the caller's.
    /// </summary>
    public static Query<Loaded<Feed>> Receiver(CallerIdentity caller) => new(
        $"SELECT {ReceiverColumns} FROM change_receiver r WHERE r.assignment_id = $1 AND r.purpose = $2 AND r.client_system = $3 FOR UPDATE",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of((short)caller.Purpose), Parameter.Of(caller.ClientSystem)],
        static async (reader, stop) => new Loaded<Feed>(new Feed(
            await reader.ReadAsync(stop)
                ? new ReceiverRecord(
                    reader.GetInt32(0), reader.GetString(1), (Purpose)reader.GetInt16(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt32(5), reader.GetInt64(6), reader.GetInt64(7),
                    reader.GetInt64(8), reader.GetInt32(9))
                : null)));

    public static Command Begin(string assignmentId, Purpose purpose, string clientSystem) => new(
        "INSERT INTO change_receiver (assignment_id, purpose, client_system) VALUES ($1, $2, $3)",
        [Parameter.Of(assignmentId), Parameter.Of((short)purpose), Parameter.Of(clientSystem)],
        ExpectedRows: 1);

    /// <summary>Another snapshot from here on. What was confirmed stays confirmed, and what came before needs to be no longer.</summary>
    public static Command BeginAnew(ReceiverRecord receiver) => new(
        "UPDATE change_receiver SET snapshot = snapshot + 1, snapshot_after = position, acknowledged = position, version = version + 1 WHERE receiver = $1 AND version = $2",
        [Parameter.Of(receiver.Receiver), Parameter.Of(receiver.Version)],
        ExpectedRows: 1);

    /// <summary>Asks for the snapshot, in its turn.</summary>
    public static Command AskForSnapshot(string assignmentId, Purpose purpose, string clientSystem) => new(
        $"INSERT INTO change_pending (kind, receiver, snapshot) SELECT {(int)NotedKind.SnapshotBegins}, r.receiver, r.snapshot FROM change_receiver r WHERE r.assignment_id = $1 AND r.purpose = $2 AND r.client_system = $3",
        [Parameter.Of(assignmentId), Parameter.Of((short)purpose), Parameter.Of(clientSystem)],
        ExpectedRows: 1);

    /// <summary>The changes after a position, in order. Each is decided afterwards.</summary>
    public static Query<List<ItemRecord>> Items(int receiver, long after, int limit) => new(
        $"""
        SELECT i.position, i.event_id, i.kind, i.plan_id, i.unit_id, i.item_id, i.sequence, i.sequenced_at, p.subject_id, p.owner_controller, coalesce(s.sequence, 0),
               c.recall_id, c.categories, c.created_at, c.due_at, c.acknowledged_at, c.version
        FROM (
            SELECT n.receiver, n.position, n.event_id, n.kind, n.plan_id, n.unit_id, n.item_id, n.sequence, n.sequenced_at
            FROM change_item n WHERE n.receiver = $1 AND n.position > $2 AND n.sequence IS DISTINCT FROM 0
            ORDER BY n.position LIMIT $3) i
        LEFT JOIN plan p ON p.plan_id = i.plan_id
        LEFT JOIN change_standing s ON s.receiver = i.receiver AND s.plan_id = i.plan_id AND s.unit_id = i.unit_id
        LEFT JOIN change_recall c ON c.recall_id = i.item_id AND i.kind = {(int)ChangeKind.Recall}
        ORDER BY i.position
        """,
        [Parameter.Of(receiver), Parameter.Of(after), Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var items = new List<ItemRecord>();
            while (await reader.ReadAsync(stop))
            {
                Guid? plan = reader.IsDBNull(3) ? null : reader.GetGuid(3);
                var unit = reader.IsDBNull(4) ? null : reader.GetString(4);
                items.Add(new ItemRecord(
                    reader.GetInt64(0),
                    reader.GetGuid(1),
                    (ChangeKind)reader.GetInt16(2),
                    plan,
                    unit,
                    reader.IsDBNull(5) ? null : reader.GetGuid(5),
                    reader.IsDBNull(6) ? null : reader.GetInt64(6),
                    reader.GetFieldValue<DateTimeOffset>(7),
                    reader.IsDBNull(8) ? null : reader.GetGuid(8),
                    reader.IsDBNull(9) ? null : reader.GetString(9),
                    reader.GetInt64(10),
                    reader.IsDBNull(11) ? null : new RecallRecord(
                        reader.GetGuid(11), plan!.Value, unit!, (Categories)reader.GetInt32(12), reader.GetFieldValue<DateTimeOffset>(13), reader.GetFieldValue<DateTimeOffset>(14),
                        reader.IsDBNull(15) ? null : reader.GetFieldValue<DateTimeOffset>(15), reader.GetInt32(16))));
            }

            return items;
        });

    /// <summary>The numbers of what is delivered for the first time, and 0 for what is passed over for good.</summary>
    public static Command Number(int receiver, IReadOnlyCollection<ItemNumber> numbers) => new(
        """
        UPDATE change_item i SET sequence = n.sequence, forgotten = n.forgotten <> 0 FROM unnest($2, $3, $4) AS n (position, sequence, forgotten)
        WHERE i.receiver = $1 AND i.position = n.position AND i.sequence IS NULL
        """,
        [
            Parameter.Of(receiver), Parameter.Of([.. numbers.Select(number => number.Position)]), Parameter.Of([.. numbers.Select(number => number.Sequence)]),
            Parameter.Of([.. numbers.Select(number => number.IsForgotten ? 1 : 0)]),
        ],
        ExpectedRows: numbers.Count);

    /// <summary>
    /// What a receiver is told, so that it can be recalled; and what it may know no more, so that all of it is told anew when it may again, also where that comes before the
    /// next change is put in order.
    /// </summary>
    public static Command Tell(int receiver, IReadOnlyCollection<Told> told) => new(
        """
        UPDATE change_standing s SET told = s.told | n.told, reads = s.reads & n.reads, sequence = greatest(s.sequence, n.sequence)
        FROM unnest($2, $3, $4, $5, $6) AS n (plan_id, unit_id, told, sequence, reads)
        WHERE s.receiver = $1 AND s.plan_id = n.plan_id AND s.unit_id = n.unit_id
        """,
        [
            Parameter.Of(receiver), Parameter.Of([.. told.Select(one => one.PlanId)]), Parameter.Of([.. told.Select(one => one.UnitId)]),
            Parameter.Of([.. told.Select(one => (int)one.Categories)]), Parameter.Of([.. told.Select(one => one.Sequence)]), Parameter.Of([.. told.Select(one => (int)one.Reads)]),
        ],
        ExpectedRows: told.Count);

    /// <summary>Notes how far a receiver has confirmed.</summary>
    public static Command Acknowledge(ReceiverRecord receiver, long position, DateTimeOffset now) => new(
        "UPDATE change_receiver SET acknowledged = greatest(acknowledged, $3), acknowledged_at = $4, version = version + 1 WHERE receiver = $1 AND version = $2",
        [Parameter.Of(receiver.Receiver), Parameter.Of(receiver.Version), Parameter.Of(position), Parameter.Of(now)],
        ExpectedRows: 1);

    /// <summary>
    /// Which revisions a receiver holds by confirming: those of the plans when what it confirms was put in order. It may hold a later one. By what it rejected it holds none, nor
    /// by a number without content.
    /// </summary>
    public static Command Hold(ReceiverRecord receiver, long position, DateTimeOffset now) => new(
        $"""
        UPDATE change_standing s SET held_revision = x.revision, held_since = $4
        FROM (
            SELECT DISTINCT ON (i.plan_id, i.unit_id) i.plan_id, i.unit_id, i.revision
            FROM change_item i
            WHERE i.receiver = $1 AND i.position > $2 AND i.position <= $3 AND i.kind = {(int)ChangeKind.Plan} AND i.sequence > 0 AND NOT i.forgotten
              AND NOT EXISTS (SELECT FROM change_rejection j WHERE j.receiver = i.receiver AND j.position = i.position)
            ORDER BY i.plan_id, i.unit_id, i.position DESC) x
        WHERE s.receiver = $1 AND s.plan_id = x.plan_id AND s.unit_id = x.unit_id AND (s.held_revision <> x.revision OR s.held_since IS NULL)
        """,
        [Parameter.Of(receiver.Receiver), Parameter.Of(receiver.Acknowledged), Parameter.Of(position), Parameter.Of(now)]);

    /// <summary>Which of these changes were delivered up to a position.</summary>
    public static Query<HashSet<Guid>> Delivered(int receiver, long position, Guid[] events) => new(
        "SELECT event_id FROM change_item WHERE receiver = $1 AND position <= $2 AND event_id = ANY ($3) AND sequence > 0 AND plan_id IS NOT NULL",
        [Parameter.Of(receiver), Parameter.Of(position), Parameter.Of(events)],
        static async (reader, stop) =>
        {
            var found = new HashSet<Guid>();
            while (await reader.ReadAsync(stop))
            {
                found.Add(reader.GetGuid(0));
            }

            return found;
        });

    /// <summary>Keeps what a receiver could not process. Rejected again it is the same.</summary>
    public static Command Reject(int receiver, IReadOnlyCollection<(Guid Event, RejectionReason Reason)> rejections) => new(
        """
        INSERT INTO change_rejection (receiver, position, plan_id, unit_id, reason)
        SELECT i.receiver, i.position, i.plan_id, i.unit_id, n.reason
        FROM unnest($2, $3) AS n (event_id, reason) JOIN change_item i ON i.receiver = $1 AND i.event_id = n.event_id
        ON CONFLICT (receiver, position) DO NOTHING
        """,
        [Parameter.Of(receiver), Parameter.Of([.. rejections.Select(rejection => rejection.Event)]), Parameter.Of([.. rejections.Select(rejection => (int)rejection.Reason)])]);

    /// <summary>A recall of the calling system's, with whose plan it is about. Under whichever assignment it was told: who was told can confirm.</summary>
    public static Query<Loaded<OwnRecall>> Recall(Guid recall, CallerIdentity caller) => new(
        """
        SELECT c.recall_id, c.plan_id, c.unit_id, c.categories, c.created_at, c.due_at, c.acknowledged_at, c.version, p.subject_id, p.owner_controller
        FROM change_recall c JOIN change_receiver r ON r.receiver = c.receiver JOIN plan p ON p.plan_id = c.plan_id
        WHERE c.recall_id = $1 AND r.client_system = $2
          AND (SELECT u.organisation_id FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.assignment_id = $3)
            = (SELECT u.organisation_id FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.assignment_id = r.assignment_id)
        """,
        [Parameter.Of(recall), Parameter.Of(caller.ClientSystem), Parameter.OrNull(caller.AssignmentId)],
        static async (reader, stop) => new Loaded<OwnRecall>(new OwnRecall(
            await reader.ReadAsync(stop)
                ? (new RecallRecord(
                    reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), (Categories)reader.GetInt32(3), reader.GetFieldValue<DateTimeOffset>(4),
                    reader.GetFieldValue<DateTimeOffset>(5), reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6), reader.GetInt32(7)), reader.GetGuid(8), reader.GetString(9))
                : null)));

    public static Command Confirm(RecallRecord recall, string receipt) => new(
        "UPDATE change_recall SET acknowledged_at = $3, receipt = $4, version = $2 WHERE recall_id = $1 AND version = $2 - 1",
        [Parameter.Of(recall.RecallId), Parameter.Of(recall.Version), Parameter.OrNull(recall.AcknowledgedAt), Parameter.Of(receipt)],
        ExpectedRows: 1);

    /// <summary>Which systems have been told of a plan. Whether each row may be seen is decided afterwards, by the kind of its unit.</summary>
    public static Query<List<DeliveryRecord>> Deliveries(Guid plan) => new(
        """
        SELECT s.receiver, o.organisation_id, r.client_system, s.unit_id, u.kind, s.told, s.held_revision, s.held_since,
               (SELECT min(i.sequenced_at) FROM change_item i
                WHERE i.plan_id = $1 AND i.receiver = s.receiver AND i.unit_id = s.unit_id AND i.position > r.acknowledged AND i.sequence IS DISTINCT FROM 0),
               (SELECT count(*)::integer FROM change_rejection j WHERE j.plan_id = $1 AND j.receiver = s.receiver AND j.unit_id = s.unit_id)
        FROM change_standing s
        JOIN change_receiver r ON r.receiver = s.receiver
        JOIN unit u ON u.unit_id = s.unit_id
        JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE s.plan_id = $1 AND s.sequence > 0
        ORDER BY s.receiver, s.unit_id
        """,
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var deliveries = new List<DeliveryRecord>();
            while (await reader.ReadAsync(stop))
            {
                deliveries.Add(new DeliveryRecord(
                    reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), (V1.UnitKind)reader.GetInt16(4), (Categories)reader.GetInt32(5), reader.GetInt32(6),
                    reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7), reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8), reader.GetInt32(9)));
            }

            return deliveries;
        });

    /// <summary>What was recalled of a plan, the latest first.</summary>
    public static Query<List<RecalledRecord>> Recalls(Guid plan) => new(
        "SELECT receiver, unit_id, categories, created_at, due_at, acknowledged_at, receipt FROM change_recall WHERE plan_id = $1 ORDER BY created_at DESC, recall_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var recalls = new List<RecalledRecord>();
            while (await reader.ReadAsync(stop))
            {
                recalls.Add(new RecalledRecord(
                    reader.GetInt32(0), reader.GetString(1), (Categories)reader.GetInt32(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetFieldValue<DateTimeOffset>(4),
                    reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5), reader.IsDBNull(6) ? "" : reader.GetString(6)));
            }

            return recalls;
        });

    /// <summary>How far the feeds are that streams wait for, and which version of which assignment they rest on: who is to be woken.</summary>
    public static async Task<Dictionary<FeedKey, FeedSign>> Signs(NpgsqlDataSource source, IReadOnlyCollection<FeedKey> feeds, CancellationToken stop)
    {
        await using var command = source.CreateCommand(
            """
            SELECT n.assignment_id, n.purpose, n.client_system, coalesce(r.position, 0), coalesce(r.snapshot, 0), coalesce(a.version, 0)
            FROM unnest($1, $2, $3) AS n (assignment_id, purpose, client_system)
            LEFT JOIN change_receiver r ON r.assignment_id = n.assignment_id AND r.purpose = n.purpose AND r.client_system = n.client_system
            LEFT JOIN assignment a ON a.assignment_id = n.assignment_id
            """);
        command.Parameters.Add(Parameter.Of([.. feeds.Select(feed => feed.AssignmentId)]));
        command.Parameters.Add(Parameter.Of([.. feeds.Select(feed => (int)feed.Purpose)]));
        command.Parameters.Add(Parameter.Of([.. feeds.Select(feed => feed.ClientSystem)]));
        await using var reader = await command.ExecuteReaderAsync(stop);
        var signs = new Dictionary<FeedKey, FeedSign>();
        while (await reader.ReadAsync(stop))
        {
            signs[new(reader.GetString(0), (Purpose)reader.GetInt32(1), reader.GetString(2))] = new(reader.GetInt64(3), reader.GetInt32(4), reader.GetInt32(5));
        }

        return signs;
    }
}

/// <summary>The caller's feed, or that there is none.</summary>
internal sealed record Feed(ReceiverRecord? Receiver);

/// <summary>A recall of the caller's with the plan's person and controller, or that there is none.</summary>
internal sealed record OwnRecall((RecallRecord Recall, Guid SubjectId, string OwnerController)? Found);

/// <summary>What a receiver is told of a plan for a unit, the number given last, and what it may know.</summary>
internal sealed record Told(Guid PlanId, string UnitId, Categories Categories, long Sequence, Categories Reads);

/// <summary>What a system has been told of a plan for a unit, as it is stored.</summary>
internal sealed record DeliveryRecord(
    int Receiver, string OrganisationId, string ClientSystem, string UnitId, V1.UnitKind UnitKind, Categories Told, int HeldRevision, DateTimeOffset? HeldSince, DateTimeOffset? WaitingSince, int Rejected);

/// <summary>A recall with its receipt, as it is stored.</summary>
internal sealed record RecalledRecord(int Receiver, string UnitId, Categories Categories, DateTimeOffset CreatedAt, DateTimeOffset DueAt, DateTimeOffset? AcknowledgedAt, string Receipt);

/// <summary>Whose feed.</summary>
internal readonly record struct FeedKey(string AssignmentId, Purpose Purpose, string ClientSystem);

/// <summary>What changes when a stream has something to look at.</summary>
internal readonly record struct FeedSign(long Position, int Snapshot, int AssignmentVersion);
