using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;

namespace CoordinationPlan.Server.Access;

/// <summary>Advisory locks, each held until the transaction ends: what is decided and what it rests on does not change in between (docs/adr/0004).</summary>
internal static class LocksSql
{
    /// <summary>
    /// Whoever reads a plan holds its lock shared, whoever changes anything of it holds it alone. So a read never sees half of a change, and a
    /// withdrawal that has been answered was not overtaken by a read (docs/adr/0004).
    /// </summary>
    public static Query<bool> Plan(Guid plan, bool alone) => new(
        alone ? "SELECT pg_advisory_xact_lock($1)" : "SELECT pg_advisory_xact_lock_shared($1)",
        [Parameter.Of(KeyOf(plan))],
        static (_, _) => Task.FromResult(true));

    /// <summary>
    /// Where there is no plan: the same request sent twice at once waits for itself, and two changes of one directory entry for each other.
    /// </summary>
    public static Query<bool> Name(string name) => new(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        [Parameter.Of(name)],
        static (_, _) => Task.FromResult(true));

    /// <summary>
    /// Whoever calls under an assignment holds its lock shared; a change of the assignment holds it alone. So a revocation that has been answered was not
    /// overtaken by a call either.
    /// </summary>
    public static Query<bool> Assignment(string assignmentId) => new(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))",
        [Parameter.Of(ResourceName.Entry(ResourceName.Assignments, assignmentId))],
        static (_, _) => Task.FromResult(true));

    /// <summary>
    /// What concerns a person in every plan waits for every reader of each: the person's lock keeps new plans from being opened meanwhile, and then
    /// the plans there are are locked alone.
    /// </summary>
    public static Query<bool> PersonOf(Guid plan) => new(
        "SELECT pg_advisory_xact_lock(hashtextextended('persons/' || p.subject_id, 0)) FROM plan p WHERE p.plan_id = $1",
        [Parameter.Of(plan)],
        static (_, _) => Task.FromResult(true));

    /// <summary>The same, where the person is named.</summary>
    public static Query<bool> Person(byte[] identityKey) => new(
        "SELECT pg_advisory_xact_lock(hashtextextended('persons/' || s.subject_id, 0)) FROM subject s WHERE s.identity_key = $1",
        [Parameter.Of(identityKey)],
        static (_, _) => Task.FromResult(true));

    /// <summary>
    /// Several persons at once, always in the same order: whoever is shown something about a person that is in no plan holds the person's lock shared, so that
    /// a block that has been answered is seen.
    /// </summary>
    public static Query<bool> Persons(IEnumerable<Guid> subjects) => new(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('persons/' || id, 0)) FROM unnest($1) AS id",
        [Parameter.Of(subjects.Distinct().Order().ToArray())],
        static (_, _) => Task.FromResult(true));

    /// <summary>Several plans at once, always in the same order.</summary>
    public static Query<bool> Plans(IEnumerable<Guid> plans, bool alone = false) => new(
        alone ? "SELECT pg_advisory_xact_lock(key) FROM unnest($1) AS key" : "SELECT pg_advisory_xact_lock_shared(key) FROM unnest($1) AS key",
        [Parameter.Of(plans.Select(KeyOf).Order().ToArray())],
        static (_, _) => Task.FromResult(true));

    private static long KeyOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        return BitConverter.ToInt64(bytes);
    }
}
