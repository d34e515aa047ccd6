using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hl7.Fhir.Model;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// Version ids, which are also the weak entity tags. They are digests of what the caller is told: a change of anything that is not told does not show in them. FHIR
/// allows letters, digits, hyphens and full stops.
/// </summary>
internal static class VersionIds
{
    private const int Digits = 24;

    /// <summary>Of all that a resource says to this caller.</summary>
    public static string Of(Resource resource) => Digest(JsonSerializer.SerializeToUtf8Bytes((Base)resource, FhirJson.Options));

    /// <summary>Of things by their names and etags.</summary>
    public static string Of(IEnumerable<(string Name, string Etag)> things) =>
        Digest(Encoding.UTF8.GetBytes(string.Join('\n', things.Select(thing => $"{thing.Name} {thing.Etag}"))));

    /// <summary>The version that a header names, with or without the mark of a weak tag; null where it is no one entity tag.</summary>
    public static string? In(string? header) =>
        header is { Length: > 2 } && (header.StartsWith("W/", StringComparison.Ordinal) ? header[2..] : header) is ['"', .. var version, '"'] && !version.Contains('"', StringComparison.Ordinal)
            ? version
            : null;

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..Digits];
}
