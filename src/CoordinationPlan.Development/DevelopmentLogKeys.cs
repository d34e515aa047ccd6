using System.Security.Cryptography;
using CoordinationPlan.Server.Hosting;

namespace CoordinationPlan.Development;

/// <summary>Keys of the log for development, and for each database a directory for what was signed of it.</summary>
internal static class DevelopmentLogKeys
{
    private const int KeyBytes = 32;

    public static LogOptions LoadOrCreate(string directory, string database)
    {
        PrivateFiles.CreateDirectory(directory);
        var signed = Path.Combine(directory, database);
        PrivateFiles.CreateDirectory(signed);
        return new LogOptions
        {
            Name = "log.coordplan.test",
            ReceiptKey = Key(Path.Combine(directory, "receipts.key")),
            PublisherKey = Key(Path.Combine(directory, "publisher.key")),
            Directory = signed,
            PublishEvery = TimeSpan.FromSeconds(1),
            DisposeEvery = TimeSpan.FromSeconds(1),
        };
    }

    private static string Key(string path)
    {
        if (!File.Exists(path))
        {
            PrivateFiles.Write(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)), secret: true);
        }

        return path;
    }
}
