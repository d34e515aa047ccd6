using System.Net;
using System.Text;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.TransparencyLog.Client;

namespace CoordinationPlan.Witness.Tests;

/// <summary>The log's side: what it gets from a witness, and what it must not take for a signature.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task It_gets_signatures_while_the_log_grows_and_finds_out_where_the_witness_is()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        var client = new WitnessClient(witness.Http, witness.Address, witness.Key);

        foreach (var size in new[] { 0, 5, 5, 9 })
        {
            await Signs(client, log, size);
        }

        // A new process knows nothing, and is told.
        await Signs(new WitnessClient(witness.Http, new Uri(witness.Address, "/"), witness.Key), log, 12);
        // The first one does not know that.
        await Signs(client, log, 40);
    }

    [Fact]
    public async Task A_log_that_has_gone_back_is_told_apart_from_all_else()
    {
        using var log = new SampleLog();
        using var fork = new SampleLog(fork: 5);
        await using var witness = await RunningWitness.Start(log);
        var client = new WitnessClient(witness.Http, witness.Address, witness.Key);
        await Signs(client, log, 20);

        Assert.Equal(WitnessRefusal.Ahead, await Refusal(client, log, 10));
        Assert.Equal(WitnessRefusal.Ahead, await Refusal(new WitnessClient(witness.Http, witness.Address, witness.Key), log, 19));
        Assert.Equal(WitnessRefusal.Ahead, await Refusal(client, fork, 20));
        Assert.Equal(WitnessRefusal.Refused, await Refusal(client, fork, 30));
        await Signs(client, log, 30);
    }

    [Fact]
    public async Task A_witness_that_does_not_know_the_log_refuses_and_one_that_is_gone_is_unavailable()
    {
        using var log = new SampleLog();
        using var stranger = new SampleLog("stranger.example");
        using var impostor = new SampleLog(seed: 2);
        await using var witness = await RunningWitness.Start(log);
        var client = new WitnessClient(witness.Http, witness.Address, witness.Key);

        Assert.Equal(WitnessRefusal.Refused, await Refusal(client, stranger, 3));
        Assert.Equal(WitnessRefusal.Refused, await Refusal(client, impostor, 3));
        await witness.Stop();
        Assert.Equal(WitnessRefusal.Unavailable, await Refusal(client, log, 3));
    }

    [Fact]
    public async Task What_is_not_its_signature_is_not_taken()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        using var other = new NoteSigner("witness.example/w2", new byte[32], NoteAlgorithm.Cosignature);
        var right = await new WitnessClient(witness.Http, witness.Address, witness.Key).Cosign(log.Checkpoint(3), size => log.Proof(size, 3), TestContext.Current.CancellationToken);
        var alien = Cosignature.Sign(other, log.Checkpoint(3).Text, witness.Clock.GetUtcNow());

        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.OK, ""));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.OK, "signed"));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.OK, $"{alien}\n"));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.OK, $"{new NoteSignature(right.Name, right.KeyId, new byte[72])}\n"));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.OK, new string('a', 100_000)));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.Conflict, "2"));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.Conflict, "-1\n"));
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.ServiceUnavailable, ""));
        // One that says another size each time is not asked for ever.
        var sizes = new Queue<string>(["1\n", "2\n", "1\n", "2\n"]);
        Assert.Equal(WitnessRefusal.Unavailable, await RefusalOf(log, witness.Key, HttpStatusCode.Conflict, sizes.Dequeue));
        Assert.Single(sizes);
        // Lines of others beside its own are ignored.
        using var http = new HttpClient(new Answers(HttpStatusCode.OK, () => $"{alien}\n{right}\n"));
        var taken = await new WitnessClient(http, new Uri("http://witness.example"), witness.Key).Cosign(log.Checkpoint(3), size => log.Proof(size, 3), TestContext.Current.CancellationToken);
        Assert.Equal(right.ToString(), taken.ToString());
    }

    [Fact]
    public async Task Who_stops_waiting_is_not_told_that_the_witness_is_gone()
    {
        using var log = new SampleLog();
        await using var witness = await RunningWitness.Start(log);
        var client = new WitnessClient(witness.Http, witness.Address, witness.Key);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Cosign(log.Checkpoint(3), size => log.Proof(size, 3), new CancellationToken(canceled: true)));
    }

    private static async Task Signs(WitnessClient client, SampleLog log, long size)
    {
        var note = log.Checkpoint(size);
        var cosignature = await client.Cosign(note, from => log.Proof(from, size), TestContext.Current.CancellationToken);
        Assert.True(new WitnessPolicy(1, [client.Witness]).IsMetBy(note.With(cosignature)));
    }

    private static async Task<WitnessRefusal> Refusal(WitnessClient client, SampleLog log, long size) =>
        (await Assert.ThrowsAsync<WitnessRefusedException>(() => client.Cosign(log.Checkpoint(size), from => log.Proof(from, size), TestContext.Current.CancellationToken))).Reason;

    private static Task<WitnessRefusal> RefusalOf(SampleLog log, NoteVerifier key, HttpStatusCode status, string body) => RefusalOf(log, key, status, () => body);

    private static async Task<WitnessRefusal> RefusalOf(SampleLog log, NoteVerifier key, HttpStatusCode status, Func<string> body)
    {
        using var http = new HttpClient(new Answers(status, body));
        return await Refusal(new WitnessClient(http, new Uri("http://witness.example"), key), log, 3);
    }

    /// <summary>A witness that answers what a witness does not.</summary>
    private sealed class Answers(HttpStatusCode status, Func<string> body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body(), Encoding.UTF8, AddCheckpoint.SizeType) });
    }
}
