using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
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
}
