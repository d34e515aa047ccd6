using System.Security.Cryptography;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CoordinationPlan.Server.Tests.Hosting;

/// <summary>Who calls: a token of a known issuer, whole and in time, bound to the connection, and an assignment of the employee's own in force.</summary>
public sealed class AuthenticationTests(Service service) : IClassFixture<Service>
{
    private const string Level3 = "http://id.sambi.se/loa/loa3";
    private const string SchoolEmployeeClaim = "https://id.oidc.se/claim/orgAffiliation";

    private static readonly string[] SeveralAudiences = ["another-service", "coordinationplan"];
    private static readonly DemonstrationEmployee CaseWorker = DemonstrationDirectory.CaseWorker;

    /// <summary>Tokens that nobody should be believed by, each one fault away from a good one.</summary>
    private static readonly Dictionary<string, Func<AuthenticationTests, string>> Bad = new()
    {
        ["another audience"] = tests => tests.Mint(claims => claims["aud"] = "another-service"),
        ["no audience"] = tests => tests.Mint(claims => claims.Remove("aud")),
        ["another issuer"] = tests => tests.Mint(claims => claims["iss"] = "https://idp.example/"),
        ["the other provider's name"] = tests => tests.Mint(claims => claims["iss"] = tests.Infrastructure.Schools.Issuer.ToString()),
        ["no issuer"] = tests => tests.Mint(claims => claims.Remove("iss")),
        ["expired"] = tests => tests.Mint(expires: TimeSpan.FromSeconds(-60)),
        ["not valid yet"] = tests => tests.Mint(claims => claims["nbf"] = Seconds(TimeSpan.FromSeconds(60))),
        ["an ordinary JWT"] = tests => tests.Mint(type: "JWT"),
        ["an ID token"] = tests => tests.Mint(type: "id_token+jwt"),
        ["not signed"] = tests => tests.Mint(algorithm: SecurityAlgorithms.None),
        ["signed with the public key as a secret"] = tests => tests.Mint(algorithm: SecurityAlgorithms.HmacSha256),
        ["signed with another key"] = tests => tests.SignedBy("another"),
        ["signed with another key of the same name"] = tests => tests.SignedBy(tests.KeyId),
        ["changed after it was signed"] = tests => Tampered(tests.Mint()),
        ["the signature of another token"] = tests => string.Join('.', [.. tests.Mint().Split('.')[..2], tests.Mint(claims => claims["jti"] = "other").Split('.')[2]]),
        ["not bound"] = tests => tests.Mint(claims => claims.Remove("cnf")),
        ["bound to another certificate"] = tests => tests.Mint(claims => claims["cnf"] = tests.BoundTo(DevelopmentClients.HealthCare)),
        ["bound to nothing"] = tests => tests.Mint(claims => claims["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = "" }),
        ["bound to null"] = tests => tests.Mint(claims => claims["cnf"] = new Dictionary<string, object?> { ["x5t#S256"] = null }),
        ["bound to a number"] = tests => tests.Mint(claims => claims["cnf"] = new Dictionary<string, object> { ["x5t#S256"] = 5 }),
        ["bound to something else than a certificate"] = tests => tests.Mint(claims => claims["cnf"] = new Dictionary<string, object> { ["jkt"] = "abc" }),
        ["a binding that is a text"] = tests => tests.Mint(claims => claims["cnf"] = "certificate"),
        ["a binding that is a list"] = tests => tests.Mint(claims => claims["cnf"] = new[] { "certificate", "other" }),
        ["no client system"] = tests => tests.Mint(claims => claims.Remove("client_id")),
        ["an empty client system"] = tests => tests.Mint(claims => claims["client_id"] = ""),
        ["an employee's token without the employee"] = tests => tests.Mint(claims => claims.Remove("employeeHsaId")),
        ["an employee's token for a system's client"] = tests => tests.Mint(claims =>
        {
            claims.Remove("employeeHsaId");
            claims["client_id"] = DevelopmentClients.RegionIntegration;
        }),
        ["a schools' name for the employee at the national provider"] = tests => tests.Mint(claims =>
        {
            claims.Remove("employeeHsaId");
            claims[SchoolEmployeeClaim] = CaseWorker.Id;
        }),
        ["garbage"] = _ => "garbage",
        ["three dots"] = _ => "...",
        ["three parts of garbage"] = _ => "e30.e30.e30",
        ["a long garbage"] = _ => new string('a', 6000),
        ["empty"] = _ => "",
    };

    public static TheoryData<string> BadTokens => [.. Bad.Keys];

    private DevelopmentInfrastructure Infrastructure => service.Infrastructure;

    private string KeyId => new JsonWebToken(Mint()).Kid;

    [Fact]
    public async Task A_good_token_is_accepted_also_within_the_difference_of_clocks()
    {
        await Call(Mint());
        await Call(Mint(expires: TimeSpan.FromSeconds(-10)));
        await Call(Mint(claims => claims["nbf"] = Seconds(TimeSpan.FromSeconds(10))));
        await Call(Mint(claims => claims["aud"] = SeveralAudiences));
    }

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task A_bad_token_is_not_believed_and_leaves_no_entry(string kind)
    {
        var entries = await service.Count("access_log");

        await IsNotBelieved(Call(Bad[kind](this)));

        Assert.Equal(entries, await service.Count("access_log"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Basic dXNlcjpwYXNzd29yZA==")]
    [InlineData("Bearer")]
    public async Task Without_a_token_nothing_is_answered(string? authorization)
    {
        var entries = await service.Count("access_log");
        var headers = Headers(CaseWorker.AssignmentId, "SOCIAL_SERVICES_CASE");
        if (authorization is not null)
        {
            headers.Add("authorization", authorization);
        }

        await IsNotBelieved(Call(headers));

        Assert.Equal(entries, await service.Count("access_log"));
    }

    [Theory]
    [InlineData("http://id.sambi.se/loa/loa2")]
    [InlineData("http://id.sambi.se/loa/LOA3")]
    [InlineData("loa3")]
    [InlineData("")]
    [InlineData(null)]
    public async Task An_assurance_that_is_low_or_unknown_is_refused(string? assurance) =>
        await IsRefused("ASSURANCE_TOO_LOW", Call(Mint(claims => Set(claims, "acr", assurance))));

    [Fact]
    public async Task An_assignment_of_somebody_else_is_refused() =>
        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), DemonstrationDirectory.UnitManager.AssignmentId));

    [Fact]
    public async Task An_assignment_that_does_not_exist_is_refused() => await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), Cases.NewId()));

    [Fact]
    public async Task A_call_under_no_assignment_is_refused() => await IsRefused("NO_ASSIGNMENT", Call(Mint(), null));

    [Theory]
    [InlineData("")]
    [InlineData("CURIOSITY")]
    [InlineData("social_services_case")]
    [InlineData("PURPOSE_SOCIAL_SERVICES_CASE")]
    [InlineData("1")]
    [InlineData("UNSPECIFIED")]
    [InlineData(null)]
    public async Task A_purpose_that_is_missing_or_unknown_is_refused(string? purpose) => await IsRefused("NO_PURPOSE", Call(Mint(), CaseWorker.AssignmentId, purpose));

    [Fact]
    public async Task A_purpose_that_the_assignment_lacks_is_refused() => await IsRefused("PURPOSE_NOT_ASSIGNED", Call(Mint(), CaseWorker.AssignmentId, "CARE_AND_TREATMENT"));

    [Fact]
    public async Task A_token_for_one_assignment_is_good_for_that_one_only()
    {
        var second = await Put(Assignment());
        var bound = Mint(claims => claims["commissionHsaId"] = IdOf(second));

        await Call(bound, IdOf(second));
        await Call(bound, null);
        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(bound, CaseWorker.AssignmentId));
    }

    [Theory]
    [InlineData("not a name")]
    [InlineData("plans/SE2120000142-E101-A1")]
    public async Task A_malformed_assignment_is_not_replaced_by_the_tokens(string header)
    {
        var headers = Headers(null, "SOCIAL_SERVICES_CASE");
        headers.Add("coordinationplan-assignment", header);
        headers.Add("authorization", "Bearer " + Mint(claims => claims["commissionHsaId"] = CaseWorker.AssignmentId));

        await Call(headers).Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
    }

    [Fact]
    public async Task A_revoked_assignment_stops_at_once_and_stays_so()
    {
        var assignment = await Put(Assignment());
        await Call(Mint(), IdOf(assignment));

        var revoked = await Put(new Assignment(assignment) { Revoked = true }, assignment.Etag);

        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), IdOf(assignment)));
        await SystemOf(DemonstrationDirectory.Administrator).Directory
            .PutAssignmentAsync(new PutAssignmentRequest { Assignment = new Assignment(revoked) { Revoked = false }, Etag = revoked.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
    }

    [Fact]
    public async Task An_assignment_holds_from_its_first_day_through_its_last()
    {
        await Call(Mint(), IdOf(await Put(Assignment(Cases.Period(0, 0)))));
        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), IdOf(await Put(Assignment(Cases.Period(-10, -1))))));
        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), IdOf(await Put(Assignment(Cases.Period(1, 10))))));
    }

    [Fact]
    public async Task An_assignment_that_is_ended_stops_at_once()
    {
        var assignment = await Put(Assignment(Cases.Period(-10, 10)));
        await Call(Mint(), IdOf(assignment));

        await Put(new Assignment(assignment) { Period = Cases.Period(-10, -1) }, assignment.Etag);

        await IsRefused("ASSIGNMENT_NOT_IN_FORCE", Call(Mint(), IdOf(assignment)));
    }

    [Fact]
    public async Task The_schools_provider_is_believed_under_its_own_names_of_claims()
    {
        await SystemOf(DemonstrationDirectory.School).Plans.ListPlansAsync(new ListPlansRequest());
        await Call(MintForSchool(SchoolEmployeeClaim, DemonstrationDirectory.School.Id), DemonstrationDirectory.School.AssignmentId, "SCHOOLING", DevelopmentClients.School);
    }

    [Fact]
    public async Task The_schools_provider_is_not_believed_under_the_national_providers_names_of_claims() =>
        await IsNotBelieved(Call(
            MintForSchool("employeeHsaId", DemonstrationDirectory.School.Id), DemonstrationDirectory.School.AssignmentId, "SCHOOLING", DevelopmentClients.School));

    [Fact]
    public async Task The_schools_provider_does_not_speak_for_the_citys_people() =>
        await IsRefused(
            "ASSIGNMENT_NOT_IN_FORCE",
            Call(MintForSchool(SchoolEmployeeClaim, CaseWorker.Id), CaseWorker.AssignmentId, "SOCIAL_SERVICES_CASE", DevelopmentClients.School));

    [Fact]
    public async Task The_schools_provider_does_not_speak_for_the_regions_systems() =>
        await IsRefused(
            "ASSIGNMENT_NOT_IN_FORCE",
            Call(
                MintForSchool("sub", DevelopmentClients.RegionIntegration, claims => claims["client_id"] = DevelopmentClients.RegionIntegration),
                DemonstrationDirectory.RegionIntegration.AssignmentId,
                "CARE_AND_TREATMENT",
                DevelopmentClients.School));

    [Fact]
    public async Task A_token_that_has_just_been_accepted_is_not_believed_from_another_connection()
    {
        var token = Mint();
        await Call(token);

        await IsNotBelieved(Call(token, CaseWorker.AssignmentId, clientId: DevelopmentClients.HealthCare));
        await Call(token);
        await IsNotBelieved(Call(Tampered(token)));
    }

    [Fact]
    public async Task A_token_that_has_just_been_accepted_is_not_believed_past_its_end()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var app = await CoordinationPlanHost.CreateAsync(Infrastructure.ServerOptions(service.Database.Options, 0, null), clock);
        await app.StartAsync();
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
        var plans = new V1.PlanService.PlanServiceClient(connection.Anonymous);
        var token = Mint(expires: TimeSpan.FromSeconds(20));

        await plans.ListPlansAsync(new ListPlansRequest(), With(token));
        clock.Advance(TimeSpan.FromSeconds(10));
        await plans.ListPlansAsync(new ListPlansRequest(), With(token));
        clock.Advance(TimeSpan.FromSeconds(41));
        await IsNotBelieved(plans.ListPlansAsync(new ListPlansRequest(), With(token)));
        await app.StopAsync();
    }

    [Fact]
    public async Task Where_employees_tokens_need_not_be_bound_one_that_is_must_fit_and_a_systems_own_must_be()
    {
        var options = Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Identity.Issuers[0].EmployeeTokensBound = false;
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync();
        using var connection = Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
        var plans = new V1.PlanService.PlanServiceClient(connection.Anonymous);

        await plans.ListPlansAsync(new ListPlansRequest(), With(Mint()));
        await plans.ListPlansAsync(new ListPlansRequest(), With(Mint(claims => claims.Remove("cnf"))));
        foreach (var kind in Bad.Keys.Where(kind => kind.StartsWith("bound to", StringComparison.Ordinal) || kind.StartsWith("a binding", StringComparison.Ordinal)))
        {
            await IsNotBelieved(plans.ListPlansAsync(new ListPlansRequest(), With(Bad[kind](this))));
        }

        await IsNotBelieved(plans.ListPlansAsync(new ListPlansRequest(), With(Mint(claims =>
        {
            claims.Remove("cnf");
            claims.Remove("employeeHsaId");
            claims["sub"] = claims["client_id"];
        }))));
        await app.StopAsync();
    }

    [Fact]
    public async Task A_system_calls_for_itself_with_a_token_bound_to_its_certificate()
    {
        await SystemOf(DemonstrationDirectory.RegionIntegration).Directory.ListUnitsAsync(new ListUnitsRequest());

        var stolen = await Infrastructure.TokenOf(DemonstrationDirectory.RegionIntegration);
        await IsNotBelieved(Call(stolen, DemonstrationDirectory.RegionIntegration.AssignmentId, "CARE_AND_TREATMENT"));
    }

    private static async Task IsNotBelieved(AsyncUnaryCall<ListPlansResponse> call)
    {
        var error = await call.Fails(StatusCode.Unauthenticated, ErrorReason.Unauthenticated);
        var status = error.GetRpcStatus()!;
        Assert.Equal((int)StatusCode.Unauthenticated, status.Code);
        Assert.Equal("sv-SE", status.GetDetail<LocalizedMessage>()!.Locale);
        Assert.Equal(2, status.Details.Count);
    }

    private async Task IsRefused(string reason, AsyncUnaryCall<ListPlansResponse> call)
    {
        var start = await service.Now();
        await call.Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
        await using var command = service.Administrator.CreateCommand("SELECT outcome, reason FROM coordinationplan.access_log ORDER BY occurred_at DESC LIMIT 1");
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal((AccessOutcome.Refused, reason), ((AccessOutcome)reader.GetInt16(0), reader.GetString(1)));
    }

    private static long Seconds(TimeSpan fromNow) => (TimeProvider.System.GetUtcNow() + fromNow).ToUnixTimeSeconds();

    private static string IdOf(Assignment assignment) => assignment.Name["assignments/".Length..];

    private static void Set(Dictionary<string, object> claims, string name, string? value)
    {
        claims.Remove(name);
        if (value is not null)
        {
            claims[name] = value;
        }
    }

    private static string Tampered(string token)
    {
        var parts = token.Split('.');
        var payload = Base64UrlEncoder.Decode(parts[1]).Replace(CaseWorker.Id, DemonstrationDirectory.UnitManager.Id, StringComparison.Ordinal);
        return $"{parts[0]}.{Base64UrlEncoder.Encode(payload)}.{parts[2]}";
    }

    private static Metadata Headers(string? assignment, string? purpose)
    {
        var headers = new Metadata();
        if (assignment is not null)
        {
            headers.Add(CallerIdentity.AssignmentKey, "assignments/" + assignment);
        }

        if (purpose is not null)
        {
            headers.Add(CallerIdentity.PurposeKey, purpose);
        }

        return headers;
    }

    private static Assignment Assignment(DatePeriod? period = null) => new()
    {
        Name = "assignments/" + Cases.NewId(),
        Employee = "employees/" + CaseWorker.Id,
        Unit = Cases.UnitOf(CaseWorker),
        Role = CaseWorker.Role,
        Purposes = { CaseWorker.Purpose },
        Period = period ?? Cases.HalfAYear,
    };

    private async Task<Assignment> Put(Assignment assignment, string etag = "new") =>
        (await SystemOf(DemonstrationDirectory.Administrator).Directory.PutAssignmentAsync(
            new PutAssignmentRequest { Assignment = assignment, Etag = etag, RequestId = Cases.NewId() })).Assignment;

    private CoordinationPlanClients SystemOf(DemonstrationEmployee employee) => service.As(employee);

    private static Metadata With(string token)
    {
        var headers = Headers(CaseWorker.AssignmentId, "SOCIAL_SERVICES_CASE");
        headers.Add("authorization", "Bearer " + token);
        return headers;
    }

    private AsyncUnaryCall<ListPlansResponse> Call(string token) => Call(token, CaseWorker.AssignmentId);

    private AsyncUnaryCall<ListPlansResponse> Call(
        string token, string? assignment, string? purpose = "SOCIAL_SERVICES_CASE", string clientId = DevelopmentClients.SocialServices)
    {
        var headers = Headers(assignment, purpose);
        headers.Add("authorization", "Bearer " + token);
        return Call(headers, clientId);
    }

    private AsyncUnaryCall<ListPlansResponse> Call(Metadata headers, string clientId = DevelopmentClients.SocialServices) =>
        new V1.PlanService.PlanServiceClient(service.ConnectionOf(clientId).Anonymous)
            .ListPlansAsync(new ListPlansRequest { PageSize = 1 }, new CallOptions(headers, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20)));

    private Dictionary<string, object> Claims() => new()
    {
        ["iss"] = Infrastructure.National.Issuer.ToString(),
        ["aud"] = "coordinationplan",
        ["sub"] = CaseWorker.Id,
        ["client_id"] = DevelopmentClients.SocialServices,
        ["employeeHsaId"] = CaseWorker.Id,
        ["acr"] = Level3,
        ["iat"] = Seconds(TimeSpan.FromMinutes(-5)),
        ["cnf"] = BoundTo(DevelopmentClients.SocialServices),
    };

    private Dictionary<string, object> BoundTo(string clientId) => new()
    {
        ["x5t#S256"] = Base64UrlEncoder.Encode(Infrastructure.ClientCertificate(clientId).GetCertHash(HashAlgorithmName.SHA256)),
    };

    private string Mint(
        Action<Dictionary<string, object>>? change = null, TimeSpan? expires = null, string algorithm = SecurityAlgorithms.EcdsaSha256, string type = "at+jwt")
    {
        var claims = Claims();
        change?.Invoke(claims);
        return Infrastructure.National.MintToken(claims, TimeProvider.System.GetUtcNow() + (expires ?? TimeSpan.FromMinutes(5)), algorithm, type);
    }

    private string MintForSchool(string employeeClaim, string employee, Action<Dictionary<string, object>>? change = null)
    {
        var claims = Claims();
        claims.Remove("employeeHsaId");
        claims["iss"] = Infrastructure.Schools.Issuer.ToString();
        claims["client_id"] = DevelopmentClients.School;
        claims["cnf"] = BoundTo(DevelopmentClients.School);
        claims["sub"] = "mentor";
        claims[employeeClaim] = employee;
        change?.Invoke(claims);
        return Infrastructure.Schools.MintToken(claims, TimeProvider.System.GetUtcNow().AddMinutes(5));
    }

    /// <summary>A token that is good but for its key, which is not the provider's.</summary>
    private string SignedBy(string keyId)
    {
        var claims = Claims();
        claims["exp"] = Seconds(TimeSpan.FromMinutes(5));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = claims,
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key) { KeyId = keyId }, SecurityAlgorithms.EcdsaSha256),
            TokenType = "at+jwt",
        });
    }
}
