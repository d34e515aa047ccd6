using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Caching.Memory;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Tokens that were validated within the last minute, so that the signature of a token is not verified anew for every call that a user's click makes.
/// A token is found for the very certificate that it was accepted with only, and never past its end. What it may do is decided in every call.
/// </summary>
internal sealed class AcceptedTokens(TimeProvider time) : IDisposable
{
    private const int Most = 10_000;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly MemoryCache _accepted = new(new MemoryCacheOptions { SizeLimit = Most });

    public void Keep(string authorization, X509Certificate2 certificate, ClaimsPrincipal caller, string scheme, DateTimeOffset end)
    {
        var now = time.GetUtcNow();
        var until = end < now + Longest ? end : now + Longest;
        _accepted.Set(
            authorization,
            new Accepted(caller, scheme, certificate.RawDataMemory, until, end),
            new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Longest });
    }

    public Accepted? Find(string authorization, X509Certificate2? certificate) =>
        certificate is not null
        && _accepted.TryGetValue(authorization, out Accepted? accepted)
        && time.GetUtcNow() < accepted!.Until
        && accepted.Certificate.Span.SequenceEqual(certificate.RawDataMemory.Span)
            ? accepted
            : null;

    public void Dispose() => _accepted.Dispose();

    /// <summary>A caller as the token said, and the scheme that validated it.</summary>
    /// <param name="Until">Until when it is known here.</param>
    /// <param name="End">When the token expires.</param>
    internal sealed record Accepted(ClaimsPrincipal Caller, string Scheme, ReadOnlyMemory<byte> Certificate, DateTimeOffset Until, DateTimeOffset End);
}
