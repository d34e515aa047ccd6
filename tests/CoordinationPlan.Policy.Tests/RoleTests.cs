using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Who can have what, whatever else is true.</summary>
public sealed class RoleTests
{
    [Fact]
    public void Roles_that_do_not_work_with_persons_never_get_anything_of_a_case() =>
        World.Holds(
            World.Permitted().Where(question => !Expected.Participants.Contains(question.Caller.Role)),
            (_, answer) => (answer.Reads | answer.Writes).IsWithin(Categories.Directory | AccessLog));

    [Fact]
    public void An_administrator_gets_to_the_directory_and_nowhere_else() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.DirectoryAdministrator),
            (question, _) => question.Act is Act.ReadDirectory or Act.WriteDirectory);

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
    public void Nothing_but_the_two_acts_on_it_opens_the_directory_and_nothing_but_a_search_the_log() =>
        World.Holds(
            World.Permitted().Where(question => question.Act is not (Act.ReadDirectory or Act.WriteDirectory or Act.SearchAccessLog)),
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
    public void Third_parties_and_consents_are_read_by_the_owning_unit_alone() =>
        World.Holds(
            World.Permitted(),
            (question, answer) => (answer.Reads & (ThirdParties | ConsentDocuments)) == None || (question.Caller.IsCaseWorker() && MayConcernOwnPlans(question)));

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

    // A list decides each plan of it on its own, and a new plan is owned by the unit that opens it.
    private static bool MayConcernOwnPlans(Question question) => question.Act switch
    {
        Act.ListPlans or Act.CreatePlan => true,
        _ => question.Facts.Relation == Relation.Owning,
    };
}
