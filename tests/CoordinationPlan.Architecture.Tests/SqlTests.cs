using System.Text.RegularExpressions;

namespace CoordinationPlan.Architecture.Tests;

/// <summary>Where SQL stands, and whose tables it names.</summary>
public sealed partial class SqlTests
{
    /// <summary>The slice that owns each table. Only its own SQL writes it.</summary>
    private static readonly Dictionary<string, string> Owners = new()
    {
        ["organisation"] = "Directory",
        ["board"] = "Directory",
        ["unit"] = "Directory",
        ["employee"] = "Directory",
        ["assignment"] = "Directory",
        ["subject"] = "Crypto",
        ["subject_key"] = "Crypto",
        ["service_key"] = "Crypto",
        ["protection_decision"] = "Protection",
        ["block"] = "Protection",
        ["whereabouts"] = "Protection",
        ["location_secrecy"] = "Protection",
        ["plan"] = "Plans",
        ["plan_part"] = "Plans",
        ["plan_search_key"] = "Plans",
        ["plan_revision"] = "Plans",
        ["plan_revision_part"] = "Plans",
        ["plan_proposal"] = "Plans",
        ["proposal_answer"] = "Plans",
        ["participation"] = "Participations",
        ["synced_participation"] = "Participations",
        ["consent"] = "Consents",
        ["meeting"] = "Meetings",
        ["meeting_call"] = "Meetings",
        ["risk_assessment"] = "Risk",
        ["plan_copy"] = "Copies",
        ["discharge_notice"] = "Discharge",
        ["school_arrangement"] = "Schooling",
        ["school_attendance"] = "Schooling",
        ["legal_release"] = "Releases",
        ["emergency_access"] = "Emergency",
        ["plan_suggestion"] = "Suggestions",
        ["school_routine"] = "Routines",
        ["disclosure"] = "Disclosures",
        ["alert"] = "Access",
        ["search_miss"] = "Access",
        ["access_log"] = "Audit",
        ["log_pending"] = "Log",
        ["log_state"] = "Log",
        ["log_leaf"] = "Log",
        ["log_tile"] = "Log",
        ["log_checkpoint"] = "Log",
        ["log_disposal"] = "Log",
        ["log_disposal_kept"] = "Log",
        ["request_outcome"] = "Access",
        ["directory_request_outcome"] = "Access",
        ["change_pending"] = "Changes",
        ["change_receiver"] = "Changes",
        ["change_standing"] = "Changes",
        ["change_item"] = "Changes",
        ["change_recall"] = "Changes",
        ["change_rejection"] = "Changes",
        ["change_day"] = "Changes",
        ["installation"] = "Database",
        ["schema_migration"] = "Database",
    };

    /// <summary>
    /// What a file reads of another slice, beside the directory, which everybody refers to. Each is a question that its own statement must
    /// answer in the same round trip; a new one is a decision, not a habit.
    /// </summary>
    private static readonly Dictionary<string, string[]> ReadsElsewhere = new()
    {
        // Facts: whatever the access decision rests on.
        ["Access/FactsSql.cs"] = ["plan", "plan_search_key", "participation", "consent", "legal_release", "emergency_access", "subject", "subject_key", "block", "whereabouts", "plan_suggestion", "location_secrecy", "school_arrangement"],
        // Locks of a person's plans, and of a plan's person.
        ["Access/LocksSql.cs"] = ["plan", "subject"],
        // The owning unit that hears of a blocked attempt.
        ["Access/AlertSql.cs"] = ["plan"],
        // The key that opens a kept answer.
        ["Access/RequestOutcomeSql.cs"] = ["subject_key"],
        // The person of a plan.
        ["Crypto/SubjectSql.cs"] = ["plan"],
        // Decisions of the person are reached through a plan; whereabouts have a key of their own.
        ["Protection/ProtectionSql.cs"] = ["plan", "subject_key"],
        // What the unit hears of and has to do, of every slice.
        ["Oversight/OversightSql.cs"] = ["alert", "plan", "plan_part", "location_secrecy", "block", "legal_release", "emergency_access", "subject", "consent", "meeting", "meeting_call", "risk_assessment", "discharge_notice", "plan_suggestion", "whereabouts", "school_arrangement", "school_attendance", "synced_participation",
            "change_recall", "change_rejection", "change_item", "change_receiver"],
        // Whose plans an emergency access is about.
        ["Emergency/EmergencySql.cs"] = ["plan", "subject"],
        // Whose plans the person of a suggestion has, and which of them was opened from it.
        ["Suggestions/SuggestionSql.cs"] = ["plan", "subject"],
        // Whom a search by identity number is about.
        ["Audit/AccessLogSql.cs"] = ["subject", "block", "whereabouts"],
        // Whether the school takes part and something is released to it, before it is told of its pupil; who works in the owning unit.
        ["Schooling/SchoolingSql.cs"] = ["plan", "participation", "consent", "legal_release"],
        // Whether the unit that is to take part owns the plan.
        ["Participations/ParticipationSql.cs"] = ["plan"],
        // Whether the unit that answers for an item still takes part.
        ["Plans/PartSql.cs"] = ["participation"],
        // Whether somebody has consented, is summoned and has met, before a plan is taken further; when anything was last written, before it is disposed of.
        ["Plans/PlanSql.cs"] =
        [
            "consent", "meeting", "meeting_call", "participation", "discharge_notice", "legal_release", "block", "location_secrecy", "whereabouts", "protection_decision", "emergency_access",
        ],
        // Whether the units that are called take part in the plan or own it.
        ["Meetings/MeetingSql.cs"] = ["plan", "participation"],
        // Who was called to meetings and came, as it stood on a day, of one controller's plans.
        ["Indicators/AttendanceSql.cs"] = ["meeting", "meeting_call", "plan"],
        // The units that tell where the person is: of the whereabouts, of those that take part, and of a child's schooling.
        ["Disclosures/DisclosureSql.cs"] = ["plan", "participation", "whereabouts", "school_arrangement"],
        // Whose person and controller a change is about, for its log entry.
        ["Changes/ChangeSql.cs"] = ["plan"],
        // Which units a change concerns, which things there are in a plan, and what begins or ends with a day.
        ["Changes/FanOutSql.cs"] = ["plan", "participation", "meeting", "meeting_call", "consent", "legal_release", "school_arrangement", "block", "synced_participation"],
        // What goes in the trees is hashed as it is stored.
        ["Log/SequencerSql.cs"] = ["access_log"],
        // Every entry is compared with its leaf.
        ["Log/LogCheckSql.cs"] = ["access_log"],
        // What is removed, and what the entries of a decision say.
        ["Log/LogDisposalSql.cs"] = ["access_log"],
        // The entry that says who prepared the directory.
        ["Directory/Bootstrap.cs"] = ["access_log"],
    };

    [Fact]
    public void Sql_stands_in_the_slices_sql_files_and_in_the_few_places_that_have_no_slice()
    {
        var elsewhere =
            from file in Source.OfTheServer
            where !MayHoldSql(file)
            from sql in Source.StatementsIn(file)
            select $"{file.Path}: {sql.Trim()}";

        Assert.Empty(elsewhere);
    }

    [Fact]
    public void Sql_is_found_where_it_stands()
    {
        // The other tests here would pass if they found no SQL at all.
        Assert.All(
            Source.OfTheServer.Where(file => file.Name.EndsWith("Sql.cs", StringComparison.Ordinal)),
            file => Assert.True(Source.StatementsIn(file).Any(), $"{file.Path} holds no SQL."));
        Assert.Equal(Owners.Keys.Except(["schema_migration"]).Order(), TablesOfTheSchema().Order());
    }

    [Fact]
    public void Every_table_that_is_named_belongs_to_a_slice()
    {
        var nobodys =
            from use in Uses()
            where !Owners.ContainsKey(use.Table)
            select $"{use.File.Path} names {use.Table}";

        Assert.Empty(nobodys);
    }

    [Fact]
    public void A_slice_writes_only_its_own_tables()
    {
        var strangers =
            from use in Uses()
            where use.Writes && use.Owner != use.File.Slice && !IsAllowed(use)
            select $"{use.File.Path} writes {use.Table} of {use.Owner}";

        Assert.Empty(strangers);
    }

    [Fact]
    public void A_slice_reads_its_own_tables_the_directory_and_what_is_listed()
    {
        var strangers =
            from use in Uses()
            where !use.Writes && use.Owner != use.File.Slice && use.Owner != "Directory" && !IsAllowed(use)
            select $"{use.File.Path} reads {use.Table} of {use.Owner}";

        Assert.Empty(strangers);
    }

    [Fact]
    public void Nothing_is_listed_that_is_not_read()
    {
        var used = Uses().Select(use => (KeyOf(use.File), use.Table)).ToHashSet();

        Assert.All(
            from entry in ReadsElsewhere from table in entry.Value select (entry.Key, table),
            listed => Assert.Contains(listed, used));
    }

    private static bool MayHoldSql(SourceFile file) =>
        file.Name.EndsWith("Sql.cs", StringComparison.Ordinal)
        || file.Slice == "Database"
        || KeyOf(file) is "Directory/Bootstrap.cs" or "Hosting/AccessLogPartitions.cs" or "Hosting/DatabaseHealth.cs"
            // The keys are made and wrapped outside any request.
            or "Crypto/ServiceKeys.cs" or "Crypto/Rewrapping.cs";

    private static bool IsAllowed(Use use) => ReadsElsewhere.GetValueOrDefault(KeyOf(use.File), []).Contains(use.Table);

    private static string KeyOf(SourceFile file) => file.Path[Source.Server.Length..];

    private sealed record Use(SourceFile File, string Table, bool Writes)
    {
        public string Owner => Owners.GetValueOrDefault(Table, "nobody");
    }

    /// <summary>Every table that a statement names, by where it names it. What a WITH defines is no table.</summary>
    private static IEnumerable<Use> Uses() =>
        from file in Source.OfTheServer
        from sql in Source.SqlIn(file)
        from use in Table().Matches(sql)
            // A history belongs to whom its table belongs to.
        let table = use.Groups["table"].Value is var named && named.EndsWith("_history", StringComparison.Ordinal) ? named[..^"_history".Length] : use.Groups["table"].Value
        where !IsSystems(table)
        select new Use(file, table, use.Groups["verb"].Value is "INTO" or "UPDATE" or "DELETE FROM" or "TRUNCATE");

    private static bool IsSystems(string name) => name is "unnest" or "generate_series" || name.StartsWith("pg_", StringComparison.Ordinal);

    private static IEnumerable<string> TablesOfTheSchema() =>
        from file in Source.Files
        where file.Path.StartsWith(Source.Server + "Database/Migrations/", StringComparison.Ordinal)
        from table in CreateTable().Matches(file.Text)
        select table.Groups["table"].Value;

    // A table after a verb, or after the comma of a FROM. DO UPDATE SET names none: it is the INSERT's.
    [GeneratedRegex(
        @"(?<!DO\s+)(\b(?<verb>DELETE FROM|FROM|JOIN|INTO|UPDATE|TRUNCATE)\s+|(?<=\bFROM\s+[a-z_.]+(\s+(AS\s+)?[a-z_]+)?),\s*)(coordinationplan\.)?(?<table>[a-z_]+)",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Table();

    [GeneratedRegex(@"^CREATE TABLE (?<table>[a-z_]+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline)]
    private static partial Regex CreateTable();
}
