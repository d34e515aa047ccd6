using CoordinationPlan.Policy;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Crypto;

/// <summary>A person whom the service knows.</summary>
/// <param name="Key">The key of what is in the person's plans; null where it has been destroyed.</param>
internal sealed record KnownSubject(Guid SubjectId, ProtectionLevel Protection, WrappedKey? Key);

/// <summary>Persons, under pseudonymous ids, with their keys.</summary>
internal static class SubjectSql
{
    /// <summary>The person with this number, found by its keyed hash.</summary>
    public static Query<KnownSubject?> Find(byte[] identityKey) => new(
        """
        SELECT s.subject_id, s.protection, k.ring_key, k.wrapped
        FROM subject s LEFT JOIN subject_key k ON k.subject_id = s.subject_id AND k.compartment = 1
        WHERE s.identity_key = $1
        """,
        [Parameter.Of(identityKey)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? new KnownSubject(reader.GetGuid(0), (ProtectionLevel)reader.GetInt16(1), ReadKey(reader, 2))
            : null);

    /// <param name="identity">The number itself, sealed with the person's key.</param>
    public static Command Insert(Guid subjectId, byte[] identityKey, byte[] identity, ProtectionLevel protection) => new(
        "INSERT INTO subject (subject_id, identity_key, identity, protection) VALUES ($1, $2, $3, $4)",
        [Parameter.Of(subjectId), Parameter.Of(identityKey), Parameter.Of(identity), Parameter.Of((short)protection)]);

    public static Command InsertKey(Guid subjectId, Compartment compartment, WrappedKey key) => new(
        "INSERT INTO subject_key (subject_id, compartment, ring_key, wrapped) VALUES ($1, $2, $3, $4)",
        [Parameter.Of(subjectId), Parameter.Of((short)compartment), Parameter.Of(key.RingKey), Parameter.Of(key.Wrapped)]);

    /// <summary>Destroys the person's keys and everything that the person is found by. What the keys sealed is noise from then on.</summary>
    public static IEnumerable<Command> Dispose(Guid subjectId) =>
    [
        new("DELETE FROM subject_key WHERE subject_id = $1", [Parameter.Of(subjectId)]),
        new("UPDATE subject SET identity_key = NULL, identity = NULL WHERE subject_id = $1", [Parameter.Of(subjectId)], ExpectedRows: 1),
        new("DELETE FROM plan_name_key n USING plan p WHERE p.plan_id = n.plan_id AND p.subject_id = $1", [Parameter.Of(subjectId)]),
    ];

    /// <summary>A wrapped key in two columns, null where it has been destroyed.</summary>
    public static WrappedKey? ReadKey(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : new WrappedKey(reader.GetString(column), reader.GetFieldValue<byte[]>(column + 1));

    /// <summary>The place that a person's sealed number belongs in.</summary>
    public static string IdentityPlace(Guid subjectId) => $"subject/{subjectId:D}/identity";
}
