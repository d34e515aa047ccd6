using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// What the logs are called. There is one for each controller and year; its id says nothing of the controller to those who do not have the directory's key, because
/// witnesses and whoever holds a receipt see it (docs/adr/0020).
/// </summary>
/// <param name="name">The configured name, with which every origin begins.</param>
internal sealed class LogNames(string name)
{
    /// <summary>The log of callers whom the directory does not know.</summary>
    public const string Unassigned = "unassigned";

    private const string Purpose = "coordinationplan log of ";
    private const int IdBytes = 16;

    /// <summary>The log that an entry belongs to: of whom the caller works for, in the year of the entry in UTC.</summary>
    /// <param name="controller">As the database calls it; null or empty where the directory does not know the caller.</param>
    public static string IdOf(string? controller, int year)
    {
        var of = string.IsNullOrEmpty(controller)
            ? Unassigned
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Purpose + controller)).AsSpan(0, IdBytes));
        return string.Create(CultureInfo.InvariantCulture, $"{of}/{year:0000}");
    }

    /// <summary>The first line of its checkpoints, and the name of the key that signs them.</summary>
    public string Origin(string logId) => $"{name}/{logId}";

    /// <summary>The log of an origin; null where it is not one of this service's.</summary>
    public string? LogIdOf(string origin) => origin.StartsWith(name + "/", StringComparison.Ordinal) ? origin[(name.Length + 1)..] : null;

    /// <summary>The name of the key that signs receipts.</summary>
    public string Receipts { get; } = $"{name}/receipts";
}
