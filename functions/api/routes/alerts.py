"""Alerts: what an operator must know of, and what he does about it."""

from chalice.app import Blueprint

from adapters.monitoring import alert_views
from adapters.monitoring.alerts import Severity
from models.alerts import AlertAnswer, AlertChange, AlertsAnswer, AlertsQuery
from operation import operation
from services import services

alerts = Blueprint(__name__)
ROOT = "/api/monitoring/alerts"


def _owner(alert_id: str) -> str:
    return services().alerts.connection_of(alert_id)


@operation(alerts, ("GET",), ROOT, query=AlertsQuery, answer=AlertsAnswer)
def list_alerts(*, query: AlertsQuery, caller: str) -> AlertsAnswer:
    """Alerts, open ones first, each kind latest first."""
    severity = None if query.severity is None else Severity(query.severity)
    found = alert_views.alerts(
        status=query.status,
        severity=severity,
        connection_id=query.connection_id,
        limit=query.limit,
        cursor=query.cursor,
    )
    return AlertsAnswer.model_validate(found)


@operation(
    alerts,
    ("POST",),
    f"{ROOT}/{{alert_id}}/acknowledge",
    body=AlertChange,
    answer=AlertAnswer,
    owner=_owner,
    failures=(404, 409),
)
def acknowledge_alert(alert_id: str, *, body: AlertChange, caller: str) -> AlertAnswer:
    """Say that you look after it; its notifications end."""
    row = services().alerts.acknowledge(alert_id, by=caller, reason=body.reason)
    return AlertAnswer.model_validate({"alert": alert_views.told(row)})


@operation(
    alerts,
    ("POST",),
    f"{ROOT}/{{alert_id}}/resolve",
    body=AlertChange,
    answer=AlertAnswer,
    owner=_owner,
    failures=(404, 409),
)
def resolve_alert(alert_id: str, *, body: AlertChange, caller: str) -> AlertAnswer:
    """End it; what still lasts is raised anew within a minute."""
    row = services().alerts.resolve(
        alert_id, by=caller, reason=body.reason, keep_days=services().log_days()
    )
    return AlertAnswer.model_validate({"alert": alert_views.told(row)})
