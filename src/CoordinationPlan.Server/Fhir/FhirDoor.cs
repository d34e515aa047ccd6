using System.Diagnostics;
using System.Globalization;
using CoordinationPlan.Server.Oversight;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using Hl7.Fhir.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using R4Consent = Hl7.Fhir.Model.Consent;
using R4Task = Hl7.Fhir.Model.Task;
using Task = System.Threading.Tasks.Task;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// FHIR R4 over the contract (docs/adr/0025, docs/fhir.md): each interaction is a call of an RPC, and what it answers is mapped. The door decides nothing, reads nothing
/// and writes nothing by itself, so that nothing can be told here that the RPC would not tell.
/// </summary>
internal sealed class FhirDoor(FhirCalls calls, FailureInterceptor failures, ILogger<FhirDoor> log)
{
    public const string Root = "/fhir/R4";

    /// <summary>A client's own id of a change: a UUID, as `request_id` in the contract.</summary>
    public const string RequestIdHeader = "X-Request-Id";

    public static bool IsFor(HttpContext context) => context.Request.Path.StartsWithSegments(Root);

    /// <summary>What an unauthenticated caller gets here.</summary>
    public static Task AnswerUnauthenticated(HttpContext context)
    {
        var (status, outcome) = FhirErrors.Of(Errors.Unauthenticated());
        return new FhirExchange(context).Write(status, outcome);
    }

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var door = endpoints.MapGroup(Root);
        // Anybody with a client certificate: it holds what documentation holds.
        door.MapGet("/metadata", Interaction((exchange, _, _) => exchange.Write(StatusCodes.Status200OK, CapabilityStatementResource.Of(exchange.Address)))).AllowAnonymous();
        door.MapGet("/CarePlan/{id}", Interaction(ReadCarePlan));
        door.MapGet("/CarePlan/{id}/_history", Interaction(CarePlanHistory));
        door.MapGet("/CarePlan/{id}/_history/{version}", Interaction(ReadCarePlanVersion));
        door.MapPost("/CarePlan/_search", Search(SearchCarePlans));
        MapVersions(door, "CareTeam", CareTeamOf);
        door.MapPut("/CareTeam/{id}", Interaction(UpdateCareTeam));
        MapVersions(door, "Consent", ConsentOf);
        door.MapPost("/Consent/_search", Search(SearchConsents));
        MapVersions(door, "Task", TaskOf);
        door.MapPost("/Task/_search", Search(SearchTasks));
        MapVersions(door, "AuditEvent", AuditEventOf);
        door.MapPost("/AuditEvent/_search", Search(SearchAuditEvents));
        door.Map("/{**other}", Interaction((_, _, _) => throw FhirFault.NotSupported()));
    }

    /// <summary>
    /// Reads of one resource, its present version and its history. Of all but CarePlan the present version is the only one that is kept: what was before stands in the access log.
    /// </summary>
    private void MapVersions<T>(IEndpointRouteBuilder door, string type, Func<FhirExchange, string, Task<T>> present)
        where T : Resource
    {
        door.MapGet($"/{type}/{{id}}", Interaction(async (exchange, id, _) => await WriteVersioned(exchange, await present(exchange, id))));
        door.MapGet($"/{type}/{{id}}/_history", Interaction(async (exchange, id, _) => await WriteHistory(exchange, await present(exchange, id))));
        door.MapGet($"/{type}/{{id}}/_history/{{version}}", Interaction(async (exchange, id, _) => await WriteVersion(exchange, await present(exchange, id))));
    }

    private async Task ReadCarePlan(FhirExchange exchange, string id, CancellationToken stop)
    {
        var resource = CarePlanResource.Of(await Plan(exchange, PlanOf(id)));
        await WriteVersioned(exchange, resource);
    }

    /// <summary>The established revisions. What a plan was between them is kept nowhere.</summary>
    private async Task CarePlanHistory(FhirExchange exchange, string id, CancellationToken stop)
    {
        var plan = PlanOf(id);
        var revisions = (await calls.ListPlanRevisions(exchange, new ListPlanRevisionsRequest { Name = plan })).Revisions;
        await exchange.Write(StatusCodes.Status200OK, new Bundle
        {
            Type = Bundle.BundleType.History,
            Entry =
            [
                .. revisions.Select(revision => new Bundle.EntryComponent
                {
                    FullUrl = $"{exchange.Address}/CarePlan/{FhirElements.CarePlanId(plan)}",
                    Request = new Bundle.RequestComponent { Method = Bundle.HTTPVerb.PUT, Url = $"CarePlan/{FhirElements.CarePlanId(plan)}" },
                    Response = new Bundle.ResponseComponent
                    {
                        Status = "200",
                        Etag = string.Create(CultureInfo.InvariantCulture, $"W/\"{revision.Revision}\""),
                        LastModified = revision.EstablishTime.ToDateTimeOffset(),
                        Location = string.Create(CultureInfo.InvariantCulture, $"CarePlan/{FhirElements.CarePlanId(plan)}/_history/{revision.Revision}"),
                    },
                }),
            ],
        });
    }

    private async Task ReadCarePlanVersion(FhirExchange exchange, string id, CancellationToken stop)
    {
        var plan = PlanOf(id);
        var version = (string)exchange.Http.GetRouteValue("version")!;
        if (int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) && revision > 0 && revision.ToString(CultureInfo.InvariantCulture) == version)
        {
            try
            {
                var compared = await calls.ComparePlanRevisions(exchange, new ComparePlanRevisionsRequest { Name = plan, Revision = revision });
                await exchange.Write(StatusCodes.Status200OK, CarePlanResource.Revision(compared.After, version), version);
                return;
            }
            catch (RpcException error) when (Errors.ReasonOf(error) == ErrorReason.UnknownReference)
            {
                // Only to who may read the plan, and with it which revisions there are.
                throw NoSuchVersion();
            }
        }

        await WriteVersion(exchange, CarePlanResource.Of(await Plan(exchange, plan)));
    }

    private async Task SearchCarePlans(FhirExchange exchange, FhirTerms terms)
    {
        var (id, number, caseNumber) = (terms.Take("_id"), terms.TakeNumber("patient:identifier"), terms.TakeIdentifier("identifier"));
        var (count, page) = (terms.TakeCount(), terms.TakePage());
        terms.RequireNoOther();
        if (new object?[] { id, number, caseNumber }.Count(term => term is not null) > 1 || (page.Length > 0 && (id is not null || number is not null || caseNumber is not null)))
        {
            throw FhirFault.Invalid("One of _id, patient:identifier and identifier, or none of them for the plans of the caller's own unit.");
        }

        if (id is not null)
        {
            await WriteBundle(exchange, "CarePlan", [CarePlanResource.Of(await Plan(exchange, PlanOf(id)))]);
        }
        else if (number is not null || caseNumber is not null)
        {
            if (caseNumber is { System: not FhirSystems.CaseNumber })
            {
                throw FhirFault.Invalid("identifier is a case number, by its system.");
            }

            var found = await calls.FindPlans(exchange, new FindPlansRequest { IdentityNumber = number, CaseNumber = caseNumber?.Value ?? "" });
            await WriteBundle(exchange, "CarePlan", found.Plans.Select(CarePlanResource.Listed));
        }
        else
        {
            var listed = await calls.ListPlans(exchange, new ListPlansRequest { PageSize = count, PageToken = page });
            await WriteBundle(exchange, "CarePlan", listed.Plans.Select(CarePlanResource.Listed), listed.NextPageToken);
        }
    }

    private async Task<CareTeam> CareTeamOf(FhirExchange exchange, string id) => exchange.IsOfASystem
        ? ReportedTeamResource.Of(PlanOf(id), await Reported(exchange, PlanOf(id)))
        : CareTeamResource.Of(RequireTeam(await Plan(exchange, PlanOf(id))));

    /// <summary>
    /// Brings one unit in, or ends one unit's part; of a system, reports one unit's part. The version that the caller has read is compared first, and the change is then made with the etags of that version,
    /// so that what comes in between is seen. Where the team is as the body says already, as when the same PUT is sent again, nothing is changed.
    /// </summary>
    private async Task UpdateCareTeam(FhirExchange exchange, string id, CancellationToken stop)
    {
        var name = PlanOf(id);
        var headers = exchange.Http.Request.Headers;
        if (headers.IfMatch.Count == 0)
        {
            throw FhirFault.VersionRequired();
        }

        var version = VersionIds.In(headers.IfMatch) ?? throw FhirFault.Invalid("If-Match is the one version that was read.");
        if (headers[RequestIdHeader] is not [{ } requestId] || !Guid.TryParseExact(requestId, "D", out _))
        {
            throw FhirFault.Invalid(RequestIdHeader + " is needed: a UUID, made anew for each change.");
        }

        var body = await exchange.ReadResource<CareTeam>(stop);
        if (body.Id != FhirElements.CarePlanId(name))
        {
            throw FhirFault.Invalid("The id in the body is the one in the address.");
        }

        if (exchange.IsOfASystem)
        {
            await Report(exchange, name, version, body, requestId);
            return;
        }

        var plan = RequireTeam(await Plan(exchange, name));
        if (CareTeamResource.VersionOf(plan) == version)
        {
            await Apply(exchange, plan, CareTeamResource.Change(plan, body), requestId);
        }
        else if (!IsSaidAlready(() => CareTeamResource.Change(plan, body) is null))
        {
            throw Errors.StaleEtag();
        }

        await WriteVersioned(exchange, CareTeamResource.Of(plan), isRead: false);
    }

    /// <summary>
    /// What the owning unit changes: by its participations, which the policy refuses to everybody else. What comes back is put into the plan
    /// as it was read, so that the answer needs no other read.
    /// </summary>
    private async Task Apply(FhirExchange exchange, Plan plan, TeamChange? change, string requestId)
    {
        if (change is { Added: { } added })
        {
            var answer = await calls.AddParticipation(exchange, new AddParticipationRequest { Parent = plan.Name, Participation = added, Etag = plan.Etag, RequestId = requestId });
            if (answer.Participation is { } part)
            {
                plan.Participations.Add(part);
            }
        }
        else if (change is { Ended: { } ended })
        {
            var answer = await calls.EndParticipation(exchange, new EndParticipationRequest { Name = ended.Name, Etag = ended.Etag, RequestId = requestId });
            var at = plan.Participations.IndexOf(ended);
            if (answer.Participation is { } part)
            {
                plan.Participations[at] = part;
            }
            else
            {
                plan.Participations.RemoveAt(at);
            }
        }
    }

    /// <summary>What a system reports of its own units goes the way of all its reports, and waits for the owning unit like them.</summary>
    private async Task Report(FhirExchange exchange, string plan, string version, CareTeam body, string requestId)
    {
        var reported = await Reported(exchange, plan);
        if (ReportedTeamResource.Of(plan, reported).Meta!.VersionId == version)
        {
            if (ReportedTeamResource.Change(plan, reported, body) is { } item)
            {
                var answer = await calls.BatchSyncParticipations(exchange, new BatchSyncParticipationsRequest { Items = { item }, RequestId = requestId });
                if (ReportedTeamResource.Fault(answer.Results[0]) is { } fault)
                {
                    throw fault;
                }

                // Something newer that came in between is not overwritten, and is not passed off as what was said.
                reported = await Reported(exchange, plan);
                if (!IsSaidAlready(() => ReportedTeamResource.Change(plan, reported, body) is null))
                {
                    throw Errors.StaleEtag();
                }
            }
        }
        else if (!IsSaidAlready(() => ReportedTeamResource.Change(plan, reported, body) is null))
        {
            throw Errors.StaleEtag();
        }

        await WriteVersioned(exchange, ReportedTeamResource.Of(plan, reported), isRead: false);
    }

    private async Task<R4Consent> ConsentOf(FhirExchange exchange, string id)
    {
        var (planName, name) = FhirElements.ConsentOf(id) ?? throw NoSuchId();
        var plan = await Plan(exchange, planName);
        // One that is not there, and one that is not told: to the caller they are the same.
        var consent = plan.Consents.FirstOrDefault(consent => consent.Name == name) ?? throw Errors.AccessDenied();
        return ConsentResource.Of(plan, consent);
    }

    private async Task SearchConsents(FhirExchange exchange, FhirTerms terms)
    {
        var name = terms.TakePlan("data") ?? throw FhirFault.Invalid("data is needed: CarePlan/ and the plan's id.");
        terms.RequireNoOther();
        var plan = await Plan(exchange, name);
        await WriteBundle(exchange, "Consent", plan.Consents.Select(consent => ConsentResource.Of(plan, consent)));
    }

    private async Task<R4Task> TaskOf(FhirExchange exchange, string id) =>
        TaskResource.Of((await calls.GetTask(exchange, new GetTaskRequest { Name = $"{TaskName.Collection}/{id}" })).Task);

    private async Task SearchTasks(FhirExchange exchange, FhirTerms terms)
    {
        var request = new ListTasksRequest
        {
            Employee = terms.TakeEntry("owner:identifier", Rpc.ResourceName.Employees),
            PageSize = terms.TakeCount(),
            PageToken = terms.TakePage(),
        };
        request.States.AddRange(terms.Take("status") switch
        {
            null or "requested" => [],
            "completed" => [TaskState.Done],
            _ => throw FhirFault.Invalid("status is requested or completed."),
        });
        if (terms.Take("modified") is { } modified)
        {
            request.DoneSince = modified.StartsWith("ge", StringComparison.Ordinal) && DateOnly.TryParseExact(modified[2..], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
                ? day.ToDate()
                : throw FhirFault.Invalid("modified is ge and a day: from when on what was done is asked for.");
        }

        terms.RequireNoOther();
        var listed = await calls.ListTasks(exchange, request);
        await WriteBundle(exchange, "Task", listed.Tasks.Select(TaskResource.Of), listed.NextPageToken);
    }

    private async Task<AuditEvent> AuditEventOf(FhirExchange exchange, string id) => Guid.TryParseExact(id, "D", out var entry)
        ? AuditEventResource.Of((await calls.GetAccessLogEntry(exchange, new GetAccessLogEntryRequest { Name = Rpc.ResourceName.AccessLogEntry(entry) })).Entry)
        : throw NoSuchId();

    private async Task SearchAuditEvents(FhirExchange exchange, FhirTerms terms)
    {
        var (from, to) = terms.TakePeriod("date");
        var request = new SearchAccessLogRequest
        {
            StartTime = from,
            EndTime = to,
            Person = terms.TakeNumber("patient:identifier"),
            Plan = terms.TakePlan("entity") ?? "",
            Employee = terms.TakeEntry("agent:identifier", Rpc.ResourceName.Employees),
            PageSize = terms.TakeCount(),
            PageToken = terms.TakePage(),
        };
        terms.RequireNoOther();
        var found = await calls.SearchAccessLog(exchange, request);
        await WriteBundle(exchange, "AuditEvent", found.Entries.Select(AuditEventResource.Of), found.NextPageToken);
    }

    private async Task<Plan> Plan(FhirExchange exchange, string name) => (await calls.GetPlan(exchange, new GetPlanRequest { Name = name })).Plan;

    private async Task<IReadOnlyList<SyncedParticipation>> Reported(FhirExchange exchange, string plan) =>
        (await calls.ListSyncedParticipations(exchange, new ListSyncedParticipationsRequest { Parent = plan })).SyncedParticipations;

    /// <summary>Who is not told whose plan it is, is not told who takes part: for them there is no team.</summary>
    private static Plan RequireTeam(Plan plan) => plan.OwningUnit.Length > 0 ? plan : throw Errors.AccessDenied();

    private static bool IsSaidAlready(Func<bool> changesNothing)
    {
        try
        {
            return changesNothing();
        }
        catch (FhirFault)
        {
            return false;
        }
    }

    private static string PlanOf(string id) => FhirElements.PlanOf(id) ?? throw NoSuchId();

    private static FhirFault NoSuchId() => FhirFault.Invalid("The id is not of the form that this service gives.");

    private static FhirFault NoSuchVersion() => FhirFault.NotThere("There is no such version, or it is not kept.");

    /// <summary>Answers with a resource, or that the caller has it already. Either way it was read, and is in the log.</summary>
    private static Task WriteVersioned(FhirExchange exchange, Resource resource, bool isRead = true)
    {
        var version = resource.Meta?.VersionId;
        return isRead && exchange.Http.Request.Headers.IfNoneMatch.ToString() is { Length: > 0 } known && VersionIds.In(known) == version
            ? exchange.Write(StatusCodes.Status304NotModified, null, version)
            : exchange.Write(StatusCodes.Status200OK, resource, version);
    }

    /// <summary>The version that the address names, where it is the present one. Only who may read the resource hears that it is another.</summary>
    private static Task WriteVersion(FhirExchange exchange, Resource present) =>
        exchange.Http.GetRouteValue("version") is string version && version == present.Meta?.VersionId
            ? exchange.Write(StatusCodes.Status200OK, present, version)
            : throw NoSuchVersion();

    /// <summary>The history of what keeps its present version only.</summary>
    private static Task WriteHistory(FhirExchange exchange, Resource present)
    {
        var path = $"{present.TypeName}/{present.Id}";
        return exchange.Write(StatusCodes.Status200OK, new Bundle
        {
            Type = Bundle.BundleType.History,
            Entry =
            [
                new Bundle.EntryComponent
                {
                    FullUrl = $"{exchange.Address}/{path}",
                    Resource = present,
                    Request = new Bundle.RequestComponent { Method = Bundle.HTTPVerb.PUT, Url = path },
                    Response = new Bundle.ResponseComponent { Status = "200", Etag = $"W/\"{present.Meta?.VersionId}\"", Location = $"{path}/_history/{present.Meta?.VersionId}" },
                },
            ],
        });
    }

    /// <summary>
    /// What was found. Without a total: it would count what is not shown. The next page is the same POST to the address that the link names; no term is repeated there.
    /// </summary>
    private static Task WriteBundle(FhirExchange exchange, string type, IEnumerable<Resource> found, string nextPage = "")
    {
        var bundle = new Bundle
        {
            Type = Bundle.BundleType.Searchset,
            Entry =
            [
                .. found.Select(resource => new Bundle.EntryComponent
                {
                    FullUrl = $"{exchange.Address}/{type}/{resource.Id}",
                    Resource = resource,
                    Search = new Bundle.SearchComponent { Mode = Bundle.SearchEntryMode.Match },
                }),
            ],
        };
        bundle.Link.Add(new Bundle.LinkComponent { Relation = "self", Url = $"{exchange.Address}/{type}/_search" });
        if (nextPage.Length > 0)
        {
            bundle.Link.Add(new Bundle.LinkComponent { Relation = "next", Url = $"{exchange.Address}/{type}/_search?_page={nextPage}" });
        }

        return exchange.Write(StatusCodes.Status200OK, bundle);
    }

    private RequestDelegate Search(Func<FhirExchange, FhirTerms, Task> work) =>
        Interaction(async (exchange, _, stop) => await work(exchange, await exchange.ReadTerms(stop)), isSearch: true);

    private RequestDelegate Interaction(Func<FhirExchange, string, CancellationToken, Task> work, bool isSearch = false) => async context =>
    {
        // Spans name the route; which plan it was stays in the access log.
        Activity.Current?.SetTag("url.path", Root);
        Activity.Current?.SetTag("url.query", null);
        var exchange = new FhirExchange(context);
        try
        {
            failures.AdmitInteraction(context.User);
            exchange.RequireAnswerable(isSearch);
            await work(exchange, context.GetRouteValue("id") as string ?? "", context.RequestAborted);
        }
        catch (FhirFault fault)
        {
            await exchange.Write(fault.Status, fault.Outcome);
        }
        catch (RpcException error)
        {
            exchange.RetryAfter = FhirErrors.RetryAfter(error);
            var (status, outcome) = FhirErrors.Of(error);
            await exchange.Write(status, outcome);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there any more; what was done is in the log.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            // Only the kind and the place: exception texts can repeat what a caller sent.
            log.LogError("Unforeseen {Kind} behind a FHIR interaction, trace {Trace}, at {Place}", exception.GetType().FullName, Errors.TraceId, exception.StackTrace);
            var (status, outcome) = FhirErrors.Of(Errors.Internal());
            await exchange.Write(status, outcome);
        }
    };
}
