using static CoordinationPlan.Law.Stage;

namespace CoordinationPlan.Law.Tests;

/// <summary>Every step between every two stages, with everything that a plan can lack, against the steps written down a second time as sentences.</summary>
public sealed class StepTests
{
    /// <summary>How many things a plan can have or lack.</summary>
    private const int Things = 14;

    private static readonly DateOnly Today = new(2026, 11, 24);

    [Fact]
    public void Stages_are_the_contracts() => Assert.Equal(
        V1.PlanReflection.Descriptor.EnumTypes.Single(type => type.Name == "PlanState").Values.Select(value => (Name: value.Name["PLAN_STATE_".Length..].Replace("_", ""), value.Number)),
        Enum.GetValues<Stage>().Select(stage => (Name: stage.ToString().ToUpperInvariant(), Number: (int)stage)));

    [Fact]
    public void The_methods_are_the_contracts() => Assert.Subset(
        V1.PlanServiceReflection.Descriptor.Services[0].Methods.Select(method => method.Name).ToHashSet(), PlanLaw.Steps.Select(step => step.Method).ToHashSet());

    [Fact]
    public void There_is_a_step_where_one_is_expected_and_nowhere_else()
    {
        foreach (var from in Enum.GetValues<Stage>())
        {
            foreach (var to in Enum.GetValues<Stage>())
            {
                Assert.Equal((from, to, MethodBetween(from, to)), (from, to, PlanLaw.StepBetween(from, to)?.Method));
                // Never two that could contradict each other.
                Assert.InRange(PlanLaw.StepsFrom(from).Count(step => step.To == to), 0, 1);
            }
        }
    }

    [Fact]
    public void A_step_lacks_what_is_expected_of_all_that_a_plan_can_hold()
    {
        var looked = 0;
        foreach (var step in PlanLaw.Steps)
        {
            for (var bits = 0; bits < 1 << Things; bits++)
            {
                var has = (int bit) => (bits >> bit & 1) == 1;
                var plan = new PlanContent(
                    has(0) ? 2 : 0, has(1) ? 1 : 0, has(2) ? 1 : 0, has(3), has(4), has(5), has(6), has(7), has(8),
                    has(13) ? Today : null, has(9) ? Today.AddDays(91) : null, has(10) ? 90 : null, has(11) ? 1 : 0, has(12));
                Assert.Equal(ExpectedToLack(step.To, plan).Order(), PlanLaw.MissingFor(step, plan, Today).Select(unmet => unmet.Rule.Id).Order());
                looked++;
            }
        }

        Assert.Equal(PlanLaw.Steps.Count << Things, looked);
    }

    [Theory]
    // Ninety days, over the autumn's change of the clock and a change of year.
    [InlineData("2026-10-01", 90, "2026-12-29", true)]
    [InlineData("2026-10-01", 90, "2026-12-30", true)]
    [InlineData("2026-10-01", 90, "2026-12-31", false)]
    [InlineData("2027-12-01", 90, "2028-02-29", true)]
    [InlineData("2027-12-01", 90, "2028-03-01", false)]
    [InlineData("2026-10-01", null, "2036-10-01", true)]
    public void A_follow_up_is_within_the_interval_that_the_controller_has_decided(string established, int? within, string followUp, bool isMet) => Assert.Equal(
        isMet,
        PlanLaw.FollowUpInTime.IsMet(new PlanContent(EstablishedOn: Day(established), FollowUpOn: Day(followUp), FollowUpWithinDays: within)));

    private static DateOnly Day(string day) => DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void A_plan_can_come_to_every_stage_and_from_every_stage_to_its_end()
    {
        var reached = new HashSet<Stage> { Noted };
        while (reached.SelectMany(PlanLaw.StepsFrom).Select(step => step.To).Except(reached).ToList() is { Count: > 0 } next)
        {
            reached.UnionWith(next);
        }

        Assert.Equal(Enum.GetValues<Stage>().Except([Unspecified]).Order(), reached.Order());
        Assert.All(reached.Except([Closed, Refused, Declined]), stage => Assert.NotNull(PlanLaw.StepBetween(stage, Closed)));
    }

    private static string? MethodBetween(Stage from, Stage to)
    {
        var beforeAgreement = from is Noted or ConsentSought or Preparing or Summoned or Met;
        var isOpen = beforeAgreement || from is Established or InFollowUp;
        return to switch
        {
            Noted when from is Closed or Refused or Declined => "ReopenPlan",
            ConsentSought when from == Noted => "AdvancePlan",
            Preparing when from is Noted or ConsentSought => "AdvancePlan",
            Summoned when from is Preparing or Met => "AdvancePlan",
            Met when from is Preparing or Summoned => "AdvancePlan",
            InFollowUp when from == Established => "AdvancePlan",
            Established when isOpen => "EstablishPlan",
            Refused or Declined when beforeAgreement => "DeclinePlan",
            Closed when isOpen => "ClosePlan",
            _ => null,
        };
    }

    private static IEnumerable<string> ExpectedToLack(Stage to, PlanContent plan)
    {
        if (to == ConsentSought && !plan.ConsentAsked && !plan.ConsentInForce)
        {
            yield return "consent.asked";
        }

        if (to is Preparing or Summoned or Met or Established && !plan.ConsentInForce)
        {
            yield return "consent.in_force";
        }

        if (to == Summoned && !plan.MeetingCalled)
        {
            yield return "meeting.called";
        }

        if (to == Met && !plan.MeetingHeld)
        {
            yield return "meeting.held";
        }

        if (to == Summoned && plan.PrincipalsNotSummoned > 0)
        {
            yield return "meeting.principals_summoned";
        }

        if (to == Summoned && plan.LacksCareContact)
        {
            yield return "meeting.care_contact";
        }

        if (to == InFollowUp && plan.FollowUpOn is null)
        {
            yield return "follow_up.date";
        }

        // The day above is one too many for the interval above.
        if (to == InFollowUp && plan is { FollowUpOn: not null, EstablishedOn: not null, FollowUpWithinDays: not null })
        {
            yield return "follow_up.interval";
        }

        if (to != Established)
        {
            yield break;
        }

        if (plan.Interventions == 0)
        {
            yield return "content.interventions";
        }

        if (plan.InterventionsOutsidePrincipals != 0)
        {
            yield return "content.responsible_principals";
        }

        if (plan.OtherMeasures == 0 && !plan.NoOtherMeasures)
        {
            yield return "content.other_measures";
        }

        if (!plan.HasLeadPrincipal)
        {
            yield return "content.lead_principal";
        }
    }
}
