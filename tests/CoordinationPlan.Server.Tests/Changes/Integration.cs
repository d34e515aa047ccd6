using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>A system that keeps in step by pulling.</summary>
public sealed class Integration(Service service, DemonstrationEmployee? system = null, string? assignment = null)
{
    private readonly DemonstrationEmployee _system = system ?? DemonstrationDirectory.RegionIntegration;

    public CoordinationPlanClients Clients => assignment is null
        ? service.As(_system)
        : service.As(service.Infrastructure.Choice(_system) with { Assignment = assignment }, DevelopmentInfrastructure.ClientOf(_system));

    public ChangeFeedService.ChangeFeedServiceClient Feed => Clients.Changes;

    public string Cursor { get; set; } = "";

    public string Etag { get; private set; } = "new";

    /// <summary>All that it was delivered, in order.</summary>
    public List<Change> Delivered { get; } = [];

    /// <summary>Begins, or begins anew, and hears the snapshot.</summary>
    public static async Task<Integration> Start(Service service, DemonstrationEmployee? system = null, string? assignment = null)
    {
        var integration = new Integration(service, system, assignment);
        integration.Etag = (await integration.Feed.PullChangesAsync(new())).Etag;
        await integration.Start();
        await integration.Pull();
        return integration;
    }

    public async Task Start()
    {
        await service.Settled();
        var started = await Feed.StartChangesAsync(new() { Etag = Etag, RequestId = Cases.NewId() });
        (Cursor, Etag) = (started.Cursor, started.Etag);
    }

    /// <summary>What has come since, once all that was changed is in order.</summary>
    public async Task<List<Change>> Pull(int pageSize = 0)
    {
        await service.Settled();
        var pulled = new List<Change>();
        while (true)
        {
            var page = await Feed.PullChangesAsync(new() { Cursor = Cursor, PageSize = pageSize });
            Assert.False(page.ResyncRequired);
            Cursor = page.NextCursor;
            Etag = page.Etag;
            if (page.Changes.Count == 0 && !page.More)
            {
                Delivered.AddRange(pulled);
                return pulled;
            }

            pulled.AddRange(page.Changes);
        }
    }

    public async Task Acknowledge(params Rejection[] rejections) =>
        Etag = (await Feed.AcknowledgeChangesAsync(new() { Cursor = Cursor, Rejections = { rejections }, Etag = Etag, RequestId = Cases.NewId() })).Etag;
}
