using System.CommandLine;
using CoordinationPlan.Cli;

var root = new RootCommand("CoordinationPlan: coordinated individual plans for people exposed to violence and their children.")
{
    ServeCommand.Create(),
    MigrateCommand.Create(),
    DirectoryCommand.Create(),
    KeysCommand.Create(),
    PolicyCommand.Create(),
    LogCommand.Create(),
    VerifyCommand.Create(),
    DemoCommand.Create(),
    TokenCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
