using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Oversight;

/// <summary>What a unit or its reviewers must hear of at once. Who is behind it is in the sealed body.</summary>
internal static class AlertSql
{
    /// <summary>The same event again within the hour is not another alert.</summary>
    private const string Quiet = "interval '1 hour'";

    public static string Place(Guid alert) => $"alert/{alert:D}";

    /// <summary>An alert for a unit, and for the reviewers of its controller.</summary>
    public static Command Raise(Guid alert, AlertKind kind, string? unit, string controller, Guid? plan, byte[] body) => new(
        "INSERT INTO alert (alert_id, kind, unit_id, controller, plan_id, body) VALUES ($1, $2, $3, $4, $5, $6)",
        [Parameter.Of(alert), Parameter.Of((short)kind), Parameter.OrNull(unit), Parameter.Of(controller), Parameter.OrNull(plan), Parameter.Of(body)]);

    /// <summary>
    /// An alert that a blocked caller tried, for the owning unit. Sent with every refusal and without effect where nobody was blocked: so that
    /// the time of an answer does not tell the one from the other.
    /// </summary>
    public static Command RaiseForBlocked(Guid alert, bool isBlocked, Guid? plan, string actor, byte[] body) => new(
        $"""
        INSERT INTO alert (alert_id, kind, unit_id, controller, plan_id, actor, body)
        SELECT $1, {(int)AlertKind.BlockedAttempt}, p.owner_unit_id, p.owner_controller, p.plan_id, $3, $4
        FROM plan p
        WHERE $5 AND p.plan_id = $2 AND NOT EXISTS (
            SELECT FROM alert x WHERE x.plan_id = p.plan_id AND x.actor = $3 AND x.kind = {(int)AlertKind.BlockedAttempt} AND x.raised_at > clock_timestamp() - {Quiet})
        """,
        [Parameter.Of(alert), Parameter.OrNull(plan), Parameter.Of(actor), Parameter.Of(body), Parameter.Of(isBlocked)]);

    /// <summary>Notes a search that found nobody.</summary>
    public static Command NoteMiss(string actor, bool isMiss) => new(
        "INSERT INTO search_miss (employee_id) SELECT $1 WHERE $2", [Parameter.Of(actor), Parameter.Of(isMiss)]);

    /// <summary>An alert for the searcher's own unit and reviewers, where there have been so many misses within the hour.</summary>
    public static Command RaiseForMisses(Guid alert, Entry entry, ServiceKeys keys, int misses) => new(
        $"""
        INSERT INTO alert (alert_id, kind, unit_id, controller, actor, body)
        SELECT $1, {(int)AlertKind.RepeatedMisses}, $2, $3, $4, $5
        WHERE (SELECT count(*) FROM search_miss m WHERE m.employee_id = $4 AND m.missed_at > clock_timestamp() - {Quiet}) >= $6
          AND NOT EXISTS (SELECT FROM alert x WHERE x.actor = $4 AND x.kind = {(int)AlertKind.RepeatedMisses} AND x.raised_at > clock_timestamp() - {Quiet})
        """,
        [
            Parameter.Of(alert), Parameter.Of(entry.CallerFacts.UnitId), Parameter.Of(entry.CallerFacts.Controller), Parameter.Of(entry.Caller.Name),
            Parameter.Of(Body(alert, entry.Caller, entry.CallerFacts.UnitId, keys)), Parameter.Of(misses),
        ]);

    /// <summary>Who is behind it.</summary>
    public static byte[] Body(Guid alert, CallerIdentity caller, string? unit, ServiceKeys keys) => keys.OutcomeKey.Seal(
        Place(alert),
        new Alert { Employee = keys.Names.NameOf(caller.Name), Unit = keys.Names.Name(ResourceName.Units, unit) }.ToByteArray());
}
