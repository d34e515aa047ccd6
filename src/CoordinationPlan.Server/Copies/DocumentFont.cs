using System.Buffers.Binary;
using System.Text;

namespace CoordinationPlan.Server.Copies;

/// <summary>
/// One of the fonts that documents are written in, which come with the program (third_party/noto-sans): what it has and how wide each character is.
/// Read from the font itself, so that lines are broken without the machinery that draws, and what the font lacks is found before it is drawn as
/// nothing.
/// </summary>
internal sealed class DocumentFont
{
    public const string Family = "Noto Sans";

    /// <summary>What stands for a character that the document cannot show. The document says so wherever it does.</summary>
    public const char Missing = '\uFFFD';

    public static readonly DocumentFont Regular = new("NotoSans-Regular");

    public static readonly DocumentFont Bold = new("NotoSans-Bold");

    private readonly ushort[] _glyphs;
    private readonly ushort[] _advances;
    private readonly double _unitsPerEm;

    private DocumentFont(string name)
    {
        Name = name;
        using var stream = typeof(DocumentFont).Assembly.GetManifestResourceStream($"fonts/{name}.ttf") ?? throw new InvalidOperationException($"The font {name} is not in the program.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        Bytes = bytes;
        _unitsPerEm = Word(Table("head"), 18);
        _glyphs = ReadGlyphs(Table("cmap"));
        var count = Word(Table("hhea"), 34);
        var widths = Table("hmtx");
        _advances = new ushort[Word(Table("maxp"), 4)];
        for (var glyph = 0; glyph < _advances.Length; glyph++)
        {
            // Glyphs beyond the last width are as wide as it.
            _advances[glyph] = Word(widths, 4 * Math.Min(glyph, count - 1));
        }
    }

    /// <summary>What the font's file is called.</summary>
    public string Name { get; }

    /// <summary>The font's file.</summary>
    public byte[] Bytes { get; }

    /// <summary>How wide a text is, in points, at a size.</summary>
    public double WidthOf(ReadOnlySpan<char> text, double size)
    {
        var units = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            units += _advances[rune.IsBmp ? _glyphs[rune.Value] : 0];
        }

        return units * size / _unitsPerEm;
    }

    /// <summary>
    /// The text as it can be shown: what shows nothing anyhow is left out, and every character that cannot be shown is a sign that says so. Shown are scripts
    /// that are written from the left, letter by letter (Latin, Greek, Cyrillic); Arabic, Hebrew and the Indian scripts would come out in the wrong order or
    /// unjoined, which is worse than a sign that something is missing.
    /// </summary>
    public static string Showable(string text, ref int missing)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.Format)
            {
                continue;
            }

            if (rune.Value is '\n' or '\r')
            {
                shown.Append('\n');
            }
            else if (rune.Value is '\t' or '\u00A0')
            {
                shown.Append(' ');
            }
            else if (Regular.Shows(rune) && Bold.Shows(rune))
            {
                shown.Append(rune);
            }
            else
            {
                shown.Append(Missing);
                missing++;
            }
        }

        return shown.ToString();
    }

    private bool Shows(Rune rune) => rune.Value is < 0x0530 or (>= 0x1E00 and < 0x2C00) or Missing && _glyphs[rune.Value] != 0;

    private ReadOnlySpan<byte> Table(string tag)
    {
        var tables = Word(Bytes, 4);
        for (var i = 0; i < tables; i++)
        {
            var entry = Bytes.AsSpan(12 + (16 * i), 16);
            if (Encoding.ASCII.GetString(entry[..4]) == tag)
            {
                return Bytes.AsSpan((int)BinaryPrimitives.ReadUInt32BigEndian(entry[8..]), (int)BinaryPrimitives.ReadUInt32BigEndian(entry[12..]));
            }
        }

        throw new InvalidOperationException($"The font {Name} has no table {tag}.");
    }

    /// <summary>The glyph of each character of the first plane, by format 4 of the table cmap: the one that every TrueType font for Windows has.</summary>
    private static ushort[] ReadGlyphs(ReadOnlySpan<byte> cmap)
    {
        var glyphs = new ushort[0x10000];
        for (var i = 0; i < Word(cmap, 2); i++)
        {
            var map = cmap[(int)BinaryPrimitives.ReadUInt32BigEndian(cmap[(4 + (8 * i) + 4)..])..];
            if (Word(cmap, 4 + (8 * i)) != 3 || Word(map, 0) != 4)
            {
                continue;
            }

            var segments = Word(map, 6) / 2;
            for (var segment = 0; segment < segments; segment++)
            {
                var last = Word(map, 14 + (2 * segment));
                var first = Word(map, 16 + (2 * segments) + (2 * segment));
                var delta = Word(map, 16 + (4 * segments) + (2 * segment));
                var offsetAt = 16 + (6 * segments) + (2 * segment);
                var offset = Word(map, offsetAt);
                for (int character = first; character <= last && character != 0xFFFF; character++)
                {
                    var glyph = offset == 0 ? character : Word(map, offsetAt + offset + (2 * (character - first)));
                    glyphs[character] = offset != 0 && glyph == 0 ? (ushort)0 : (ushort)(glyph + delta);
                }
            }

            return glyphs;
        }

        throw new InvalidOperationException("The font has no table of characters that can be read.");
    }

    private static ushort Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
}
