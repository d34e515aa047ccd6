using System.Text;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Content;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Tokens;

namespace CoordinationPlan.Server.Tests.Copies;

/// <summary>A PDF as somebody reads it who did not write it: its texts, what each of them is, and its properties.</summary>
internal sealed class PdfFile : IDisposable
{
    private readonly PdfDocument _document;
    private readonly Dictionary<IndirectReference, int> _pages = [];

    public PdfFile(ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes.ToArray();
        _document = PdfDocument.Open(Bytes);
        AddPages(Dictionary(Catalog, "Pages"));
    }

    public byte[] Bytes { get; }

    public int Pages => _document.NumberOfPages;

    /// <summary>Every text of the structure tree in reading order, by what it is: the path of its tags, as `L/LI/LBody`.</summary>
    public IReadOnlyList<(string Tag, string Text)> Structure
    {
        get
        {
            var found = new List<(string, string)>();
            var marked = _document.GetPages().ToDictionary(page => page.Number, page => Flat(page.GetMarkedContents()).Where(content => content.MarkedContentIdentifier >= 0).ToLookup(content => content.MarkedContentIdentifier));
            Walk(Resolve(Dictionary(Catalog, "StructTreeRoot").Data["K"]), "", 0, marked, found);
            return found;
        }
    }

    /// <summary>All that is read aloud.</summary>
    public string Text => string.Join('\n', Structure.Select(item => item.Text));

    /// <summary>What stands on the pages and in no element: decoration, page numbers.</summary>
    public IReadOnlyList<string> Artifacts =>
        [.. _document.GetPages().SelectMany(page => Flat(page.GetMarkedContents()).Where(content => content.IsArtifact).Select(TextOf)).Where(text => text.Length > 0)];

    /// <summary>How many letters stand on the pages, and how many of those in an element or marked as decoration.</summary>
    public (int All, int Marked) Letters => (
        _document.GetPages().Sum(page => page.Letters.Count),
        _document.GetPages().Sum(page => Flat(page.GetMarkedContents()).Where(content => content.IsArtifact || content.MarkedContentIdentifier >= 0).Sum(content => content.Letters.Count)));

    public string? Language => Value("Lang");

    public bool IsTagged => Dictionary(Catalog, "MarkInfo").Data["Marked"] is BooleanToken { Data: true };

    public bool ShowsTitle => Dictionary(Catalog, "ViewerPreferences").Data["DisplayDocTitle"] is BooleanToken { Data: true };

    public DocumentInformation Information => _document.Information;

    public string Metadata => _document.TryGetXmpMetadata(out var packet) ? Encoding.UTF8.GetString(packet.GetXmlBytes()) : "";

    /// <summary>Every font that the file describes, with whether it is in the file.</summary>
    public IReadOnlyList<(string Name, bool IsEmbedded)> Fonts =>
    [
        .. from dictionary in Objects
           where dictionary.Data.TryGetValue("Type", out var type) && type is NameToken { Data: "FontDescriptor" }
           select (((NameToken)dictionary.Data["FontName"]).Data, dictionary.Data.ContainsKey("FontFile2")),
    ];

    /// <summary>How many fonts have a description of their own or of a descendant's, which is where an embedded font stands.</summary>
    public IReadOnlyList<string> FontsWithoutText =>
    [
        .. from dictionary in Objects
           where dictionary.Data.TryGetValue("Subtype", out var type) && type is NameToken { Data: "Type0" or "TrueType" or "Type1" } && !dictionary.Data.ContainsKey("ToUnicode")
           select dictionary.ToString(),
    ];

    /// <summary>Which columns and rows the header cells are for.</summary>
    public IReadOnlyList<string> HeaderScopes =>
    [
        .. from dictionary in Objects
           where dictionary.Data.TryGetValue("S", out var tag) && tag is NameToken { Data: "TH" }
           select dictionary.Data.TryGetValue("A", out var attributes) && Resolve(attributes) is DictionaryToken named && named.Data.TryGetValue("Scope", out var scope)
               ? ((NameToken)scope).Data
               : "",
    ];

    private DictionaryToken Catalog => _document.Structure.Catalog.CatalogDictionary;

    private IEnumerable<DictionaryToken> Objects =>
        _document.Structure.CrossReferenceTable.ObjectOffsets.Keys.Select(reference => _document.Structure.GetObject(reference)?.Data).OfType<DictionaryToken>();

    public void Dispose() => _document.Dispose();

    private string? Value(string key) => Catalog.Data.TryGetValue(key, out var value) && Resolve(value) is StringToken text ? text.Data : null;

    private DictionaryToken Dictionary(DictionaryToken of, string key) => (DictionaryToken)Resolve(of.Data[key]);

    private IToken Resolve(IToken token) => token is IndirectReferenceToken reference ? _document.Structure.GetObject(reference.Data).Data : token;

    private void AddPages(DictionaryToken node)
    {
        foreach (var kid in ((ArrayToken)Resolve(node.Data["Kids"])).Data.Cast<IndirectReferenceToken>())
        {
            var child = (DictionaryToken)Resolve(kid);
            if (child.Data.ContainsKey("Kids"))
            {
                AddPages(child);
            }
            else
            {
                _pages[kid.Data] = _pages.Count + 1;
            }
        }
    }

    private void Walk(IToken kid, string path, int page, Dictionary<int, ILookup<int, MarkedContentElement>> marked, List<(string, string)> found)
    {
        switch (kid)
        {
            case ArrayToken array:
                // The texts of one element are one text, wherever its pages end.
                var before = found.Count;
                foreach (var item in array.Data)
                {
                    Walk(Resolve(item), path, page, marked, found);
                }

                if (found.Count > before + 1 && found.Skip(before).All(item => item.Item1 == path))
                {
                    var whole = string.Concat(found.Skip(before).Select(item => item.Item2));
                    found.RemoveRange(before, found.Count - before);
                    found.Add((path, whole));
                }

                break;
            case NumericToken number:
                found.Add((path, string.Concat(marked[page][number.Int].Select(TextOf))));
                break;
            case DictionaryToken content when content.Data.ContainsKey("MCID"):
                Walk(content.Data["MCID"], path, PageOf(content, page), marked, found);
                break;
            case DictionaryToken element:
                var tag = ((NameToken)element.Data["S"]).Data;
                if (element.Data.TryGetValue("K", out var kids))
                {
                    Walk(Resolve(kids), tag == "Document" ? "" : path.Length == 0 ? tag : $"{path}/{tag}", PageOf(element, page), marked, found);
                }

                break;
            default:
                throw new InvalidOperationException("A structure element of an unknown kind.");
        }
    }

    private int PageOf(DictionaryToken element, int otherwise) =>
        element.Data.TryGetValue("Pg", out var page) && page is IndirectReferenceToken reference ? _pages[reference.Data] : otherwise;

    private static IEnumerable<MarkedContentElement> Flat(IEnumerable<MarkedContentElement> contents) => contents.SelectMany(content => Flat(content.Children).Prepend(content));

    private static string TextOf(MarkedContentElement content) => string.Concat(content.Letters.Select(letter => letter.Value));
}
