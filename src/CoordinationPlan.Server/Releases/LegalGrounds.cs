using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Releases;

/// <summary>A ground in law, with what it can release.</summary>
/// <param name="From">The kinds of unit whose secrecy it lifts: the owning unit is one of them.</param>
/// <param name="To">The kinds of unit that may receive.</param>
/// <param name="Documents">The kinds of document that it is for, and then for nothing else; none: it is for releases and documents alike.</param>
/// <param name="Uncertain">Counsel has not confirmed the row (docs/law.md).</param>
internal sealed record LegalGround(
    string Code,
    string Paragraph,
    string Summary,
    Categories Categories,
    IReadOnlyCollection<UnitKind> From,
    IReadOnlyCollection<UnitKind> To,
    int MaxDays,
    bool OverridesRefusal,
    bool OnlyMinors,
    DateOnly ValidFrom,
    DateOnly? ValidTo,
    IReadOnlyCollection<V1.DisclosureKind> Documents,
    bool Uncertain)
{
    public bool IsValidOn(DateOnly day) => day >= ValidFrom && (ValidTo is not { } last || day <= last);

    /// <summary>Whether a standing release can rest on it.</summary>
    public bool IsForReleases => Documents.Count == 0;

    public bool IsForDocument(V1.DisclosureKind kind) => Documents.Count == 0 || Documents.Contains(kind);

    public V1.LegalGround ToLegalGround()
    {
        var ground = new V1.LegalGround
        {
            Code = Code,
            Paragraph = Paragraph,
            Summary = Uncertain ? Summary + " Osäkert: rådfråga jurist." : Summary,
            MaxDays = MaxDays,
            OverridesRefusal = OverridesRefusal,
            ValidFromDate = ValidFrom.ToDate(),
            OnlyMinors = OnlyMinors,
        };
        ground.Categories.AddRange(CategorySets.ToList(Categories));
        ground.DisclosureKinds.AddRange(Documents);
        return ground;
    }
}

/// <summary>
/// The legal grounds: data, in legal-grounds.json, so that a change of law is a change of a row. A list with a fault stops the service at start.
/// </summary>
internal sealed class LegalGrounds
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    private readonly Dictionary<string, LegalGround> _grounds;

    private LegalGrounds(IEnumerable<LegalGround> grounds) => _grounds = grounds.ToDictionary(ground => ground.Code, StringComparer.Ordinal);

    /// <summary>The list that comes with the service.</summary>
    public static LegalGrounds Load()
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream("legal-grounds.json") ?? throw new InvalidOperationException("The list of legal grounds is missing.");
        return Parse(file);
    }

    /// <exception cref="InvalidOperationException">A row is not one that law could have.</exception>
    /// <exception cref="JsonException">It is not such a list at all.</exception>
    public static LegalGrounds Parse(Stream json)
    {
        var rows = JsonSerializer.Deserialize<Row[]>(json, Strict) ?? throw new InvalidOperationException("The list of legal grounds is empty.");
        var faults = rows.SelectMany(FaultsOf)
            .Concat(rows.GroupBy(row => row.Code, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => $"{same.Key} is there twice"))
            .ToList();
        return faults.Count == 0 ? new LegalGrounds(rows.Select(ToGround)) : throw new InvalidOperationException("The list of legal grounds is refused: " + string.Join("; ", faults));
    }

    /// <summary>The ground, if it is one that can be used that day.</summary>
    public LegalGround? Find(string code, DateOnly today) => _grounds.TryGetValue(code, out var ground) && ground.IsValidOn(today) ? ground : null;

    /// <summary>Those that can be used that day, by code.</summary>
    public IEnumerable<LegalGround> On(DateOnly today) => _grounds.Values.Where(ground => ground.IsValidOn(today)).OrderBy(ground => ground.Code, StringComparer.Ordinal);

    private static IEnumerable<string> FaultsOf(Row row)
    {
        if (row.Code.Length is 0 or > 60 || string.IsNullOrWhiteSpace(row.Paragraph) || string.IsNullOrWhiteSpace(row.Summary))
        {
            yield return $"{row.Code} lacks code, paragraph or summary";
        }

        if (row.Categories.Length == 0 || row.Categories.Any(name => !Named<Categories>(name, out var category) || (category & AccessPolicy.Releasable) == Categories.None))
        {
            yield return $"{row.Code} lists no category, or one that can never be released";
        }

        if (new[] { row.From, row.To }.Any(kinds => kinds.Length == 0 || kinds.Any(name => !Named<UnitKind>(name, out var kind) || kind == UnitKind.Unspecified)))
        {
            yield return $"{row.Code} does not say from whom to whom";
        }

        if (row.Documents?.Any(name => !Named<V1.DisclosureKind>(name, out var kind) || kind == V1.DisclosureKind.Unspecified) ?? false)
        {
            yield return $"{row.Code} is for documents of a kind that there is not";
        }

        if (row.MaxDays < 1)
        {
            yield return $"{row.Code} holds for no day";
        }

        if (row.ValidTo < row.ValidFrom)
        {
            yield return $"{row.Code} ends before it begins";
        }
    }

    private static LegalGround ToGround(Row row) => new(
        row.Code,
        row.Paragraph,
        row.Summary,
        row.Categories.Aggregate(Categories.None, (all, name) => Named<Categories>(name, out var category) ? all | category : all),
        KindsOf(row.From),
        KindsOf(row.To),
        row.MaxDays,
        row.OverridesRefusal,
        row.OnlyMinors,
        row.ValidFrom,
        row.ValidTo,
        [.. (row.Documents ?? []).Select(name => Named<V1.DisclosureKind>(name, out var kind) ? kind : default)],
        row.Uncertain);

    private static UnitKind[] KindsOf(string[] names) => [.. names.Select(name => Named<UnitKind>(name, out var kind) ? kind : default)];

    /// <summary>The list has the contract's names, as the log does.</summary>
    private static bool Named<T>(string name, out T value)
        where T : struct, Enum
    {
        var found = Enum.GetValues<T>().Where(known => WireNames.Of(known) == name).ToList();
        value = found.FirstOrDefault();
        return found.Count == 1;
    }

    private sealed record Row(
        string Code,
        string Paragraph,
        string Summary,
        string[] Categories,
        string[] From,
        string[] To,
        int MaxDays,
        bool OverridesRefusal,
        bool OnlyMinors,
        DateOnly ValidFrom,
        DateOnly? ValidTo = null,
        string[]? Documents = null,
        bool Uncertain = false);
}
