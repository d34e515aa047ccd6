using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Crypto;

/// <summary>Enters a person whom the service does not know yet, under a pseudonymous id and with a key.</summary>
internal static class NewSubjects
{
    /// <summary>Returns the person's id, and gives the entry the person's key.</summary>
    /// <param name="level">How a new person is protected; a known one's level stays.</param>
    public static async Task<Guid> FindOrAdd(
        Entry entry, KnownSubject? known, IdentityNumber number, byte[] identityKey, Policy.ProtectionLevel level, RoundTrip trip, CancellationToken stop)
    {
        if (known is { Key: { } wrapped })
        {
            entry.UseKey(await entry.SubjectKeys.Unwrap(Compartment.Content, wrapped, stop));
            return known.SubjectId;
        }

        var subjectId = Ids.Opaque();
        var (key, made) = await entry.SubjectKeys.Create(Compartment.Content, stop);
        entry.UseKey(key);
        trip.Add(SubjectSql.Insert(subjectId, identityKey, key.Seal(SubjectSql.IdentityPlace(subjectId), number.ToByteArray()), level));
        trip.Add(SubjectSql.InsertKey(subjectId, Compartment.Content, made));
        return subjectId;
    }
}
