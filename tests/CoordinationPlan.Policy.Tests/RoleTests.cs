using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Who can have what, whatever else is true.</summary>
public sealed class RoleTests
{
    [Fact]
    public void Roles_that_do_not_work_with_persons_never_get_anything_that_a_plan_says() =>
        World.Holds(
            World.Permitted().Where(question => !Expected.Participants.Contains(question.Caller.Role)),
            (_, answer) => ((answer.Reads | answer.Writes) & World.Content) == None);

    [Fact]
    public void Roles_that_neither_work_with_persons_nor_review_never_get_anything_of_a_case() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role is Role.Statistician or Role.DirectoryAdministrator or Role.SystemIntegration),
            (_, answer) => (answer.Reads | answer.Writes).IsWithin(Categories.Directory));

    [Fact]
    public void Who_takes_part_is_told_to_the_data_protection_officer_of_the_controller_and_to_no_other_reviewer() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role is Role.LogReviewer or Role.DataProtectionOfficer),
            (question, answer) => !answer.Reads.HasFlag(Meetings)
                || question is { Act: Act.ExplainAccess, Caller.Role: Role.DataProtectionOfficer, Facts.OwnOrganisation: true });

    [Fact]
    public void An_administrator_gets_to_the_directory_and_nowhere_else() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.DirectoryAdministrator),
            (question, _) => question.Act is Act.ReadDirectory or Act.WriteDirectory or Act.DeclareRelation);

    [Fact]
    public void A_statistician_gets_to_counts_and_the_directory_and_nobody_else_to_counts() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.Statistician || question.Act == Act.ReadIndicators),
            (question, answer) => question is { Caller.Role: Role.Statistician, Act: Act.ReadIndicators or Act.ReadDirectory or Act.DeclareRelation }
                && answer.Reads == Categories.Directory && answer.Writes == None);

    [Fact]
    public void Only_reviewers_search_the_log_and_they_get_nothing_but_its_entries() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.SearchAccessLog),
            (question, answer) => question.Caller.Role is Role.LogReviewer or Role.DataProtectionOfficer
                && answer == Decision.Permit(AccessLog, None, Basis.LogReviewDuty));

    [Fact]
    public void The_directory_is_written_by_its_administrators_inside_their_own_organisation() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.WriteDirectory),
            (question, answer) => question is { Caller.Role: Role.DirectoryAdministrator, Facts.OwnOrganisation: true }
                && answer == Decision.Permit(Categories.Directory, Categories.Directory, Basis.DirectoryAdministration));

    [Fact]
    public void Nothing_but_the_acts_on_it_opens_the_directory_and_nothing_but_a_search_the_log() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is not (Act.ReadDirectory or Act.WriteDirectory or Act.DeclareRelation or Act.SearchAccessLog or Act.ReadIndicators or Act.WriteRoutine or Act.ReadLogProofs)),
            (_, answer) => (answer.Reads | answer.Writes).IsWithin(World.OfACase));

    [Fact]
    public void Only_social_services_ever_read_a_risk_assessment_and_only_of_their_own_plans() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => !answer.Reads.HasFlag(RiskAssessment) || (question.Caller.IsSocial() && MayConcernOwnPlans(question)));

    [Fact]
    public void Whereabouts_are_read_by_the_owning_social_services_and_by_the_housing_itself() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => !answer.Reads.HasFlag(Whereabouts)
                || (question.Caller.IsSocial() && MayConcernOwnPlans(question))
                || (question.Caller.HousesThePerson() && question.Facts.Relation == Relation.Participating));

    [Fact]
    public void Where_health_care_owns_the_plan_it_reads_neither_risk_assessments_nor_whereabouts() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.UnitKind == UnitKind.HealthCare && MayConcernOwnPlans(question)),
            (_, answer) => (answer.Reads & (RiskAssessment | Whereabouts)) == None);

    [Fact]
    public void Third_parties_are_read_by_the_owning_unit_alone_and_consents_by_oversight_too() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => (answer.Reads & (ThirdParties | ConsentDocuments)) == None
                || (question.Caller.IsCaseWorker() && MayConcernOwnPlans(question))
                || (question.Act is Act.ExplainAccess or Act.ListTasks && !answer.Reads.HasFlag(ThirdParties)));

    [Fact]
    public void A_school_never_learns_of_violence_health_risk_other_parties_or_where_the_child_is() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.SchoolContact),
            (_, answer) => ((answer.Reads | answer.Writes)
                & (GoalsAndInterventions | SocialSituation | Health | Meetings | RiskAssessment | Whereabouts | ThirdParties | ConsentDocuments)) == None);

    [Fact]
    public void A_plan_is_opened_by_case_workers_of_a_principals_social_services_or_health_care() =>
        World.Holds(
            World.Permitted().Where(question => question.Act == Act.CreatePlan),
            (question, _) => question.Caller.IsCaseWorker()
                && question.Caller is { UnitOfPrincipal: true, UnitKind: UnitKind.SocialServices or UnitKind.HealthCare });

    [Fact]
    public void What_is_reviewed_explained_and_disposed_of_is_a_managers_and_explaining_the_data_protection_officers_too() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is Act.ReviewRelease or Act.ReviewEmergencyAccess or Act.ExplainAccess or Act.DisposeSubject),
            (question, _) => question is { Caller.Role: Role.UnitManager, Facts.Relation: Relation.Owning }
                or { Act: Act.ExplainAccess, Caller.Role: Role.DataProtectionOfficer, Facts.OwnOrganisation: true });

    [Fact]
    public void What_is_put_to_a_system_is_the_directory_and_proofs_of_the_log_alone() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.SystemIntegration),
            (question, answer) => question.Act is Act.ReadDirectory or Act.ReadLogProofs && answer.Reads == Categories.Directory);

    // Lists decide each plan of them on its own, and a new plan is owned by the unit that opens it.
    private static bool MayConcernOwnPlans(Question question) => question.Act switch
    {
        Act.ListPlans or Act.FindPlans or Act.ListTasks or Act.CreatePlan => true,
        _ => question.Facts.Relation == Relation.Owning,
    };
}
