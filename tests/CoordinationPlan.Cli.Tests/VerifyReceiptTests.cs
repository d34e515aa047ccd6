using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Tests;

/// <summary>What callers hold in their hands: receipts for entries that must be in the log, and proofs of entries that are.</summary>
public sealed class VerifyReceiptTests
{
    private static readonly DateTimeOffset Written = FolderLog.Start.AddMinutes(-70);

    [Fact]
    public async Task A_receipt_has_its_leaf()
    {
        using var log = new FolderLog().Grow(300);
        var folder = Receipts(log, log.Receipt(0, Written), log.Receipt(299, Written), log.Receipt(7, Written));

        var run = await Run.Of(log, options => options with { Receipts = [folder] });

        run.IsGood();
        Assert.Contains("3 receipts have their leaf", run.Output, StringComparison.Ordinal);
        // Also where all was checked before but the receipts.
        var last = log.Beside("last", log.Note().ToString());
        (await Run.Of(log, options => options with { Receipts = [folder], Last = last })).IsGood();
    }

    [Fact]
    public async Task A_receipt_without_a_leaf_after_the_longest_time_is_proof_of_removal()
    {
        using var log = new FolderLog().Grow(300);
        var folder = Receipts(log, log.Receipt(4, Written), log.Receipt(400, Written));
        var last = log.Beside("last", log.Note().ToString());

        (await Run.Of(log, options => options with { Receipts = [folder] })).IsWrong("proof of removal");
        (await Run.Of(log, options => options with { Receipts = [folder], Last = last })).IsWrong("00000190-0000-0000-0000-000000000000 of 2026-09-21 13:03:20Z has no leaf");
    }

    [Fact]
    public async Task Before_that_time_nobody_can_say()
    {
        using var log = new FolderLog().Grow(300);
        var folder = Receipts(log, log.Receipt(400, FolderLog.Start.AddMinutes(-60)));

        (await Run.Of(log, options => options with { Receipts = [folder] })).IsNotChecked("has no leaf yet");
        // A copy of the log says nothing of when it was made, but for the witness.
        var old = Receipts(log, log.Receipt(400, Written));
        log.Grow(300, witnessed: false);
        (await Run.Of(log, options => options with { Receipts = [old], Witnesses = new WitnessPolicy(0, [log.WitnessKey]) })).IsNotChecked("no witness has signed it");
    }

    [Fact]
    public async Task A_log_that_is_served_says_what_it_is_now()
    {
        using var log = new FolderLog().Grow(300);
        await using var served = await Served.Start(log);
        var folder = Receipts(log, log.Receipt(400, FolderLog.Start.AddMinutes(-1)));

        // The witness has signed nothing since, which hides nothing.
        (await Run.Of(log, options => options with { Source = served.Address, Receipts = [folder] }, now: FolderLog.Start.AddMinutes(59))).IsNotChecked("has no leaf yet");
        (await Run.Of(log, options => options with { Source = served.Address, Receipts = [folder] }, now: FolderLog.Start.AddMinutes(60))).IsWrong("proof of removal");
    }

    [Fact]
    public async Task A_receipt_that_anybody_could_have_written_proves_nothing()
    {
        using var log = new FolderLog().Grow(300);
        using var somebody = new NoteSigner("server.example/receipts", new byte[32]);

        (await Run.Of(log, options => options with { Receipts = [Receipts(log, log.Receipt(400, Written, somebody))] })).IsNotChecked("not signed by a key that was given");
        (await Run.Of(log, options => options with { Receipts = [Receipts(log, log.Receipt(4, Written, origin: "other.example"))] })).IsNotChecked("of another log");
        (await Run.Of(log, options => options with { Receipts = [log.Beside("one", [1, 2, 3])] })).IsNotChecked("Not a receipt");
        (await Run.Of(log, options => options with { Receipts = [log.Beside("one", "AAAA\n!!!!\n")] })).IsNotChecked("one, line 2");
        (await Run.Of(log, options => options with { Source = null, Proofs = [log.Beside("p.tlog-proof", log.Proof(1).ToString())], Receipts = ["one"] })).IsNotChecked("no log was given");
    }

    [Fact]
    public async Task Receipts_stand_in_files_of_their_own_or_on_lines()
    {
        using var log = new FolderLog().Grow(300);
        var lines = log.Beside("lines", string.Concat(Enumerable.Range(0, 50).Select(i => Convert.ToBase64String(log.Receipt(i, Written).ToBytes()) + "\n")));
        var one = log.Beside("one", log.Receipt(60, Written).ToBytes());

        var run = await Run.Of(log, options => options with { Receipts = [lines, one] });

        run.IsGood();
        Assert.Contains("51 receipts have their leaf", run.Output, StringComparison.Ordinal);
        // The same one twice, and without a leaf.
        var missing = Convert.ToBase64String(log.Receipt(999, Written).ToBytes());
        var twice = await Run.Of(log, options => options with { Receipts = [log.Beside("twice", $"{missing}\n{missing}\n")] });
        Assert.Equal(2, twice.Output.Split("proof of removal").Length - 1);
    }

    [Fact]
    public async Task A_proof_shows_what_it_shows()
    {
        using var log = new FolderLog().Grow(300);
        log.Beside("extract/a.tlog-proof", log.Proof(17).ToString());
        log.Beside("extract/a.json", DisclosureFile.Format(log.Disclosure(17, "act", "reason")));
        log.Beside("extract/b.tlog-proof", log.Proof(299).ToString());
        var folder = Path.Combine(log.Parent.FullName, "extract");

        var run = await Run.Of(log, options => options with { Proofs = [folder] });

        run.IsGood();
        Assert.Contains("a.tlog-proof: entry 17 of 300; shown: act, reason; hidden: 1 fields", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("somebody", run.Output, StringComparison.Ordinal);
        // Without the log, too, which is what it is for.
        (await Run.Of(log, options => options with { Proofs = [folder], Source = null })).IsGood();
        // And still after the log has grown.
        log.Grow(400);
        (await Run.Of(log, options => options with { Proofs = [folder] })).IsGood();
    }

    [Fact]
    public async Task A_proof_of_something_else_is_found()
    {
        using var log = new FolderLog().Grow(300);
        using var other = new FolderLog(fork: 100).Grow(300);
        var proof = log.Beside("a.tlog-proof", log.Proof(17).ToString());
        var disclosure = log.Disclosure(17, "act");

        log.Beside("a.json", DisclosureFile.Format(log.Disclosure(18, "act")));
        (await Run.Of(log, options => options with { Proofs = [proof], Source = null })).IsWrong("not in the log at this place");
        log.Beside("a.json", DisclosureFile.Format(disclosure).Replace("\"act\"", "\"acts\"", StringComparison.Ordinal));
        (await Run.Of(log, options => options with { Proofs = [proof], Source = null })).IsWrong("not in the log at this place");
        log.Beside("a.json", DisclosureFile.Format(disclosure).Replace("\"hidden\"", "\"secret\"", StringComparison.Ordinal));
        (await Run.Of(log, options => options with { Proofs = [proof], Source = null })).IsWrong("A field is hidden, or");
        log.Beside("a.json", DisclosureFile.Format(disclosure));
        (await Run.Of(log, options => options with { Proofs = [proof], Source = null })).IsGood();

        // The proof of an entry of a history that the log shows to nobody else.
        var alien = log.Beside("b.tlog-proof", other.Proof(200).ToString());
        (await Run.Of(log, options => options with { Proofs = [alien], Source = null })).IsGood();
        (await Run.Of(log, options => options with { Proofs = [alien] })).IsWrong("two histories");
        // Without the witness's signature.
        var unwitnessed = log.Beside("c.tlog-proof", (log.Proof(17) with { Checkpoint = log.Note(witnessed: false) }).ToString());
        (await Run.Of(log, options => options with { Proofs = [unwitnessed], Source = null })).IsWrong("fewer than 1");
        var empty = log.Beside("d.tlog-proof", (log.Proof(17) with { Extra = null }).ToString());
        (await Run.Of(log, options => options with { Proofs = [empty], Source = null })).IsNotChecked("neither");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"version":2,"fields":[]}""")]
    [InlineData("""{"version":1,"fields":[],"more":1}""")]
    [InlineData("""{"version":1,"version":1,"fields":[]}""")]
    [InlineData("""{"version":1,"fields":{}}""")]
    [InlineData("""{"version":1,"fields":[1]}""")]
    [InlineData("""{"version":1,"fields":[{"hidden":"AAAA"}]}""")]
    [InlineData("""{"version":1,"fields":[{"hidden":null}]}""")]
    [InlineData("""{"version":1,"fields":[{"name":"a","value":"AA","salt":"AAAA"}]}""")]
    [InlineData("""{"version":1,"fields":[{"name":"a","value":1,"salt":"AAAA"}]}""")]
    [InlineData("""{"version":1,"fields":[{"name":"a","salt":"AAAA"}]}""")]
    [InlineData("""{"version":1.5,"fields":[]}""")]
    public void What_is_no_disclosure(string json) => Assert.Throws<FormatException>(() => DisclosureFile.Parse(json));

    [Fact]
    public void A_disclosure_is_read_as_it_was_written()
    {
        using var log = new FolderLog();
        foreach (var shown in new string[][] { [], ["act"], ["act", "employee", "reason"] })
        {
            var disclosure = log.Disclosure(5, shown);
            var text = DisclosureFile.Format(disclosure);

            Assert.Equal(text, DisclosureFile.Format(DisclosureFile.Parse(text)));
            Assert.Equal(log.Entry(5), DisclosureFile.Parse(text).Entry());
        }
    }

    private static string Receipts(FolderLog log, params Receipt[] receipts)
    {
        var folder = Path.Combine(log.Parent.FullName, Guid.CreateVersion7().ToString());
        for (var i = 0; i < receipts.Length; i++)
        {
            log.Beside(Path.Combine(folder, $"{i}.receipt"), receipts[i].ToBytes());
        }

        return folder;
    }
}
