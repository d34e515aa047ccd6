using CoordinationPlan.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace CoordinationPlan.Server.Log;

/// <summary>The parts of the log in the host.</summary>
internal static class LogServices
{
    public static IServiceCollection AddTheLog(this IServiceCollection services, LogOptions options)
    {
        var names = new LogNames(options.Name);
        var receipts = LogKey.Read(options.ReceiptKey);
        return services
            .AddSingleton(options)
            .AddSingleton(names)
            .AddSingleton(_ => receipts)
            .AddSingleton(new AuditReceipts(names, receipts))
            .AddSingleton<LogCondition>()
            .AddSingleton<LogMetrics>()
            .AddSingleton<Sequencer>()
            .AddHostedService(provider => provider.GetRequiredService<Sequencer>());
    }
}
