using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>What the door lets through, how it refuses, and what it leaves behind.</summary>
public sealed class DoorTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task What_it_can_do_is_told_without_a_token_and_without_an_entry()
    {
        using var nobody = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker, choice => choice with { AccessToken = _ => Task.FromResult("") });
        var start = await service.Now();

        var statement = (await nobody.Get("metadata")).Resource<CapabilityStatement>();

        Assert.Equal(FHIRVersion.N4_0_1, statement.FhirVersion);
        Assert.Equal(["CarePlan", "CareTeam", "Consent", "Task", "AuditEvent"], statement.Rest[0].Resource.Select(resource => resource.Type));
        Assert.Empty(await service.LogSince(start));
    }

    [Theory]
    [InlineData("GET", "CarePlan/{plan}")]
    [InlineData("GET", "CarePlan/{plan}/_history")]
    [InlineData("GET", "CarePlan/{plan}/_history/1")]
    [InlineData("POST", "CarePlan/_search")]
    [InlineData("GET", "CareTeam/{plan}")]
    [InlineData("PUT", "CareTeam/{plan}")]
    [InlineData("GET", "Consent/{plan}")]
    [InlineData("POST", "Consent/_search")]
    [InlineData("GET", "CareTeam/{plan}/_history")]
    [InlineData("GET", "Task/{plan}")]
    [InlineData("POST", "Task/_search")]
    [InlineData("GET", "AuditEvent/{plan}/_history/1")]
    [InlineData("POST", "AuditEvent/_search")]
    [InlineData("GET", "Patient/1")]
    public async Task Nobody_is_let_in_without_a_token(string method, string path)
    {
        using var nobody = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker, choice => choice with { AccessToken = _ => Task.FromResult("") });
        var start = await service.Now();

        var answer = await nobody.Send(new HttpMethod(method), path.Replace("{plan}", Guid.CreateVersion7().ToString("D"), StringComparison.Ordinal), null);

        Assert.Equal("UNAUTHENTICATED", Assert.Single(answer.Outcome(HttpStatusCode.Unauthorized).Issue).Details!.Coding[0].Code);
        Assert.Equal("Bearer", Assert.Single(answer.Headers["WWW-Authenticate"]));
        Assert.Empty(await service.LogSince(start));
    }

    [Fact]
    public async Task Whoever_names_no_assignment_or_no_purpose_is_refused_as_by_the_RPC_and_leaves_one_entry()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        foreach (var (change, reason) in new (Func<Client.CallerChoice, Client.CallerChoice>, string)[]
        {
            (choice => choice with { Assignment = "assignments/of-nobody" }, "ASSIGNMENT_NOT_IN_FORCE"),
            (choice => choice with { Assignment = "nonsense" }, "NO_ASSIGNMENT"),
            (choice => choice with { Purpose = V1.Purpose.Unspecified }, "NO_PURPOSE"),
            (choice => choice with { Purpose = V1.Purpose.Statistics }, "PURPOSE_NOT_ASSIGNED"),
        })
        {
            using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker, change);
            var start = await service.Now();

            (await caller.Get(PathOf(plan))).IsRefused();

            var entry = Assert.Single(await service.LogSince(start));
            Assert.Equal((AccessOutcome.Refused, reason), (entry.Outcome, entry.Reason));
        }
    }

    [Theory]
    [InlineData("application/fhir+xml")]
    [InlineData("text/html")]
    [InlineData("application/fhir+json; fhirVersion=3.0")]
    [InlineData("application/fhir+json; q=0")]
    [InlineData("nonsense")]
    public async Task Another_format_than_JSON_in_R4_is_not_answered(string accept)
    {
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        (await caller.Get("metadata", ("Accept", accept))).Outcome(HttpStatusCode.NotAcceptable);
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("application/*")]
    [InlineData("text/html, application/fhir+json; fhirVersion=4.0")]
    public async Task JSON_in_R4_is_answered_whatever_it_is_called(string accept)
    {
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var answer = await caller.Get("metadata?_format=application/fhir+json", ("Accept", accept));

        answer.Resource<CapabilityStatement>();
        Assert.Equal(("no-store", "nosniff"), (Assert.Single(answer.Headers["Cache-Control"]), Assert.Single(answer.Headers["X-Content-Type-Options"])));
    }

    [Theory]
    [InlineData("GET", "CarePlan?patient:identifier=http://electronichealth.se/identifier/personnummer|{number}", HttpStatusCode.BadRequest)]
    [InlineData("GET", "CarePlan/{plan}?_elements=id", HttpStatusCode.BadRequest)]
    [InlineData("POST", "CarePlan/_search?patient:identifier=http://electronichealth.se/identifier/personnummer|{number}", HttpStatusCode.BadRequest)]
    [InlineData("GET", "CarePlan/{plan}?_format=xml", HttpStatusCode.NotAcceptable)]
    [InlineData("GET", "CarePlan", HttpStatusCode.NotFound)]
    [InlineData("GET", "Patient/{number}", HttpStatusCode.NotFound)]
    [InlineData("GET", "", HttpStatusCode.NotFound)]
    [InlineData("POST", "", HttpStatusCode.NotFound)]
    [InlineData("POST", "CarePlan", HttpStatusCode.NotFound)]
    [InlineData("PUT", "CarePlan/{plan}", HttpStatusCode.NotFound)]
    [InlineData("PATCH", "CareTeam/{plan}", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "CareTeam/{plan}", HttpStatusCode.NotFound)]
    [InlineData("HEAD", "CarePlan/{plan}", HttpStatusCode.NotFound)]
    [InlineData("GET", "CarePlan/{plan}/$everything", HttpStatusCode.NotFound)]
    [InlineData("GET", "CareTeam/_history", HttpStatusCode.BadRequest)]
    [InlineData("GET", "Task/1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "Task/0123456789abcdef01234567-nonsense", HttpStatusCode.BadRequest)]
    [InlineData("GET", "AuditEvent/1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "CarePlan/1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "Consent/1", HttpStatusCode.BadRequest)]
    public async Task What_is_not_offered_is_not_done_and_nothing_of_it_is_repeated(string method, string path, HttpStatusCode status)
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        var number = plan.Subject.IdentityNumber.Value;
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        using var form = method == "POST" ? new StringContent("", Encoding.UTF8, FhirCaller.Form) : null;
        var start = await service.Now();

        var answer = await caller.Send(
            new HttpMethod(method), path.Replace("{plan}", IdOf(plan), StringComparison.Ordinal).Replace("{number}", number, StringComparison.Ordinal), form);

        Assert.Equal(status, answer.Status);
        Assert.DoesNotContain(number, answer.Whole(), StringComparison.Ordinal);
        Assert.DoesNotContain(IdOf(plan), answer.Whole(), StringComparison.Ordinal);
        Assert.Empty(await service.LogSince(start));
    }

    [Fact]
    public async Task Who_calls_too_much_hears_how_long_to_wait()
    {
        await using var strict = await LaterService.Start(service, 0, options => (options.Limits.PointsPerSecond, options.Limits.Burst) = (10, 100));
        using var caller = new FhirCaller(
            strict.Address, service.Infrastructure, service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker), DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.CaseWorker));
        FhirAnswer answer;
        do
        {
            answer = await caller.Search("Task");
        }
        while (answer.Status == HttpStatusCode.OK);

        Assert.Equal("TOO_MANY_CALLS", Assert.Single(answer.Outcome(HttpStatusCode.TooManyRequests).Issue).Details!.Coding[0].Code);
        Assert.InRange(int.Parse(Assert.Single(answer.Headers["Retry-After"]), System.Globalization.CultureInfo.InvariantCulture), 1, 3);
    }

    [Fact]
    public async Task What_is_refused_before_any_call_is_paid_for_too()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        foreach (var path in new[] { "CareTeam/" + IdOf(plan), "metadata" })
        {
            await using var strict = await LaterService.Start(service, 0, options => (options.Limits.PointsPerSecond, options.Limits.Burst) = (1, 100));
            using var caller = new FhirCaller(
                strict.Address, service.Infrastructure, service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker), DevelopmentInfrastructure.ClientOf(DemonstrationDirectory.CaseWorker));
            var start = await service.Now();
            FhirAnswer answer;
            var asked = 0;
            do
            {
                answer = await Ask();
            }
            while (answer.Status == (path == "metadata" ? HttpStatusCode.OK : HttpStatusCode.BadRequest) && ++asked < 1000);

            Assert.InRange(asked, 100, 200);
            Assert.Equal("TOO_MANY_CALLS", Assert.Single(answer.Outcome(HttpStatusCode.TooManyRequests).Issue).Details!.Coding[0].Code);
            Assert.Empty(await service.LogSince(start));

            async Task<FhirAnswer> Ask()
            {
                if (path == "metadata")
                {
                    return await caller.Get(path);
                }

                using var body = new StringContent("{}", System.Text.Encoding.UTF8, "application/fhir+json");
                return await caller.Send(HttpMethod.Put, path, body, ("If-Match", "W/\"1\""), ("X-Request-Id", Cases.NewId()));
            }
        }
    }

    [Fact]
    public async Task Only_forms_and_resources_of_a_size_are_read()
    {
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);
        var start = await service.Now();
        async Task Fails(HttpStatusCode status, HttpMethod method, string path, HttpContent content, params (string, string)[] headers)
        {
            using (content)
            {
                var answer = await caller.Send(method, path, content, headers);
                answer.Outcome(status);
                Assert.DoesNotContain("hemlig", answer.Text, StringComparison.Ordinal);
            }
        }

        await Fails(HttpStatusCode.UnsupportedMediaType, HttpMethod.Post, "Task/_search", new StringContent("{}", Encoding.UTF8, "application/json"));
        await Fails(HttpStatusCode.UnsupportedMediaType, HttpMethod.Post, "Task/_search", new StringContent("", Encoding.Latin1, FhirCaller.Form));
        await Fails(HttpStatusCode.BadRequest, HttpMethod.Post, "Task/_search", new StringContent("a=" + new string('x', 5000), Encoding.UTF8, FhirCaller.Form));
        await Fails(HttpStatusCode.BadRequest, HttpMethod.Post, "Task/_search", new StringContent(string.Join('&', Enumerable.Range(0, 50).Select(i => $"a{i}=1")), Encoding.UTF8, FhirCaller.Form));
        await Fails(HttpStatusCode.RequestEntityTooLarge, HttpMethod.Post, "Task/_search", new StringContent("a=" + new string('x', 300_000), Encoding.UTF8, FhirCaller.Form));

        (string, string)[] change = [("If-Match", "W/\"a\""), (FhirDoor.RequestIdHeader, Cases.NewId())];
        var path = "CareTeam/" + Guid.CreateVersion7();
        await Fails(HttpStatusCode.UnsupportedMediaType, HttpMethod.Put, path, new StringContent("{}", Encoding.UTF8, "text/plain"), change);
        foreach (var body in new[]
        {
            "", "null", "[]", "{", "{}", """{"resourceType":"Hemlig","id":"hemlig"}""", """{"resourceType":"CarePlan"}""", """{"resourceType":"CareTeam","hemlig":1}""",
            """{"resourceType":"CareTeam","status":"hemlig"}""", """{"resourceType":"CareTeam","participant":"hemlig"}""", new string('[', 2000),
        })
        {
            await Fails(HttpStatusCode.BadRequest, HttpMethod.Put, path, new StringContent(body, Encoding.UTF8, FhirJson.MediaType), change);
        }

        Assert.Empty(await service.LogSince(start));
    }

    [Fact]
    public async Task The_contracts_errors_are_told_with_their_reason_and_both_texts()
    {
        using var caller = FhirCaller.Of(service, DemonstrationDirectory.CaseWorker);

        var outcome = (await caller.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|195001012381"))).Outcome(HttpStatusCode.BadRequest);

        Assert.Equal("INVALID_FIELDS", outcome.Issue[0].Details!.Coding[0].Code);
        Assert.Equal("Ett eller flera fält saknas eller är felaktigt ifyllda.", outcome.Issue[0].Details!.Text);
        Assert.Contains("identity_number.value", outcome.Issue[1].Diagnostics, StringComparison.Ordinal);
        Assert.DoesNotContain("195001012381", outcome.Issue[1].Diagnostics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_the_log_lines_of_a_service_in_use_nor_its_spans_tell_whom_it_was_about()
    {
        var lines = new Lines();
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System, builder => builder.Logging.ClearProviders().Services.AddSingleton<ILoggerProvider>(lines));
        await app.StartAsync();
        var plan = await service.OpenPlan(Cases.NewPerson());
        var employee = DemonstrationDirectory.CaseWorker;
        using var caller = new FhirCaller(app.ApiAddress(), service.Infrastructure, service.Infrastructure.Choice(employee), Development.DevelopmentInfrastructure.ClientOf(employee));
        (await caller.Get(PathOf(plan))).Resource<CarePlan>();
        Assert.Single((await caller.Search("CarePlan", ("patient:identifier", FhirSystems.PersonalNumber + "|" + plan.Subject.IdentityNumber.Value))).Found<CarePlan>());
        (await caller.Get(PathOf(plan) + "?patient=" + plan.Subject.IdentityNumber.Value)).Outcome(HttpStatusCode.BadRequest);
        (await caller.Get("Patient/" + plan.Subject.IdentityNumber.Value)).Outcome(HttpStatusCode.NotFound);
        await app.StopAsync();

        Assert.Contains(service.Telemetry, tag => tag.Contains("fhir", StringComparison.OrdinalIgnoreCase));
        foreach (var secret in new[] { IdOf(plan), plan.Subject.IdentityNumber.Value, plan.Subject.GivenName })
        {
            Assert.DoesNotContain(service.Telemetry, tag => tag.Contains(secret, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(lines.Written, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static string IdOf(Plan plan) => plan.Name["plans/".Length..];

    private static string PathOf(Plan plan) => "CarePlan/" + IdOf(plan);

    /// <summary>What is logged at the levels that the service itself sets.</summary>
    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
