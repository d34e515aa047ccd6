using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using R4 = Hl7.Fhir.Model;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// What identifiers and codes are of. Swedish systems by their registered names; what only this service knows under names of its own, which are no addresses.
/// docs/fhir.md lists them.
/// </summary>
internal static class FhirSystems
{
    public const string PersonalNumber = "http://electronichealth.se/identifier/personnummer";
    public const string CoordinationNumber = "http://electronichealth.se/identifier/samordningsnummer";
    public const string HsaId = "urn:oid:1.2.752.29.4.19";
    public const string OrganisationNumber = "urn:oid:2.5.4.97";
    public const string Kva = "urn:oid:1.2.752.116.1.1.1.1.1";

    /// <summary>Everything of our own begins so.</summary>
    public const string Own = "urn:coordinationplan:";

    public const string CaseNumber = Own + "case-number";
    public const string SchoolUnitCode = Own + "school-unit-code";

    /// <summary>A name in the directory that is neither an HSA-id nor a school unit's code.</summary>
    public const string DirectoryId = Own + "directory-id";

    public const string ClientSystem = Own + "client-system";
    public const string Subject = Own + "subject";
    public const string ResourceName = Own + "resource-name";
    public const string TraceId = Own + "trace-id";
    public const string Reference = Own + "reference";

    private const int HsaIdPrefix = 13;

    /// <summary>The identifier of a person.</summary>
    public static R4.Identifier Of(IdentityNumber number) =>
        new(number.Kind == IdentityNumberKind.Coordination ? CoordinationNumber : PersonalNumber, number.Value);

    /// <summary>The identity number that an identifier holds; null where its system is of no such number.</summary>
    public static IdentityNumber? NumberOf(string system, string value) => system switch
    {
        PersonalNumber => new IdentityNumber { Kind = IdentityNumberKind.Personal, Value = value },
        CoordinationNumber => new IdentityNumber { Kind = IdentityNumberKind.Coordination, Value = value },
        _ => null,
    };

    /// <summary>Refers to an entry of the directory, such as `units/SE2321000016-VC`, by what it is called in Sweden.</summary>
    public static R4.ResourceReference ToEntry(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var id = name[(slash + 1)..];
        return new R4.ResourceReference
        {
            Type = name[..slash] == Rpc.ResourceName.Employees ? "Practitioner" : "Organization",
            Identifier = new R4.Identifier(SystemOf(id), id),
        };
    }

    /// <summary>The name in the directory that an identifier stands for; null where its system is not the one that its value belongs to.</summary>
    public static string? EntryOf(string collection, string? system, string? value) =>
        value is { Length: > 0 } && system == SystemOf(value) && Rpc.ResourceName.TryParseEntry($"{collection}/{value}", collection) is not null ? $"{collection}/{value}" : null;

    /// <summary>A code of an enumeration of the contract: its name there without the prefix, in a system that is called like the enumeration.</summary>
    public static R4.Coding CodeOf<T>(T value)
        where T : struct, Enum =>
        new(SystemOf<T>(), NameOf(value));

    /// <summary>An extension that holds such a code.</summary>
    public static R4.Extension Extension<T>(string name, T value)
        where T : struct, Enum =>
        new(Own + name, CodeValueOf(value));

    public static R4.Code CodeValueOf<T>(T value)
        where T : struct, Enum =>
        new(NameOf(value));

    /// <summary>The value that a code stands for; none where it is of another enumeration.</summary>
    public static T ValueOf<T>(string code)
        where T : struct, Enum =>
        Array.Find(Enum.GetValues<T>(), value => NameOf(value) == code);

    public static R4.Extension Extension(string name, R4.DataType value) => new(Own + name, value);

    private static string SystemOf<T>() => Own + string.Concat(typeof(T).Name.Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(letter) : letter.ToString()));

    private static string NameOf<T>(T value)
        where T : struct, Enum => WireNames.Of(value);

    private static string SystemOf(string id) =>
        id.Length > HsaIdPrefix && id.StartsWith("SE", StringComparison.Ordinal) && id[HsaIdPrefix - 1] == '-' && id.AsSpan(2, 10).IndexOfAnyExceptInRange('0', '9') < 0 ? HsaId
        : id.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0 ? DirectoryId
        : id.Length switch
        {
            8 => SchoolUnitCode,
            10 => OrganisationNumber,
            _ => DirectoryId,
        };
}
