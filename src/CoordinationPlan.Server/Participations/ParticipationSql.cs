using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Participations;

/// <summary>That a unit takes part in a plan.</summary>
internal sealed record ParticipationRecord(Guid ParticipationId, string UnitId, DateOnly StartsOn, DateOnly? EndsOn, bool Ended, int Version)
{
    public string Etag => Rpc.Etag.Of(ParticipationId, Version);

    public Participation ToParticipation(Guid planId, DirectoryNames names) => new()
    {
        Name = ResourceName.Child(planId, ResourceName.Participations, ParticipationId),
        Etag = Etag,
        Unit = names.Name(ResourceName.Units, UnitId),
        Period = new DatePeriod { StartDate = StartsOn.ToDate(), EndDate = EndsOn.ToDate() },
        Ended = Ended,
    };
}

internal static class ParticipationSql
{
    private const string Columns = "participation_id, unit_id, starts_on, ends_on, ended_at IS NOT NULL, version";

    /// <summary>The participations in sight: a sheltered housing's and a school's only for those who may know of it.</summary>
    public static Query<List<Participation>> Of(Guid plan, Sight sight, DirectoryNames names) => new(
        $"""
        SELECT {Columns}
        FROM participation
        WHERE plan_id = $1 AND category & $2 <> 0 AND (category & $3 = 0 OR unit_id = $4)
        ORDER BY created_at, participation_id
        """,
        [Parameter.Of(plan), Parameter.Of(sight.Permitted), Parameter.Of(sight.OwnOnly), Parameter.Of(sight.UnitId)],
        async (reader, stop) =>
        {
            var participations = new List<Participation>();
            while (await reader.ReadAsync(stop))
            {
                participations.Add(Read(reader).ToParticipation(plan, names));
            }

            return participations;
        });

    public static Query<Loaded<ParticipationRecord>> Find(Guid plan, Guid participation) => new(
        $"SELECT {Columns} FROM participation WHERE plan_id = $1 AND participation_id = $2",
        [Parameter.Of(plan), Parameter.Of(participation)],
        static async (reader, stop) => new Loaded<ParticipationRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>Several participations of these plans, each with its category. Whether each is in sight is decided afterwards.</summary>
    public static Query<Dictionary<Guid, (ParticipationRecord Participation, Categories Category)>> These(Guid[] plans, Guid[] participations) => new(
        $"SELECT {Columns}, category FROM participation WHERE plan_id = ANY ($1) AND participation_id = ANY ($2)",
        [Parameter.Of(plans), Parameter.Of(participations)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, (ParticipationRecord, Categories)>();
            while (await reader.ReadAsync(stop))
            {
                var participation = Read(reader);
                found.Add(participation.ParticipationId, (participation, (Categories)reader.GetInt32(6)));
            }

            return found;
        });

    /// <summary>The unit that is to take part, and whether it does already.</summary>
    public static Query<Loaded<Newcomer>> FindNewcomer(Guid plan, string unit) => new(
        """
        SELECT u.kind,
               EXISTS (SELECT FROM plan o WHERE o.plan_id = $1 AND o.owner_unit_id = $2),
               EXISTS (SELECT FROM participation x WHERE x.plan_id = $1 AND x.unit_id = $2 AND x.ended_at IS NULL)
        FROM (SELECT) one LEFT JOIN unit u ON u.unit_id = $2
        """,
        [Parameter.Of(plan), Parameter.Of(unit)],
        static async (reader, stop) =>
        {
            await reader.ReadAsync(stop);
            return new Loaded<Newcomer>(new(reader.IsDBNull(0) ? null : (V1.UnitKind)reader.GetInt16(0), reader.GetBoolean(1), reader.GetBoolean(2)));
        });

    public static Command Insert(Guid plan, ParticipationRecord participation, Categories category, string changedBy) => new(
        "INSERT INTO participation (plan_id, participation_id, unit_id, category, starts_on, ends_on, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            Parameter.Of(plan), Parameter.Of(participation.ParticipationId), Parameter.Of(participation.UnitId), Parameter.Of(category),
            Parameter.Of(participation.StartsOn), Parameter.OrNull(participation.EndsOn), Parameter.Of(changedBy),
        ]);

    public static Command End(Guid plan, ParticipationRecord participation, DateTimeOffset now, string changedBy) => new(
        """
        UPDATE participation SET ended_at = $4, version = $3, changed_by = $5, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND participation_id = $2 AND version = $3 - 1
        """,
        [Parameter.Of(plan), Parameter.Of(participation.ParticipationId), Parameter.Of(participation.Version), Parameter.Of(now), Parameter.Of(changedBy)],
        ExpectedRows: 1);

    public static Command ChangePeriod(Guid plan, ParticipationRecord participation, string changedBy) => new(
        """
        UPDATE participation SET starts_on = $4, ends_on = $5, version = $3, changed_by = $6, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND participation_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(participation.ParticipationId), Parameter.Of(participation.Version), Parameter.Of(participation.StartsOn),
            Parameter.OrNull(participation.EndsOn), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    /// <summary>The participations of several plans that have not ended, by plan.</summary>
    public static Query<ILookup<Guid, ParticipationRecord>> Open(Guid[] plans) => new(
        $"SELECT {Columns}, plan_id FROM participation WHERE plan_id = ANY ($1) AND ended_at IS NULL",
        [Parameter.Of(plans)],
        static async (reader, stop) =>
        {
            var found = new List<(Guid Plan, ParticipationRecord Participation)>();
            while (await reader.ReadAsync(stop))
            {
                found.Add((reader.GetGuid(6), Read(reader)));
            }

            return found.ToLookup(one => one.Plan, one => one.Participation);
        });

    /// <summary>When a plan is closed, everybody's part in it ends.</summary>
    public static Command EndAll(Guid plan, DateTimeOffset now, string changedBy) => new(
        """
        UPDATE participation SET ended_at = $2, version = version + 1, changed_by = $3, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND ended_at IS NULL
        """,
        [Parameter.Of(plan), Parameter.Of(now), Parameter.Of(changedBy)]);

    private static ParticipationRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetString(1),
        reader.GetFieldValue<DateOnly>(2),
        reader.IsDBNull(3) ? null : reader.GetFieldValue<DateOnly>(3),
        reader.GetBoolean(4),
        reader.GetInt32(5));
}

/// <summary>A unit that is to be brought into a plan.</summary>
internal sealed record Newcomer(V1.UnitKind? UnitKind, bool OwnsThePlan, bool TakesPartAlready);
