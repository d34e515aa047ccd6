using System.Text.Json;
using System.Text.Json.Nodes;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// A disclosure as a file that goes out with the proof of its entry: <c>{"version":1,"fields":[{"name":"…","value":"base64","salt":"base64"},{"hidden":"base64"}]}</c>. A value
/// that is not there is null.
/// </summary>
public static class DisclosureFile
{
    private const int Version = 1;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    public static string Format(Disclosure disclosure)
    {
        ArgumentNullException.ThrowIfNull(disclosure);
        var fields = disclosure.Fields.Select(field => (JsonNode)(field switch
        {
            RevealedField shown => new JsonObject
            {
                ["name"] = shown.Name,
                ["value"] = shown.Value is { } value ? Convert.ToBase64String(value) : null,
                ["salt"] = Convert.ToBase64String(shown.Salt.Span),
            },
            HiddenField hidden => new JsonObject { ["hidden"] = hidden.Hash.ToString() },
            _ => throw new InvalidOperationException($"No file holds a {field.GetType().Name}."),
        }));
        return new JsonObject { ["version"] = Version, ["fields"] = new JsonArray([.. fields]) }.ToJsonString();
    }

    /// <exception cref="FormatException">It is no such file.</exception>
    public static Disclosure Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var root = document.RootElement;
            return Has(root, "version", "fields") && root.GetProperty("version").GetInt32() == Version
                ? new Disclosure([.. root.GetProperty("fields").EnumerateArray().Select(Field)])
                : throw new FormatException("Not a disclosure of a version that is known here.");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new FormatException("Not a disclosure.", failure);
        }
    }

    private static DisclosedField Field(JsonElement field)
    {
        if (Has(field, "hidden"))
        {
            return new HiddenField(TreeHash.Parse(Text(field, "hidden")));
        }

        if (!Has(field, "name", "value", "salt"))
        {
            throw new FormatException("A field is hidden, or has a name, a value and a salt.");
        }

        return new RevealedField(
            Text(field, "name"),
            field.GetProperty("value").ValueKind == JsonValueKind.Null ? null : StrictText.Base64(Text(field, "value")),
            StrictText.Base64(Text(field, "salt")));
    }

    private static bool Has(JsonElement element, params ReadOnlySpan<string> names)
    {
        var found = element.EnumerateObject().Select(property => property.Name).ToHashSet();
        return found.SetEquals(names.ToArray());
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");
}
