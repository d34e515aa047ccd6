using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace CoordinationPlan.Server.Changes;

/// <summary>The parts of the feed in the host.</summary>
internal static class FeedServices
{
    public static IServiceCollection AddTheFeed(this IServiceCollection services, FeedOptions options) => services
        .AddSingleton(options)
        .AddSingleton<ChangeMetrics>()
        .AddSingleton<ChangeSequencer>()
        .AddSingleton<ChangeSignals>()
        .AddHostedService(provider => provider.GetRequiredService<ChangeSequencer>())
        .AddHostedService(provider => provider.GetRequiredService<ChangeSignals>());
}
