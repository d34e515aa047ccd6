using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Database;

namespace CoordinationPlan.Server.Hosting;

/// <summary>The service's whole configuration: the file that <c>--config</c> names, then environment variables <c>COORDPLAN_Section__Key</c>.</summary>
public sealed class ServerOptions
{
    /// <summary>What the service is for. A production service refuses what belongs to development, and the other way round.</summary>
    public InstallationKind Installation { get; set; } = InstallationKind.Production;

    public DatabaseOptions Database { get; set; } = new();

    public ListenOptions Listen { get; set; } = new();

    public IdentityOptions Identity { get; set; } = new();

    public KeyOptions Keys { get; set; } = new();

    public RegisterOptions Register { get; set; } = new();

    public AccessOptions Access { get; set; } = new();

    public LimitOptions Limits { get; set; } = new();

    public LawOptions Law { get; set; } = new();

    public IndicatorOptions Indicators { get; set; } = new();

    public LogOptions Log { get; set; } = new();

    public FeedOptions Feed { get; set; } = new();
}

/// <summary>The feed of changes for systems that keep their own data in step (docs/adr/0023).</summary>
public sealed class FeedOptions
{
    /// <summary>How often noted changes are put in order, from 20 ms to 1 s: a stream is narrowed within a second.</summary>
    public TimeSpan SequenceEvery { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often open streams look whether there is anything new, and whether their assignments are still in force; from 20 ms to 500 ms.</summary>
    public TimeSpan LookEvery { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How many noted changes are put in order at once, from 1 to 10000.</summary>
    public int BatchSize { get; set; } = 500;

    /// <summary>How long changes are kept, from 1 to 400 days. A system that is behind that begins anew.</summary>
    public TimeSpan Kept { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Within how long a recall is to be confirmed, from 1 minute to 30 days.</summary>
    public TimeSpan RecallWithin { get; set; } = TimeSpan.FromHours(24);

    /// <summary>After how long without changes a stream says that it is there, from 1 s to 5 minutes.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>After how long a stream ends by itself, from 1 minute to 1 day; never after its token.</summary>
    public TimeSpan LongestStream { get; set; } = TimeSpan.FromMinutes(30);
}

/// <summary>The log that anyone can check (docs/adr/0020).</summary>
public sealed class LogOptions
{
    /// <summary>What the origins of the logs begin with: a domain name of the operator's, such as <c>log.example.se</c>. It never changes.</summary>
    public string Name { get; set; } = "";

    /// <summary>File with the key that receipts are signed with, the same for every server: 32 random bytes in base64 (Ed25519).</summary>
    public string ReceiptKey { get; set; } = "";

    /// <summary>File with the key that checkpoints are signed with, as the other; empty where this server does not publish.</summary>
    public string PublisherKey { get; set; } = "";

    /// <summary>Where the publisher keeps what it has signed: a directory outside the database and its backups.</summary>
    public string Directory { get; set; } = "";

    /// <summary>Who signs checkpoints beside the log (C2SP tlog-witness), run by others than the operator.</summary>
    public IList<LogWitness> Witnesses { get; } = [];

    /// <summary>How many of them must have signed before a checkpoint is published; all of them where this is not set.</summary>
    public int? WitnessesNeeded { get; set; }

    /// <summary>How often what is pending is put in the trees, from 50 ms to 10 s.</summary>
    public TimeSpan SequenceEvery { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often checkpoints are published, from 100 ms to 1 minute.</summary>
    public TimeSpan PublishEvery { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often disposals that are approved are looked for and carried out, from 1 second to 1 day.</summary>
    public TimeSpan DisposeEvery { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>After how long a log that has not grown is signed again, so that silence shows; from 1 minute to a day.</summary>
    public TimeSpan RepublishAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Within how long after its time an entry is under a published checkpoint. A receipt without a leaf after that is proof of a removal.</summary>
    public TimeSpan MaximumMergeDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many entries are put in a tree at once.</summary>
    public int BatchSize { get; set; } = 2000;
}

/// <summary>What keeps one caller from taking the service from the others (docs/operations.md). A call costs 1 point, a list 20, a change 100.</summary>
public sealed class LimitOptions
{
    /// <summary>How many points a client system gets back each second.</summary>
    public int PointsPerSecond { get; set; } = 50_000;

    /// <summary>How many points a client system that has been quiet may spend at once; at least a change's, 100.</summary>
    public int Burst { get; set; } = 500_000;

    /// <summary>
    /// How many calls of one client system are worked on at once by each server; more wait for their turn. Less than <see cref="DatabaseOptions.MaxConnections"/>, so that no system can take
    /// all connections.
    /// </summary>
    public int CallsAtOnce { get; set; } = 24;

    /// <summary>How many calls of one client system may wait for their turn.</summary>
    public int CallsWaiting { get; set; } = 500;

    /// <summary>How many batches of synced participations are worked on at once. Each holds up to 500 locks of the database's (max_locks_per_transaction). One client system has half of them at most.</summary>
    public int SyncsAtOnce { get; set; } = 4;

    /// <summary>How many batches of one client system may wait for their turn.</summary>
    public int SyncsWaiting { get; set; } = 16;

    /// <summary>How many streams of changes a client system may have open on each server.</summary>
    public int StreamsAtOnce { get; set; } = 100;

    /// <summary>After how long without a message a client's stream is ended.</summary>
    public TimeSpan StreamSilence { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>For how long a server that is to stop refuses new calls before it closes its connections, so that whoever directs calls has seen it.</summary>
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After how long a caller whose call a draining server has refused may try again.</summary>
    public TimeSpan DrainPushback { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many calls one connection may have under way.</summary>
    public int StreamsPerConnection { get; set; } = 100;

    /// <summary>How long a connection is quiet before the service asks whether its other end is still there.</summary>
    public TimeSpan KeepAlivePing { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer to that may take before the connection is closed.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(20);
}

/// <summary>One witness of the log.</summary>
public sealed class LogWitness
{
    /// <summary>Its address, https in production; <c>add-checkpoint</c> comes below it.</summary>
    public string Address { get; set; } = "";

    /// <summary>Its public key (vkey), from elsewhere than this address.</summary>
    public string Key { get; set; } = "";
}

/// <summary>Counts for follow-up.</summary>
public sealed class IndicatorOptions
{
    /// <summary>
    /// The number of meetings, and of persons, below which a count is not shown; from 3 to 1000. Changing it lets what was hidden be taken from what was
    /// shown before: set it once.
    /// </summary>
    public int SmallestNumber { get; set; } = 5;
}

/// <summary>What the law leaves open (docs/law.md, the parameters): for everybody, and for controllers that have decided otherwise.</summary>
public sealed class LawOptions
{
    /// <summary>For everybody.</summary>
    public LawParameters Default { get; set; } = new();

    /// <summary>For one controller, by its resource name: <c>boards/{board}</c>, or <c>organisations/{organisation}</c> where it has no boards.</summary>
    public Dictionary<string, LawParameters> Controllers { get; set; } = [];

    /// <summary>A clock's limit in days for a controller: its own, else everybody's, else what the law's rule says, which may be none.</summary>
    public int? DaysOf(Clock clock, string controller) =>
        (Controllers.GetValueOrDefault(controller)?.DaysOf(clock) ?? Default.DaysOf(clock)) ?? clock.Days;

    /// <summary>For how many years a controller keeps what a rule is about.</summary>
    public int YearsOf(RetentionRule rule, string controller) =>
        (Controllers.GetValueOrDefault(controller)?.YearsOf(rule) ?? Default.YearsOf(rule)) ?? rule.Years;

    /// <summary>Whether a controller keeps the files of the sample for good. One that has not said that it does not, does: what is destroyed does not come back.</summary>
    public bool KeepsSampledBirths(string controller) => (Controllers.GetValueOrDefault(controller)?.KeepsSampledBirths ?? Default.KeepsSampledBirths) ?? true;

    /// <summary>Another limit for a controller, found in the same order.</summary>
    public int ValueOf(Limit limit, string controller) =>
        (Controllers.GetValueOrDefault(controller)?.ValueOf(limit) ?? Default.ValueOf(limit)) ?? limit.Value;
}

/// <summary>Limits in days, 0 to 365; times in years, from the law's lowest to 100. What is not set is not decided.</summary>
public sealed class LawParameters
{
    /// <summary>Within how many days after a need was noted a plan is being prepared.</summary>
    public int? StartWithinDays { get; set; }

    /// <summary>How many days before its end a consent shows as a task.</summary>
    public int? ConsentWarningDays { get; set; }

    /// <summary>How many days before its end a block shows as a task.</summary>
    public int? BlockWarningDays { get; set; }

    /// <summary>Within how many days after a plan was opened the risk is assessed.</summary>
    public int? RiskAssessmentWithinDays { get; set; }

    /// <summary>At most how many days lie between an assessment of risk and the next.</summary>
    public int? ReassessRiskWithinDays { get; set; }

    /// <summary>At most how many days lie between the establishment of a plan and its follow-up.</summary>
    public int? FollowUpWithinDays { get; set; }

    /// <summary>How many days before a meeting a called unit answers.</summary>
    public int? ReplyDaysBeforeMeeting { get; set; }

    /// <summary>How many days before a meeting a called unit is reminded of it.</summary>
    public int? MeetingWarningDays { get; set; }

    /// <summary>For how many years after its last note a plan of the social services is kept.</summary>
    public int? SocialServicesFileYears { get; set; }

    /// <summary>For how many years after its last note a plan of health care is kept.</summary>
    public int? HealthCareRecordYears { get; set; }

    /// <summary>For how many years after its year a log of accesses is kept.</summary>
    public int? AccessLogYears { get; set; }

    /// <summary>Whether the files of those born on the 5th, 15th and 25th are kept for good.</summary>
    public bool? KeepsSampledBirths { get; set; }

    /// <summary>Within how many days after a child was placed its schooling is secured.</summary>
    public int? SchoolingSecuredWithinDays { get; set; }

    /// <summary>Within how many days after a child moved the steps of the handover are taken.</summary>
    public int? HandoverWithinDays { get; set; }

    /// <summary>From which share of absence on, in percent, a pupil's attendance is a task; 1 to 100.</summary>
    public int? AbsencePercent { get; set; }

    /// <summary>The same for absence without a valid reason.</summary>
    public int? InvalidAbsencePercent { get; set; }

    /// <summary>How many reported weeks are looked at together; 1 to 52.</summary>
    public int? AbsenceWeeks { get; set; }

    internal int? DaysOf(Clock clock) => Days.FirstOrDefault(day => day.Parameter == clock.Parameter).Value;

    internal int? YearsOf(RetentionRule rule) => Years.FirstOrDefault(year => year.Rule == rule).Value;

    internal int? ValueOf(Limit limit) => limit.Parameter switch
    {
        nameof(AbsencePercent) => AbsencePercent,
        nameof(InvalidAbsencePercent) => InvalidAbsencePercent,
        nameof(AbsenceWeeks) => AbsenceWeeks,
        _ => null,
    };

    /// <summary>Whether every limit that is set is one that makes sense.</summary>
    internal bool IsSound =>
        AbsencePercent is null or (>= 1 and <= 100)
        && InvalidAbsencePercent is null or (>= 1 and <= 100)
        && AbsenceWeeks is null or (>= 1 and <= 52)
        && Days.All(day => day.Value is null or (>= 0 and <= 365))
        && Years.All(year => year.Value is not { } years || (years >= year.Rule.Years && years <= 100));

    private IEnumerable<(string Parameter, int? Value)> Days =>
    [
        (nameof(StartWithinDays), StartWithinDays),
        (nameof(ConsentWarningDays), ConsentWarningDays),
        (nameof(BlockWarningDays), BlockWarningDays),
        (nameof(RiskAssessmentWithinDays), RiskAssessmentWithinDays),
        (nameof(ReassessRiskWithinDays), ReassessRiskWithinDays),
        (nameof(FollowUpWithinDays), FollowUpWithinDays),
        (nameof(ReplyDaysBeforeMeeting), ReplyDaysBeforeMeeting),
        (nameof(MeetingWarningDays), MeetingWarningDays),
        (nameof(SchoolingSecuredWithinDays), SchoolingSecuredWithinDays),
        (nameof(HandoverWithinDays), HandoverWithinDays),
    ];

    private IEnumerable<(RetentionRule Rule, int? Value)> Years =>
        [(PlanRetention.SocialServicesFile, SocialServicesFileYears), (PlanRetention.HealthCareRecord, HealthCareRecordYears), (PlanRetention.AccessLog, AccessLogYears)];
}

/// <summary>How the service answers those who may not know.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// An answer that discloses nothing is sent at the next multiple of this time after the call came in, so that what the service had to look at before it
    /// refused does not show in how long it took. Longer than the work of nearly every refusal, from 10 ms to 1 s.
    /// </summary>
    public TimeSpan RefusalSlot { get; set; } = TimeSpan.FromMilliseconds(25);
}

/// <summary>The population register. Without an address every new person's protection level is not known, and counts as the highest.</summary>
public sealed class RegisterOptions
{
    /// <summary>Base address, https in production; empty for none.</summary>
    public string Address { get; set; } = "";

    /// <summary>PEM file with the authorities of the register's certificate; empty: the machine's.</summary>
    public string TrustedAuthorities { get; set; } = "";

    /// <summary>The service's client certificate for it: PEM; empty for none.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The certificate's private key: PEM.</summary>
    public string Key { get; set; } = "";

    /// <summary>How long it may take to answer; a call waits for it.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);
}

/// <summary>The key ring, outside the database. Made by `coordplan keys create`.</summary>
public sealed class KeyOptions
{
    /// <summary>The file of the ring.</summary>
    public string Ring { get; set; } = "";

    /// <summary>The certificate that it is encrypted for: PEM, RSA.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The certificate's private key: PEM.</summary>
    public string Key { get; set; } = "";
}

/// <summary>Where the service listens, and with which certificates. Files are PEM.</summary>
public sealed class ListenOptions
{
    /// <summary>IP address of the API.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port of the API; 0 takes a free one.</summary>
    public int Port { get; set; } = 7443;

    /// <summary>The service's certificate with its chain.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The private key of the certificate.</summary>
    public string Key { get; set; } = "";

    /// <summary>The authorities whose client certificates are accepted. Every connection needs a client certificate (mTLS).</summary>
    public string ClientAuthorities { get; set; } = "";

    /// <summary>
    /// Port on 127.0.0.1 for health checks (grpc.health.v1 over plaintext HTTP/2, no client certificate, nothing else); null for none, 0 for a free one.
    /// </summary>
    public int? ManagementPort { get; set; }

    /// <summary>
    /// Port for the logs as files (C2SP tlog-tiles over HTTPS, with a client certificate as for the API, nothing else); null for none, 0 for a free one.
    /// </summary>
    public int? LogPort { get; set; }
}

/// <summary>Whose tokens are accepted.</summary>
public sealed class IdentityOptions
{
    /// <summary>One for each identity provider: the national one, the schools' own.</summary>
    public IList<IssuerOptions> Issuers { get; } = [];

    /// <summary>Allowed difference between the clocks of issuer and service.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long ago a login may be that opens emergency access, by the token's <c>auth_time</c>. It can be made shorter, not longer.</summary>
    public TimeSpan FreshLogin { get; set; } = LongestFreshLogin;

    internal static TimeSpan LongestFreshLogin { get; } = TimeSpan.FromMinutes(15);
}

/// <summary>
/// One issuer of access tokens (RFC 9068). Keys are found by discovery. Claim names have those of Inera's IdP by default; another provider's
/// are named here.
/// </summary>
public sealed class IssuerOptions
{
    /// <summary>The issuer's URL, as in <c>iss</c>; https.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What tokens for this service carry in <c>aud</c>.</summary>
    public string Audience { get; set; } = "coordinationplan";

    /// <summary>
    /// Ids of the organisations whose employees and systems this issuer answers for. Where several issuers are accepted, each must name its own:
    /// otherwise one could speak for the people of another.
    /// </summary>
    public IList<string> Organisations { get; } = [];

    /// <summary>Signature algorithms. No others are accepted, never <c>none</c>, never a shared secret.</summary>
    public IList<string> Algorithms { get; } = [];

    /// <summary>Claim with the employee's id. A token without it speaks for the client system itself.</summary>
    public string EmployeeClaim { get; set; } = "employeeHsaId";

    /// <summary>Claim with the chosen assignment, where the provider lets the user choose at login.</summary>
    public string AssignmentClaim { get; set; } = "commissionHsaId";

    /// <summary>Claim with the level of assurance.</summary>
    public string AssuranceClaim { get; set; } = "acr";

    /// <summary>What the values of that claim mean. A value that is not here is unknown, and the policy denies it.</summary>
    public IDictionary<string, AssuranceLevel> AssuranceLevels { get; } = new Dictionary<string, AssuranceLevel>(StringComparer.Ordinal);

    /// <summary>
    /// Whether a token for an employee must be bound to the client certificate (RFC 8705). A provider that cannot bind them may be set to false;
    /// a token that is bound must fit all the same, and a system's own token must always be bound.
    /// </summary>
    public bool EmployeeTokensBound { get; set; } = true;

    /// <summary>PEM file with the authorities of the provider's own TLS certificate; empty: the machine's.</summary>
    public string TrustedAuthorities { get; set; } = "";

    /// <summary>Levels of the Swedish assurance framework as the national providers write them.</summary>
    internal static IReadOnlyDictionary<string, AssuranceLevel> NationalLevels { get; } = new Dictionary<string, AssuranceLevel>(StringComparer.Ordinal)
    {
        ["http://id.sambi.se/loa/loa2"] = AssuranceLevel.Level2,
        ["http://id.sambi.se/loa/loa3"] = AssuranceLevel.Level3,
        ["http://id.sambi.se/loa/loa4"] = AssuranceLevel.Level4,
        ["http://id.elegnamnden.se/loa/1.0/loa2"] = AssuranceLevel.Level2,
        ["http://id.elegnamnden.se/loa/1.0/loa3"] = AssuranceLevel.Level3,
        ["http://id.elegnamnden.se/loa/1.0/loa4"] = AssuranceLevel.Level4,
    };

    internal AssuranceLevel LevelOf(string? value) => value is null ? AssuranceLevel.Unknown
        : AssuranceLevels.TryGetValue(value, out var configured) ? configured
        : NationalLevels.GetValueOrDefault(value);
}

/// <summary>The configuration is not one that the service will run with.</summary>
public sealed class UnsafeConfigurationException(IReadOnlyCollection<string> faults)
    : Exception("The configuration is refused:" + string.Concat(faults.Select(fault => Environment.NewLine + "  - " + fault)))
{
    public IReadOnlyCollection<string> Faults => faults;
}
