using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;
using Purpose = CoordinationPlan.Policy.Purpose;
using Role = CoordinationPlan.Policy.Role;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Server.Changes;

/// <summary>
/// A receiver while changes are put in order for it. Also for one whose assignment is not in force now: it gets nothing before it is again, and then what it has missed.
/// </summary>
internal sealed record OpenReceiver(int Receiver, long Position, int Snapshot, Purpose Purpose, string ClientSystem, CallerFacts Facts)
{
    public Source Source => new(Facts.OrganisationId, ClientSystem);
}

/// <summary>What a receiver may know of a plan for a unit, and was told.</summary>
internal sealed record Standing(int Receiver, Guid PlanId, string UnitId, Categories Reads, Categories Told);

/// <summary>A change that gets a place.</summary>
internal sealed record PlacedItem(int Receiver, long Position, Guid EventId, ChangeKind Kind, Guid? PlanId, string? UnitId, Guid? ItemId, int Revision);

/// <summary>A recall that begins.</summary>
internal sealed record NewRecall(Guid RecallId, int Receiver, Guid PlanId, string UnitId, Categories Categories, DateTimeOffset DueAt);

/// <summary>A recall that has not been confirmed, and the receiver that is to be told of it again.</summary>
internal sealed record OpenRecall(int Receiver, Guid RecallId, Guid PlanId, string UnitId);

internal static class FanOutSql
{
    /// <summary>One fan-out at a time, whatever server it runs on; what a dead one had is free when its connection is gone.</summary>
    private const long Lock = 7200011;

    /// <summary>Whether anything is noted.</summary>
    public static Query<bool> IsAnyNoted() => new("SELECT EXISTS (SELECT FROM change_pending)", [], ReadBool);

    /// <summary>Whether another day has begun since the last that was looked at.</summary>
    public static Query<bool> IsAnotherDay(DateOnly today) => new("SELECT NOT EXISTS (SELECT FROM change_day d WHERE d.day >= $1)", [Parameter.Of(today)], ReadBool);

    public static Query<bool> TryLock() => new($"SELECT pg_try_advisory_xact_lock({Lock})", [], ReadBool);

    /// <summary>Notes the plans of which something that decides who may know has begun or ended with a day since the last.</summary>
    public static Command NoteDays(DateOnly today) => new(
        $"""
        WITH last AS (SELECT d.day FROM change_day d)
        INSERT INTO change_pending (kind, plan_id)
        SELECT DISTINCT {(int)NotedKind.WhoMayKnow}, x.plan_id
        FROM (
            SELECT p.plan_id, p.starts_on, p.ends_on FROM participation p WHERE p.ended_at IS NULL
            UNION ALL SELECT c.plan_id, c.starts_on, c.ends_on FROM consent c WHERE c.state IN (1, 2)
            UNION ALL SELECT r.plan_id, r.starts_on, r.ends_on FROM legal_release r WHERE r.ended_at IS NULL
            UNION ALL SELECT s.plan_id, NULL, s.ends_on FROM school_arrangement s
            UNION ALL SELECT o.plan_id, NULL, b.ends_on FROM block b JOIN plan o ON o.subject_id = b.subject_id WHERE b.lifted_at IS NULL) x, last l
        WHERE (x.starts_on > l.day AND x.starts_on <= $1) OR (x.ends_on >= l.day AND x.ends_on < $1)
        """,
        [Parameter.Of(today)]);

    public static Command PutDay(DateOnly today) => new(
        "INSERT INTO change_day (day) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET day = greatest(change_day.day, EXCLUDED.day)", [Parameter.Of(today)]);

    /// <summary>
    /// Takes what is noted and committed, by row and never by number: a transaction that commits late is taken late. The plans of a snapshot come when nothing else waits, however many
    /// there are.
    /// </summary>
    public static Query<List<Noted>> Take(int limit) => new(
        $"""
        DELETE FROM change_pending WHERE pending_id = ANY (ARRAY(SELECT q.pending_id FROM change_pending q ORDER BY q.kind > {(int)NotedKind.SnapshotBegins}, q.pending_id LIMIT $1))
        RETURNING pending_id, kind, plan_id, item_id, unit_id, category, receiver, snapshot
        """,
        [Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var noted = new List<Noted>();
            while (await reader.ReadAsync(stop))
            {
                noted.Add(new Noted(
                    reader.GetInt64(0),
                    (NotedKind)reader.GetInt16(1),
                    reader.IsDBNull(2) ? null : reader.GetGuid(2),
                    reader.IsDBNull(3) ? null : reader.GetGuid(3),
                    reader.IsDBNull(4) ? null : reader.GetString(4),
                    reader.IsDBNull(5) ? Categories.None : (Categories)reader.GetInt32(5),
                    reader.IsDBNull(6) ? null : reader.GetInt32(6),
                    reader.IsDBNull(7) ? null : reader.GetInt32(7)));
            }

            noted.Sort((one, other) => (one.Kind > NotedKind.SnapshotBegins, one.Id).CompareTo((other.Kind > NotedKind.SnapshotBegins, other.Id)));
            return noted;
        });

    /// <summary>Every receiver but those whose assignment is revoked, which is for good; locked in the same order: nothing is delivered meanwhile, so what was told stays what it is.</summary>
    public static Query<List<OpenReceiver>> Receivers() => new(
        """
        SELECT r.receiver, r.position, r.snapshot, r.purpose, r.client_system, a.role, a.purposes, a.unit_id, u.kind, u.controller, u.organisation_id, o.kind, a.protected_persons
        FROM change_receiver r
        JOIN assignment a ON a.assignment_id = r.assignment_id AND NOT a.revoked
        JOIN unit u ON u.unit_id = a.unit_id
        JOIN organisation o ON o.organisation_id = u.organisation_id
        ORDER BY r.receiver
        FOR UPDATE OF r
        """,
        [],
        static async (reader, stop) =>
        {
            var receivers = new List<OpenReceiver>();
            while (await reader.ReadAsync(stop))
            {
                receivers.Add(new OpenReceiver(
                    reader.GetInt32(0),
                    reader.GetInt64(1),
                    reader.GetInt32(2),
                    (Purpose)reader.GetInt16(3),
                    reader.GetString(4),
                    new CallerFacts(
                        (Role)reader.GetInt16(5), new Purposes(reader.GetInt32(6)), reader.GetString(7), (UnitKind)reader.GetInt16(8), reader.GetString(9), reader.GetString(10),
                        (OrganisationKind)reader.GetInt16(11), reader.GetBoolean(12))));
            }

            return receivers;
        });

    /// <summary>The units that own the plans or take part in them, of organisations that have a receiver. Candidates only: each is decided afterwards.</summary>
    public static Query<List<(Guid PlanId, string UnitId)>> Units(Guid[] plans) => new(
        """
        SELECT x.plan_id, x.unit_id
        FROM (
            SELECT p.plan_id, p.owner_unit_id AS unit_id FROM plan p WHERE p.plan_id = ANY ($1)
            UNION SELECT m.plan_id, m.unit_id FROM participation m WHERE m.plan_id = ANY ($1) AND m.ended_at IS NULL) x
        JOIN unit u ON u.unit_id = x.unit_id
        WHERE u.organisation_id IN (SELECT v.organisation_id FROM change_receiver r JOIN assignment a ON a.assignment_id = r.assignment_id JOIN unit v ON v.unit_id = a.unit_id)
        """,
        [Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var units = new List<(Guid, string)>();
            while (await reader.ReadAsync(stop))
            {
                units.Add((reader.GetGuid(0), reader.GetString(1)));
            }

            return units;
        });

    public static Query<List<Standing>> Standings(Guid[] plans) => new(
        "SELECT receiver, plan_id, unit_id, reads, told FROM change_standing WHERE plan_id = ANY ($1)",
        [Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var standings = new List<Standing>();
            while (await reader.ReadAsync(stop))
            {
                standings.Add(new Standing(reader.GetInt32(0), reader.GetGuid(1), reader.GetString(2), (Categories)reader.GetInt32(3), (Categories)reader.GetInt32(4)));
            }

            return standings;
        });

    /// <summary>What is in the plans: 1 the plan with its revision, 2 participations, 3 meetings, 4 calls, 5 what systems have said of who takes part.</summary>
    public static Query<Dictionary<Guid, PlanThings>> Things(Guid[] plans) => new(
        """
        SELECT 1, p.plan_id, p.plan_id AS id, NULL AS unit_id, p.revision AS number, NULL::timestamptz AS made_at, NULL AS client_system FROM plan p WHERE p.plan_id = ANY ($1)
        UNION ALL SELECT 2, m.plan_id, m.participation_id, m.unit_id, m.category, m.created_at, NULL FROM participation m WHERE m.plan_id = ANY ($1)
        UNION ALL SELECT 3, t.plan_id, t.meeting_id, NULL, 0, NULL, NULL FROM meeting t WHERE t.plan_id = ANY ($1)
        UNION ALL SELECT 4, c.plan_id, c.meeting_id, c.unit_id, c.category, NULL, NULL FROM meeting_call c WHERE c.plan_id = ANY ($1)
        UNION ALL SELECT 5, y.plan_id, y.synced_id, y.organisation_id, 0, y.created_at, y.client_system FROM synced_participation y WHERE y.plan_id = ANY ($1)
        ORDER BY 2, 1, 6, 3
        """,
        [Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<
                Guid, (int Revision, List<(Guid, Categories)> Participations, List<Guid> Meetings, List<(Guid, string, Categories)> Calls, List<(Guid, Source)> Synced)>();
            while (await reader.ReadAsync(stop))
            {
                var (plan, id, number) = (reader.GetGuid(1), reader.GetGuid(2), reader.GetInt32(4));
                switch (reader.GetInt32(0))
                {
                    case 1:
                        found.Add(plan, (number, [], [], [], []));
                        break;
                    case 2:
                        found[plan].Participations.Add((id, (Categories)number));
                        break;
                    case 3:
                        found[plan].Meetings.Add(id);
                        break;
                    case 4:
                        found[plan].Calls.Add((id, reader.GetString(3), (Categories)number));
                        break;
                    default:
                        found[plan].Synced.Add((id, new Source(reader.GetString(3), reader.GetString(6))));
                        break;
                }
            }

            return found.ToDictionary(plan => plan.Key, plan => new PlanThings(plan.Value.Revision, plan.Value.Participations, plan.Value.Meetings, plan.Value.Calls, plan.Value.Synced));
        });

    /// <summary>
    /// What was recalled from receivers and not confirmed; and from the same system under an assignment of the same organisation that is revoked or has the purpose no more, which hears of
    /// nothing any more. A school's is for that school's assignments alone.
    /// </summary>
    public static Query<List<OpenRecall>> Unconfirmed(int[] receivers) => new(
        $"""
        SELECT r.receiver, c.recall_id, c.plan_id, c.unit_id
        FROM change_receiver r
        JOIN assignment a ON a.assignment_id = r.assignment_id
        JOIN unit u ON u.unit_id = a.unit_id
        JOIN change_receiver o ON o.client_system = r.client_system
        JOIN assignment b ON b.assignment_id = o.assignment_id
        JOIN unit v ON v.unit_id = b.unit_id
        JOIN change_recall c ON c.receiver = o.receiver AND c.acknowledged_at IS NULL
        WHERE r.receiver = ANY ($1) AND v.organisation_id = u.organisation_id
          AND (o.receiver = r.receiver OR ((b.revoked OR b.purposes & (1 << o.purpose) = 0) AND (v.unit_id = u.unit_id OR {(int)UnitKind.School} <> ALL (ARRAY[u.kind, v.kind]))))
        ORDER BY c.created_at, c.recall_id
        """,
        [Parameter.Of(receivers)],
        static async (reader, stop) =>
        {
            var recalls = new List<OpenRecall>();
            while (await reader.ReadAsync(stop))
            {
                recalls.Add(new OpenRecall(reader.GetInt32(0), reader.GetGuid(1), reader.GetGuid(2), reader.GetString(3)));
            }

            return recalls;
        });

    /// <summary>What is told again needs a place to number it at, also where the receiver never knew of the plan.</summary>
    public static Command KnowPlansOf(IReadOnlyCollection<OpenRecall> recalls) => new(
        """
        INSERT INTO change_standing (receiver, plan_id, unit_id, reads)
        SELECT DISTINCT n.receiver, n.plan_id, n.unit_id, 0 FROM unnest($1, $2, $3) AS n (receiver, plan_id, unit_id)
        ON CONFLICT (receiver, plan_id, unit_id) DO NOTHING
        """,
        [Parameter.Of([.. recalls.Select(recall => recall.Receiver)]), Parameter.Of([.. recalls.Select(recall => recall.PlanId)]), Parameter.Of([.. recalls.Select(recall => recall.UnitId)])]);

    /// <summary>Removes what is left of earlier snapshots.</summary>
    public static Command RemoveSnapshot(int receiver) => new($"DELETE FROM change_pending WHERE receiver = $1 AND kind > {(int)NotedKind.SnapshotBegins}", [Parameter.Of(receiver)]);

    /// <summary>Notes every plan that a receiver may turn out to know of, then the end of the snapshot.</summary>
    public static Command NoteSnapshot(int receiver, int snapshot) => new(
        $"""
        INSERT INTO change_pending (kind, plan_id, receiver, snapshot)
        SELECT x.kind, x.plan_id, $1, $2
        FROM (
            SELECT {(int)NotedKind.SnapshotPlan} AS kind, c.plan_id FROM ({CandidatesOf}) c
            UNION ALL SELECT {(int)NotedKind.SnapshotEnds}, NULL) x
        ORDER BY x.kind DESC, x.plan_id
        """,
        [Parameter.Of(receiver), Parameter.Of(snapshot)]);

    /// <summary>Notes that it is to be looked at anew who may know of every plan of a receiver.</summary>
    public static Command NoteRights(int receiver) => new(
        $"INSERT INTO change_pending (kind, plan_id) SELECT {(int)NotedKind.WhoMayKnow}, c.plan_id FROM ({CandidatesOf}) c", [Parameter.Of(receiver)]);

    private const string CandidatesOf =
        """
        SELECT o.plan_id FROM plan o JOIN unit u ON u.unit_id = o.owner_unit_id
        WHERE u.organisation_id = (SELECT v.organisation_id FROM change_receiver r JOIN assignment a ON a.assignment_id = r.assignment_id JOIN unit v ON v.unit_id = a.unit_id WHERE r.receiver = $1)
        UNION
        SELECT m.plan_id FROM participation m JOIN unit u ON u.unit_id = m.unit_id
        WHERE m.ended_at IS NULL
          AND u.organisation_id = (SELECT v.organisation_id FROM change_receiver r JOIN assignment a ON a.assignment_id = r.assignment_id JOIN unit v ON v.unit_id = a.unit_id WHERE r.receiver = $1)
        UNION
        SELECT s.plan_id FROM change_standing s WHERE s.receiver = $1
        """;

    public static Command AddItems(IReadOnlyCollection<PlacedItem> items) => new(
        """
        INSERT INTO change_item (receiver, position, event_id, kind, plan_id, unit_id, item_id, revision)
        SELECT i.receiver, i.position, i.event_id, i.kind, i.plan_id, i.unit_id, i.item_id, i.revision
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS i (receiver, position, event_id, kind, plan_id, unit_id, item_id, revision)
        """,
        [
            Parameter.Of([.. items.Select(item => item.Receiver)]), Parameter.Of([.. items.Select(item => item.Position)]), Parameter.Of([.. items.Select(item => item.EventId)]),
            Parameter.Of([.. items.Select(item => (int)item.Kind)]), Parameter.Of((Guid?[])[.. items.Select(item => item.PlanId)]), Parameter.OfNullable([.. items.Select(item => item.UnitId)]),
            Parameter.Of((Guid?[])[.. items.Select(item => item.ItemId)]), Parameter.Of([.. items.Select(item => item.Revision)]),
        ],
        ExpectedRows: items.Count);

    public static Command AddRecalls(IReadOnlyCollection<NewRecall> recalls) => new(
        """
        INSERT INTO change_recall (recall_id, receiver, plan_id, unit_id, categories, due_at)
        SELECT r.recall_id, r.receiver, r.plan_id, r.unit_id, r.categories, r.due_at
        FROM unnest($1, $2, $3, $4, $5, $6) AS r (recall_id, receiver, plan_id, unit_id, categories, due_at)
        """,
        [
            Parameter.Of([.. recalls.Select(recall => recall.RecallId)]), Parameter.Of([.. recalls.Select(recall => recall.Receiver)]), Parameter.Of([.. recalls.Select(recall => recall.PlanId)]),
            Parameter.Of([.. recalls.Select(recall => recall.UnitId)]), Parameter.Of([.. recalls.Select(recall => (int)recall.Categories)]),
            Parameter.Of([.. recalls.Select(recall => recall.DueAt.UtcDateTime)]),
        ],
        ExpectedRows: recalls.Count);

    /// <summary>What the receivers may know from now on; what they were told and may not know any more is recalled.</summary>
    public static Command PutStandings(IReadOnlyCollection<Standing> standings) => new(
        """
        INSERT INTO change_standing (receiver, plan_id, unit_id, reads)
        SELECT s.receiver, s.plan_id, s.unit_id, s.reads FROM unnest($1, $2, $3, $4) AS s (receiver, plan_id, unit_id, reads)
        ON CONFLICT (receiver, plan_id, unit_id) DO UPDATE SET reads = EXCLUDED.reads, told = change_standing.told & EXCLUDED.reads
        """,
        [
            Parameter.Of([.. standings.Select(standing => standing.Receiver)]), Parameter.Of([.. standings.Select(standing => standing.PlanId)]),
            Parameter.Of([.. standings.Select(standing => standing.UnitId)]), Parameter.Of([.. standings.Select(standing => (int)standing.Reads)]),
        ],
        ExpectedRows: standings.Count);

    public static Command PutPositions(IReadOnlyCollection<OpenReceiver> receivers) => new(
        "UPDATE change_receiver r SET position = n.position FROM unnest($1, $2) AS n (receiver, position) WHERE r.receiver = n.receiver",
        [Parameter.Of([.. receivers.Select(receiver => receiver.Receiver)]), Parameter.Of([.. receivers.Select(receiver => receiver.Position)])],
        ExpectedRows: receivers.Count);

    /// <summary>Removes what has been kept for long enough, and what was said of it; notes how far. Only whole beginnings go, so that what is kept has no gaps.</summary>
    public static IEnumerable<Command> Remove(DateTimeOffset before) =>
    [
        new(
            """
            UPDATE change_receiver r SET removed = x.position
            FROM (SELECT i.receiver, max(i.position) AS position FROM change_item i WHERE i.sequenced_at < $1 GROUP BY i.receiver) x
            WHERE r.receiver = x.receiver AND r.removed < x.position
            """,
            [Parameter.Of(before)]),
        new("DELETE FROM change_rejection j USING change_receiver r WHERE r.receiver = j.receiver AND j.position <= r.removed", []),
        new("DELETE FROM change_item i USING change_receiver r WHERE r.receiver = i.receiver AND i.position <= r.removed", []),
    ];

    /// <summary>
    /// How far behind the receivers are: the oldest change that was not put in order, but for the plans of snapshots, the oldest that was not confirmed, what was rejected, recalls that are overdue. Nothing
    /// is expected any more of a system whose assignment is revoked.
    /// </summary>
    public static Query<FeedState> State(DateTimeOffset now) => new(
        $"""
        SELECT (SELECT min(p.noted_at) FROM change_pending p WHERE p.kind <= {(int)NotedKind.SnapshotBegins}),
               (SELECT min(i.sequenced_at)
                FROM change_receiver r
                JOIN assignment a ON a.assignment_id = r.assignment_id AND NOT a.revoked
                JOIN change_item i ON i.receiver = r.receiver AND i.position = greatest(r.acknowledged, r.removed, r.snapshot_after) + 1),
               (SELECT count(*) FROM change_rejection),
               (SELECT count(*)
                FROM change_recall c
                JOIN change_receiver r ON r.receiver = c.receiver
                JOIN assignment a ON a.assignment_id = r.assignment_id AND NOT a.revoked
                WHERE c.acknowledged_at IS NULL AND c.due_at < $1)
        """,
        [Parameter.Of(now)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new FeedState(
                reader.IsDBNull(0) ? null : reader.GetFieldValue<DateTimeOffset>(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1), reader.GetInt64(2), reader.GetInt64(3));
        });

    private static async Task<bool> ReadBool(NpgsqlDataReader reader, CancellationToken stop)
    {
        await reader.ReadAsync(stop);
        return reader.GetBoolean(0);
    }
}

/// <summary>Where the feed stands, for its metrics.</summary>
internal sealed record FeedState(DateTimeOffset? OldestPending, DateTimeOffset? OldestUnconfirmed, long Rejected, long OverdueRecalls);
