namespace CoordinationPlan.Server.Copies;

/// <summary>A piece of a document: what it says and what it is, not how it looks.</summary>
internal abstract record Block;

/// <summary>A heading. The first one of a document is its only one of level 1.</summary>
internal sealed record Heading(int Level, string Text) : Block;

/// <summary>A text. Each of its lines is a paragraph of its own.</summary>
/// <param name="IsAside">Said in passing: smaller and paler.</param>
internal sealed record Paragraph(string Text, bool IsAside = false) : Block;

/// <summary>Items of a label and a text each: a bullet and what it stands for, or a question and its answer.</summary>
internal sealed record ItemList(double LabelWidth, IReadOnlyList<(string Label, string Text)> Items) : Block
{
    public static ItemList Bullets(IEnumerable<string> texts) => new(14, [.. texts.Select(text => ("•", text))]);

    /// <summary>Facts that are there; one without a text is left out.</summary>
    public static ItemList Facts(params IEnumerable<(string Label, string Text)> facts) => new(118, [.. facts.Where(fact => !string.IsNullOrWhiteSpace(fact.Text))]);
}

/// <summary>A table whose first row says what the columns are.</summary>
internal sealed record Table(IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows) : Block;

/// <summary>A whole document.</summary>
/// <param name="Title">Its title, which goes into the file's properties and names nobody.</param>
/// <param name="Footer">What stands at the foot of each page before the page's number.</param>
internal sealed record DocumentContent(string Title, string Footer, DateTimeOffset CreatedAt, IReadOnlyList<Block> Blocks);
