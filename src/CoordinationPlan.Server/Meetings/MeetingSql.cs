using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Npgsql;

namespace CoordinationPlan.Server.Meetings;

internal static class MeetingSql
{
    private const string Columns = "meeting_id, kind, state, starts_at, form, version, body";
    private const string CallColumns = "meeting_id, unit_id, category, kind, reply, replied_at, attendance, body, changed_at";

    /// <summary>A plan's meetings, the latest first.</summary>
    public static Query<List<MeetingRecord>> Of(Guid plan) => new(
        $"SELECT {Columns} FROM meeting WHERE plan_id = $1 ORDER BY starts_at DESC, meeting_id",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var meetings = new List<MeetingRecord>();
            while (await reader.ReadAsync(stop))
            {
                meetings.Add(Read(reader));
            }

            return meetings;
        });

    public static Query<Loaded<MeetingRecord>> Find(Guid plan, Guid meeting) => new(
        $"SELECT {Columns} FROM meeting WHERE plan_id = $1 AND meeting_id = $2",
        [Parameter.Of(plan), Parameter.Of(meeting)],
        static async (reader, stop) => new Loaded<MeetingRecord>(await reader.ReadAsync(stop) ? Read(reader) : null));

    /// <summary>The calls to one meeting, or to all of a plan's.</summary>
    public static Query<List<CallRecord>> Calls(Guid plan, Guid? meeting) => new(
        $"SELECT {CallColumns} FROM meeting_call WHERE plan_id = $1 AND ($2 IS NULL OR meeting_id = $2) ORDER BY created_at, unit_id",
        [Parameter.Of(plan), Parameter.OrNull(meeting)],
        static async (reader, stop) =>
        {
            var calls = new List<CallRecord>();
            while (await reader.ReadAsync(stop))
            {
                calls.Add(ReadCall(reader, 0));
            }

            return calls;
        });

    /// <summary>Several meetings, of these plans.</summary>
    public static Query<Dictionary<Guid, MeetingRecord>> These(Guid[] plans, Guid[] meetings) => new(
        $"SELECT {Columns} FROM meeting WHERE plan_id = ANY ($1) AND meeting_id = ANY ($2)",
        [Parameter.Of(plans), Parameter.Of(meetings)],
        static async (reader, stop) =>
        {
            var found = new Dictionary<Guid, MeetingRecord>();
            while (await reader.ReadAsync(stop))
            {
                var meeting = Read(reader);
                found.Add(meeting.MeetingId, meeting);
            }

            return found;
        });

    /// <summary>The calls to several meetings, of these plans.</summary>
    public static Query<List<CallRecord>> CallsToThese(Guid[] plans, Guid[] meetings) => new(
        $"SELECT {CallColumns} FROM meeting_call WHERE plan_id = ANY ($1) AND meeting_id = ANY ($2) ORDER BY created_at, unit_id",
        [Parameter.Of(plans), Parameter.Of(meetings)],
        static async (reader, stop) =>
        {
            var calls = new List<CallRecord>();
            while (await reader.ReadAsync(stop))
            {
                calls.Add(ReadCall(reader, 0));
            }

            return calls;
        });

    /// <summary>One unit's calls to a plan's meetings, the latest first, each with its meeting.</summary>
    public static Query<List<(MeetingRecord Meeting, CallRecord Call)>> CallsOf(Guid plan, string unit) => new(
        """
        SELECT m.meeting_id, m.kind, m.state, m.starts_at, m.form, m.version, m.body,
               c.meeting_id, c.unit_id, c.category, c.kind, c.reply, c.replied_at, c.attendance, c.body, c.changed_at
        FROM meeting_call c JOIN meeting m ON m.plan_id = c.plan_id AND m.meeting_id = c.meeting_id
        WHERE c.plan_id = $1 AND c.unit_id = $2
        ORDER BY m.starts_at DESC, m.meeting_id
        """,
        [Parameter.Of(plan), Parameter.Of(unit)],
        static async (reader, stop) =>
        {
            var calls = new List<(MeetingRecord, CallRecord)>();
            while (await reader.ReadAsync(stop))
            {
                calls.Add((Read(reader), ReadCall(reader, 7)));
            }

            return calls;
        });

    /// <summary>Those of the units that own the plan or take part in it.</summary>
    public static Query<Loaded<List<CallableUnit>>> Callable(Guid plan, string[] units) => new(
        """
        SELECT u.unit_id, u.kind, o.kind
        FROM unit u JOIN organisation o ON o.organisation_id = u.organisation_id
        WHERE u.unit_id = ANY ($2)
          AND (EXISTS (SELECT FROM plan p WHERE p.plan_id = $1 AND p.owner_unit_id = u.unit_id)
               OR EXISTS (SELECT FROM participation x WHERE x.plan_id = $1 AND x.unit_id = u.unit_id AND x.ended_at IS NULL))
        """,
        [Parameter.Of(plan), Parameter.Of(units)],
        static async (reader, stop) =>
        {
            var found = new List<CallableUnit>();
            while (await reader.ReadAsync(stop))
            {
                found.Add(new CallableUnit(reader.GetString(0), (V1.UnitKind)reader.GetInt16(1), (OrganisationKind)reader.GetInt16(2)));
            }

            return new Loaded<List<CallableUnit>>(found);
        });

    public static Command Insert(Guid plan, MeetingRecord meeting, string changedBy) => new(
        "INSERT INTO meeting (plan_id, meeting_id, kind, state, starts_at, form, body, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            Parameter.Of(plan), Parameter.Of(meeting.MeetingId), Parameter.Of((short)meeting.Kind), Parameter.Of((short)meeting.State), Parameter.Of(meeting.StartsAt),
            Parameter.Of((short)meeting.Form), Parameter.Of(meeting.Sealed), Parameter.Of(changedBy),
        ]);

    /// <summary>Replaces the current version; the trigger keeps it in the history.</summary>
    public static Command Replace(Guid plan, MeetingRecord meeting, string changedBy) => new(
        """
        UPDATE meeting SET state = $4, starts_at = $5, form = $6, body = $7, version = $3, changed_by = $8, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND meeting_id = $2 AND version = $3 - 1
        """,
        [
            Parameter.Of(plan), Parameter.Of(meeting.MeetingId), Parameter.Of(meeting.Version), Parameter.Of((short)meeting.State), Parameter.Of(meeting.StartsAt),
            Parameter.Of((short)meeting.Form), Parameter.Of(meeting.Sealed), Parameter.Of(changedBy),
        ],
        ExpectedRows: 1);

    public static Command InsertCall(Guid plan, CallRecord call, string changedBy) => new(
        "INSERT INTO meeting_call (plan_id, meeting_id, unit_id, category, kind, changed_by) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            Parameter.Of(plan), Parameter.Of(call.MeetingId), Parameter.Of(call.UnitId), Parameter.Of(call.Category), Parameter.Of((short)call.Kind), Parameter.Of(changedBy),
        ]);

    public static Command ReplaceCall(Guid plan, CallRecord call, string changedBy) => new(
        """
        UPDATE meeting_call SET reply = $4, replied_at = $5, attendance = $6, body = $8, version = version + 1, changed_by = $7, changed_at = clock_timestamp()
        WHERE plan_id = $1 AND meeting_id = $2 AND unit_id = $3
        """,
        [
            Parameter.Of(plan), Parameter.Of(call.MeetingId), Parameter.Of(call.UnitId), Parameter.Of((short)call.Reply), Parameter.OrNull(call.RepliedAt),
            Parameter.Of((short)call.Attendance), Parameter.Of(changedBy), Parameter.OrNull(call.Sealed),
        ],
        ExpectedRows: 1);

    private static CallRecord ReadCall(NpgsqlDataReader reader, int at) => new(
        reader.GetGuid(at),
        reader.GetString(at + 1),
        (Categories)reader.GetInt32(at + 2),
        (CallKind)reader.GetInt16(at + 3),
        (CallReply)reader.GetInt16(at + 4),
        reader.IsDBNull(at + 5) ? null : reader.GetFieldValue<DateTimeOffset>(at + 5),
        (Attendance)reader.GetInt16(at + 6),
        reader.IsDBNull(at + 7) ? null : reader.GetFieldValue<byte[]>(at + 7),
        reader.GetFieldValue<DateTimeOffset>(at + 8));

    private static MeetingRecord Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        (MeetingKind)reader.GetInt16(1),
        (MeetingState)reader.GetInt16(2),
        reader.GetFieldValue<DateTimeOffset>(3),
        (MeetingForm)reader.GetInt16(4),
        reader.GetInt32(5),
        reader.GetFieldValue<byte[]>(6));
}

/// <summary>A unit of the plan that can be called to its meetings.</summary>
internal sealed record CallableUnit(string UnitId, V1.UnitKind Kind, OrganisationKind Organisation);
