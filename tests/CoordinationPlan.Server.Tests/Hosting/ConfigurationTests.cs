using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Server.Tests.Hosting;

/// <summary>A configuration that is not safe is refused before anything listens, with every fault named.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    private static readonly Dictionary<string, (Action<ServerOptions> Spoil, string Fault)> Faults = new()
    {
        ["no database"] = (options => options.Database.ConnectionString = "", "Database:ConnectionString"),
        ["a database string that is none"] = (options => options.Database.ConnectionString = "Hast=x;Blankett", "Database:ConnectionString"),
        ["a database over the network in the clear"] = (options => options.Database.ConnectionString = "Host=db.example;Database=x", "Database:ConnectionString"),
        ["a database whose certificate is not checked"] =
            (options => options.Database.ConnectionString = "Host=db.example;Database=x;SSL Mode=Require", "Database:ConnectionString"),
        ["a socket beside a host in the clear"] = (options => options.Database.ConnectionString = "Host=/run,db.example;Database=x", "Database:ConnectionString"),
        ["no connections"] = (options => options.Database.MaxConnections = 0, "Database:MaxConnections"),
        ["all connections for one system"] = (options => options.Limits.CallsAtOnce = options.Database.MaxConnections, "Limits:CallsAtOnce"),
        ["no certificate"] = (options => options.Listen.Certificate = "", "Listen:Certificate"),
        ["a certificate that is not there"] = (options => options.Listen.Certificate = "/nowhere.pem", "Listen:Certificate"),
        ["no key"] = (options => options.Listen.Key = "", "Listen:Key"),
        ["no client authorities"] = (options => options.Listen.ClientAuthorities = "", "Listen:ClientAuthorities"),
        ["no key ring"] = (options => options.Keys.Ring = "", "Keys:Ring"),
        ["no certificate of the key ring"] = (options => options.Keys.Certificate = "/nowhere.pem", "Keys:Certificate"),
        ["no key of the key ring"] = (options => options.Keys.Key = "", "Keys:Key"),
        ["a host name to listen on"] = (options => options.Listen.Address = "localhost", "Listen:Address"),
        ["a login that is fresh for long"] = (options => options.Identity.FreshLogin = TimeSpan.FromMinutes(16), "Identity:FreshLogin"),
        ["a login that is never fresh"] = (options => options.Identity.FreshLogin = TimeSpan.Zero, "Identity:FreshLogin"),
        ["a negative clock skew"] = (options => options.Identity.ClockSkew = TimeSpan.FromSeconds(-1), "Identity:ClockSkew"),
        ["a generous clock skew"] = (options => options.Identity.ClockSkew = TimeSpan.FromMinutes(5), "Identity:ClockSkew"),
        ["no issuers"] = (options => options.Identity.Issuers.Clear(), "Identity:Issuers is empty"),
        ["an issuer twice"] = (options => options.Identity.Issuers.Add(Issuer(options.Identity.Issuers[0].Issuer, "2321000016")), "names an issuer twice"),
        ["an issuer without organisations beside another"] = (options => options.Identity.Issuers.Add(Issuer("https://other.example/")), "Organisations"),
        ["two issuers for an organisation"] = (options => options.Identity.Issuers.Add(Issuer("https://other.example/", "2120000142")), "the same organisation"),
        ["an issuer in the clear"] = (options => options.Identity.Issuers[0].Issuer = "http://idp.example/", "not an https address"),
        ["an issuer that is no address"] = (options => options.Identity.Issuers[0].Issuer = "idp.example", "not an https address"),
        ["an issuer on this machine"] = (options => options.Identity.Issuers[0].Issuer = "https://localhost:5001/", "on this machine"),
        ["an issuer on this machine by number"] = (options => options.Identity.Issuers[0].Issuer = "https://127.0.0.1/", "on this machine"),
        ["an issuer on this machine by another number"] = (options => options.Identity.Issuers[0].Issuer = "https://127.1.2.3/", "on this machine"),
        ["an issuer on this machine by IPv6"] = (options => options.Identity.Issuers[0].Issuer = "https://[::1]/", "on this machine"),
        ["an issuer on this machine, IPv4 in IPv6"] = (options => options.Identity.Issuers[0].Issuer = "https://[::ffff:127.0.0.1]/", "on this machine"),
        ["an issuer on any address"] = (options => options.Identity.Issuers[0].Issuer = "https://0.0.0.0/", "on this machine"),
        ["an issuer on this machine with a full stop"] = (options => options.Identity.Issuers[0].Issuer = "https://localhost./", "on this machine"),
        ["an issuer below localhost"] = (options => options.Identity.Issuers[0].Issuer = "https://idp.localhost/", "on this machine"),
        ["no audience"] = (options => options.Identity.Issuers[0].Audience = "", "Audience"),
        ["no employee claim"] = (options => options.Identity.Issuers[0].EmployeeClaim = "", "EmployeeClaim"),
        ["no assurance claim"] = (options => options.Identity.Issuers[0].AssuranceClaim = "", "AssuranceClaim"),
        ["unsigned tokens"] = (options => options.Identity.Issuers[0].Algorithms.Add("none"), "not asymmetric"),
        ["a shared secret"] = (options => options.Identity.Issuers[0].Algorithms.Add("HS256"), "not asymmetric"),
        ["a shared secret beside a key"] = (options => Array.ForEach(["ES256", "HS512"], options.Identity.Issuers[0].Algorithms.Add), "not asymmetric"),
        ["authorities of the issuer that are not there"] = (options => options.Identity.Issuers[0].TrustedAuthorities = "/nowhere.pem", "TrustedAuthorities"),
        ["a limit of law that has passed"] = (options => options.Law.Default.StartWithinDays = -1, "Law:"),
        ["a controller's limit of more than a year"] = (options => options.Law.Controllers["boards/b"] = new() { RiskAssessmentWithinDays = 366 }, "Law:"),
        ["a time that the law does not leave"] = (options => options.Law.Controllers["boards/b"] = new() { HealthCareRecordYears = 9 }, "Law:"),
        ["a time without end"] = (options => options.Law.Default.SocialServicesFileYears = 101, "Law:"),
        ["a share of absence of nothing"] = (options => options.Law.Default.AbsencePercent = 0, "Law:"),
        ["a controller's share of absence of more than all"] = (options => options.Law.Controllers["boards/b"] = new() { InvalidAbsencePercent = 101 }, "Law:"),
        ["no weeks of absence"] = (options => options.Law.Default.AbsenceWeeks = 0, "Law:"),
        ["a log without a name"] = (options => options.Log.Name = "", "Log:Name"),
        ["a log whose name is no line of a note"] = (options => options.Log.Name = "log.example.se\nx", "Log:Name"),
        ["no key of receipts"] = (options => options.Log.ReceiptKey = "", "Log:ReceiptKey"),
        ["a publisher's key that is not there"] = (options => options.Log.PublisherKey = "/nowhere.key", "Log:PublisherKey"),
        ["a publisher without a memory"] = (options => options.Log.Directory = "/nowhere", "Log:Directory"),
        ["a log that is hardly ever sequenced"] = (options => options.Log.SequenceEvery = TimeSpan.FromMinutes(1), "Log:SequenceEvery"),
        ["a log that is hardly ever published"] = (options => options.Log.PublishEvery = TimeSpan.FromHours(1), "Log:PublishEvery"),
        ["disposals that wait for days"] = (options => options.Log.DisposeEvery = TimeSpan.FromDays(2), "Log:DisposeEvery"),
        ["a log that is kept for less than the law demands"] = (options => options.Law.Default.AccessLogYears = 4, "Law:"),
        ["a log that is signed without a pause"] = (options => options.Log.RepublishAfter = TimeSpan.Zero, "Log:RepublishAfter"),
        ["a promise that cannot be kept"] = (options => options.Log.MaximumMergeDelay = TimeSpan.FromSeconds(1), "Log:MaximumMergeDelay"),
        ["batches of nothing"] = (options => options.Log.BatchSize = 0, "Log:BatchSize"),
        ["a witness in the clear"] = (options => options.Log.Witnesses.Add(Witness("http://witness.example/")), "Log:Witnesses:0:Address"),
        ["a witness with a key that signs without a time"] = (options => options.Log.Witnesses.Add(Witness("https://witness.example/", NoteAlgorithm.Ed25519)), "Log:Witnesses"),
        ["more witnesses needed than there are"] = (options => options.Log.WitnessesNeeded = 1, "Log:Witnesses"),
        ["an installation that is neither"] = (options => options.Installation = (InstallationKind)7, "Installation"),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Fact]
    public void A_limit_of_law_is_the_controllers_own_else_everybodys_else_the_rules()
    {
        var law = new LawOptions { Default = { RiskAssessmentWithinDays = 5, StartWithinDays = 0 }, Controllers = { ["a"] = new() { RiskAssessmentWithinDays = 2 } } };

        Assert.Equal(
            [2, 5, 0, 0, PlanLaw.ConsentEnds.Days, PlanLaw.Discharge.Days],
            new[]
            {
                law.DaysOf(PlanLaw.Risk, "a"), law.DaysOf(PlanLaw.Risk, "b"), law.DaysOf(PlanLaw.Start, "a"), law.DaysOf(PlanLaw.Start, "b"), law.DaysOf(PlanLaw.ConsentEnds, "a"),
                law.DaysOf(PlanLaw.Discharge, "a"),
            });
        Assert.Equal(
            [1, 30, SchoolingLaw.AbsenceWeeks.Value],
            new LawOptions { Default = { AbsencePercent = 30 }, Controllers = { ["a"] = new() { AbsencePercent = 1 } } } is var other
                ? new[] { other.ValueOf(SchoolingLaw.Absence, "a"), other.ValueOf(SchoolingLaw.Absence, "b"), other.ValueOf(SchoolingLaw.AbsenceWeeks, "a") }
                : []);
        // Every parameter that the page of law names can be set, and no other.
        Assert.Equal(
            PlanLaw.Clocks.Concat(SchoolingLaw.Clocks).Select(clock => clock.Parameter).Concat(SchoolingLaw.Limits.Select(limit => limit.Parameter))
                .Concat(PlanRetention.Rules.Select(rule => rule.Parameter)).OfType<string>().Append(PlanRetention.SampledBirths.Parameter).Order(),
            typeof(LawParameters).GetProperties().Select(property => property.Name).Order());
        Assert.All(PlanLaw.Clocks.Concat(SchoolingLaw.Clocks).Where(clock => clock.Parameter is not null), clock =>
        {
            var set = new LawParameters();
            typeof(LawParameters).GetProperty(clock.Parameter!)!.SetValue(set, 11);
            Assert.Equal((11, clock.Days), (new LawOptions { Default = set }.DaysOf(clock, "a"), new LawOptions().DaysOf(clock, "a")));
        });
    }

    [Fact]
    public void What_is_kept_is_kept_as_long_as_its_controller_says_else_as_everybody_else_the_rule()
    {
        var law = new LawOptions
        {
            Default = { SocialServicesFileYears = 7, KeepsSampledBirths = false },
            Controllers = { ["a"] = new() { SocialServicesFileYears = 8, HealthCareRecordYears = 20, KeepsSampledBirths = true } },
        };

        Assert.Equal(
            [8, 7, 20, 10],
            new[]
            {
                law.YearsOf(PlanRetention.SocialServicesFile, "a"), law.YearsOf(PlanRetention.SocialServicesFile, "b"), law.YearsOf(PlanRetention.HealthCareRecord, "a"),
                law.YearsOf(PlanRetention.HealthCareRecord, "b"),
            });
        Assert.Equal((true, false, true), (law.KeepsSampledBirths("a"), law.KeepsSampledBirths("b"), new LawOptions().KeepsSampledBirths("b")));
    }

    [Fact]
    public void A_safe_configuration_is_accepted()
    {
        SafeConfiguration.Require(Safe());

        var development = Safe();
        development.Installation = InstallationKind.Development;
        development.Identity.Issuers[0].Issuer = "https://localhost:5001/";
        SafeConfiguration.Require(development);

        var overTheNetwork = Safe();
        overTheNetwork.Database.ConnectionString = "Host=db.example;Database=x;SSL Mode=VerifyFull";
        overTheNetwork.Listen.Address = "0.0.0.0";
        SafeConfiguration.Require(overTheNetwork);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_unsafe_configuration_is_refused_with_its_fault(string name)
    {
        var options = Safe();
        Faults[name].Spoil(options);

        var refusal = Assert.Throws<UnsafeConfigurationException>(() => SafeConfiguration.Require(options));

        Assert.Contains(Faults[name].Fault, Assert.Single(refusal.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public void Development_stays_on_the_machine(string address)
    {
        var options = Safe();
        options.Installation = InstallationKind.Development;
        options.Listen.Address = address;

        var refusal = Assert.Throws<UnsafeConfigurationException>(() => SafeConfiguration.Require(options));

        Assert.Contains("loopback", Assert.Single(refusal.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var refusal = Assert.Throws<UnsafeConfigurationException>(() => SafeConfiguration.Require(new ServerOptions()));

        Assert.Equal(10, refusal.Faults.Count);
        Assert.All(refusal.Faults, fault => Assert.Contains(fault, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Production_is_what_a_service_is_that_does_not_say_what_it_is() => Assert.Equal(InstallationKind.Production, new ServerOptions().Installation);

    [Theory]
    [InlineData("http://id.sambi.se/loa/loa2", AssuranceLevel.Level2)]
    [InlineData("http://id.sambi.se/loa/loa3", AssuranceLevel.Level3)]
    [InlineData("http://id.elegnamnden.se/loa/1.0/loa4", AssuranceLevel.Level4)]
    [InlineData("http://id.sambi.se/loa/LOA3", AssuranceLevel.Unknown)]
    [InlineData("loa3", AssuranceLevel.Unknown)]
    [InlineData("", AssuranceLevel.Unknown)]
    [InlineData(null, AssuranceLevel.Unknown)]
    public void An_assurance_that_is_not_known_word_for_word_is_unknown(string? claim, AssuranceLevel level) => Assert.Equal(level, new IssuerOptions().LevelOf(claim));

    public void Dispose() => File.Delete(_file);

    private static IssuerOptions Issuer(string address, params IEnumerable<string> organisations)
    {
        var issuer = new IssuerOptions { Issuer = address };
        foreach (var organisation in organisations)
        {
            issuer.Organisations.Add(organisation);
        }

        return issuer;
    }

    private static LogWitness Witness(string address, NoteAlgorithm algorithm = NoteAlgorithm.Cosignature)
    {
        using var key = new NoteSigner("witness.example/w", new byte[32], algorithm);
        return new LogWitness { Address = address, Key = key.Verifier.ToString() };
    }

    private ServerOptions Safe() => new()
    {
        Database = { ConnectionString = "Host=/run/postgresql;Database=coordinationplan" },
        Listen = { Certificate = _file, Key = _file, ClientAuthorities = _file },
        Identity = { Issuers = { Issuer("https://idp.example/", "2120000142") } },
        Keys = { Ring = _file, Certificate = _file, Key = _file },
        Log = { Name = "log.example.se", ReceiptKey = _file, PublisherKey = _file, Directory = Path.GetTempPath() },
    };
}
