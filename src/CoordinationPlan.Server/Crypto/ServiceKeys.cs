using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// The service's own keys, the same for every replica: they lie in the database, wrapped by the ring, and are made by whoever comes first.
/// </summary>
public sealed class ServiceKeys
{
    private const string Directory = "directory";
    private const string IdentityIndex = "identity-index";
    private const string NameIndex = "name-index";
    private const string Tokens = "page-tokens";
    private const string Answers = "answers";

    private readonly byte[] _identityIndex;
    private readonly byte[] _nameIndex;

    private ServiceKeys(Dictionary<string, byte[]> keys)
    {
        Names = new DirectoryNames(keys[Directory]);
        PageTokens = keys[Tokens];
        OutcomeKey = new DataKey(keys[Answers]);
        (_identityIndex, _nameIndex) = (keys[IdentityIndex], keys[NameIndex]);
    }

    /// <summary>What the database calls the directory's entries.</summary>
    internal DirectoryNames Names { get; }

    internal byte[] PageTokens { get; }

    /// <summary>Seals the kept answers that are about no one person.</summary>
    internal DataKey OutcomeKey { get; }

    /// <summary>The keyed hash by which a person is found.</summary>
    internal byte[] IndexOf(IdentityNumber number) => HMACSHA256.HashData(_identityIndex, Encoding.UTF8.GetBytes($"{(int)number.Kind}/{number.Value}"));

    /// <summary>The keyed hash by which a name is found: upper and lower case, accents as written, spaces and hyphens do not count.</summary>
    internal byte[] IndexOf(string givenName, string familyName) =>
        HMACSHA256.HashData(_nameIndex, Encoding.UTF8.GetBytes(Normal(givenName) + "/" + Normal(familyName)));

    /// <summary>The keyed hash by which a case number is found; a name's is another, whatever it says.</summary>
    internal byte[] IndexOfCaseNumber(string caseNumber) =>
        HMACSHA256.HashData(_nameIndex, Encoding.UTF8.GetBytes("case number/" + string.Concat(caseNumber.Normalize(NormalizationForm.FormC).ToUpperInvariant().Where(c => !char.IsWhiteSpace(c)))));

    /// <summary>The keyed hash by which what a system reports is found: its own id of it may tell who the person is.</summary>
    internal byte[] IndexOfExternal(string organisation, string externalId) =>
        HMACSHA256.HashData(_nameIndex, Encoding.UTF8.GetBytes($"external id/{organisation}/{externalId}"));

    /// <summary>A keyed digest of something that is said, for an order of what is different; it cannot be guessed backwards.</summary>
    internal UInt128 DigestOf(ReadOnlySpan<byte> said) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(HMACSHA256.HashData(_nameIndex, (byte[])[.. "what is said/"u8, .. said]));

    /// <summary>Loads the keys, after making those that are missing.</summary>
    public static async Task<ServiceKeys> LoadAsync(NpgsqlConnection connection, IKeyRing ring, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(ring);
        var keys = new Dictionary<string, byte[]>();
        foreach (var name in new[] { Directory, IdentityIndex, NameIndex, Tokens, Answers })
        {
            var made = await ring.Wrap(KeyUse.Service, DataKey.NewKey(), stop);
            await using var command = new NpgsqlCommand(
                """
                INSERT INTO coordinationplan.service_key (name, ring_key, wrapped) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING;
                """,
                connection)
            {
                Parameters = { Parameter.Of(name), Parameter.Of(made.RingKey), Parameter.Of(made.Wrapped) },
            };
            await command.ExecuteNonQueryAsync(stop);
            await using var read = new NpgsqlCommand("SELECT ring_key, wrapped FROM coordinationplan.service_key WHERE name = $1", connection) { Parameters = { Parameter.Of(name) } };
            await using var reader = await read.ExecuteReaderAsync(stop);
            await reader.ReadAsync(stop);
            keys[name] = await ring.Unwrap(KeyUse.Service, new WrappedKey(reader.GetString(0), reader.GetFieldValue<byte[]>(1)), stop);
        }

        return new ServiceKeys(keys);
    }

    private static string Normal(string name) =>
        string.Concat(name.Normalize(NormalizationForm.FormC).ToUpperInvariant().Where(char.IsLetterOrDigit));
}
