using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Indicators;

internal static class AttendanceSql
{
    /// <summary>
    /// The calls to the meetings of a controller's plans that began in a period and were held, all of it as it stood at an instant: the current version of a row
    /// if it was there by then, else the one that was superseded after it. Sheltered housings are not read at all.
    /// </summary>
    public static Query<List<HeldCall>> HeldCalls(string controller, DateTimeOffset from, DateTimeOffset to, DateTimeOffset asOf) => new(
        """
        SELECT p.subject_id, m.meeting_id, c.unit_id, u.kind, c.kind, c.reply, c.attendance
        FROM (
            SELECT w.plan_id, w.meeting_id, w.state FROM meeting w WHERE w.starts_at >= $2 AND w.starts_at < $3 AND w.changed_at < $4
            UNION ALL
            SELECT h.plan_id, h.meeting_id, h.state FROM meeting_history h WHERE h.starts_at >= $2 AND h.starts_at < $3 AND h.changed_at < $4 AND h.superseded_at >= $4) m
        JOIN plan p ON p.plan_id = m.plan_id
        JOIN LATERAL (
            SELECT n.unit_id, n.kind, n.reply, n.attendance FROM meeting_call n WHERE n.plan_id = m.plan_id AND n.meeting_id = m.meeting_id AND n.changed_at < $4
            UNION ALL
            SELECT o.unit_id, o.kind, o.reply, o.attendance
            FROM meeting_call_history o WHERE o.plan_id = m.plan_id AND o.meeting_id = m.meeting_id AND o.changed_at < $4 AND o.superseded_at >= $4) c ON true
        JOIN unit u ON u.unit_id = c.unit_id
        WHERE m.state = 2 AND p.owner_controller = $1 AND u.kind <> 4
        """,
        [Parameter.Of(controller), Parameter.Of(from), Parameter.Of(to), Parameter.Of(asOf)],
        static async (reader, stop) =>
        {
            var calls = new List<HeldCall>();
            while (await reader.ReadAsync(stop))
            {
                calls.Add(new HeldCall(
                    reader.GetGuid(0),
                    reader.GetGuid(1),
                    reader.GetString(2),
                    (UnitKind)reader.GetInt16(3),
                    (CallKind)reader.GetInt16(4),
                    (CallReply)reader.GetInt16(5),
                    (Attendance)reader.GetInt16(6)));
            }

            return calls;
        });
}
