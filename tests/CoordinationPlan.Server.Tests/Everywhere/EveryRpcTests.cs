using System.Buffers;
using System.Runtime.CompilerServices;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Everywhere;

/// <summary>What must be true of every RPC. A new one is covered on the day it is written.</summary>
public sealed class EveryRpcTests(Service service) : IClassFixture<Service>
{
    private static readonly ConditionalWeakTable<Service, Task<World>> OthersWorlds = [];

    public static IEnumerable<TheoryDataRow<string>> All => World.Methods.Select(method => new TheoryDataRow<string>(method.FullName));

    public static IEnumerable<TheoryDataRow<string>> Changing => World.ChangingMethods.Select(method => new TheoryDataRow<string>(method.FullName));

    public static IEnumerable<TheoryDataRow<string>> AboutAPlan => World.PlanMethods.Select(method => new TheoryDataRow<string>(method.FullName));

    [Fact]
    public void The_contract_has_the_RPCs_that_these_tests_go_over()
    {
        Assert.Equal(116, World.Methods.Count());
        Assert.Equal(77, World.PlanMethods.Count());
        Assert.Equal(73, World.ChangingMethods.Count());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Declares_an_act_and_a_category_for_every_field_of_its_answer(string name)
    {
        var method = Method(name);
        Assert.NotEqual(Policy.Act.Unspecified, Contract.MethodOf($"/{method.Service.FullName}/{method.Name}").Act);
        AssertCategories(method.OutputType, []);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Is_implemented_and_leaves_exactly_one_entry_with_a_receipt_for_its_rightful_caller(string name)
    {
        var method = Method(name);
        var world = await World.For(service, method);
        var caller = World.RightfulCaller(method);
        var start = await service.Now();

        var answered = await World.Answer(service.As(caller), method, world.Request(method));

        Assert.Equal(StatusCode.OK, answered.Status);
        service.ReceiptIn(answered.Metadata);
        // A stream has come to its end when a message tells nothing, and that one's entry names nobody.
        var entries = (await service.LogSince(start)).Where(entry => method.Name != "WatchChanges" || entry.PlanId is not null).ToList();
        // A list leaves one entry for each plan shown.
        Assert.True(method.Name is "ListPlans" or "FindPlans" or "ReadEmergencyPlans" or "ListSuggestions" or "PullChanges" or "WatchChanges" ? entries.Count > 0 : entries.Count == 1);
        Assert.All(entries, entry =>
        {
            Assert.Equal(AccessOutcome.Permitted, entry.Outcome);
            Assert.Equal($"{method.Service.FullName}/{method.Name}", entry.Method);
            Assert.Equal(caller.IsSystem ? null : caller.Id, entry.EmployeeId);
            Assert.Equal(DemonstrationDirectory.AssignmentOf(caller), entry.AssignmentId);
            Assert.Equal(caller.UnitId, entry.UnitId);
            Assert.Equal(caller.Purpose, entry.Purpose);
            Assert.Equal(DevelopmentInfrastructure.ClientOf(caller), entry.ClientSystem);
            Assert.Equal(Policy.AccessPolicy.Version, entry.PolicyVersion);
            Assert.Equal(16, entry.TraceId?.Length);
            Assert.NotEqual(Policy.Categories.None, entry.Categories);
        });
        if (World.PlanMethods.Contains(method) || method.Name is "CreatePlan" or "OpenEmergencyAccess" or "ReadEmergencyPlans" or "SyncParticipations" or "BatchSyncParticipations")
        {
            Assert.NotNull(entries[0].PlanId);
            Assert.NotNull(entries[0].SubjectId);
        }
    }

    [Theory]
    [MemberData(nameof(AboutAPlan))]
    public async Task Answers_a_stranger_with_the_same_bytes_for_a_plan_that_is_there_and_one_that_never_was(string name)
    {
        var method = Method(name);
        var world = await World.Shared(service);
        foreach (var stranger in new[] { DemonstrationDirectory.Jonas, DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.LogReviewer, DemonstrationDirectory.Administrator })
        {
            var start = await service.Now();
            var existing = await Refusal(stranger, method, world.Request(method));
            var missing = await Refusal(stranger, method, world.RequestAbout(method, Ids.Opaque()));

            Assert.Equal(StatusCode.PermissionDenied, existing.StatusCode);
            Assert.Equal(existing.Status.Detail, missing.Status.Detail);
            Assert.Equal(World.Trailers(existing), World.Trailers(missing));
            var entries = await service.LogSince(start);
            Assert.Equal(2, entries.Count);
            Assert.All(entries, entry => Assert.Equal((AccessOutcome.Refused, Policy.Categories.None), (entry.Outcome, entry.Categories)));
            Assert.True(entries[1].Reason is "NO_SUCH_PLAN" or "ROLE_MAY_NOT" or "UNIT_MAY_NOT", entries[1].Reason);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Refuses_whoever_has_no_right_to_it_and_leaves_exactly_one_entry_with_a_receipt(string name)
    {
        var method = Method(name);
        var world = await World.Shared(service);
        var caller = World.RightfulCaller(method);
        var choice = service.Infrastructure.Choice(caller);
        var clientId = DevelopmentInfrastructure.ClientOf(caller);
        foreach (var (wrong, reason) in new[]
        {
            (choice with { Assignment = "" }, "NO_ASSIGNMENT"),
            (choice with { Assignment = "assignments/of-nobody" }, "ASSIGNMENT_NOT_IN_FORCE"),
            (choice with { Assignment = "assignments/" + DemonstrationDirectory.Jonas.AssignmentId }, "ASSIGNMENT_NOT_IN_FORCE"),
            (choice with { Purpose = Purpose.Unspecified }, "NO_PURPOSE"),
            (choice with { Purpose = caller.Purpose == Purpose.Statistics ? Purpose.Support : Purpose.Statistics }, "PURPOSE_NOT_ASSIGNED"),
        })
        {
            var start = await service.Now();
            var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(wrong, clientId), method, world.Request(method)));

            Assert.Equal((StatusCode.PermissionDenied, ErrorReason.AccessDenied), (error.StatusCode, error.Reason()));
            var entry = Assert.Single(await service.LogSince(start));
            Assert.Equal((AccessOutcome.Refused, reason), (entry.Outcome, entry.Reason));
            service.ReceiptIn(error.Trailers);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Refuses_a_call_without_a_token(string name)
    {
        var method = Method(name);
        var world = await World.Shared(service);
        var start = await service.Now();
        var nobody = new CallerChoice("assignments/" + DemonstrationDirectory.CaseWorker.AssignmentId, Purpose.SocialServicesCase, _ => Task.FromResult(""));

        var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(nobody, DevelopmentClients.SocialServices), method, world.Request(method)));

        Assert.Equal((StatusCode.Unauthenticated, ErrorReason.Unauthenticated), (error.StatusCode, error.Reason()));
        Assert.Empty(await service.LogSince(start));
    }

    [Theory]
    [MemberData(nameof(Changing))]
    public async Task Demands_a_request_id_and_an_etag(string name)
    {
        var method = Method(name);
        var world = await World.Shared(service);
        var request = world.Request(method);
        Assert.IsAssignableFrom<IChangeRequest>(request);
        Clear(request, "request_id");
        // What a new plan could collide with does not exist yet; everything else is changed from a version that the caller has seen.
        var demanded = World.IsWithoutEtag(method) ? new[] { "request_id" } : ["etag", "request_id"];
        Clear(request, "etag");

        var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(World.RightfulCaller(method)), method, request));

        Assert.Equal((StatusCode.InvalidArgument, ErrorReason.InvalidFields), (error.StatusCode, error.Reason()));
        Assert.Equal(demanded, error.FieldFaults().Select(fault => fault.Field).Order());
    }

    [Theory]
    [MemberData(nameof(Changing))]
    public async Task A_stale_etag_changes_nothing_and_leaves_one_failed_entry(string name)
    {
        var method = Method(name);
        var request = (await World.Shared(service)).Request(method);
        if (request.Descriptor.FindFieldByName("etag") is not { } etag)
        {
            Assert.True(World.IsWithoutEtag(method));
            return;
        }

        etag.Accessor.SetValue(request, "AAAAAAAAAAAAAAAA");
        var (start, before) = (await service.Now(), await Rows());

        var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(World.RightfulCaller(method)), method, request));

        Assert.Equal((StatusCode.Aborted, ErrorReason.StaleEtag), (error.StatusCode, error.Reason()));
        Assert.Equal(before, await Rows());
        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((AccessOutcome.Failed, "STALE_ETAG"), (entry.Outcome, entry.Reason));
    }

    [Theory]
    [MemberData(nameof(Changing))]
    public async Task Validate_only_checks_and_logs_and_changes_nothing(string name)
    {
        var method = Method(name);
        var request = (await World.For(service, method)).Request(method);
        request.Descriptor.FindFieldByName("validate_only").Accessor.SetValue(request, true);
        var (start, before) = (await service.Now(), await Rows());

        await World.Call(service.As(World.RightfulCaller(method)), method, request);

        Assert.Equal(before, await Rows());
        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal(AccessOutcome.Validated, entry.Outcome);
        // What it answers is disclosed. What concerns nobody before it is done discloses nothing.
        Assert.Equal(method.Name is "CreatePlan" or "OpenEmergencyAccess" or "SuggestPlan", entry.Categories == Policy.Categories.None);
        request.Descriptor.FindFieldByName("validate_only").Accessor.SetValue(request, false);
        await World.Call(service.As(World.RightfulCaller(method)), method, request);
        Assert.NotEqual(before, await Rows());
    }

    [Theory]
    [MemberData(nameof(Changing))]
    public async Task A_retry_gets_the_first_answer_and_has_no_second_effect_and_its_id_is_used_for_nothing_else(string name)
    {
        var method = Method(name);
        var (request, other) = ((await World.For(service, method)).Request(method), (await World.Shared(service)).Request(method));
        var clients = service.As(World.RightfulCaller(method));

        var first = await World.Call(clients, method, request);
        var between = await Rows();
        if (method.Name == "DisposeSubject")
        {
            // What has been disposed of is not there, for its own unit either.
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal(World.RightfulCaller(method), method, request)).StatusCode);
        }
        else
        {
            Assert.Equal(first, await World.Call(clients, method, request));
        }

        var requestId = request.Descriptor.FindFieldByName("request_id").Accessor;
        requestId.SetValue(other, requestId.GetValue(request));
        if (method.Name == "CreatePlan")
        {
            ((CreatePlanRequest)other).Plan.SocialSituation = "Något annat";
        }

        var error = await Assert.ThrowsAsync<RpcException>(() => World.Call(clients, method, other));

        Assert.Equal((StatusCode.InvalidArgument, ErrorReason.RequestIdReused), (error.StatusCode, error.Reason()));
        Assert.Equal(between, await Rows());
    }

    [Theory]
    [MemberData(nameof(AboutAPlan))]
    public async Task Another_plans_child_is_not_there(string name)
    {
        var method = Method(name);
        var (world, other) = (await World.Shared(service), await OthersWorlds.GetValue(service, static service => World.Make(service, Cases.NewPerson())));
        var request = world.Request(method);
        var child = ChildNameIn(request, world.Plan.Name);
        if (child is null)
        {
            return;
        }

        var foreign = request.Descriptor.Parser.ParseJson(JsonFormatter.Default.Format(request).Replace(child, child.Replace(world.Plan.Name, other.Plan.Name, StringComparison.Ordinal), StringComparison.Ordinal));

        var error = await Refusal(World.RightfulCaller(method), method, foreign);

        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        Assert.Equal(World.Trailers(await Refusal(World.RightfulCaller(method), method, world.RequestAbout(method, Ids.Opaque()))), World.Trailers(error));
    }

    [Fact]
    public async Task What_is_permitted_and_what_is_refused_comes_into_the_tree_and_leaves_no_personal_data_in_logs_and_telemetry()
    {
        var secrets = new HashSet<string>
        {
            DemonstrationPersons.Sara.IdentityNumber.Value, DemonstrationPersons.Elias.IdentityNumber.Value, DemonstrationPersons.Sara.FamilyName,
            "Våld i en nära relation", "Sömnbesvär", DemonstrationDirectory.Jonas.Id,
        };
        var receipts = new List<TransparencyLog.Receipt>();
        foreach (var method in World.Methods)
        {
            var world = await World.For(service, method);
            var caller = World.RightfulCaller(method);
            var permitted = await World.Answer(service.As(caller), method, world.Request(method));
            var refused = await World.Answer(service.As(DemonstrationDirectory.Jonas with { Purpose = Purpose.Unspecified }), method, world.Request(method));
            Assert.Equal((StatusCode.OK, StatusCode.PermissionDenied), (permitted.Status, refused.Status));
            receipts.AddRange([service.ReceiptIn(permitted.Metadata), service.ReceiptIn(refused.Metadata)]);
            secrets.UnionWith([world.Plan.Name["plans/".Length..], world.Plan.Subject.IdentityNumber.Value, .. caller.IsSystem ? Array.Empty<string>() : [caller.Id]]);
        }

        foreach (var receipt in receipts)
        {
            Assert.Equal(receipt.Leaf, (await service.LeafOf(receipt.Entry)).Hash);
        }

        // All that has been logged and traced until now, by the other tests too.
        Assert.NotEmpty(service.LogLines);
        Assert.NotEmpty(service.Telemetry);
        var any = SearchValues.Create([.. secrets], StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(service.LogLines.Concat(service.Telemetry), line => line.AsSpan().ContainsAny(any));
    }

    private static MethodDescriptor Method(string name) => World.Methods.Single(method => method.FullName == name);

    private static void AssertCategories(MessageDescriptor message, HashSet<MessageDescriptor> seen)
    {
        if (!message.File.Package.StartsWith("coordinationplan.", StringComparison.Ordinal) || !seen.Add(message))
        {
            return;
        }

        foreach (var field in message.Fields.InDeclarationOrder())
        {
            Assert.True(Redaction.CategoryOf(field) != Policy.Categories.None, $"{field.FullName} has no category");
            if (field.FieldType == FieldType.Message)
            {
                AssertCategories(field.MessageType, seen);
            }
        }
    }

    private async Task<RpcException> Refusal(DemonstrationEmployee caller, MethodDescriptor method, IMessage request) =>
        await Assert.ThrowsAsync<RpcException>(() => World.Call(service.As(caller), method, request));

    private static void Clear(IMessage request, string field) => request.Descriptor.FindFieldByName(field)?.Accessor.Clear(request);

    private static string? ChildNameIn(IMessage request, string plan) =>
        System.Text.RegularExpressions.Regex.Match(JsonFormatter.Default.Format(request), $"{plan}/[a-zA-Z]+/[0-9a-f-]+") is { Success: true } match ? match.Value : null;

    /// <summary>How many rows there are in every table but the log, and the newest change: a change shows in one or the other.</summary>
    private async Task<string> Rows()
    {
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT string_agg(t.name || '=' || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM coordinationplan.' || t.name, false, true, '')))[1]::text, ', ' ORDER BY t.name)
            FROM (SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'coordinationplan'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'access_log%' AND relname NOT LIKE 'log\_%'
                AND relname NOT IN ('change_pending', 'change_item', 'change_standing', 'change_recall')) t
            """);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
