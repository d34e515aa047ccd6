using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>An Ed25519 key from a file outside the database, under each of the names that it signs for: in C2SP a key's name is part of it.</summary>
internal sealed class LogKey : IDisposable
{
    private readonly byte[] _seed;
    private readonly ConcurrentDictionary<string, Lazy<NoteSigner>> _signers = new(StringComparer.Ordinal);

    private LogKey(byte[] seed) => _seed = seed;

    /// <summary>Reads 32 random bytes in base64, as `openssl rand -base64 32` writes them.</summary>
    public static LogKey Read(string path)
    {
        try
        {
            var seed = Convert.FromBase64String(File.ReadAllText(path).Trim());
            return seed.Length == Commitment.SecretLength ? new LogKey(seed) : throw new FormatException();
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            // Nothing of what stands there is told.
            throw new LogKeyException($"{path} does not hold a key: 32 random bytes in base64.", failure);
        }
    }

    /// <summary>The public half of a key under a name, of its 32 bytes.</summary>
    public static NoteVerifier Verifier(string name, ReadOnlySpan<byte> publicKey)
    {
        byte[] key = [(byte)NoteAlgorithm.Ed25519, .. publicKey];
        var id = SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', .. key]).AsSpan(0, sizeof(uint));
        return NoteVerifier.Parse($"{name}+{Convert.ToHexStringLower(id)}+{Convert.ToBase64String(key)}");
    }

    /// <summary>The key under a name.</summary>
    public NoteSigner As(string name) => _signers.GetOrAdd(name, of => new Lazy<NoteSigner>(() => new NoteSigner(of, _seed))).Value;

    public void Dispose()
    {
        foreach (var signer in _signers.Values)
        {
            signer.Value.Dispose();
        }

        CryptographicOperations.ZeroMemory(_seed);
    }
}

/// <summary>A key of the log cannot be read.</summary>
public sealed class LogKeyException(string message, Exception cause) : Exception(message, cause);
