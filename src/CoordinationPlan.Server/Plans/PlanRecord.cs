using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Plans;

/// <summary>What a part of a plan holds.</summary>
internal enum PartKind : short
{
    /// <summary>Texts of the frame, one part for each category: who the person is, the situation. The body is a Plan with just those fields.</summary>
    Frame = 1,
    Goal = 2,
    Intervention = 3,
    OtherMeasure = 4,
    RelatedPlan = 5,
    ProtectionMeasure = 6,
}

/// <summary>One part of a plan: changed as one, released as one, sealed as one.</summary>
/// <param name="Sealed">The body, sealed with the person's key for just this version of just this part.</param>
/// <param name="Schedule">When an intervention is given and by whom, beside the body; not read back, and so given with every version that is written.</param>
internal sealed record PlanPart(Guid PartId, PartKind Kind, Categories Category, string? UnitId, ItemState State, int Version, byte[] Sealed, Schedule? Schedule = null)
{
    public string Etag => Rpc.Etag.Of(PartId, Version);

    private string Place => $"plan_part/{PartId:D}/{Version}/{(int)Category}";

    /// <summary>A new part.</summary>
    public static PlanPart New(DataKey key, PartKind kind, Categories category, string? unitId, byte[] body) =>
        new PlanPart(Ids.Opaque(), kind, category, unitId, ItemState.Active, 1, []).Holding(key, body);

    /// <summary>The next version.</summary>
    public PlanPart Next(DataKey key, ItemState state, byte[] body) => (this with { State = state, Version = Version + 1 }).Holding(key, body);

    public byte[] Open(DataKey key) => key.Open(Place, Sealed);

    private PlanPart Holding(DataKey key, byte[] body) => this with { Sealed = key.Seal(Place, body) };
}

/// <summary>What tasks follow from: the days of an intervention, and the contact person as the directory is stored.</summary>
internal sealed record Schedule(DateOnly? StartsOn, DateOnly? EndsOn, string? ContactPerson)
{
    public static Schedule Of(Intervention intervention, DirectoryNames names) => new(
        intervention.Period?.StartDate?.ToDateOnly(),
        intervention.Period?.EndDate?.ToDateOnly(),
        names.ParseOptional(intervention.ContactPerson, ResourceName.Employees, "intervention.contact_person"));
}

/// <summary>The typed columns of a plan.</summary>
internal sealed record PlanRecord(
    Guid PlanId,
    PlanState State,
    int Version,
    int Revision,
    string LegalBasis,
    string OwnerUnitId,
    string? LeadPrincipal,
    string? Coordinator,
    bool NoOtherMeasures,
    DateOnly? FollowUpOn,
    DateOnly? EstablishedOn,
    DateOnly? ClosedOn,
    PlanClosingReason ClosingReason,
    PlanDeclineReason DeclineReason)
{
    public string Etag => Rpc.Etag.Of(PlanId, Version);

    /// <summary>The plan without its parts.</summary>
    public Plan ToPlan(DirectoryNames names) => new()
    {
        Name = ResourceName.Plan(PlanId),
        Etag = Etag,
        State = State,
        Revision = Revision,
        LegalBasis = LegalBasis,
        OwningUnit = names.Name(ResourceName.Units, OwnerUnitId),
        LeadPrincipal = names.Name(ResourceName.Organisations, LeadPrincipal),
        Coordinator = names.Name(ResourceName.Employees, Coordinator),
        NoOtherMeasures = NoOtherMeasures,
        FollowUpDate = FollowUpOn.ToDate(),
        EstablishedDate = EstablishedOn.ToDate(),
        ClosedDate = ClosedOn.ToDate(),
        ClosingReason = ClosingReason,
        DeclineReason = DeclineReason,
    };
}

/// <summary>Puts a plan together from what was read.</summary>
internal static class PlanMapping
{
    /// <summary>The plan with the parts that were fetched, which are the permitted ones.</summary>
    public static Plan ToPlan(PlanRecord record, IEnumerable<PlanPart> parts, DataKey key, DirectoryNames names)
    {
        var plan = record.ToPlan(names);
        foreach (var part in parts)
        {
            switch (part.Kind)
            {
                case PartKind.Frame:
                    plan.MergeFrom((Plan)Stored<Plan>.Parser.ParseFrom(part.Open(key)));
                    break;
                case PartKind.Goal:
                    plan.Goals.Add(ToItem<Goal>(record.PlanId, part, key));
                    break;
                case PartKind.Intervention:
                    plan.Interventions.Add(ToItem<Intervention>(record.PlanId, part, key));
                    break;
                case PartKind.OtherMeasure:
                    plan.OtherMeasures.Add(ToItem<OtherMeasure>(record.PlanId, part, key));
                    break;
                case PartKind.RelatedPlan:
                    plan.RelatedPlans.Add(ToItem<RelatedPlan>(record.PlanId, part, key));
                    break;
                case PartKind.ProtectionMeasure:
                    plan.ProtectionMeasures.Add(ToItem<ProtectionMeasure>(record.PlanId, part, key));
                    break;
                default:
                    throw new InvalidOperationException("A part of an unknown kind.");
            }
        }

        // A plan that was taken up again keeps the old decision in its history only.
        if (record.DeclineReason == PlanDeclineReason.Unspecified)
        {
            plan.DeclineReference = "";
        }

        return plan;
    }

    /// <summary>An item of the plan; its name, etag and state are the row's, not the body's.</summary>
    public static T ToItem<T>(Guid planId, PlanPart part, DataKey key)
        where T : IPlanItem, new()
    {
        var item = (T)Stored<T>.Parser.ParseFrom(part.Open(key));
        item.Name = ResourceName.Child(planId, CollectionOf(part.Kind), part.PartId);
        item.Etag = part.Etag;
        item.State = part.State;
        return item;
    }

    public static string CollectionOf(PartKind kind) => kind switch
    {
        PartKind.Goal => ResourceName.Goals,
        PartKind.Intervention => ResourceName.Interventions,
        PartKind.OtherMeasure => ResourceName.OtherMeasures,
        PartKind.RelatedPlan => ResourceName.RelatedPlans,
        PartKind.ProtectionMeasure => ResourceName.ProtectionMeasures,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>Reads what is stored. A later version of the service may have stored fields that this one has no category for: they are left out.</summary>
internal static class Stored<T>
    where T : Google.Protobuf.IMessage, new()
{
    public static Google.Protobuf.MessageParser Parser { get; } = new T().Descriptor.Parser.WithDiscardUnknownFields(true);
}
