// Opens a plan for a test person, or takes the one that there is, and reads it back, against a demonstration that is running (scripts/demo).
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.V1;
using Grpc.Core;

var certificates = args.FirstOrDefault() ?? Path.Combine(".coordplan", "certificates");
using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(certificates, "case-system-social.pem"), Path.Combine(certificates, "case-system-social.key"));
using var root = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "root.pem"));

// In production the token comes from your own identity provider; only this line is for development.
using var tokens = new DevelopmentTokenClient(new Uri("https://localhost:7444/"), "case-system-social", certificate, root);

using var connection = new CoordinationPlanConnection(new() { Address = new Uri("https://localhost:7443"), ClientCertificate = certificate, ServerAuthorities = [root] });
var caseWorker = connection.For(new CallerChoice(
    "assignments/SE2120000142-E101-A1", Purpose.SocialServicesCase, stop => tokens.ForEmployeeAsync("SE2120000142-E101", null, stop)));

var subject = new Subject
{
    IdentityNumber = new() { Kind = IdentityNumberKind.Personal, Value = "198804122383" },
    GivenName = "Sara",
    FamilyName = "Testsson",
};
string name;
try
{
    name = (await caseWorker.Plans.CreatePlanAsync(new() { Plan = new() { Subject = subject }, RequestId = Guid.CreateVersion7().ToString() })).Plan.Name;
}
catch (RpcException error) when (error.Reason() == ErrorReason.PlanExists)
{
    // A person has one plan, and this unit may read it: the error says which.
    name = error.ExistingPlan()!;
}

var read = await caseWorker.Plans.GetPlanAsync(new() { Name = name });
Console.WriteLine($"{read.Plan.Name} is {read.Plan.State} under {read.Plan.LegalBasis}");
