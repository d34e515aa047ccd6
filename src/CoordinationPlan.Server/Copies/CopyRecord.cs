using CoordinationPlan.Policy;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Copies;

/// <summary>That a copy was issued. The document is not in it, only its hash.</summary>
/// <param name="UnitId">The unit that issued it, and received it where it was for itself.</param>
/// <param name="Category">EXISTENCE, or WHEREABOUTS where the unit is a sheltered housing, as its participation.</param>
/// <param name="Held">The categories that the document holds.</param>
internal sealed record CopyRecord(
    Guid CopyId, CopyReceiver Receiver, int Number, string UnitId, Categories Category, int Revision, Categories Held, byte[] Sha256, string IssuedBy, DateTimeOffset IssuedAt)
{
    public PlanCopy ToCopy(Guid planId, DirectoryNames names) => new()
    {
        Name = ResourceName.Child(planId, ResourceName.Copies, CopyId),
        Receiver = Receiver,
        Number = Number,
        Revision = Revision,
        IssueTime = Timestamp.FromDateTimeOffset(IssuedAt),
        IssuedBy = names.NameOf(IssuedBy),
        Unit = names.Name(ResourceName.Units, UnitId),
        Categories = { CategorySets.ToList(Held) },
        Sha256 = Convert.ToHexStringLower(Sha256),
    };
}
