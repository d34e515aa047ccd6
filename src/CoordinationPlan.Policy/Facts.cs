namespace CoordinationPlan.Policy;

/// <summary>
/// Who calls, as the token and the directory say. Whatever is missing or unknown keeps its default, and every default denies.
/// </summary>
/// <param name="NamesAssignment">The call names an assignment.</param>
/// <param name="AssignmentInForce">The assignment exists, is this caller's, holds today and is not revoked.</param>
/// <param name="Role">The assignment's role.</param>
/// <param name="Purpose">The purpose chosen for the call.</param>
/// <param name="PurposeAssigned">The assignment covers the purpose.</param>
/// <param name="Assurance">How sure the identity is.</param>
/// <param name="UnitKind">What the assignment's unit does.</param>
/// <param name="UnitOfPrincipal">The unit belongs to a municipality or a region.</param>
/// <param name="HandlesProtectedPersons">The assignment is for protected persons.</param>
public readonly record struct Caller(
    bool NamesAssignment,
    bool AssignmentInForce,
    Role Role,
    Purpose Purpose,
    bool PurposeAssigned,
    AssuranceLevel Assurance,
    UnitKind UnitKind,
    bool UnitOfPrincipal,
    bool HandlesProtectedPersons = false);

/// <summary>What the act is about, as the database says in the same transaction. Every default denies.</summary>
/// <param name="PlanExists">There is such a plan (and, where the act names an item of it, such an item).</param>
/// <param name="Relation">What the caller's unit is to the plan.</param>
/// <param name="Released">What consents in force release to the caller's unit for the caller's purpose.</param>
/// <param name="Withheld">What the person has refused or excluded for the caller's unit. Beats every release but an overriding one.</param>
/// <param name="ResponsibleUnit">The caller's unit answers for the item that the act changes, or is to answer for the new one.</param>
/// <param name="NewItem">The act adds an item rather than changing one.</param>
/// <param name="ResponsibleUnitGone">The unit that answers for the item neither owns the plan nor takes part in it any more.</param>
/// <param name="OwnOrganisation">
/// The directory entry, or the plan's controller, is the caller's organisation; for the directory also: the caller is the operator's.
/// </param>
/// <param name="ReleasedByLaw">What releases on legal ground in force open to the caller's unit for the caller's purpose.</param>
/// <param name="Overriding">The part of <paramref name="ReleasedByLaw"/> whose ground holds in spite of the person's refusal.</param>
/// <param name="Protection">How the person is protected. Not known counts as the highest level.</param>
/// <param name="Blocked">Whether a block keeps the caller from the person. Not looked up counts as blocked.</param>
/// <param name="PlanOpen">The plan is not closed. Its default denies all but disposal, which is of closed plans only.</param>
/// <param name="Placement">The person stays in the caller's unit.</param>
/// <param name="Emergency">This caller's emergency access for this person is in force.</param>
/// <param name="Unplaced">Nothing on record says that the person is placed: no whereabouts, no location secrecy, no sheltered housing. Not known counts as placed.</param>
/// <param name="NoAlias">No alias is agreed for the person with the caller's unit. Not known counts as agreed.</param>
/// <param name="Pupil">What the person is to the caller's unit, where that is a school.</param>
public readonly record struct Facts(
    bool PlanExists = false,
    Relation Relation = Relation.None,
    Categories Released = Categories.None,
    Categories Withheld = Categories.None,
    bool ResponsibleUnit = false,
    bool NewItem = false,
    bool ResponsibleUnitGone = false,
    bool OwnOrganisation = false,
    Categories ReleasedByLaw = Categories.None,
    Categories Overriding = Categories.None,
    ProtectionLevel Protection = ProtectionLevel.Unspecified,
    Blocked Blocked = Blocked.Unknown,
    bool PlanOpen = false,
    bool Placement = false,
    bool Emergency = false,
    bool Unplaced = false,
    bool NoAlias = false,
    Pupil Pupil = Pupil.Unknown);
