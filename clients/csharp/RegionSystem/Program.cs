// A small region system: the sample of an integration. See README.md.
using System.CommandLine;
using CoordinationPlan.RegionSystem;

var database = new Option<string>("--database") { Description = "The system's own file.", DefaultValueFactory = _ => "region.db", Recursive = true };
var root = new RootCommand("A small region system that keeps in step with CoordinationPlan. A sample.")
{
    database,
    RunCommand.Create(database),
    ReportCommand.Create(database),
    AnswerCommand.Create(database),
    DischargeCommand.Create(database),
    ShowCommand.Create(database),
    ForgetCommand.Create(database),
};
return await root.Parse(args).InvokeAsync();
