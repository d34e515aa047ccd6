using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Risk;

/// <summary>A risk assessment stays with the social services that own the plan, and is never changed.</summary>
public sealed class RiskTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_later_assessment_takes_the_place_of_an_earlier_and_both_stay()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var first = (await Record(plan)).RiskAssessment;
        Assert.Equal(("employees/" + DemonstrationDirectory.CaseWorker.Id, Cases.UnitOf(DemonstrationDirectory.CaseWorker)), (first.AssessedBy, first.AssessingUnit));
        var second = (await Record(plan, supersedes: first.Name)).RiskAssessment;

        var kept = (await service.CaseWorker.Risk.ListRiskAssessmentsAsync(new() { Parent = plan.Name })).RiskAssessments;
        Assert.Equal([(second.Name, ""), (first.Name, second.Name)], kept.Select(assessment => (assessment.Name, assessment.SupersededBy)));
        Assert.Equal(first.OwnEstimate, kept[1].OwnEstimate);
        Assert.DoesNotContain(first.OwnEstimate, await service.Dump(), StringComparison.Ordinal);
        await Record(plan, supersedes: first.Name).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Fact]
    public async Task Nobody_else_reads_one_whatever_is_released()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.SocialSituation, InformationCategory.Health, InformationCategory.ProtectionMeasures]);
        await Record(plan);
        foreach (var other in new[] { DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.LogReviewer, DemonstrationDirectory.Jonas })
        {
            await service.As(other).Risk.ListRiskAssessmentsAsync(new() { Parent = plan.Name }).IsRefused();
            await service.As(other).Risk.RecordRiskAssessmentAsync(new() { Parent = plan.Name, RiskAssessment = Cases.NewRiskAssessment(), Etag = plan.Etag, RequestId = Cases.NewId() }).IsRefused();
        }

        Assert.DoesNotContain("rädd", (await service.Read(DemonstrationDirectory.PrimaryCare, plan)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_assessment_of_another_plan_is_not_there_to_be_superseded()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var other = (await Record(await service.OpenPlan(Cases.NewPerson()))).RiskAssessment;
        await Record(plan, supersedes: other.Name).IsRefused();
        await Record(plan, supersedes: plan.Name + other.Name[plan.Name.Length..]).IsRefused();
        Assert.Empty((await service.CaseWorker.Risk.ListRiskAssessmentsAsync(new() { Parent = plan.Name })).RiskAssessments);
    }

    [Fact]
    public async Task Its_days_are_in_order()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await Record(plan, change: assessment => assessment.ReassessDate = assessment.AssessDate).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, change: assessment => (assessment.AssessDate, assessment.ReassessDate) = (Cases.InMonths(1), Cases.InMonths(2))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Record(plan, change: assessment => assessment.Instrument = RiskInstrument.Unspecified).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
    }

    private AsyncUnaryCall<RecordRiskAssessmentResponse> Record(Plan plan, string supersedes = "", Action<RiskAssessment>? change = null)
    {
        var assessment = Cases.NewRiskAssessment();
        change?.Invoke(assessment);
        return service.CaseWorker.Risk.RecordRiskAssessmentAsync(new() { Parent = plan.Name, RiskAssessment = assessment, Supersedes = supersedes, Etag = plan.Etag, RequestId = Cases.NewId() });
    }
}
