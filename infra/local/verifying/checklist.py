"""The checklist in its order, and its walk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.deployment import Deployment, UnreachableError, at_twin
from local.verifying import engines, hints, routes
from local.verifying.items import Finding, Item, Visit, looked

STARTS_WITHIN_S = 900
NOT_STARTED = hints.ENGINE_WONT_START + hints.ENGINE_NOT_STARTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An item with what was found."""

    item: Item
    finding: Finding

    def told(self) -> dict[str, Any]:
        """As JSON; hints only where they help."""
        found = {"name": self.item.name, "holds": self.finding.holds, "seen": self.finding.seen}
        return found | {"hints": [] if self.finding.holds else list(self.item.hints)}


def items(api: Deployment) -> list[Item]:
    """The items that can be tried at this deployment; the twin's own tables can be looked into."""
    stored = _of_the_twin(api) if api.places else _of_the_api()
    return [
        *stored,
        Item(
            name="At least one connection configured",
            look=engines.configured,
            hints=hints.CONNECTION_TEST_FAILS,
        ),
        Item(
            name="Connection successfully tested",
            look=engines.tested,
            hints=hints.CONNECTION_TEST_FAILS,
        ),
        Item(name="Connection is active", look=engines.active, hints=hints.ENGINE_WONT_START),
        Item(name="Engine can start without errors", look=engines.started, hints=NOT_STARTED),
        Item(
            name="Engine processes cycles",
            look=engines.cycling,
            hints=hints.MARKET_DATA_ISSUES + hints.SLOW_PERFORMANCE,
        ),
        _tracked(api),
        Item(
            name="Orders executed successfully",
            look=engines.ordered,
            hints=hints.POSITIONS_NOT_OPENING,
        ),
        Item(
            name="Monitoring logs capturing events",
            look=engines.logging,
            hints=hints.ENGINE_NOT_STARTING,
        ),
        Item(name="UI updating in real-time", look=engines.updating, hints=hints.UI_NOT_UPDATING),
        Item(
            name="Routes the console calls are served",
            look=routes.served,
            hints=hints.UI_NOT_UPDATING,
        ),
    ]


def _of_the_twin(api: Deployment) -> list[Item]:
    assert api.places is not None
    at_twin(api.places)
    from local.verifying import stored  # its tables read their names at import

    helps = hints.ENGINE_NOT_STARTING
    return [
        Item(name="Database tables exist and populated", look=stored.tables, hints=helps),
        Item(name="Tables have the shape of this version", look=stored.shapes, hints=helps),
        Item(name="Settings are complete", look=stored.settings, hints=helps),
    ]


def _of_the_api() -> list[Item]:
    return [
        Item(
            name="Database tables exist and populated",
            look=engines.stored,
            hints=hints.ENGINE_NOT_STARTING,
        )
    ]


def _tracked(api: Deployment) -> Item:
    look: Callable[[Visit], Finding] = engines.tracked
    if api.places:
        from local.verifying import stored  # its tables read their names at import

        look = stored.tracked
    helps = hints.POSITION_NOT_CREATING + hints.MARKET_DATA_ISSUES
    return Item(name="Positions tracked correctly", look=look, hints=helps)


def walk(visit: Visit, *, wait_s: float) -> Iterator[Checked]:
    """Each item in turn; one that fails is tried again, until `wait_s` are used up in all.

    Raises
    ------
    UnreachableError
        If the API does not answer at all, or not to this token.
    """
    visit.refresh()
    left_s = wait_s
    for item in items(visit.api):
        finding = looked(item, visit)
        while not finding.holds and left_s > 0:
            visit.pause(1.0)
            left_s -= 1.0
            visit.refresh()
            finding = looked(item, visit)
        yield Checked(item=item, finding=finding)


def start_stopped(visit: Visit, *, tell: Callable[[str], None]) -> list[str]:
    """Start engines that are stopped and may run; their connections, to stop them again.

    Raises
    ------
    UnreachableError
        If one does not run within a quarter of an hour.
    """
    visit.refresh()
    may_run = {
        str(one["id"])
        for one in visit.connections
        if one["is_enabled"] and one["is_active"] and one["last_test_result"] == "success"
    }
    begun = [
        str(one["connectionId"])
        for one in visit.engines
        if one["actual_state"] == "stopped" and one["connectionId"] in may_run
    ]
    for connection_id in begun:
        tell(_asked(visit, "start", connection_id))
    for _ in range(STARTS_WITHIN_S):
        visit.refresh()
        if _settled(visit, begun):
            return begun
        visit.pause(1.0)
    raise UnreachableError(f"an engine did not run within {STARTS_WITHIN_S} s of its start")


def _settled(visit: Visit, connection_ids: list[str]) -> bool:
    """Each runs, or has failed, which its item tells."""
    states = [one for one in visit.engines if one["connectionId"] in connection_ids]
    return all(one["running"] or one["actual_state"] == "error" for one in states)


def stop_again(visit: Visit, connection_ids: list[str], *, tell: Callable[[str], None]) -> None:
    """Stop what was started; what was opened meanwhile is closed."""
    for connection_id in connection_ids:
        tell(_asked(visit, "stop", connection_id, closePositions=True))


def _asked(visit: Visit, act: str, connection_id: str, **more: bool) -> str:
    body = {"connectionId": connection_id, **more}
    answer = visit.api.ask("POST", f"/api/trade-engine/{act}", body=body)
    if answer.status != 200:
        raise UnreachableError(f"{act} of {connection_id}: {answer.error}")
    return str(answer.body["message"])
