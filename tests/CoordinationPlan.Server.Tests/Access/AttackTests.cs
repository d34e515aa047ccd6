using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.IdentityModel.Tokens;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Access;

/// <summary>Ways around the rules that somebody has thought of. Each was open once.</summary>
public sealed class AttackTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task A_schools_provider_cannot_speak_for_an_employee_of_another_organisation_nor_for_its_systems()
    {
        var plan = await service.OpenPlan();
        var employee = SchoolToken(new() { ["https://id.oidc.se/claim/orgAffiliation"] = DemonstrationDirectory.CaseWorker.Id, ["sub"] = DemonstrationDirectory.CaseWorker.Id });
        var system = SchoolToken(new() { ["client_id"] = DevelopmentClients.RegionIntegration, ["sub"] = DevelopmentClients.RegionIntegration });
        var start = await service.Now();

        await As(DemonstrationDirectory.CaseWorker, employee).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await As(DemonstrationDirectory.RegionIntegration, system).Directory.ListUnitsAsync(new()).IsRefused();

        Assert.All(await service.LogSince(start), entry => Assert.Equal("ASSIGNMENT_NOT_IN_FORCE", entry.Reason));
    }

    [Fact]
    public async Task A_token_that_lacks_the_employee_is_not_the_systems_own()
    {
        var token = SchoolToken(new() { ["sub"] = "somebody" });

        await As(DemonstrationDirectory.School, token).Directory.ListUnitsAsync(new()).Fails(StatusCode.Unauthenticated, ErrorReason.Unauthenticated);
    }

    [Fact]
    public async Task A_shelter_does_not_learn_of_the_next_one()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.CaseWorker.Participations.AddParticipationAsync(new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = "units/KVINNOJOUREN", Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        await service.CaseWorker.Plans.AddInterventionAsync(new()
        {
            Parent = plan.Name,
            Intervention = new() { Title = "Boende", ResponsibleUnit = "units/KVINNOJOUREN" },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        await service.Consent(plan, DemonstrationDirectory.Shelter, [Identity, GoalsAndInterventions, InformationCategory.Meetings]);

        var read = await service.Read(DemonstrationDirectory.Shelter, plan);

        Assert.Equal(Cases.UnitOf(DemonstrationDirectory.Shelter), Assert.Single(read.Participations).Unit);
        Assert.Empty(read.Interventions);
    }

    [Fact]
    public async Task The_log_does_not_tell_another_controllers_reviewer_which_shelter_it_is()
    {
        var plan = await service.OpenPlan();
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [Identity]);
        await service.Read(DemonstrationDirectory.Shelter, plan);

        var entries = await Log(request => request.Plan = plan.Name);
        var hidden = entries[0];

        Assert.Equal((Act.ReadPlan, AccessOutcome.Permitted), (hidden.Act, hidden.Outcome));
        Assert.Equal("", hidden.Unit + hidden.Employee + hidden.Assignment);
        Assert.Equal(Role.Unspecified, hidden.Role);
        Assert.Contains(InformationCategory.Whereabouts, hidden.Categories);
        Assert.Empty(await Log(request => (request.Plan, request.Unit) = (plan.Name, Cases.UnitOf(DemonstrationDirectory.Shelter))));
        Assert.Empty(await Log(request => (request.Plan, request.Employee) = (plan.Name, "employees/" + DemonstrationDirectory.Shelter.Id)));
    }

    [Fact]
    public async Task Health_care_cannot_probe_for_shelters()
    {
        var care = service.As(DemonstrationDirectory.PrimaryCare);
        var plan = (await care.Plans.CreatePlanAsync(new() { Plan = new() { Subject = DemonstrationPersons.Sara }, RequestId = Cases.NewId() })).Plan;
        foreach (var unit in new[] { Cases.UnitOf(DemonstrationDirectory.Shelter), "units/of-nobody" })
        {
            await care.Participations.AddParticipationAsync(new() { Parent = plan.Name, Participation = new() { Unit = unit, Period = Cases.HalfAYear }, Etag = plan.Etag, RequestId = Cases.NewId() })
                .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
            await care.Plans.AddInterventionAsync(new() { Parent = plan.Name, Intervention = new() { Title = "Stöd", ResponsibleUnit = unit }, Etag = plan.Etag, RequestId = Cases.NewId() })
                .Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
            await care.Consents.RecordConsentAsync(new()
            {
                Parent = plan.Name,
                Consent = new()
                {
                    State = ConsentState.Given,
                    RecipientUnits = { unit },
                    Categories = { Identity },
                    Purpose = Purpose.CareAndTreatment,
                    Period = Cases.HalfAYear,
                    Form = ConsentForm.Oral,
                    GivenBy = ConsentGiver.Self,
                },
                Etag = plan.Etag,
                RequestId = Cases.NewId(),
            }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        }
    }

    [Fact]
    public async Task A_shelters_staff_is_not_named_as_contact_or_coordinator_of_others()
    {
        var plan = await service.OpenPlan();
        var intervention = await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker);
        var staff = "employees/" + DemonstrationDirectory.Shelter.Id;

        await service.CaseWorker.Plans.UpdateInterventionAsync(new()
        {
            Intervention = new() { Name = intervention.Name, ContactPerson = staff },
            UpdateMask = new() { Paths = { "contact_person" } },
            Etag = intervention.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, Coordinator = staff },
            UpdateMask = new() { Paths = { "coordinator" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, Coordinator = "employees/" + DemonstrationDirectory.UnitManager.Id },
            UpdateMask = new() { Paths = { "coordinator" } },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
    }

    [Fact]
    public async Task Nobody_gives_himself_an_assignment_and_the_units_own_reviewer_sees_who_is_given_one()
    {
        var administrator = service.As(DemonstrationDirectory.Administrator).Directory;
        PutAssignmentRequest Request(string employee) => new()
        {
            Assignment = new()
            {
                Name = "assignments/attack",
                Employee = "employees/" + employee,
                Unit = Cases.UnitOf(DemonstrationDirectory.CaseWorker),
                Role = Role.SocialCaseWorker,
                Purposes = { Purpose.SocialServicesCase },
                Period = Cases.HalfAYear,
            },
            Etag = "new",
            RequestId = Cases.NewId(),
        };

        await administrator.PutAssignmentAsync(Request(DemonstrationDirectory.Administrator.Id)).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await administrator.PutAssignmentAsync(Request(DemonstrationDirectory.UnitManager.Id));

        Assert.Contains(await Log(_ => { }), entry => entry is { Act: Act.WriteDirectory, Outcome: AccessOutcome.Permitted, Resource: "assignments/attack" });
    }

    [Fact]
    public async Task Two_changes_of_one_directory_entry_from_the_same_version_have_one_winner()
    {
        var administrator = service.As(DemonstrationDirectory.Administrator).Directory;
        var employee = new Employee { Name = "employees/raced", Organisation = Cases.City, DisplayName = "Först" };
        var etag = (await administrator.PutEmployeeAsync(new() { Employee = employee, Etag = "new", RequestId = Cases.NewId() })).Employee.Etag;

        var races = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await administrator.PutEmployeeAsync(new() { Employee = new() { Name = employee.Name, Organisation = Cases.City, DisplayName = $"Nummer {i}" }, Etag = etag, RequestId = Cases.NewId() });
                return ErrorReason.Unspecified;
            }
            catch (RpcException error)
            {
                return error.Reason();
            }
        }));

        Assert.Single(races, ErrorReason.Unspecified);
        Assert.Equal(19, races.Count(reason => reason == ErrorReason.StaleEtag));
    }

    [Fact]
    public async Task A_dry_run_does_not_tell_through_the_log_whether_the_person_is_known()
    {
        await service.OpenPlan(DemonstrationPersons.Elias);
        var start = await service.Now();

        await service.As(DemonstrationDirectory.Jonas).Plans.CreatePlanAsync(new() { Plan = new() { Subject = DemonstrationPersons.Elias }, RequestId = Cases.NewId(), ValidateOnly = true });

        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((AccessOutcome.Validated, null, null), (entry.Outcome, entry.PlanId, entry.SubjectId));
    }

    [Fact]
    public async Task A_replayed_opening_is_logged_with_the_person()
    {
        var request = new CreatePlanRequest { Plan = new() { Subject = DemonstrationPersons.Nora }, RequestId = Cases.NewId() };
        await service.CaseWorker.Plans.CreatePlanAsync(request);
        var start = await service.Now();
        await service.CaseWorker.Plans.CreatePlanAsync(request);

        Assert.NotNull(Assert.Single(await service.LogSince(start)).SubjectId);
    }

    [Fact]
    public async Task Whoever_names_anothers_assignment_is_seen_by_his_own_reviewer()
    {
        var stolen = service.Infrastructure.Choice(DemonstrationDirectory.Jonas) with { Assignment = "assignments/" + DemonstrationDirectory.CaseWorker.AssignmentId };
        await service.As(stolen, DevelopmentClients.HealthCare).Plans.ListPlansAsync(new()).IsRefused();

        Assert.Contains(
            await Log(request => request.Employee = "employees/" + DemonstrationDirectory.Jonas.Id, DemonstrationDirectory.RegionLogReviewer),
            entry => entry.Reason == "ASSIGNMENT_NOT_IN_FORCE");
    }

    [Fact]
    public async Task A_strangers_certificate_makes_the_service_fetch_nothing()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var fetched = listener.AcceptTcpClientAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=stranger", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [$"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/issuer.cer"]));
        var now = TimeProvider.System.GetUtcNow();
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = request.Create(
            new X500DistinguishedName("CN=unknown"), X509SignatureGenerator.CreateForECDsa(issuerKey), now.AddDays(-1), now.AddDays(1), [1, 2, 3]).CopyWithPrivateKey(key);
        using var connection = new CoordinationPlanConnection(new() { Address = service.Address, ClientCertificate = certificate, ServerAuthorities = [service.Infrastructure.Authority.Root] });

        await Assert.ThrowsAsync<RpcException>(async () => await connection.For(service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans.ListPlansAsync(new()));

        Assert.False(fetched.IsCompleted);
    }

    private async Task<IList<AccessLogEntry>> Log(Action<SearchAccessLogRequest> narrow, DemonstrationEmployee? reviewer = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new SearchAccessLogRequest { StartTime = Timestamp.FromDateTimeOffset(now.AddHours(-1)), EndTime = Timestamp.FromDateTimeOffset(now.AddHours(1)), PageSize = 500 };
        narrow(request);
        return (await service.As(reviewer ?? DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(request)).Entries;
    }

    private CoordinationPlanClients As(DemonstrationEmployee employee, string token) =>
        service.As(service.Infrastructure.Choice(employee) with { AccessToken = _ => Task.FromResult(token) }, DevelopmentClients.School);

    private string SchoolToken(Dictionary<string, object> claims)
    {
        var certificate = service.Infrastructure.ClientCertificate(DevelopmentClients.School);
        claims.TryAdd("client_id", DevelopmentClients.School);
        claims["iss"] = service.Infrastructure.Schools.Issuer.AbsoluteUri;
        claims["aud"] = "coordinationplan";
        claims["acr"] = "http://id.sambi.se/loa/loa3";
        claims["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA256)) };
        return service.Infrastructure.Schools.MintToken(claims, TimeProvider.System.GetUtcNow().AddMinutes(5));
    }
}
