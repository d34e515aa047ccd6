using System.Globalization;
using System.Runtime;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Google.Protobuf;
using Purpose = CoordinationPlan.Policy.Purpose;
using Role = CoordinationPlan.Policy.Role;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Bench.Report;

/// <summary>What the policy, the log entry's commitment, the keys and the redaction take of a GetPlan: each alone, with the service's own code, on one core.</summary>
internal static class Costs
{
    private const int Rounds = 5;
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    private static readonly Caller Owner = new(
        NamesAssignment: true, AssignmentInForce: true, Role: Role.SocialCaseWorker, Purpose: Purpose.SocialServicesCase, PurposeAssigned: true,
        Assurance: AssuranceLevel.Level3, UnitKind: UnitKind.SocialServices, UnitOfPrincipal: true, HandlesProtectedPersons: true);

    private static readonly Facts OwnersFacts = new(
        PlanExists: true, Relation: Relation.Owning, Protection: Policy.ProtectionLevel.None, Blocked: Blocked.No, PlanOpen: true);

    /// <param name="plan">A plan as it is answered.</param>
    /// <param name="ring">The ring that wraps the keys of persons.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<IReadOnlyList<Cost>> Measure(Plan plan, IKeyRing ring, CancellationToken stop)
    {
        var wrapped = await ring.Wrap(KeyUse.Content, DataKey.NewKey(), stop);
        using var key = new DataKey(await ring.Unwrap(KeyUse.Content, wrapped, stop));
        IMessage[] bodies = [new Plan { Subject = plan.Subject }, new Plan { SocialSituation = plan.SocialSituation }, new Plan { HealthSituation = plan.HealthSituation }, .. plan.Goals, .. plan.Interventions, .. plan.OtherMeasures];
        var parts = bodies.Select(body => key.Seal("part", body.ToByteArray())).ToArray();
        var reads = AccessPolicy.Decide(Policy.Act.ReadPlan, Owner, OwnersFacts).Reads;
        var (secret, fields) = (DataKey.NewKey(), FieldsOfAnEntry());
        (string What, Action Work)[] steps =
        [
            Step("decide", () => AccessPolicy.Decide(Policy.Act.ReadPlan, Owner, OwnersFacts)),
            Step("list the acts permitted now", () => AccessPolicy.PermittedActs(Owner, OwnersFacts)),
            Step("record the decision", () => RecordedDecision.Pack(Policy.Act.ReadPlan, Owner, OwnersFacts, AccessPolicy.Decide(Policy.Act.ReadPlan, Owner, OwnersFacts))),
            Step(string.Create(CultureInfo.InvariantCulture, $"commit to the {fields.Length} fields of the log entry"), () => Commitment.Entry(secret, fields)),
            Step("unwrap the person's key", () => ring.Unwrap(KeyUse.Content, wrapped, stop).AsTask().GetAwaiter().GetResult()),
            Step(string.Create(CultureInfo.InvariantCulture, $"open {parts.Length} parts, {parts.Sum(part => part.Length):N0} bytes"), () => parts.Sum(part => key.Open("part", part).Length)),
            ("redact the answer", () => Redaction.Apply(plan, reads)),
        ];
        Settle(steps);
        return [.. steps.Select(step => new Cost(step.What, Micros(step.Work)))];
    }

    public static void Print(IReadOnlyList<Cost> costs, TextWriter to)
    {
        to.WriteLine();
        to.WriteLine("What a GetPlan takes beside its statements, each alone, us");
        foreach (var cost in costs)
        {
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cost.Micros,8:0.0}  {cost.What}"));
        }

        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{costs.Sum(cost => cost.Micros),8:0.0}  together"));
    }

    private static (string What, Action Work) Step<T>(string what, Func<T> work) => (what, () => { _ = work(); });

    /// <summary>As many fields as an entry has, each as long as in an entry of a GetPlan.</summary>
    private static (string Name, byte[]? Value)[] FieldsOfAnEntry() =>
        [.. ((int[])[8, 16, 4, 4, 0, 40, 12, 14, 36, 4, 12, 10, 4, 16, 16, 10, 42, 4, 4, 16, 30, 16, 4]).Select((length, i) => ($"field_of_an_{i:00}", (byte[]?)new byte[length]))];

    /// <summary>
    /// Does all of it until the runtime has compiled nothing for a while. It compiles what is called often a second and a third time, but only once the process has begun all
    /// that it begins with; before that the policy takes thirty times as long, and what was measured would be how long this program takes to start.
    /// </summary>
    private static void Settle((string What, Action Work)[] steps)
    {
        var (compiled, since) = (-1L, 0L);
        do
        {
            foreach (var (_, work) in steps)
            {
                work();
            }

            if (JitInfo.GetCompiledMethodCount() is var now && now != compiled)
            {
                (compiled, since) = (now, TimeProvider.System.GetTimestamp());
            }
        }
        while (TimeProvider.System.GetElapsedTime(since) < Settled);
    }

    /// <summary>The best of some rounds: what others do on the machine only ever adds.</summary>
    private static double Micros(Action work)
    {
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var (calls, start) = (0L, TimeProvider.System.GetTimestamp());
            TimeSpan taken;
            do
            {
                for (var i = 0; i < 64; i++)
                {
                    work();
                }

                calls += 64;
                taken = TimeProvider.System.GetElapsedTime(start);
            }
            while (taken < RoundTime);
            best = Math.Min(best, taken.TotalMicroseconds / calls);
        }

        return best;
    }
}

/// <summary>One step's processor time.</summary>
/// <param name="What">What is done.</param>
/// <param name="Micros">Microseconds for one call.</param>
internal sealed record Cost(string What, double Micros);
