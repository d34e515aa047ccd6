using System.Globalization;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// The CareTeam as a region's system knows it: what it has reported of its own units' part in a plan, and what became of that. Nothing here opens anything: a unit takes part when the
/// owning unit has accepted it. docs/fhir.md lists which field becomes which element.
/// </summary>
internal static class ReportedTeamResource
{
    private const string ExternalId = FhirSystems.Own + "external-id";
    private const string ExternalVersion = FhirSystems.Own + "external-version";
    private const string ExternalTime = FhirSystems.Own + "external-time";
    private const string Ended = FhirSystems.Own + "ended";
    private const string State = FhirSystems.Own + "synced-participation-state";

    public static CareTeam Of(string plan, IEnumerable<SyncedParticipation> reported)
    {
        var team = new CareTeam { Id = CarePlanId(plan), Participant = [.. reported.Select(ToParticipant)] };
        team.Meta = Meta(VersionIds.Of(team));
        return team;
    }

    /// <summary>What a PUT reports: one participant that is new, or newer than what was reported before. Null where all of it has been reported.</summary>
    /// <exception cref="FhirFault">The body asks for something else.</exception>
    public static ParticipationItem? Change(string plan, IReadOnlyList<SyncedParticipation> reported, CareTeam body)
    {
        var frame = new CareTeam { Id = body.Id };
        var without = (CareTeam)body.DeepCopy();
        (without.Participant, without.Meta, without.Text) = ([], null, null);
        if (!without.IsExactly(frame))
        {
            throw FhirFault.Unprocessable("A system reports participants of a CareTeam, and nothing else of it.");
        }

        var known = reported.Select(synced => ToItem(plan, synced)).ToDictionary(KeyOf);
        var said = body.Participant.Select(participant => ToItem(plan, participant)).ToList();
        if (said.DistinctBy(KeyOf).Count() != said.Count || known.Keys.Except(said.Select(KeyOf)).Any())
        {
            throw FhirFault.Unprocessable("Every participant that was read is there, once. One whose part is over is reported as ended.");
        }

        return said.Where(item => !item.Equals(known.GetValueOrDefault(KeyOf(item)))).ToList() switch
        {
            [] => null,
            [var item] when !known.TryGetValue(KeyOf(item), out var before) || item.ExternalVersion > before.ExternalVersion => item,
            [_] => throw FhirFault.Unprocessable("What is changed has a newer external version than what was read."),
            _ => throw FhirFault.Unprocessable("One participant is reported at a time."),
        };
    }

    /// <summary>Why the service did not take what was reported; null where it did.</summary>
    public static Exception? Fault(ParticipationItemResult result) => result.Reason switch
    {
        ErrorReason.Unspecified => null,
        ErrorReason.InvalidFields => Errors.InvalidFields(new FieldFault(result.Field, "is not what a participation can be")),
        ErrorReason.WrongState => Errors.WrongState("The plan is closed, or the unit owns it."),
        _ => Errors.AccessDenied(),
    };

    private static (string Unit, string ExternalId) KeyOf(ParticipationItem item) => (item.Unit, item.ExternalId);

    private static ParticipationItem ToItem(string plan, SyncedParticipation synced) => new()
    {
        Plan = plan,
        Unit = synced.Unit,
        ExternalId = synced.ExternalId,
        ExternalVersion = synced.ExternalVersion,
        ExternalTime = synced.ExternalTime,
        Role = synced.Role,
        NamedCareContact = synced.NamedCareContact,
        Period = synced.Period,
        Ended = synced.Ended,
    };

    private static ParticipationItem ToItem(string plan, CareTeam.ParticipantComponent participant)
    {
        var (member, period) = (participant.Member, participant.Period);
        var employee = EntryOf(Rpc.ResourceName.Employees, participant.OnBehalfOf is null ? null : member);
        var item = new ParticipationItem
        {
            Plan = plan,
            Unit = EntryOf(Rpc.ResourceName.Units, participant.OnBehalfOf ?? member) ?? "",
            ExternalId = Value<FhirString>(ExternalId)?.Value ?? "",
            ExternalVersion = long.TryParse(Value<FhirString>(ExternalVersion)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0,
            ExternalTime = Value<Instant>(ExternalTime)?.Value is { } time ? Timestamp.FromDateTimeOffset(time.AsKept()) : null,
            Role = participant.Role is [{ Coding: [{ Code: { } code }] }] ? FhirSystems.ValueOf<ParticipantRole>(code) : ParticipantRole.Unspecified,
            NamedCareContact = employee is null ? null : new NamedCareContact { Employee = employee, DisplayName = member!.Display ?? "" },
            Period = DayOf(period?.Start) is { } start ? new DatePeriod { StartDate = start, EndDate = DayOf(period!.End) } : null,
            Ended = Value<FhirBoolean>(Ended)?.Value ?? false,
        };

        // What the service says is not looked at, and everything else is looked at: what has no place in a report is not overlooked.
        var given = (CareTeam.ParticipantComponent)participant.DeepCopy();
        given.ElementId = null;
        given.Extension.RemoveAll(extension => extension.Url == State || (extension.Url == Ended && extension.Value is FhirBoolean { Value: false }));
        var isSaidOnce = participant.Extension.DistinctBy(extension => extension.Url).Count() == participant.Extension.Count;
        return isSaidOnce && item.Unit.Length > 0 && item.Period is not null && item.ExternalTime is not null && InOrder(ToParticipant(item)).IsExactly(InOrder(given))
            ? item
            : throw FhirFault.Unprocessable(
                "A participant has a role of the contract, a member or onBehalfOf with the unit's identifier, a period of whole days with a start, and the extensions external-id, external-version and external-time, and nothing else.");

        T? Value<T>(string url)
            where T : DataType => participant.Extension.Find(extension => extension.Url == url)?.Value as T;
    }

    private static CareTeam.ParticipantComponent ToParticipant(SyncedParticipation synced)
    {
        var participant = ToParticipant(ToItem("", synced));
        participant.ElementId = synced.Name[(synced.Name.LastIndexOf('/') + 1)..];
        participant.Extension.Add(new Extension(State, FhirSystems.CodeValueOf(synced.State)));
        return participant;
    }

    private static CareTeam.ParticipantComponent ToParticipant(ParticipationItem item)
    {
        var participant = new CareTeam.ParticipantComponent
        {
            Role = [new CodeableConcept { Coding = [FhirSystems.CodeOf(item.Role)] }],
            Member = FhirSystems.ToEntry(item.Unit),
            Period = PeriodOf(item.Period),
            Extension =
            [
                new Extension(ExternalId, new FhirString(item.ExternalId)),
                new Extension(ExternalVersion, new FhirString(item.ExternalVersion.ToString(CultureInfo.InvariantCulture))),
                new Extension(ExternalTime, new Instant(item.ExternalTime.ToDateTimeOffset())),
            ],
        };
        if (item.NamedCareContact is { } contact)
        {
            (participant.Member, participant.OnBehalfOf) = (FhirSystems.ToEntry(contact.Employee), participant.Member);
            participant.Member.Display = OrNull(contact.DisplayName);
        }

        if (item.Ended)
        {
            participant.Extension.Add(new Extension(Ended, new FhirBoolean(true)));
        }

        return participant;
    }

    /// <summary>
    /// Extensions have no order, an instant has many ways to be written and is kept to the microsecond, and a system need not say what kind of thing a unit is.
    /// </summary>
    private static CareTeam.ParticipantComponent InOrder(CareTeam.ParticipantComponent participant)
    {
        foreach (var extension in participant.Extension)
        {
            if (extension.Value is Instant { Extension.Count: 0, ElementId: null, Value: { } time })
            {
                extension.Value = new Instant(time.AsKept().ToUniversalTime());
            }
        }

        participant.Extension = [.. participant.Extension.OrderBy(extension => extension.Url, StringComparer.Ordinal)];
        foreach (var reference in new[] { participant.Member, participant.OnBehalfOf }.OfType<ResourceReference>())
        {
            reference.Type ??= reference == participant.Member && participant.OnBehalfOf is not null ? "Practitioner" : "Organization";
        }

        return participant;
    }

    private static string? EntryOf(string collection, ResourceReference? reference) => FhirSystems.EntryOf(collection, reference?.Identifier?.System, reference?.Identifier?.Value);
}
