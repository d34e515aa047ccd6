using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Access;

/// <summary>Something that a unit must hear of at once, before it is written.</summary>
/// <param name="UnitId">Whose it is.</param>
/// <param name="Controller">The unit's controller, whose reviewers hear of it too.</param>
/// <param name="Body">What the unit is told of it: an Alert with employee and unit. Name, kind, time and plan are the row's.</param>
internal sealed record RaisedAlert(Guid AlertId, AlertKind Kind, string UnitId, string Controller, Guid PlanId, Alert Body)
{
    /// <summary>Sealed with the service's own key: an alert is about an employee, and outlives what the person's key sealed.</summary>
    public byte[] Seal(DataKey key) => key.Seal(PlaceOf(AlertId), Body.ToByteArray());

    /// <summary>The place that an alert's body belongs in.</summary>
    public static string PlaceOf(Guid alertId) => $"alert/{alertId:D}";
}

/// <summary>Alerts are raised by what happens in many slices, in the transaction that it happens in.</summary>
internal static class AlertSql
{
    /// <summary>The same event again within the hour is not another alert.</summary>
    private const string Quiet = "interval '1 hour'";

    /// <summary>One statement whether there are alerts or none, so that the number of statements tells nothing.</summary>
    public static Command Raise(IReadOnlyCollection<RaisedAlert> alerts, DataKey key) => new(
        """
        INSERT INTO alert (alert_id, kind, unit_id, controller, plan_id, body)
        SELECT a.alert_id, a.kind, a.unit_id, a.controller, a.plan_id, a.body
        FROM unnest($1, $2, $3, $4, $5, $6) AS a (alert_id, kind, unit_id, controller, plan_id, body)
        """,
        [
            Parameter.Of([.. alerts.Select(alert => alert.AlertId)]),
            Parameter.Of([.. alerts.Select(alert => (int)alert.Kind)]),
            Parameter.Of([.. alerts.Select(alert => alert.UnitId)]),
            Parameter.Of([.. alerts.Select(alert => alert.Controller)]),
            Parameter.Of([.. alerts.Select(alert => alert.PlanId)]),
            Parameter.Of([.. alerts.Select(alert => alert.Seal(key))]),
        ]);

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
        RaisedAlert.PlaceOf(alert),
        new Alert { Employee = keys.Names.NameOf(caller.Name), Unit = keys.Names.Name(ResourceName.Units, unit) }.ToByteArray());
}
