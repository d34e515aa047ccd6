using CoordinationPlan.Policy;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// Which rows that name a unit a caller may see: that a sheltered housing or a school takes part, is called, answers, or does something for the person is where
/// the person is. The one place for it, of whatever names units: each such row has a category, and of some categories some callers see their own unit's rows
/// only, and those that name no unit.
/// </summary>
/// <param name="Permitted">What the permit lists.</param>
/// <param name="OwnOnly">Of these, only the rows of the caller's own unit.</param>
/// <param name="UnitId">The caller's unit.</param>
internal sealed record Sight(Categories Permitted, Categories OwnOnly, string UnitId)
{
    private const Categories Places = Categories.Whereabouts | Categories.SchoolPlacement;

    /// <summary>Of which rows some are seen by some only, by whose unit they name.</summary>
    public const Categories OfUnits = Places | Categories.ProtectionMeasures;

    /// <summary>
    /// A sheltered housing knows by itself that the person stays with it, and not where the person went next; and which school the child goes to from there. A
    /// school knows of itself alone. Everybody else has no room for either but by release, and the owning unit sees them all. What is to be minded for the
    /// person's protection, each unit knows of itself.
    /// </summary>
    public static Sight Of(Decision permit, CallerFacts caller, Relation relation) => new(
        permit.Reads,
        relation == Relation.Owning ? Categories.None : (caller.UnitKind == UnitKind.School ? Places : Categories.Whereabouts) | Categories.ProtectionMeasures,
        caller.UnitId);

    /// <summary>Sight of no place, whatever is permitted.</summary>
    public static Sight Within(Categories permitted, string unitId) => new(permitted & ~Places, Categories.ProtectionMeasures, unitId);

    /// <summary>The category of a row that names a unit of this kind, which is otherwise of the given one.</summary>
    public static Categories CategoryOf(V1.UnitKind kind, Categories otherwise) => kind switch
    {
        V1.UnitKind.ShelteredHousing => Categories.Whereabouts,
        V1.UnitKind.School => Categories.SchoolPlacement,
        _ => otherwise,
    };

    /// <summary>Of which places all rows are seen, whosever unit's.</summary>
    public Categories Whole => Permitted & OfUnits & ~OwnOnly;

    /// <summary>Everything that names a unit is seen.</summary>
    public bool IsWhole => (Permitted & Places) == Places && OwnOnly == Categories.None;

    /// <summary>Whether a row of a category, which names a unit, may be seen.</summary>
    public bool Shows(Categories category, string? unitId) => (Permitted & category) != Categories.None && ((OwnOnly & category) == Categories.None || unitId == UnitId);

    /// <summary>Whether a unit of this kind may be spoken of; if not, one that the caller names is as unknown as an invented one.</summary>
    public bool MayName(V1.UnitKind kind, string unitId) => (CategoryOf(kind, Categories.None) & ~Permitted) == Categories.None || unitId == UnitId;
}
