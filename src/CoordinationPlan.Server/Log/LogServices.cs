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
        services
            .AddSingleton(options)
            .AddSingleton(names)
            .AddSingleton(_ => receipts)
            .AddSingleton(new AuditReceipts(names, receipts))
            .AddSingleton(provider => new LogKeys(provider.GetService<PublisherKey>()))
            .AddSingleton<LogCondition>()
            .AddSingleton<LogMetrics>()
            .AddSingleton<Sequencer>()
            .AddHostedService(provider => provider.GetRequiredService<Sequencer>())
            .AddSingleton<LogDisposer>()
            .AddHostedService(provider => provider.GetRequiredService<LogDisposer>());
        if (options.PublisherKey.Length > 0)
        {
            var publisher = new PublisherKey(LogKey.Read(options.PublisherKey));
            services
                .AddSingleton(publisher)
                .AddSingleton(_ => publisher.Key)
                .AddSingleton(new SignedLogs(options.Directory))
                .AddSingleton(_ => new Witnesses(options))
                .AddSingleton<Publisher>()
                .AddHostedService(provider => provider.GetRequiredService<Publisher>());
        }

        return services;
    }
}
