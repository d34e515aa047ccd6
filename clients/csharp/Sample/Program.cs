// Opens a plan for a test person, or takes the one that there is, and reads it back, against a demonstration that is running (scripts/demo).
//   share     primary care takes part, meetings are released to it by the person's consent, and it is called to one: its region's system hears of it
//   withdraw  the person withdraws that consent: the region's system is told to forget
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

const string PrimaryCare = "units/SE2321000016-VC";

var certificates = Path.Combine(".coordplan", "certificates");
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
    name = (await caseWorker.Plans.CreatePlanAsync(new() { Plan = new() { Subject = subject }, RequestId = NewId() })).Plan.Name;
}
catch (RpcException error) when (error.Reason() == ErrorReason.PlanExists)
{
    // A person has one plan, and this unit may read it: the error says which.
    name = error.ExistingPlan()!;
}

var read = await caseWorker.Plans.GetPlanAsync(new() { Name = name });
Console.WriteLine($"{read.Plan.Name} is {read.Plan.State} under {read.Plan.LegalBasis}");
switch (args.FirstOrDefault())
{
    case null:
        return 0;
    case "share":
        await Share(read.Plan);
        Console.WriteLine("primary care is called to a meeting");
        return 0;
    case "withdraw":
        await Withdraw(read.Plan);
        Console.WriteLine("nothing is released to primary care any more");
        return 0;
    default:
        Console.Error.WriteLine("Say nothing, share or withdraw.");
        return 2;
}

async Task Share(Plan plan)
{
    var today = DateOnly.FromDateTime(TimeProvider.System.GetLocalNow().Date);
    var halfAYear = new DatePeriod { StartDate = ToDate(today), EndDate = ToDate(today.AddDays(180)) };
    if (!plan.Participations.Any(one => one.Unit == PrimaryCare && !one.Ended))
    {
        await caseWorker.Participations.AddParticipationAsync(new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = PrimaryCare, Period = halfAYear },
            Etag = plan.Etag,
            RequestId = NewId(),
        });
    }

    await caseWorker.Consents.RecordConsentAsync(new()
    {
        Parent = plan.Name,
        Consent = new()
        {
            State = ConsentState.Given,
            RecipientUnits = { PrimaryCare },
            Categories = { InformationCategory.Meetings, InformationCategory.Health },
            Purpose = Purpose.CareAndTreatment,
            Period = halfAYear,
            Form = ConsentForm.Oral,
            GivenBy = ConsentGiver.Self,
        },
        Etag = plan.Etag,
        RequestId = NewId(),
    });
    await caseWorker.Meetings.CallMeetingAsync(new()
    {
        Parent = plan.Name,
        Meeting = new()
        {
            Kind = MeetingKind.Planning,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(14)),
            Form = MeetingForm.Room,
            Place = "Socialkontoret, rum 3",
            Agenda = "Planering av vården.",
        },
        Units = { PrimaryCare },
        PersonPermitsInvitations = true,
        Etag = plan.Etag,
        RequestId = NewId(),
    });
}

async Task Withdraw(Plan plan)
{
    foreach (var consent in plan.Consents.Where(one => one.State == ConsentState.Given && one.RecipientUnits.Contains(PrimaryCare)))
    {
        await caseWorker.Consents.WithdrawConsentAsync(new() { Name = consent.Name, Etag = consent.Etag, RequestId = NewId() });
    }
}

static string NewId() => Guid.CreateVersion7().ToString();

static Date ToDate(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
