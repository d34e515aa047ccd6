using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Faults;

/// <summary>One change that can be sent any number of times, with the table that gains one row where it is done once.</summary>
/// <param name="Table">Gains a row for each time that the change is done.</param>
/// <param name="Send">Sends the same request each time.</param>
public sealed record SameRequest(string Table, Func<Task<IMessage>> Send)
{
    /// <summary>Changes by the name of their RPC.</summary>
    public static IReadOnlyDictionary<string, Func<Service, Task<SameRequest>>> Kinds { get; } = new Dictionary<string, Func<Service, Task<SameRequest>>>
    {
        ["CreatePlan"] = service => Now("plan", service.CaseWorker.Plans.CreatePlanAsync, new CreatePlanRequest
        {
            Plan = new Plan { Subject = Cases.NewPerson(), SocialSituation = "En gång." },
            RequestId = Cases.NewId(),
        }),
        ["UpdatePlan"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("plan_history", service.CaseWorker.Plans.UpdatePlanAsync, new UpdatePlanRequest
            {
                Plan = new Plan { Name = plan.Name, SocialSituation = "En gång." },
                UpdateMask = new() { Paths = { "social_situation" } },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["EstablishPlan"] = async service =>
        {
            var plan = await service.OpenCompletePlan();
            return Of("plan_revision", service.CaseWorker.Plans.EstablishPlanAsync, new EstablishPlanRequest { Name = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() });
        },
        ["ClosePlan"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("plan_history", service.CaseWorker.Plans.ClosePlanAsync, new ClosePlanRequest
            {
                Name = plan.Name,
                Reason = PlanClosingReason.NoLongerNeeded,
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["AddGoal"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("plan_part", service.CaseWorker.Plans.AddGoalAsync, new AddGoalRequest
            {
                Parent = plan.Name,
                Goal = new Goal { Title = "En gång" },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["EndGoal"] = async service =>
        {
            var goal = await service.AddGoal(await service.OpenPlan());
            return Of("plan_part_history", service.CaseWorker.Plans.EndGoalAsync, new EndGoalRequest
            {
                Name = goal.Name,
                Ending = ItemEnding.Completed,
                Etag = goal.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["AddIntervention"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("plan_part", service.CaseWorker.Plans.AddInterventionAsync, new AddInterventionRequest
            {
                Parent = plan.Name,
                Intervention = new Intervention { Title = "En gång", ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["AddParticipation"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("participation", service.CaseWorker.Participations.AddParticipationAsync, new AddParticipationRequest
            {
                Parent = plan.Name,
                Participation = new Participation { Unit = Cases.UnitOf(DemonstrationDirectory.PrimaryCare), Period = Cases.HalfAYear },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["RecordConsent"] = async service =>
        {
            var plan = await service.OpenPlan();
            return Of("consent", service.CaseWorker.Consents.RecordConsentAsync, new RecordConsentRequest
            {
                Parent = plan.Name,
                Consent = new Consent
                {
                    State = ConsentState.Given,
                    RecipientUnits = { Cases.UnitOf(DemonstrationDirectory.PrimaryCare) },
                    Categories = { InformationCategory.Health },
                    Purpose = Purpose.CareAndTreatment,
                    Period = Cases.HalfAYear,
                    Form = ConsentForm.Oral,
                    GivenBy = ConsentGiver.Self,
                },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["WithdrawConsent"] = async service =>
        {
            var consent = await service.Consent(await service.OpenPlan(), DemonstrationDirectory.PrimaryCare, [InformationCategory.Health]);
            return Of("consent_history", service.CaseWorker.Consents.WithdrawConsentAsync, new WithdrawConsentRequest
            {
                Name = consent.Name,
                Etag = consent.Etag,
                RequestId = Cases.NewId(),
            });
        },
        ["PutUnit"] = service => Now("unit", Administrator(service).Directory.PutUnitAsync, new PutUnitRequest
        {
            Unit = new Unit
            {
                Name = "units/" + Cases.NewId(),
                Organisation = Cases.City,
                Kind = UnitKind.Support,
                DisplayName = "Ny enhet",
            },
            Etag = "new",
            RequestId = Cases.NewId(),
        }),
    };

    public static CoordinationPlanClients Administrator(Service service) => service.As(DemonstrationDirectory.Administrator);

    private static Task<SameRequest> Now<TRequest, TResponse>(
        string table, Func<TRequest, Metadata?, DateTime?, CancellationToken, AsyncUnaryCall<TResponse>> call, TRequest request)
        where TResponse : IMessage =>
        Task.FromResult(Of(table, call, request));

    private static SameRequest Of<TRequest, TResponse>(
        string table, Func<TRequest, Metadata?, DateTime?, CancellationToken, AsyncUnaryCall<TResponse>> call, TRequest request)
        where TResponse : IMessage =>
        new(table, async () => await call(request, null, null, default));
}
