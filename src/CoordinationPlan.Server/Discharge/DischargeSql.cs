using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Discharge;

internal static class DischargeSql
{
    /// <summary>A plan's notices, the latest first.</summary>
    public static Query<List<DischargeRecord>> Of(Guid plan) => new(
        "SELECT notice_id, kind, noticed_at, summons_due_on, body FROM discharge_notice WHERE plan_id = $1 ORDER BY noticed_at DESC, created_at DESC",
        [Parameter.Of(plan)],
        static async (reader, stop) =>
        {
            var notices = new List<DischargeRecord>();
            while (await reader.ReadAsync(stop))
            {
                notices.Add(new DischargeRecord(
                    reader.GetGuid(0),
                    (DischargeNoticeKind)reader.GetInt16(1),
                    reader.GetFieldValue<DateTimeOffset>(2),
                    reader.IsDBNull(3) ? null : reader.GetFieldValue<DateOnly>(3),
                    reader.GetFieldValue<byte[]>(4)));
            }

            return notices;
        });

    public static Command Insert(Guid plan, DischargeRecord notice, string addedBy) => new(
        "INSERT INTO discharge_notice (plan_id, notice_id, kind, noticed_at, summons_due_on, body, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            Parameter.Of(plan), Parameter.Of(notice.NoticeId), Parameter.Of((short)notice.Kind), Parameter.Of(notice.NoticedAt), Parameter.OrNull(notice.SummonsDueOn),
            Parameter.Of(notice.Sealed), Parameter.Of(addedBy),
        ]);
}
