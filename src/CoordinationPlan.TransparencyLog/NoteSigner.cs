using System.Security.Cryptography;
using NSec.Cryptography;

namespace CoordinationPlan.TransparencyLog;

/// <summary>A private key that signs notes. It holds the key outside the managed heap until it is disposed of.</summary>
public sealed class NoteSigner : IDisposable
{
    private const string Prefix = "PRIVATE+KEY+";

    private readonly Key key;

    /// <param name="name">Whose key it is: for a log its origin, for a witness its name; an address without scheme.</param>
    /// <param name="seed">The 32 secret bytes.</param>
    /// <param name="algorithm">What it signs.</param>
    public NoteSigner(string name, ReadOnlySpan<byte> seed, NoteAlgorithm algorithm = NoteAlgorithm.Ed25519)
    {
        if (!NoteKeys.IsName(name))
        {
            throw new FormatException("A key's name is not empty and has neither white space nor a plus sign.");
        }

        key = Key.TryImport(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, out var imported)
            ? imported!
            : throw new FormatException($"A private key has {NoteKeys.KeyLength} bytes.");
        Verifier = new NoteVerifier(name, algorithm, key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>The public half, which others verify with.</summary>
    public NoteVerifier Verifier { get; }

    public string Name => Verifier.Name;

    public uint KeyId => Verifier.KeyId;

    /// <summary>Reads the text that <see cref="Generate"/> writes.</summary>
    /// <exception cref="FormatException">It is no private key, or the id is another key's. The message holds nothing of it.</exception>
    public static NoteSigner Parse(string privateKey)
    {
        ArgumentNullException.ThrowIfNull(privateKey);
        if (!privateKey.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw new FormatException($"A private key begins with {Prefix}");
        }

        var (name, id, algorithm, seed) = NoteKeys.Parse(privateKey[Prefix.Length..]);
        var signer = new NoteSigner(name, seed, algorithm);
        CryptographicOperations.ZeroMemory(seed);
        if (signer.KeyId == id)
        {
            return signer;
        }

        signer.Dispose();
        throw new FormatException("The key's id does not belong to its name and bytes.");
    }

    /// <summary>
    /// A new private key as text, <c>PRIVATE+KEY+name+id+base64(algorithm, seed)</c>: what Go's note package writes, so that its tools can use it.
    /// </summary>
    public static string Generate(string name, NoteAlgorithm algorithm = NoteAlgorithm.Ed25519)
    {
        var seed = RandomNumberGenerator.GetBytes(NoteKeys.KeyLength);
        using var signer = new NoteSigner(name, seed, algorithm);
        var text = $"{Prefix}{name}+{NoteKeys.Hex(signer.KeyId)}+{Convert.ToBase64String([(byte)algorithm, .. seed])}";
        CryptographicOperations.ZeroMemory(seed);
        return text;
    }

    /// <summary>Signs the text of a note. A witness's key does not: it signs with a time (<see cref="Cosignature"/>).</summary>
    public NoteSignature Sign(string text) =>
        Verifier.Algorithm == NoteAlgorithm.Ed25519
            ? new NoteSignature(Name, KeyId, Sign(StrictText.Utf8(text)))
            : throw new InvalidOperationException("A witness's key signs with a time.");

    public void Dispose() => key.Dispose();

    internal byte[] Sign(ReadOnlySpan<byte> message) => SignatureAlgorithm.Ed25519.Sign(key, message);
}
