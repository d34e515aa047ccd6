using System.CommandLine;

namespace CoordinationPlan.RegionSystem;

/// <summary><c>regionsystem show</c>: all that the file holds.</summary>
internal static class ShowCommand
{
    public static Command Create(Option<string> database)
    {
        var command = new Command("show", "Prints what the file holds: what came from the service, what is reported, what was forgotten.");
        command.SetAction(parsed => new Store(parsed.GetValue(database)!).Show().ForEach(Console.WriteLine));
        return command;
    }
}

/// <summary><c>regionsystem forget-all</c>: as for a system that is taken out of use.</summary>
internal static class ForgetCommand
{
    public static Command Create(Option<string> database)
    {
        var command = new Command("forget-all", "Forgets all of it. The next run begins with a snapshot.");
        command.SetAction(parsed => new Store(parsed.GetValue(database)!).ForgetAll());
        return command;
    }
}
