using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>What happens in a case, by chance.</summary>
internal static class CaseHistory
{
    private static readonly DemonstrationEmployee[] Units = [DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter];

    /// <summary>Those that can take part, by a person or by what a system has reported.</summary>
    private static readonly DemonstrationEmployee[] CalledUnits = [.. Units, DemonstrationDirectory.Ward];

    private static readonly InformationCategory[] Released =
        [InformationCategory.Schooling, InformationCategory.GoalsAndInterventions, InformationCategory.Meetings, InformationCategory.Meetings, InformationCategory.Meetings];

    /// <summary>Something of what happens to plans: joins, ends, consents, withdrawals, meetings, blocks, answers to systems. Not always is there something to change.</summary>
    public static async Task ChangeSomething(this Service service, Random random, Plan plan)
    {
        var unit = Units[random.Next(Units.Length)];
        var now = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        var clients = service.CaseWorker;
        try
        {
            switch (random.Next(12))
            {
                case 0 or 1 or 2:
                    await service.Join(now, unit);
                    break;
                case 3 when now.Participations.FirstOrDefault(participation => !participation.Ended) is { } ending:
                    await clients.Participations.EndParticipationAsync(new() { Name = ending.Name, Etag = ending.Etag, RequestId = Cases.NewId() });
                    break;
                case 4 or 5:
                    await service.Consent(now, unit, [Released[random.Next(Released.Length)]]);
                    break;
                case 6 when now.Consents.LastOrDefault(consent => consent.State == ConsentState.Given) is { } given:
                    await clients.Consents.WithdrawConsentAsync(new() { Name = given.Name, Etag = given.Etag, RequestId = Cases.NewId() });
                    break;
                case 7:
                    await service.CallMeeting(
                        now,
                        [.. CalledUnits.Where(called => now.Participations.Any(participation => !participation.Ended && participation.Unit == Cases.UnitOf(called))), DemonstrationDirectory.CaseWorker],
                        TimeSpan.FromDays(20));
                    break;
                case 8 when (await clients.Meetings.ListMeetingsAsync(new() { Parent = now.Name })).Meetings.FirstOrDefault(meeting => meeting.State == MeetingState.Called) is { } called:
                    await clients.Meetings.CancelMeetingAsync(new() { Name = called.Name, Etag = called.Etag, RequestId = Cases.NewId() });
                    break;
                case 9 when (await clients.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = now.Name })).SyncedParticipations
                    .FirstOrDefault(synced => synced.State is SyncedParticipationState.Waiting or SyncedParticipationState.Conflict) is { } waiting:
                    await clients.ParticipationSync.AnswerSyncedParticipationAsync(new()
                    {
                        Name = waiting.Name,
                        Answer = random.Next(3) == 0 ? SyncAnswer.Decline : SyncAnswer.Accept,
                        Etag = waiting.Etag,
                        RequestId = Cases.NewId(),
                    });
                    break;
                case 10:
                    await clients.Plans.UpdatePlanAsync(new()
                    {
                        Plan = new Plan
                        {
                            Name = now.Name,
                            FollowUpDate = Cases.Period(random.Next(1, 300), null).StartDate,
                            Coordinator = random.Next(2) == 0 ? "employees/" + DemonstrationDirectory.CaseWorker.Id : "",
                        },
                        UpdateMask = new() { Paths = { "follow_up_date", "coordinator" } },
                        Etag = now.Etag,
                        RequestId = Cases.NewId(),
                    });
                    break;
                case 11:
                    var protection = await clients.Protection.GetProtectionAsync(new() { Name = now.Name + "/protection" });
                    if (protection.Protection.Blocks.FirstOrDefault(block => block.LiftTime is null) is { } block)
                    {
                        await clients.Protection.LiftBlockAsync(new() { Name = block.Name, Etag = block.Etag, RequestId = Cases.NewId() });
                    }
                    else
                    {
                        await clients.Protection.AddBlockAsync(new()
                        {
                            Parent = now.Name,
                            Block = new() { Unit = Cases.UnitOf(unit), Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.Today, ReviewDate = Cases.InMonths(3) },
                            Etag = now.Etag,
                            RequestId = Cases.NewId(),
                        });
                    }

                    break;
            }
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.FailedPrecondition)
        {
            // Takes part already, or the like: nothing has changed.
        }
    }
}
