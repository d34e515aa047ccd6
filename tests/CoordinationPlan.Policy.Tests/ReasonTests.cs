using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>A reason to refuse is true: what it names is missing, and what a log reviewer reads is the nearest miss.</summary>
public sealed class ReasonTests
{
    [Fact]
    public void A_closed_plan_is_the_reason_where_everything_else_would_permit() =>
        Iff(RefusalReason.PlanClosed, question => question with { Facts = question.Facts with { PlanOpen = true } });

    [Fact]
    public void That_a_plan_is_not_closed_is_the_reason_where_everything_else_would_permit() =>
        Iff(RefusalReason.PlanNotClosed, question => question with { Facts = question.Facts with { PlanOpen = false } });

    [Fact]
    public void That_the_assignment_is_not_for_protected_persons_is_the_reason_where_nothing_but_the_state_is_missing_beside_it() =>
        World.Holds(
            Refused(RefusalReason.NotForProtectedPersons),
            (question, _) => question.Act == Act.ReadInEmergency
                ? Expected.IsHighest(question.Facts.Protection)
                    && (question with { Facts = question.Facts with { Protection = ProtectionLevel.None } }).Answer().IsPermit
                : !question.Caller.HandlesProtectedPersons
                    && (question with { Caller = question.Caller with { HandlesProtectedPersons = true } }).Answer()
                        is { IsPermit: true } or { Reason: RefusalReason.PlanClosed or RefusalReason.PlanNotClosed });

    [Fact]
    public void That_no_emergency_access_is_in_force_is_the_reason_where_nothing_but_protection_is_missing_beside_it() =>
        World.Holds(
            Refused(RefusalReason.NoEmergencyAccess),
            (question, _) => question is { Act: Act.ReadInEmergency, Facts.Emergency: false }
                && (question with { Facts = question.Facts with { Emergency = true } }).Answer() is { IsPermit: true } or { Reason: RefusalReason.NotForProtectedPersons });

    [Fact]
    public void A_missing_release_is_the_reason_to_those_who_take_part_and_get_too_little() =>
        World.Holds(
            Refused(RefusalReason.NoRelease),
            (question, _) => question.Facts.Relation == Relation.Participating
                && (question with { Facts = question.Facts with { Released = World.Everything, Withheld = None, Protection = ProtectionLevel.None, Unplaced = true, NoAlias = true, Pupil = Pupil.Now } }).Answer().Reason
                    != RefusalReason.NoRelease);

    [Fact]
    public void A_missing_relation_is_the_reason_to_those_who_would_come_further_with_another_one() =>
        World.Holds(
            Refused(RefusalReason.NoRelation),
            (question, _) => question.Facts.PlanExists && World.Relations.Any(relation =>
                (question with { Facts = question.Facts with { Relation = relation, Placement = true, Pupil = Pupil.Now } }).Answer() is { IsPermit: true } or { Reason: > RefusalReason.NoRelation }));

    [Fact]
    public void That_there_is_no_such_plan_is_the_reason_to_those_who_would_come_further_with_one() =>
        World.Holds(
            Refused(RefusalReason.NoSuchPlan),
            (question, _) => !question.Facts.PlanExists
                && (question with { Facts = question.Facts with { PlanExists = true, Blocked = Blocked.No } }).Answer() is { IsPermit: true } or { Reason: > RefusalReason.NoSuchPlan });

    [Fact]
    public void Not_answering_for_the_item_is_the_reason_to_those_who_would_come_further_if_they_did() =>
        World.Holds(
            Refused(RefusalReason.NotResponsibleUnit),
            (question, _) => question is { Act: Act.WriteIntervention or Act.AnswerSuggestion, Facts.ResponsibleUnit: false }
                && (question with { Facts = question.Facts with { ResponsibleUnit = true } }).Answer() is { IsPermit: true } or { Reason: > RefusalReason.NotResponsibleUnit });

    [Fact]
    public void Another_organisation_is_the_reason_to_those_who_would_come_further_in_their_own() =>
        World.Holds(
            Refused(RefusalReason.OtherOrganisation),
            (question, _) => question is { Act: Act.WriteDirectory or Act.ExplainAccess, Facts.OwnOrganisation: false }
                && (question with { Facts = question.Facts with { OwnOrganisation = true } }).Answer() is { IsPermit: true } or { Reason: > RefusalReason.OtherOrganisation });

    [Fact]
    public void The_wrong_unit_is_the_reason_to_those_who_would_come_further_in_another_one() =>
        World.Holds(
            Refused(RefusalReason.UnitMayNot),
            (question, _) => World.UnitKinds.Any(kind =>
                (question with { Caller = question.Caller with { UnitKind = kind, UnitOfPrincipal = true } }).Answer() is { IsPermit: true } or { Reason: > RefusalReason.UnitMayNot }));

    [Fact]
    public void The_role_is_the_reason_where_no_fact_and_no_unit_would_permit_it() =>
        World.Holds(
            Refused(RefusalReason.RoleMayNot),
            (question, _) => !PermittedRoles.Contains((question.Act, question.Caller.Role)));

    [Fact]
    public void What_a_permitted_role_misses_is_never_the_role() =>
        World.Holds(
            World.EveryFact().Where(question => PermittedRoles.Contains((question.Act, question.Caller.Role))),
            (_, answer) => answer.Reason is not (RefusalReason.RoleMayNot or RefusalReason.NoRule));

    [Fact]
    public void The_purpose_is_the_reason_where_it_does_not_fit_a_role_that_may() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller is { NamesAssignment: true, AssignmentInForce: true, PurposeAssigned: true, Assurance: AssuranceLevel.Level3 }
                && question.Caller.Purpose != Purpose.Unspecified
                && question.Facts.Blocked == Blocked.No
                && !Expected.PurposesOf(question.Caller.Role).Contains(question.Caller.Purpose)),
            (question, answer) => answer.Reason == (question.Act == Act.Unspecified ? RefusalReason.NoRule
                : PermittedRoles.Contains((question.Act, question.Caller.Role)) ? RefusalReason.PurposeMayNot : RefusalReason.RoleMayNot));

    private static readonly HashSet<(Act, Role)> PermittedRoles = [.. World.Permitted().Select(question => (question.Act, question.Caller.Role))];

    private static IEnumerable<Question> Refused(RefusalReason reason) => World.EveryFact().Where(question => question.Answer().Reason == reason);

    private static void Iff(RefusalReason reason, Func<Question, Question> fixedFor) =>
        World.Holds(
            World.EveryFact(),
            (question, answer) => (answer.Reason == reason) == (!answer.IsPermit && fixedFor(question).Answer().IsPermit));
}
