using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Oversight;
using Npgsql;

namespace CoordinationPlan.Server.Access;

/// <summary>The assignment that the call is made under, as the directory has it today.</summary>
internal sealed record CallerFacts(Role Role, Purposes Purposes, string UnitId, UnitKind UnitKind, string Controller, string OrganisationId, V1.OrganisationKind OrganisationKind, bool HandlesProtectedPersons);

/// <summary>What the access decision needs to know of a plan, and what every change of it needs.</summary>
internal sealed record PlanFacts(
    Guid PlanId,
    Guid SubjectId,
    string OwnerUnitId,
    string OwnerController,
    V1.PlanState State,
    int Version,
    Relation Relation,
    Categories Released,
    Categories Withheld,
    Categories ReleasedByLaw,
    Categories Overriding,
    ProtectionLevel Protection,
    Blocked Blocked,
    bool Placement,
    bool Emergency,
    WrappedKey Key,
    bool Unplaced,
    Pupil Pupil,
    bool NoAlias);

/// <summary>What the decision about a plan needs to know of one unit, as if the caller worked there.</summary>
/// <param name="UnitId">The unit; null where none of the organisation's has to do with the plan.</param>
internal sealed record UnitStanding(PlanFacts Plan, string? UnitId, UnitKind UnitKind, string? Controller);

/// <summary>A plan as a unit stands to it, and the unit.</summary>
internal sealed record UnitFacts(PlanFacts Plan, string UnitId, UnitKind UnitKind, string Controller, string OrganisationId, V1.OrganisationKind OrganisationKind)
{
    /// <summary>The caller of an assignment as if the assignment were at this unit.</summary>
    public CallerFacts Here(CallerFacts caller) => caller with
    {
        UnitId = UnitId,
        UnitKind = UnitKind,
        Controller = Controller,
        OrganisationId = OrganisationId,
        OrganisationKind = OrganisationKind,
    };

    /// <summary>A system works for every unit of its organisation, a school's for that school; for a sheltered housing none does, because that it takes part is where the person is.</summary>
    public bool IsServedBy(CallerFacts system) =>
        OrganisationId == system.OrganisationId
        && UnitKind is not (UnitKind.ShelteredHousing or UnitKind.Unspecified)
        && (system.UnitKind == UnitKind.School || UnitKind == UnitKind.School ? UnitId == system.UnitId : true);
}

/// <summary>A person whom a call names by number.</summary>
internal sealed record PersonFacts(KnownSubject Subject, Blocked Blocked);

/// <summary>Loads facts. All of it runs in the transaction that the decision is logged in.</summary>
internal static class FactsSql
{
    /// <summary>Every plan of a plan's person, that one too.</summary>
    public static Query<List<Guid>> PlansOfPersonOf(Guid plan) => new(
        "SELECT q.plan_id FROM plan p JOIN plan q ON q.subject_id = p.subject_id WHERE p.plan_id = $1", [Parameter.Of(plan)], ReadIds);

    /// <summary>Every plan of a person.</summary>
    public static Query<List<Guid>> PlansOf(Guid subject) => new("SELECT plan_id FROM plan WHERE subject_id = $1", [Parameter.Of(subject)], ReadIds);

    /// <summary>
    /// The assignment, if it is the caller's and in force. The issuer of the token must answer for the employee's organisation: a school's provider
    /// cannot speak for an employee of the region, whatever name it puts in a token. A system calls for any unit of its own organisation, but not from or for a
    /// school or a sheltered housing: which of an organiser's schools a pupil is at would be found by asking for each. An employee calls for none but that of the
    /// assignment.
    /// </summary>
    public static Query<CallerFacts?> Caller(CallerIdentity caller, DateOnly today) => new(
        $"""
        SELECT a.role, a.purposes, u.unit_id, u.kind, u.controller, u.organisation_id, o.kind, a.protected_persons
        FROM assignment a
        JOIN unit h ON h.unit_id = a.unit_id
        JOIN unit u ON u.unit_id = coalesce($6, a.unit_id) AND u.organisation_id = h.organisation_id AND ($6 IS NULL OR a.client_system IS NOT NULL)
            AND (u.unit_id = h.unit_id OR NOT ARRAY[h.kind, u.kind] && ARRAY[{(int)UnitKind.Unspecified}, {(int)UnitKind.School}, {(int)UnitKind.ShelteredHousing}]::smallint[])
        JOIN organisation o ON o.organisation_id = u.organisation_id
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        WHERE a.assignment_id = $1
          AND (a.employee_id = $2 OR ($2 IS NULL AND a.client_system = $3))
          AND ($5 IS NULL OR coalesce(e.organisation_id, u.organisation_id) = ANY ($5))
          AND NOT a.revoked AND a.starts_on <= $4 AND (a.ends_on IS NULL OR a.ends_on >= $4)
        """,
        [Parameter.OrNull(caller.AssignmentId), Parameter.OrNull(caller.EmployeeId), Parameter.Of(caller.ClientSystem), Parameter.Of(today), Parameter.OrNull(caller.VouchedFor), Parameter.OrNull(caller.UnitId)],
        static async (reader, stop) => await reader.ReadAsync(stop)
            ? ReadCaller(reader, 0)
            : null);

    // Whether something keeps the caller out of the person: a block of the employee, of the unit, of the guardian that the employee is; or that the
    // employee is the person.
    private const string Blocks =
        """
        CASE WHEN e.person_key = s.identity_key THEN 2 ELSE coalesce((
            SELECT max(b.kind)
            FROM block b
            WHERE b.subject_id = s.subject_id AND b.lifted_at IS NULL AND (b.ends_on IS NULL OR b.ends_on >= $2)
              AND b.target = ANY (ARRAY['employees/' || a.employee_id, 'units/' || a.unit_id, 'persons/' || encode(e.person_key, 'hex')])), 1) END
        """;

    private const string PlanColumns =
        $"""
        p.plan_id, p.subject_id, p.owner_unit_id, p.owner_controller, p.state, p.version,
        p.owner_unit_id = a.unit_id AS owns,
        EXISTS (
            SELECT FROM participation x
            WHERE x.plan_id = p.plan_id AND x.unit_id = a.unit_id AND x.ended_at IS NULL
              AND x.starts_on <= $2 AND (x.ends_on IS NULL OR x.ends_on >= $2)) AS takes_part,
        r.released, r.withheld, g.released AS released_by_law, g.overriding, s.protection,
        {Blocks} AS blocked,
        EXISTS (SELECT FROM whereabouts w WHERE w.subject_id = p.subject_id AND w.unit_id = a.unit_id) AS placement,
        EXISTS (
            SELECT FROM emergency_access m
            WHERE m.subject_id = p.subject_id AND m.assignment_id = a.assignment_id AND m.expires_at > clock_timestamp()) AS emergency,
        k.ring_key, k.wrapped,
        {Schooling}
        """;

    // Whether nothing on record says that the person is placed; what the person is to the caller's unit, where that is a school (secured 3, in place 4,
    // interrupted 5, handed over 6: docs/law.md), and that no alias is agreed with it in any plan of the person.
    private const string Schooling =
        """
        NOT EXISTS (SELECT FROM whereabouts w WHERE w.subject_id = p.subject_id)
            AND NOT EXISTS (SELECT FROM location_secrecy d WHERE d.subject_id = p.subject_id)
            AND NOT EXISTS (SELECT FROM participation h WHERE h.plan_id = p.plan_id AND h.category = 1024) AS unplaced,
        (SELECT CASE WHEN bool_or(p.is_open AND i.state BETWEEN 3 AND 6 AND (i.ends_on IS NULL OR i.ends_on >= $2)) THEN 2 WHEN bool_or(i.state >= 3) THEN 3 ELSE 1 END
         FROM school_arrangement i
         WHERE i.plan_id = p.plan_id AND i.unit_id = a.unit_id) AS pupil,
        NOT EXISTS (
            SELECT FROM plan q JOIN school_arrangement l ON l.plan_id = q.plan_id
            WHERE q.subject_id = p.subject_id AND l.unit_id = a.unit_id AND l.has_alias) AS no_alias
        """;

    // A person whose key has been destroyed has no plans any more.
    private const string CallersOwn =
        """
        LEFT JOIN assignment a ON a.assignment_id = $1
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        """;

    // As CallersOwn, for the unit that the call is made for. Whether the caller may call for it is asked with the assignment.
    private const string CallersChoice =
        """
        LEFT JOIN (SELECT x.assignment_id, x.employee_id, coalesce($5, x.unit_id) AS unit_id FROM assignment x WHERE x.assignment_id = $1) a ON true
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        """;

    // As CallersOwn, for every unit of an organisation that owns the plan or takes part in it; one row without a unit where none does. A system is no employee.
    private const string EveryUnit =
        """
        LEFT JOIN LATERAL (
            SELECT v.unit_id, v.kind, v.controller, $1::text AS assignment_id, NULL::text AS employee_id
            FROM (SELECT p.owner_unit_id AS unit_id UNION SELECT m.unit_id FROM participation m WHERE m.plan_id = p.plan_id AND m.ended_at IS NULL) c
            JOIN unit v ON v.unit_id = c.unit_id AND v.organisation_id = $5) a ON true
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        """;
    private const string ThePerson =
        """
        JOIN subject s ON s.subject_id = p.subject_id
        JOIN subject_key k ON k.subject_id = p.subject_id AND k.compartment = 1
        """;

    private const string PersonColumns = $"s.subject_id, s.protection, k.ring_key, k.wrapped, {Blocks}";
    private const string ThePersonsKey = "LEFT JOIN subject_key k ON k.subject_id = s.subject_id AND k.compartment = 1";

    // What consents in force say of the caller's unit. A refusal (state 2) withholds its categories, an exclusion those it names, whatever
    // the purpose; a consent (state 1) releases its categories for its purpose.
    private const string Releases =
        """
        LEFT JOIN LATERAL (
            SELECT bit_or(c.categories) FILTER (WHERE c.state = 1 AND c.purpose = $3) AS released,
                   bit_or(CASE c.state WHEN 1 THEN c.excluded_categories ELSE c.categories | c.excluded_categories END) AS withheld
            FROM consent c
            WHERE c.plan_id = p.plan_id AND a.unit_id = ANY (c.recipient_units)
              AND c.state IN (1, 2) AND c.starts_on <= $2 AND c.ends_on >= $2) r ON true
        LEFT JOIN LATERAL (
            SELECT bit_or(l.categories) AS released, bit_or(l.categories) FILTER (WHERE l.overriding) AS overriding
            FROM legal_release l
            WHERE l.plan_id = p.plan_id AND a.unit_id = ANY (l.recipient_units) AND l.purpose = $3 AND l.ended_at IS NULL
              AND l.starts_on <= $2 AND l.ends_on >= $2) g ON true
        """;

    public static Query<PlanFacts?> Plan(Guid plan, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PlanColumns} FROM plan p {ThePerson} {CallersChoice} {Releases} WHERE p.plan_id = $4",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of((short)caller.Purpose), Parameter.Of(plan), Parameter.OrNull(caller.UnitId)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? ReadPlan(reader) : null);

    /// <summary>Several plans at once, by plan, each for every unit of an organisation that has to do with it.</summary>
    public static Query<Dictionary<Guid, List<UnitStanding>>> ForUnitsOf(string organisation, Guid[] plans, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PlanColumns}, a.unit_id, a.kind, a.controller FROM plan p {ThePerson} {EveryUnit} {Releases} WHERE p.plan_id = ANY ($4) ORDER BY p.plan_id, a.unit_id",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of((short)caller.Purpose), Parameter.Of(plans), Parameter.Of(organisation)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, List<UnitStanding>>();
            while (await reader.ReadAsync(stop))
            {
                var plan = ReadPlan(reader);
                if (!found.TryGetValue(plan.PlanId, out var units))
                {
                    found.Add(plan.PlanId, units = []);
                }

                var isOfAUnit = !reader.IsDBNull(21);
                units.Add(new(plan, isOfAUnit ? reader.GetString(21) : null, isOfAUnit ? (UnitKind)reader.GetInt16(22) : UnitKind.Unspecified, isOfAUnit ? reader.GetString(23) : null));
            }

            return found;
        });

    /// <summary>Every plan of a person, whoever owns it, the closed ones too. Candidates only: each is decided afterwards.</summary>
    /// <param name="subject">The person; null where there is none, who has no plans.</param>
    public static Query<Guid[]> PlansOf(Guid? subject) => new(
        "SELECT p.plan_id FROM plan p WHERE p.subject_id = $1 ORDER BY p.created_at, p.plan_id",
        [Parameter.OrNull(subject)],
        static async (reader, stop) => [.. await ReadIds(reader, stop)]);

    /// <summary>Every open plan of the person with this number, whoever owns it, the oldest first. Candidates only: each is decided afterwards.</summary>
    public static Query<Guid[]> OpenPlansOf(byte[] identityKey) => new(
        "SELECT p.plan_id FROM subject s JOIN plan p ON p.subject_id = s.subject_id WHERE s.identity_key = $1 AND p.is_open ORDER BY p.created_at, p.plan_id",
        [Parameter.Of(identityKey)],
        static async (reader, stop) => [.. await ReadIds(reader, stop)]);

    /// <summary>
    /// Plans as units stand to them, as if somebody worked there whom nothing keeps out but what keeps the unit out: for a system that acts for several units. By plan and
    /// unit; where a plan or its person's key is not there any more, there is none.
    /// </summary>
    public static Query<Dictionary<(Guid PlanId, string UnitId), UnitFacts>> OfUnits(IReadOnlyCollection<(Guid PlanId, string UnitId)> pairs, Purpose purpose, DateOnly today) => new(
        $"""
        SELECT {PlanColumns}, a.unit_id, u.kind, u.controller, u.organisation_id, o.kind
        FROM unnest($1, $4) AS pair (plan_id, unit_id)
        JOIN plan p ON p.plan_id = pair.plan_id
        {ThePerson}
        CROSS JOIN LATERAL (SELECT pair.unit_id, NULL::text AS employee_id, NULL::text AS assignment_id) a
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        JOIN unit u ON u.unit_id = a.unit_id
        JOIN organisation o ON o.organisation_id = u.organisation_id
        {Releases}
        """,
        [Parameter.Of([.. pairs.Select(pair => pair.PlanId)]), Parameter.Of(today), Parameter.Of((short)purpose), Parameter.Of([.. pairs.Select(pair => pair.UnitId)])],
        static async (reader, stop) =>
        {
            var found = new Dictionary<(Guid, string), UnitFacts>();
            while (await reader.ReadAsync(stop))
            {
                var facts = new UnitFacts(
                    ReadPlan(reader), reader.GetString(21), (UnitKind)reader.GetInt16(22), reader.GetString(23), reader.GetString(24), (V1.OrganisationKind)reader.GetInt16(25));
                found.Add((facts.Plan.PlanId, facts.UnitId), facts);
            }

            return found;
        });

    /// <summary>Several plans at once, by plan.</summary>
    public static Query<Dictionary<Guid, PlanFacts>> Plans(Guid[] plans, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PlanColumns} FROM plan p {ThePerson} {CallersOwn} {Releases} WHERE p.plan_id = ANY ($4)",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of((short)caller.Purpose), Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, PlanFacts>();
            while (await reader.ReadAsync(stop))
            {
                var plan = ReadPlan(reader);
                found.Add(plan.PlanId, plan);
            }

            return found;
        });

    /// <summary>The other plans of a plan's person, the oldest first. Whether the caller may know of each is decided afterwards.</summary>
    public static Query<List<PlanFacts>> OthersOfPersonOf(Guid plan, CallerIdentity caller, DateOnly today) => new(
        $"""
        SELECT {PlanColumns} FROM plan p {ThePerson} {CallersOwn} {Releases}
        WHERE p.subject_id = (SELECT o.subject_id FROM plan o WHERE o.plan_id = $4) AND p.plan_id <> $4
        ORDER BY p.created_at, p.plan_id
        """,
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of((short)caller.Purpose), Parameter.Of(plan)],
        ReadPlans);

    /// <summary>
    /// The plans that the caller's unit owns, or takes part in with some consent in force, newest first, after a position. Candidates only: each is
    /// decided afterwards.
    /// </summary>
    public static Query<List<(PlanFacts Plan, DateTime CreatedAt)>> Caseload(
        CallerIdentity caller, DateOnly today, V1.PlanState state, (DateTime CreatedAt, Guid PlanId) after, int limit) => new(
        $"""
        SELECT {PlanColumns}, p.created_at
        FROM assignment a
        JOIN LATERAL (
            (SELECT o.*
             FROM plan o
             WHERE o.owner_unit_id = a.unit_id AND (o.created_at, o.plan_id) < ($4, $5) AND CASE WHEN $6 = 0 THEN o.is_open ELSE o.state = $6 END
             ORDER BY o.created_at DESC, o.plan_id DESC
             LIMIT $7)
            UNION
            (SELECT q.*
             FROM participation m JOIN plan q ON q.plan_id = m.plan_id
             WHERE m.unit_id = a.unit_id AND m.ended_at IS NULL
               AND (EXISTS (
                   SELECT FROM consent c
                   WHERE c.plan_id = q.plan_id AND a.unit_id = ANY (c.recipient_units) AND c.state = 1 AND c.purpose = $3 AND c.starts_on <= $2 AND c.ends_on >= $2)
               OR EXISTS (
                   SELECT FROM legal_release l
                   WHERE l.plan_id = q.plan_id AND a.unit_id = ANY (l.recipient_units) AND l.ended_at IS NULL AND l.purpose = $3 AND l.starts_on <= $2 AND l.ends_on >= $2))
               AND (q.created_at, q.plan_id) < ($4, $5) AND CASE WHEN $6 = 0 THEN q.is_open ELSE q.state = $6 END
             ORDER BY q.created_at DESC, q.plan_id DESC
             LIMIT $7)
        ) p ON true
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        {ThePerson}
        {Releases}
        WHERE a.assignment_id = $1
        ORDER BY p.created_at DESC, p.plan_id DESC
        LIMIT $7
        """,
        [
            Parameter.OrNull(caller.AssignmentId),
            Parameter.Of(today),
            Parameter.Of((short)caller.Purpose),
            Parameter.Of(new DateTimeOffset(after.CreatedAt)),
            Parameter.Of(after.PlanId),
            Parameter.Of((int)state),
            Parameter.Of(limit),
        ],
        static async (reader, stop) =>
        {
            var plans = new List<(PlanFacts, DateTime)>();
            while (await reader.ReadAsync(stop))
            {
                plans.Add((ReadPlan(reader), reader.GetDateTime(21)));
            }

            return plans;
        });

    /// <summary>The person whom a call names by number: known or not, and whether the caller is kept out.</summary>
    public static Query<PersonFacts?> Person(byte[] identityKey, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PersonColumns} FROM subject s {ThePersonsKey} {CallersOwn} WHERE s.identity_key = $3",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of(identityKey)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? ReadPerson(reader) : null);

    /// <summary>The person whom a suggestion is about.</summary>
    public static Query<PersonFacts?> PersonOfSuggestion(Guid suggestion, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PersonColumns} FROM plan_suggestion g JOIN subject s ON s.subject_id = g.subject_id {ThePersonsKey} {CallersOwn} WHERE g.suggestion_id = $3",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of(suggestion)],
        static async (reader, stop) => await reader.ReadAsync(stop) ? ReadPerson(reader) : null);

    /// <summary>Several persons at once, by person.</summary>
    public static Query<Dictionary<Guid, PersonFacts>> Persons(Guid[] subjects, CallerIdentity caller, DateOnly today) => new(
        $"SELECT {PersonColumns} FROM subject s {ThePersonsKey} {CallersOwn} WHERE s.subject_id = ANY ($3)",
        [Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of(subjects)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, PersonFacts>();
            while (await reader.ReadAsync(stop))
            {
                var person = ReadPerson(reader);
                found.Add(person.Subject.SubjectId, person);
            }

            return found;
        });

    /// <summary>
    /// Plans that may be meant by a search, of those that the caller's unit owns or takes part in. Candidates only: each is decided afterwards.
    /// </summary>
    public static Query<List<PlanFacts>> Found(byte[]? identityKey, byte[]? searchKey, CallerIdentity caller, DateOnly today, int limit) => new(
        $"""
        SELECT {PlanColumns}
        FROM assignment a
        JOIN plan p ON p.owner_unit_id = a.unit_id OR EXISTS (
            SELECT FROM participation m WHERE m.plan_id = p.plan_id AND m.unit_id = a.unit_id AND m.ended_at IS NULL)
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        {ThePerson}
        {Releases}
        WHERE a.assignment_id = $1
          AND ($4 IS NULL OR s.identity_key = $4)
          AND ($5 IS NULL OR p.plan_id IN (SELECT n.plan_id FROM plan_search_key n WHERE n.search_key = $5))
        ORDER BY p.created_at DESC, p.plan_id DESC
        LIMIT $6
        """,
        [
            Parameter.OrNull(caller.AssignmentId), Parameter.Of(today), Parameter.Of((short)caller.Purpose), Parameter.OrNull(identityKey), Parameter.OrNull(searchKey),
            Parameter.Of(limit),
        ],
        ReadPlans);

    private static readonly string ReadersSql =
        $"""
        SELECT {PlanColumns}, a.role, a.purposes, a.unit_id, u.kind, u.controller, u.organisation_id, o.kind, a.protected_persons, a.assignment_id, a.employee_id, v.purpose
        FROM plan p
        {ThePerson}
        JOIN assignment a ON a.unit_id = p.owner_unit_id
            OR EXISTS (SELECT FROM participation x WHERE x.plan_id = p.plan_id AND x.unit_id = a.unit_id AND x.ended_at IS NULL)
            OR EXISTS (SELECT FROM emergency_access y WHERE y.subject_id = p.subject_id AND y.assignment_id = a.assignment_id AND y.expires_at > clock_timestamp())
        JOIN unit u ON u.unit_id = a.unit_id
        JOIN organisation o ON o.organisation_id = u.organisation_id
        LEFT JOIN employee e ON e.employee_id = a.employee_id
        CROSS JOIN LATERAL (SELECT n::smallint AS purpose FROM generate_series(1, 30) n WHERE a.purposes & (1 << n) <> 0) v
        {Releases.Replace("$3", "v.purpose", StringComparison.Ordinal)}
        WHERE p.plan_id = $1 AND NOT a.revoked AND a.starts_on <= $2 AND (a.ends_on IS NULL OR a.ends_on >= $2) AND (a.assignment_id, v.purpose) > ($3, $4)
        ORDER BY a.assignment_id, v.purpose
        LIMIT $5
        """;

    /// <summary>Every assignment that might read a plan, under each of its purposes, after a position. Each is decided afterwards.</summary>
    public static Query<List<Candidate>> Readers(Guid plan, DateOnly today, (string AssignmentId, int Purpose) after, int limit) => new(
        ReadersSql,
        [Parameter.Of(plan), Parameter.Of(today), Parameter.Of(after.AssignmentId), Parameter.Of((short)after.Purpose), Parameter.Of(limit)],
        static async (reader, stop) =>
        {
            var candidates = new List<Candidate>();
            while (await reader.ReadAsync(stop))
            {
                candidates.Add(new Candidate(reader.GetString(29), reader.IsDBNull(30) ? null : reader.GetString(30), ReadCaller(reader, 21), (Purpose)reader.GetInt16(31), ReadPlan(reader)));
            }

            return candidates;
        });

    private static CallerFacts ReadCaller(NpgsqlDataReader reader, int at) => new(
        (Role)reader.GetInt16(at),
        new Purposes(reader.GetInt32(at + 1)),
        reader.GetString(at + 2),
        (UnitKind)reader.GetInt16(at + 3),
        reader.GetString(at + 4),
        reader.GetString(at + 5),
        (V1.OrganisationKind)reader.GetInt16(at + 6),
        reader.GetBoolean(at + 7));

    private static async Task<List<Guid>> ReadIds(NpgsqlDataReader reader, CancellationToken stop)
    {
        var ids = new List<Guid>();
        while (await reader.ReadAsync(stop))
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids;
    }

    private static async Task<List<PlanFacts>> ReadPlans(NpgsqlDataReader reader, CancellationToken stop)
    {
        var plans = new List<PlanFacts>();
        while (await reader.ReadAsync(stop))
        {
            plans.Add(ReadPlan(reader));
        }

        return plans;
    }

    private static PersonFacts ReadPerson(NpgsqlDataReader reader) =>
        new(new KnownSubject(reader.GetGuid(0), (ProtectionLevel)reader.GetInt16(1), SubjectSql.ReadKey(reader, 2)), (Blocked)reader.GetInt32(4));

    private static PlanFacts ReadPlan(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetGuid(1),
        reader.GetString(2),
        reader.GetString(3),
        (V1.PlanState)reader.GetInt16(4),
        reader.GetInt32(5),
        !reader.IsDBNull(6) && reader.GetBoolean(6) ? Relation.Owning : reader.GetBoolean(7) ? Relation.Participating : Relation.None,
        reader.IsDBNull(8) ? Categories.None : (Categories)reader.GetInt32(8),
        reader.IsDBNull(9) ? Categories.None : (Categories)reader.GetInt32(9),
        reader.IsDBNull(10) ? Categories.None : (Categories)reader.GetInt32(10),
        reader.IsDBNull(11) ? Categories.None : (Categories)reader.GetInt32(11),
        (ProtectionLevel)reader.GetInt16(12),
        (Blocked)reader.GetInt32(13),
        reader.GetBoolean(14),
        reader.GetBoolean(15),
        new WrappedKey(reader.GetString(16), reader.GetFieldValue<byte[]>(17)),
        reader.GetBoolean(18),
        (Pupil)reader.GetInt32(19),
        reader.GetBoolean(20));
}
