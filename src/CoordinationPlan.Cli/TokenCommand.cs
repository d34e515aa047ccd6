using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan token</c>: a token of a demonstration employee, from a demonstration that is running.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var who = new Argument<string>("employee") { Description = "Employee id, or client id of a system, of the demonstration." };
        var command = new Command("token", "Prints an access token of a demonstration employee; `coordplan demo` must be running. Development only.") { who, DemoCommand.Data };
        command.SetAction(async (parsed, stop) =>
        {
            var employee = DemonstrationDirectory.Employees.Append(DemonstrationDirectory.Administrator).FirstOrDefault(found => found.Id == parsed.GetValue(who));
            if (employee is null)
            {
                await Console.Error.WriteLineAsync("No such employee. There are: " + string.Join(", ", DemonstrationDirectory.Employees.Select(found => found.Id)));
                return 2;
            }

            var certificates = Path.Combine(parsed.GetRequiredValue(DemoCommand.Data).FullName, "certificates");
            var clientId = DevelopmentInfrastructure.ClientOf(employee);
            using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(certificates, clientId + ".pem"), Path.Combine(certificates, clientId + ".key"));
            using var root = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "root.pem"));
            var port = clientId is DevelopmentClients.School or DevelopmentClients.SchoolRegister ? DemoCommand.SchoolIssuerPort : DemoCommand.NationalIssuerPort;
            using var tokens = new DevelopmentTokenClient(new Uri($"https://localhost:{port}/"), clientId, certificate, root);
            Console.WriteLine(employee.IsSystem ? await tokens.ForSystemAsync(stop) : await tokens.ForEmployeeAsync(employee.Id, null, stop));
            return 0;
        });
        return command;
    }
}
