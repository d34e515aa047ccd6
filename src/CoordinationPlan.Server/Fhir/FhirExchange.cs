using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Log;
using Hl7.Fhir.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Fhir;

/// <summary>One request and its answer, as HTTP and FHIR have them.</summary>
internal sealed class FhirExchange(HttpContext http)
{
    /// <summary>As much as a message of the contract may be.</summary>
    private const int MaxBodyBytes = 256 * 1024;

    private const int MaxTerms = 20;
    private const string Form = "application/x-www-form-urlencoded";
    private const string Json = "application/json";

    public HttpContext Http => http;

    /// <summary>Over every entry that the interaction left, in the order of its calls.</summary>
    public List<byte[]> Receipts { get; } = [];

    /// <summary>A system calls for itself, and no employee.</summary>
    public bool IsOfASystem => http.User.FindFirst(CallerClaims.Employee) is null;

    /// <summary>How long to wait before the same is tried again, where the service says so.</summary>
    public TimeSpan? RetryAfter { get; set; }

    /// <summary>Where the door is for this caller.</summary>
    public string Address => $"https://{http.Request.Host}{FhirDoor.Root}";

    /// <summary>Refuses what cannot be answered, before anything is asked: another format, or anything in the address but the format and the place in a list.</summary>
    public void RequireAnswerable(bool isSearch)
    {
        foreach (var (name, value) in http.Request.Query)
        {
            // A plus sign that was not escaped has become a space.
            if (name == "_format" ? value.ToString().Replace(' ', '+') is not ("json" or FhirJson.MediaType or Json) : !isSearch || name != "_page")
            {
                throw name == "_format" ? FhirFault.NotAcceptable() : FhirFault.Invalid("Nothing of a request goes into the address: it is written down on the way. Search by POST to _search.");
            }
        }

        if (http.Request.Headers.Accept is { Count: > 0 } accept
            && !(MediaTypeHeaderValue.TryParseList(accept, out var types) && types.Any(type => type.Quality is not 0 && IsAnswer(type))))
        {
            throw FhirFault.NotAcceptable();
        }
    }

    /// <summary>The terms of a search, each once.</summary>
    public async Task<FhirTerms> ReadTerms(CancellationToken stop)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals(Form, StringComparison.OrdinalIgnoreCase) || !IsUtf8(type))
        {
            throw FhirFault.MediaTypeNotSupported("Search terms are sent as " + Form + " in UTF-8.");
        }

        try
        {
            using var body = new MemoryStream(await ReadBody(stop));
            using var reader = new FormReader(body) { ValueCountLimit = MaxTerms, KeyLengthLimit = 200, ValueLengthLimit = 2000 };
            var form = await reader.ReadFormAsync(stop);
            var terms = form.ToDictionary(term => term.Key, term => term.Value, StringComparer.Ordinal);
            if (http.Request.Query.TryGetValue("_page", out var page) && !terms.TryAdd("_page", page))
            {
                throw FhirFault.Invalid("The place in a list is said once.");
            }

            return new FhirTerms(terms);
        }
        catch (InvalidDataException)
        {
            throw FhirFault.Invalid("The search terms are too many, or too long.");
        }
    }

    public async Task<T> ReadResource<T>(CancellationToken stop)
        where T : Resource
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !IsFhirJson(type) || !IsUtf8(type))
        {
            throw FhirFault.MediaTypeNotSupported("A resource is sent as application/fhir+json in UTF-8, in FHIR version 4.0.");
        }

        return FhirJson.Read<T>(await ReadBody(stop)) ?? throw FhirFault.Invalid("The body is not a well-formed resource of this type.");
    }

    public async Task Write(int status, Resource? body, string? versionId = null)
    {
        var response = http.Response;
        response.StatusCode = status;
        var headers = response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        foreach (var receipt in Receipts)
        {
            headers.Append(AuditReceipts.Trailer, Convert.ToBase64String(receipt));
        }

        if (versionId is not null)
        {
            headers.ETag = $"W/\"{versionId}\"";
        }

        if (RetryAfter is { } wait)
        {
            headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (status == StatusCodes.Status401Unauthorized)
        {
            headers.WWWAuthenticate = "Bearer";
        }

        if (body is null)
        {
            return;
        }

        var json = FhirJson.Write(body);
        response.ContentType = FhirJson.MediaType + "; fhirVersion=4.0; charset=utf-8";
        response.ContentLength = json.Length;
        await response.Body.WriteAsync(json, http.RequestAborted);
    }

    private async Task<byte[]> ReadBody(CancellationToken stop)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaxBodyBytes;
        }

        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, stop);
            return body.ToArray();
        }
        catch (BadHttpRequestException exception)
        {
            throw exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? FhirFault.TooLarge() : FhirFault.Invalid("The body could not be read.");
        }
    }

    private static bool IsAnswer(MediaTypeHeaderValue type) => type.MatchesAllTypes || (type.MatchesAllSubTypes && type.Type == "application") || IsFhirJson(type);

    private static bool IsFhirJson(MediaTypeHeaderValue type) =>
        (type.MediaType.Equals(FhirJson.MediaType, StringComparison.OrdinalIgnoreCase) || type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase))
        && type.Parameters.Where(parameter => parameter.Name.Equals("fhirVersion", StringComparison.OrdinalIgnoreCase))
            .All(parameter => HeaderUtilities.RemoveQuotes(parameter.Value).Equals("4.0", StringComparison.Ordinal));

    private static bool IsUtf8(MediaTypeHeaderValue type) => !type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase);
}
