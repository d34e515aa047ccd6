using System.Globalization;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Primitives;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// The terms of one search. Each is taken by name; what is left at the end is not a term of that search and refuses it, because a term that is overlooked widens what
/// is found.
/// </summary>
internal sealed class FhirTerms(Dictionary<string, StringValues> terms)
{
    public bool IsEmpty => terms.Count == 0;

    /// <summary>The value of a term, or null where it is not there.</summary>
    public string? Take(string name) => terms.Remove(name, out var values)
        ? values is [{ Length: > 0 } value] ? value : throw FhirFault.Invalid($"{name} has one value, and no alternatives.")
        : null;

    /// <summary>A term that may be there twice.</summary>
    public string[] TakeAll(string name) => terms.Remove(name, out var values) ? [.. values.Select(value => value ?? "")] : [];

    /// <summary>`system|value`, as FHIR writes identifiers; null where the term is not there.</summary>
    public (string System, string Value)? TakeIdentifier(string name) => Take(name) is not { } term ? null
        : term.Split('|') is [{ Length: > 0 } system, { Length: > 0 } value] ? (system, value)
        : throw FhirFault.Invalid($"{name} is system|value, with both of them.");

    /// <summary>An identity number by its system; null where the term is not there.</summary>
    public IdentityNumber? TakeNumber(string name) => TakeIdentifier(name) is not { } found ? null
        : FhirSystems.NumberOf(found.System, found.Value) ?? throw FhirFault.Invalid($"{name} is a personal identity number or a coordination number, by its system.");

    /// <summary>An entry of the directory by its identifier, or empty where the term is not there.</summary>
    public string TakeEntry(string name, string collection) => TakeIdentifier(name) is not { } found ? ""
        : FhirSystems.EntryOf(collection, found.System, found.Value) ?? throw FhirFault.Invalid($"{name} is an identifier of the directory, by its system.");

    /// <summary>The plan that a reference names, or null where the term is not there.</summary>
    public string? TakePlan(string name) => Take(name) is not { } reference ? null
        : (reference.StartsWith("CarePlan/", StringComparison.Ordinal) ? FhirElements.PlanOf(reference["CarePlan/".Length..]) : null)
            ?? throw FhirFault.Invalid($"{name} is CarePlan/ and the plan's id, as given by the service.");

    public int TakeCount() => Take("_count") is not { } count ? 0
        : int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var found) && found > 0 ? found
        : throw FhirFault.Invalid("_count is a number, 1 or more.");

    public string TakePage() => Take("_page") ?? "";

    /// <summary>From and to: `date` twice, once with `ge` and once with `lt`, each an instant with its zone.</summary>
    public (Timestamp From, Timestamp To) TakePeriod(string name)
    {
        var bounds = TakeAll(name);
        return (Bound("ge"), Bound("lt"));

        Timestamp Bound(string prefix) =>
            bounds.Length == 2 && bounds.Where(bound => bound.StartsWith(prefix, StringComparison.Ordinal)).ToArray() is [var found] && Instant(found[2..]) is { } instant
                ? Timestamp.FromDateTimeOffset(instant)
                : throw FhirFault.Invalid($"{name} is needed twice, once with ge and once with lt, each an instant with its time zone.");
    }

    /// <summary>Refuses the search where a term is left.</summary>
    public void RequireNoOther()
    {
        if (terms.Count > 0)
        {
            throw FhirFault.Invalid("The search has a term that is not supported for this resource; metadata lists those that are. The law allows no others for persons (förordning 2001:637 15 §).");
        }
    }

    // With its zone: without one, what was asked for would depend on where it is read.
    private static DateTimeOffset? Instant(string text) =>
        text.Length > 19 && (text.EndsWith('Z') || text.AsSpan(19).IndexOfAny('+', '-') >= 0)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant) ? instant : null;
}
