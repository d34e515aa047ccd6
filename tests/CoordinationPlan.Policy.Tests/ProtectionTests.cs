using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Blocks, levels of protection, whereabouts and emergency access: what stands above every row of the rule book.</summary>
public sealed class ProtectionTests
{
    private static readonly ProtectionLevel[] FromLowToHigh =
    [
        ProtectionLevel.None, ProtectionLevel.ConfidentialityMarked, ProtectionLevel.ProtectedPopulationRegistration, ProtectionLevel.AssumedIdentity,
    ];

    [Fact]
    public void Who_is_blocked_is_permitted_nothing_about_the_person() =>
        World.Holds(World.Permitted().Where(question => World.IsAboutAPerson(question.Act)), (question, _) => question.Facts.Blocked == Blocked.No);

    [Fact]
    public void A_block_is_the_reason_whatever_else_is_missing_and_reviewers_hear_of_it() =>
        World.Holds(
            from question in World.Draw(300_000)
            where World.IsAboutAPerson(question.Act)
            from block in (Blocked[])[Blocked.Employee, Blocked.Unit, Blocked.Guardian]
            select question with { Facts = question.Facts with { Blocked = block } },
            (_, answer) => answer == Decision.Refuse(RefusalReason.Blocked, Obligations.AlertReviewers));

    [Fact]
    public void A_block_that_was_not_looked_up_counts_where_there_is_a_person_to_look_it_up_for() =>
        World.Holds(
            World.Draw(300_000).Where(question => World.IsAboutAPerson(question.Act))
                .Select(question => question with { Facts = question.Facts with { Blocked = Blocked.Unknown } }),
            (question, answer) => !answer.IsPermit
                && (answer == Decision.Refuse(RefusalReason.Blocked)) == (question.Facts.PlanExists || World.IsAboutAPersonAlone(question.Act)));

    [Fact]
    public void A_block_of_one_person_does_not_keep_from_what_is_not_about_that_person() =>
        World.Holds(
            from question in World.Draw(100_000)
            where !World.IsAboutAPerson(question.Act)
            from block in World.Blocks
            select question with { Facts = question.Facts with { Blocked = block } },
            (question, answer) => answer == (question with { Facts = question.Facts with { Blocked = Blocked.No } }).Answer());

    [Fact]
    public void Protection_that_is_not_known_is_the_highest() =>
        World.Holds(
            World.EveryFact().Where(question => question.Facts.Protection == ProtectionLevel.Unspecified),
            (question, answer) => answer == (question with { Facts = question.Facts with { Protection = ProtectionLevel.AssumedIdentity } }).Answer());

    [Fact]
    public void More_protection_never_gives_more() =>
        World.Holds(
            World.Permitted(),
            (question, _) => FromLowToHigh.Zip(FromLowToHigh[1..]).All(levels => At(question, levels.Second).IsWithin(At(question, levels.First))));

    [Fact]
    public void A_protected_persons_plan_is_for_assignments_that_say_so() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Protection != ProtectionLevel.None && question.Act != Act.ReadInEmergency),
            (question, _) => question.Caller.HandlesProtectedPersons);

    [Fact]
    public void A_suggestion_about_a_protected_person_is_for_assignments_that_say_so() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.AnswerSuggestion && question.Facts.Protection != ProtectionLevel.None),
            (question, _) => question.Caller.HandlesProtectedPersons);

    [Fact]
    public void A_suggestion_is_answered_by_the_unit_that_it_was_sent_to() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.AnswerSuggestion),
            (question, _) => question is { Facts.ResponsibleUnit: true, Caller.UnitOfPrincipal: true });

    [Fact]
    public void A_plan_is_suggested_alike_whatever_is_true_of_the_person() =>
        World.Holds(
            World.Draw(300_000).Where(question => question.Act == Act.SuggestPlan),
            (question, answer) => answer == (question with { Facts = default }).Answer());

    // What a school has written about somebody is no plan's identity: the unit that it was sent to reads it whoever the person turns out to be.
    [Fact]
    public void An_assumed_identity_is_read_by_the_owning_unit_alone() =>
        World.Holds(
            World.Permitted().Where(question => World.IsAboutAPerson(question.Act) && question.Act != Act.AnswerSuggestion && Expected.IsHighest(question.Facts.Protection)),
            (question, answer) => (answer.Reads & (Identity | ContactDetails)) == None || question.Facts.Relation == Relation.Owning || question.Act == Act.CreatePlan);

    [Fact]
    public void Protection_is_decided_under_assignments_for_protected_persons_also_of_those_who_are_not_yet() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is Act.ReadProtection or Act.WriteProtectionLevel or Act.WriteLocationSecrecy or Act.WriteBlock),
            (question, _) => question is { Caller.HandlesProtectedPersons: true, Facts.Relation: Relation.Owning }
                && (question.Caller.UnitKind == UnitKind.SocialServices
                    || question is { Caller.UnitKind: UnitKind.HealthCare, Act: Act.ReadProtection or Act.WriteBlock }));

    [Fact]
    public void Whereabouts_are_opened_by_owning_social_services_and_by_the_housing_where_the_person_stays_alone() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is Act.ReadWhereabouts or Act.WriteWhereabouts),
            (question, answer) => answer.Reads == Whereabouts
                && question.Caller.HandlesProtectedPersons
                && ((question.Caller.IsSocial() && question.Facts.Relation == Relation.Owning)
                    || (question.Act == Act.ReadWhereabouts && question.Caller.HousesThePerson()
                        && question.Facts is { Placement: true, Relation: Relation.Participating })));

    [Fact]
    public void Documents_are_compared_with_whereabouts_and_read_by_those_alone_who_may_read_whereabouts_as_the_owning_unit() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is Act.DiscloseDocument or Act.ReadDisclosures),
            (question, answer) => question.Facts.Relation == Relation.Owning
                && answer.Reads.HasFlag(Whereabouts)
                && (question with { Act = Act.ReadWhereabouts }).Answer().IsPermit);

    [Fact]
    public void No_release_and_no_emergency_opens_whereabouts() =>
        World.Holds(
            World.EveryFact().Concat(World.Draw(200_000)).Where(question => question.Act is Act.ReadWhereabouts or Act.WriteWhereabouts),
            (question, answer) => answer.IsWithin((question with
            {
                Facts = question.Facts with { Released = None, ReleasedByLaw = None, Overriding = None, Emergency = false },
            }).Answer()));

    [Fact]
    public void Emergency_access_opens_what_a_life_may_hang_on_and_never_the_highest_level() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.ReadInEmergency),
            (question, answer) => !Expected.IsHighest(question.Facts.Protection)
                && question.Facts is { Blocked: Blocked.No, Emergency: true }
                && answer is { Writes: None, Obligations: Obligations.AlertOwningUnit, Reads: Existence | Identity | Health | GoalsAndInterventions | ProtectionMeasures });

    [Fact]
    public void Emergency_access_in_force_opens_nothing_by_any_other_act() =>
        World.Holds(
            World.EveryFact().Concat(World.Draw(200_000)).Where(question => question.Act != Act.ReadInEmergency),
            (question, answer) => answer == (question with { Facts = question.Facts with { Emergency = !question.Facts.Emergency } }).Answer());

    [Fact]
    public void Emergency_access_is_opened_alike_whatever_is_true_of_the_person() =>
        World.Holds(
            World.Draw(300_000).Where(question => question.Act == Act.OpenEmergencyAccess),
            (question, answer) => answer == (question with { Facts = default }).Answer());

    [Fact]
    public void A_relation_is_declared_alike_whether_there_is_a_person_or_not() =>
        World.Holds(
            World.Draw(300_000).Where(question => question.Act == Act.DeclareRelation),
            (question, answer) => answer.IsPermit == (question.Caller.Role != Role.SystemIntegration) && answer == (question with { Facts = default }).Answer());

    private static Decision At(Question question, ProtectionLevel level) => (question with { Facts = question.Facts with { Protection = level } }).Answer();
}
