using System.Net;
using System.Text;

namespace CoordinationPlan.TransparencyLog.Client;

/// <summary>Why a witness has not signed.</summary>
public enum WitnessRefusal
{
    /// <summary>It did not answer, or not as a witness does. It can be asked again.</summary>
    Unavailable,

    /// <summary>It has signed a larger tree, or another one of this size: the log has gone back, or somebody else signs with its key. Nothing may be published.</summary>
    Ahead,

    /// <summary>It does not know the log, does not know its key, or does not accept the proof.</summary>
    Refused,
}

/// <summary>A witness has not signed.</summary>
public sealed class WitnessRefusedException : Exception
{
    public WitnessRefusedException()
    {
    }

    public WitnessRefusedException(string message)
        : base(message)
    {
    }

    public WitnessRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public WitnessRefusedException(WitnessRefusal reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    public WitnessRefusal Reason { get; }
}

/// <summary>Asks one witness to sign a log's checkpoints (C2SP tlog-witness).</summary>
/// <param name="http">Its time limit is the longest that the log waits for this witness.</param>
/// <param name="prefix">The witness's address; <c>add-checkpoint</c> comes below it.</param>
/// <param name="witness">Its key.</param>
public sealed class WitnessClient(HttpClient http, Uri prefix, NoteVerifier witness)
{
    private const int LargestAnswer = 64 * 1024;

    private readonly Uri address = new(prefix.AbsoluteUri.TrimEnd('/') + "/add-checkpoint");

    // What the witness signed last, as far as is known here. It says itself where that is wrong.
    private long last;

    public NoteVerifier Witness => witness;

    /// <summary>The witness's signature under the checkpoint, verified.</summary>
    /// <param name="proof">The proof from an earlier size to the checkpoint's, and no proof (an empty one) from 0.</param>
    /// <exception cref="WitnessRefusedException">It has not signed; the reason says what that means.</exception>
    public async Task<NoteSignature> Cosign(SignedNote checkpoint, Func<long, IReadOnlyList<TreeHash>> proof, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(proof);
        var size = Checkpoint.Parse(checkpoint.Text).Size;
        last = Math.Min(last, size);

        // Once more with what it says to have signed last; another log server may have asked in between, so a third time.
        for (var attempt = 1; ; attempt++)
        {
            var (status, type, answer) = await Post(new AddCheckpoint(last, proof(last), checkpoint), stop);
            switch (status)
            {
                case HttpStatusCode.OK:
                    var cosignature = Verified(checkpoint, answer);
                    last = size;
                    return cosignature;
                case HttpStatusCode.Conflict when type == AddCheckpoint.SizeType:
                    var signed = Size(answer);
                    if (signed > size || signed == last)
                    {
                        throw new WitnessRefusedException(
                            WitnessRefusal.Ahead, $"{witness.Name} has signed another history: {signed} leaves, and the checkpoint has {size}.");
                    }

                    last = signed;
                    if (attempt == 3)
                    {
                        throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} is asked by another at the same time.");
                    }

                    break;
                case HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity:
                    throw new WitnessRefusedException(WitnessRefusal.Refused, $"{witness.Name} refuses the checkpoint with status {(int)status}.");
                default:
                    throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} answers with status {(int)status}.");
            }
        }
    }

    private async Task<(HttpStatusCode Status, string? Type, string Answer)> Post(AddCheckpoint request, CancellationToken stop)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(request.ToString(), Encoding.UTF8, "text/plain") };
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stop);
            await response.Content.LoadIntoBufferAsync(LargestAnswer, stop);
            return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync(stop));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} does not answer.", failure);
        }
    }

    /// <summary>Lines of other keys are ignored; one of this key must be there, and right.</summary>
    private NoteSignature Verified(SignedNote checkpoint, string answer)
    {
        try
        {
            var note = SignedNote.Parse($"{checkpoint.Text}\n{answer}");
            if (note.SignedBy([witness]).Count == 1)
            {
                return note.Signatures.First(witness.Claims);
            }
        }
        catch (Exception failure) when (failure is FormatException or NoteException)
        {
            throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} answers with something else than its signature.", failure);
        }

        throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} answers without its signature.");
    }

    private long Size(string answer)
    {
        try
        {
            return AddCheckpoint.ParseSize(answer);
        }
        catch (FormatException failure)
        {
            throw new WitnessRefusedException(WitnessRefusal.Unavailable, $"{witness.Name} answers with something else than a size.", failure);
        }
    }
}
