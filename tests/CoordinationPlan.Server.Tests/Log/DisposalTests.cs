using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>What a log says is disposed of by two persons, a year at a time, and nothing of the tree with it.</summary>
public sealed class DisposalTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee First = DemonstrationDirectory.LogReviewer;
    private static readonly DemonstrationEmployee Second = DemonstrationDirectory.SecondLogReviewer;

    [Fact]
    public async Task Two_reviewers_dispose_of_a_year_and_every_proof_still_holds()
    {
        var held = Ids.Opaque();
        var log = await service.OldLog(entries: 5, plan: held);
        var entry = await Leaf(log, position: 3);

        var proposed = await service.ProposeDisposal(First, log, ResourceName.Plan(held));
        Assert.Equal(
            (LogDisposalState.Proposed, 5L, 1L, "employees/" + First.Id, ""), (proposed.State, proposed.Size, proposed.KeptCount, proposed.Proposer, proposed.Approver));
        Assert.Equal(5, await Rows(log));
        var approved = await service.ApproveDisposal(Second, proposed);
        Assert.Equal((LogDisposalState.Approved, "employees/" + Second.Id), (approved.State, approved.Approver));

        await UntilDone(proposed);
        Assert.Equal(1, await Rows(log));
        var result = await Check();
        Assert.Empty(result.Findings.Select(finding => finding.ToString()));
        Assert.True(result.Disposed >= 4);
        // The tree is what it was, and so is what can be proved of it.
        var proof = await service.As(First).Audit.GetInclusionProofAsync(new() { Origin = log.Origin, Entry = $"accessLogEntries/{entry.EntryId:D}", LeafHash = ByteString.CopyFrom(entry.Hash.ToArray()) });
        Assert.True(proof.Included);
        TlogProof.Parse(proof.Proof).Verify(entry.Hash, NoteVerifier.Parse(log.Key), WitnessPolicy.None);
        // Both who decided it are in the log, with what they decided.
        var entries = (await service.As(First).AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
            PageSize = 500,
        })).Entries
            .Where(one => one.Act == Act.WriteLogDisposal && one.Resource.StartsWith(proposed.Name + " ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["employees/" + First.Id, "employees/" + Second.Id], entries.Select(one => one.Employee).Order(StringComparer.Ordinal));
        Assert.All(entries, one => Assert.EndsWith($"decision GALL-2026/3 proposed {TimeProvider.System.Today():O}", one.Resource, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_kept_for_a_time_goes_with_a_later_disposal()
    {
        var held = Ids.Opaque();
        var log = await service.OldLog(plan: held);
        await UntilDone(await service.ApproveDisposal(Second, await service.ProposeDisposal(First, log, ResourceName.Plan(held))));
        Assert.Equal(1, await Rows(log));

        var now = (await service.As(First).Audit.ListLogsAsync(new())).Logs.Single(one => one.Origin == log.Origin);
        Assert.NotEqual(log.Etag, now.Etag);
        await UntilDone(await service.ApproveDisposal(First, await service.ProposeDisposal(Second, now)));

        Assert.Equal(0, await Rows(log));
        Assert.Empty((await Check()).Findings.Select(finding => finding.ToString()));
    }

    [Fact]
    public async Task One_person_alone_disposes_of_nothing_by_whatever_employment()
    {
        var proposed = await service.ProposeDisposal(First, await service.OldLog());

        await Refused(() => service.ApproveDisposal(First, proposed), ErrorReason.WrongState);
        await using var same = service.Administrator.CreateCommand("UPDATE coordinationplan.employee SET person_key = '\\x77' WHERE employee_id = ANY ($1)");
        same.Parameters.Add(new() { Value = new[] { First, Second }.Select(one => service.Names.Stored(ResourceName.Employees, one.Id)).ToArray() });
        await same.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Refused(() => service.ApproveDisposal(Second, proposed), ErrorReason.WrongState);

        await using var apart = service.Administrator.CreateCommand("UPDATE coordinationplan.employee SET person_key = NULL WHERE person_key = '\\x77'");
        await apart.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await service.ApproveDisposal(Second, proposed);
        await Refused(() => service.ApproveDisposal(Second, proposed), ErrorReason.StaleEtag);
    }

    [Fact]
    public async Task A_log_is_disposed_of_when_its_time_has_passed_and_not_before()
    {
        AuditLog? current = null;
        for (var begin = TimeProvider.System.GetTimestamp(); current is null; await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System))
        {
            current = (await service.As(First).Audit.ListLogsAsync(new())).Logs.FirstOrDefault(log => log.Year == TimeProvider.System.GetUtcNow().Year);
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "This year has no log.");
        }

        await Refused(() => service.ProposeDisposal(First, current), ErrorReason.WrongState);

        var old = await service.OldLog();
        var keeps = new LawParameters { AccessLogYears = TimeProvider.System.Today().Year - old.Year };
        await using var longer = await LaterService.Start(service, 0, options => options.Law.Default = keeps);
        await Refused(() => Propose(longer.As(First).Audit, old), ErrorReason.WrongState);
        await using var later = await LaterService.Start(service, 366, options => options.Law.Default = keeps);
        await Propose(later.As(First).Audit, old);
    }

    [Fact]
    public async Task Anothers_log_is_not_there_and_what_is_asked_wrongly_changes_nothing()
    {
        var log = await service.OldLog();
        var proposed = await service.ProposeDisposal(First, log);
        var others = service.As(DemonstrationDirectory.RegionLogReviewer).Audit;

        var existing = await Refused(() => Propose(others, log), ErrorReason.UnknownReference);
        var missing = await Refused(() => Propose(others, new() { Origin = log.Origin[..^1] + "x", Etag = log.Etag }), ErrorReason.UnknownReference);
        Assert.Equal(World(existing), World(missing));
        existing = await Refused(() => service.ApproveDisposal(DemonstrationDirectory.RegionLogReviewer, proposed), ErrorReason.UnknownReference);
        missing = await Refused(() => service.ApproveDisposal(DemonstrationDirectory.RegionLogReviewer, new() { Name = $"logDisposals/{Ids.Opaque():D}", Etag = proposed.Etag }), ErrorReason.UnknownReference);
        Assert.Equal(World(existing), World(missing));
        Assert.DoesNotContain((await others.ListLogDisposalsAsync(new())).LogDisposals, disposal => disposal.Name == proposed.Name);

        var now = (await service.As(First).Audit.ListLogsAsync(new())).Logs.Single(one => one.Origin == log.Origin);
        await Refused(() => service.ProposeDisposal(Second, log), ErrorReason.StaleEtag);
        await Refused(() => service.ProposeDisposal(Second, now), ErrorReason.WrongState);
        await Refused(() => Propose(service.As(First).Audit, now, decision: "<b>"), ErrorReason.InvalidFields);
        await Refused(() => service.ProposeDisposal(First, now, "plans/x"), ErrorReason.InvalidFields);
        await Refused(() => service.ProposeDisposal(First, now, Enumerable.Range(0, 101).Select(_ => ResourceName.Plan(Ids.Opaque()))), ErrorReason.InvalidFields);
        await Refused(() => service.ProposeDisposal(DemonstrationDirectory.DataProtectionOfficer, log), ErrorReason.AccessDenied);
        Assert.Equal(3, await Rows(log));
    }

    [Fact]
    public async Task A_proposal_that_nobody_approves_lapses()
    {
        var log = await service.OldLog();
        var proposed = await service.ProposeDisposal(First, log);

        await using var later = await LaterService.Start(service, 31);
        var lapsed = (await later.As(First).Audit.ListLogDisposalsAsync(new())).LogDisposals.Single(disposal => disposal.Name == proposed.Name);
        Assert.Equal(LogDisposalState.Lapsed, lapsed.State);
        await Refused(async () => (await later.As(Second).Audit.ApproveLogDisposalAsync(new() { Name = lapsed.Name, Etag = lapsed.Etag, RequestId = Cases.NewId() })).LogDisposal, ErrorReason.WrongState);
        Assert.Equal(LogDisposalState.Proposed, (await Propose(later.As(First).Audit, (await later.As(First).Audit.ListLogsAsync(new())).Logs.Single(one => one.Origin == log.Origin))).State);
    }

    [Fact]
    public async Task Without_an_approved_disposal_nobody_removes_an_entry()
    {
        var log = await service.OldLog();
        await service.ProposeDisposal(First, log);
        await using var disposer = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(service.Database.Options.ConnectionString) { Username = "coordplan_disposer" }.ConnectionString);
        foreach (var source in new[] { disposer, service.Administrator })
        {
            await using var remove = source.CreateCommand($"DELETE FROM coordinationplan.access_log WHERE date_part('year', occurred_at) = {log.Year}");
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => remove.ExecuteNonQueryAsync(TestContext.Current.CancellationToken))).SqlState);
        }

        await using var approve = disposer.CreateCommand("UPDATE coordinationplan.log_disposal SET approved_by = 'somebody'");
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => approve.ExecuteNonQueryAsync(TestContext.Current.CancellationToken))).SqlState);
        Assert.Equal(3, await Rows(log));
    }

    private static async Task<LogDisposal> Propose(V1.AuditService.AuditServiceClient audit, AuditLog log, string decision = "GALL-2026/4") =>
        (await audit.ProposeLogDisposalAsync(new() { LogDisposal = new() { Origin = log.Origin, Decision = decision }, Etag = log.Etag, RequestId = Cases.NewId() })).LogDisposal;

    private static async Task<RpcException> Refused(Func<Task<LogDisposal>> call, ErrorReason reason)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(reason, Errors.ReasonOf(error));
        return error;
    }

    private static string World(RpcException error) => Everywhere.World.Trailers(error);

    private async Task<LogLeaf> Leaf(AuditLog log, long position)
    {
        await using var command = service.Administrator.CreateCommand("SELECT f.entry_id, f.commitment FROM coordinationplan.log_leaf f JOIN coordinationplan.log_state USING (log) WHERE year = $1 AND position = $2");
        command.Parameters.Add(new() { Value = log.Year });
        command.Parameters.Add(new() { Value = position });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new LogLeaf(position, reader.GetGuid(0), reader.GetFieldValue<byte[]>(1));
    }

    private async Task<long> Rows(AuditLog log)
    {
        await using var command = service.Administrator.CreateCommand("SELECT count(*) FROM coordinationplan.access_log WHERE date_part('year', occurred_at AT TIME ZONE 'UTC') = $1");
        command.Parameters.Add(new() { Value = log.Year });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task UntilDone(LogDisposal disposal)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System))
        {
            var now = (await service.As(First).Audit.ListLogDisposalsAsync(new())).LogDisposals.Single(one => one.Name == disposal.Name);
            if (now.State == LogDisposalState.Done)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), $"The disposal is {now.State}.");
        }
    }

    private async Task<LogCheckResult> Check() => await LogCheck.Run(
        new NpgsqlConnectionStringBuilder(service.Database.Options.ConnectionString) { Username = "coordplan_auditor" }.ConnectionString,
        LogCheckOptions.Of(service.Infrastructure.ServerOptions(service.Database.Options, 0, null).Log, [], TimeProvider.System.GetUtcNow()),
        null,
        TestContext.Current.CancellationToken);
}
