using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Plans;

/// <summary>Others learn of a risk assessment only what they are to do: each unit what concerns it.</summary>
public sealed class ProtectionMeasureTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee PrimaryCare = DemonstrationDirectory.PrimaryCare;
    private static readonly DemonstrationEmployee Bup = DemonstrationDirectory.ChildPsychiatry;
    private static readonly DemonstrationEmployee School = DemonstrationDirectory.School;
    private static readonly DemonstrationEmployee Shelter = DemonstrationDirectory.Shelter;
    private static readonly DemonstrationEmployee Kruton = DemonstrationDirectory.Kruton;

    [Fact]
    public async Task Each_unit_reads_what_concerns_it_or_everybody()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson(9));
        foreach (var unit in new[] { PrimaryCare, Bup, School })
        {
            await service.Join(plan, unit);
            await service.Consent(plan, unit, unit == Bup ? [InformationCategory.Health] : [InformationCategory.Identity, InformationCategory.ProtectionMeasures]);
        }

        await service.AddProtectionMeasure(plan, PrimaryCare, "Boka inga besök samma dag som pappans.");
        await service.AddProtectionMeasure(plan, School, "Lämna bara ut barnet till mamman.");
        await service.AddProtectionMeasure(plan, null, "Skicka ingen post.");

        Assert.Equal(["Boka inga besök samma dag som pappans.", "Skicka ingen post."], await Read(PrimaryCare, plan));
        Assert.Equal(["Lämna bara ut barnet till mamman.", "Skicka ingen post."], await Read(School, plan));
        Assert.Empty(await Read(Bup, plan));
        Assert.Equal(3, (await Read(DemonstrationDirectory.CaseWorker, plan)).Length);

        // In an emergency too: what every unit must mind, and nothing of what one other was told.
        var access = await service.OpenEmergencyAccess(DemonstrationDirectory.Psychiatry, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Subject);
        await service.Protect(plan, ProtectionLevel.None);
        var read = (await service.As(DemonstrationDirectory.Psychiatry).EmergencyAccess.ReadEmergencyPlansAsync(new() { Name = access.Name })).Plans.Single(found => found.Name == plan.Name);
        Assert.Equal(["Skicka ingen post."], read.ProtectionMeasures.Select(measure => measure.Instruction));

        // An earlier revision is read by the same rule.
        await service.CaseWorker.Plans.EstablishPlanAsync(new() { Name = plan.Name, Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag, RequestId = Cases.NewId() });
        var compared = await service.As(PrimaryCare).Plans.ComparePlanRevisionsAsync(new() { Name = plan.Name, Revision = 1 });
        Assert.Equal(["Boka inga besök samma dag som pappans.", "Skicka ingen post."], compared.After.ProtectionMeasures.Select(measure => measure.Instruction));
        Assert.DoesNotContain("samma dag som pappans", await service.Dump(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_measure_is_changed_and_ended_and_its_unit_stays()
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        var stranger = new AddProtectionMeasureRequest
        {
            Parent = plan.Name,
            ProtectionMeasure = new() { Instruction = "Ring inte.", Unit = Cases.UnitOf(PrimaryCare) },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        };
        await service.CaseWorker.Plans.AddProtectionMeasureAsync(stranger).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);

        await service.Join(plan, PrimaryCare);
        var measure = await service.AddProtectionMeasure(plan, PrimaryCare, "Ring inte.");
        var move = new UpdateProtectionMeasureRequest
        {
            ProtectionMeasure = new() { Name = measure.Name, Unit = Cases.UnitOf(Bup) },
            UpdateMask = new() { Paths = { "unit" } },
            Etag = measure.Etag,
            RequestId = Cases.NewId(),
        };
        await service.CaseWorker.Plans.UpdateProtectionMeasureAsync(move).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        var updated = (await service.CaseWorker.Plans.UpdateProtectionMeasureAsync(new()
        {
            ProtectionMeasure = new() { Name = measure.Name, Instruction = "Ring bara handläggaren." },
            UpdateMask = new() { Paths = { "instruction" } },
            Etag = measure.Etag,
            RequestId = Cases.NewId(),
        })).ProtectionMeasure;
        Assert.Equal(("Ring bara handläggaren.", Cases.UnitOf(PrimaryCare)), (updated.Instruction, updated.Unit));

        var ended = (await service.CaseWorker.Plans.EndProtectionMeasureAsync(new()
        {
            Name = measure.Name,
            Ending = ItemEnding.Completed,
            Outcome = "Har nytt nummer.",
            Etag = updated.Etag,
            RequestId = Cases.NewId(),
        })).ProtectionMeasure;
        Assert.Equal((ItemState.Completed, "Har nytt nummer."), (ended.State, ended.Outcome));
        Assert.Equal(ended, (await service.Read(DemonstrationDirectory.CaseWorker, plan)).ProtectionMeasures.Single());
    }

    /// <summary>A sheltered housing reads its own rows whatever its permit rests on: another housing's would tell where the person went next.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sheltered_housing_reads_of_no_other(bool byLegalGround)
    {
        var plan = await service.OpenCompletePlan(Cases.NewPerson());
        foreach (var housing in new[] { Shelter, Kruton })
        {
            await service.Join(plan, housing);
            await service.AddProtectionMeasure(plan, housing, "Möt vid " + housing.Id);
            await service.AddIntervention(plan, housing, "Stöd av " + housing.Id);
        }

        InformationCategory[] categories = [InformationCategory.GoalsAndInterventions, InformationCategory.ProtectionMeasures, InformationCategory.Meetings];
        if (byLegalGround)
        {
            await service.Release(plan, Shelter, categories);
        }
        else
        {
            await service.Consent(plan, Shelter, categories);
        }

        var read = await service.Read(Shelter, plan);
        Assert.Equal(["Möt vid " + Shelter.Id], read.ProtectionMeasures.Select(measure => measure.Instruction));
        Assert.DoesNotContain(Kruton.UnitId, read.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Kruton.Id, read.ToString(), StringComparison.Ordinal);
    }

    private async Task<string[]> Read(DemonstrationEmployee employee, Plan plan) =>
        [.. (await service.Read(employee, plan)).ProtectionMeasures.Select(measure => measure.Instruction).Order(StringComparer.Ordinal)];
}
