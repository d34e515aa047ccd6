using static CoordinationPlan.Policy.Categories;

namespace CoordinationPlan.Policy.Tests;

/// <summary>Who can have what, whatever else is true.</summary>
public sealed class RoleTests
{
    [Fact]
    public void Roles_that_do_not_work_with_persons_never_get_anything_that_a_plan_says() =>
        World.Holds(
            World.Permitted().Where(question => !Expected.Participants.Contains(question.Caller.Role)),
            // But a school's system reports what its unit has recorded of its own pupil, and a region's the discharge of its own patient.
            (question, answer) => ((answer.Reads | answer.Writes) & World.Content) == None
                || (IsARegionsSystem(question) && (answer.Reads | answer.Writes).IsWithin(Existence | Meetings | Health))
                || (question is { Act: Act.ReceiveChanges or Act.ReadChanges, Caller.Role: Role.SystemIntegration } && (answer.Reads | answer.Writes).IsWithin(Existence | Schooling | Meetings | Health))
                || (question is { Act: Act.ReportAttendance, Caller: { Role: Role.SystemIntegration, UnitKind: UnitKind.School }, Facts.Pupil: Pupil.Now }
                    && (answer.Reads | answer.Writes) == (Existence | Schooling)));

    [Fact]
    public void Roles_that_neither_work_with_persons_nor_review_never_get_anything_of_a_case() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role is Role.Statistician or Role.DirectoryAdministrator
                || (question.Caller.Role == Role.SystemIntegration && question.Act is not (Act.ReportAttendance or Act.ReceiveChanges or Act.ReadChanges or Act.AcknowledgeChanges) && !IsARegionsSystem(question))),
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
            World.Permitted().Where(question => question.Act is not (Act.ReadDirectory or Act.WriteDirectory or Act.DeclareRelation or Act.SearchAccessLog or Act.ReadIndicators or Act.WriteRoutine or Act.ReadLogProofs or Act.WriteLogDisposal)),
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
    public void What_is_put_to_a_system_is_the_directory_proofs_of_the_log_the_feed_a_schools_reports_and_a_regions_own_units_alone() =>
        World.Holds(
            World.Permitted().Where(question => question.Caller.Role == Role.SystemIntegration),
            (question, answer) => question.Act is Act.ReadDirectory or Act.ReportAttendance
                || (question.Act is Act.ReadChanges or Act.ReceiveChanges && answer is { Writes: None } && answer.Reads.IsWithin(Existence | Schooling | Meetings | Health))
                || (question.Act == Act.AcknowledgeChanges && (answer.Reads | answer.Writes) == Existence)
                || (question.Act == Act.ReadLogProofs && answer.Reads == Categories.Directory) || IsARegionsSystem(question));

    [Fact]
    public void A_regions_system_reads_of_another_units_plan_only_what_is_released_to_its_own_unit() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Caller.Role == Role.SystemIntegration && question.Facts.Relation == Relation.Participating),
            (question, answer) => (answer.Reads & ~Existence).IsWithin(question.Facts.Released | question.Facts.ReleasedByLaw)
                && (answer.Reads & (Identity | ContactDetails | Whereabouts | RiskAssessment | ThirdParties | ConsentDocuments | SchoolPlacement)) == None);

    /// <summary>A system of health care, at one of the acts that are for it.</summary>
    private static bool IsARegionsSystem(Question question) => question is
    {
        Caller: { Role: Role.SystemIntegration, UnitKind: UnitKind.HealthCare },
        Act: Act.SyncParticipations or Act.ReadSyncedParticipations or Act.ReplyToCall or Act.ReadOwnCalls or Act.WriteDischarge,
    };

    [Fact]
    public void A_system_is_told_of_no_plan_by_a_sheltered_housing_and_not_by_a_school_who_meets() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Act == Act.ReceiveChanges),
            (question, answer) => question.Caller.UnitKind != UnitKind.ShelteredHousing
                && (!answer.Reads.HasFlag(Meetings) || question.Facts.Relation == Relation.Owning || question.Caller.UnitKind is UnitKind.SocialServices or UnitKind.HealthCare or UnitKind.Support));

    [Fact]
    public void Which_school_a_protected_or_placed_child_goes_to_is_known_to_its_social_services_the_school_and_the_housing_whatever_is_released() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Facts.Protection != ProtectionLevel.None || !question.Facts.Unplaced),
            (question, answer) => !answer.Reads.HasFlag(SchoolPlacement)
                || question is { Caller.UnitKind: UnitKind.SocialServices, Facts.Relation: Relation.Owning }
                || (question.Caller is { Role: Role.SchoolContact, UnitKind: UnitKind.School } && question.Facts is { Relation: Relation.Participating, Pupil: Pupil.Now })
                || (question.Caller.HousesThePerson() && question.Facts is { Relation: Relation.Participating, Placement: true }));

    [Fact]
    public void Which_school_a_child_goes_to_that_nothing_hides_is_read_by_release() =>
        Assert.Contains(
            World.Permitted(),
            question => question is { Act: Act.ReadPlan, Caller.Role: Role.HealthCareProfessional, Facts.Relation: Relation.Participating } && question.Answer().Reads.HasFlag(SchoolPlacement));

    [Fact]
    public void A_school_that_has_agreed_an_alias_never_gets_the_identity() =>
        World.Holds(
            World.PermittedOfPlans().Where(question => question.Caller.IsOfASchool() && !question.Facts.NoAlias && question.Facts.Relation == Relation.Participating),
            (_, answer) => !answer.Reads.HasFlag(Identity));

    [Fact]
    public void A_school_that_the_child_has_left_gets_nothing_at_all() =>
        World.Holds(
            World.All().Concat(World.Draw(200_000)).Where(question => World.IsAboutAPlan(question.Act) && question.Caller.IsOfASchool()
                && question.Facts is { Relation: Relation.Participating, Pupil: Pupil.Former or Pupil.Unknown } && question.Act != Act.ReadInEmergency
                && question.Caller.Role is not (Role.DataProtectionOfficer or Role.ShelterContactPerson)),
            (_, answer) => !answer.IsPermit);

    // Lists decide each plan of them on its own, and a new plan is owned by the unit that opens it.
    private static bool MayConcernOwnPlans(Question question) => question.Act switch
    {
        Act.ListPlans or Act.FindPlans or Act.ListTasks or Act.CreatePlan => true,
        _ => question.Facts.Relation == Relation.Owning,
    };
}
