using System.Net;
using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Npgsql;

namespace CoordinationPlan.Server.Hosting;

/// <summary>What a configuration must be before anything listens. Production is strict; development stays on the machine.</summary>
internal static class SafeConfiguration
{
    private static readonly string[] AsymmetricAlgorithms = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

    /// <summary>Throws with every fault found.</summary>
    public static void Require(ServerOptions options)
    {
        var faults = Faults(options).ToList();
        if (faults.Count > 0)
        {
            throw new UnsafeConfigurationException(faults);
        }
    }

    private static IEnumerable<string> Faults(ServerOptions options)
    {
        if (!Enum.IsDefined(options.Installation))
        {
            yield return "Installation must be Production or Development";
        }

        if (options.Database.ConnectionString.Length == 0)
        {
            yield return "Database:ConnectionString is missing";
        }
        else if (Parsed(options.Database.ConnectionString) is not { } connection)
        {
            yield return "Database:ConnectionString is not a connection string of Npgsql";
        }
        else if (options.Installation == InstallationKind.Production && !IsPrivate(connection))
        {
            yield return "Database:ConnectionString must use a socket or SSL Mode=VerifyFull in production";
        }

        if (options.Database.MaxConnections < 1)
        {
            yield return "Database:MaxConnections must be at least 1";
        }
        else if (options.Limits.CallsAtOnce >= options.Database.MaxConnections)
        {
            yield return "Limits:CallsAtOnce must be less than Database:MaxConnections, so that no client system takes all connections";
        }

        foreach (var (name, file) in new[] { ("Listen:Certificate", options.Listen.Certificate), ("Listen:Key", options.Listen.Key), ("Listen:ClientAuthorities", options.Listen.ClientAuthorities), ("Keys:Ring", options.Keys.Ring), ("Keys:Certificate", options.Keys.Certificate), ("Keys:Key", options.Keys.Key), ("Log:ReceiptKey", options.Log.ReceiptKey) })
        {
            if (!File.Exists(file))
            {
                yield return $"{name} does not name a file";
            }
        }

        foreach (var fault in Faults(options.Log, options.Installation))
        {
            yield return fault;
        }

        foreach (var fault in Faults(options.Feed))
        {
            yield return fault;
        }

        if (!options.Law.Controllers.Values.Prepend(options.Law.Default).All(parameters => parameters.IsSound))
        {
            yield return "Law: every limit must be from 0 to 365 days, every time that something is kept from the law's lowest to 100 years";
        }

        if (options.Indicators.SmallestNumber is < 3 or > 1000)
        {
            yield return "Indicators:SmallestNumber must be from 3 to 1000";
        }

        if (options.Access.RefusalSlot < TimeSpan.FromMilliseconds(10) || options.Access.RefusalSlot > TimeSpan.FromSeconds(1))
        {
            yield return "Access:RefusalSlot must be from 10 ms to 1 s";
        }

        foreach (var fault in Faults(options.Limits))
        {
            yield return fault;
        }

        if (!IPAddress.TryParse(options.Listen.Address, out var address))
        {
            yield return "Listen:Address is not an IP address";
        }
        else if (options.Installation == InstallationKind.Development && !IPAddress.IsLoopback(address))
        {
            yield return "Listen:Address must be a loopback address in development";
        }

        if (options.Register.Address.Length > 0
            && (!Uri.TryCreate(options.Register.Address, UriKind.Absolute, out var register) || (register.Scheme != Uri.UriSchemeHttps && (options.Installation == InstallationKind.Production || !register.IsLoopback))))
        {
            yield return "Register:Address is not an https address";
        }

        if (options.Identity.ClockSkew < TimeSpan.Zero || options.Identity.ClockSkew > TimeSpan.FromMinutes(2))
        {
            yield return "Identity:ClockSkew must be between zero and two minutes";
        }

        if (options.Identity.FreshLogin <= TimeSpan.Zero || options.Identity.FreshLogin > IdentityOptions.LongestFreshLogin)
        {
            yield return "Identity:FreshLogin must be more than zero and at most 15 minutes";
        }

        if (options.Identity.Issuers.Count == 0)
        {
            yield return "Identity:Issuers is empty";
        }

        foreach (var fault in options.Identity.Issuers.SelectMany((issuer, i) => Faults(issuer, $"Identity:Issuers:{i}", options.Installation)))
        {
            yield return fault;
        }

        if (options.Identity.Issuers.Count > 1 && options.Identity.Issuers.Any(issuer => issuer.Organisations.Count == 0))
        {
            yield return "Identity:Issuers: where there are several, each must name the Organisations that it answers for";
        }

        if (options.Identity.Issuers.SelectMany(issuer => issuer.Organisations).GroupBy(id => id, StringComparer.Ordinal).Any(group => group.Count() > 1))
        {
            yield return "Identity:Issuers: two issuers answer for the same organisation";
        }

        if (options.Identity.Issuers.Select(issuer => issuer.Issuer).Distinct(StringComparer.Ordinal).Count() != options.Identity.Issuers.Count)
        {
            yield return "Identity:Issuers names an issuer twice";
        }
    }

    /// <summary>Null where it is malformed. What is wrong with it is not told: it may hold a password.</summary>
    private static NpgsqlConnectionStringBuilder? Parsed(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool IsPrivate(NpgsqlConnectionStringBuilder connection) =>
        connection.SslMode == SslMode.VerifyFull || (connection.Host?.Split(',').All(host => host.StartsWith('/')) ?? false);

    /// <summary>By each of the names that a machine always has for itself (RFC 6761 section 6.3).</summary>
    private static bool IsOnThisMachine(Uri uri)
    {
        var host = uri.DnsSafeHost.TrimEnd('.');
        return uri.IsLoopback
            || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var address) && (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));
    }

    private static IEnumerable<string> Faults(LogOptions log, InstallationKind installation)
    {
        foreach (var (i, witness) in log.Witnesses.Index())
        {
            if (!Uri.TryCreate(witness.Address, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttps && (installation == InstallationKind.Production || !address.IsLoopback)))
            {
                yield return $"Log:Witnesses:{i}:Address is not an https address";
            }
        }

        if (!IsPolicy(log))
        {
            yield return "Log:Witnesses: each has a key of its own of the kind that witnesses have, and no more are needed than there are";
        }

        // It is a line of a signed note, the name of a key and the beginning of an address.
        if (log.Name.Length is 0 or > 100 || !log.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '/'))
        {
            yield return "Log:Name must be a domain name of yours, in lower case, with a path or without";
        }

        if (log.PublisherKey.Length > 0 && !File.Exists(log.PublisherKey))
        {
            yield return "Log:PublisherKey does not name a file";
        }

        if (log.PublisherKey.Length > 0 && !System.IO.Directory.Exists(log.Directory))
        {
            yield return "Log:Directory does not name a directory";
        }

        foreach (var (name, value, least, most) in new[]
        {
            ("SequenceEvery", log.SequenceEvery, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10)),
            ("PublishEvery", log.PublishEvery, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
            ("DisposeEvery", log.DisposeEvery, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            ("RepublishAfter", log.RepublishAfter, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)),
            ("MaximumMergeDelay", log.MaximumMergeDelay, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)),
        })
        {
            if (value < least || value > most)
            {
                yield return $"Log:{name} must be from {least} to {most}";
            }
        }

        if (log.BatchSize is < 1 or > 100_000)
        {
            yield return "Log:BatchSize must be from 1 to 100000";
        }
    }

    private static IEnumerable<string> Faults(FeedOptions feed)
    {
        foreach (var fault in OutOfRange(
            "Feed",
            ("SequenceEvery", feed.SequenceEvery, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(1)),
            ("LookEvery", feed.LookEvery, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
            ("Kept", feed.Kept, TimeSpan.FromDays(1), TimeSpan.FromDays(400)),
            ("RecallWithin", feed.RecallWithin, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30)),
            ("Heartbeat", feed.Heartbeat, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            ("LongestStream", feed.LongestStream, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1))))
        {
            yield return fault;
        }

        if (feed.BatchSize is < 1 or > 10_000)
        {
            yield return "Feed:BatchSize must be from 1 to 10000";
        }
    }

    private static IEnumerable<string> Faults(LimitOptions limits) =>
    [
        .. OutOfRange(
            "Limits",
            ("PointsPerSecond", limits.PointsPerSecond, 1, 100_000_000),
            ("Burst", limits.Burst, 100, 1_000_000_000),
            ("CallsAtOnce", limits.CallsAtOnce, 1, 1000),
            ("CallsWaiting", limits.CallsWaiting, 0, 100_000),
            ("SyncsAtOnce", limits.SyncsAtOnce, 1, 100),
            ("SyncsWaiting", limits.SyncsWaiting, 0, 10_000),
            ("StreamsAtOnce", limits.StreamsAtOnce, 1, 10_000),
            ("StreamsPerConnection", limits.StreamsPerConnection, 1, 1000)),
        .. OutOfRange(
            "Limits",
            ("StreamSilence", limits.StreamSilence, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            ("Drain", limits.Drain, TimeSpan.Zero, TimeSpan.FromSeconds(20)),
            ("DrainPushback", limits.DrainPushback, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1)),
            ("KeepAlivePing", limits.KeepAlivePing, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            ("KeepAliveTimeout", limits.KeepAliveTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5))),
    ];

    private static IEnumerable<string> OutOfRange<T>(string section, params IEnumerable<(string Name, T Value, T Least, T Most)> settings)
        where T : IComparable<T> =>
        settings.Where(setting => setting.Value.CompareTo(setting.Least) < 0 || setting.Value.CompareTo(setting.Most) > 0)
            .Select(setting => $"{section}:{setting.Name} must be from {setting.Least} to {setting.Most}");

    private static bool IsPolicy(LogOptions log)
    {
        try
        {
            _ = new WitnessPolicy(log.WitnessesNeeded ?? log.Witnesses.Count, [.. log.Witnesses.Select(witness => NoteVerifier.Parse(witness.Key))]);
            return true;
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException)
        {
            return false;
        }
    }

    private static IEnumerable<string> Faults(IssuerOptions issuer, string name, InstallationKind installation)
    {
        if (!Uri.TryCreate(issuer.Issuer, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
        {
            yield return $"{name}:Issuer is not an https address";
        }
        else if (IsOnThisMachine(uri) && installation == InstallationKind.Production)
        {
            yield return $"{name}:Issuer is on this machine: a development identity provider is never accepted in production";
        }

        if (issuer.Audience.Length == 0)
        {
            yield return $"{name}:Audience is missing";
        }

        if (issuer.EmployeeClaim.Length == 0 || issuer.AssuranceClaim.Length == 0)
        {
            yield return $"{name}:EmployeeClaim and AssuranceClaim are needed";
        }

        if (issuer.Algorithms.Except(AsymmetricAlgorithms).Any())
        {
            yield return $"{name}:Algorithms lists one that is not asymmetric";
        }

        if (issuer.TrustedAuthorities.Length > 0 && !File.Exists(issuer.TrustedAuthorities))
        {
            yield return $"{name}:TrustedAuthorities does not name a file";
        }
    }
}
