using System.CommandLine;
using System.Globalization;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace CoordinationPlan.RegionSystem;

/// <summary><c>regionsystem report</c>: what the system says of a unit's part in a plan. Sent by <c>run</c>.</summary>
internal static class ReportCommand
{
    private static readonly Option<string> Plan = new("--plan") { Description = "plans/…", Required = true };
    private static readonly Option<string> Unit = new("--unit") { Description = "units/…: a unit of the organisation, by its HSA-id.", Required = true };
    private static readonly Option<string> ExternalId = new("--external-id") { Description = "The system's own id of it, at most 64 characters. Never a person's number.", Required = true };
    private static readonly Option<ParticipantRole> As = new("--role") { Description = "As what it takes part.", DefaultValueFactory = _ => ParticipantRole.CareUnit };
    private static readonly Option<string?> Contact = new("--contact") { Description = "employees/…: the named care contact, with that role." };
    private static readonly Option<string?> ContactName = new("--contact-name") { Description = "Whom to ask for." };
    private static readonly Option<DateOnly> From = new("--from") { Description = "The first day.", Required = true };
    private static readonly Option<DateOnly?> To = new("--to") { Description = "The last day." };
    private static readonly Option<bool> Ended = new("--ended") { Description = "It has ended, whatever the days say." };

    public static Command Create(Option<string> database)
    {
        var command = new Command("report", "Notes that a unit takes part in a plan, or has ended to; run sends it.") { Plan, Unit, ExternalId, As, Contact, ContactName, From, To, Ended };
        command.Validators.Add(given =>
        {
            if (given.GetValue(ExternalId) is not { Length: >= 1 and <= 64 } || (given.GetResult(As) is { Tokens.Count: > 0 } && given.GetValue(As) == ParticipantRole.Unspecified))
            {
                given.AddError("An external id has 1 to 64 characters, and a unit takes part as something.");
            }
            else if ((given.GetValue(As) == ParticipantRole.NamedCareContact) != (given.GetResult(Contact) is not null))
            {
                given.AddError("--contact goes with --role NamedCareContact, and with no other.");
            }
        });
        command.SetAction(parsed =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var item = new ParticipationItem
            {
                Plan = parsed.GetValue(Plan),
                Unit = parsed.GetValue(Unit),
                ExternalId = parsed.GetValue(ExternalId),
                ExternalTime = Timestamp.FromDateTimeOffset(now),
                Role = parsed.GetValue(As),
                NamedCareContact = parsed.GetValue(Contact) is { } contact ? new() { Employee = contact, DisplayName = parsed.GetValue(ContactName) ?? "" } : null,
                Period = new() { StartDate = Day(parsed.GetValue(From)), EndDate = parsed.GetValue(To) is { } to ? Day(to) : null },
                Ended = parsed.GetValue(Ended),
            };
            if (!new Store(parsed.GetValue(database)!).Report(item, now))
            {
                Console.Error.WriteLine("This system has not been told of such a plan.");
                return 1;
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"noted as version {item.ExternalVersion}"));
            return 0;
        });
        return command;
    }

    private static Date Day(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}
