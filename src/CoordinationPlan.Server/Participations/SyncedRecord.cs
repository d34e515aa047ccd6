using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Participations;

/// <summary>What a system says of one unit's part in a plan, what was answered to it, and what follows.</summary>
/// <param name="ExternalKey">The keyed hash of the system's own id of it.</param>
/// <param name="Sealed">The system's own id of it and the named care contact, sealed with the person's key.</param>
/// <param name="Asked">Whether it waits or is in conflict, or which of them it was the last time.</param>
/// <param name="ParticipationId">The participation that rests on it.</param>
/// <param name="Version">0 before it is kept.</param>
internal sealed record SyncedRecord(
    Guid SyncedId,
    string OrganisationId,
    string UnitId,
    byte[] ExternalKey,
    SyncRegister Register,
    DateTimeOffset ExternalTime,
    string ClientSystem,
    DateTimeOffset ReceivedAt,
    ParticipantRole Role,
    byte[] Sealed,
    DateTimeOffset? AnsweredAt,
    SyncedParticipationState State,
    SyncedParticipationState Asked,
    DateTimeOffset? AskedAt,
    Guid? ParticipationId,
    int Version)
{
    private static readonly MessageParser<ParticipationItem> Parser = ParticipationItem.Parser.WithDiscardUnknownFields(true);

    public string Etag => Rpc.Etag.Of(SyncedId, Version);

    public SyncClaim Claim => Register.Claim!;

    private string Place => $"synced_participation/{SyncedId:D}/{Claim.Key.Version}/{Claim.Key.Digest:x32}";

    /// <summary>The next version of it with what a system says; itself where that is nothing new.</summary>
    public SyncedRecord Hear(SyncReport report, string clientSystem, DateTimeOffset now, DataKey key)
    {
        var merged = SyncMerge.Merge(Register, SyncRegister.Of(report.Claim));
        if (merged == Register)
        {
            return this;
        }

        var next = this with { Register = merged };
        // An ending that an older message tells of counts, whatever the newest says; the rest of that message does not.
        return merged.Claim == Register.Claim
            ? next
            : (next with { ExternalTime = report.ExternalTime, ClientSystem = clientSystem, ReceivedAt = now, Role = report.Item.Role }).Holding(report.Item, key);
    }

    /// <summary>With an answer to what is said now.</summary>
    public SyncedRecord Answer(SyncAnswer answer, DateTimeOffset now, bool isOfAPerson)
    {
        // Whoever accepts an ending accepts no days.
        SyncAcceptance? accepted = answer == SyncAnswer.Accept ? Claim.Ended ? null : new(Claim.Days, Claim.Key)
            : isOfAPerson || Register.Accepted is null ? null : Register.Decision!.Accepted;
        return this with
        {
            Register = SyncMerge.Merge(Register, new(Decision: new((Register.Decision?.Number ?? 0) + 1, answer, Claim.Key, accepted))),
            AnsweredAt = now,
        };
    }

    /// <summary>With the state that follows, and since when it asks for an answer.</summary>
    public SyncedRecord Following(SyncEffect effect, DateTimeOffset now)
    {
        var asks = effect.State is SyncedParticipationState.Waiting or SyncedParticipationState.Conflict;
        return asks && effect.State != State
            ? this with { State = effect.State, Asked = effect.State, AskedAt = now }
            : this with { State = effect.State };
    }

    /// <summary>The state as whoever reads these categories is told it. Without MEETINGS it says nothing of who else has brought the unit in: what follows from the reports and answers alone.</summary>
    public SyncedParticipationState StateFor(Categories reads) => reads.HasFlag(Categories.Meetings) ? State : SyncMerge.Effect(Register, null).State;

    public SyncedParticipation ToSynced(Guid planId, Categories reads, DataKey key, DirectoryNames names)
    {
        var held = Parser.ParseFrom(key.Open(Place, Sealed));
        return new()
        {
            Name = ResourceName.Child(planId, ResourceName.SyncedParticipations, SyncedId),
            Etag = Etag,
            State = StateFor(reads),
            Unit = names.Name(ResourceName.Units, UnitId),
            ExternalId = held.ExternalId,
            ExternalVersion = Claim.Key.Version,
            ExternalTime = Timestamp.FromDateTimeOffset(ExternalTime),
            Role = Role,
            NamedCareContact = held.NamedCareContact,
            Period = ToPeriod(Claim.Days),
            Ended = Claim.Ended,
            System = names.Name(ResourceName.Systems, ClientSystem),
            ReceiveTime = Timestamp.FromDateTimeOffset(ReceivedAt),
            Answer = Register.Decision?.Answer ?? SyncAnswer.Unspecified,
            AcceptedPeriod = Register.Accepted is { } days ? ToPeriod(days) : null,
            Participation = ParticipationId is { } id ? ResourceName.Child(planId, ResourceName.Participations, id) : "",
        };
    }

    /// <summary>One that nothing was kept of yet.</summary>
    public static SyncedRecord New(SyncReport report, string organisationId, string clientSystem, DateTimeOffset now, DataKey key) => new SyncedRecord(
        Ids.Opaque(), organisationId, report.UnitId, report.ExternalKey, SyncRegister.Of(report.Claim), report.ExternalTime, clientSystem, now, report.Item.Role, [], null,
        SyncedParticipationState.Unspecified, SyncedParticipationState.Unspecified, null, null, 0).Holding(report.Item, key);

    private SyncedRecord Holding(ParticipationItem item, DataKey key) => this with
    {
        Sealed = key.Seal(Place, new ParticipationItem { ExternalId = item.ExternalId, NamedCareContact = item.NamedCareContact }.ToByteArray()),
    };

    private static DatePeriod ToPeriod(Days days) => new() { StartDate = days.From.ToDate(), EndDate = days.To.ToDate() };
}

/// <summary>One item of a batch, once it is well formed.</summary>
internal sealed record SyncReport(int Index, ParticipationItem Item, Guid PlanId, string UnitId, byte[] ExternalKey, SyncClaim Claim, DateTimeOffset ExternalTime)
{
    /// <summary>Reads an item, or says which of its fields is faulty.</summary>
    public static (SyncReport? Report, FieldFault? Fault) Read(int index, ParticipationItem item, string organisationId, ServiceKeys keys, DateOnly today)
    {
        if (RequestShape.FaultOf(item, today) is { } fault)
        {
            return (null, fault);
        }

        if (item.ExternalVersion < 1)
        {
            return (null, new("external_version", "must be 1 or more"));
        }

        if ((item.Role == ParticipantRole.NamedCareContact) != (item.NamedCareContact is not null))
        {
            return (null, new("named_care_contact", "is required with the role NAMED_CARE_CONTACT and refused with any other"));
        }

        if (item.NamedCareContact is { } contact && ResourceName.TryParseEntry(contact.Employee, ResourceName.Employees) is null)
        {
            return (null, new("named_care_contact.employee", "must be a name of the form employees/{employee}"));
        }

        if (ResourceName.TryParsePlan(item.Plan) is not { } planId)
        {
            return (null, new("plan", "must be a name of the form plans/{plan}, as given by the service"));
        }

        if (ResourceName.TryParseEntry(item.Unit, ResourceName.Units) is not { } unit)
        {
            return (null, new("unit", "must be a name of the form units/{unit}"));
        }

        // What it says, without which it is: that is the key it is found by.
        var said = new ParticipationItem
        {
            ExternalTime = item.ExternalTime,
            Role = item.Role,
            NamedCareContact = item.NamedCareContact,
            Period = item.Period,
            Ended = item.Ended,
        };
        var days = new Days(item.Period.StartDate.ToDateOnly(), item.Period.EndDate?.ToDateOnly());
        return (
            new(
                index,
                item,
                planId,
                keys.Names.Stored(ResourceName.Units, unit),
                keys.IndexOfExternal(organisationId, item.ExternalId),
                new SyncClaim(new(item.ExternalVersion, keys.DigestOf(said.ToByteArray())), days, item.Ended),
                item.ExternalTime.ToDateTimeOffset().AsKept()),
            null);
    }
}
