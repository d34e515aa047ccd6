using System.Text.RegularExpressions;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>A unit that tells where a person is: a sheltered housing, or the school that takes part.</summary>
/// <param name="IsOwnOrganisation">It belongs to the sender's own organisation, whose name stands on everything that it sends.</param>
internal sealed record TellingUnit(string Id, string Name, bool IsSchool, string OrganisationName, bool OrganisationIsMunicipality, bool IsOwnOrganisation);

/// <summary>
/// What a document is searched for, and where it stands. Pure. It finds too much rather than too little: a sender can accept a finding, and cannot call back a
/// letter.
/// </summary>
internal sealed partial class WhereaboutsSearch
{
    private const int FewestDigitsOfANumber = 6;
    private const int MostDigitsOfANumber = 15;
    private const int FewestLetters = 3;
    private const int FewestLettersOfAPlace = 2;
    private const int FewestOfMixed = 4;
    private const string Sweden = "46";

    private static readonly string[] Genitive = ["s"];
    private static readonly string[] OfNames = ["s", "et", "ets", "en", "ens", "n", "ns"];

    /// <summary>Words of an address that are in every address.</summary>
    private static readonly HashSet<string> Everywhere = new(StringComparer.Ordinal)
    {
        "lgh", "lagenhet", "lagenheten", "van", "vaning", "vaningen", "tr", "trappa", "trappor", "uppgang", "port", "portkod", "box", "hus", "plan", "nb", "ing", "ingang", "rum",
        "adress", "address", "telefon", "tel", "hemlig", "hemligt", "okand", "okant", "skyddad", "skyddat", "sverige", "sweden",
    };

    private readonly Dictionary<(FindingKind Kind, string Folded), IReadOnlyList<string>> _sought = [];

    public WhereaboutsSearch(Whereabouts whereabouts, IEnumerable<TellingUnit> units)
    {
        ReadAddress(whereabouts.Address);
        ReadContacts(whereabouts.Address);
        ReadContacts(whereabouts.SafeContact);
        foreach (var unit in units)
        {
            Read(unit);
        }
    }

    /// <summary>What is looked for, for tests.</summary>
    internal IEnumerable<(FindingKind Kind, string Folded)> Sought => _sought.Keys;

    /// <summary>Every finding in a document, in its order.</summary>
    public IReadOnlyList<WhereaboutsFinding> In(OutgoingDocument document)
    {
        var findings = new List<WhereaboutsFinding>(In(document.Text, "text"));
        for (var i = 0; i < document.Properties.Count; i++)
        {
            findings.AddRange(In(document.Properties[i].Name, $"properties[{i}].name"));
            findings.AddRange(In(document.Properties[i].Value, $"properties[{i}].value"));
        }

        return findings;
    }

    /// <summary>Every finding in one text, in its order.</summary>
    public IEnumerable<WhereaboutsFinding> In(string text, string field)
    {
        var folded = new FoldedText(text);
        var found =
            from sought in _sought
            from place in folded.Find(sought.Key.Folded, sought.Value)
            select (sought.Key.Kind, place.Offset, place.Length);
        // Of a street and its number the longer finding is enough.
        return found
            .Distinct()
            .GroupBy(place => place.Kind)
            .SelectMany(ofKind => ofKind.Where(place => !ofKind.Any(other =>
                other != place && other.Offset <= place.Offset && other.Offset + other.Length >= place.Offset + place.Length)))
            .OrderBy(place => place.Offset)
            .ThenBy(place => place.Length)
            .ThenBy(place => place.Kind)
            .Select(place => new WhereaboutsFinding { Kind = place.Kind, Field = field, Offset = place.Offset, Length = place.Length });
    }

    private void ReadAddress(string address)
    {
        var segments = address.Split([',', ';', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];
            if (CareOf().Match(segment) is { Success: true } careOf)
            {
                var name = segment[careOf.Length..];
                Seek(FindingKind.CareOf, name, OfNames);
                Seek(FindingKind.CareOf, name.Split(' ', StringSplitOptions.RemoveEmptyEntries).LastOrDefault(""), OfNames);
                continue;
            }

            if (PostalCode().Match(segment) is { Success: true } code)
            {
                Seek(FindingKind.PostalCode, code.Groups["code"].Value, []);
                Seek(FindingKind.Town, segment[(code.Index + code.Length)..], Genitive);
                segment = segment[..code.Index];
            }
            else if (i > 0 && !segment.Any(char.IsDigit))
            {
                Seek(FindingKind.Town, segment, Genitive);
            }

            Seek(FindingKind.Address, segment, Genitive);
            if (segment.AsSpan().IndexOfAnyInRange('0', '9') is var digit and > 0)
            {
                Seek(FindingKind.Address, segment[..digit], Genitive);
            }
        }
    }

    private void ReadContacts(string text)
    {
        foreach (Match code in PostalCode().Matches(text))
        {
            Seek(FindingKind.PostalCode, code.Groups["code"].Value, []);
        }

        foreach (Match address in EmailAddress().Matches(text))
        {
            Seek(FindingKind.EmailAddress, address.Value, Genitive);
        }

        foreach (Match number in PhoneNumber().Matches(text).Concat(PhoneNumberWithSlash().Matches(text)))
        {
            var digits = new FoldedText(number.Value).Content;
            if (digits.Length is < FewestDigitsOfANumber or > MostDigitsOfANumber)
            {
                continue;
            }

            foreach (var written in WaysToWrite(digits, number.Value.StartsWith('+')))
            {
                _sought[(FindingKind.PhoneNumber, written)] = [];
            }
        }
    }

    /// <summary>A number with the trunk's nought, the country's code, or both, and just as it stands.</summary>
    private static IEnumerable<string> WaysToWrite(string digits, bool isInternational)
    {
        yield return digits;
        var abroad = digits.StartsWith("00", StringComparison.Ordinal) ? digits[2..] : isInternational ? digits : null;
        if (abroad is not null && !abroad.StartsWith(Sweden, StringComparison.Ordinal))
        {
            yield return abroad;
            yield return "00" + abroad;
            yield break;
        }

        if ((abroad?[Sweden.Length..] ?? (digits[0] == '0' ? digits : null))?.TrimStart('0') is { Length: > 0 } national)
        {
            foreach (var prefix in new[] { "0", Sweden, Sweden + "0", "00" + Sweden, "00" + Sweden + "0" })
            {
                yield return prefix + national;
            }
        }
    }

    private void Read(TellingUnit unit)
    {
        Seek(unit.IsSchool ? FindingKind.SchoolName : FindingKind.UnitName, unit.Name, OfNames);
        Seek(unit.IsSchool ? FindingKind.SchoolId : FindingKind.UnitId, unit.Id, []);
        if (unit.IsOwnOrganisation)
        {
            return;
        }

        if (!unit.OrganisationIsMunicipality)
        {
            Seek(unit.IsSchool ? FindingKind.SchoolName : FindingKind.UnitName, unit.OrganisationName, OfNames);
            return;
        }

        var kind = unit.IsSchool ? FindingKind.SchoolMunicipality : FindingKind.Municipality;
        Seek(kind, unit.OrganisationName, Genitive);
        if (MunicipalityOf().Match(unit.OrganisationName) is { Success: true } municipality)
        {
            var name = municipality.Groups["name"].Value;
            Seek(kind, name, Genitive);
            // Solna stad, Uppsala kommun, but Stockholms stad.
            Seek(kind, name.EndsWith('s') ? name[..^1] : name, Genitive);
        }
    }

    private void Seek(FindingKind kind, string text, IReadOnlyList<string> endings)
    {
        var folded = new FoldedText(text).Content;
        var letters = folded.Count(char.IsLetter);
        var isPlace = kind is FindingKind.Town or FindingKind.Municipality or FindingKind.SchoolMunicipality;
        var isEnough = letters >= (isPlace ? FewestLettersOfAPlace : FewestLetters) || folded.Length >= FewestOfMixed;
        if (isEnough && !Everywhere.Contains(folded))
        {
            _sought[(kind, folded)] = endings;
        }
    }

    [GeneratedRegex(@"\A\s*(c\s*/\s*o|c\.o\.|att\.?:?)\s+", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex CareOf();

    // Not the end or the middle of a telephone number.
    [GeneratedRegex(@"(?<![0-9])(?<![0-9]-)(SE?[ -]*)?(?<code>[0-9]{3}[ \u00A0]?[0-9]{2})(?![ \u00A0-]?[0-9])", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex PostalCode();

    [GeneratedRegex(@"[^\s@,;<>()]+@[^\s@,;<>()]+")]
    private static partial Regex EmailAddress();

    [GeneratedRegex(@"\+?\(?[0-9][0-9 \t\u00A0\u2010-\u2015().-]{4,}[0-9]")]
    private static partial Regex PhoneNumber();

    [GeneratedRegex(@"\+?\(?[0-9][0-9 \t\u00A0\u2010-\u2015()./-]{4,}[0-9]")]
    private static partial Regex PhoneNumberWithSlash();

    [GeneratedRegex(@"\A(?<name>.+?)\s+(kommun|stad|landskommun|köping)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex MunicipalityOf();
}
