using NSec.Cryptography;

namespace CoordinationPlan.TransparencyLog;

/// <summary>A public key under which notes are verified: of a log, of a witness, or of a server's receipts.</summary>
public sealed class NoteVerifier
{
    private readonly PublicKey key;
    private readonly byte[] bytes;

    internal NoteVerifier(string name, NoteAlgorithm algorithm, byte[] publicKey)
    {
        Name = name;
        Algorithm = algorithm;
        bytes = publicKey;
        KeyId = NoteKeys.Id(name, algorithm, publicKey);
        key = PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var imported)
            ? imported!
            : throw new FormatException("Not an Ed25519 public key.");
    }

    /// <summary>Whose key it is.</summary>
    public string Name { get; }

    /// <summary>Tells keys of one name apart.</summary>
    public uint KeyId { get; }

    /// <summary>What it signs.</summary>
    public NoteAlgorithm Algorithm { get; }

    /// <summary>The 32 bytes of the key.</summary>
    public ReadOnlyMemory<byte> PublicKeyBytes => bytes;

    /// <summary>Reads <c>name+id+base64(algorithm, key)</c> (C2SP signed-note, vkey).</summary>
    /// <exception cref="FormatException">It is no such key, or the id is another key's.</exception>
    public static NoteVerifier Parse(string vkey)
    {
        ArgumentNullException.ThrowIfNull(vkey);
        var (name, id, algorithm, key) = NoteKeys.Parse(vkey);
        var verifier = new NoteVerifier(name, algorithm, key);
        return verifier.KeyId == id ? verifier : throw new FormatException("The key's id does not belong to its name and bytes.");
    }

    /// <summary>Whether a signature line is by this key: then it must verify.</summary>
    public bool Claims(NoteSignature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return signature.KeyId == KeyId && signature.Name == Name;
    }

    /// <summary>Whether the signature is this key's over the text.</summary>
    public bool Verify(string text, NoteSignature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Claims(signature) && Algorithm switch
        {
            NoteAlgorithm.Ed25519 => Verify(StrictText.Utf8(text), signature.Bytes.Span),
            NoteAlgorithm.Cosignature => Cosignature.Verify(this, text, signature.Bytes.Span),
            _ => false,
        };
    }

    /// <summary>The vkey.</summary>
    public override string ToString() => $"{Name}+{NoteKeys.Hex(KeyId)}+{Convert.ToBase64String([(byte)Algorithm, .. bytes])}";

    internal bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == NoteKeys.SignatureLength && SignatureAlgorithm.Ed25519.Verify(key, message, signature);
}
