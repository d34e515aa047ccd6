using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Log;

/// <summary>One entry for somebody outside: that it is in the log, and what its record is, with some of it hidden.</summary>
/// <param name="Origin">The log that it is in.</param>
/// <param name="Proof">A C2SP tlog-proof under the newest published checkpoint.</param>
/// <param name="Disclosure">The record, with the salts of what is shown and the commitments of what is hidden.</param>
public sealed record LogExtract(string Origin, string Proof, string Disclosure)
{
    /// <summary>The fields that a record has, which can be hidden one by one.</summary>
    public static IReadOnlyList<string> Fields => EntryFields.Names;

    /// <param name="connectionString">Of coordplan_auditor.</param>
    /// <param name="name">What the origins of the logs begin with.</param>
    /// <param name="hides">Fields of which nothing is to be told but that they are there.</param>
    /// <exception cref="InvalidOperationException">There is no such entry, its record is not there any more, or no published checkpoint has it yet.</exception>
    public static async Task<LogExtract> Of(string connectionString, string name, Guid entry, IReadOnlyCollection<string> hides, CancellationToken stop)
    {
        await using var connection = await LogCheck.Open(connectionString, stop);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, stop);
        var trip = new RoundTrip(connection);
        var found = trip.Add(LogCheckSql.RecordOf(entry));
        var notes = trip.Add(LogSql.Checkpoints());
        await trip.Run(stop);
        if (found.Value is not { } record)
        {
            throw new InvalidOperationException("There is no such entry in a log, or its record has been disposed of.");
        }

        if (!notes.Value.TryGetValue(record.State.Log, out var text))
        {
            throw new InvalidOperationException("Nothing of the entry's log is published yet.");
        }

        var note = SignedNote.Parse(text);
        var size = Checkpoint.Parse(note.Text).Size;
        if (record.Position >= size)
        {
            throw new InvalidOperationException("No published checkpoint has the entry yet.");
        }

        var path = await TreeProofs.Make(new RoundTrip(connection), record.State.Log, size, node => Inclusion.Prove(record.Position, size, node), stop);
        return new LogExtract(
            new LogNames(name).Origin(record.State.LogId),
            new TlogProof(record.Position, path, note).ToString(),
            DisclosureFile.Format(Commitment.Disclose(record.Secret, record.Fields, field => !hides.Contains(field))));
    }
}
