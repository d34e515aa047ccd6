using CoordinationPlan.Policy;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Access;

/// <summary>The first answer to a change, kept with it in one transaction, so that a retry is answered again and done once.</summary>
/// <param name="Sealed">The answer, sealed with the key of the person that it is about, or the service's own where it is about none.</param>
/// <param name="Places">Of which places it may speak (<see cref="Sight.Whole"/>).</param>
/// <param name="Key">That person's key.</param>
internal sealed record RequestOutcome(string Method, byte[] RequestHash, byte[] Sealed, Concern Concern, Categories Places, WrappedKey? Key = null)
{
    public bool IsOf(string method, byte[] requestHash) => Method == method && RequestHash.AsSpan().SequenceEqual(requestHash);
}

internal static class RequestOutcomeSql
{
    // Two tables, because the roles that write the directory and the disposals of logs may see no case. The texts are constants all the same.
    private const string FindSql =
        """
        SELECT o.method, o.request_hash, o.response, o.plan_id, o.subject_id, o.owner_controller, k.ring_key, k.wrapped, o.places
        FROM request_outcome o LEFT JOIN subject_key k ON k.subject_id = o.subject_id AND k.compartment = 1
        WHERE o.caller = $1 AND o.request_id = $2
        """;
    private const string FindDirectorySql = "SELECT method, request_hash, response, plan_id, subject_id, owner_controller, NULL::text, NULL::bytea, 0 FROM directory_request_outcome WHERE caller = $1 AND request_id = $2";
    private const string KeepSql = "INSERT INTO request_outcome (caller, request_id, method, request_hash, response, plan_id, subject_id, owner_controller, places) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    private const string KeepDirectorySql = "INSERT INTO directory_request_outcome (caller, request_id, method, request_hash, response, plan_id, subject_id, owner_controller) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    public static Query<RequestOutcome?> Find(DatabaseRole role, string caller, Guid requestId) => new(
        role == DatabaseRole.Case ? FindSql : FindDirectorySql,
        [Parameter.Of(caller), Parameter.Of(requestId)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? new RequestOutcome(
                reader.GetString(0),
                reader.GetFieldValue<byte[]>(1),
                reader.GetFieldValue<byte[]>(2),
                reader.IsDBNull(4) ? default : new Concern(reader.IsDBNull(3) ? null : reader.GetGuid(3), reader.GetGuid(4), reader.GetString(5), (Categories)~0),
                reader.IsDBNull(8) ? Sight.OfUnits : (Categories)reader.GetInt32(8),
                reader.IsDBNull(6) ? null : new WrappedKey(reader.GetString(6), reader.GetFieldValue<byte[]>(7)))
            : null);

    public static Command Keep(DatabaseRole role, string caller, Guid requestId, RequestOutcome outcome) => new(
        role == DatabaseRole.Case ? KeepSql : KeepDirectorySql,
        [
            Parameter.Of(caller), Parameter.Of(requestId), Parameter.Of(outcome.Method), Parameter.Of(outcome.RequestHash), Parameter.Of(outcome.Sealed),
            Parameter.OrNull(outcome.Concern.PlanId), Parameter.OrNull(outcome.Concern.SubjectId), Parameter.OrNull(outcome.Concern.OwnerController),
            .. role == DatabaseRole.Case ? [Parameter.Of(outcome.Places)] : Array.Empty<NpgsqlParameter>(),
        ]);
}
