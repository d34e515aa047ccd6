using System.Text.Json;
using System.Text.Json.Serialization;

namespace CoordinationPlan.Witness;

/// <summary>The witness's configuration: a JSON file. What is not known is refused, so that a misspelt key is never a silent default.</summary>
public sealed record WitnessOptions
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>File with the private key, as <c>coordplan-witness key</c> writes it.</summary>
    public required string KeyFile { get; init; }

    /// <summary>Folder with what was signed last. Whoever puts back an older one makes the witness sign a second history: keep it on a disk of its own, out of restores.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The keys of the logs that it signs for (vkeys); the name of each is the log's origin. A log has several while it changes keys.</summary>
    public required IReadOnlyList<string> Logs { get; init; }

    /// <summary>Where it listens, as <c>http://127.0.0.1:8090</c>: behind what ends TLS.</summary>
    public required string Url { get; init; }

    /// <exception cref="WitnessException">The file cannot be read, or is not such a configuration.</exception>
    public static WitnessOptions Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<WitnessOptions>(File.ReadAllText(path), Json) ?? throw new WitnessException($"{path} is empty.");
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new WitnessException($"The configuration cannot be used: {failure.Message}", failure);
        }
    }
}

/// <summary>The witness cannot run, or cannot sign. It then signs nothing.</summary>
public sealed class WitnessException : Exception
{
    public WitnessException()
    {
    }

    public WitnessException(string message)
        : base(message)
    {
    }

    public WitnessException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
