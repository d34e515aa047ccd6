using System.Text;
using CoordinationPlan.TransparencyLog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Witness;

/// <summary>Puts the witness behind HTTP.</summary>
public static class WitnessHost
{
    // 63 hashes and a note of many signatures, also of such as are larger than today's.
    private const int LargestRequest = 256 * 1024;

    /// <exception cref="WitnessException">It cannot run like this.</exception>
    public static WebApplication Create(WitnessOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (key, logs) = Keys(options);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = LargestRequest);
        builder.WebHost.UseUrls(options.Url);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.AddSingleton(clock);
        // Opened here, so that what cannot be used is refused before anything listens; owned by the container, so that it is let go when the host ends.
        var last = LastCheckpoints.Open(options.StateFolder, logs.Select(log => log.Name).Distinct());
        builder.Services.AddSingleton(_ => last);
        builder.Services.AddSingleton(_ => key);
        builder.Services.AddSingleton(services => new CheckpointWitness(
            services.GetRequiredService<NoteSigner>(), logs, services.GetRequiredService<LastCheckpoints>(), clock, services.GetRequiredService<ILogger<CheckpointWitness>>()));

        var app = builder.Build();
        app.MapGet("/", () => Results.Text($"{key.Verifier}\n"));
        app.MapPost("/add-checkpoint", Add);
        return app;
    }

    private static async Task<IResult> Add(HttpRequest request, CheckpointWitness witness, CancellationToken stop)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, stop);
        return witness.Add(body.GetBuffer().AsSpan(0, (int)body.Length)) switch
        {
            WitnessAnswer.Signed signed => Results.Text($"{signed.Cosignature}\n", "text/plain", Encoding.UTF8),
            WitnessAnswer.Conflict conflict => Results.Text(FormattableString.Invariant($"{conflict.Size}\n"), AddCheckpoint.SizeType, statusCode: conflict.Status),
            WitnessAnswer.Refused refused => Results.Text($"{refused.Reason}\n", statusCode: refused.Status),
            var other => throw new InvalidOperationException($"No answer is written for {other}."),
        };
    }

    private static (NoteSigner Key, IReadOnlyList<NoteVerifier> Logs) Keys(WitnessOptions options)
    {
        try
        {
            List<NoteVerifier> logs = [.. options.Logs.Select(NoteVerifier.Parse)];
            if (logs.Count == 0 || logs.Exists(log => log.Algorithm != NoteAlgorithm.Ed25519))
            {
                throw new WitnessException("A witness knows at least one log, by keys of the kind 01.");
            }

            var key = NoteSigner.Parse(File.ReadAllText(options.KeyFile).TrimEnd('\n'));
            return key.Verifier.Algorithm == NoteAlgorithm.Cosignature
                ? (key, logs)
                : throw new WitnessException("The key in the key file is no witness's: it signs without a time.");
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new WitnessException($"A key cannot be used: {failure.Message}", failure);
        }
    }
}
