using System.Reflection;
using CoordinationPlan.Server.Copies;

namespace CoordinationPlan.Server.Tests.Copies;

/// <summary>What documents are made of.</summary>
public sealed class DocumentTests
{
    /// <summary>Every code that a document can show has a word: a value added to the contract and forgotten here fails.</summary>
    [Fact]
    public void Every_code_has_a_word_in_Swedish()
    {
        var words = typeof(PlainSwedish).GetMethods(BindingFlags.Static | BindingFlags.Public).Where(method => method.GetParameters()[0].ParameterType.IsEnum).ToList();
        Assert.NotEmpty(words);
        foreach (var method in words)
        {
            var codes = Enum.GetValues(method.GetParameters()[0].ParameterType).Cast<object>().Where(code => (int)code != 0).ToList();
            foreach (var toThePerson in new[] { true, false })
            {
                var said = codes.ConvertAll(code => (string)method.Invoke(null, method.GetParameters().Length == 1 ? [code] : [code, toThePerson])!);
                Assert.DoesNotContain("", said);
                Assert.Distinct(said);
            }
        }
    }

    [Theory]
    [InlineData(2027, 5, 3, "den 3 maj 2027")]
    [InlineData(2028, 2, 29, "den 29 februari 2028")]
    [InlineData(2026, 12, 31, "den 31 december 2026")]
    public void Dates_are_Swedish(int year, int month, int day, string expected) => Assert.Equal(expected, PlainSwedish.Of(new DateOnly(year, month, day)));

    [Theory]
    [InlineData("2027-07-01T22:30:00Z", "den 2 juli 2027 klockan 00.30")]
    [InlineData("2027-01-01T22:30:00Z", "den 1 januari 2027 klockan 23.30")]
    public void Times_are_Swedish_time(string instant, string expected) =>
        Assert.Equal(expected, PlainSwedish.Of(Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture))));

    [Fact]
    public void Documents_are_written_at_the_same_time_and_none_gets_anothers_text()
    {
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, number =>
        {
            var content = new DocumentContent("Titel", "Fot", DateTimeOffset.UnixEpoch, [new Heading(1, $"Dokument {number}"), new Paragraph(string.Join(' ', Enumerable.Repeat($"nummer{number}", 900)))]);
            using var file = new PdfFile(DocumentPdf.Write(content));
            Assert.Equal([("H1", $"Dokument {number}"), ("P", string.Join(' ', Enumerable.Repeat($"nummer{number}", 900)))], file.Structure);
        });
    }

    [Fact]
    public void A_table_row_and_a_heading_are_never_parted_from_what_belongs_to_them()
    {
        var rows = Enumerable.Range(0, 200).Select(row => (IReadOnlyList<string>)[$"rad {row}", string.Join(' ', Enumerable.Repeat("svar", row % 60))]).ToList();
        using var file = new PdfFile(DocumentPdf.Write(new DocumentContent("Titel", "Fot", DateTimeOffset.UnixEpoch, [new Heading(1, "Rader"), new Table(["Ett", "Två"], rows)])));

        Assert.Equal(rows.Select(row => row[0]), file.Structure.Where(item => item.Text.StartsWith("rad ", StringComparison.Ordinal)).Select(item => item.Text));
        Assert.Equal(file.Letters.All, file.Letters.Marked);
        Assert.True(file.Pages > 5);
    }

    /// <summary>What is not drawn is counted; what is invisible anyhow is not.</summary>
    [Theory]
    [InlineData("Ö\u200Bsten\u00AD", "Östen", 0)]
    [InlineData("a\tb\u00A0c\r\nd", "a b c\n\nd", 0)]
    [InlineData("שרה", "���", 3)]
    [InlineData("👩‍👧", "��", 2)]
    public void Every_character_is_shown_or_counted(string text, string shown, int missing)
    {
        var counted = 0;
        Assert.Equal(shown, DocumentFont.Showable(text, ref counted));
        Assert.Equal(missing, counted);
    }
}
