using CoordinationPlan.TransparencyLog;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Witness;

/// <summary>What the witness answers: a status of HTTP and, with it, a signature line or a size.</summary>
internal abstract record WitnessAnswer(int Status)
{
    public sealed record Signed(NoteSignature Cosignature) : WitnessAnswer(StatusCodes.Status200OK);

    /// <summary>The last checkpoint has this size, and the request is from another one, or would change it.</summary>
    public sealed record Conflict(long Size) : WitnessAnswer(StatusCodes.Status409Conflict);

    public sealed record Refused(int Code, string Reason) : WitnessAnswer(Code);
}

/// <summary>
/// Signs the checkpoints of the logs that it knows, each only where it follows from the one before (C2SP tlog-witness). That is all that it does, and it is enough:
/// a log that shows one history here cannot show another elsewhere.
/// </summary>
internal sealed class CheckpointWitness(NoteSigner key, IReadOnlyList<NoteVerifier> logs, LastCheckpoints last, TimeProvider clock, ILogger<CheckpointWitness> logger)
{
    // One at a time: that a checkpoint follows from the last one, and that it is the last one, is one step. Each takes a flush of the disk, and a log asks every few seconds.
    private readonly Lock oneAtATime = new();

    public WitnessAnswer Add(ReadOnlySpan<byte> body)
    {
        AddCheckpoint request;
        Checkpoint checkpoint;
        try
        {
            request = AddCheckpoint.Parse(body);
            checkpoint = Checkpoint.Parse(request.Checkpoint.Text);
        }
        catch (FormatException failure)
        {
            return new WitnessAnswer.Refused(StatusCodes.Status400BadRequest, failure.Message);
        }

        var keys = logs.Where(log => log.Name == checkpoint.Origin).ToList();
        if (keys.Count == 0)
        {
            return new WitnessAnswer.Refused(StatusCodes.Status404NotFound, "The log is not known here.");
        }

        if (!IsSignedByOneOf(keys, request.Checkpoint))
        {
            return new WitnessAnswer.Refused(StatusCodes.Status403Forbidden, "The log has not signed the checkpoint.");
        }

        if (request.Old > checkpoint.Size)
        {
            return new WitnessAnswer.Refused(StatusCodes.Status400BadRequest, "The old size is larger than the new one.");
        }

        lock (oneAtATime)
        {
            return Follow(request, checkpoint);
        }
    }

    private WitnessAnswer Follow(AddCheckpoint request, Checkpoint checkpoint)
    {
        var before = last.Of(checkpoint.Origin) ?? new Checkpoint(checkpoint.Origin, 0, TreeHash.Empty);
        if (checkpoint.Size == before.Size && checkpoint.Root != before.Root)
        {
            logger.LogCritical(
                "{Origin} has signed two histories of {Size} leaves: {Root} and {Other}. Kept in {File}.",
                checkpoint.Origin, checkpoint.Size, before.Root, checkpoint.Root, last.KeepFork(checkpoint.Origin, request.Checkpoint));
            return new WitnessAnswer.Conflict(before.Size);
        }

        if (request.Old != before.Size)
        {
            logger.LogInformation("{Origin} asks from {Old}; the last size is {Size}.", checkpoint.Origin, request.Old, before.Size);
            return new WitnessAnswer.Conflict(before.Size);
        }

        if (!Consistency.VerifyFromAny(before.Size, checkpoint.Size, before.Root, request.Proof, checkpoint.Root))
        {
            logger.LogError("{Origin} cannot show that {Size} leaves follow from {Old}.", checkpoint.Origin, checkpoint.Size, before.Size);
            return new WitnessAnswer.Refused(StatusCodes.Status422UnprocessableEntity, "The proof does not lead from the last checkpoint to this one.");
        }

        // On the disk first: a signature that is out and forgotten here could be followed by another history.
        last.Keep(checkpoint.Origin, request.Checkpoint);
        return new WitnessAnswer.Signed(Cosignature.Sign(key, request.Checkpoint.Text, clock.GetUtcNow()));
    }

    private static bool IsSignedByOneOf(List<NoteVerifier> keys, SignedNote note)
    {
        try
        {
            return note.SignedBy(keys).Count > 0;
        }
        catch (NoteException)
        {
            return false;
        }
    }
}
