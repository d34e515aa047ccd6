using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Plans;

/// <summary>
/// The statutory content of a plan: a plan is not established without all of it (SoL 2025:400 10 kap. 8 §, HSL 2017:30 16 kap. 4 §).
/// </summary>
internal static class Statute
{
    /// <summary>What is missing, each with its paragraph; nothing where the plan may be established.</summary>
    public static IEnumerable<Precondition> MissingFrom(PlanRecord plan, StatutoryContent content)
    {
        if (content.Interventions == 0)
        {
            yield return Missing("interventions", "which interventions are needed", plan);
        }

        if (content.InterventionsOutsidePrincipals > 0)
        {
            yield return Missing("interventions.responsible_unit", "which of the principals answers for each intervention; a unit outside them takes another measure instead", plan);
        }

        if (content.OtherMeasures == 0 && !plan.NoOtherMeasures)
        {
            yield return Missing("other_measures", "which measures someone else takes, or the statement that none is needed", plan);
        }

        if (plan.LeadPrincipal is null)
        {
            yield return Missing("lead_principal", "which of the principals has overall responsibility", plan);
        }

        if (!content.HasConsent)
        {
            yield return new Precondition("STATUTE", "consents", $"The person must consent, and the consent be in force ({plan.LegalBasis}).");
        }
    }

    private static Precondition Missing(string subject, string what, PlanRecord plan) => new("STATUTE", subject, $"The plan must say {what} ({plan.LegalBasis}).");
}

/// <summary>Which law a plan rests on, by the day it was opened.</summary>
internal static class LegalBasis
{
    private static readonly DateOnly NewSocialServicesAct = new(2025, 7, 1);

    public static string On(DateOnly day) => day < NewSocialServicesAct
        ? "SoL (2001:453) 2 kap. 7 §; HSL (2017:30) 16 kap. 4 §"
        : "SoL (2025:400) 10 kap. 8 §; HSL (2017:30) 16 kap. 4 §";
}
