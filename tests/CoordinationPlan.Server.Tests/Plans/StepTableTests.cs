using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Law;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>
/// Every step of the rule table, with each of its conditions missing alone, and with everybody who may not take it. A new step or condition is tried here on the day
/// it is written.
/// </summary>
public sealed class StepTableTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Owner = DemonstrationDirectory.CaseWorker;
    private static readonly DemonstrationEmployee Outside = DemonstrationDirectory.Cousin;

    public static IEnumerable<TheoryDataRow<Stage, Stage, string>> Conditions =>
        from step in PlanLaw.Steps
        from stage in step.From
        from condition in step.Demands
            // Demanded only where a controller has decided an interval: PlanStepTests.
        where condition != PlanLaw.FollowUpInTime
        select new TheoryDataRow<Stage, Stage, string>(stage, step.To, condition.Id);

    public static IEnumerable<TheoryDataRow<Stage>> Stages => PlanLaw.Steps.SelectMany(step => step.From).Distinct().Select(stage => new TheoryDataRow<Stage>(stage));

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task A_step_that_lacks_one_thing_is_told_which_and_is_taken_when_it_is_there(Stage from, Stage to, string missing)
    {
        var step = PlanLaw.StepBetween(from, to)!;
        var plan = missing == "consent.asked" ? await service.OpenPlan(Cases.NewPerson()) : await At(from);
        foreach (var condition in step.Demands.Where(condition => condition.Id != missing))
        {
            await Give(plan, condition.Id);
        }

        await Take(plan, missing);

        Assert.Equal([missing], await Missing(plan, to));
        var error = await Step(plan, step.Method, to).Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);
        var unmet = Assert.Single(error.UnmetPreconditions());
        var rule = step.Demands.Single(condition => condition.Id == missing);
        Assert.Equal(rule.Subject, unmet.Subject);
        Assert.StartsWith(rule.Demand, unmet.Description, StringComparison.Ordinal);
        Assert.Equal((PlanState)from, (await service.Read(Owner, plan)).State);

        await Give(plan, missing);
        Assert.Empty(await Missing(plan, to));
        await Step(plan, step.Method, to);
        Assert.Equal((PlanState)to, (await service.Read(Owner, plan)).State);
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public async Task Whoever_may_not_take_a_step_gets_the_neutral_refusal(Stage at)
    {
        var plan = await At(at);
        if (PlanLaw.Open.Contains(at))
        {
            // Those who take part and read all that can be released may not either.
            foreach (var participant in new[] { DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ElderCare, DemonstrationDirectory.Origo, DemonstrationDirectory.School, DemonstrationDirectory.Shelter })
            {
                var current = await service.Read(Owner, plan);
                await service.Join(current, participant);
                await service.Consent(current, participant, [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings, InformationCategory.Schooling]);
                Assert.Equal(plan.Name, (await service.Read(participant, plan)).Name);
            }
        }

        foreach (var step in PlanLaw.StepsFrom(at))
        {
            foreach (var condition in step.Demands)
            {
                await Give(plan, condition.Id);
            }
        }

        var before = await service.Read(Owner, plan);
        var others = DemonstrationDirectory.Employees.Append(DemonstrationDirectory.Administrator).Where(employee => employee.UnitId != Owner.UnitId).ToList();
        Assert.Equal(
            [Role.SocialCaseWorker, Role.HealthCareProfessional, Role.NamedCareContact, Role.SchoolContact, Role.ShelterContactPerson, Role.SupportProvider, Role.LogReviewer,
                Role.DataProtectionOfficer, Role.Statistician, Role.DirectoryAdministrator, Role.SystemIntegration],
            others.Select(employee => employee.Role).Distinct().Order());
        var never = await Step(new Plan { Name = $"plans/{Cases.NewId()}", Etag = before.Etag }, "ClosePlan", Stage.Closed).Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
        await Parallel.ForEachAsync(
            from step in PlanLaw.StepsFrom(at) from other in others select (step, other),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (tried, _) =>
            {
                var error = await Step(before, tried.step.Method, tried.step.To, tried.other).Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
                Assert.Equal(never.Status, error.Status);
            });

        Assert.Equal(before, await service.Read(Owner, plan));
    }

    // ---------------------------------------------------------------------------------------------------------- a plan at a stage, and what it holds

    /// <summary>A plan with all that the law asks for, at a stage.</summary>
    private async Task<Plan> At(Stage stage)
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        foreach (var to in Way(stage))
        {
            var step = PlanLaw.StepBetween((Stage)(await service.Read(Owner, plan)).State, to)!;
            foreach (var condition in step.Demands)
            {
                await Give(plan, condition.Id);
            }

            await Step(plan, step.Method, to);
        }

        return await service.Read(Owner, plan);
    }

    private static Stage[] Way(Stage to) => to switch
    {
        Stage.Noted => [],
        Stage.Summoned or Stage.Met => [Stage.Preparing, to],
        Stage.InFollowUp => [Stage.Established, to],
        _ => [to],
    };

    private async Task<IEnumerable<string>> Missing(Plan plan, Stage to) =>
        (await service.CaseWorker.Plans.GetPlanReadinessAsync(new() { Name = plan.Name })).Steps.Single(step => step.To == (PlanState)to).Missing.Select(unmet => unmet.Rule);

    /// <summary>Tries a step; from the etag that the plan has now, unless somebody else tries it.</summary>
    private async Task Step(Plan plan, string method, Stage to, DemonstrationEmployee? who = null)
    {
        var etag = who is not null || plan.Subject is null ? plan.Etag : (await service.Read(Owner, plan)).Etag;
        var (plans, id) = (service.As(who ?? Owner).Plans, Cases.NewId());
        var reason = to == Stage.Refused ? PlanDeclineReason.PersonDoesNotWant : PlanDeclineReason.NeedsMetOtherwise;
        switch (method)
        {
            case "AdvancePlan":
                await plans.AdvancePlanAsync(new() { Name = plan.Name, State = (PlanState)to, Etag = etag, RequestId = id });
                break;
            case "EstablishPlan":
                await plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = etag, RequestId = id });
                break;
            case "ClosePlan":
                await plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.GoalsReached, Etag = etag, RequestId = id });
                break;
            case "DeclinePlan":
                await plans.DeclinePlanAsync(new() { Name = plan.Name, Reason = reason, DecisionReference = "BESLUT 1", Etag = etag, RequestId = id });
                break;
            case "ReopenPlan":
                await plans.ReopenPlanAsync(new() { Name = plan.Name, Etag = etag, RequestId = id });
                break;
            default:
                throw new InvalidOperationException($"{method} takes a step and is not tried here.");
        }
    }

    /// <summary>Sees to it that a condition is met.</summary>
    private async Task Give(Plan plan, string rule)
    {
        var now = await service.Read(Owner, plan);
        switch (rule)
        {
            case "consent.asked" or "consent.in_force":
                if (!now.Consents.Any(consent => consent.State == ConsentState.Given))
                {
                    await service.Consent(now, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
                }

                break;
            case "meeting.called":
                if (await Called(plan) is null)
                {
                    await service.CallMeeting(now, [Owner], TimeSpan.FromDays(1));
                }

                break;
            case "meeting.principals_summoned":
                // A summons to one of its units suffices.
                if (now.Participations.Any(participation => participation.Unit == Cases.UnitOf(DemonstrationDirectory.PrimaryCare) && !participation.Ended))
                {
                    await service.CallMeeting(now, [Owner, DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(2));
                }

                break;
            case "meeting.care_contact":
                if ((await service.CaseWorker.Discharge.ListDischargeNoticesAsync(new() { Parent = plan.Name })).DischargeNotices.Count > 0)
                {
                    await Notice(now, DischargeNoticeKind.NotReady);
                }

                break;
            case "follow_up.interval":
                break;
            case "meeting.held":
                var meeting = await Called(plan) ?? await service.CallMeeting(now, [Owner], TimeSpan.FromDays(1));
                await service.LetBegin(meeting);
                await service.CaseWorker.Meetings.RecordMeetingAsync(new() { Name = meeting.Name, Etag = meeting.Etag, RequestId = Cases.NewId() });
                break;
            case "follow_up.date":
                await Update(now, new() { FollowUpDate = Cases.InMonths(3) }, "follow_up_date");
                break;
            case "content.interventions":
                if (!now.Interventions.Any(Counts))
                {
                    await service.AddIntervention(now, Owner);
                }

                break;
            case "content.responsible_principals":
                // What was begun in the plan by others than the principals ends when they leave.
                foreach (var participation in now.Participations.Where(participation => participation.Unit == Cases.UnitOf(Outside) && !participation.Ended))
                {
                    await service.CaseWorker.Participations.EndParticipationAsync(new() { Name = participation.Name, Etag = participation.Etag, RequestId = Cases.NewId() });
                }

                await End(now.Interventions.Where(intervention => intervention.ResponsibleUnit == Cases.UnitOf(Outside) && Counts(intervention)));
                break;
            case "content.other_measures":
                if (!now.OtherMeasures.Any(measure => measure.State == ItemState.Active))
                {
                    await service.AddOtherMeasure(now);
                }

                break;
            case "content.lead_principal":
                await Update(now, new() { LeadPrincipal = Cases.City }, "lead_principal");
                break;
            default:
                throw new InvalidOperationException($"{rule} is demanded of a plan and is not tried here.");
        }
    }

    /// <summary>Sees to it that a condition is not met, and every other stays as it is.</summary>
    private async Task Take(Plan plan, string rule)
    {
        var now = await service.Read(Owner, plan);
        switch (rule)
        {
            case "consent.asked":
                Assert.Empty(now.Consents);
                break;
            case "consent.in_force":
                foreach (var consent in now.Consents.Where(consent => consent.State == ConsentState.Given))
                {
                    await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() });
                }

                break;
            case "meeting.called":
                Assert.Null(await Called(plan));
                break;
            case "meeting.principals_summoned":
                await service.Join(now, DemonstrationDirectory.PrimaryCare);
                break;
            case "meeting.care_contact":
                await Notice(now, DischargeNoticeKind.Ready);
                break;
            case "meeting.held":
                // Not while another is called, either.
                await Give(plan, "meeting.called");
                break;
            case "follow_up.date":
                await Update(now, new(), "follow_up_date");
                break;
            case "content.interventions":
                await End(now.Interventions.Where(Counts));
                break;
            case "content.responsible_principals":
                await service.Join(now, Outside);
                await service.AddIntervention(now, Outside);
                break;
            case "content.other_measures":
                foreach (var measure in now.OtherMeasures.Where(measure => measure.State == ItemState.Active))
                {
                    await service.CaseWorker.Plans.EndOtherMeasureAsync(new() { Name = measure.Name, Ending = ItemEnding.Discontinued, Etag = measure.Etag, RequestId = Cases.NewId() });
                }

                break;
            case "content.lead_principal":
                await Update(now, new(), "lead_principal");
                break;
            default:
                throw new InvalidOperationException($"{rule} is demanded of a plan and is not tried here.");
        }
    }

    private async Task Notice(Plan now, DischargeNoticeKind kind) => await service.CaseWorker.Discharge.AddDischargeNoticeAsync(new()
    {
        Parent = now.Name,
        DischargeNotice = new() { Kind = kind, NoticeTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(kind == DischargeNoticeKind.Ready ? -2 : -1)) },
        Etag = now.Etag,
        RequestId = Cases.NewId(),
    });

    private static bool Counts(Intervention intervention) => intervention.State is ItemState.Active or ItemState.Completed;

    private async Task<Meeting?> Called(Plan plan) =>
        (await service.CaseWorker.Meetings.ListMeetingsAsync(new() { Parent = plan.Name })).Meetings.FirstOrDefault(meeting => meeting.State == MeetingState.Called);

    private async Task End(IEnumerable<Intervention> interventions)
    {
        foreach (var intervention in interventions)
        {
            await service.CaseWorker.Plans.EndInterventionAsync(
                new() { Name = intervention.Name, Ending = ItemEnding.Discontinued, Etag = intervention.Etag, RequestId = Cases.NewId() });
        }
    }

    private async Task Update(Plan now, Plan fields, string path)
    {
        fields.Name = now.Name;
        await service.CaseWorker.Plans.UpdatePlanAsync(
            new() { Plan = fields, UpdateMask = new() { Paths = { path } }, Etag = now.Etag, RequestId = Cases.NewId() });
    }
}
