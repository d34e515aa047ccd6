using CoordinationPlan.Policy;
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
}

/// <summary>One part of a plan: changed as one, released as one.</summary>
internal sealed record PlanPart(Guid PartId, PartKind Kind, Categories Category, string? UnitId, ItemState State, int Version, byte[] Body)
{
    public string Etag => Rpc.Etag.Of(PartId, Version);
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
    PlanClosingReason ClosingReason)
{
    public string Etag => Rpc.Etag.Of(PlanId, Version);

    /// <summary>The plan without its parts.</summary>
    public Plan ToPlan() => new()
    {
        Name = ResourceName.Plan(PlanId),
        Etag = Etag,
        State = State,
        Revision = Revision,
        LegalBasis = LegalBasis,
        OwningUnit = ResourceName.Entry(ResourceName.Units, OwnerUnitId),
        LeadPrincipal = ResourceName.Entry(ResourceName.Organisations, LeadPrincipal),
        Coordinator = ResourceName.Entry(ResourceName.Employees, Coordinator),
        NoOtherMeasures = NoOtherMeasures,
        FollowUpDate = FollowUpOn.ToDate(),
        EstablishedDate = EstablishedOn.ToDate(),
        ClosedDate = ClosedOn.ToDate(),
        ClosingReason = ClosingReason,
    };
}

/// <summary>Puts a plan together from what was read.</summary>
internal static class PlanMapping
{
    /// <summary>The plan with the parts that were fetched, which are the permitted ones.</summary>
    public static Plan ToPlan(PlanRecord record, IEnumerable<PlanPart> parts)
    {
        var plan = record.ToPlan();
        foreach (var part in parts)
        {
            switch (part.Kind)
            {
                case PartKind.Frame:
                    plan.MergeFrom((Plan)Stored<Plan>.Parser.ParseFrom(part.Body));
                    break;
                case PartKind.Goal:
                    plan.Goals.Add(ToItem<Goal>(record.PlanId, part));
                    break;
                case PartKind.Intervention:
                    plan.Interventions.Add(ToItem<Intervention>(record.PlanId, part));
                    break;
                case PartKind.OtherMeasure:
                    plan.OtherMeasures.Add(ToItem<OtherMeasure>(record.PlanId, part));
                    break;
                default:
                    throw new InvalidOperationException("A part of an unknown kind.");
            }
        }

        return plan;
    }

    /// <summary>An item of the plan; its name, etag and state are the row's, not the body's.</summary>
    public static T ToItem<T>(Guid planId, PlanPart part)
        where T : IPlanItem, new()
    {
        var item = (T)Stored<T>.Parser.ParseFrom(part.Body);
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
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>Reads what is stored. A later version of the service may have stored fields that this one has no category for: they are left out.</summary>
internal static class Stored<T>
    where T : Google.Protobuf.IMessage, new()
{
    public static Google.Protobuf.MessageParser Parser { get; } = new T().Descriptor.Parser.WithDiscardUnknownFields(true);
}
