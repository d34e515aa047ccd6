using CoordinationPlan.Law;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Discharge;

/// <summary>A notice about a stay in inpatient care.</summary>
/// <param name="SummonsDueOn">The last day for the summons; null where none is due.</param>
/// <param name="Sealed">What it says, sealed with the person's key.</param>
internal sealed record DischargeRecord(Guid NoticeId, DischargeNoticeKind Kind, DateTimeOffset NoticedAt, DateOnly? SummonsDueOn, byte[] Sealed)
{
    private static readonly MessageParser<DischargeNotice> Parser = DischargeNotice.Parser.WithDiscardUnknownFields(true);

    private string Place => $"discharge_notice/{NoticeId:D}";

    /// <summary>A new notice, with the day by which it asks for a summons.</summary>
    public static DischargeRecord New(DischargeNotice said, DataKey key)
    {
        var noticedAt = said.NoticeTime.ToDateTimeOffset().AsKept();
        var asksForSummons = said.Kind == DischargeNoticeKind.Ready && !said.OpenCompulsoryCare;
        var record = new DischargeRecord(Ids.Opaque(), said.Kind, noticedAt, asksForSummons ? PlanLaw.Discharge.DueOn(SwedishTime.DayOf(noticedAt)) : null, []);
        var body = new DischargeNotice { ExpectedDischargeDate = said.ExpectedDischargeDate, Note = said.Note, OpenCompulsoryCare = said.OpenCompulsoryCare };
        return record with { Sealed = key.Seal(record.Place, body.ToByteArray()) };
    }

    public DischargeNotice ToNotice(Guid planId, DataKey key)
    {
        var notice = Parser.ParseFrom(key.Open(Place, Sealed));
        notice.Name = ResourceName.Child(planId, ResourceName.DischargeNotices, NoticeId);
        notice.Kind = Kind;
        notice.NoticeTime = Timestamp.FromDateTimeOffset(NoticedAt);
        notice.SummonsDueDate = SummonsDueOn.ToDate();
        return notice;
    }
}
