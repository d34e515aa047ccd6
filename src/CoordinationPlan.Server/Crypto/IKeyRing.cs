namespace CoordinationPlan.Server.Crypto;

/// <summary>What a key of the ring wraps. Each use has keys of its own, so that they can be kept by different people.</summary>
public enum KeyUse
{
    /// <summary>The data keys of persons' plans.</summary>
    Content,

    /// <summary>The data keys of persons' whereabouts.</summary>
    Whereabouts,

    /// <summary>The service's own keys: search indexes, the directory, page tokens.</summary>
    Service,
}

/// <summary>A key wrapped by the ring: which of its keys wrapped it, and the wrapped bytes.</summary>
public readonly record struct WrappedKey(string RingKey, byte[] Wrapped);

/// <summary>
/// Keys outside the database that wrap the keys inside it. The ring's keys never leave it, so a key service or a hardware module can stand
/// behind this as well as a file.
/// </summary>
public interface IKeyRing
{
    /// <summary>The id of the key that new keys of this use are wrapped with.</summary>
    string CurrentKey(KeyUse use);

    /// <summary>Wraps a key with the current key of the use.</summary>
    ValueTask<WrappedKey> Wrap(KeyUse use, ReadOnlyMemory<byte> key, CancellationToken stop);

    /// <summary>Unwraps a key. Throws <see cref="KeyRingException"/> where the ring does not have that key, or the bytes were not wrapped by it.</summary>
    ValueTask<byte[]> Unwrap(KeyUse use, WrappedKey wrapped, CancellationToken stop);
}

/// <summary>The ring cannot be read, or lacks a key.</summary>
public sealed class KeyRingException(string message, Exception? cause = null) : Exception(message, cause);
