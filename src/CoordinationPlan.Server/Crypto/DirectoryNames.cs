using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// What the database calls the directory's entries: their ids and names encrypted, each always alike, so that they can be joined and looked up
/// but not read. Which unit takes part in a plan can be where a person hides (docs/adr/0010). AES-256 key wrap with padding (RFC 5649) is the
/// standard's deterministic authenticated encryption.
/// </summary>
internal sealed class DirectoryNames(byte[] key)
{
    /// <summary>Entries are few beside calls; the cost of encrypting is paid once for each.</summary>
    private const int MostRemembered = 50_000;

    private readonly ConcurrentDictionary<string, string> _stored = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _clear = new(StringComparer.Ordinal);

    /// <summary>What the database calls an entry.</summary>
    public string Stored(string collection, string id) => Seal($"{collection}/{id}");

    /// <summary>The entry's id, of what the database calls it.</summary>
    public string Id(string collection, string stored) => Open(stored)[(collection.Length + 1)..];

    /// <summary>The entry's resource name, or empty where there is none.</summary>
    public string Name(string collection, string? stored) => string.IsNullOrEmpty(stored) ? "" : ResourceName.Entry(collection, Id(collection, stored));

    /// <summary>A name with its collection before it, such as a controller's or an actor's.</summary>
    public string StoredName(string name) => name.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 ? $"{name[..slash]}/{Seal(name)}" : Seal(name);

    /// <summary>The resource name of what <see cref="StoredName"/> made.</summary>
    public string NameOf(string storedName) => storedName.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 ? Open(storedName[(slash + 1)..]) : Open(storedName);

    /// <summary>Reads a reference of a request; a malformed one is refused naming the field.</summary>
    public string Parse(string name, string collection, string field) => Stored(collection, ResourceName.ParseEntry(name, collection, field));

    /// <summary>Reads an optional reference: empty is none.</summary>
    public string? ParseOptional(string name, string collection, string field) => name.Length == 0 ? null : Parse(name, collection, field);

    /// <summary>Encrypts a text of the directory. The same text is always encrypted alike.</summary>
    public string Seal(string text)
    {
        if (_stored.TryGetValue(text, out var known))
        {
            return known;
        }

        using var aes = Cipher();
        return Remember(_stored, text, Base64Url.EncodeToString(aes.EncryptKeyWrapPadded(Encoding.UTF8.GetBytes(text))));
    }

    /// <summary>Decrypts what <see cref="Seal"/> made.</summary>
    public string Open(string stored)
    {
        if (_clear.TryGetValue(stored, out var known))
        {
            return known;
        }

        using var aes = Cipher();
        return Remember(_clear, stored, Encoding.UTF8.GetString(aes.DecryptKeyWrapPadded(Base64Url.DecodeFromChars(stored))));
    }

    private static string Remember(ConcurrentDictionary<string, string> memory, string from, string to)
    {
        if (memory.Count >= MostRemembered)
        {
            memory.Clear();
        }

        memory[from] = to;
        return to;
    }

    private Aes Cipher()
    {
        var aes = Aes.Create();
        aes.Key = key;
        return aes;
    }
}
