using CoordinationPlan.Server.Access;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// A FHIR interaction as the services of the contract see it: a call of one of their methods, by the same caller, under the assignment, for the purpose and (a system) for the unit that
/// its headers name. What the gate adds to the trailers is for the answer's headers.
/// </summary>
internal sealed class FhirCallContext(HttpContext http, string method, DateTime deadline, CancellationToken stop) : ServerCallContext
{
    /// <summary>Where Grpc.AspNetCore's <c>GetHttpContext()</c> looks in a context that is not its own.</summary>
    private const string HttpContextKey = "__HttpContext";

    protected override string MethodCore => method;

    protected override string HostCore => http.Request.Host.Value ?? "";

    // Not who calls, which is in the token: and an address is nothing that the services are to see.
    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => deadline;

    protected override Metadata RequestHeadersCore { get; } = HeadersOf(http.Request);

    protected override CancellationToken CancellationTokenCore => stop;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override IDictionary<object, object> UserStateCore { get; } = new Dictionary<object, object> { [HttpContextKey] = http };

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("A FHIR interaction is not handed on.");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) =>
        throw new NotSupportedException("The headers of a FHIR answer are written by the door.");

    private static Metadata HeadersOf(HttpRequest request)
    {
        var headers = new Metadata();
        foreach (var name in new[] { CallerIdentity.AssignmentKey, CallerIdentity.PurposeKey, CallerIdentity.UnitKey })
        {
            foreach (var value in request.Headers[name])
            {
                headers.Add(name, value ?? "");
            }
        }

        return headers;
    }
}
