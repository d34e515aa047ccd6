using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;

namespace CoordinationPlan.Cli.Demo;

/// <summary>Calls that can be copied and pasted into another terminal while the demonstration stays up.</summary>
internal static class CallsToTry
{
    /// <param name="logs">Where the logs are served as files.</param>
    /// <param name="keys">The keys of the receipts and of every log.</param>
    public static void Print(DevelopmentInfrastructure infrastructure, Uri address, Uri logs, IReadOnlyList<string> keys, DirectoryInfo data, PlayOutcome? outcome)
    {
        var certificates = Path.GetRelativePath(Environment.CurrentDirectory, infrastructure.CertificateDirectory);
        var plan = outcome?.Plan.Name ?? "plans/00000000-0000-4000-8000-000000000000";
        var worker = DemonstrationDirectory.CaseWorker;
        Console.WriteLine();
        Console.WriteLine($"The service stays up on {address}; Ctrl+C stops it. Data stays in {Path.GetRelativePath(Environment.CurrentDirectory, data.FullName)}.");
        Console.WriteLine("In another terminal, from the repository's root:");
        Console.WriteLine();
        Console.WriteLine("# a token of the case worker (buf comes with `scripts/setup --dev`)");
        Console.WriteLine($"TOKEN=$(dotnet src/CoordinationPlan.Cli/bin/Release/net10.0/coordplan.dll token {worker.Id})");
        Console.WriteLine();
        Console.WriteLine("# read Sara's plan as the case worker");
        Console.WriteLine(Curl(certificates, worker, "PlanService/GetPlan", $$"""{"name": "{{plan}}"}""", address));
        Console.WriteLine();
        Console.WriteLine("# what the unit works with");
        Console.WriteLine(Curl(certificates, worker, "PlanService/ListPlans", "{}", address));
        Console.WriteLine();
        Console.WriteLine("# the same plan as FHIR R4");
        Console.WriteLine(
            $"curl --http2 --cacert {certificates}/root.pem --cert {certificates}/{DevelopmentInfrastructure.ClientOf(worker)}.pem \\\n"
            + $"  --key {certificates}/{DevelopmentInfrastructure.ClientOf(worker)}.key {Caller(worker)} \\\n"
            + $"  {address}fhir/R4/CarePlan/{plan["plans/".Length..]}");
        Console.WriteLine();
        Console.WriteLine("# check the logs, one for each authority and year");
        foreach (var key in keys.Skip(1))
        {
            Console.WriteLine(
                $"dotnet src/CoordinationPlan.Cli/bin/Release/net10.0/coordplan.dll verify {new Uri(logs, "/log/" + string.Join('/', key.Split('+')[0].Split('/')[^2..]))} --key '{key}' \\\n"
                + $"  --authorities {certificates}/root.pem --certificate {certificates}/{DevelopmentClients.SocialServices}.pem --certificate-key {certificates}/{DevelopmentClients.SocialServices}.key");
        }

        Console.WriteLine();
        Console.WriteLine("# all methods");
        Console.WriteLine(
            $"node_modules/.bin/buf curl --cacert {certificates}/root.pem --cert {certificates}/{DevelopmentClients.SocialServices}.pem \\\n"
            + $"  --key {certificates}/{DevelopmentClients.SocialServices}.key --list-methods {address.ToString().TrimEnd('/')}");
        Console.WriteLine();
        Console.WriteLine("# the same in C#: clients/csharp/Sample");
        Console.WriteLine("dotnet run --project clients/csharp/Sample");
    }

    private static string Curl(string certificates, DemonstrationEmployee employee, string method, string body, Uri address) =>
        $"node_modules/.bin/buf curl --protocol grpc --cacert {certificates}/root.pem --cert {certificates}/{DevelopmentInfrastructure.ClientOf(employee)}.pem \\\n"
        + $"  --key {certificates}/{DevelopmentInfrastructure.ClientOf(employee)}.key {Caller(employee)} \\\n"
        + $"  -d '{body}' {address}coordinationplan.v1.{method}";

    private static string Caller(DemonstrationEmployee employee) =>
        "-H \"authorization: Bearer $TOKEN\" \\\n"
        + $"  -H 'coordinationplan-assignment: assignments/{employee.AssignmentId}' -H 'coordinationplan-purpose: {PurposeNames.Of(employee.Purpose)}'";
}
