using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.RegionSystem;

/// <summary>What people of the units have decided: answers to summons, notices of discharge. Each stands here until the service has answered it, and goes with what it is about.</summary>
internal sealed partial class Store
{
    /// <summary>Notes an answer to the call as it is held: where the meeting is another when the answer comes, it is not taken. False where no such call is held.</summary>
    public bool Note(string unit, ReplyToCallRequest answer) => Write(database =>
    {
        if (Held(database, ChangeKind.Summons, answer.Name, unit) is not { } held)
        {
            return false;
        }

        answer.RequestId = RequestId.New();
        answer.Etag = OwnCall.Parser.ParseJson(held.Content).MeetingEtag;
        Add(database, ErrandKind.Answer, held.Plan, unit, ChangeKind.Summons, answer.Name, answer.ToByteArray());
        return true;
    });

    /// <summary>Notes a notice of discharge. False where the unit has not been told of such a plan.</summary>
    public bool Note(string unit, AddDischargeNoticeRequest notice) => Write(database =>
    {
        if (Held(database, ChangeKind.Plan, notice.Parent, unit) is not { } held)
        {
            return false;
        }

        notice.RequestId = RequestId.New();
        Add(database, ErrandKind.Discharge, held.Plan, unit, ChangeKind.Plan, notice.Parent, notice.ToByteArray());
        return true;
    });

    /// <summary>What the service has not answered yet, in the order that it was noted.</summary>
    public List<Errand> ToSend() => Read(database => database.List(
        "SELECT id, kind, plan, unit, request FROM errand WHERE outcome IS NULL ORDER BY id",
        row => new Errand(row.GetInt64(0), (ErrandKind)row.GetInt32(1), row.GetString(2), row.GetString(3), (byte[])row.GetValue(4))));

    public void Sent(Errand errand, string outcome) => Write(database => database.Run("UPDATE errand SET outcome = $2 WHERE id = $1 AND outcome IS NULL", errand.Id, outcome));

    private static void Add(Database database, ErrandKind kind, string plan, string unit, ChangeKind about, string thing, byte[] request) => database.Run(
        "INSERT INTO errand (kind, plan, unit, about, thing, request) VALUES ($1, $2, $3, $4, $5, $6)", (int)kind, plan, unit, (int)about, thing, request);

    private static (string Plan, string Content)? Held(Database database, ChangeKind kind, string thing, string unit) =>
        database.List("SELECT plan, content FROM held WHERE kind = $1 AND thing = $2 AND unit = $3", row => (row.GetString(0), row.GetString(1)), (int)kind, thing, unit) is [var held] ? held : null;

    private static void ForgetErrandsOfWhatIsNotHeld(Database database) => database.Run(
        "DELETE FROM errand WHERE NOT EXISTS (SELECT 1 FROM held WHERE held.plan = errand.plan AND held.unit = errand.unit AND held.kind = errand.about AND held.thing = errand.thing)");
}
