using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Log;
using Hl7.Fhir.Model;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>A FHIR client of some employee's, as a region's system is one: HTTP/2, a client certificate, a token, and the two headers.</summary>
internal sealed class FhirCaller(Uri address, DevelopmentInfrastructure infrastructure, CallerChoice choice, string clientId) : IDisposable
{
    public const string Form = "application/x-www-form-urlencoded";

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = new X509Certificate2Collection(infrastructure.ClientCertificate(clientId)),
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { infrastructure.Authority.Root },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    });

    public static FhirCaller Of(Service service, DemonstrationEmployee employee) =>
        new(service.Address, service.Infrastructure, service.Infrastructure.Choice(employee), DevelopmentInfrastructure.ClientOf(employee));

    public static FhirCaller Of(Service service, DemonstrationEmployee employee, Func<CallerChoice, CallerChoice> change) =>
        new(service.Address, service.Infrastructure, change(service.Infrastructure.Choice(employee)), DevelopmentInfrastructure.ClientOf(employee));

    public Task<FhirAnswer> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, null, headers);

    public Task<FhirAnswer> Search(string type, params (string Name, string Value)[] terms) =>
        Send(HttpMethod.Post, type + "/_search", new FormUrlEncodedContent(terms.Select(term => KeyValuePair.Create(term.Name, term.Value))), []);

    /// <summary>Puts a resource back, against the version that it says to be.</summary>
    public Task<FhirAnswer> Put(Resource resource, string? requestId = null, string? version = null) => Put(
        $"{resource.TypeName}/{resource.Id}", FhirJson.Write(resource), ("If-Match", $"W/\"{version ?? resource.Meta!.VersionId}\""), (FhirDoor.RequestIdHeader, requestId ?? Cases.NewId()));

    public Task<FhirAnswer> Put(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(FhirJson.MediaType);
        return Send(HttpMethod.Put, path, content, headers);
    }

    public async Task<FhirAnswer> Send(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, "/fhir/R4/" + path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (await choice.AccessToken(default) is { Length: > 0 } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        request.Headers.Add("coordinationplan-assignment", choice.Assignment);
        if (choice.Purpose != V1.Purpose.Unspecified)
        {
            request.Headers.Add("coordinationplan-purpose", PurposeNames.Of(choice.Purpose));
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request);
        return new FhirAnswer(
            response.StatusCode,
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => header.Value.ToArray(), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsByteArrayAsync());
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>What came back.</summary>
internal sealed record FhirAnswer(HttpStatusCode Status, IReadOnlyDictionary<string, string[]> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public string? Version => Headers.TryGetValue("ETag", out var tags) ? tags.Single()[3..^1] : null;

    public T Resource<T>()
        where T : Resource
    {
        Assert.True(Status == HttpStatusCode.OK, $"{Status} {Text}");
        Assert.Equal("application/fhir+json; fhirVersion=4.0; charset=utf-8", Assert.Single(Headers["Content-Type"]));
        return Assert.IsType<T>(JsonSerializer.Deserialize<Resource>(Body, FhirJson.Options));
    }

    public List<T> Found<T>()
        where T : Resource
    {
        var bundle = Resource<Bundle>();
        Assert.Null(bundle.Total);
        return [.. bundle.Entry.Select(entry => Assert.IsType<T>(entry.Resource))];
    }

    public OperationOutcome Outcome(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{Status} {Text}");
        return Assert.IsType<OperationOutcome>(JsonSerializer.Deserialize<Resource>(Body, FhirJson.Options));
    }

    /// <summary>Refused, with the one neutral text and nothing else.</summary>
    public void IsRefused()
    {
        var issue = Assert.Single(Outcome(HttpStatusCode.Forbidden).Issue);
        Assert.Equal("ACCESS_DENIED", Assert.Single(issue.Details!.Coding).Code);
    }

    /// <summary>All that comes but the time of the answer, and of a receipt what is not random: how long it is, and of which log.</summary>
    public string Whole() => $"{(int)Status} {Text}\n" + string.Join("\n", Headers.Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal)
        .Select(header => $"{header.Key}: " + string.Join(" | ", header.Value.Select(value => header.Key == AuditReceipts.Trailer ? Receipt(value) : value))));

    private static string Receipt(string value) => $"{value.Length} digits, {TransparencyLog.Receipt.Parse(Convert.FromBase64String(value)).Origin}";
}
