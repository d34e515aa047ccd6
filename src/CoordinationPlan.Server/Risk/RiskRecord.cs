using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Risk;

/// <summary>A risk assessment. Only what takes its place is ever added.</summary>
/// <param name="Sealed">All that it says, sealed with the person's key.</param>
internal sealed record RiskRecord(Guid AssessmentId, RiskInstrument Instrument, DateOnly AssessedOn, DateOnly ReassessOn, Guid? SupersededBy, int Version, byte[] Sealed)
{
    private static readonly MessageParser<RiskAssessment> Parser = RiskAssessment.Parser.WithDiscardUnknownFields(true);

    private string Place => $"risk_assessment/{AssessmentId:D}";

    public RiskRecord Holding(DataKey key, RiskAssessment said)
    {
        var body = said.Clone();
        body.Name = "";
        body.SupersededBy = "";
        return this with { Sealed = key.Seal(Place, body.ToByteArray()) };
    }

    public RiskAssessment ToRiskAssessment(Guid planId, DataKey key, DirectoryNames names)
    {
        var assessment = Parser.ParseFrom(key.Open(Place, Sealed));
        assessment.Name = ResourceName.Child(planId, ResourceName.RiskAssessments, AssessmentId);
        assessment.SupersededBy = SupersededBy is { } later ? ResourceName.Child(planId, ResourceName.RiskAssessments, later) : "";
        assessment.AssessedBy = names.NameOf(assessment.AssessedBy);
        assessment.AssessingUnit = names.Name(ResourceName.Units, assessment.AssessingUnit);
        return assessment;
    }
}
