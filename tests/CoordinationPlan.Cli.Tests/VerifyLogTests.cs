using System.Net;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli.Tests;

/// <summary>Logs as they should be, and as whoever runs one could make them.</summary>
public sealed class VerifyLogTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(700)]
    public async Task A_log_that_is_right_is_found_so(int size)
    {
        using var log = new FolderLog().Grow(size);

        (await Run.Of(log)).IsGood();
    }

    [Fact]
    public async Task Without_a_witness_nobody_says_that_all_are_shown_the_same()
    {
        using var log = new FolderLog().Grow(3, witnessed: false);

        (await Run.Of(log)).IsWrong("0 of 1 witnesses have signed, 1 needed");
        (await Run.Of(log, options => options with { Witnesses = new WitnessPolicy(0, [log.WitnessKey]) })).IsGood();
        (await Run.Of(log, options => options with { Witnesses = WitnessPolicy.None })).IsNotChecked("witnesses: none was given");
    }

    [Fact]
    public async Task What_was_checked_is_not_read_again()
    {
        using var log = new FolderLog();
        var last = Path.Combine(log.Parent.FullName, "last");
        await using var served = await Served.Start(log);
        foreach (var size in new[] { 0, 5, 5, 256, 300, 513, 1_000, 70_000 })
        {
            var before = log.Size;
            log.Grow(size);
            served.Paths.Clear();

            (await Run.Of(log, options => options with { Source = served.Address, Last = last })).IsGood();

            Assert.Equal(log.Note().ToString(), await File.ReadAllTextAsync(last, TestContext.Current.CancellationToken));
            Assert.Equal(
                Tiles.NewEntries(before, size).Select(bundle => bundle.ToString()).Order(),
                served.Paths.Where(path => path.Contains("entries", StringComparison.Ordinal)).Order());
        }
    }

    [Fact]
    public async Task A_log_that_has_gone_back_is_found()
    {
        using var log = new FolderLog().Grow(300);
        using var before = new FolderLog().Grow(290);
        var last = log.Beside("last", log.Note().ToString());

        (await Run.Of(before, options => options with { Last = last })).IsWrong("the log has gone back: the last check knows 300 entries, and it shows 290");
        (await Run.Of(before, options => options with { Known = [last] })).IsWrong("the log has gone back");
        Assert.Equal(log.Note().ToString(), await File.ReadAllTextAsync(last, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(100, 300, 0)]
    [InlineData(100, 300, 299)]
    [InlineData(300, 300, 299)]
    [InlineData(512, 700, 255)]
    [InlineData(700, 70_000, 600)]
    public async Task A_second_history_is_found(int seen, int size, int fork)
    {
        using var log = new FolderLog().Grow(seen);
        using var other = new FolderLog(fork).Grow(size);
        var last = log.Beside("last", log.Note().ToString());

        if (fork < seen)
        {
            (await Run.Of(other, options => options with { Last = last })).IsWrong("two histories");
            (await Run.Of(other, options => options with { Known = [last] })).IsWrong("two histories");
            Assert.Equal(log.Note().ToString(), await File.ReadAllTextAsync(last, TestContext.Current.CancellationToken));
        }
        else
        {
            (await Run.Of(other, options => options with { Last = last })).IsGood();
        }
    }

    [Fact]
    public async Task A_log_with_another_key_is_another_log()
    {
        using var log = new FolderLog().Grow(3);
        using var impostor = new FolderLog(seed: 9).Grow(3);

        (await Run.Of(impostor, options => options with { Log = log.Key })).IsWrong("has not signed");
        (await Run.Of(impostor, options => options with { Witnesses = new WitnessPolicy(1, [log.WitnessKey]) })).IsWrong("0 of 1 witnesses");
    }

    [Fact]
    public async Task Whatever_is_changed_in_any_file_is_found()
    {
        using var log = new FolderLog().Grow(300);
        var last = log.Beside("last", log.Note().ToString());
        foreach (var file in Directory.GetFiles(log.Folder, "*", SearchOption.AllDirectories))
        {
            var right = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            // Each byte of what is small, and of the large files one in eleven, which is prime to what repeats in them.
            for (var i = 0; i < right.Length; i += right.Length > 500 ? 11 : 1)
            {
                var wrong = right.ToArray();
                wrong[i] ^= 1;
                await Changed(file, wrong, 1);
            }

            await Changed(file, right[..^1], 1);
            await Changed(file, [.. right, 0], 1);
            await Changed(file, [], 1);
            File.Delete(file);
            Assert.Equal(2, (await Run.Of(log)).Code);
            await File.WriteAllBytesAsync(file, right, TestContext.Current.CancellationToken);
        }

        (await Run.Of(log)).IsGood();

        async Task Changed(string file, byte[] content, int code)
        {
            await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
            var run = await Run.Of(log);
            Assert.True(run.Code == code, $"{file}: {run.Output}");
        }
    }

    [Fact]
    public async Task Entries_that_change_places_or_are_taken_out_or_put_in_are_found()
    {
        using var log = new FolderLog().Grow(300);
        var bundle = Path.Combine(log.Folder, "tile/entries/000");
        var entries = EntryBundle.Parse(await File.ReadAllBytesAsync(bundle, TestContext.Current.CancellationToken), 256);

        IEnumerable<ReadOnlyMemory<byte>>[] manipulations =
        [
            [entries[1], entries[0], .. entries.Skip(2)],
            [.. entries.Skip(1)],
            [.. entries.Take(100), entries[0], .. entries.Skip(100)],
            [.. entries.Take(100), entries[0], .. entries.Skip(101)],
            [.. entries.SkipLast(1), new byte[33]],
        ];
        foreach (var manipulated in manipulations)
        {
            await File.WriteAllBytesAsync(bundle, EntryBundle.Format(manipulated), TestContext.Current.CancellationToken);
            Assert.Equal(1, (await Run.Of(log)).Code);
        }
    }

    [Fact]
    public async Task Another_tree_under_the_checkpoint_that_was_signed_is_found()
    {
        // Everything is made to fit but the signature, which whoever has the files cannot make.
        using var log = new FolderLog().Grow(300);
        using var other = new FolderLog(fork: 299).Grow(300);
        File.Copy(Path.Combine(log.Folder, "checkpoint"), Path.Combine(other.Folder, "checkpoint"), overwrite: true);

        var run = await Run.Of(other);

        run.IsWrong("the entries do not hash to the root that was signed");
        Assert.Contains("tiles are what the entries hash to", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_stands_still_is_found()
    {
        using var log = new FolderLog().Grow(3);
        var day = TimeSpan.FromDays(1);

        (await Run.Of(log, options => options with { MaxAge = day }, now: FolderLog.Start + day)).IsGood();
        (await Run.Of(log, options => options with { MaxAge = day }, now: FolderLog.Start + day + TimeSpan.FromSeconds(1))).IsWrong("the log stands still");
        log.Grow(3, witnessed: false);
        (await Run.Of(log, options => options with { MaxAge = day, Witnesses = WitnessPolicy.None })).IsNotChecked("age");
    }

    [Fact]
    public async Task One_witness_of_two_cannot_make_a_log_young()
    {
        using var log = new FolderLog().Grow(3);
        using var other = new NoteSigner("witness.example/w2", new byte[32], NoteAlgorithm.Cosignature);
        var later = FolderLog.Start.AddDays(10);
        var note = log.Note();
        log.Beside("log/checkpoint", note.With(Cosignature.Sign(other, note.Text, later)).ToString());
        var both = new[] { log.WitnessKey, other.Verifier };

        (await Run.Of(log, options => options with { MaxAge = TimeSpan.FromDays(1), Witnesses = new WitnessPolicy(1, both) }, now: later)).IsGood();
        (await Run.Of(log, options => options with { MaxAge = TimeSpan.FromDays(1), Witnesses = new WitnessPolicy(2, both) }, now: later)).IsWrong("the log stands still");
    }

    [Fact]
    public async Task Of_a_partial_tile_the_full_one_may_have_come()
    {
        using var log = new FolderLog().Grow(300);
        var old = log.Note();
        log.Grow(600);
        await File.WriteAllTextAsync(Path.Combine(log.Folder, "checkpoint"), old.ToString(), TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(log.Folder, "tile/0/001.p/44"));
        File.Delete(Path.Combine(log.Folder, "tile/entries/001.p/44"));

        (await Run.Of(log)).IsGood();
    }

    [Fact]
    public async Task Entries_of_another_kind_are_not_taken_for_checked()
    {
        using var log = new FolderLog().Grow(3);
        var entries = new[] { log.Entry(0), log.Entry(1), [2, .. log.Entry(2).Skip(1)] };
        var tree = new TreeEdge();
        Array.ForEach(entries, entry => tree.Append(TreeHash.OfLeaf(entry)));
        using var signer = new NoteSigner(FolderLog.Origin, [.. Enumerable.Repeat((byte)1, 32)]);
        log.Beside("log/checkpoint", new Checkpoint(FolderLog.Origin, 3, tree.Root).Sign(signer).ToString());
        log.Beside("log/tile/entries/000.p/3", EntryBundle.Format(entries.Select(entry => (ReadOnlyMemory<byte>)entry)));
        log.Beside("log/tile/0/000.p/3", [.. entries.SelectMany(entry => TreeHash.OfLeaf(entry).ToArray())]);

        (await Run.Of(log, options => options with { Witnesses = new WitnessPolicy(0, [log.WitnessKey]) })).IsNotChecked("1 entries are of a kind");
    }

    [Fact]
    public async Task A_log_that_does_not_answer_is_neither_right_nor_wrong()
    {
        using var log = new FolderLog().Grow(300);
        await using var served = await Served.Start(log);
        (await Run.Of(log, options => options with { Source = served.Address })).IsGood();

        served.Status = HttpStatusCode.InternalServerError;
        (await Run.Of(log, options => options with { Source = served.Address })).IsNotChecked("checkpoint");
        await served.DisposeAsync();
        (await Run.Of(log, options => options with { Source = served.Address })).IsNotChecked("checkpoint");
        (await Run.Of(log, options => options with { Source = Path.Combine(log.Folder, "nowhere") })).IsNotChecked("checkpoint");
    }

    [Fact]
    public async Task What_the_checker_kept_is_not_believed_when_the_log_has_not_signed_it()
    {
        using var log = new FolderLog().Grow(10);
        var last = log.Beside("last", new Checkpoint(FolderLog.Origin, 5, TreeHash.Empty) + "\n— log.example/2026 AAAAAAAA\n");

        await Assert.ThrowsAsync<FormatException>(() => Run.Of(log, options => options with { Last = last }));
    }
}
