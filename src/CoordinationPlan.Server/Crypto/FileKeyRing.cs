using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CoordinationPlan.Server.Crypto;

/// <summary>
/// A ring from a file, for one machine. Keys are wrapped with AES-256 key wrap with padding (RFC 5649). The file is read again where it has
/// changed, so that keys are rotated and retired while the service runs.
/// </summary>
public sealed class FileKeyRing : IKeyRing
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly X509Certificate2 _certificate;
    private readonly TimeProvider _time;
    private readonly Lock _reading = new();
    private volatile Contents _contents;

    public FileKeyRing(string path, X509Certificate2 certificate, TimeProvider time)
    {
        (_path, _certificate, _time) = (path, certificate, time);
        _contents = Load();
    }

    /// <inheritdoc />
    public string CurrentKey(KeyUse use) => Current().CurrentOf(use).Id;

    /// <inheritdoc />
    public ValueTask<WrappedKey> Wrap(KeyUse use, ReadOnlyMemory<byte> key, CancellationToken stop)
    {
        var current = Current().CurrentOf(use);
        using var aes = Aes.Create();
        aes.Key = current.Key;
        return ValueTask.FromResult(new WrappedKey(current.Id, aes.EncryptKeyWrapPadded(key.Span)));
    }

    /// <inheritdoc />
    public ValueTask<byte[]> Unwrap(KeyUse use, WrappedKey wrapped, CancellationToken stop)
    {
        var found = Current().Find(use, wrapped.RingKey);
        using var aes = Aes.Create();
        aes.Key = found.Key;
        try
        {
            return ValueTask.FromResult(aes.DecryptKeyWrapPadded(wrapped.Wrapped));
        }
        catch (CryptographicException exception)
        {
            throw new KeyRingException("A wrapped key was not wrapped by the key that it names.", exception);
        }
    }

    private Contents Current()
    {
        var contents = _contents;
        if (_time.GetElapsedTime(contents.LookedAt) < LookAgainAfter)
        {
            return contents;
        }

        lock (_reading)
        {
            if (_time.GetElapsedTime(_contents.LookedAt) >= LookAgainAfter)
            {
                _contents = File.GetLastWriteTimeUtc(_path) == _contents.Written ? _contents with { LookedAt = _time.GetTimestamp() } : Load();
            }

            return _contents;
        }
    }

    private Contents Load()
    {
        var written = File.GetLastWriteTimeUtc(_path);
        return new Contents(KeyRingFile.Read(_path, _certificate), written, _time.GetTimestamp());
    }

    private sealed record Contents(IReadOnlyList<RingKey> Keys, DateTime Written, long LookedAt)
    {
        public RingKey CurrentOf(KeyUse use) => Keys.LastOrDefault(key => key.Use == use) ?? throw new KeyRingException($"The key ring has no key for {use}.");

        public RingKey Find(KeyUse use, string id) =>
            Keys.FirstOrDefault(key => key.Use == use && key.Id == id) ?? throw new KeyRingException($"The key ring has no key {id} for {use}.");
    }
}
