using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Acts about one plan.</summary>
public sealed class PlanTests
{
    [Fact]
    public void A_plan_that_does_not_exist_is_refused_for_every_act() =>
        World.Holds(World.PermittedOfPlans(), (question, _) => question.Facts.PlanExists);

    [Fact]
    public void A_unit_without_a_relation_to_the_plan_gets_at_it_by_emergency_and_by_oversight_alone() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.None),
            (question, answer) => (question.Act, answer.Basis) is (Act.ReadInEmergency, Basis.Emergency) or (Act.ExplainAccess, Basis.Oversight));

    [Fact]
    public void A_permit_about_a_plan_rests_on_what_it_says() =>
        World.Holds(
            World.PermittedOfPlans(),
            (question, answer) => answer.Basis switch
            {
                Basis.OwningUnit => question.Facts.Relation == Relation.Owning,
                Basis.Release => question.Facts is { Relation: Relation.Participating, Released: not None },
                Basis.LegalGround => question.Facts is { Relation: Relation.Participating, ReleasedByLaw: not None },
                Basis.Placement => question is { Act: Act.ReadWhereabouts, Facts: { Relation: Relation.Participating, Placement: true } },
                Basis.Emergency => question is { Act: Act.ReadInEmergency, Facts.Emergency: true },
                Basis.Oversight => question.Act == Act.ExplainAccess,
                _ => false,
            });

    [Fact]
    public void Only_the_owning_unit_decides_about_the_plan() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Act
                is not (Act.ReadPlan or Act.UpdatePlan or Act.WriteIntervention or Act.ReadWhereabouts or Act.ReadInEmergency or Act.ExplainAccess
                or Act.ReplyToCall or Act.ReadOwnCalls or Act.AnswerProposal or Act.WriteDischarge or Act.IssueCopy or Act.ListCopies or Act.ReadSchooling or Act.ReadPupil or Act.ReportAttendance
                or Act.ReceiveChanges)
                // A system of health care reads what its own organisation has reported.
                && question is not { Act: Act.ReadSyncedParticipations, Caller: { Role: Role.SystemIntegration, UnitKind: UnitKind.HealthCare } }),
            (question, _) => question.Facts.Relation == Relation.Owning && question.Caller.IsCaseWorker());

    [Fact]
    public void An_owner_reads_the_same_by_every_act_that_is_about_what_the_plan_says() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.Owning
                && question.Act is not (Act.ReadWhereabouts or Act.WriteWhereabouts or Act.ReadInEmergency or Act.ExplainAccess or Act.DisposeSubject
                    or Act.ReadRiskAssessment or Act.WriteRiskAssessment or Act.ReceiveChanges)
                && question.Caller.Role != Role.SystemIntegration),
            (question, answer) => answer.Reads == (question with { Act = Act.ReadPlan }).Answer().Reads);

    [Fact]
    public void What_an_owner_may_rests_on_no_release() =>
        World.Holds(
            World.EveryFact().Where(question => question.Facts.Relation == Relation.Owning),
            (question, answer) => answer
                == (question with { Facts = question.Facts with { Released = None, Withheld = None, ReleasedByLaw = None, Overriding = None } }).Answer());

    [Fact]
    public void An_intervention_is_changed_by_the_unit_that_answers_for_it() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.WriteIntervention),
            (question, _) => question.Facts.ResponsibleUnit
                // But the owning unit writes new ones down for everybody and ends those of a unit that has left.
                || (question.Facts.Relation == Relation.Owning && (question.Facts.NewItem || question.Facts.ResponsibleUnitGone)));

    [Fact]
    public void A_participant_writes_only_its_own_interventions_its_replies_and_health_care_its_own_account() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Relation == Relation.Participating),
            (question, answer) => answer.Writes switch
            {
                None => true,
                GoalsAndInterventions => question is { Act: Act.WriteIntervention, Facts.ResponsibleUnit: true } or { Act: Act.AnswerProposal },
                // That it comes, and that its own copy was issued.
                Existence => question.Act is Act.ReplyToCall or Act.IssueCopy,
                Health => question.Act is Act.UpdatePlan or Act.WriteDischarge && (question.Caller.IsHealthCare()
                    || question is { Act: Act.WriteDischarge, Caller: { Role: Role.SystemIntegration, UnitKind: UnitKind.HealthCare } }),
                Schooling => question is { Act: Act.ReportAttendance, Caller.UnitKind: UnitKind.School, Facts.Pupil: Pupil.Now },
                _ => false,
            });

    [Fact]
    public void Reading_writes_nothing_and_every_other_act_says_what_it_writes() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => question.Act
                is Act.ReadPlan or Act.ListPlans or Act.FindPlans or Act.SearchAccessLog or Act.ReadDirectory or Act.ReadProtection or Act.ReadWhereabouts
                or Act.ReadInEmergency or Act.ExplainAccess or Act.ListTasks or Act.ReadRiskAssessment or Act.ListCopies
                or Act.ReadSuggestions or Act.ReadOwnCalls or Act.ReadIndicators or Act.ReadDisclosures or Act.ReadSchooling or Act.ReadPupil or Act.ReadLogProofs or Act.ReadSyncedParticipations
                or Act.ReadChanges or Act.ReceiveChanges or Act.ReadDelivery
                // A declared relation is the caller's own; nothing of a case is changed by it.
                or Act.DeclareRelation
                == (answer.Writes == None));

    [Fact]
    public void Whoever_writes_reads_what_it_writes() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => answer.Writes.IsWithin(answer.Reads)
                // Where health care owns the plan, it records that a sheltered housing takes part and does not read it back.
                || (question is { Act: Act.WriteParticipation, Facts.Relation: Relation.Owning } && answer.Writes.IsWithin(answer.Reads | Whereabouts))
                // Who opens a plan for somebody who turns out to be protected has said what it says, and reads no more than that it is there.
                || (question is { Act: Act.CreatePlan, Caller.HandlesProtectedPersons: false, Facts.Protection: not ProtectionLevel.None } && answer.Reads == Existence));

    [Fact]
    public void A_closed_plan_is_changed_only_where_the_persons_right_or_safety_demands_it() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => !question.Facts.PlanOpen),
            (question, answer) => answer.Writes == None
                || question.Act is Act.WithdrawConsent or Act.WriteRelease or Act.ReviewRelease or Act.WriteProtectionLevel or Act.WriteLocationSecrecy
                    or Act.WriteBlock or Act.WriteWhereabouts or Act.ReviewEmergencyAccess or Act.DisposeSubject or Act.ReopenPlan
                    // A copy changes nothing in the plan but that it was issued.
                    or Act.IssueCopy
                    // What was sent is recorded whenever it was sent.
                    or Act.DiscloseDocument);

    [Fact]
    public void Only_a_manager_disposes_and_only_of_a_closed_plan() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.DisposeSubject),
            (question, _) => question is { Caller.Role: Role.UnitManager, Facts: { PlanOpen: false, Relation: Relation.Owning } });

    [Fact]
    public void Only_a_plan_that_is_not_worked_on_is_taken_up_again() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.ReopenPlan),
            (question, _) => question is { Facts: { PlanOpen: false, Relation: Relation.Owning } });

    [Fact]
    public void Risk_is_read_and_assessed_by_the_social_services_that_own_the_plan_and_read_by_no_other_act_of_anybody_else() =>
        World.Holds(
            World.PermittedOfPlans(),
            (question, answer) => !answer.Reads.HasFlag(RiskAssessment) || (question.Facts.Relation == Relation.Owning && question.Caller.IsSocial()));

    [Fact]
    public void A_fact_that_is_not_known_opens_nothing()
    {
        // What is withheld is there to close, so not knowing it would open: the gate must load it. That a plan is open closes its disposal and its reopening.
        foreach (var forget in (Func<Facts, Facts>[])
        [
            facts => facts with { PlanExists = default },
            facts => facts with { Relation = default },
            facts => facts with { Released = default },
            facts => facts with { ResponsibleUnit = default },
            facts => facts with { NewItem = default },
            facts => facts with { ResponsibleUnitGone = default },
            facts => facts with { OwnOrganisation = default },
            facts => facts with { ReleasedByLaw = default },
            facts => facts with { Overriding = default },
            facts => facts with { Protection = default },
            facts => facts with { Blocked = default },
            facts => facts with { PlanOpen = default },
            facts => facts with { Placement = default },
            facts => facts with { Emergency = default },
            facts => facts with { Unplaced = default },
            facts => facts with { NoAlias = default },
            facts => facts with { Pupil = default },
        ])
        {
            World.Holds(
                World.Permitted().Where(question => question.Act is not (Act.DisposeSubject or Act.ReopenPlan)),
                (question, answer) => (question with { Facts = forget(question.Facts) }).Answer().IsWithin(answer));
            // Where nothing was permitted, forgetting permits nothing.
            World.Holds(
                World.Draw(50_000).Where(question => question.Act is not (Act.DisposeSubject or Act.ReopenPlan)),
                (question, answer) => answer.IsPermit || !(question with { Facts = forget(question.Facts) }).Answer().IsPermit);
        }
    }

    [Fact]
    public void A_property_of_the_caller_that_is_not_known_opens_nothing()
    {
        foreach (var forget in (Func<Caller, Caller>[])
        [
            caller => caller with { NamesAssignment = default },
            caller => caller with { AssignmentInForce = default },
            caller => caller with { Role = default },
            caller => caller with { Purpose = default },
            caller => caller with { PurposeAssigned = default },
            caller => caller with { Assurance = default },
            caller => caller with { UnitKind = default },
            caller => caller with { UnitOfPrincipal = default },
            caller => caller with { HandlesProtectedPersons = default },
        ])
        {
            World.Holds(
                World.Permitted(),
                (question, answer) => (question with { Caller = forget(question.Caller) }).Answer().IsWithin(answer));
        }
    }
}
