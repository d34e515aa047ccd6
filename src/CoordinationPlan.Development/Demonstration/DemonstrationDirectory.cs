using CoordinationPlan.Client;
using CoordinationPlan.Server.Directory;
using CoordinationPlan.V1;
using Google.Type;
using Grpc.Core;

namespace CoordinationPlan.Development.Demonstration;

/// <summary>
/// The organisations of the city's programme against violence, with invented employees. The ids of city and region are their public organisation
/// numbers; everything else is made up.
/// </summary>
public static class DemonstrationDirectory
{
    /// <summary>City of Stockholm.</summary>
    public const string City = "2120000142";

    /// <summary>Region Stockholm.</summary>
    public const string Region = "2321000016";

    /// <summary>A neighbouring municipality, invented.</summary>
    public const string OtherMunicipality = "2120009999";

    /// <summary>An independent school organiser, invented.</summary>
    public const string SchoolCompany = "5560000001";

    /// <summary>A women's shelter run by civil society, invented.</summary>
    public const string Association = "8020000001";

    /// <summary>The operator, and who fills the directory.</summary>
    public static FirstAdministrator Operator { get; } = new("operator", "Drift av tjänsten", "OPERATOR-E1", "Katalogadministratör");

    private static readonly string[] Districts =
    [
        "Bromma", "Enskede-Årsta-Vantör", "Farsta", "Hägersten-Älvsjö", "Hässelby-Vällingby", "Järva", "Kungsholmen", "Norra innerstaden", "Skarpnäck",
        "Skärholmen", "Södermalm",
    ];

    /// <summary>Social case worker of the team that opens the case.</summary>
    public static DemonstrationEmployee CaseWorker { get; } =
        new("SE2120000142-E101", "Socialsekreterare, RVT Farsta", "SE2120000142-RVT-FARSTA", Role.SocialCaseWorker, Purpose.SocialServicesCase);

    /// <summary>Manager of the same team.</summary>
    public static DemonstrationEmployee UnitManager { get; } =
        new("SE2120000142-E102", "Enhetschef, RVT Farsta", "SE2120000142-RVT-FARSTA", Role.UnitManager, Purpose.SocialServicesCase);

    /// <summary>A case worker of the same team whose assignment is not for protected persons.</summary>
    public static DemonstrationEmployee NewCaseWorker { get; } =
        new("SE2120000142-E103", "Nyanställd socialsekreterare, RVT Farsta", "SE2120000142-RVT-FARSTA", Role.SocialCaseWorker, Purpose.SocialServicesCase) { HandlesProtectedPersons = false };

    /// <summary>Data protection officer of the district board that owns the case.</summary>
    public static DemonstrationEmployee DataProtectionOfficer { get; } =
        new("SE2120000142-E603", "Dataskyddsombud, Farsta stadsdelsnämnd", "SE2120000142-LOGG-FARSTA", Role.DataProtectionOfficer, Purpose.LogReview);

    /// <summary>Who counts for the district board's follow-up.</summary>
    public static DemonstrationEmployee Statistician { get; } =
        new("SE2120000142-E605", "Controller, Farsta stadsdelsnämnd", "SE2120000142-UPPFOLJNING-FARSTA", Role.Statistician, Purpose.Statistics) { HandlesProtectedPersons = false };

    /// <summary>A case worker of another district: another authority.</summary>
    public static DemonstrationEmployee OtherCaseWorker { get; } =
        new("SE2120000142-E201", "Socialsekreterare, RVT Järva", "SE2120000142-RVT-JARVA", Role.SocialCaseWorker, Purpose.SocialServicesCase);

    /// <summary>Named care contact at the primary-care centre.</summary>
    public static DemonstrationEmployee PrimaryCare { get; } =
        new("SE2321000016-E301", "Fast vårdkontakt, vårdcentralen", "SE2321000016-VC", Role.NamedCareContact, Purpose.CareAndTreatment);

    /// <summary>Psychologist at child psychiatry.</summary>
    public static DemonstrationEmployee ChildPsychiatry { get; } =
        new("SE2321000016-E302", "Psykolog, BUP", "SE2321000016-BUP", Role.HealthCareProfessional, Purpose.CareAndTreatment);

    /// <summary>Jonas, the violent father, who is a nurse at the emergency clinic.</summary>
    public static DemonstrationEmployee Jonas { get; } =
        new("SE2321000016-E401", "Jonas, sjuksköterska, akutmottagningen", "SE2321000016-AKUT", Role.HealthCareProfessional, Purpose.CareAndTreatment);

    /// <summary>A colleague of his without any relation to the case.</summary>
    public static DemonstrationEmployee Colleague { get; } =
        new("SE2321000016-E402", "Kollega till Jonas, akutmottagningen", "SE2321000016-AKUT", Role.HealthCareProfessional, Purpose.CareAndTreatment) { HandlesProtectedPersons = false };

    /// <summary>Contact person for children at the shelter.</summary>
    public static DemonstrationEmployee Shelter { get; } =
        new("SE2120000142-E501", "Kontaktperson för barn, Kriscentrum", "SE2120000142-KRISCENTRUM", Role.ShelterContactPerson, Purpose.SocialServicesCase);

    /// <summary>Contact person at the school in the other municipality; logs in at the schools' own provider.</summary>
    public static DemonstrationEmployee School { get; } =
        new("mentor@skolan.example", "Mentor, skola i annan kommun", "12345678", Role.SchoolContact, Purpose.Schooling);

    /// <summary>Support provider at Origo, against honour-related violence.</summary>
    public static DemonstrationEmployee Origo { get; } =
        new("SE2120000142-E703", "Stödperson, Origo", "SE2120000142-ORIGO", Role.SupportProvider, Purpose.Support);

    /// <summary>Support provider at Stödcentrum.</summary>
    public static DemonstrationEmployee Stodcentrum { get; } =
        new("SE2120000142-E721", "Stödperson, Stödcentrum", "SE2120000142-STODCENTRUM", Role.SupportProvider, Purpose.Support);

    /// <summary>Contact person at the shelter for the young.</summary>
    public static DemonstrationEmployee Kruton { get; } =
        new("SE2120000142-E701", "Kontaktperson, Kruton", "SE2120000142-KRUTON", Role.ShelterContactPerson, Purpose.SocialServicesCase);

    /// <summary>Doctor at the psychiatric clinic.</summary>
    public static DemonstrationEmployee Psychiatry { get; } =
        new("SE2321000016-E702", "Läkare, psykiatriska kliniken", "SE2321000016-PSYK", Role.HealthCareProfessional, Purpose.CareAndTreatment);

    /// <summary>Amira's aunt, who works at the district board and has no relation to the case.</summary>
    public static DemonstrationEmployee Aunt { get; } =
        new("SE2120000142-E704", "Amiras faster, biståndshandläggare, äldreomsorgen Farsta", "SE2120000142-ALDREOMSORG-FARSTA", Role.SocialCaseWorker, Purpose.SocialServicesCase) { HandlesProtectedPersons = false };

    /// <summary>Amira's cousin, an administrator of a school.</summary>
    public static DemonstrationEmployee Cousin { get; } =
        new("administrator@friskolan.example", "Amiras kusin, skoladministratör", "87654321", Role.SchoolContact, Purpose.Schooling);

    /// <summary>Case worker of the elder care.</summary>
    public static DemonstrationEmployee ElderCare { get; } =
        new("SE2120000142-E711", "Biståndshandläggare, äldreomsorgen Farsta", "SE2120000142-ALDREOMSORG-FARSTA", Role.SocialCaseWorker, Purpose.SocialServicesCase);

    /// <summary>Nurse at a hospital ward, who takes a son's calls.</summary>
    public static DemonstrationEmployee Ward { get; } =
        new("SE2321000016-E712", "Sjuksköterska, vårdavdelningen", "SE2321000016-AVDELNING", Role.HealthCareProfessional, Purpose.CareAndTreatment);

    /// <summary>Log reviewer of the district board that owns the case.</summary>
    public static DemonstrationEmployee LogReviewer { get; } =
        new("SE2120000142-E601", "Logggranskare, Farsta stadsdelsnämnd", "SE2120000142-LOGG-FARSTA", Role.LogReviewer, Purpose.LogReview);

    /// <summary>Another log reviewer of the same board: what is disposed of takes two.</summary>
    public static DemonstrationEmployee SecondLogReviewer { get; } =
        new("SE2120000142-E606", "Andra logggranskaren, Farsta stadsdelsnämnd", "SE2120000142-LOGG-FARSTA", Role.LogReviewer, Purpose.LogReview);

    /// <summary>Log reviewer of the region.</summary>
    public static DemonstrationEmployee RegionLogReviewer { get; } =
        new("SE2321000016-E602", "Logggranskare, Region Stockholm", "SE2321000016-LOGG", Role.LogReviewer, Purpose.LogReview);

    /// <summary>The region's integration, which calls for itself.</summary>
    public static DemonstrationEmployee RegionIntegration { get; } =
        new(DevelopmentClients.RegionIntegration, "Regionens integration", "SE2321000016-VC", Role.SystemIntegration, Purpose.CareAndTreatment);

    /// <summary>The pupil register of the school in the other municipality, which calls for itself.</summary>
    public static DemonstrationEmployee SchoolRegister { get; } =
        new(DevelopmentClients.SchoolRegister, "Elevregistret, skola i annan kommun", "12345678", Role.SystemIntegration, Purpose.Schooling);

    /// <summary>The operator's administrator.</summary>
    public static DemonstrationEmployee Administrator { get; } =
        new(Operator.EmployeeId, Operator.EmployeeName, Operator.OrganisationId, Role.DirectoryAdministrator, Purpose.Administration);

    /// <summary>Everybody whom the directory holds an assignment for.</summary>
    public static IReadOnlyList<DemonstrationEmployee> Employees { get; } =
    [
        CaseWorker, UnitManager, NewCaseWorker, OtherCaseWorker, PrimaryCare, ChildPsychiatry, Jonas, Colleague, Shelter, School, LogReviewer, RegionLogReviewer,
        RegionIntegration, DataProtectionOfficer, Statistician, Origo, Stodcentrum, Kruton, Psychiatry, Aunt, Cousin, ElderCare, Ward, SchoolRegister,
        SecondLogReviewer,
    ];

    /// <summary>The assignment that an employee calls under.</summary>
    public static string AssignmentOf(DemonstrationEmployee employee)
    {
        ArgumentNullException.ThrowIfNull(employee);
        return employee == Administrator ? Operator.AssignmentId : employee.AssignmentId;
    }

    /// <summary>Loads what is not there yet, through the service like any administrator's system.</summary>
    public static async Task LoadAsync(CoordinationPlanClients administrator, DateOnly today, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(administrator);
        var directory = administrator.Directory;
        foreach (var organisation in Organisations())
        {
            await New(etag => directory.PutOrganisationAsync(new() { Organisation = organisation, Etag = etag, RequestId = NewId() }, cancellationToken: stop));
        }

        foreach (var board in Boards())
        {
            await New(etag => directory.PutBoardAsync(new() { Board = board, Etag = etag, RequestId = NewId() }, cancellationToken: stop));
        }

        foreach (var unit in Units())
        {
            await New(etag => directory.PutUnitAsync(new() { Unit = unit, Etag = etag, RequestId = NewId() }, cancellationToken: stop));
        }

        var organisationOf = Units().ToDictionary(unit => unit.Name["units/".Length..], unit => unit.Organisation);
        var start = new Date { Year = today.Year - 1, Month = 1, Day = 1 };
        foreach (var employee in Employees)
        {
            if (!employee.IsSystem)
            {
                await New(etag => directory.PutEmployeeAsync(
                    new()
                    {
                        Employee = new() { Name = "employees/" + employee.Id, Organisation = organisationOf[employee.UnitId], DisplayName = employee.DisplayName, IdentityNumber = employee == Jonas ? DemonstrationPersons.Jonas : null },
                        Etag = etag,
                        RequestId = NewId(),
                    },
                    cancellationToken: stop));
            }

            await New(etag => directory.PutAssignmentAsync(
                new() { Assignment = AssignmentFor(employee, start), Etag = etag, RequestId = NewId() },
                cancellationToken: stop));
        }
    }

    private static Assignment AssignmentFor(DemonstrationEmployee employee, Date start) => new()
    {
        Name = "assignments/" + employee.AssignmentId,
        Employee = employee.IsSystem ? "" : "employees/" + employee.Id,
        ClientSystem = employee.IsSystem ? employee.Id : "",
        Unit = "units/" + employee.UnitId,
        Role = employee.Role,
        Purposes = { employee.Purpose },
        Period = new DatePeriod { StartDate = start },
        ProtectedPersons = employee.HandlesProtectedPersons,
    };

    private static IEnumerable<Organisation> Organisations() =>
    [
        new() { Name = "organisations/" + City, Kind = OrganisationKind.Municipality, DisplayName = "Stockholms stad" },
        new() { Name = "organisations/" + Region, Kind = OrganisationKind.Region, DisplayName = "Region Stockholm" },
        new() { Name = "organisations/" + OtherMunicipality, Kind = OrganisationKind.Municipality, DisplayName = "Grannkommunen" },
        new() { Name = "organisations/" + SchoolCompany, Kind = OrganisationKind.IndependentSchoolOrganiser, DisplayName = "Fristående skolan AB" },
        new() { Name = "organisations/" + Association, Kind = OrganisationKind.CivilSociety, DisplayName = "Kvinnojouren" },
    ];

    private static IEnumerable<Board> Boards() =>
    [
        .. Districts.Select(district => CityBoard(Code(district), district + " stadsdelsnämnd")),
        CityBoard("SOCIAL", "Socialnämnden"),
        CityBoard("ALDRE", "Äldrenämnden"),
        CityBoard("UTBILDNING", "Utbildningsnämnden"),
        CityBoard("ARBETSMARKNAD", "Arbetsmarknadsnämnden"),
    ];

    private static IEnumerable<Unit> Units() =>
    [
        .. Districts.Select(district => CityUnit("RVT-" + Code(district), Code(district), UnitKind.SocialServices, "Relationsvåldsteam " + district)),
        CityUnit("ALDREOMSORG-FARSTA", "FARSTA", UnitKind.SocialServices, "Äldreomsorgen Farsta"),
        CityUnit("LOGG-FARSTA", "FARSTA", UnitKind.Administration, "Logggranskning Farsta"),
        CityUnit("UPPFOLJNING-FARSTA", "FARSTA", UnitKind.Administration, "Uppföljning Farsta"),
        CityUnit("RVC", "SOCIAL", UnitKind.Support, "RVC"),
        CityUnit("BARNAHUS", "SOCIAL", UnitKind.Support, "Barnahus"),
        CityUnit("STODCENTRUM", "SOCIAL", UnitKind.Support, "Stödcentrum"),
        CityUnit("UNGDOMSJOUREN", "SOCIAL", UnitKind.SocialServices, "Ungdomsjouren"),
        CityUnit("SOCIALJOUREN", "SOCIAL", UnitKind.SocialServices, "Socialjouren"),
        CityUnit("ORIGO", "SOCIAL", UnitKind.Support, "Origo"),
        CityUnit("MIKA", "SOCIAL", UnitKind.Support, "Mikamottagningen"),
        CityUnit("KAST", "SOCIAL", UnitKind.Support, "KAST"),
        CityUnit("KRISCENTRUM", "SOCIAL", UnitKind.ShelteredHousing, "Kriscentrum"),
        CityUnit("KRUTON", "SOCIAL", UnitKind.ShelteredHousing, "Kruton"),
        CityUnit("HVILAN", "SOCIAL", UnitKind.ShelteredHousing, "Hvilan"),
        CityUnit("SYRENEN", "SOCIAL", UnitKind.ShelteredHousing, "Syrenen"),
        SchoolUnit(CityUnit("SKOLA", "UTBILDNING", UnitKind.School, "Kommunal skola"), "11223344"),
        RegionUnit("VC", UnitKind.HealthCare, "Vårdcentralen"),
        RegionUnit("BUP", UnitKind.HealthCare, "BUP"),
        RegionUnit("AKUT", UnitKind.HealthCare, "Akutmottagningen"),
        RegionUnit("PSYK", UnitKind.HealthCare, "Psykiatriska kliniken"),
        RegionUnit("AVDELNING", UnitKind.HealthCare, "Vårdavdelningen"),
        RegionUnit("MIKAHALSA", UnitKind.HealthCare, "Mika Hälsa"),
        RegionUnit("LOGG", UnitKind.Administration, "Logggranskning regionen"),
        SchoolUnit(new() { Name = "units/12345678", Organisation = "organisations/" + OtherMunicipality, Kind = UnitKind.School, DisplayName = "Skola i annan kommun" }, "12345678"),
        SchoolUnit(new() { Name = "units/87654321", Organisation = "organisations/" + SchoolCompany, Kind = UnitKind.School, DisplayName = "Fristående skolan" }, "87654321"),
        new() { Name = "units/KVINNOJOUREN", Organisation = "organisations/" + Association, Kind = UnitKind.ShelteredHousing, DisplayName = "Kvinnojourens skyddade boende" },
    ];

    private static Unit SchoolUnit(Unit unit, string code)
    {
        unit.SchoolUnitCode = code;
        return unit;
    }

    private static Board CityBoard(string code, string name) =>
        new() { Name = $"boards/{City}-{code}", Organisation = "organisations/" + City, DisplayName = name };

    private static Unit CityUnit(string code, string board, UnitKind kind, string name) => new()
    {
        Name = $"units/SE{City}-{code}",
        Organisation = "organisations/" + City,
        Board = $"boards/{City}-{board}",
        Kind = kind,
        DisplayName = name,
    };

    private static Unit RegionUnit(string code, UnitKind kind, string name) =>
        new() { Name = $"units/SE{Region}-{code}", Organisation = "organisations/" + Region, Kind = kind, DisplayName = name };

    private static string Code(string name) => name.ToUpperInvariant().Replace(' ', '-').Replace('Å', 'A').Replace('Ä', 'A').Replace('Ö', 'O');

    private static string NewId() => Guid.CreateVersion7().ToString("D");

    /// <summary>Adds an entry; one that is there already is left as it is.</summary>
    private static async Task New<T>(Func<string, AsyncUnaryCall<T>> put)
    {
        try
        {
            await put("new");
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.StaleEtag)
        {
            // Loaded in an earlier run.
        }
    }
}
