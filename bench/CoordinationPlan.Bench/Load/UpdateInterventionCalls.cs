using System.Globalization;
using System.Security.Cryptography;
using CoordinationPlan.Bench.Data;
using CoordinationPlan.Bench.Http2;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Bench.Load;

/// <summary>
/// Changes an intervention of a random plan with each call. Every place in flight has plans of its own, so that no two changes meet; the etag
/// is the one that the plan's last answer gave.
/// </summary>
/// <param name="etags">The current etag of each plan's intervention, by the plan's number less one.</param>
/// <param name="partOffset">Which part of a plan the intervention is.</param>
/// <param name="places">How many calls are in flight.</param>
internal sealed class UpdateInterventionCalls(string[] etags, int partOffset, int places) : Calls
{
    private readonly int[] _plan = new int[places];
    private int _changes;

    public override string Method => "coordinationplan.v1.PlanService/UpdateIntervention";

    public override IMessage Next(Call call)
    {
        var plan = (Random.Shared.Next(etags.Length / places) * places) + call.Number;
        _plan[call.Number] = plan;
        return Request(plan + 1, partOffset, etags[plan], Interlocked.Increment(ref _changes));
    }

    public override string? Check(Call call)
    {
        var etag = UpdateInterventionResponse.Parser.ParseFrom(call.Message).Intervention.Etag;
        var plan = _plan[call.Number];
        if (etag.Length == 0 || etag == etags[plan])
        {
            return "The answer has no new etag.";
        }

        etags[plan] = etag;
        return null;
    }

    /// <summary>A change of the description, which is as long as before.</summary>
    public static UpdateInterventionRequest Request(int plan, int partOffset, string etag, int change) => new()
    {
        Intervention = new Intervention
        {
            Name = $"plans/{PlanIds.Of(plan):D}/interventions/{PlanIds.Of(plan, partOffset):D}",
            Description = string.Create(CultureInfo.InvariantCulture, $"{TemplatePlans.InterventionDescription} ({change:D9})"),
        },
        UpdateMask = new FieldMask { Paths = { "description" } },
        Etag = etag,
        RequestId = new Guid(RandomNumberGenerator.GetBytes(16)).ToString("D"),
    };
}
