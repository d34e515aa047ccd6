using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using Npgsql;

namespace CoordinationPlan.Server.Crypto;

/// <summary>A person whom the service knows.</summary>
/// <param name="Key">The key of what is in the person's plans; null where it has been destroyed.</param>
internal sealed record KnownSubject(Guid SubjectId, ProtectionLevel Protection, WrappedKey? Key);

/// <summary>A person's number, sealed with the person's key.</summary>
internal sealed record SealedIdentity(Guid SubjectId, byte[] Sealed);

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

    /// <summary>The person's sealed number.</summary>
    public static Query<Loaded<SealedIdentity>> Identity(Guid plan) => new(
        "SELECT s.subject_id, s.identity FROM plan p JOIN subject s ON s.subject_id = p.subject_id WHERE p.plan_id = $1",
        [Parameter.Of(plan)],
        static async (reader, stop) => new Loaded<SealedIdentity>(
            await reader.ReadAsync(stop) && !reader.IsDBNull(1) ? new SealedIdentity(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null));

    public static Command SetLevel(Guid subject, ProtectionLevel level) => new(
        "UPDATE subject SET protection = $2 WHERE subject_id = $1", [Parameter.Of(subject), Parameter.Of((short)level)], ExpectedRows: 1);

    /// <summary>From here on the person is found by the new number only; the old one's hash is kept nowhere.</summary>
    public static Command ReplaceIdentity(Guid subject, byte[] identityKey, byte[] identity) => new(
        "UPDATE subject SET identity_key = $2, identity = $3 WHERE subject_id = $1",
        [Parameter.Of(subject), Parameter.Of(identityKey), Parameter.Of(identity)],
        ExpectedRows: 1);

    /// <summary>Whether a number is another person's.</summary>
    public static Query<bool> IsTaken(byte[] identityKey, Guid plan) => new(
        $"SELECT EXISTS (SELECT FROM subject s WHERE s.identity_key = $2 AND s.subject_id <> (SELECT o.subject_id FROM plan o WHERE o.plan_id = $1))",
        [Parameter.Of(plan), Parameter.Of(identityKey)],
        static async (reader, stop) => await reader.ReadAsync(stop) && reader.GetBoolean(0));

    /// <summary>Destroys the person's keys and the hash that the person is found by. What the keys sealed is noise from then on.</summary>
    public static IEnumerable<Command> Dispose(Guid subjectId) =>
    [
        new("DELETE FROM subject_key WHERE subject_id = $1", [Parameter.Of(subjectId)]),
        new("UPDATE subject SET identity_key = NULL, identity = NULL WHERE subject_id = $1", [Parameter.Of(subjectId)], ExpectedRows: 1),
    ];

    /// <summary>A wrapped key in two columns, null where it has been destroyed.</summary>
    public static WrappedKey? ReadKey(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : new WrappedKey(reader.GetString(column), reader.GetFieldValue<byte[]>(column + 1));

    /// <summary>The place that a person's sealed number belongs in.</summary>
    public static string IdentityPlace(Guid subjectId) => $"subject/{subjectId:D}/identity";
}
