using System.Globalization;
using System.Security;
using System.Text;
using PdfSharp.Drawing;
using PdfSharp.Fonts;
using PdfSharp.Pdf;
using PdfSharp.UniversalAccessibility;

namespace CoordinationPlan.Server.Copies;

/// <summary>
/// Writes a document as an accessible PDF (PDF/UA-1): every text stands in the structure tree in reading order as what it is, every font is in the
/// file, language and title are set, and what is only decoration is marked as that. First it is laid out, so that each page can say how many there
/// are; then it is drawn.
/// </summary>
internal sealed class DocumentPdf
{
    private const string Language = "sv-SE";
    private const string Creator = "CoordinationPlan";
    private const double PageWidth = 595;
    private const double PageHeight = 842;
    private const double Left = 62;
    private const double Right = PageWidth - 62;
    private const double Top = 62;
    private const double Bottom = PageHeight - 70;
    private const double FooterAt = PageHeight - 40;
    private const double CellPadding = 5;

    private static readonly Style Body = new(DocumentFont.Regular, 11, 16);
    private static readonly Style Strong = new(DocumentFont.Bold, 11, 16);
    private static readonly Style Aside = new(DocumentFont.Regular, 9.5, 14) { IsPale = true };
    private static readonly Style Small = new(DocumentFont.Regular, 9, 12) { IsPale = true };
    private static readonly Style[] Headings = [new(DocumentFont.Bold, 22, 28) { IsAccented = true }, new(DocumentFont.Bold, 14.5, 20) { IsAccented = true }, new(DocumentFont.Bold, 12, 18) { IsAccented = true }];

    private static readonly XColor Ink = XColor.FromArgb(0x1A, 0x1A, 0x1A);
    private static readonly XColor Accent = XColor.FromArgb(0x17, 0x3A, 0x64);
    private static readonly XColor Pale = XColor.FromArgb(0x4A, 0x4A, 0x4A);
    private static readonly XColor Line = XColor.FromArgb(0xB4, 0xBE, 0xCB);

    private readonly List<Step> _steps = [];
    private double _y = Top;
    private int _page;

    /// <summary>The file's bytes.</summary>
    public static byte[] Write(DocumentContent content)
    {
        var layout = new DocumentPdf();
        foreach (var block in content.Blocks)
        {
            layout.Place(block);
        }

        return layout.Draw(content);
    }

    private void Place(Block block)
    {
        switch (block)
        {
            case Heading heading:
                PlaceHeading(heading);
                break;
            case Paragraph paragraph:
                foreach (var text in Lines(paragraph.Text))
                {
                    PlaceText(PdfBlockLevelElementTag.Paragraph, text, paragraph.IsAside ? Aside : Body, Left, Right);
                    _y += 5;
                }

                break;
            case ItemList { Items.Count: > 0 } list:
                PlaceList(list);
                break;
            case Table { Rows.Count: > 0 } table:
                PlaceTable(table);
                break;
            default:
                break;
        }
    }

    private void PlaceHeading(Heading heading)
    {
        var style = Headings[heading.Level - 1];
        _y += _y == Top ? 0 : heading.Level switch { 2 => 16, 3 => 8, _ => 0 };
        // A heading stays with the first lines of what it is about.
        Reserve(style.Leading + (3 * Body.Leading));
        PlaceText(heading.Level switch { 1 => PdfBlockLevelElementTag.Heading1, 2 => PdfBlockLevelElementTag.Heading2, _ => PdfBlockLevelElementTag.Heading3 }, heading.Text, style, Left, Right);
        if (heading.Level == 2)
        {
            _steps.Add(new Rule(_page, _y + 1));
            _y += 7;
        }
        else
        {
            _y += heading.Level == 1 ? 6 : 1;
        }
    }

    private void PlaceText(PdfBlockLevelElementTag tag, string text, Style style, double left, double right)
    {
        _steps.Add(new Begin(tag));
        foreach (var line in Broken(text, style, right - left))
        {
            Reserve(style.Leading);
            _y += style.Leading;
            _steps.Add(new Letters(_page, left, _y - (style.Leading - style.Size), line, style));
        }

        _steps.Add(new End());
    }

    private void PlaceList(ItemList list)
    {
        _steps.Add(new Begin(PdfBlockLevelElementTag.List));
        foreach (var (label, text) in list.Items)
        {
            var labels = Broken(label, list.LabelWidth > 20 ? Strong : Body, list.LabelWidth - 6);
            var lines = Lines(text).SelectMany(line => Broken(line, Body, Right - Left - list.LabelWidth)).ToList();
            Reserve(labels.Count * Body.Leading);
            _steps.Add(new Begin(PdfBlockLevelElementTag.ListItem));
            _steps.Add(new Begin(PdfBlockLevelElementTag.Label));
            for (var i = 0; i < labels.Count; i++)
            {
                _steps.Add(new Letters(_page, Left, _y + (i * Body.Leading) + Body.Size, labels[i], list.LabelWidth > 20 ? Strong : Body));
            }

            _steps.Add(new End());
            _steps.Add(new Begin(PdfBlockLevelElementTag.ListBody));
            var (page, end) = (_page, _y + (labels.Count * Body.Leading));
            foreach (var line in lines)
            {
                Reserve(Body.Leading);
                _y += Body.Leading;
                _steps.Add(new Letters(_page, Left + list.LabelWidth, _y - (Body.Leading - Body.Size), line, Body));
            }

            _y = page == _page ? Math.Max(_y, end) : _y;
            _steps.Add(new End());
            _steps.Add(new End());
            _y += 2;
        }

        _steps.Add(new End());
        _y += 4;
    }

    private void PlaceTable(Table table)
    {
        // The first column says what the row is about, in more words than the others.
        var others = (Right - Left) * 0.4 / (table.Head.Count - 1);
        _steps.Add(new Begin(PdfBlockLevelElementTag.Table));
        PlaceRow(table.Head, Strong, others, isHead: true);
        foreach (var row in table.Rows)
        {
            PlaceRow(row, Body, others, isHead: false);
        }

        _steps.Add(new End());
        _y += 8;
    }

    private void PlaceRow(IReadOnlyList<string> cells, Style style, double others, bool isHead)
    {
        var first = Right - Left - (others * (cells.Count - 1));
        var broken = cells.Select((cell, column) => Lines(cell).SelectMany(line => Broken(line, style, (column == 0 ? first : others) - (2 * CellPadding))).ToList()).ToList();
        var height = (broken.Max(lines => lines.Count) * style.Leading) + (2 * CellPadding);
        Reserve(height);
        _steps.Add(new Begin(PdfBlockLevelElementTag.TableRow));
        for (var column = 0; column < broken.Count; column++)
        {
            _steps.Add(new Begin(isHead ? PdfBlockLevelElementTag.TableHeaderCell : PdfBlockLevelElementTag.TableDataCell));
            for (var i = 0; i < broken[column].Count; i++)
            {
                _steps.Add(new Letters(_page, column == 0 ? Left : Left + first + ((column - 1) * others) + CellPadding, _y + CellPadding + (i * style.Leading) + style.Size, broken[column][i], style));
            }

            _steps.Add(new End());
        }

        _steps.Add(new End());
        _y += height;
        _steps.Add(new Rule(_page, _y));
    }

    /// <summary>Goes on at the top of the next page where there is no room.</summary>
    private void Reserve(double height)
    {
        if (_y + height > Bottom && _y > Top)
        {
            _page++;
            _y = Top;
        }
    }

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>
    /// The lines that a text is broken into: at a space, which stays at the line's end, so that read aloud or copied the words on both sides are two; or in a word
    /// that is wider than a line, where the line ends.
    /// </summary>
    private static List<string> Broken(string text, Style style, double width)
    {
        var lines = new List<string>();
        var (start, space, used) = (0, -1, 0.0);
        for (var at = 0; at < text.Length; at++)
        {
            used += style.WidthOf(text.AsSpan(at, 1));
            if (text[at] == ' ')
            {
                space = at;
            }
            else if (used > width && at > start)
            {
                var next = space >= start ? space + 1 : at;
                lines.Add(text[start..next]);
                used = style.WidthOf(text.AsSpan(next, at + 1 - next));
                start = next;
            }
        }

        lines.Add(text[start..]);
        return lines;
    }

    private byte[] Draw(DocumentContent content)
    {
        using var document = new PdfDocument();
        // What the library compresses ends in a way that strict readers warn of.
        document.Options.CompressContentStreams = false;
        document.Info.Title = content.Title;
        document.Info.Creator = Creator;
        document.Info.CreationDate = content.CreatedAt.UtcDateTime;
        document.Info.ModificationDate = content.CreatedAt.UtcDateTime;
        var accessibility = UAManager.ForDocument(document);
        accessibility.SetDocumentLanguage(Language);
        document.ViewerPreferences.DisplayDocTitle = true;
        var structure = accessibility.StructureBuilder;
        XGraphics? page = null;
        foreach (var step in _steps)
        {
            if (step is Mark mark && mark.Page >= document.PageCount)
            {
                // The last page is left only when the next is there: an element that goes on over the border is closed on the one and opened on the other.
                var last = page;
                page = AddPage(document, structure, content.Footer);
                last?.Dispose();
            }

            Draw(step, structure, page);
        }

        page?.Dispose();

        using var file = new MemoryStream();
        document.Save(file, closeStream: false);
        var bytes = file.ToArray();
        Describe(bytes, content);
        return bytes;
    }

    /// <summary>
    /// The library describes the file in a packet of XMP that does not say that it is accessible. Packets are made to be replaced in place: this one
    /// says what the file is, and nothing of where, by whom or of whom it was made.
    /// </summary>
    private static void Describe(byte[] file, DocumentContent content)
    {
        var begin = file.AsSpan().IndexOf("<?xpacket begin"u8);
        var end = file.AsSpan().IndexOf("<?xpacket end"u8);
        var at = string.Create(CultureInfo.InvariantCulture, $"{content.CreatedAt.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}");
        var packet = Encoding.UTF8.GetBytes(
            $"""
            <?xpacket begin="{'\uFEFF'}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/">
            <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
            <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{SecurityElement.Escape(content.Title)}</rdf:li></rdf:Alt></dc:title>
            <dc:language><rdf:Bag><rdf:li>{Language}</rdf:li></rdf:Bag></dc:language>
            <xmp:CreatorTool>{Creator}</xmp:CreatorTool>
            <xmp:CreateDate>{at}</xmp:CreateDate>
            <xmp:ModifyDate>{at}</xmp:ModifyDate>
            <pdfuaid:part>1</pdfuaid:part>
            </rdf:Description>
            </rdf:RDF>
            </x:xmpmeta>

            """);
        if (begin < 0 || packet.Length > end - begin)
        {
            throw new InvalidOperationException("The library describes files in another way than this version of it did.");
        }

        file.AsSpan(begin, end - begin).Fill((byte)' ');
        packet.CopyTo(file.AsSpan(begin));
    }

    private XGraphics AddPage(PdfDocument document, StructureBuilder structure, string footer)
    {
        var added = document.AddPage();
        (added.Width, added.Height) = (XUnit.FromPoint(PageWidth), XUnit.FromPoint(PageHeight));
        var page = XGraphics.FromPdfPage(added);
        var number = string.Create(CultureInfo.InvariantCulture, $"Sida {document.PageCount} av {_page + 1}");
        structure.BeginArtifact();
        page.DrawString(footer, Small.Font, Small.Brush, Left, FooterAt);
        page.DrawString(number, Small.Font, Small.Brush, Right - Small.WidthOf(number), FooterAt);
        structure.End();
        return page;
    }

    private static void Draw(Step step, StructureBuilder structure, XGraphics? page)
    {
        switch (step)
        {
            case Begin begin:
                structure.BeginElement(begin.Tag);
                if (begin.Tag == PdfBlockLevelElementTag.TableHeaderCell)
                {
                    var scope = new PdfDictionary();
                    scope.Elements.SetName("/O", "/Table");
                    scope.Elements.SetName("/Scope", "/Column");
                    structure.CurrentStructureElement.Elements.SetObject("/A", scope);
                }

                break;
            case End:
                structure.End();
                break;
            case Letters letters:
                page!.DrawString(letters.Line, letters.Style.Font, letters.Style.Brush, letters.X, letters.Y);
                break;
            case Rule rule:
                structure.BeginArtifact();
                page!.DrawLine(new XPen(Line, 0.75), Left, rule.Y, Right, rule.Y);
                structure.End();
                break;
            default:
                throw new InvalidOperationException("A step that is not drawn.");
        }
    }

    private abstract record Step;

    private sealed record Begin(PdfBlockLevelElementTag Tag) : Step;

    private sealed record End : Step;

    private abstract record Mark(int Page) : Step;

    /// <param name="Y">Where its letters stand.</param>
    private sealed record Letters(int Page, double X, double Y, string Line, Style Style) : Mark(Page);

    private sealed record Rule(int Page, double Y) : Mark(Page);

    /// <summary>A size of a font, and how far its lines stand apart.</summary>
    private sealed record Style(DocumentFont Face, double Size, double Leading)
    {
        private static readonly XPdfFontOptions Unicode = new(PdfFontEncoding.Unicode);

        static Style() => GlobalFontSettings.FontResolver ??= new OwnFonts();

        public bool IsPale { get; init; }

        public bool IsAccented { get; init; }

        /// <summary>Made for each document: documents are written at the same time, and the library shares nothing but what it has read of the fonts.</summary>
        public XFont Font => new(DocumentFont.Family, Size, Face == DocumentFont.Bold ? XFontStyleEx.Bold : XFontStyleEx.Regular, Unicode);

        public XBrush Brush => new XSolidBrush(IsAccented ? Accent : IsPale ? Pale : Ink);

        public double WidthOf(ReadOnlySpan<char> text) => Face.WidthOf(text, Size);
    }

    /// <summary>The fonts that come with the program, and no others: a machine's own would make another document of it.</summary>
    private sealed class OwnFonts : IFontResolver
    {
        public FontResolverInfo? ResolveTypeface(string familyName, bool isBold, bool isItalic) =>
            familyName == DocumentFont.Family ? new FontResolverInfo((isBold ? DocumentFont.Bold : DocumentFont.Regular).Name) : null;

        public byte[]? GetFont(string faceName) => faceName == DocumentFont.Bold.Name ? DocumentFont.Bold.Bytes : DocumentFont.Regular.Bytes;
    }
}
