using System.Globalization;
using System.Text;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>
/// A text as it is compared: letters and digits alone, in lower case and without accents, each with where it stood. What lies between them is gone, so that
/// neither spaces nor hyphens nor line breaks hide a word, but it is remembered where a word or a number begins.
/// </summary>
internal sealed class FoldedText
{
    /// <summary>A letter and what it is with accents, in Latin script (Unicode's compatibility decompositions).</summary>
    private static readonly string[] Accented =
    [
        "aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ",
        "bḃḅḇ",
        "cçćĉċčḉ",
        "dďḋḍḏḑḓ",
        "eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ",
        "fḟ",
        "gĝğġģǧǵḡ",
        "hĥȟḣḥḧḩḫẖ",
        "iìíîïĩīĭįǐȉȋḭḯỉị",
        "jĵǰ",
        "kķǩḱḳḵ",
        "lĺļľḷḹḻḽ",
        "mḿṁṃ",
        "nñńņňǹṅṇṉṋ",
        "oòóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ",
        "pṕṗ",
        "rŕŗřȑȓṙṛṝṟ",
        "sśŝşšſșṡṣṥṧṩẛ",
        "tţťțṫṭṯṱẗ",
        "uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự",
        "vṽṿ",
        "wŵẁẃẅẇẉẘ",
        "xẋẍ",
        "yýÿŷȳẏẙỳỵỷỹ",
        "zźżžẑẓẕ",
    ];

    private static readonly Dictionary<int, string> Plain = PlainLetters();

    private readonly List<int> _starts = [];
    private readonly List<int> _ends = [];
    private readonly List<bool> _joined = [];

    public FoldedText(string text)
    {
        var folded = new StringBuilder(text.Length);
        var (position, apart) = (0, true);
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var found in Fold(rune))
            {
                switch (char.GetUnicodeCategory(found))
                {
                    case UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark when _ends.Count > 0 && !apart:
                        // An accent belongs to its letter.
                        _ends[^1] = position + 1;
                        break;
                    case UnicodeCategory.Format:
                        // Soft hyphens and marks without width: nobody sees them.
                        break;
                    default:
                        if (!char.IsLetterOrDigit(found))
                        {
                            apart = true;
                            break;
                        }

                        _joined.Add(!apart && char.IsDigit(folded[^1]) == char.IsDigit(found));
                        _starts.Add(position);
                        _ends.Add(position + 1);
                        folded.Append(found);
                        apart = false;
                        break;
                }
            }

            position++;
        }

        Content = folded.ToString();
    }

    /// <summary>The letters and digits.</summary>
    public string Content { get; }

    /// <summary>Where a folded text stands as whole words, with one of the endings or none: in code points of the text.</summary>
    public IEnumerable<(int Offset, int Length)> Find(string folded, IReadOnlyList<string> endings)
    {
        for (var at = Next(0); at >= 0; at = Next(at + 1))
        {
            if (!_joined[at] && EndOf(at + folded.Length) is { } end)
            {
                yield return (_starts[at], _ends[end - 1] - _starts[at]);
            }
        }

        int Next(int from) => folded.Length == 0 || from >= Content.Length ? -1 : Content.IndexOf(folded, from, StringComparison.Ordinal);

        int? EndOf(int end)
        {
            if (IsBoundary(end))
            {
                return end;
            }

            foreach (var ending in endings)
            {
                if (char.IsLetter(Content[end - 1]) && string.CompareOrdinal(Content, end, ending, 0, ending.Length) == 0
                    && Enumerable.Range(end, ending.Length).All(index => _joined[index]) && IsBoundary(end + ending.Length))
                {
                    return end + ending.Length;
                }
            }

            return null;
        }
    }

    private bool IsBoundary(int index) => index >= Content.Length || !_joined[index];

    // The service runs without the data of ICU, so nothing decomposes a letter but this.
    private static string Fold(Rune rune)
    {
        var lower = Rune.ToLowerInvariant(rune);
        if (lower.IsAscii)
        {
            return ((char)lower.Value).ToString();
        }

        if (Plain.TryGetValue(lower.Value, out var plain))
        {
            return plain;
        }

        return Rune.GetUnicodeCategory(lower) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.OtherNumber && Rune.GetNumericValue(lower) is >= 0 and <= 9 and var digit && digit == Math.Floor(digit)
            ? ((int)digit).ToString(CultureInfo.InvariantCulture)
            : lower.ToString();
    }

    private static Dictionary<int, string> PlainLetters()
    {
        var plain = new Dictionary<int, string>
        {
            ['ø'] = "o",
            ['ǿ'] = "o",
            ['đ'] = "d",
            ['ð'] = "d",
            ['ħ'] = "h",
            ['ł'] = "l",
            ['ı'] = "i",
            ['ŧ'] = "t",
            ['æ'] = "ae",
            ['ǽ'] = "ae",
            ['œ'] = "oe",
            ['ß'] = "ss",
            ['ĳ'] = "ij",
            ['ﬀ'] = "ff",
            ['ﬁ'] = "fi",
            ['ﬂ'] = "fl",
            ['ﬃ'] = "ffi",
            ['ﬄ'] = "ffl",
        };
        foreach (var letters in Accented)
        {
            foreach (var letter in letters.EnumerateRunes().Skip(1))
            {
                plain[letter.Value] = letters[..1];
            }
        }

        for (var letter = 0; letter <= 'z' - 'a'; letter++)
        {
            // Full-width forms.
            plain['\uFF41' + letter] = ((char)('a' + letter)).ToString();
        }

        return plain;
    }
}
