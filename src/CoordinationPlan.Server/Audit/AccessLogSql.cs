using System.Runtime.CompilerServices;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CoordinationPlan.Server.Audit;

internal static class AccessLogSql
{
    /// <summary>
    /// Writes an entry and reads back what the database gives to it, for the receipt. The service's role for cases has no other right on the log than this.
    /// </summary>
    public static Query<Entered> Add(AccessLogRecord entry) => new(
        """
        INSERT INTO access_log (
            entry_id, act, outcome, reason, method, employee_id, client_system, assignment_id, role, unit_id, actor_controller, purpose,
            plan_id, subject_id, owner_controller, categories, policy_version, trace_id, resource, decision,
            event_secret, call_id, call_size)
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            -- Who names an assignment that is not his own is seen by the reviewers of where he does work.
            coalesce(
                $11,
                (SELECT u.controller FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.employee_id = $6 ORDER BY a.revoked, a.assignment_id LIMIT 1),
                (SELECT 'organisations/' || e.organisation_id FROM employee e WHERE e.employee_id = $6)),
            $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
        RETURNING occurred_at, actor_controller
        """,
        [
            Parameter.Of(entry.EntryId),
            Parameter.Of((short)entry.Caller.Method.Act),
            Parameter.Of((short)entry.Outcome),
            Parameter.Of(entry.Reason),
            Parameter.Of(entry.Caller.Method.Name),
            Parameter.OrNull(entry.Caller.EmployeeId),
            Parameter.Of(entry.Caller.ClientSystem),
            Parameter.OrNull(entry.Caller.AssignmentId),
            Parameter.OrNull((short?)entry.CallerFacts?.Role),
            Parameter.OrNull(entry.CallerFacts?.UnitId),
            Parameter.OrNull(entry.CallerFacts?.Controller),
            Parameter.OrNull((short)entry.Caller.Purpose),
            Parameter.OrNull(entry.Concern.PlanId),
            Parameter.OrNull(entry.Concern.SubjectId),
            Parameter.OrNull(entry.Concern.OwnerController),
            Parameter.Of(entry.Concern.Categories),
            Parameter.Of(AccessPolicy.Version),
            Parameter.OrNull(entry.Caller.TraceId),
            Parameter.OrNull(entry.Concern.Resource),
            Parameter.OrNull(entry.Decision),
            Parameter.Of(entry.Secret),
            Parameter.Of(entry.CallId),
            Parameter.Of(entry.CallSize),
        ],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? new Entered(reader.GetDateTime(0), TextOrNull(reader, 1))
            : throw new InvalidOperationException("An entry of the access log was not written."));

    /// <summary>The recorded decisions of a period, oldest first. As many as there are: they are read one by one.</summary>
    public static async IAsyncEnumerable<(Guid EntryId, int PolicyVersion, byte[] Decision)> Decisions(
        NpgsqlConnection connection, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT l.entry_id, l.policy_version, l.decision
            FROM coordinationplan.access_log l
            WHERE l.decision IS NOT NULL AND l.occurred_at >= $1 AND l.occurred_at < $2
            ORDER BY l.occurred_at, l.entry_id
            """,
            connection)
        {
            CommandTimeout = 0,
            Parameters = { Parameter.Of(from), Parameter.Of(to) },
        };
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
        {
            yield return (reader.GetGuid(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(2));
        }
    }

    /// <summary>Conditions of a search. Each that is null does not count.</summary>
    public sealed record Search(
        string Controller,
        DateTimeOffset From,
        DateTimeOffset To,
        (DateTimeOffset Time, Guid EntryId) Before,
        Guid? PlanId,
        byte[]? Person,
        string? EmployeeId,
        string? UnitId,
        AccessOutcome Outcome,
        int Limit,
        DateOnly Today,
        string? ReviewerId,
        string ReviewersUnitId,
        Guid? EntryId = null);

    // Only what concerns the controller: what its own units did, and what anyone did with its plans. Towards a controller that does not own
    // the plan, a refusal says neither why nor about whom: the reviewer of another authority is not to learn that a plan exists. Towards a
    // reviewer whom a block keeps out of a person, or who is the person, nothing about that person; another reviewer sees it. Towards a
    // controller that does not run the sheltered housing, who acted from it is left out: that would tell where the person is. So it is with a school, where
    // the person is protected or placed; but a school's employee who looks for a child that has nothing to do with the school is to be seen. Whether it has, is
    // in what the decision was made of (RecordedDecision): bytes 13, the relation, and 34, the pupil.
    private const string SearchSql =
        """
        SELECT l.occurred_at, l.entry_id, l.act, l.outcome,
               CASE WHEN l.outcome = 2 AND l.plan_id IS NOT NULL AND l.owner_controller IS DISTINCT FROM $1 THEN 'NO_ACCESS' ELSE l.reason END,
               l.method, CASE WHEN NOT x.hides_actor THEN l.employee_id END, l.client_system, CASE WHEN NOT x.hides_actor THEN l.assignment_id END,
               CASE WHEN NOT x.hides_actor THEN l.role END, CASE WHEN NOT x.hides_actor THEN l.unit_id END, l.purpose, l.plan_id,
               CASE WHEN l.outcome = 2 AND l.owner_controller IS DISTINCT FROM $1 THEN NULL ELSE l.subject_id END,
               l.categories, l.policy_version, l.trace_id, l.resource
        FROM access_log l
        CROSS JOIN LATERAL (
            SELECT l.actor_controller IS DISTINCT FROM $1 AND EXISTS (
                SELECT FROM unit u
                WHERE u.unit_id = l.unit_id
                  AND (u.kind = 4 OR (u.kind = 3 AND (l.outcome <> 2 OR get_byte(l.decision, 13) = 1 OR (length(l.decision) > 34 AND get_byte(l.decision, 34) IN (2, 3))) AND NOT EXISTS (
                      SELECT FROM subject s
                      WHERE s.subject_id = l.subject_id AND s.protection = 1 AND NOT EXISTS (SELECT FROM whereabouts w WHERE w.subject_id = s.subject_id))))) AS hides_actor) x
        WHERE (l.actor_controller = $1 OR l.owner_controller = $1)
          AND l.occurred_at >= $2 AND l.occurred_at < $3
          AND (l.occurred_at, l.entry_id) < ($4, $5)
          AND ($6 = 0 OR l.outcome = $6)
          AND NOT EXISTS (
              SELECT FROM block b
              WHERE b.subject_id = l.subject_id AND b.lifted_at IS NULL AND (b.ends_on IS NULL OR b.ends_on >= $8)
                AND b.target IN ('employees/' || $9, 'units/' || $10, 'persons/' || encode((SELECT e.person_key FROM employee e WHERE e.employee_id = $9), 'hex')))
          AND NOT EXISTS (
              SELECT FROM subject own JOIN employee e ON e.person_key = own.identity_key WHERE own.subject_id = l.subject_id AND e.employee_id = $9)
        """;

    private const string SearchEnd = " ORDER BY l.occurred_at DESC, l.entry_id DESC LIMIT $7";

    /// <summary>One page of entries, newest first.</summary>
    public static Query<List<AccessLogEntry>> Find(Search search, DirectoryNames names)
    {
        var sql = new System.Text.StringBuilder(SearchSql);
        List<NpgsqlParameter> parameters =
        [
            Parameter.Of(search.Controller), Parameter.Of(search.From), Parameter.Of(search.To),
            Parameter.Of(search.Before.Time), Parameter.Of(search.Before.EntryId), Parameter.Of((int)search.Outcome), Parameter.Of(search.Limit),
            Parameter.Of(search.Today), Parameter.OrNull(search.ReviewerId), Parameter.Of(search.ReviewersUnitId),
        ];

        // Each combination of conditions is one of a few constant texts, so that each gets its own index and its own plan.
        void Narrow(string condition, params ReadOnlySpan<NpgsqlParameter> values)
        {
            sql.Append(" AND ").AppendFormat(System.Globalization.CultureInfo.InvariantCulture, condition, parameters.Count + 1, parameters.Count + 2);
            parameters.AddRange(values);
        }

        if (search.PlanId is { } plan)
        {
            Narrow("l.plan_id = ${0}", Parameter.Of(plan));
        }

        if (search.Person is { } person)
        {
            // A search by a person must not find the refusals whose person is hidden above; nor what was done before the person's identity was
            // assumed, which would join the new identity to the old.
            Narrow(
                "l.subject_id = (SELECT s.subject_id FROM subject s WHERE s.identity_key = ${0} AND s.protection IN (1, 2, 3)) AND (l.outcome <> 2 OR l.owner_controller = $1)",
                Parameter.Of(person));
        }

        if (search.EmployeeId is { } employee)
        {
            Narrow("l.employee_id = ${0} AND NOT x.hides_actor", Parameter.Of(employee));
        }

        if (search.UnitId is { } unit)
        {
            Narrow("l.unit_id = ${0} AND NOT x.hides_actor", Parameter.Of(unit));
        }

        if (search.EntryId is { } entry)
        {
            Narrow("l.entry_id = ${0}", Parameter.Of(entry));
        }

        return new(sql.Append(SearchEnd).ToString(), [.. parameters], (reader, stop) => ReadEntries(reader, names, stop));
    }

    private static async Task<List<AccessLogEntry>> ReadEntries(NpgsqlDataReader reader, DirectoryNames names, CancellationToken stop)
    {
        var entries = new List<AccessLogEntry>();
        while (await reader.ReadAsync(stop))
        {
            var entry = new AccessLogEntry
            {
                Time = Timestamp.FromDateTime(reader.GetDateTime(0)),
                Name = ResourceName.AccessLogEntry(reader.GetGuid(1)),
                Act = (V1.Act)reader.GetInt16(2),
                Outcome = (AccessOutcome)reader.GetInt16(3),
                Reason = reader.GetString(4),
                Method = reader.GetString(5),
                Employee = names.Name(ResourceName.Employees, TextOrNull(reader, 6)),
                ClientSystem = names.Id(ResourceName.Systems, reader.GetString(7)),
                Assignment = names.Name(ResourceName.Assignments, TextOrNull(reader, 8)),
                Role = reader.IsDBNull(9) ? V1.Role.Unspecified : (V1.Role)reader.GetInt16(9),
                Unit = names.Name(ResourceName.Units, TextOrNull(reader, 10)),
                Purpose = reader.IsDBNull(11) ? V1.Purpose.Unspecified : (V1.Purpose)reader.GetInt16(11),
                Plan = reader.IsDBNull(12) ? "" : ResourceName.Plan(reader.GetGuid(12)),
                Subject = reader.IsDBNull(13) ? "" : $"subjects/{reader.GetGuid(13):D}",
                PolicyVersion = reader.GetInt32(15),
                TraceId = reader.IsDBNull(16) ? "" : Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(16)),
                Resource = TextOrNull(reader, 17) is not { } resource ? "" : LogDisposalRecord.IsText(resource) ? resource : names.NameOf(resource),
            };
            entry.Categories.AddRange(CategorySets.ToList((Categories)reader.GetInt32(14)));
            entries.Add(entry);
        }

        return entries;
    }

    private static string? TextOrNull(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
