using System.CommandLine;
using System.Globalization;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Audit;
using Npgsql;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan policy replay</c>: what this build's access policy would have decided otherwise.</summary>
internal static class PolicyCommand
{
    private const int Same = 0;
    private const int Differs = 1;
    private const int NotDone = 2;
    private const int DefaultDays = 30;

    public static Command Create()
    {
        var connection = new Option<string>("--connection") { Description = "Connection string of the role coordplan_log_review.", Required = true };
        var from = new Option<DateTimeOffset?>("--from") { Description = $"Decisions from this time on. Default: the last {DefaultDays} days." };
        var to = new Option<DateTimeOffset?>("--to") { Description = "Decisions before this time. Default: now." };
        var replay = new Command(
            "replay",
            """
            Runs the decisions in the access log through the access policy of this build and lists what it decides otherwise: run a new version's before
            it is taken into use. Changes nothing. Ends with 0 where nothing differs, 1 where something does, 2 where it could not be done.
            """)
        {
            connection, from, to,
        };
        replay.SetAction(async (parsed, stop) =>
        {
            var until = parsed.GetValue(to) ?? TimeProvider.System.GetUtcNow();
            try
            {
                var result = await PolicyReplay.Run(
                    parsed.GetRequiredValue(connection), (parsed.GetValue(from) ?? until.AddDays(-DefaultDays)).ToUniversalTime(), until.ToUniversalTime(), stop);
                foreach (var difference in result.Differences)
                {
                    Console.WriteLine(Line(difference));
                }

                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{result.Decisions:N0} decisions of policy version {(result.RecordedVersions.Count == 0 ? "(none)" : string.Join(", ", result.RecordedVersions))} run through version {AccessPolicy.Version}; {result.Differences.Sum(difference => difference.Count):N0} differ."));
                return result.Differences.Count == 0 ? Same : Differs;
            }
            catch (Exception failure) when (failure is NpgsqlException or ArgumentException or FormatException)
            {
                await Console.Error.WriteLineAsync($"The log could not be read: {failure.Message}");
                return NotDone;
            }
        });
        return new Command("policy", "The access policy.") { replay };
    }

    /// <summary>Everything that the decision was made of, so that no two lines are alike.</summary>
    private static string Line(ReplayDifference difference)
    {
        var question = difference.Input is { } input ? $"{input.Act} by {input.Caller} on {input.Facts}" : "(recorded by a newer version; this build cannot read it)";
        var was = Answer(difference.Recorded.IsPermit, difference.Recorded.Reason, difference.Recorded.Reads);
        var now = Answer(difference.Now.IsPermit, difference.Now.Reason, difference.Now.Reads);
        return string.Create(CultureInfo.InvariantCulture, $"{difference.Count} x {question}: was {was}; would be {now}; first {difference.Example}");
    }

    private static string Answer(bool isPermit, RefusalReason reason, Categories reads) => isPermit ? $"permit to read {reads}" : $"refusal {reason}";
}
