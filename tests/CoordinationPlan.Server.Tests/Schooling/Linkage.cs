using System.Globalization;
using System.Text.RegularExpressions;
using CoordinationPlan.Server.Rpc;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>A value that somebody was told, and where it stood: the call, then the field, header, or property.</summary>
internal sealed record Told(string Place, string Value);

/// <summary>Values that a caller was told, that also stand in where the person is, and that fit only some of the places where a person can be.</summary>
internal sealed record Link(IReadOnlyList<string> Values, IReadOnlyCollection<string> Fits);

/// <summary>
/// Joins what somebody was told with where people stay, as somebody would who knows every sheltered housing and everybody in it but not who they are: by every
/// value, and every two and three of them together.
/// </summary>
internal static partial class Linkage
{
    private const int ShortestWord = 3;

    /// <summary>A postal code's. What is shorter is found in the whole that it stands in.</summary>
    private const int FewestDigits = 5;

    /// <summary>Every value of a message, by its field. What stands in lists is counted, so that orders and lengths are values too.</summary>
    public static IEnumerable<Told> In(IMessage message, string place)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var at = $"{place}/{field.Name}";
            if (field.IsMap)
            {
                foreach (System.Collections.DictionaryEntry entry in (System.Collections.IDictionary)field.Accessor.GetValue(message))
                {
                    yield return new($"{at}[{entry.Key}]", entry.Value!.ToString()!);
                }
            }
            else if (field.IsRepeated)
            {
                var items = (System.Collections.IList)field.Accessor.GetValue(message);
                if (items.Count > 0)
                {
                    yield return new($"{at}#", items.Count.ToString(CultureInfo.InvariantCulture));
                }

                for (var i = 0; i < items.Count; i++)
                {
                    foreach (var told in Of(items[i]!, field, $"{at}[{i}]"))
                    {
                        yield return told;
                    }
                }
            }
            else if (!field.HasPresence || field.Accessor.HasValue(message))
            {
                foreach (var told in Of(field.Accessor.GetValue(message), field, at))
                {
                    yield return told;
                }
            }
        }
    }

    /// <summary>
    /// What of a value can be compared with another: the whole, its words without regard to case, and its numbers without regard to how they are set. An id that
    /// is drawn by chance is one word.
    /// </summary>
    public static IEnumerable<string> Tokens(string value)
    {
        var folded = value.ToUpperInvariant();
        var drawn = Drawn().Matches(folded).Select(match => match.Value);
        var rest = Drawn().Replace(folded, "|");
        var words = Word().Matches(rest).Select(match => match.Value).Where(word => word.Length >= ShortestWord && word.Any(char.IsLetter));
        var numbers = Number().Matches(rest).Select(match => NotADigit().Replace(match.Value, "")).Where(digits => digits.Length >= FewestDigits);
        return drawn.Concat(words).Concat(numbers).Append(folded.Trim()).Where(token => token.Length >= ShortestWord).Distinct();
    }

    /// <summary>
    /// The links from what was told about a person to where the person is. <paramref name="stays"/> are all records of where people stay, by the housing; the
    /// person's own is <paramref name="own"/>.
    /// </summary>
    public static List<Link> Search(IEnumerable<string> told, IReadOnlySet<string> own, ILookup<string, IReadOnlySet<string>> stays)
    {
        var shared = told.Where(own.Contains).Distinct().Order(StringComparer.Ordinal).ToArray();
        var links = new List<Link>();
        foreach (var values in Subsets(shared, atMost: 3))
        {
            var fits = stays.Where(housing => housing.Any(stay => values.All(stay.Contains))).Select(housing => housing.Key).ToList();
            if (fits.Count < stays.Count)
            {
                links.Add(new(values, fits));
            }
        }

        return links;
    }

    private static IEnumerable<IReadOnlyList<string>> Subsets(string[] values, int atMost)
    {
        for (var i = 0; i < values.Length; i++)
        {
            yield return [values[i]];
            for (var j = i + 1; j < values.Length && atMost > 1; j++)
            {
                yield return [values[i], values[j]];
                for (var k = j + 1; k < values.Length && atMost > 2; k++)
                {
                    yield return [values[i], values[j], values[k]];
                }
            }
        }
    }

    private static IEnumerable<Told> Of(object value, FieldDescriptor field, string at) => value switch
    {
        Timestamp instant => [new(at, instant.ToDateTime().ToString("O", CultureInfo.InvariantCulture))],
        Date date => [new(at, date.ToDateOnly().ToString("O", CultureInfo.InvariantCulture))],
        IMessage inner => In(inner, at),
        ByteString bytes => bytes.IsEmpty ? [] : [new(at, bytes.ToBase64())],
        string text => text.Length == 0 ? [] : [new(at, text)],
        System.Enum name => [new(at, field.EnumType.FindValueByNumber(Convert.ToInt32(name, CultureInfo.InvariantCulture))?.Name ?? "?")],
        _ => [new(at, Convert.ToString(value, CultureInfo.InvariantCulture)!)],
    };

    [GeneratedRegex("[0-9A-F]{8}(-?[0-9A-F]{4}){3}-?[0-9A-F]{12}", RegexOptions.ExplicitCapture)]
    private static partial Regex Drawn();

    [GeneratedRegex(@"[\p{L}\p{N}]+")]
    private static partial Regex Word();

    // Digits as they are written in numbers of telephones, postal codes and dates.
    [GeneratedRegex(@"\d[\d \-/.]*\d")]
    private static partial Regex Number();

    [GeneratedRegex(@"\D")]
    private static partial Regex NotADigit();
}
