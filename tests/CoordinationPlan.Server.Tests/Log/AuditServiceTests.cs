using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>Proofs over the API and as files, verified by what they say and not by who says it.</summary>
public sealed class AuditServiceTests(Service service) : IClassFixture<Service>
{
    private V1.AuditService.AuditServiceClient Audit => service.As(DemonstrationDirectory.LogReviewer).Audit;

    [Fact]
    public async Task A_receipt_becomes_a_proof_that_is_verified_without_the_service()
    {
        var plan = await service.OpenPlan();
        using var call = service.CaseWorker.Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name });
        await call;
        var bytes = call.GetTrailers().Single(trailer => trailer.Key == AuditReceipts.Trailer).ValueBytes;
        var receipt = service.ReceiptIn(call.GetTrailers());
        var log = (await Audit.ListLogsAsync(new())).Logs.Single(log => log.Origin == receipt.Origin);

        var answer = await Included(bytes);

        var key = NoteVerifier.Parse(log.Key);
        var proof = TlogProof.Parse(answer.Proof);
        Assert.Equal(receipt.Origin, proof.Verify(receipt.Leaf, key, WitnessPolicy.None).Origin);
        Assert.Equal((answer.Index, answer.Checkpoint), (proof.Index, proof.Checkpoint.ToString()));
        Assert.ThrowsAny<Exception>(() => proof.Verify(TreeHash.OfLeaf([1]), key, WitnessPolicy.None));
        // The same by the entry's name and its hash.
        var byName = await Audit.GetInclusionProofAsync(new()
        {
            Origin = receipt.Origin,
            Entry = $"accessLogEntries/{receipt.Entry:D}",
            LeafHash = ByteString.CopyFrom(receipt.Leaf.ToArray()),
        });
        Assert.Equal(answer.Index, byName.Index);
    }

    [Fact]
    public async Task A_check_of_a_log_that_is_worked_with_and_published_meanwhile_finds_nothing()
    {
        var plan = await service.OpenPlan();
        await service.PublishedLeaf();
        using var enough = new CancellationTokenSource();
        var work = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await service.Read(DemonstrationDirectory.CaseWorker, plan);
            }
        });
        var auditor = new Npgsql.NpgsqlConnectionStringBuilder(service.Database.Options.ConnectionString) { Username = "coordplan_auditor" }.ConnectionString;
        for (var i = 0; i < 30; i++)
        {
            var options = LogCheckOptions.Of(service.Infrastructure.ServerOptions(service.Database.Options, 0, null).Log, [], TimeProvider.System.GetUtcNow());
            Assert.Empty((await LogCheck.Run(auditor, options, null, TestContext.Current.CancellationToken)).Findings.Select(finding => finding.ToString()));
        }

        await enough.CancelAsync();
        await work;
    }

    [Fact]
    public async Task An_entry_is_given_out_with_the_employee_hidden_and_the_rest_proved()
    {
        var bytes = await Receipt();
        await Included(bytes);
        var receipt = TransparencyLog.Receipt.Parse(bytes);
        var auditor = new Npgsql.NpgsqlConnectionStringBuilder(service.Database.Options.ConnectionString) { Username = "coordplan_auditor" }.ConnectionString;

        var extract = await LogExtract.Of(auditor, receipt.Origin.Split('/')[0], receipt.Entry, ["employee_id", "assignment_id"], TestContext.Current.CancellationToken);

        var disclosure = DisclosureFile.Parse(extract.Disclosure);
        var log = (await Audit.ListLogsAsync(new())).Logs.Single(log => log.Origin == extract.Origin);
        TlogProof.Parse(extract.Proof).Verify(disclosure.Leaf(), NoteVerifier.Parse(log.Key), WitnessPolicy.None);
        Assert.Equal(receipt.Leaf, disclosure.Leaf());
        var shown = disclosure.Fields.OfType<RevealedField>().ToDictionary(field => field.Name, field => field.Value);
        Assert.Equal(LogExtract.Fields.Except(["employee_id", "assignment_id"]), shown.Keys);
        Assert.Equal("coordinationplan.v1.PlanService/ListPlans"u8.ToArray(), shown["method"]);
        Assert.DoesNotContain(service.Names.Stored(ResourceName.Employees, DemonstrationDirectory.CaseWorker.Id), extract.Disclosure, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => LogExtract.Of(auditor, "x", Guid.CreateVersion7(), [], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_was_one_day_is_how_the_log_begins_the_next()
    {
        var bytes = await Receipt();
        await Included(bytes);
        var origin = TransparencyLog.Receipt.Parse(bytes).Origin;
        var earlier = Parsed((await Audit.GetCheckpointAsync(new() { Origin = origin })).Checkpoint);
        await Included(await Receipt());

        var proof = await Audit.GetConsistencyProofAsync(new() { Origin = origin, FromSize = earlier.Size });

        var later = Parsed(proof.Checkpoint);
        Assert.True(later.Size > earlier.Size);
        Assert.True(Consistency.Verify(earlier.Size, later.Size, earlier.Root, [.. proof.Hashes.Select(hash => new TreeHash(hash.Span))], later.Root));
        Assert.Equal(ErrorReason.InvalidFields, (await Refusal(() => Audit.GetConsistencyProofAsync(new() { Origin = origin, FromSize = later.Size + 1_000_000 }))).Reason());
        Assert.Equal(ErrorReason.InvalidFields, (await Refusal(() => Audit.GetConsistencyProofAsync(new() { Origin = origin, FromSize = 1, ToSize = later.Size + 1_000_000 }))).Reason());
    }

    [Fact]
    public async Task What_is_not_there_is_not_proved()
    {
        var bytes = await Receipt();
        await Included(bytes);
        var receipt = TransparencyLog.Receipt.Parse(bytes);
        var another = new GetInclusionProofRequest { Origin = receipt.Origin, Entry = $"accessLogEntries/{receipt.Entry:D}", LeafHash = ByteString.CopyFrom(new byte[32]) };
        Assert.False((await Audit.GetInclusionProofAsync(another)).Included);
        another.LeafHash = ByteString.CopyFrom(new byte[31]);
        Assert.Equal(ErrorReason.InvalidFields, (await Refusal(() => Audit.GetInclusionProofAsync(another))).Reason());
        Assert.Equal(ErrorReason.InvalidFields, (await Refusal(() => Audit.GetInclusionProofAsync(new() { Receipt = ByteString.CopyFrom(bytes[..^1]) }))).Reason());
        Assert.Equal(ErrorReason.UnknownReference, (await Refusal(() => Audit.GetCheckpointAsync(new() { Origin = receipt.Origin + "0" }))).Reason());
        Assert.Equal(ErrorReason.UnknownReference, (await Refusal(() => Audit.GetCheckpointAsync(new() { Origin = "other.example/a/2026" }))).Reason());
    }

    [Fact]
    public async Task A_caller_whom_the_directory_does_not_know_learns_by_the_receipt_nothing_of_whose_plan_it_is()
    {
        var plan = await service.OpenPlan();
        // A name that the issuer vouches for and the directory does not have.
        var nobody = service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker) with { AccessToken = _ => Task.FromResult(StrangersToken()) };
        foreach (var name in new[] { plan.Name, $"plans/{Ids.Opaque():D}" })
        {
            var refusal = await Refusal(() => service.As(nobody, DevelopmentClients.SocialServices).Plans.GetPlanAsync(new() { Name = name }));
            Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
            var receipt = service.ReceiptIn(refusal.Trailers);
            Assert.Contains("/" + LogNames.Unassigned + "/", receipt.Origin, StringComparison.Ordinal);
            Assert.Equal(receipt.Leaf, (await service.LeafOf(receipt.Entry)).Hash);
        }
    }

    [Fact]
    public async Task A_receipt_does_not_tell_how_long_the_decision_took()
    {
        var plan = await service.OpenPlan();
        Task<RpcException> refusal;
        DateTimeOffset released;
        await using (var held = await HeldTable.Hold(service.Administrator, "consent"))
        {
            refusal = Refusal(() => service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }));
            await held.IsReached();
            await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, TestContext.Current.CancellationToken);
            released = TimeProvider.System.GetUtcNow();
        }

        var receipt = service.ReceiptIn((await refusal).Trailers);

        // Both the receipt's time and the one in the entry's id are from before anything was looked at; the entry's own is from after.
        var inTheId = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(receipt.Entry.ToByteArray(bigEndian: true)) >> 16);
        Assert.True(released - inTheId > TimeSpan.FromSeconds(1));
        Assert.True(released - receipt.Time > TimeSpan.FromSeconds(1));
        Assert.Equal(0, receipt.Time.Ticks % TimeSpan.TicksPerSecond);
        await using var command = service.Administrator.CreateCommand("SELECT occurred_at FROM coordinationplan.access_log WHERE entry_id = $1");
        command.Parameters.Add(new() { Value = receipt.Entry });
        Assert.True((DateTime)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))! > released.UtcDateTime.AddSeconds(-0.2));
    }

    [Fact]
    public async Task The_files_have_what_the_tree_is_made_of_and_only_on_their_port()
    {
        var bytes = await Receipt();
        var answer = await Included(bytes);
        var receipt = TransparencyLog.Receipt.Parse(bytes);
        var path = "/log/" + string.Join('/', receipt.Origin.Split('/')[^2..]);
        using var http = Client(withCertificate: true);

        var checkpoint = Parsed(await http.GetStringAsync(new Uri(service.LogAddress, path + "/checkpoint")));
        Assert.True(checkpoint.Size > answer.Index);
        var tree = new TreeEdge();
        foreach (var tile in Tiles.NewEntries(0, checkpoint.Size))
        {
            foreach (var entry in EntryBundle.Parse(await http.GetByteArrayAsync(new Uri(service.LogAddress, $"{path}/{tile}")), tile.Width))
            {
                tree.Append(TreeHash.OfLeaf(entry.Span));
            }
        }

        Assert.Equal(checkpoint.Root, tree.Root);
        var hashes = new Dictionary<TilePath, byte[]>();
        foreach (var tile in Tiles.Of(checkpoint.Size))
        {
            hashes[tile] = await http.GetByteArrayAsync(new Uri(service.LogAddress, $"{path}/{tile}"));
        }

        Assert.Equal(checkpoint.Root, Subtree.Root(checkpoint.Size, new TileNodes(checkpoint.Size, tile => hashes[tile]).Node));
        foreach (var missing in new[] { path + "/tile/0/x999/999", path + "/tile/7/000", path + "/tile/0/0", "/log/none/2026/checkpoint", "/", "/coordinationplan.v1.PlanService/GetPlan" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(service.LogAddress, missing))).StatusCode);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(service.Address, path + "/checkpoint")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(request)).StatusCode);
        using var stranger = Client(withCertificate: false);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => stranger.GetAsync(new Uri(service.LogAddress, path + "/checkpoint")));
    }

    [Fact]
    public async Task Whoever_neither_reviews_nor_calls_for_a_system_is_refused()
    {
        foreach (var employee in new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.UnitManager, DemonstrationDirectory.Administrator })
        {
            await service.As(employee).Audit.ListLogsAsync(new()).IsRefused();
        }

        await service.As(DemonstrationDirectory.RegionIntegration).Audit.ListLogsAsync(new());
    }

    private static Checkpoint Parsed(string note) => Checkpoint.Parse(SignedNote.Parse(note).Text);

    private static async Task<RpcException> Refusal<T>(Func<AsyncUnaryCall<T>> call) => await Assert.ThrowsAsync<RpcException>(async () => await call());

    private async Task<byte[]> Receipt()
    {
        using var call = service.CaseWorker.Plans.ListPlansAsync(new ListPlansRequest());
        await call;
        return call.GetTrailers().Single(trailer => trailer.Key == AuditReceipts.Trailer).ValueBytes;
    }

    private async Task<GetInclusionProofResponse> Included(byte[] receipt)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System))
        {
            try
            {
                if (await Audit.GetInclusionProofAsync(new() { Receipt = ByteString.CopyFrom(receipt) }) is { Included: true } answer)
                {
                    return answer;
                }
            }
            catch (RpcException notYet) when (notYet.Reason() == ErrorReason.UnknownReference)
            {
                // Nothing of the log is published yet.
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "The entry is not published.");
        }
    }

    private string StrangersToken() => LongTokens.Of(service.Infrastructure, DemonstrationDirectory.CaseWorker with { Id = "SE0000000000-0000" }, TimeProvider.System.GetUtcNow());

    private HttpClient Client(bool withCertificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = withCertificate ? new X509Certificate2Collection(service.Infrastructure.ClientCertificate(DevelopmentClients.SocialServices)) : null,
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { service.Infrastructure.Authority.Root },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        return new HttpClient(handler);
    }
}
