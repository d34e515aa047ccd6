using System.Net;
using System.Text;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Witness.Tests;

/// <summary>C2SP tlog-witness, rule by rule.</summary>
public sealed class AddCheckpointTests
{
    [Fact]
    public async Task A_log_grows_and_each_step_is_signed()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);

        await witness.Signs(log.Request(0, 3));
        witness.Clock.Advance(TimeSpan.FromSeconds(10));
        await witness.Signs(log.Request(3, 3));
        await witness.Signs(log.Request(3, 4));
        await witness.Signs(log.Request(4, 300));
    }

    [Fact]
    public async Task A_log_may_begin_without_leaves()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);

        await witness.Signs(log.Request(0, 0));
        await witness.Signs(log.Request(0, 0));
        await witness.Signs(log.Request(0, 7));
        await witness.Conflicts(log.Request(0, 0), 7);
    }

    [Fact]
    public async Task A_log_that_has_gone_back_gets_no_signature()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 20));

        await witness.Conflicts(log.Request(0, 10), 20);
        await witness.Conflicts(log.Request(10, 10), 20);
        await witness.Conflicts(log.Request(10, 19), 20);
        await witness.Conflicts(log.Request(0, 0), 20);
        await witness.Conflicts(log.Request(19, 21), 20);
        await witness.Conflicts(log.Request(21, 22), 20);
        await witness.Signs(log.Request(20, 21));
    }

    [Fact]
    public async Task A_log_with_two_histories_gets_a_signature_for_one()
    {
        using var log = new SampleLog();
        using var fork = new SampleLog(fork: 15);
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 20));

        // The same size and another root: told as a conflict, and the proof of it kept.
        await witness.Conflicts(fork.Request(20, 20), 20);
        Assert.Equal(fork.Checkpoint(20).ToString(), await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(witness.StateFolder, "*.fork")), TestContext.Current.CancellationToken));
        // Larger, with the proof that its own history has.
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(fork.Request(20, 25))).Status);
        // Larger, with the honest proof.
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(log.Request(20, 25) with { Checkpoint = fork.Checkpoint(25) })).Status);
        await witness.Conflicts(fork.Request(0, 25), 20);
        await witness.Signs(log.Request(20, 25));
    }

    [Fact]
    public async Task A_proof_that_does_not_lead_there_is_refused()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        var first = log.Request(0, 20);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(first with { Proof = [TreeHash.Empty] })).Status);
        await witness.Signs(first);
        var right = log.Request(20, 25);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(right with { Proof = [] })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(right with { Proof = [.. right.Proof.Skip(1)] })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(right with { Proof = [.. right.Proof, TreeHash.Empty] })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(right with { Proof = [.. right.Proof.Reverse()] })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await witness.Ask(log.Request(20, 20) with { Proof = [TreeHash.Empty] })).Status);
        await witness.Signs(right);
    }

    [Fact]
    public async Task A_log_that_is_not_known_is_not_found()
    {
        using var log = new SampleLog();
        using var stranger = new SampleLog("stranger.example/2026");
        await using var witness = await RunningWitness.Start(log);

        Assert.Equal(HttpStatusCode.NotFound, (await witness.Ask(stranger.Request(0, 3))).Status);
    }

    [Fact]
    public async Task A_checkpoint_that_the_log_has_not_signed_is_forbidden()
    {
        using var log = new SampleLog();
        using var impostor = new SampleLog(seed: 2);
        using var other = new SampleLog("other.example/2026", seed: 3);
        await using var witness = await RunningWitness.Start(log, other);
        var right = log.Request(0, 3);
        var line = right.Checkpoint.Signatures[0];
        byte[] wrong = [.. line.Bytes.ToArray().Select(b => (byte)~b)];

        Assert.Equal(HttpStatusCode.Forbidden, (await witness.Ask(impostor.Request(0, 3))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await witness.Ask(right with { Checkpoint = new SignedNote(right.Checkpoint.Text, [new(line.Name, line.KeyId, wrong)]) })).Status);
        // Signed by a log that is known too, but is not this one.
        var others = new NoteSigner("other.example/2026", [.. Enumerable.Repeat((byte)3, 32)]);
        Assert.Equal(HttpStatusCode.Forbidden, (await witness.Ask(right with { Checkpoint = new SignedNote(right.Checkpoint.Text, [others.Sign(right.Checkpoint.Text)]) })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await witness.Ask(right with { Checkpoint = new SignedNote(log.Checkpoint(4).Text, right.Checkpoint.Signatures) })).Status);
        // Signatures of others beside the log's are ignored.
        await witness.Signs(right with { Checkpoint = right.Checkpoint.With(impostor.Checkpoint(3).Signatures[0]) });
        others.Dispose();
    }

    [Fact]
    public async Task What_is_no_request_is_a_bad_one()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 3));
        var right = log.Request(3, 5).ToString();

        Assert.Equal(HttpStatusCode.BadRequest, (await witness.Ask(log.Request(9, 5))).Status);
        Assert.All(
            [
                "",
                "\n\n",
                right.Replace("old 3", "old 03", StringComparison.Ordinal),
                right.Replace("old 3", "old -3", StringComparison.Ordinal),
                right.Replace("old 3", "3", StringComparison.Ordinal),
                right.Replace("old 3\n", "", StringComparison.Ordinal),
                right.Replace("\n5\n", "\n05\n", StringComparison.Ordinal),
                right[..^1],
                right + "x",
                right.Replace("old 3\n", "old 3\n" + string.Concat(Enumerable.Repeat($"{TreeHash.Empty}\n", 62)), StringComparison.Ordinal),
                right.Replace("old 3\n", "old 3\nAAAA\n", StringComparison.Ordinal),
            ],
            wrong => Assert.Equal(HttpStatusCode.BadRequest, witness.Ask(wrong).GetAwaiter().GetResult().Status));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await witness.Ask(new string('a', 300 * 1024))).Status);
        Assert.Equal(HttpStatusCode.OK, (await witness.Ask(right)).Status);
    }

    [Fact]
    public async Task A_request_with_any_bit_flipped_is_not_signed()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 5));
        var right = Encoding.UTF8.GetBytes(log.Request(5, 11).ToString());

        for (var bit = 0; bit < right.Length * 8; bit++)
        {
            var wrong = right.ToArray();
            wrong[bit / 8] ^= (byte)(1 << (bit % 8));
            using var content = new ByteArrayContent(wrong);
            using var answer = await witness.Http.PostAsync(new Uri(witness.Address, "add-checkpoint"), content, TestContext.Current.CancellationToken);
            Assert.InRange((int)answer.StatusCode, 400, 422);
        }

        await witness.Signs(log.Request(5, 11));
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_is_next()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        await witness.Signs(log.Request(0, 10));

        for (var (round, size) = (0, 10); round < 10; round++)
        {
            // Each is right from the last size; only one of them can follow it.
            var answers = await Task.WhenAll(Enumerable.Range(1, 12).Select(more => witness.Ask(log.Request(size, size + more))));

            var next = Enumerable.Range(1, 12).Single(more => answers[more - 1].Status == HttpStatusCode.OK);
            Assert.Equal(11, answers.Count(answer => answer.Status == HttpStatusCode.Conflict && answer.Body == $"{size + next}\n"));
            size += next;
        }
    }

    [Fact]
    public async Task The_key_is_told()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);

        Assert.Equal($"{witness.Key}\n", await witness.Http.GetStringAsync(witness.Address, TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await witness.Http.GetAsync(new Uri(witness.Address, "add-checkpoint"), TestContext.Current.CancellationToken)).StatusCode);
    }
}
