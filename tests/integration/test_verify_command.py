"""`cts verify` before the real API and tables: what holds, what fails, and with which hint."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_deployment import deployed
from tests.api_world import ApiWorld
from tests.samples import a_position, a_tick, an_order

from adapters.monitoring.entries import Category, Entry, Level
from adapters.monitoring.memory import Memory, keep
from adapters.monitoring.packets import write_packet
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow, LimitRow, SettingsRow
from adapters.trade_rows import order_row
from engine.ledger import OrderState, PositionStatus
from engine.records import Lease
from engine.values import Loop
from local.deployment import UnreachableError
from local.verify_command import verified
from local.verifying import hints, routes, stored
from local.verifying.checklist import Checked
from local.verifying.items import Visit

EXPECTED_OF_API = [
    "Database tables exist and populated",
    "At least one connection configured",
    "Connection successfully tested",
    "Connection is active",
    "Engine can start without errors",
    "Engine processes cycles",
    "Positions tracked correctly",
    "Orders executed successfully",
    "Monitoring logs capturing events",
    "UI updating in real-time",
    "Routes the console calls are served",
]


@dataclass(slots=True)
class Ticking:
    """A trade loop that ticks once each time somebody pauses, while it is `alive`."""

    api: ApiWorld
    lease: Lease
    alive: bool = True

    def pause(self, seconds: float) -> None:
        self.api.clock.advance(round(seconds * 1000))
        if self.alive:
            slot_ms = self.api.clock.now_ms() // 1000 * 1000
            self.lease = DynamoStore(self.api.clock).write_tick(self.lease, a_tick(slot_ms), ())


def a_loop(api: ApiWorld, connection_id: str) -> Ticking:
    lease = api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=60_000)
    ticking = Ticking(api, lease)
    ticking.pause(1)
    now_ms = api.clock.now_ms()
    told = Entry(
        at_ms=now_ms, message="began", level=Level.INFO, category=Category.TRADE_ENGINE, values={}
    )
    write_packet(connection_id, [told], now_ms=now_ms, keep_days=1)
    keep(Memory(beat_ms=now_ms))
    return ticking


def an_entry(connection_id: str, *, state: OrderState = OrderState.FILLED) -> None:
    """One order of this connection, and the position it opened."""
    held = replace(
        a_position(),
        status=PositionStatus.OPEN,
        quantity=Decimal(2),
        entry_quantity=Decimal(2),
        entry_price=Decimal(100),
        stop_price=Decimal(99),
    )
    position_row(connection_id, held).save()
    order_row(connection_id, replace(an_order("o1", at_ms=1000), state=state)).save()


def walked(api: ApiWorld, pause: Callable[[float], None], **options: Any) -> dict[str, Checked]:
    visit = Visit(api=deployed(api), pause=pause)
    chosen = {"start": False, "wait_s": 0.0, "tell": lambda _: None, **options}
    return {one.item.name: one for one in verified(visit, **chosen)}


def fails(found: dict[str, Checked]) -> list[str]:
    return [name for name, one in found.items() if not one.finding.holds]


def test_a_trading_engine_fulfils_the_whole_checklist(api: ApiWorld) -> None:
    connection_id = api.running()
    an_entry(connection_id)

    found = walked(api, a_loop(api, connection_id).pause)

    assert list(found) == EXPECTED_OF_API
    assert {name: one.finding.seen for name, one in found.items() if not one.finding.holds} == {}


def test_a_stopped_engine_fails_with_the_hints_of_its_symptom_and_is_left_alone(
    api: ApiWorld,
) -> None:
    api.tested()
    lines: list[str] = []

    found = walked(api, lambda _: None, tell=lines.append)

    assert "Engine can start without errors" in fails(found)
    assert "FAILED Engine can start without errors: Paper is stopped" in lines
    assert f"         - {hints.ENGINE_WONT_START[0]}" in lines
    assert api.machines.started == []


def test_ticks_that_stand_still_fail_the_cycles_and_the_screen(api: ApiWorld) -> None:
    connection_id = api.running()
    an_entry(connection_id)
    loop = a_loop(api, connection_id)
    loop.alive = False

    found = walked(api, loop.pause)

    assert {"Engine processes cycles", "UI updating in real-time"} <= set(fails(found))


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.REJECTED])
def test_an_order_that_was_not_executed_fails(api: ApiWorld, state: OrderState) -> None:
    connection_id = api.running()
    an_entry(connection_id, state=state)

    found = walked(api, a_loop(api, connection_id).pause)

    assert "Orders executed successfully" in fails(found)


def test_an_open_position_without_a_stop_fails(api: ApiWorld) -> None:
    connection_id = api.running()
    bare = replace(a_position(), status=PositionStatus.OPEN, quantity=Decimal(2), stop_price=None)
    position_row(connection_id, bare).save()

    found = walked(api, a_loop(api, connection_id).pause)

    assert found["Positions tracked correctly"].finding.seen.startswith("without a stop: ")


def test_a_log_that_nobody_reads_fails_though_it_has_lines(api: ApiWorld) -> None:
    connection_id = api.running()
    an_entry(connection_id)
    loop = a_loop(api, connection_id)
    keep(Memory(beat_ms=api.clock.now_ms() - 200_000))

    found = walked(api, loop.pause)

    assert fails(found) == ["Monitoring logs capturing events"]
    assert "the supervisor" in found["Monitoring logs capturing events"].finding.seen


def test_with_start_a_stopped_engine_is_started_and_stopped_again(api: ApiWorld) -> None:
    connection_id = api.tested()
    loop = a_loop(api, connection_id)

    def pause(seconds: float) -> None:
        loop.pause(seconds)
        state = EngineStateRow.get(connection_id)
        if state.actual_state == "starting":
            state.update([EngineStateRow.actual_state.set("running")])

    found = walked(api, pause, start=True)

    assert found["Engine can start without errors"].finding.holds
    assert [one[1] for one in api.machines.started] == [connection_id]
    assert api.machines.stopped == [(connection_id, True)]


def test_a_failing_item_is_tried_again_while_there_is_time(api: ApiWorld) -> None:
    connection_id = api.running()
    loop = a_loop(api, connection_id)
    paused: list[float] = []

    def pause(seconds: float) -> None:
        loop.pause(seconds)
        paused.append(seconds)
        if len(paused) == 10:
            an_entry(connection_id)

    found = walked(api, pause, wait_s=30.0)

    assert fails(found) == []


def test_a_token_nobody_issued_is_told_before_anything_is_tried(api: ApiWorld) -> None:
    visit = Visit(api=deployed(api, token="cts_nobody"), pause=lambda _: None)

    with pytest.raises(UnreachableError, match="401: this token is not known"):
        verified(visit, start=False, wait_s=0, tell=lambda _: None)


def test_a_route_of_the_console_that_is_not_served_is_named(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = routes.console_routes()
    monkeypatch.setattr(routes, "console_routes", lambda: [*known, ("GET", "/api/nothing")])

    found = looked_at(api, routes.served)

    assert found.startswith("GET /api/nothing answered 40")


def looked_at(api: ApiWorld, look: Callable[[Visit], Any]) -> str:
    """What an item sees that must fail."""
    visit = Visit(api=deployed(api), pause=lambda _: None)
    visit.refresh()
    finding = look(visit)
    assert not finding.holds, finding.seen
    return str(finding.seen)


def test_a_missing_table_and_an_empty_one_are_named(api: ApiWorld) -> None:
    api.running()
    empty = looked_at(api, stored.tables)
    LimitRow.delete_table()

    missing = looked_at(api, stored.tables)

    assert "empty: " in empty
    assert "trade_progression" in empty
    assert missing == f"missing: {LimitRow.Meta.table_name}"


def test_a_table_with_other_keys_than_its_model_is_named(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LimitRow.describe_table()
    keys = [dict(key, AttributeName="address") for key in real["KeySchema"]]
    monkeypatch.setattr(LimitRow, "describe_table", lambda: {**real, "KeySchema": keys})

    found = looked_at(api, stored.shapes)

    assert found == f"other keys or indexes: {LimitRow.Meta.table_name}"


def test_a_stored_setting_out_of_its_range_is_named(api: ApiWorld) -> None:
    connection_id = api.running()
    SettingsRow(
        connection_id, 1, values={"positionCost": "99"}, created_at_ms=1, author="test"
    ).save()

    found = looked_at(api, stored.settings)

    assert "positionCost" in found


def test_an_engine_with_older_settings_than_the_stored_ones_is_named(api: ApiWorld) -> None:
    connection_id = api.running()
    SettingsRow(connection_id, 1, values={}, created_at_ms=1, author="test").save()

    found = looked_at(api, stored.settings)

    assert found == "not with the stored version: Paper"


def test_tables_of_this_version_have_its_shape(api: ApiWorld) -> None:
    visit = Visit(api=deployed(api), pause=lambda _: None)

    assert stored.shapes(visit).holds
