using CoordinationPlan.Development;
using CoordinationPlan.Development.Tests;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// The process that LocalPostgresTests kills: it holds a server until then.
if (args is ["hold", var dataDirectory])
{
    await using var postgres = await LocalPostgres.StartAsync(new() { DataDirectory = dataDirectory });
    await File.WriteAllTextAsync(Path.Combine(dataDirectory, "held"), "");
    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
}

// What xunit would otherwise generate.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
