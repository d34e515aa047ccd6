using CoordinationPlan.Bench.Data;
using CoordinationPlan.Bench.Http2;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Bench.Load;

/// <summary>Reads every plan that is to be changed once, for the etag to begin with.</summary>
/// <param name="plans">How many.</param>
/// <param name="partOffset">Which part of a plan the intervention is.</param>
internal sealed class EtagCalls(int plans, int partOffset) : Calls
{
    private readonly int[] _plan = new int[plans];
    private int _next;

    public override string Method => "coordinationplan.v1.PlanService/GetPlan";

    /// <summary>The etags, by the plan's number less one.</summary>
    public string[] Etags { get; } = new string[plans];

    public override IMessage? Next(Call call)
    {
        var plan = Interlocked.Increment(ref _next);
        if (plan > plans)
        {
            return null;
        }

        _plan[call.Number] = plan;
        return new GetPlanRequest { Name = $"plans/{PlanIds.Of(plan):D}" };
    }

    public override string? Check(Call call)
    {
        var plan = _plan[call.Number];
        var name = $"plans/{PlanIds.Of(plan):D}/interventions/{PlanIds.Of(plan, partOffset):D}";
        var intervention = GetPlanResponse.Parser.ParseFrom(call.Message).Plan.Interventions.FirstOrDefault(found => found.Name == name);
        Etags[plan - 1] = intervention?.Etag ?? "";
        return intervention is null ? "The plan has no such intervention." : null;
    }
}
