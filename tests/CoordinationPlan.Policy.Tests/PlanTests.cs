using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Acts about one plan.</summary>
public sealed class PlanTests
{
    [Fact]
    public void A_plan_that_does_not_exist_is_refused_for_every_act() =>
        World.Holds(World.PermittedOfPlans(), (question, _) => question.Facts.PlanExists);

    [Fact]
    public void A_unit_without_a_relation_to_the_plan_is_refused_every_act_about_it() =>
        World.Holds(World.PermittedOfPlans(), (question, _) => question.Facts.Relation != Relation.None);

    [Fact]
    public void A_permit_about_a_plan_rests_on_owning_it_or_on_a_release() =>
        World.Holds(
            World.PermittedOfPlans(),
            (question, answer) => answer.Basis == (question.Facts.Relation == Relation.Owning ? Basis.OwningUnit : Basis.Release));

    [Fact]
    public void Only_the_owning_unit_establishes_closes_and_says_who_takes_part_and_what_was_agreed_to() =>
        World.Holds(
            World.Permitted().Where(question => question.Act
                is Act.EstablishPlan or Act.ClosePlan or Act.WriteGoal or Act.WriteOtherMeasure or Act.WriteParticipation or Act.RecordConsent or Act.WithdrawConsent),
            (question, _) => question.Facts.Relation == Relation.Owning && question.Caller.IsCaseWorker());

    [Fact]
    public void An_owner_reads_the_same_by_every_act() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.Owning),
            (question, answer) => answer.Reads == (question with { Act = Act.ReadPlan }).Answer().Reads);

    [Fact]
    public void What_an_owner_may_rests_on_no_release() =>
        World.Holds(
            World.EveryFact().Where(question => question.Facts.Relation == Relation.Owning),
            (question, answer) => answer == (question with { Facts = question.Facts with { Released = None, Withheld = None } }).Answer());

    [Fact]
    public void An_intervention_is_changed_by_the_unit_that_answers_for_it() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.WriteIntervention),
            (question, _) => question.Facts.ResponsibleUnit
                // But the owning unit writes new ones down for everybody and ends those of a unit that has left.
                || (question.Facts.Relation == Relation.Owning && (question.Facts.NewItem || !question.Facts.ResponsibleUnitTakesPart)));

    [Fact]
    public void A_participant_writes_only_its_own_interventions_and_health_care_its_own_account() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.Participating),
            (question, answer) => answer.Writes switch
            {
                None => true,
                GoalsAndInterventions => question is { Act: Act.WriteIntervention, Facts.ResponsibleUnit: true },
                Health => question is { Act: Act.UpdatePlan, Caller: { UnitKind: UnitKind.HealthCare, Role: Role.HealthCareProfessional or Role.NamedCareContact } },
                _ => false,
            });

    [Fact]
    public void Reading_writes_nothing_and_every_other_act_says_what_it_writes() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => question.Act is Act.ReadPlan or Act.ListPlans or Act.SearchAccessLog or Act.ReadDirectory == (answer.Writes == None));

    [Fact]
    public void Whoever_writes_reads_what_it_writes() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => answer.Writes.IsWithin(answer.Reads)
                // Where health care owns the plan, it records that a sheltered housing takes part and does not read it back.
                || (question is { Act: Act.WriteParticipation, Facts.Relation: Relation.Owning } && answer.Writes.IsWithin(answer.Reads | Whereabouts)));

    [Fact]
    public void A_fact_that_is_not_known_opens_nothing()
    {
        // What is withheld is the one fact that is there to close. That the responsible unit takes part is the other: see below.
        foreach (var forget in (Func<Facts, Facts>[])
        [
            facts => facts with { PlanExists = default },
            facts => facts with { Relation = default },
            facts => facts with { Released = default },
            facts => facts with { ResponsibleUnit = default },
            facts => facts with { NewItem = default },
            facts => facts with { OwnOrganisation = default },
        ])
        {
            World.Holds(
                World.EveryFact().Where(question => forget(question.Facts) != question.Facts),
                (question, answer) => (question with { Facts = forget(question.Facts) }).Answer() is var less
                    && (!less.IsPermit || answer.IsPermit) && less.Reads.IsWithin(answer.Reads) && less.Writes.IsWithin(answer.Writes));
        }
    }

    [Fact]
    public void That_a_unit_takes_part_closes_its_interventions_to_the_owner_and_nothing_else() =>
        World.Holds(
            World.EveryFact().Where(question => question.Facts.ResponsibleUnitTakesPart),
            (question, answer) => (question with { Facts = question.Facts with { ResponsibleUnitTakesPart = false } }).Answer() is var other
                && (other == answer
                    || question is { Act: Act.WriteIntervention, Facts: { Relation: Relation.Owning, ResponsibleUnit: false, NewItem: false } }));
}
