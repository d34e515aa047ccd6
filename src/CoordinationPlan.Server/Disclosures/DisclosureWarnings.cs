using System.Reflection;
using System.Text.Json;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>What to mind with each kind of document: data, in disclosure-warnings.json. A list that lacks a kind stops the service at start.</summary>
internal sealed class DisclosureWarnings
{
    private readonly Dictionary<DisclosureKind, string> _texts;

    private DisclosureWarnings(Dictionary<DisclosureKind, string> texts) => _texts = texts;

    /// <summary>The list that comes with the service.</summary>
    public static DisclosureWarnings Load()
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream("disclosure-warnings.json") ?? throw new InvalidOperationException("The list of warnings is missing.");
        return Parse(file);
    }

    /// <exception cref="InvalidOperationException">A kind of document has no warning, or there is a warning for none.</exception>
    public static DisclosureWarnings Parse(Stream json)
    {
        var texts = JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
        var kinds = Enum.GetValues<DisclosureKind>().Where(kind => kind != DisclosureKind.Unspecified).ToList();
        return kinds.Select(kind => WireNames.Of(kind)).Order(StringComparer.Ordinal).SequenceEqual(texts.Where(text => !string.IsNullOrWhiteSpace(text.Value)).Select(text => text.Key).Order(StringComparer.Ordinal))
            ? new(kinds.ToDictionary(kind => kind, kind => texts[WireNames.Of(kind)]))
            : throw new InvalidOperationException("The list of warnings must have one for each kind of document and no other.");
    }

    public string Of(DisclosureKind kind) => _texts[kind];
}
