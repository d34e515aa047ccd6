using CoordinationPlan.Cli.Verify;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>What is taken away before any tree has seen it is proved by those who called.</summary>
public sealed class RemovalTests(Machine machine)
{
    [Fact]
    public async Task A_receipt_proves_that_its_entry_was_removed_before_it_was_sequenced()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.SequenceAndPublish();
        var options = machine.Infrastructure.ServerOptions(database.Database.Options, 0, null);
        // The sequencer looks when the service starts and not again while this goes on.
        options.Log.SequenceEvery = TimeSpan.FromSeconds(10);
        Receipt receipt;
        await using (var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            using var connection = machine.Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
            using var call = connection.For(machine.Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans.ListPlansAsync(new ListPlansRequest());
            await call;
            receipt = Receipt.Parse(call.GetTrailers().Single(trailer => trailer.Key == AuditReceipts.Trailer).ValueBytes);
            await app.StopAsync(TestContext.Current.CancellationToken);
        }

        var held = database.CheckOptions() with { Receipts = [receipt] };
        await database.AssertClean(held);
        await database.Execute($"SET session_replication_role = replica; DELETE FROM coordinationplan.access_log WHERE entry_id = '{receipt.Entry}'; DELETE FROM coordinationplan.log_pending WHERE entry_id = '{receipt.Entry}'");
        await database.SequenceAndPublish();

        // Without the receipt there is nothing to see.
        await database.AssertClean();
        Assert.Equal($"entry {receipt.Entry}: it was removed: a receipt for it was given, and it is neither in a tree nor pending", Assert.Single((await database.Check(held)).Findings).What);
        await VerifyFinds(database, receipt);
    }

    /// <summary>The same by the program that those have who check from outside.</summary>
    private static async Task VerifyFinds(LogDatabase database, Receipt receipt)
    {
        var keys = await Publishing.Keys(database.Options, database.AuditorConnectionString, null, default);
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, receipt.ToBytes());
        var output = new StringWriter();
        using var http = new HttpClient();

        async Task<int> Verify(string[] receipts) => await new Verification(
            new VerificationOptions
            {
                Log = NoteVerifier.Parse(keys[1]),
                ReceiptKeys = [NoteVerifier.Parse(keys[0])],
                Receipts = receipts,
                Database = database.AuditorConnectionString,
            },
            output, TextWriter.Null, http, TimeProvider.System).Run(default);

        Assert.Equal(VerificationReport.AllGood, await Verify([]));
        Assert.Equal(VerificationReport.FoundWrong, await Verify([file]));
        Assert.Contains("it was removed", output.ToString(), StringComparison.Ordinal);
        File.Delete(file);
    }
}
