using System.Globalization;
using CoordinationPlan.Server.Disclosures;
using CoordinationPlan.V1;
using CsCheck;

namespace CoordinationPlan.Server.Tests.Disclosures;

/// <summary>However somebody writes where the person is, it is found; and what has nothing to do with it is not.</summary>
public sealed class WhereaboutsSearchTests
{
    private static readonly Whereabouts Place = new()
    {
        Address = "c/o Familjen Ödegård, Gömvägen 17 B\nlgh 1102, SE-123 45 Östra Ryd",
        SafeContact = "Ring 08-987 65 43 efter sju, eller +46 70 765 43 21. E-post: trygg.hamn@exempel.test",
    };

    private static readonly TellingUnit[] Units =
    [
        new("SE8020000001-HAMN", "Trygga Hamnen", IsSchool: false, "Kvinnojouren Ålgrens", OrganisationIsMunicipality: false, IsOwnOrganisation: false),
        new("SE2120009999-X1", "Skyddat boende Björk", IsSchool: false, "Häradsbygds kommun", OrganisationIsMunicipality: true, IsOwnOrganisation: false),
        new("12345678", "Näsby skola", IsSchool: true, "Södervika kommun", OrganisationIsMunicipality: true, IsOwnOrganisation: false),
        new("SE2120000142-Y", "Enhet Gran", IsSchool: false, "Stockholms stad", OrganisationIsMunicipality: true, IsOwnOrganisation: true),
    ];

    private static readonly WhereaboutsSearch Search = new(Place, Units);

    /// <summary>What a document could say of the place, each with what it is.</summary>
    private static readonly (string Text, FindingKind Kind)[] Telling =
    [
        ("Gömvägen 17 B", FindingKind.Address),
        ("Gömvägen", FindingKind.Address),
        ("lgh 1102", FindingKind.Address),
        ("123 45", FindingKind.PostalCode),
        ("Östra Ryd", FindingKind.Town),
        ("Familjen Ödegård", FindingKind.CareOf),
        ("Ödegård", FindingKind.CareOf),
        ("Trygga Hamnen", FindingKind.UnitName),
        ("Kvinnojouren Ålgrens", FindingKind.UnitName),
        ("SE8020000001-HAMN", FindingKind.UnitId),
        ("08-987 65 43", FindingKind.PhoneNumber),
        ("+46 8 987 65 43", FindingKind.PhoneNumber),
        ("0046 (0)8 9876543", FindingKind.PhoneNumber),
        ("070-765 43 21", FindingKind.PhoneNumber),
        ("+46 (0)70 765 43 21", FindingKind.PhoneNumber),
        ("trygg.hamn@exempel.test", FindingKind.EmailAddress),
        ("Häradsbygds kommun", FindingKind.Municipality),
        ("Häradsbygd", FindingKind.Municipality),
        ("Näsby skola", FindingKind.SchoolName),
        ("12345678", FindingKind.SchoolId),
        ("Södervika", FindingKind.SchoolMunicipality),
    ];

    private static readonly string[] Filler =
    [
        "Eleven", "hämtas", "klockan", "åtta", "vid", "entrén", "faktura", "avser", "hösten", "2026", "belopp", "4 750 kr", "enligt", "beslut", "och", "återgår", "kväll", "Stockholms stad", "gömma",
        "vägen till", "hamnen", "trygghet", "jour", "skolan", "58", "telefontid", "10.30",
    ];

    // Never between words that it would join: what is put between them is no letter and no digit.
    private static readonly Gen<string> Between = Any(" ", "  ", ", ", ". ", "\n", " - ", "; ", "\t", "\u00A0", " (");

    private static readonly Gen<string> Words = Any(Filler).Array[0, 8].Select(words => string.Join(' ', words));

    /// <summary>A text with one of the letters or signs of it written otherwise, so that people still read the same.</summary>
    private static readonly Gen<Func<string, string>> Disguise = Any<Func<string, string>>(
        text => text,
        text => text.ToUpperInvariant(),
        text => text.ToLowerInvariant(),
        Decomposed,
        WithoutAccents,
        text => WithoutAccents(text).ToUpperInvariant(),
        text => text.Replace(" ", "\n", StringComparison.Ordinal),
        text => text.Replace(" ", "\u00A0", StringComparison.Ordinal),
        text => text.Replace(" ", " \u00AD", StringComparison.Ordinal).Insert(2, "\u00AD"),
        text => text.Insert(1, "\u200B"),
        text => text.Insert(text.Length / 2, "-\n"),
        text => text.Insert(text.Length / 2, "-"),
        text => text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal),
        text => text.Replace("-", " ", StringComparison.Ordinal),
        text => string.Join(' ', text.AsEnumerable()),
        text => string.Concat(text.Select(letter => letter is >= '0' and <= '9' ? (char)(letter - '0' + '\uFF10') : letter)));

    [Fact]
    public void What_tells_is_found_however_it_is_written_and_wherever_it_stands() =>
        Gen.Select(Any(Telling), Disguise, Words, Between, Between, Words).Sample(
            (told, disguise, before, left, right, after) =>
            {
                var written = disguise(told.Text);
                var text = $"{before}{left}{written}{right}{after}";
                var offset = (before + left).EnumerateRunes().Count();
                var end = offset + written.EnumerateRunes().Count();

                var findings = Search.In(new OutgoingDocument { Text = text });

                var found = findings.Where(finding => finding.Kind == told.Kind && finding.Offset >= offset - 2 && finding.Offset < end && finding.Offset + finding.Length > offset).ToList();
                Assert.True(found.Count > 0, $"{told.Kind} was not found in: {text}");
                Assert.All(findings, finding => Assert.True(finding is { Length: > 0, Offset: >= 0, Field: "text" } && finding.Offset + finding.Length <= text.EnumerateRunes().Count()));
                // Where it stands by itself, just that is found.
                if (before.Length == 0 && after.Length == 0 && written == told.Text)
                {
                    Assert.Contains(found, finding => finding.Length <= end - offset);
                }
            },
            iter: 30_000);

    [Fact]
    public void What_does_not_tell_is_not_found() =>
        Gen.Select(Words, Between, Words).Sample((before, between, after) => Assert.Empty(Search.In(new OutgoingDocument { Text = before + between + after })), iter: 10_000);

    [Fact]
    public void The_genitive_and_the_definite_form_of_a_name_are_found_and_longer_words_are_not()
    {
        foreach (var found in new[] { "Östra Ryds kyrka", "Häradsbygds", "Trygga Hamnens personal", "vid Gömvägens slut", "Näsby skolas elever" })
        {
            Assert.NotEmpty(Search.In(new OutgoingDocument { Text = found }));
        }

        foreach (var other in new[] { "Östra Rydberg", "Häradsbygdare", "Överödegården", "1123 45", "123 456", "908-987 65 43", "112345678", "Gömvägenskylt" })
        {
            Assert.Empty(Search.In(new OutgoingDocument { Text = other }));
        }
    }

    [Fact]
    public void Accents_ligatures_and_wide_letters_are_as_the_plain_ones()
    {
        var search = new WhereaboutsSearch(new Whereabouts { Address = "Ærøgade 5, 999 99 Łódź Fjällbyße" }, []);

        foreach (var (written, kind) in new[] { ("aerogade 5", FindingKind.Address), ("lodz FJALLBYSSE", FindingKind.Town), ("Ｌｏｄｚ fjällbyſse", FindingKind.Town), ("ŁÓDŹ Fja\u0308llbysse", FindingKind.Town), ("⁹⁹⁹ ９９", FindingKind.PostalCode) })
        {
            Assert.Equal([kind], search.In(new OutgoingDocument { Text = written }).Select(finding => finding.Kind));
        }
    }

    [Fact]
    public void The_longer_finding_of_a_kind_is_enough_and_kinds_do_not_hide_each_other()
    {
        var findings = Search.In(new OutgoingDocument { Text = "Hämtas på Gömvägen 17 B, 12345 Östra Ryd." });

        Assert.Equal(
            [(FindingKind.Address, 10, 13), (FindingKind.PostalCode, 25, 5), (FindingKind.Town, 31, 9)],
            findings.Select(finding => (finding.Kind, finding.Offset, finding.Length)));
    }

    [Fact]
    public void Names_and_values_of_properties_are_searched_and_positions_are_in_code_points()
    {
        var findings = Search.In(new OutgoingDocument
        {
            Text = "😀 Östra Ryd",
            Properties = { new DocumentProperty { Name = "filename", Value = "skjuts_ostra_ryd.pdf" }, new DocumentProperty { Name = "Trygga Hamnen", Value = "" } },
        });

        Assert.Equal(
            [("text", 2, 9), ("properties[0].value", 7, 9), ("properties[1].name", 0, 13)],
            findings.Select(finding => (finding.Field, finding.Offset, finding.Length)));
    }

    [Fact]
    public void The_senders_own_organisation_is_no_finding_but_its_shelter_is()
    {
        Assert.Empty(Search.In(new OutgoingDocument { Text = "Stockholms stad, Stockholm" }));
        Assert.Equal(FindingKind.UnitName, Assert.Single(Search.In(new OutgoingDocument { Text = "Enhet Gran" })).Kind);
    }

    [Fact]
    public void Where_nothing_is_known_nothing_is_found()
    {
        var nothing = new WhereaboutsSearch(new Whereabouts(), []);

        Assert.Empty(nothing.Sought);
        Assert.Empty(nothing.In(new OutgoingDocument { Text = "Gömvägen 17, 123 45 Östra Ryd" }));
        // What stands in every address is not looked for by itself.
        Assert.DoesNotContain(new WhereaboutsSearch(new Whereabouts { Address = "Storgatan 1, lgh 2, vån 3, 3 tr, Sverige" }, []).Sought, sought => sought.Folded is "lgh" or "van" or "tr" or "sverige" or "1");
    }

    [Fact]
    public void Every_address_that_can_be_is_found_in_a_document_that_repeats_it() =>
        Gen.Select(Any("Storgatan", "Åsö väg", "Lilla Ängsgränd", "Ö", "Vik"), Gen.Int[1, 400], Gen.Int[100, 989], Gen.Int[0, 99], Any("Umeå", "Ed", "Ås", "Västra Åmtervik")).Sample(
            (street, number, first, last, town) =>
            {
                var (house, code) = (string.Create(CultureInfo.InvariantCulture, $"{street} {number}"), string.Create(CultureInfo.InvariantCulture, $"{first:000} {last:00}"));
                foreach (var address in new[] { $"{house}, {code} {town}", $"{house}\n{code}  {town}", $"{house} {code} {town}", $"{house}, {town}" })
                {
                    var kinds = new WhereaboutsSearch(new Whereabouts { Address = address }, []).In(new OutgoingDocument { Text = address }).Select(finding => finding.Kind).ToHashSet();
                    Assert.Contains(FindingKind.Town, kinds);
                    Assert.True(kinds.Contains(FindingKind.PostalCode) || !address.Contains(code, StringComparison.Ordinal));
                    Assert.True(kinds.Contains(FindingKind.Address) || street.Length < 3);
                }
            },
            iter: 3_000);

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    // The letters that stand in what is looked for. Nothing here decomposes by itself: tests and service run without the data of ICU.
    private static string WithoutAccents(string text) => Decomposed(text).Replace("\u030A", "", StringComparison.Ordinal).Replace("\u0308", "", StringComparison.Ordinal);

    private static string Decomposed(string text) => string.Concat(text.Select(letter => letter switch
    {
        'å' => "a\u030A",
        'ä' => "a\u0308",
        'ö' => "o\u0308",
        'Å' => "A\u030A",
        'Ä' => "A\u0308",
        'Ö' => "O\u0308",
        _ => letter.ToString(),
    }));
}
