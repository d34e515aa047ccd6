using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Rpc;

/// <summary>A fault of the service's own, made by taking away a table: what the caller is told of it, and what the operator.</summary>
public sealed class FaultTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Says_nothing_but_where_it_is_recorded()
    {
        var plan = await service.OpenPlan();
        await Execute("ALTER TABLE coordinationplan.participation RENAME TO taken_away");
        RpcException error;
        try
        {
            error = await service.CaseWorker.Plans.GetPlanAsync(new() { Name = plan.Name }).Fails(StatusCode.Internal, ErrorReason.Internal);
        }
        finally
        {
            await Execute("ALTER TABLE coordinationplan.taken_away RENAME TO participation");
        }

        var line = Assert.Single(service.LogLines, line => line.Contains("Unforeseen", StringComparison.Ordinal));
        Assert.Contains("GetPlan", line, StringComparison.Ordinal);
        Assert.Contains($"trace {error.TraceId()},", line, StringComparison.Ordinal);
        Assert.Matches("^[0-9a-f]{32}$", error.TraceId());
        Assert.Equal("An internal error occurred.", error.Status.Detail);
        Assert.DoesNotContain(plan.Name["plans/".Length..], line, StringComparison.Ordinal);
        // Nothing of the kind comes with what is no fault.
        Assert.Null((await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused()).TraceId());
    }

    [Fact]
    public void Every_reason_has_texts_of_its_own()
    {
        var reasons = Enum.GetValues<ErrorReason>().Where(reason => reason != ErrorReason.Unspecified).ToList();
        Assert.Equal(reasons.Count, reasons.Select(reason => ErrorTexts.Of(reason).English).Distinct().Count());
        Assert.Equal(reasons.Count, reasons.Select(reason => ErrorTexts.Of(reason).Swedish).Distinct().Count());
    }

    private async Task Execute(string sql)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
