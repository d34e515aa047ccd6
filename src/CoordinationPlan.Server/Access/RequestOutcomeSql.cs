using System.Security.Cryptography;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Access;

/// <summary>The first answer to a change, kept with it in one transaction, so that a retry is answered again and done once.</summary>
internal sealed record RequestOutcome(string Method, byte[] RequestHash, byte[] Response)
{
    public bool IsOf(string method, byte[] requestHash) => Method == method && RequestHash.AsSpan().SequenceEqual(requestHash);

    public static byte[] HashOf(IChangeRequest request) => SHA256.HashData(request.ToByteArray());
}

internal static class RequestOutcomeSql
{
    // Two tables, because the role that writes the directory may see no case. The texts are constants all the same.
    private const string FindSql = "SELECT method, request_hash, response FROM request_outcome WHERE caller = $1 AND request_id = $2";
    private const string FindDirectorySql = "SELECT method, request_hash, response FROM directory_request_outcome WHERE caller = $1 AND request_id = $2";
    private const string KeepSql = "INSERT INTO request_outcome (caller, request_id, method, request_hash, response) VALUES ($1, $2, $3, $4, $5)";
    private const string KeepDirectorySql = "INSERT INTO directory_request_outcome (caller, request_id, method, request_hash, response) VALUES ($1, $2, $3, $4, $5)";

    public static Query<RequestOutcome?> Find(DatabaseRole role, string caller, Guid requestId) => new(
        role == DatabaseRole.Directory ? FindDirectorySql : FindSql,
        [Parameter.Of(caller), Parameter.Of(requestId)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? new RequestOutcome(reader.GetString(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2))
            : null);

    public static Command Keep(DatabaseRole role, string caller, Guid requestId, RequestOutcome outcome) => new(
        role == DatabaseRole.Directory ? KeepDirectorySql : KeepSql,
        [Parameter.Of(caller), Parameter.Of(requestId), Parameter.Of(outcome.Method), Parameter.Of(outcome.RequestHash), Parameter.Of(outcome.Response)],
        ExpectedRows: 1);
}
