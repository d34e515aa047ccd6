using System.Text.Json;
using Hl7.Fhir.Model;
using Hl7.Fhir.Serialization;

namespace CoordinationPlan.Server.Fhir;

/// <summary>FHIR's JSON, by HL7's library.</summary>
internal static class FhirJson
{
    public const string MediaType = "application/fhir+json";

    public static JsonSerializerOptions Options { get; } = new JsonSerializerOptions().ForFhir(ModelInfo.ModelInspector);

    public static byte[] Write(Resource resource) => JsonSerializer.SerializeToUtf8Bytes((Base)resource, Options);

    /// <summary>A resource of a type, or null where it is not well-formed or of another. What is wrong is not said: the parser's words repeat what was sent.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> json)
        where T : Resource
    {
        try
        {
            return JsonSerializer.Deserialize<Resource>(json, Options) as T;
        }
        // The last for what is JSON and no object.
        catch (Exception exception) when (exception is JsonException or DeserializationFailedException or InvalidOperationException)
        {
            return null;
        }
    }
}
