using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>Staff of preschools and schools without a card of health care's: another issuer, and assignments that their own organiser gives.</summary>
public sealed class SchoolStaffTests(Service service) : IClassFixture<Service>
{
    private const string Other = "organisations/" + DemonstrationDirectory.OtherMunicipality;
    private static readonly string Here = Guid.CreateVersion7().ToString("N")[20..];

    [Fact]
    public async Task The_organisers_own_administrator_gives_a_teacher_the_assignment_and_no_other_organisations_does()
    {
        // The operator lets the organiser in: an administration, and its first administrator.
        await Operator.Directory.PutUnitAsync(new() { Unit = new() { Name = $"units/adm-{Here}", Organisation = Other, Kind = UnitKind.Administration, DisplayName = "Förvaltning" }, Etag = "new", RequestId = Cases.NewId() });
        await PutEmployee(Operator, $"admin-{Here}");
        await PutAssignment(Operator, $"admin-{Here}", $"units/adm-{Here}", Role.DirectoryAdministrator, Purpose.Administration);
        var administrator = As($"admin-{Here}", Purpose.Administration);
        var teacher = $"teacher-{Here}";

        await PutEmployee(administrator, teacher);
        await PutAssignment(administrator, teacher, Cases.UnitOf(DemonstrationDirectory.School), Role.SchoolContact, Purpose.Schooling);

        var plan = await service.OpenPlan(Cases.NewPerson(9));
        await service.SecureSchool(plan);
        var request = new GetPupilRequest { Name = plan.Name + "/pupil" };
        Assert.Equal("Behöver en lugn plats och extra tid.", (await As(teacher, Purpose.Schooling).Schooling.GetPupilAsync(request)).Pupil.SupportNeeds);

        // Level 3 is demanded, whatever the issuer calls the others.
        foreach (var level in new[] { "http://id.sambi.se/loa/loa2", "http://id.elegnamnden.se/loa/1.0/loa2", "hög" })
        {
            await As(teacher, Purpose.Schooling, level).Schooling.GetPupilAsync(request).IsRefused();
        }

        await As(teacher, Purpose.Schooling, "http://id.elegnamnden.se/loa/1.0/loa3").Schooling.GetPupilAsync(request);

        // The organiser's administrator is none of another organisation's schools; nor is another organisation's of this one.
        await Refuses(administrator, Cases.UnitOf(DemonstrationDirectory.Cousin));
        await Refuses(administrator, Cases.UnitOf(DemonstrationDirectory.CaseWorker));
        await PutEmployee(Operator, $"friadmin-{Here}", "organisations/" + DemonstrationDirectory.SchoolCompany);
        await Operator.Directory.PutUnitAsync(new()
        {
            Unit = new() { Name = $"units/friadm-{Here}", Organisation = "organisations/" + DemonstrationDirectory.SchoolCompany, Kind = UnitKind.Administration, DisplayName = "Kontor" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        await PutAssignment(Operator, $"friadmin-{Here}", $"units/friadm-{Here}", Role.DirectoryAdministrator, Purpose.Administration);
        await Refuses(As($"friadmin-{Here}", Purpose.Administration), Cases.UnitOf(DemonstrationDirectory.School));

        async Task Refuses(CoordinationPlanClients by, string unit) => await by.Directory.PutAssignmentAsync(new()
        {
            Assignment = new() { Name = $"assignments/x-{Here}", Employee = "employees/" + teacher, Unit = unit, Role = Role.SchoolContact, Purposes = { Purpose.Schooling }, Period = Cases.HalfAYear },
            Etag = "new",
            RequestId = Cases.NewId(),
        }).IsRefused();
    }

    [Fact]
    public async Task The_schools_issuer_speaks_for_no_employee_of_an_organisation_that_is_not_its_own()
    {
        var plan = await service.OpenPlan(Cases.NewPerson(9));
        // An employee of the city with an assignment at the city's school: for those the national issuer answers.
        var id = $"city-{Here}";
        await PutEmployee(Operator, id, Cases.City);
        var unit = $"units/SE{DemonstrationDirectory.City}-SKOLA";
        await PutAssignment(Operator, id, unit, Role.SchoolContact, Purpose.Schooling);
        await service.CaseWorker.Participations.AddParticipationAsync(new() { Parent = plan.Name, Participation = new() { Unit = unit, Period = Cases.HalfAYear }, Etag = plan.Etag, RequestId = Cases.NewId() });
        await service.Consent(plan, DemonstrationDirectory.School, [InformationCategory.Schooling], consent => (consent.RecipientUnits[0], consent.Purpose) = (unit, Purpose.Schooling));
        var arrangement = Cases.NewArrangement(DemonstrationDirectory.School);
        (arrangement.SchoolUnit, arrangement.SchoolContact) = (unit, "employees/" + id);
        var added = (await service.CaseWorker.Schooling.AddSchoolArrangementAsync(new() { Parent = plan.Name, SchoolArrangement = arrangement, Etag = plan.Etag, RequestId = Cases.NewId() })).SchoolArrangement;
        await service.Advance(added, SchoolArrangementState.Secured);
        var start = await service.Now();

        await As(id, Purpose.Schooling).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" }).IsRefused();

        Assert.Equal("ASSIGNMENT_NOT_IN_FORCE", Assert.Single(await service.LogSince(start)).Reason);
        await As(id, Purpose.Schooling, national: true).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" });
    }

    [Fact]
    public async Task A_school_units_code_is_eight_digits_and_a_schools()
    {
        foreach (var (kind, code) in new[] { (UnitKind.School, "1234567"), (UnitKind.School, "1234567a"), (UnitKind.School, "١٢٣٤٥٦٧٨"), (UnitKind.Support, "12345678") })
        {
            await Put(kind, code).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        var put = (await Put(UnitKind.School, "24681357")).Unit;
        Assert.Equal("24681357", put.SchoolUnitCode);
        // The code is changed like the name, from the version that was read.
        put.DisplayName = "Skolan";
        Assert.Equal("24681357", (await Operator.Directory.PutUnitAsync(new() { Unit = put, Etag = put.Etag, RequestId = Cases.NewId() })).Unit.SchoolUnitCode);
        Assert.Contains(
            (await service.CaseWorker.Directory.ListUnitsAsync(new() { Organisation = Other })).Units, unit => unit is { SchoolUnitCode: "24681357" } && unit.Name == $"units/school-{Here}");
        Assert.DoesNotContain("24681357", await service.Dump(), StringComparison.Ordinal);

        AsyncUnaryCall<PutUnitResponse> Put(UnitKind kind, string code) => Operator.Directory.PutUnitAsync(new()
        {
            Unit = new() { Name = $"units/school-{Here}", Organisation = Other, Kind = kind, DisplayName = "Skola", SchoolUnitCode = code },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
    }

    private CoordinationPlanClients Operator => service.As(DemonstrationDirectory.Administrator);

    private static async Task PutEmployee(CoordinationPlanClients by, string id, string organisation = Other) => await by.Directory.PutEmployeeAsync(
        new() { Employee = new() { Name = "employees/" + id, Organisation = organisation, DisplayName = "Medarbetare" }, Etag = "new", RequestId = Cases.NewId() });

    private static async Task PutAssignment(CoordinationPlanClients by, string id, string unit, Role role, Purpose purpose) => await by.Directory.PutAssignmentAsync(new()
    {
        Assignment = new() { Name = $"assignments/{id}-A1", Employee = "employees/" + id, Unit = unit, Role = role, Purposes = { purpose }, Period = Cases.HalfAYear },
        Etag = "new",
        RequestId = Cases.NewId(),
    });

    private CoordinationPlanClients As(string id, Purpose purpose, string level = "http://id.sambi.se/loa/loa3", bool national = false)
    {
        var (issuer, client, claim) = national
            ? (service.Infrastructure.National, DevelopmentClients.SocialServices, "employeeHsaId")
            : (service.Infrastructure.Schools, DevelopmentClients.School, "https://id.oidc.se/claim/orgAffiliation");
        var claims = new Dictionary<string, object>
        {
            [claim] = id,
            ["sub"] = id,
            ["client_id"] = client,
            ["iss"] = issuer.Issuer.AbsoluteUri,
            ["aud"] = "coordinationplan",
            ["acr"] = level,
            ["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = Base64UrlEncoder.Encode(service.Infrastructure.ClientCertificate(client).GetCertHash(HashAlgorithmName.SHA256)) },
        };
        var token = issuer.MintToken(claims, TimeProvider.System.GetUtcNow().AddMinutes(5));
        return service.As(new CallerChoice($"assignments/{id}-A1", purpose, _ => Task.FromResult(token)), client);
    }
}
