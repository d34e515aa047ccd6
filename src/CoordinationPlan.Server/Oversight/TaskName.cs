using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Oversight;

/// <summary>
/// `tasks/{task}`. A task is nothing that is kept: it is there as long as the fact behind it, so its name is a digest of what is to be done with what, and where it is done of when, with
/// the day on which it was. The digest tells nothing to who does not know the random ids behind it.
/// </summary>
/// <param name="Name">The whole name.</param>
/// <param name="DoneOn">The day on which it was done; null while it is to be done.</param>
internal sealed record TaskName(string Name, DateOnly? DoneOn)
{
    public const string Collection = "tasks";

    private const string Day = "yyyyMMdd";
    private const int Digits = 24;

    /// <summary>Of several that are about the same thing, such as two recalls of one plan, each has its own.</summary>
    public static string Of(TaskCandidate task, bool isDone)
    {
        var about = string.Create(CultureInfo.InvariantCulture, $"{(int)task.Fact.Duty} {task.AboutId:N} {task.ItemId:N}{(isDone ? " due " + task.DueOn.ToString(Day, CultureInfo.InvariantCulture) : "")}");
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(about)))[..Digits];
        return isDone && task.Fact.DoneOn is { } day ? $"{Collection}/{digest}-{day.ToString(Day, CultureInfo.InvariantCulture)}" : $"{Collection}/{digest}";
    }

    /// <summary>Reads a name; a malformed one is refused naming the field.</summary>
    public static TaskName Parse(string name, string field)
    {
        DateOnly? doneOn = null;
        if (name.Split('/') is [Collection, var id] && id.Split('-') is [var digest, .. var rest] && digest.Length == Digits && digest.All(char.IsAsciiHexDigitLower)
            && rest is [] or [_] && rest.All(day => (doneOn = DayOf(day)) is not null))
        {
            return new TaskName(name, doneOn);
        }

        throw Errors.InvalidFields(new FieldFault(field, "must be a name of the form tasks/{task}, as given by the service"));
    }

    private static DateOnly? DayOf(string text) => DateOnly.TryParseExact(text, Day, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
