using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Type;

namespace CoordinationPlan.Bench.Data;

/// <summary>
/// A few plans made through the API as case systems make them, about 4 kB each, which all others are copied from: three goals, four
/// interventions, two measures by others, three units that take part, two consents.
/// </summary>
internal sealed class TemplatePlans(CoordinationPlanClients worker)
{
    /// <summary>The description of every intervention.</summary>
    public const string InterventionDescription =
        "Samtal varannan vecka på mottagningen. Vid behov deltar en tolk. Kontaktpersonen bokar tiderna, påminner dagen innan och stämmer av med "
        + "övriga i planen före varje uppföljning. Om något förändras i situationen tas kontakt samma dag.";

    private const string Situation =
        "Behov av samordning mellan socialtjänst och hälso- och sjukvård. Den enskilde har levt med våld i en nära relation och bor nu på ny adress. "
        + "Nätverket är litet, ekonomin ansträngd och kontakten med arbetsgivaren bruten. Stöd behövs i kontakter med myndigheter, i föräldraskapet och "
        + "för att återfå en fungerande vardag. Den enskildes egna önskemål: att sova om nätterna, att barnen ska känna sig trygga, och att inte "
        + "behöva berätta allt från början för var och en.";

    private readonly DatePeriod _halfAYear = new()
    {
        StartDate = ToDate(TimeProvider.System.Today()),
        EndDate = ToDate(TimeProvider.System.Today().AddMonths(6)),
    };

    /// <summary>Makes the plans. Returns them with, of each, the intervention that the measured changes are to change.</summary>
    public async Task<IReadOnlyList<(Plan Plan, Intervention Changed)>> Make(CancellationToken stop)
    {
        var plans = new List<(Plan, Intervention)>();
        foreach (var subject in new[] { DemonstrationPersons.Sara, DemonstrationPersons.Elias, DemonstrationPersons.Nora })
        {
            plans.Add(await Make(subject, stop));
        }

        return plans;
    }

    private async Task<(Plan Plan, Intervention Changed)> Make(Subject subject, CancellationToken stop)
    {
        var plan = (await worker.Plans.CreatePlanAsync(
            new CreatePlanRequest
            {
                Plan = new Plan
                {
                    Subject = subject,
                    Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id,
                    LeadPrincipal = "organisations/" + DemonstrationDirectory.City,
                    FollowUpDate = _halfAYear.EndDate,
                    SocialSituation = Situation,
                    HealthSituation = Situation[..300],
                },
                RequestId = NewId(),
            },
            cancellationToken: stop)).Plan;

        var employees = new[] { DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter };
        foreach (var employee in employees)
        {
            await worker.Participations.AddParticipationAsync(
                new AddParticipationRequest
                {
                    Parent = plan.Name,
                    Participation = new Participation { Unit = "units/" + employee.UnitId, Period = _halfAYear },
                    Etag = plan.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: stop);
        }

        foreach (var employee in employees.Take(2))
        {
            await worker.Consents.RecordConsentAsync(
                new RecordConsentRequest { Parent = plan.Name, Consent = ConsentFor(employee), Etag = plan.Etag, RequestId = NewId() }, cancellationToken: stop);
        }

        return (plan, await AddContents(plan, stop));
    }

    private async Task<Intervention> AddContents(Plan plan, CancellationToken stop)
    {
        var goals = new List<Goal>();
        foreach (var title in new[] { "Jag vill sova om nätterna och känna mig trygg", "Jag vill klara ekonomin själv", "Barnen ska ha en vardag som fungerar" })
        {
            goals.Add((await worker.Plans.AddGoalAsync(
                new AddGoalRequest
                {
                    Parent = plan.Name,
                    Goal = new Goal { Title = title, Description = Situation[..200], TargetDate = _halfAYear.EndDate },
                    Etag = plan.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: stop)).Goal);
        }

        var interventions = new List<Intervention>();
        foreach (var (i, unit) in new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry }.Index())
        {
            interventions.Add((await worker.Plans.AddInterventionAsync(
                new AddInterventionRequest
                {
                    Parent = plan.Name,
                    Intervention = new Intervention
                    {
                        Title = "Stödsamtal och hjälp med ansökningar",
                        Description = InterventionDescription,
                        ResponsibleUnit = "units/" + unit.UnitId,
                        Goals = { goals[i % goals.Count].Name },
                        Period = _halfAYear,
                    },
                    Etag = plan.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: stop)).Intervention);
        }

        foreach (var title in new[] { "Juridisk rådgivning", "Stödgrupp för barnen" })
        {
            await worker.Plans.AddOtherMeasureAsync(
                new AddOtherMeasureRequest
                {
                    Parent = plan.Name,
                    OtherMeasure = new OtherMeasure { Title = title, TakenBy = "Ideell förening", Description = Situation[..150] },
                    Etag = plan.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: stop);
        }

        return interventions[0];
    }

    private Consent ConsentFor(DemonstrationEmployee recipient) => new()
    {
        State = ConsentState.Given,
        RecipientUnits = { "units/" + recipient.UnitId },
        Categories =
        {
            InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Health, InformationCategory.Meetings,
        },
        Purpose = recipient.Purpose,
        Period = _halfAYear,
        Form = ConsentForm.Oral,
        GivenBy = ConsentGiver.Self,
    };

    private static string NewId() => Guid.CreateVersion7().ToString("D");

    private static Date ToDate(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}
