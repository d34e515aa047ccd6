namespace CoordinationPlan.Policy.Tests;

/// <summary>What must be in order before anything else is looked at.</summary>
public sealed class CallerTests
{
    [Fact]
    public void A_caller_of_whom_nothing_is_known_is_refused_everything() =>
        World.Holds(
            from act in World.Acts
            from facts in World.FactsOf(act)
            select new Question(act, default, facts),
            (_, answer) => answer == Decision.Refuse(RefusalReason.NoAssignment));

    [Fact]
    public void Where_nothing_is_known_of_the_plan_every_act_about_a_plan_is_refused() =>
        World.Holds(
            from caller in World.Callers()
            from act in World.Acts.Where(World.IsAboutAPlan)
            select new Question(act, caller, default),
            (_, answer) => !answer.IsPermit);

    [Fact]
    public void Without_an_assignment_everything_is_refused_for_that_reason() =>
        World.Holds(
            World.EveryCaller().Where(question => !question.Caller.NamesAssignment),
            (_, answer) => answer == Decision.Refuse(RefusalReason.NoAssignment));

    [Fact]
    public void With_an_assignment_that_is_not_in_force_everything_is_refused_for_that_reason() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller is { NamesAssignment: true, AssignmentInForce: false }),
            (_, answer) => answer == Decision.Refuse(RefusalReason.AssignmentNotInForce));

    [Fact]
    public void Without_a_purpose_everything_is_refused_for_that_reason() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller is { NamesAssignment: true, AssignmentInForce: true, Purpose: Purpose.Unspecified }),
            (_, answer) => answer == Decision.Refuse(RefusalReason.NoPurpose));

    [Fact]
    public void For_a_purpose_that_the_assignment_does_not_cover_everything_is_refused_for_that_reason() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller is
            {
                NamesAssignment: true, AssignmentInForce: true, Purpose: not Purpose.Unspecified, PurposeAssigned: false,
            }),
            (_, answer) => answer == Decision.Refuse(RefusalReason.PurposeNotAssigned));

    [Fact]
    public void Below_the_third_level_of_assurance_everything_is_refused_for_that_reason() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller is
            {
                NamesAssignment: true, AssignmentInForce: true, Purpose: not Purpose.Unspecified, PurposeAssigned: true, Assurance: < AssuranceLevel.Level3,
            }),
            (_, answer) => answer == Decision.Refuse(RefusalReason.AssuranceTooLow));

    [Fact]
    public void The_fourth_level_of_assurance_opens_what_the_third_does() =>
        World.Holds(
            World.Draw(200_000).Concat(World.Permitted()),
            (question, answer) => answer == (question with { Caller = question.Caller with { Assurance = AssuranceLevel.Level4 } }).Answer());

    [Fact]
    public void A_role_is_not_used_for_a_purpose_of_another() =>
        World.Holds(
            World.EveryCaller().Where(question => !Expected.PurposesOf(question.Caller.Role).Contains(question.Caller.Purpose)),
            (_, answer) => !answer.IsPermit);

    [Fact]
    public void Without_a_role_or_an_act_everything_is_refused() =>
        World.Holds(
            World.EveryCaller().Where(question => question.Caller.Role == Role.Unspecified || question.Act == Act.Unspecified),
            (_, answer) => !answer.IsPermit);

    [Fact]
    public void A_number_that_the_policy_does_not_know_is_refused()
    {
        // 32 more than a known number has the same bit as the known one.
        var unknown = Enumerable.Range(-64, 192).ToList();
        var most = World.EveryFact().Where(question => question.Answer().IsPermit).DistinctBy(question => (question.Act, question.Caller.Role)).ToList();

        World.Holds(most.SelectMany(known => unknown.Except(Numbers<Act>()).Select(number => known with { Act = (Act)number })), Refused);
        World.Holds(Changed<Role>((caller, number) => caller with { Role = (Role)number }), Refused);
        World.Holds(Changed<Purpose>((caller, number) => caller with { Purpose = (Purpose)number }), Refused);
        World.Holds(Changed<AssuranceLevel>((caller, number) => caller with { Assurance = (AssuranceLevel)number }), Refused);
        World.Holds(
            most.Where(known => World.IsAboutAPerson(known.Act))
                .SelectMany(known => unknown.Except(Numbers<Blocked>()).Select(number => known with { Facts = known.Facts with { Blocked = (Blocked)number } })),
            (_, answer) => answer == Decision.Refuse(RefusalReason.Blocked, Obligations.AlertReviewers));
        World.Holds(
            most.SelectMany(known => unknown.Except(Numbers<ProtectionLevel>()).Select(number => known with { Facts = known.Facts with { Protection = (ProtectionLevel)number } })),
            (question, answer) => answer == (question with { Facts = question.Facts with { Protection = ProtectionLevel.Unspecified } }).Answer());
        World.Holds(
            most.Where(known => World.IsAboutAPlan(known.Act) && known.Act != Act.ReadInEmergency && known.Caller.Role != Role.DataProtectionOfficer)
                .SelectMany(known => unknown.Except(Numbers<Relation>()).Select(number => known with { Facts = known.Facts with { Relation = (Relation)number } })),
            Refused);

        IEnumerable<Question> Changed<T>(Func<Caller, int, Caller> change)
            where T : struct, Enum =>
            most.SelectMany(known => unknown.Except(Numbers<T>()).Select(number => known with { Caller = change(known.Caller, number) }));

        static IEnumerable<int> Numbers<T>()
            where T : struct, Enum => Enum.GetValues<T>().Select(value => Convert.ToInt32(value, null));

        static bool Refused(Question question, Decision answer) => !answer.IsPermit;
    }
}
