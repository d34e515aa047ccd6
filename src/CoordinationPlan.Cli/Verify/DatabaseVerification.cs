using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Cli.Verify;

/// <summary>
/// Checks the rows that the logs are made of, by a connection to the database that may read them: what is served shows that nothing was taken from a log, and this that
/// the records are the ones that it was made of. All logs of the service are looked at, because a record that is in none of them is found in no other way.
/// </summary>
internal sealed class DatabaseVerification(NoteVerifier log, IReadOnlyList<NoteVerifier> receiptKeys, TimeSpan mergeDelay, VerificationReport report, TimeProvider clock)
{
    /// <summary>The id and the year, which come after the name that all logs of a service share.</summary>
    private const int OwnParts = 2;

    public async Task Check(string connectionString, IReadOnlyList<Receipt> receipts, CancellationToken stop)
    {
        var parts = log.Name.Split('/');
        if (parts.Length <= OwnParts)
        {
            report.CouldNotCheck($"database: {log.Name} is not the name of a log of this kind of service");
            return;
        }

        try
        {
            var result = await LogCheck.Run(
                connectionString,
                new LogCheckOptions
                {
                    Name = string.Join('/', parts[..^OwnParts]),
                    PublisherKey = log.PublicKeyBytes,
                    ReceiptKey = receiptKeys.Count > 0 ? receiptKeys[0] : null,
                    Receipts = receipts,
                    MaximumMergeDelay = mergeDelay,
                    Now = clock.GetUtcNow(),
                },
                null,
                stop);
            foreach (var finding in result.Findings)
            {
                report.Wrong($"database: {finding}");
            }

            if (result.Findings.Count == 0)
            {
                report.Good($"database: {result.Entries - result.Disposed} records are what the entries of {result.Logs} logs were made of; {result.Pending} wait for their place");
                if (result.Disposed > 0)
                {
                    report.Good($"database: {result.Disposed} records are disposed of, each by two persons' decision that stands in a log");
                }
            }
        }
        catch (NpgsqlException failure)
        {
            report.CouldNotCheck($"database: {failure.Message}");
        }
    }
}
