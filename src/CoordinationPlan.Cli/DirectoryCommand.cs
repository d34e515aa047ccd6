using System.CommandLine;
using CoordinationPlan.Server.Directory;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan directory bootstrap</c>: the first administrator of an empty directory.</summary>
internal static class DirectoryCommand
{
    public static Command Create()
    {
        var connection = new Option<string>("--connection") { Description = "Connection string of the database's owner.", Required = true };
        var organisation = new Option<string>("--operator") { Description = "Id of the organisation that operates the service.", Required = true };
        var organisationName = new Option<string>("--operator-name") { Description = "Its name.", Required = true };
        var employee = new Option<string>("--employee") { Description = "Employee id of the first directory administrator, as in the identity provider's tokens.", Required = true };
        var employeeName = new Option<string>("--employee-name") { Description = "The administrator's name.", Required = true };
        var ring = new KeyRingOptions();
        var bootstrap = new Command("bootstrap", "Enters the operator and the first directory administrator in an empty directory. The act is logged.")
        {
            connection, organisation, organisationName, employee, employeeName, ring.Ring, ring.Certificate, ring.Key,
        };
        bootstrap.SetAction(async (parsed, stop) =>
        {
            var first = new FirstAdministrator(
                parsed.GetRequiredValue(organisation), parsed.GetRequiredValue(organisationName), parsed.GetRequiredValue(employee), parsed.GetRequiredValue(employeeName));
            if (await Bootstrap.Run(parsed.GetRequiredValue(connection), first, ring.Open(parsed), TimeProvider.System, stop))
            {
                Console.WriteLine($"Done. The administrator calls under assignments/{first.AssignmentId} for the purpose ADMINISTRATION.");
                return 0;
            }

            await Console.Error.WriteLineAsync("The directory is not empty. Its administrators add the others.");
            return 1;
        });
        return new Command("directory", "The directory of organisations, units and employees.") { bootstrap };
    }
}
