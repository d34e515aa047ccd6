using System.CommandLine;
using CoordinationPlan.V1;

namespace CoordinationPlan.RegionSystem;

/// <summary><c>regionsystem answer</c>: what a called unit answers, and later whether it came. Sent by <c>run</c>.</summary>
internal static class AnswerCommand
{
    private static readonly Option<string> Meeting = new("--meeting") { Description = "plans/…/meetings/…, as the summons names it.", Required = true };
    private static readonly Option<string> Unit = new("--unit") { Description = "units/…: the called unit.", Required = true };
    private static readonly Option<CallReply> Reply = new("--reply") { Description = "Accepted, Declined or Substitute: somebody else of the unit comes." };
    private static readonly Option<Attendance> Came = new("--attendance") { Description = "Instead of a reply, once the meeting has begun: Attended or NoShow." };
    private static readonly Option<string?> Substitute = new("--substitute") { Description = "employees/…: who comes instead." };
    private static readonly Option<string?> SubstituteName = new("--substitute-name") { Description = "Their name." };

    public static Command Create(Option<string> database)
    {
        var command = new Command("answer", "Notes what a unit answers to a summons; run sends it.") { Meeting, Unit, Reply, Came, Substitute, SubstituteName };
        command.Validators.Add(given =>
        {
            if ((given.GetResult(Reply) is null) == (given.GetResult(Came) is null))
            {
                given.AddError("Say --reply, or --attendance.");
            }
            else if (given.GetValue(Reply) == CallReply.Unspecified && given.GetValue(Came) is not (Attendance.Attended or Attendance.NoShow))
            {
                given.AddError("A reply is Accepted, Declined or Substitute; an attendance is Attended or NoShow.");
            }
            else if ((given.GetResult(Substitute) is not null || given.GetResult(SubstituteName) is not null) && given.GetValue(Reply) != CallReply.Substitute)
            {
                given.AddError("Who comes instead is said with --reply Substitute.");
            }
        });
        command.SetAction(parsed =>
        {
            var answer = new ReplyToCallRequest
            {
                Name = parsed.GetValue(Meeting),
                Reply = parsed.GetValue(Reply),
                Attendance = parsed.GetValue(Came),
                Substitute = parsed.GetValue(Substitute) is { } employee ? new() { Employee = employee, DisplayName = parsed.GetValue(SubstituteName) ?? "" } : null,
            };
            if (!new Store(parsed.GetValue(database)!).Note(parsed.GetValue(Unit)!, answer))
            {
                Console.Error.WriteLine("This system holds no such summons to that unit.");
                return 1;
            }

            Console.WriteLine("noted");
            return 0;
        });
        return command;
    }
}
