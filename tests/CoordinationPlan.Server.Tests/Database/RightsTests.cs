using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Tests.Database;

/// <summary>The second wall: what each of the service's roles can do in the database, whatever the code above it does.</summary>
public sealed class RightsTests(Service service) : IClassFixture<Service>
{
    /// <summary>
    /// Every right of every role on every table. S reads, I adds, U changes; nobody removes (D), empties (T) or does anything else. A table that
    /// is not here may not be touched by any of the three.
    /// </summary>
    private static readonly Dictionary<string, (string Case, string LogReview, string Directory)> Expected = new()
    {
        // Of what they have entered, cases and the directory read when and for which controller, for the receipt.
        ["access_log"] = ("SI", "SI", "SI"),
        ["log_state"] = ("", "S", ""),
        ["log_leaf"] = ("", "S", ""),
        ["log_tile"] = ("", "S", ""),
        ["log_checkpoint"] = ("", "S", ""),
        ["log_pending"] = ("", "S", ""),
        ["log_disposal"] = ("", "SIU", ""),
        ["log_disposal_kept"] = ("", "SI", ""),
        ["alert"] = ("SI", "", ""),
        ["assignment"] = ("S", "S", "SIU"),
        ["block"] = ("SIU", "S", ""),
        ["board"] = ("S", "S", "SIU"),
        ["consent"] = ("SIU", "", ""),
        ["meeting"] = ("SIU", "", ""),
        ["meeting_call"] = ("SIU", "", ""),
        ["risk_assessment"] = ("SIU", "", ""),
        ["plan_copy"] = ("SI", "", ""),
        ["discharge_notice"] = ("SI", "", ""),
        ["plan_proposal"] = ("SIU", "", ""),
        ["proposal_answer"] = ("SIU", "", ""),
        // Log reviewers change disposals of logs and nothing else.
        ["directory_request_outcome"] = ("", "SI", "SI"),
        ["emergency_access"] = ("SIU", "", ""),
        ["employee"] = ("S", "S", "SIU"),
        ["installation"] = ("S", "S", "S"),
        ["legal_release"] = ("SIU", "", ""),
        ["location_secrecy"] = ("SIU", "", ""),
        ["organisation"] = ("S", "S", "SIU"),
        ["participation"] = ("SIU", "", ""),
        ["plan"] = ("SIU", "", ""),
        ["plan_suggestion"] = ("SIU", "", ""),
        ["synced_participation"] = ("SIU", "", ""),
        ["plan_search_key"] = ("SIUD", "", ""),
        ["plan_part"] = ("SIU", "", ""),
        // What was agreed is read as it was.
        ["plan_history"] = ("S", "", ""),
        // By which day what has been reviewed and renewed since was due.
        ["consent_history"] = ("S", "", ""),
        ["location_secrecy_history"] = ("S", "", ""),
        ["plan_part_history"] = ("S", "", ""),
        ["school_arrangement_history"] = ("S", "", ""),
        // Counts are of how things stood on a day.
        ["meeting_history"] = ("S", "", ""),
        ["meeting_call_history"] = ("S", "", ""),
        ["plan_revision"] = ("SI", "", ""),
        ["plan_revision_part"] = ("SI", "", ""),
        ["protection_decision"] = ("SI", "", ""),
        ["request_outcome"] = ("SI", "", ""),
        ["schema_migration"] = ("S", "S", "S"),
        ["disclosure"] = ("SI", "", ""),
        ["school_routine"] = ("SI", "", ""),
        ["search_miss"] = ("SI", "", ""),
        ["service_key"] = ("SI", "S", "S"),
        ["subject"] = ("SIU", "S", ""),
        // Disposal destroys keys and what a person is found by; nothing else is ever removed.
        ["subject_key"] = ("SID", "", ""),
        ["unit"] = ("S", "S", "SIU"),
        // A reviewer sees that a person is placed, and nothing of where.
        ["whereabouts"] = ("SIU", "S", ""),
        ["school_arrangement"] = ("SIU", "", ""),
        ["school_attendance"] = ("SIU", "", ""),
        // A call begins a feed, delivers and confirms.
        ["change_receiver"] = ("SIU", "", ""),
        ["change_pending"] = ("I", "", ""),
        ["change_standing"] = ("SU", "", ""),
        ["change_item"] = ("SU", "", ""),
        ["change_recall"] = ("SU", "", ""),
        ["change_rejection"] = ("SI", "", ""),
    };

    /// <summary>The same for the roles of the log. Who builds the trees has no right on what is signed, and who signs none on what is in them.</summary>
    private static readonly string[] OfTheLog =
    [
        "access_log: coordplan_sequencer S", "log_pending: coordplan_sequencer SD", "log_state: coordplan_sequencer SIU", "log_leaf: coordplan_sequencer SI",
        "log_tile: coordplan_sequencer SIU", "log_state: coordplan_publisher S", "log_leaf: coordplan_publisher S", "log_tile: coordplan_publisher S",
        "log_checkpoint: coordplan_publisher SIU", "access_log: coordplan_auditor S", "log_pending: coordplan_auditor S", "log_state: coordplan_auditor S",
        "log_leaf: coordplan_auditor S", "log_tile: coordplan_auditor S", "log_checkpoint: coordplan_auditor S", "installation: coordplan_auditor S",
        "schema_migration: coordplan_auditor S", "log_disposal: coordplan_auditor S", "log_disposal_kept: coordplan_auditor S", "access_log: coordplan_disposer SD",
        "log_state: coordplan_disposer S", "log_leaf: coordplan_disposer S", "log_checkpoint: coordplan_disposer S", "log_disposal: coordplan_disposer SU",
        "log_disposal_kept: coordplan_disposer S",
    ];

    /// <summary>The same for the role that puts changes in order: the facts that decide, and of nothing the content.</summary>
    private static readonly string[] OfTheFeed =
    [
        "change_pending SID", "change_receiver SU", "change_standing SIU", "change_item SID", "change_recall SI", "change_rejection SD", "change_day SIU", "organisation S", "unit S",
        "assignment S", "participation S", "meeting_call S", "employee S", "plan S", "subject S", "subject_key S", "synced_participation S", "consent S", "legal_release S", "block S", "emergency_access S",
        "whereabouts S", "location_secrecy S", "school_arrangement S", "meeting S",
    ];

    public static TheoryData<DatabaseRole> Roles => [.. Enum.GetValues<DatabaseRole>()];

    [Fact]
    public async Task Each_role_has_just_the_rights_that_are_written_here()
    {
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT c.relname, r.rolname,
                   concat(
                       CASE WHEN has_any_column_privilege(r.oid, c.oid, 'SELECT') THEN 'S' END,
                       CASE WHEN has_any_column_privilege(r.oid, c.oid, 'INSERT') THEN 'I' END,
                       CASE WHEN has_any_column_privilege(r.oid, c.oid, 'UPDATE') THEN 'U' END,
                       CASE WHEN has_table_privilege(r.oid, c.oid, 'DELETE') THEN 'D' END,
                       CASE WHEN has_table_privilege(r.oid, c.oid, 'TRUNCATE') THEN 'T' END,
                       CASE WHEN has_any_column_privilege(r.oid, c.oid, 'REFERENCES') THEN 'R' END,
                       CASE WHEN has_table_privilege(r.oid, c.oid, 'TRIGGER') THEN 'G' END)
            FROM pg_class c, pg_roles r
            WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND r.rolname IN ('coordplan_case', 'coordplan_log_review', 'coordplan_directory')
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            if (reader.GetString(2).Length > 0)
            {
                found.Add($"{reader.GetString(0)}: {reader.GetString(1)} {reader.GetString(2)}");
            }
        }

        var expected = Expected.SelectMany(table => new[]
        {
            (Role: "coordplan_case", Rights: table.Value.Case),
            (Role: "coordplan_log_review", Rights: table.Value.LogReview),
            (Role: "coordplan_directory", Rights: table.Value.Directory),
        }.Where(right => right.Rights.Length > 0).Select(right => $"{table.Key}: {right.Role} {right.Rights}"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_roles_of_the_log_have_just_the_rights_that_are_written_here()
    {
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT format('%s: %s %s', c.relname, r.rolname, string_agg(p.name, '' ORDER BY p.n))
            FROM pg_class c, pg_roles r, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) WITH ORDINALITY AS x (right_name, n),
                 LATERAL (SELECT left(x.right_name, 1) AS name, x.n WHERE has_table_privilege(r.oid, c.oid, x.right_name)
                          OR x.right_name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(r.oid, c.oid, CASE WHEN x.right_name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN x.right_name ELSE 'SELECT' END)) p
            WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND r.rolname IN ('coordplan_sequencer', 'coordplan_publisher', 'coordplan_auditor', 'coordplan_disposer')
            GROUP BY c.relname, r.rolname
            """);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var found = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            found.Add(reader.GetString(0));
        }

        Assert.Equal(OfTheLog.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_role_of_the_feed_has_just_the_rights_that_are_written_here_and_reads_no_content()
    {
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT c.relname || ' ' || concat(
                CASE WHEN has_any_column_privilege('coordplan_feed', c.oid, 'SELECT') THEN 'S' END,
                CASE WHEN has_any_column_privilege('coordplan_feed', c.oid, 'INSERT') THEN 'I' END,
                CASE WHEN has_any_column_privilege('coordplan_feed', c.oid, 'UPDATE') THEN 'U' END,
                CASE WHEN has_table_privilege('coordplan_feed', c.oid, 'DELETE') THEN 'D' END,
                CASE WHEN has_table_privilege('coordplan_feed', c.oid, 'TRUNCATE') THEN 'T' END)
            FROM pg_class c WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var found = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            found.Add(reader.GetString(0));
        }

        Assert.Equal(OfTheFeed.Order(StringComparer.Ordinal), found.Where(right => !right.EndsWith(' ')).Order(StringComparer.Ordinal));
        Assert.Equal(0L, await Scalar<long>(
            """
            SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname IN ('body', 'identity', 'display_name') AND c.relname NOT IN ('organisation', 'unit')
              AND has_column_privilege('coordplan_feed', c.oid, a.attnum, 'SELECT')
            """));
    }

    [Fact]
    public async Task No_role_creates_anything_owns_anything_or_is_anything_else()
    {
        Assert.Equal(0L, await Scalar<long>(
            """
            SELECT count(*) FROM pg_roles
            WHERE rolname LIKE 'coordplan\_%' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
                OR (rolname <> 'coordplan_owner') <> rolcanlogin OR has_schema_privilege(oid, 'coordinationplan', 'CREATE') AND rolname <> 'coordplan_owner')
            """));
        Assert.Equal(0L, await Scalar<long>("SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'coordplan\\_%'"));
        Assert.Equal(0L, await Scalar<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'coordinationplan'::regnamespace AND relkind IN ('r', 'p') AND relowner <> 'coordplan_owner'::regrole"));
    }

    [Fact]
    public async Task The_only_function_that_a_role_may_call_makes_partitions()
    {
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT r.rolname || ' ' || p.proname FROM pg_proc p, pg_roles r
            WHERE p.pronamespace = 'coordinationplan'::regnamespace AND r.rolname IN ('coordplan_case', 'coordplan_log_review', 'coordplan_directory')
              AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0));
        }

        Assert.Equal(["coordplan_case ensure_access_log_partitions"], found);
    }

    [Fact]
    public async Task The_time_of_an_entry_is_the_databases_and_not_given_by_any_role() =>
        Assert.Equal(0L, await Scalar<long>(
            """
            SELECT count(*) FROM pg_roles r
            WHERE r.rolname IN ('coordplan_case', 'coordplan_log_review', 'coordplan_directory')
              AND has_column_privilege(r.oid, 'coordinationplan.access_log', 'occurred_at', 'INSERT')
            """));

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_role_that_tries_cannot_touch_what_stands_in_the_log_or_in_a_history(DatabaseRole role)
    {
        await using var sources = new DataSources(service.Database.Options);
        foreach (var table in new[] { "access_log", "plan_part_history", "consent_history", "assignment_history" })
        {
            foreach (var statement in new[] { $"UPDATE {table} SET changed_by = 'x'", $"DELETE FROM {table}", $"TRUNCATE {table}" })
            {
                await IsForbidden(sources.For(role), table == "access_log" ? statement.Replace("changed_by", "reason", StringComparison.Ordinal) : statement);
            }
        }
    }

    [Fact]
    public async Task Work_with_cases_cannot_read_the_log_and_review_of_the_log_cannot_read_cases()
    {
        await using var sources = new DataSources(service.Database.Options);

        await IsForbidden(sources.For(DatabaseRole.Case), "SELECT reason FROM access_log LIMIT 1");
        foreach (var table in new[] { "plan", "plan_part", "plan_part_history", "consent", "participation", "request_outcome" })
        {
            await IsForbidden(sources.For(DatabaseRole.LogReview), $"SELECT count(*) FROM {table}");
            await IsForbidden(sources.For(DatabaseRole.Directory), $"SELECT count(*) FROM {table}");
        }
    }

    [Theory]
    [InlineData("UPDATE access_log SET reason = 'x'")]
    [InlineData("DELETE FROM access_log")]
    [InlineData("TRUNCATE access_log")]
    [InlineData("UPDATE plan_part_history SET body = ''")]
    [InlineData("DELETE FROM plan_part_history")]
    [InlineData("TRUNCATE plan_part_history")]
    public async Task Not_even_the_owner_changes_or_removes_what_stands_there(string statement)
    {
        var goal = await service.AddGoal(await service.OpenPlan());
        await Retitle(service.CaseWorker.Plans, goal, "En rad i historiken");
        await using var owner = await service.Administrator.OpenConnectionAsync();
        await using var transaction = await owner.BeginTransactionAsync();
        await using (var become = new NpgsqlCommand("SET LOCAL search_path = coordinationplan; SET LOCAL ROLE coordplan_owner", owner))
        {
            await become.ExecuteNonQueryAsync();
        }

        await using var command = new NpgsqlCommand(statement, owner);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
    }

    [Fact]
    public async Task The_log_every_part_of_it_and_every_history_refuse_change_removal_and_emptying()
    {
        // Bits of pg_trigger.tgtype: 2 before, 8 delete, 16 update, 32 truncate.
        await using var command = service.Administrator.CreateCommand(
            """
            SELECT c.relname
            FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgenabled = 'O' AND t.tgtype & 2 <> 0
                AND t.tgfoid IN ('coordinationplan.refuse_change'::regproc, 'coordinationplan.refuse_undecided_removal'::regproc)
            WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p') AND (c.relname LIKE 'access\_log%' OR c.relname LIKE '%\_history')
            GROUP BY c.relname
            HAVING coalesce(bit_or(t.tgtype::int & 56), 0) <> 56
            ORDER BY c.relname
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var open = new List<string>();
        while (await reader.ReadAsync())
        {
            open.Add(reader.GetString(0));
        }

        Assert.Empty(open);
    }

    [Fact]
    public async Task A_change_leaves_what_was_there_with_who_wrote_it_and_when()
    {
        var plan = await service.OpenPlan();
        var goal = await service.AddGoal(plan, "Som den först skrevs");
        var before = await service.Now();
        await Retitle(service.As(DemonstrationDirectory.UnitManager).Plans, goal, "Som chefen skrev den");
        var after = await service.Now();

        await using var command = service.Administrator.CreateCommand(
            """
            SELECT h.body, h.version, h.changed_by, h.changed_at, h.superseded_at, p.version, p.changed_by, p.changed_at
            FROM coordinationplan.plan_part_history h JOIN coordinationplan.plan_part p USING (plan_id, part_id)
            WHERE part_id = $1
            """);
        command.Parameters.Add(new() { Value = Guid.Parse(goal.Name.Split('/')[^1]) });
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        var (planId, partId) = (Guid.Parse(plan.Name.Split('/')[1]), Guid.Parse(goal.Name.Split('/')[^1]));
        var body = await service.OpenPart(planId, partId, 1, Policy.Categories.GoalsAndInterventions, reader.GetFieldValue<byte[]>(0));
        Assert.Equal("Som den först skrevs", Goal.Parser.ParseFrom(body).Title);
        Assert.Equal((1, "employees/" + DemonstrationDirectory.CaseWorker.Id), (reader.GetInt32(1), service.Names.NameOf(reader.GetString(2))));
        Assert.Equal((2, "employees/" + DemonstrationDirectory.UnitManager.Id), (reader.GetInt32(5), service.Names.NameOf(reader.GetString(6))));
        Assert.True(reader.GetDateTime(3) < before);
        Assert.InRange(reader.GetDateTime(4), before, after);
        Assert.InRange(reader.GetDateTime(7), before, after);
        Assert.False(await reader.ReadAsync());
    }

    private static async Task Retitle(PlanService.PlanServiceClient plans, Goal goal, string title) =>
        await plans.UpdateGoalAsync(new UpdateGoalRequest
        {
            Goal = new Goal { Name = goal.Name, Title = title },
            UpdateMask = new() { Paths = { "title" } },
            Etag = goal.Etag,
            RequestId = Cases.NewId(),
        });

    private static async Task IsForbidden(NpgsqlDataSource source, string statement)
    {
        await using var command = source.CreateCommand(statement);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.True(refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege, $"{statement}: {refusal.SqlState}");
    }

    private async Task<T> Scalar<T>(string sql)
    {
        await using var command = service.Administrator.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
