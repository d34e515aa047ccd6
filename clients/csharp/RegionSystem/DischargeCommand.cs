using System.CommandLine;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.RegionSystem;

/// <summary><c>regionsystem discharge</c>: what a ward says of a stay in inpatient care. Sent by <c>run</c>.</summary>
internal static class DischargeCommand
{
    private static readonly Option<string> Of = new("--plan") { Description = "plans/…", Required = true };
    private static readonly Option<string> Unit = new("--unit") { Description = "units/…: the ward.", Required = true };
    private static readonly Option<DischargeNoticeKind> Kind = new("--kind") { Description = "Admitted, Ready, NotReady or Discharged. Ready starts the clock of the summons.", Required = true };
    private static readonly Option<DateOnly?> Expected = new("--expected") { Description = "The day that the person is expected to be discharged." };
    private static readonly Option<bool> OpenCompulsoryCare = new("--open-compulsory-care") { Description = "The person goes on to open compulsory psychiatric care." };

    public static Command Create(Option<string> database)
    {
        var command = new Command("discharge", "Notes a notice of a stay in inpatient care; run sends it.") { Of, Unit, Kind, Expected, OpenCompulsoryCare };
        command.Validators.Add(given =>
        {
            if (given.GetValue(Kind) == DischargeNoticeKind.Unspecified)
            {
                given.AddError("A notice is Admitted, Ready, NotReady or Discharged.");
            }
        });
        command.SetAction(parsed =>
        {
            // As precise as the service keeps it, so that it is known again.
            var now = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
            var notice = new AddDischargeNoticeRequest
            {
                Parent = parsed.GetValue(Of),
                DischargeNotice = new()
                {
                    Kind = parsed.GetValue(Kind),
                    NoticeTime = Timestamp.FromDateTimeOffset(now),
                    ExpectedDischargeDate = parsed.GetValue(Expected) is { } day ? new() { Year = day.Year, Month = day.Month, Day = day.Day } : null,
                    OpenCompulsoryCare = parsed.GetValue(OpenCompulsoryCare),
                },
            };
            if (!new Store(parsed.GetValue(database)!).Note(parsed.GetValue(Unit)!, notice))
            {
                Console.Error.WriteLine("That unit has not been told of such a plan.");
                return 1;
            }

            Console.WriteLine("noted");
            return 0;
        });
        return command;
    }
}
