using static CoordinationPlan.Law.Stage;

namespace CoordinationPlan.Law.Tests;

/// <summary>Every step between every two stages, with everything that a plan can lack, against the steps written down a second time as sentences.</summary>
public sealed class StepTests
{
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
            for (var bits = 0; bits < 1 << 10; bits++)
            {
                var has = (int bit) => (bits >> bit & 1) == 1;
                var plan = new PlanContent(
                    has(0) ? 2 : 0, has(1) ? 1 : 0, has(2) ? 1 : 0, has(3), has(4), has(5), has(6), has(7), has(8), has(9));
                Assert.Equal(ExpectedToLack(step.To, plan).Order(), PlanLaw.MissingFor(step, plan, Today).Select(unmet => unmet.Rule.Id).Order());
                looked++;
            }
        }

        Assert.Equal(PlanLaw.Steps.Count * 1024, looked);
    }

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

        if (to == InFollowUp && !plan.HasFollowUpDate)
        {
            yield return "follow_up.date";
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
