using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>What the person and the child say themselves, and the codes of the field.</summary>
public sealed class OwnWordsTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task The_persons_words_go_with_the_goals_and_the_childs_own_by_themselves()
    {
        var plan = (await service.CaseWorker.Plans.CreatePlanAsync(new()
        {
            Plan = new() { Subject = Cases.NewPerson(9), WhatMatters = "Att få sova.", Needs = "Trygghet.", ChildsOwnWords = "Jag vill ha min katt." },
            RequestId = Cases.NewId(),
        })).Plan;
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.ChildsOwnWords]);

        var care = await service.Read(DemonstrationDirectory.PrimaryCare, plan);
        Assert.Equal(("Att få sova.", "Trygghet.", ""), (care.WhatMatters, care.Needs, care.ChildsOwnWords));
        var psychiatry = await service.Read(DemonstrationDirectory.ChildPsychiatry, plan);
        Assert.Equal(("", "", "Jag vill ha min katt."), (psychiatry.WhatMatters, psychiatry.Needs, psychiatry.ChildsOwnWords));
        Assert.DoesNotContain("min katt", await service.Dump(), StringComparison.Ordinal);

        // A list shows the frame without them, and the log says just what was shown.
        var start = await service.Now();
        var listed = (await service.As(DemonstrationDirectory.ChildPsychiatry).Plans.ListPlansAsync(new() { PageSize = 100 })).Plans.Single(item => item.Name == plan.Name);
        Assert.Equal("", listed.ChildsOwnWords);
        Assert.DoesNotContain(await service.LogSince(start), entry => entry.Categories.HasFlag(Policy.Categories.ChildsOwnWords));

        // One text of a category is changed, the others of the same category stay.
        var updated = (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, Resources = "Mormor.", Needs = "Ska inte ändras." },
            UpdateMask = new() { Paths = { "resources" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Plan;
        Assert.Equal(("Att få sova.", "Trygghet.", "Mormor."), (updated.WhatMatters, updated.Needs, updated.Resources));
        Assert.Equal(updated.WhatMatters, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).WhatMatters);
    }

    [Fact]
    public async Task An_intervention_has_its_codes_and_a_goal_its_horizon()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var goal = (await service.CaseWorker.Plans.AddGoalAsync(new()
        {
            Parent = plan.Name,
            Goal = new() { Title = "Trygg hemma", Horizon = GoalHorizon.LongTerm, OwnWords = "Jag vill inte lyssna efter steg i trappan." },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Goal;
        Assert.Equal((GoalHorizon.LongTerm, "Jag vill inte lyssna efter steg i trappan."), (goal.Horizon, goal.OwnWords));

        var request = new AddInterventionRequest
        {
            Parent = plan.Name,
            Intervention = new()
            {
                Title = "Stödsamtal",
                ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker),
                Codes = { new ClassificationCode { System = Classification.Ksi, Code = "GB004" }, new ClassificationCode { System = Classification.Icf, Code = "b134" } },
            },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        Assert.Equal(request.Intervention.Codes, (await service.CaseWorker.Plans.AddInterventionAsync(request)).Intervention.Codes);
        foreach (var wrong in new[] { new ClassificationCode { Code = "GB004" }, new ClassificationCode { System = Classification.Kva }, new ClassificationCode { System = Classification.Kva, Code = new string('A', 21) } })
        {
            await service.CaseWorker.Plans.AddInterventionAsync(new(request) { Intervention = new(request.Intervention) { Codes = { wrong } }, RequestId = Cases.NewId() })
                .Fails(Grpc.Core.StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }
    }
}
