using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Meetings;

/// <summary>A meeting about a plan.</summary>
/// <param name="Sealed">Place, agenda, minutes and decisions, sealed with the person's key for just this version.</param>
internal sealed record MeetingRecord(Guid MeetingId, MeetingKind Kind, MeetingState State, DateTimeOffset StartsAt, MeetingForm Form, int Version, byte[] Sealed)
{
    private static readonly MessageParser<Meeting> Parser = Meeting.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(MeetingId, Version);

    private string Place => $"meeting/{MeetingId:D}/{Version}";

    /// <summary>What is sealed: a Meeting with place, agenda, minutes and decisions.</summary>
    public Meeting Open(DataKey key) => Parser.ParseFrom(key.Open(Place, Sealed));

    public MeetingRecord Holding(DataKey key, Meeting narrative) => this with
    {
        Sealed = key.Seal(
            Place, new Meeting { Place = narrative.Place, Agenda = narrative.Agenda, Minutes = narrative.Minutes, Decisions = narrative.Decisions }.ToByteArray()),
    };

    /// <summary>The next version, sealed anew for its place.</summary>
    public MeetingRecord Next(DataKey key, Action<Meeting>? change = null)
    {
        var narrative = Open(key);
        change?.Invoke(narrative);
        return (this with { Version = Version + 1 }).Holding(key, narrative);
    }

    /// <summary>What a called unit must know to come, and nothing else of the meeting.</summary>
    public OwnCall ToOwnCall(Guid planId, CallRecord call, DataKey key) => new()
    {
        Meeting = ResourceName.Child(planId, ResourceName.Meetings, MeetingId),
        MeetingEtag = Etag,
        MeetingKind = Kind,
        Kind = call.Kind,
        State = State,
        StartTime = Timestamp.FromDateTimeOffset(StartsAt),
        Form = Form,
        Place = Open(key).Place,
        Reply = call.Reply,
        ReplyTime = call.RepliedAt is { } at ? Timestamp.FromDateTimeOffset(at) : null,
        Attendance = call.Attendance,
        Substitute = call.Open(key),
    };

    public Meeting ToMeeting(Guid planId, IEnumerable<CallRecord> calls, DataKey key, DirectoryNames names)
    {
        var meeting = Open(key);
        meeting.Name = ResourceName.Child(planId, ResourceName.Meetings, MeetingId);
        meeting.Etag = Etag;
        meeting.Kind = Kind;
        meeting.State = State;
        meeting.StartTime = Timestamp.FromDateTimeOffset(StartsAt);
        meeting.Form = Form;
        meeting.Calls.AddRange(calls.Select(call => call.ToCall(key, names)));
        return meeting;
    }
}

/// <summary>The call of one unit to a meeting.</summary>
/// <param name="Category">MEETINGS, or WHEREABOUTS where the unit is a sheltered housing and SCHOOL_PLACEMENT where it is a school.</param>
/// <param name="Sealed">Who comes instead, sealed with the person's key for just this answer; null where that was not said.</param>
internal sealed record CallRecord(
    Guid MeetingId, string UnitId, Categories Category, CallKind Kind, CallReply Reply, DateTimeOffset? RepliedAt, Attendance Attendance, byte[]? Sealed, DateTimeOffset ChangedAt)
{
    private static readonly MessageParser<Substitute> Parser = Substitute.Parser.WithDiscardUnknownFields(true);

    private string Place => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"meeting_call/{MeetingId:D}/{UnitId}/{RepliedAt?.UtcTicks}");

    public Substitute? Open(DataKey key) => Sealed is null || Reply != CallReply.Substitute ? null : Parser.ParseFrom(key.Open(Place, Sealed));

    public MeetingCall ToCall(DataKey key, DirectoryNames names) => new()
    {
        Unit = names.Name(ResourceName.Units, UnitId),
        Kind = Kind,
        Reply = Reply,
        ReplyTime = RepliedAt is { } at ? Timestamp.FromDateTimeOffset(at) : null,
        Attendance = Attendance,
        Substitute = Open(key),
    };

    /// <summary>What the unit itself says: whether it comes and who, or whether it came.</summary>
    public CallRecord Answered(DataKey key, ReplyToCallRequest answer, DateTimeOffset now) => answer.Reply != CallReply.Unspecified
        ? (this with { Reply = answer.Reply, RepliedAt = now }).Holding(key, answer.Substitute)
        : this with { Attendance = answer.Attendance };

    private CallRecord Holding(DataKey key, Substitute? substitute) => this with { Sealed = substitute is null ? null : key.Seal(Place, substitute.ToByteArray()) };

    /// <summary>The meeting is at another time: what was answered counts no longer.</summary>
    public CallRecord AskedAgain() => this with { Reply = CallReply.Unspecified, RepliedAt = null, Sealed = null };

    /// <summary>Whether the unit came, as the owning unit records it.</summary>
    public CallRecord Attended(bool came) => this with
    {
        Attendance = came ? Attendance.Attended : Reply == CallReply.Declined ? Attendance.Declined : Attendance.NoShow,
    };

    /// <summary>
    /// Who of a plan's units is called how: the social services and health care of a municipality or region are summoned, everybody else is invited.
    /// </summary>
    public static CallKind KindOf(V1.UnitKind unit, OrganisationKind organisation) =>
        unit is V1.UnitKind.SocialServices or V1.UnitKind.HealthCare && organisation is OrganisationKind.Municipality or OrganisationKind.Region
            ? CallKind.Summons
            : CallKind.Invitation;
}
