using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Releases;

/// <summary>A ground in law for a release without consent.</summary>
internal sealed record Ground(
    string Code, string Paragraph, string Summary, InformationKind[] Categories, int MaxDays, bool OverridesRefusal, bool OnlyMinors, DateOnly ValidFrom, DateOnly? ValidTo = null)
{
    /// <summary>The most that it can release; never what no release can.</summary>
    public Categories Most => Categories.Aggregate(Policy.Categories.None, (all, one) => all | (Categories)(1 << (int)one)) & AccessPolicy.Releasable;

    public bool IsValidOn(DateOnly day) => ValidFrom <= day && (ValidTo is null || day <= ValidTo);

    public V1.LegalGround ToLegalGround()
    {
        var ground = new V1.LegalGround
        {
            Code = Code,
            Paragraph = Paragraph,
            Summary = Summary,
            MaxDays = MaxDays,
            OverridesRefusal = OverridesRefusal,
            OnlyMinors = OnlyMinors,
            ValidFromDate = ValidFrom.ToDate(),
        };
        ground.Categories.AddRange(CategorySets.ToList(Most));
        return ground;
    }
}

/// <summary>Categories as the list writes them: the contract's names.</summary>
internal enum InformationKind
{
    Existence = 1,
    Identity = 2,
    ContactDetails = 3,
    GoalsAndInterventions = 4,
    SocialSituation = 5,
    Health = 6,
    Schooling = 7,
    ProtectionMeasures = 8,
    ChildsOwnWords = 12,
    Meetings = 13,
}

/// <summary>
/// The grounds, as data: legal-grounds.json, which docs/law.md comments on. Not the general clause (OSL 10 kap. 27 §): it does not hold against
/// chapters 25 and 26.
/// </summary>
internal static class LegalGrounds
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(allowIntegerValues: false) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    public static IReadOnlyList<Ground> All { get; } = Load();

    public static Ground? Find(string code, DateOnly day) => All.FirstOrDefault(ground => ground.Code == code && ground.IsValidOn(day));

    private static Ground[] Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("legal-grounds.json")!;
        return [.. JsonSerializer.Deserialize<Ground[]>(stream, Json)!.OrderBy(ground => ground.Code, StringComparer.Ordinal)];
    }
}
