using System.Text;
using CoordinationPlan.Bench.Data;
using CoordinationPlan.Bench.Http2;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Bench.Load;

/// <summary>Reads a random plan with each call.</summary>
/// <param name="plans">How many there are.</param>
/// <param name="places">How many calls are in flight.</param>
internal sealed class GetPlanCalls(int plans, int places) : Calls
{
    // Answer and plan are each a field 1 of unknown length; the name comes first in the plan, so it is near the beginning.
    private const int Beginning = 64;
    private readonly byte[][] _asked = new byte[places][];

    public override string Method => "coordinationplan.v1.PlanService/GetPlan";

    public override IMessage Next(Call call)
    {
        var name = $"plans/{PlanIds.Of(Random.Shared.Next(1, plans + 1)):D}";
        _asked[call.Number] = Encoding.ASCII.GetBytes(name);
        return new GetPlanRequest { Name = name };
    }

    public override string? Check(Call call) =>
        call.Message.Length > 1000 && call.Message[..Beginning].IndexOf(_asked[call.Number]) >= 0 ? null : "The answer is not the plan that was asked for.";
}
