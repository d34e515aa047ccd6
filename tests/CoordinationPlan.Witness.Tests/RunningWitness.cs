using System.Net;
using System.Text;
using CoordinationPlan.TransparencyLog;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace CoordinationPlan.Witness.Tests;

/// <summary>A witness on a port of its own, with its folder; it can be stopped and started again.</summary>
internal sealed class RunningWitness : IAsyncDisposable
{
    public const string Name = "witness.example/w1";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("coordplan-witness-");
    private readonly SampleLog[] logs;
    private WebApplication? app;

    private RunningWitness(SampleLog[] logs)
    {
        this.logs = logs;
        var text = NoteSigner.Generate(Name, NoteAlgorithm.Cosignature);
        File.WriteAllText(KeyFile, text + "\n");
        using var signer = NoteSigner.Parse(text);
        Key = signer.Verifier;
    }

    public FakeTimeProvider Clock { get; } = new(DateTimeOffset.FromUnixTimeSeconds(1_790_000_000));

    public NoteVerifier Key { get; }

    public HttpClient Http { get; } = new();

    public Uri Address { get; private set; } = null!;

    public string StateFolder => Path.Combine(folder.FullName, "state");

    public string KeyFile => Path.Combine(folder.FullName, "key");

    public WitnessOptions Options => new() { KeyFile = KeyFile, StateFolder = StateFolder, Logs = [.. logs.Select(log => log.Key.ToString())], Url = "http://127.0.0.1:0" };

    public static async Task<RunningWitness> Start(params SampleLog[] logs)
    {
        var witness = new RunningWitness(logs);
        await witness.Start();
        return witness;
    }

    public async Task Start()
    {
        app = WitnessHost.Create(Options, Clock);
        await app.StartAsync();
        Address = new Uri(app.Urls.Single());
    }

    public async Task Stop()
    {
        await app!.DisposeAsync();
        app = null;
    }

    public Task<(HttpStatusCode Status, string? Type, string Body)> Ask(AddCheckpoint request) => Ask(request.ToString());

    public async Task<(HttpStatusCode Status, string? Type, string Body)> Ask(string request)
    {
        using var content = new StringContent(request, Encoding.UTF8);
        using var response = await Http.PostAsync(new Uri(Address, "add-checkpoint"), content);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Asks, and expects the witness's right signature of now.</summary>
    public async Task Signs(AddCheckpoint request)
    {
        var (status, _, body) = await Ask(request);
        Assert.Equal(HttpStatusCode.OK, status);
        var note = SignedNote.Parse($"{request.Checkpoint.Text}\n{body}");
        Assert.Equal([Key], note.SignedBy([Key]));
        Assert.Equal(Clock.GetUtcNow(), Cosignature.TimeOf(note.Signatures.Single()));
    }

    /// <summary>Asks, and expects to be told the size of the last checkpoint.</summary>
    public async Task Conflicts(AddCheckpoint request, long size) => Assert.Equal((HttpStatusCode.Conflict, "text/x.tlog.size", $"{size}\n"), await Ask(request));

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await Stop();
        }

        Http.Dispose();
        folder.Delete(recursive: true);
    }
}
