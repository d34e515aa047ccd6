using CoordinationPlan.Law;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Schooling;

/// <summary>The arrangement of a child's schooling with one school.</summary>
/// <param name="School">The school as the directory has it; null while there is none.</param>
/// <param name="Sealed">All that it says, sealed with the person's key for just this version.</param>
internal sealed record SchoolingRecord(
    Guid ArrangementId,
    SchoolingStage Stage,
    SchoolOfDirectory? School,
    DateOnly? StartsOn,
    DateOnly? EndsOn,
    DateOnly? FollowUpOn,
    DateOnly? ReviewedOn,
    DateOnly? HandedOverOn,
    DateOnly? OfficeInformedOn,
    DateOnly? SchoolInformedOn,
    bool HasAlias,
    int Version,
    byte[] Sealed)
{
    private static readonly MessageParser<SchoolArrangement> Parser = SchoolArrangement.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(ArrangementId, Version);

    private string Place => $"school_arrangement/{ArrangementId:D}/{Version}";

    /// <summary>A new one, of which nothing has been written down yet.</summary>
    public static SchoolingRecord New() => new(Ids.Opaque(), SchoolingStage.Unknown, null, null, null, null, null, null, null, null, false, 1, []);

    public SchoolArrangement Open(DataKey key) => Parser.ParseFrom(key.Open(Place, Sealed));

    /// <summary>What is asked and searched for becomes columns; all that is said is sealed.</summary>
    public SchoolingRecord Holding(DataKey key, SchoolArrangement said)
    {
        var body = said.Clone();
        (body.Name, body.Etag, body.SchoolUnitCode, body.SchoolOrganiser) = ("", "", "", "");
        body.State = SchoolArrangementState.Unspecified;
        return this with
        {
            StartsOn = said.StartDate?.ToDateOnly(),
            EndsOn = said.EndDate?.ToDateOnly(),
            FollowUpOn = said.FollowUpDate?.ToDateOnly(),
            ReviewedOn = said.ReviewDate?.ToDateOnly(),
            OfficeInformedOn = LatestOf(said, HandoverStepKind.HomeEducationOffice),
            SchoolInformedOn = LatestOf(said, HandoverStepKind.LeavingSchool),
            HasAlias = said.Alias is not null,
            Sealed = key.Seal(Place, body.ToByteArray()),
        };
    }

    /// <summary>The next version.</summary>
    public SchoolingRecord Next(DataKey key, SchoolArrangement said) => (this with { Version = Version + 1 }).Holding(key, said);

    public SchoolArrangement ToArrangement(Guid planId, DataKey key, DirectoryNames names)
    {
        var arrangement = Open(key);
        arrangement.Name = ResourceName.Child(planId, ResourceName.SchoolArrangements, ArrangementId);
        arrangement.Etag = Etag;
        arrangement.State = (SchoolArrangementState)Stage;
        arrangement.SchoolUnit = names.Name(ResourceName.Units, School?.UnitId);
        arrangement.SchoolUnitCode = School?.Code is { } code ? names.Open(code) : "";
        arrangement.SchoolOrganiser = names.Name(ResourceName.Organisations, School?.OrganisationId);
        return arrangement;
    }

    /// <summary>What the rules of law ask of it.</summary>
    public SchoolingContent ToContent(SchoolArrangement said, bool schoolMayKnow) => new(
        HasCaseWorker: said.CaseWorker.Length > 0,
        HasSchool: School is not null,
        HasForm: said.Form != SchoolForm.Unspecified,
        HasSolution: said.Solution != SchoolSolution.Unspecified,
        StartsOn: said.StartDate?.ToDateOnly(),
        ChildHeard: !string.IsNullOrWhiteSpace(said.ChildsWords),
        SchoolMayKnow: schoolMayKnow,
        HasObstacle: !string.IsNullOrWhiteSpace(said.Obstacles),
        EndsOn: said.EndDate?.ToDateOnly(),
        OfficeInformed: LatestOf(said, HandoverStepKind.HomeEducationOffice) is not null,
        SchoolInformed: LatestOf(said, HandoverStepKind.LeavingSchool) is not null);

    private static DateOnly? LatestOf(SchoolArrangement said, HandoverStepKind kind) =>
        said.HandoverSteps.Where(step => step.Kind == kind).Select(step => (DateOnly?)step.TakeDate.ToDateOnly()).Max();
}

/// <summary>A school as the directory has it.</summary>
/// <param name="Code">The school unit's code, encrypted; null where it has none.</param>
internal sealed record SchoolOfDirectory(string UnitId, string OrganisationId, string? Code);

/// <summary>One week as a school has reported it.</summary>
/// <param name="Version">0 where it has not been reported yet.</param>
internal sealed record AttendanceRecord(DateOnly Monday, Attended Hours, bool IsPattern, int Version)
{
    /// <summary>The etag of a week that has not been reported yet.</summary>
    public const string NewEtag = "new";

    public string EtagIn(Guid arrangementId) =>
        Version == 0 ? NewEtag : Etag.Of(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{arrangementId:D}/{Monday:yyyy-MM-dd}"), Version);

    public AttendanceWeek ToWeek(Guid arrangementId)
    {
        var day = Monday.ToDateTime(TimeOnly.MinValue);
        return new AttendanceWeek
        {
            Year = System.Globalization.ISOWeek.GetYear(day),
            Week = System.Globalization.ISOWeek.GetWeekOfYear(day),
            HoursPossible = Hours.Possible,
            HoursAttended = Hours.Present,
            HoursAbsentValid = Hours.AbsentValid,
            HoursAbsentInvalid = Hours.AbsentInvalid,
            Etag = EtagIn(arrangementId),
        };
    }
}
