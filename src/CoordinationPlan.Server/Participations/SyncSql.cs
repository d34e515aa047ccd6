using System.Buffers.Binary;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Participations;

internal static class SyncSql
{
    private const string Columns =
        """
        plan_id, synced_id, organisation_id, unit_id, external_key, external_version, external_digest, external_time, client_system, received_at, role, starts_on, ends_on,
        ended, body, ended_version, ended_digest, answer, answer_number, answered_version, answered_digest, answered_at, accepted_from, accepted_to, state, asked, asked_at,
        participation_id, version, accepted_version, accepted_digest
        """;

    /// <summary>What systems have said of several plans, by plan, the newest first; one organisation's, or everybody's.</summary>
    public static Query<ILookup<Guid, SyncedRecord>> Of(Guid[] plans, string? organisation) => new(
        $"SELECT {Columns} FROM synced_participation WHERE plan_id = ANY ($1) AND ($2 IS NULL OR organisation_id = $2) ORDER BY created_at DESC, synced_id",
        [Parameter.Of(plans), Parameter.OrNull(organisation)],
        static async (reader, stop) =>
        {
            var found = new List<(Guid Plan, SyncedRecord Record)>();
            while (await reader.ReadAsync(stop))
            {
                found.Add((reader.GetGuid(0), Read(reader)));
            }

            return found.ToLookup(one => one.Plan, one => one.Record);
        });

    /// <summary>Some of what systems have said of several plans, by its id.</summary>
    public static Query<Dictionary<Guid, SyncedRecord>> These(Guid[] plans, Guid[] synced) => new(
        $"SELECT {Columns} FROM synced_participation WHERE plan_id = ANY ($1) AND synced_id = ANY ($2)",
        [Parameter.Of(plans), Parameter.Of(synced)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, SyncedRecord>();
            while (await reader.ReadAsync(stop))
            {
                var record = Read(reader);
                found.Add(record.SyncedId, record);
            }

            return found;
        });

    /// <summary>Which of some units are of health care and of one organisation.</summary>
    public static Query<HashSet<string>> CareUnits(string[] units, string organisation) => new(
        $"SELECT unit_id FROM unit WHERE unit_id = ANY ($1) AND organisation_id = $2 AND kind = {(int)UnitKind.HealthCare}",
        [Parameter.Of(units), Parameter.Of(organisation)],
        static async (reader, stop) =>
        {
            var found = new HashSet<string>(StringComparer.Ordinal);
            while (await reader.ReadAsync(stop))
            {
                found.Add(reader.GetString(0));
            }

            return found;
        });

    public static Command Insert(Guid plan, SyncedRecord record, string changedBy) => new(
        """
        INSERT INTO synced_participation (
            plan_id, synced_id, version, changed_by, external_version, external_digest, external_time, client_system, received_at, role, starts_on, ends_on, ended, body,
            ended_version, ended_digest, answer, answer_number, answered_version, answered_digest, answered_at, accepted_from, accepted_to, state, asked, asked_at,
            participation_id, accepted_version, accepted_digest, organisation_id, unit_id, external_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
        """,
        [.. Values(plan, record, changedBy), Parameter.Of(record.OrganisationId), Parameter.Of(record.UnitId), Parameter.Of(record.ExternalKey)]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(Guid plan, SyncedRecord record, string changedBy) => new(
        """
        UPDATE synced_participation SET
            version = $3, changed_by = $4, external_version = $5, external_digest = $6, external_time = $7, client_system = $8, received_at = $9, role = $10, starts_on = $11,
            ends_on = $12, ended = $13, body = $14, ended_version = $15, ended_digest = $16, answer = $17, answer_number = $18, answered_version = $19, answered_digest = $20,
            answered_at = $21, accepted_from = $22, accepted_to = $23, state = $24, asked = $25, asked_at = $26, participation_id = $27, accepted_version = $28, accepted_digest = $29, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND synced_id = $2 AND version = $3 - 1
        """,
        Values(plan, record, changedBy),
        ExpectedRows: 1);

    /// <summary>
    /// A person here has ended what a system says: of one unit, or of all where the plan is closed. That is an answer to the newest that was said, and nothing that was accepted before is
    /// accepted any more. What waits without a participation goes on waiting.
    /// </summary>
    public static Command DeclineEnded(Guid plan, string? unit, DateTimeOffset now, string changedBy) => new(
        $"""
        UPDATE synced_participation SET
            answer = {(int)SyncAnswer.Decline}, answer_number = answer_number + 1, answered_version = external_version, answered_digest = external_digest, answered_at = $3,
            accepted_from = NULL, accepted_to = NULL, accepted_version = NULL, accepted_digest = NULL, state = CASE WHEN ended THEN {(int)SyncedParticipationState.Ended} ELSE {(int)SyncedParticipationState.Declined} END, version = version + 1, changed_by = $4, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND ($2 IS NULL OR unit_id = $2) AND (state IN ({(int)SyncedParticipationState.InStep}, {(int)SyncedParticipationState.Conflict})
            OR (state = {(int)SyncedParticipationState.Waiting} AND participation_id IS NOT NULL) OR accepted_from IS NOT NULL)
        """,
        [Parameter.Of(plan), Parameter.OrNull(unit), Parameter.Of(now), Parameter.Of(changedBy)]);

    private static NpgsqlParameter[] Values(Guid plan, SyncedRecord record, string changedBy)
    {
        var (claim, decision) = (record.Claim, record.Register.Decision);
        return
        [
            Parameter.Of(plan), Parameter.Of(record.SyncedId), Parameter.Of(record.Version), Parameter.Of(changedBy),
            Parameter.Of(claim.Key.Version), Parameter.Of(Bytes(claim.Key.Digest)), Parameter.Of(record.ExternalTime), Parameter.Of(record.ClientSystem),
            Parameter.Of(record.ReceivedAt), Parameter.Of((short)record.Role), Parameter.Of(claim.Days.From), Parameter.OrNull(claim.Days.To), Parameter.Of(claim.Ended),
            Parameter.Of(record.Sealed), Parameter.OrNull(record.Register.EndedBy?.Version), Parameter.OrNull(record.Register.EndedBy is { } ended ? Bytes(ended.Digest) : null),
            Parameter.Of((short)(decision?.Answer ?? SyncAnswer.Unspecified)), Parameter.Of(decision?.Number ?? 0), Parameter.OrNull(decision?.Of.Version),
            Parameter.OrNull(decision is null ? null : Bytes(decision.Of.Digest)), Parameter.OrNull(record.AnsweredAt), Parameter.OrNull(decision?.Accepted?.Days.From),
            Parameter.OrNull(decision?.Accepted?.Days.To), Parameter.Of((short)record.State),
            Parameter.OrNull(record.Asked == SyncedParticipationState.Unspecified ? null : (short)record.Asked), Parameter.OrNull(record.AskedAt), Parameter.OrNull(record.ParticipationId),
            Parameter.OrNull(decision?.Accepted?.Of.Version), Parameter.OrNull(decision?.Accepted is { } accepted ? Bytes(accepted.Of.Digest) : null),
        ];
    }

    private static SyncedRecord Read(NpgsqlDataReader reader)
    {
        var claim = new SyncClaim(
            new(reader.GetInt64(5), Digest(reader, 6)), new(reader.GetFieldValue<DateOnly>(11), Day(reader, 12)), reader.GetBoolean(13));
        SyncDecision? decision = null;
        if (!reader.IsDBNull(19))
        {
            var of = new SyncKey(reader.GetInt64(19), Digest(reader, 20));
            decision = new(
                reader.GetInt32(18),
                (SyncAnswer)reader.GetInt16(17),
                of,
                Day(reader, 22) is { } from ? new(new(from, Day(reader, 23)), reader.IsDBNull(29) ? of : new(reader.GetInt64(29), Digest(reader, 30))) : null);
        }

        return new(
            reader.GetGuid(1),
            reader.GetString(2),
            reader.GetString(3),
            reader.GetFieldValue<byte[]>(4),
            new(claim, reader.IsDBNull(15) ? null : new SyncKey(reader.GetInt64(15), Digest(reader, 16)), decision),
            reader.GetFieldValue<DateTimeOffset>(7),
            reader.GetString(8),
            reader.GetFieldValue<DateTimeOffset>(9),
            (ParticipantRole)reader.GetInt16(10),
            reader.GetFieldValue<byte[]>(14),
            Instant(reader, 21),
            (SyncedParticipationState)reader.GetInt16(24),
            reader.IsDBNull(25) ? SyncedParticipationState.Unspecified : (SyncedParticipationState)reader.GetInt16(25),
            Instant(reader, 26),
            reader.IsDBNull(27) ? null : reader.GetGuid(27),
            reader.GetInt32(28));
    }

    private static DateOnly? Day(NpgsqlDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetFieldValue<DateOnly>(at);

    private static DateTimeOffset? Instant(NpgsqlDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetFieldValue<DateTimeOffset>(at);

    private static UInt128 Digest(NpgsqlDataReader reader, int at) => BinaryPrimitives.ReadUInt128BigEndian(reader.GetFieldValue<byte[]>(at));

    private static byte[] Bytes(UInt128 digest)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, digest);
        return bytes;
    }
}
