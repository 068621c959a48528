"""A console's whole screen in one call."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import START_MS, a_position, a_tick, an_order
from tests.store_watch import watched_store

from adapters import equity_rows, snapshot_views
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import AlertRow, EngineStateRow, PositionRow
from adapters.trade_rows import order_row
from engine.ledger import OrderState, PositionStatus, Purpose
from engine.records import EquitySample
from engine.values import Loop

READS = 13


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running engine one tick old, with two positions, of which one has its stop."""
    made = api.running()
    state = EngineStateRow(made)
    instruments = (an_instrument("BTCUSDT"), an_instrument("ETHUSDT"))
    symbols = EngineStateRow.symbols.set(["BTCUSDT", "ETHUSDT"])
    state.update([EngineStateRow.instruments.set(instruments), symbols])
    for number in range(2):
        position = replace(
            a_position(f"p{number}", at_ms=START_MS + number),
            status=PositionStatus.OPEN,
            entry_quantity=Decimal("0.015"),
            entry_price=Decimal("67023.4"),
            stop_price=Decimal("66000"),
        )
        position_row(made, position).save()
    stop = replace(an_order("s0", position_id="p0"), purpose=Purpose.STOP, state=OrderState.OPEN)
    order_row(made, stop).save()
    slot_ms = api.clock.now_ms() // 1000 * 1000
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    DynamoStore(api.clock).write_tick(lease, a_tick(slot_ms), ())
    sample = EquitySample(
        at_ms=slot_ms - 5_000,
        equity=Decimal("5000.5"),
        free_margin=Decimal(4000),
        unrealized=None,
        open_positions=2,
    )
    for row in equity_rows.rows_of(made, sample):
        row.save()
    return made


def _more_ticks(api: ApiWorld, connection_id: str, count: int, lost: str = "") -> int:
    """So many seconds later, the last one's slot; of the first the tick or its candle is lost."""
    token = api.leases.read(connection_id, Loop.TRADE).token
    lease = api.leases.take(connection_id, Loop.TRADE, token=token, owner="burst", lease_ms=15_000)
    for number in range(count):
        api.clock.advance(1_000)
        slot_ms = api.clock.now_ms() // 1000 * 1000
        tick = a_tick(slot_ms)
        if lost == "candle" and number == 0:
            tick = replace(tick, candles=tick.candles.rows(0, 0))
        if lost != "tick" or number:
            lease = DynamoStore(api.clock).write_tick(lease, tick, ())
    return slot_ms


def _alert(name: str, severity: str, connection_id: str | None) -> None:
    AlertRow(
        "open",
        name,
        alert_id=name,
        rule="engine_error",
        severity=severity,
        status="active",
        connection_id=connection_id,
        text="something is wrong",
        times=1,
        first_ms=1,
        last_ms=1,
        version=1,
    ).save()


def test_one_call_tells_what_many_tell(api: ApiWorld, connection_id: str) -> None:
    asked = f"connectionId={connection_id}"
    told = api.get(f"/api/snapshot?{asked}").body

    (engine,) = api.get(f"/api/trade-engine/status?{asked}").body["connections"]
    (progress,) = api.get(f"/api/trade-engine/progression?{asked}&limit=1").body["connections"]
    positions = api.get(f"/api/positions?{asked}").body["data"]
    candles = api.get(f"/api/market-data?{asked}&symbol=BTCUSDT&limit=60").body
    assert told["engine"] == engine
    assert told["progression"] == progress
    own = [
        {n: v for n, v in one.items() if "rotected" not in n} for one in told["positions"]["data"]
    ]
    assert sorted(own, key=lambda one: str(one["id"])) == positions[::-1]
    assert told["candles"] == candles
    assert told["health"] == {"status": "healthy", "issue": ""}


def test_positions_without_a_live_stop_are_told(api: ApiWorld, connection_id: str) -> None:
    told = api.get(f"/api/snapshot?connectionId={connection_id}").body["positions"]["data"]

    assert {one["id"]: one["isProtected"] for one in told} == {"p0": True, "p1": False}


def test_each_part_has_its_age(api: ApiWorld, connection_id: str) -> None:
    api.clock.advance(2_000)

    told = api.get(f"/api/snapshot?connectionId={connection_id}").body

    late_ms = api.clock.now_ms() % 1000
    assert told["tick_age_ms"] == told["positions"]["marked_age_ms"] == 2_000 + late_ms
    assert told["equity"]["age_ms"] == 7_000 + late_ms
    assert (told["equity"]["equity"], told["equity"]["unrealized"]) == ("5000.5", None)


def test_alerts_of_others_are_not_counted(api: ApiWorld, connection_id: str) -> None:
    _alert("a", "critical", connection_id)
    _alert("b", "warning", None)
    _alert("c", "critical", "c-other")

    alerts = api.get(f"/api/snapshot?connectionId={connection_id}").body["alerts"]

    assert alerts == {
        "open": 2,
        "by_severity": {"critical": 1, "warning": 1},
        "complete": True,
    }


def test_what_does_not_fit_is_left_out_and_said(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_views, "MOST_POSITIONS", 1)

    positions = api.get(f"/api/snapshot?connectionId={connection_id}").body["positions"]

    assert (len(positions["data"]), positions["complete"]) == (1, False)


def test_a_stop_protects_though_there_are_too_many_orders_to_show_it(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = replace(an_order("a0", position_id="p1", at_ms=START_MS - 1), state=OrderState.OPEN)
    order_row(connection_id, older).save()
    monkeypatch.setattr(snapshot_views, "MOST_ORDERS", 1)

    told = api.get(f"/api/snapshot?connectionId={connection_id}").body

    assert [one["clientOrderId"] for one in told["orders"]["data"]] == ["a0"]
    assert told["orders"]["complete"] is False
    protected = {one["id"]: one["isProtected"] for one in told["positions"]["data"]}
    assert protected == {"p0": True, "p1": False}


def test_a_connection_that_never_started_has_a_screen_too(api: ApiWorld) -> None:
    told = api.get(f"/api/snapshot?connectionId={api.created()}").body

    assert (told["candles"], told["equity"], told["tick_age_ms"]) == (None, None, None)
    assert told["positions"]["data"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?candles=601", 400),
        ("?ticks=0", 400),
        ("?connectionId=c-none", 404),
        ("?connectionId={id}&symbol=XRPUSDT", 404),
    ],
)
def test_a_screen_of_nothing_is_refused(
    api: ApiWorld, connection_id: str, query: str, status: int
) -> None:
    assert api.get("/api/snapshot" + query.replace("{id}", connection_id)).status == status


def test_without_a_name_it_is_the_first_connection_beside_all_there_are(
    api: ApiWorld, connection_id: str
) -> None:
    other = api.created(name="Another", is_paper=False, is_testnet=True)

    told = api.get("/api/snapshot").body

    assert told["connectionId"] == min(connection_id, other)
    assert {one["id"]: (one["name"], one["is_paper"]) for one in told["connections"]} == {
        connection_id: ("Paper", True),
        other: ("Another", False),
    }


def test_before_there_is_a_connection_the_screen_says_so(api: ApiWorld) -> None:
    answer = api.get("/api/snapshot")

    assert (answer.status, answer.body["error"]) == (404, "there are no connections yet")


def test_a_token_for_some_connections_learns_of_no_other(api: ApiWorld, connection_id: str) -> None:
    other = api.created(name="Another")
    bounded = {"name": "Ann", "role": "viewer", "connections": [other]}
    token = api.post("/api/tokens", bounded, token="admin").body["token"]

    told = api.get("/api/snapshot", token=token).body

    assert [one["id"] for one in told["connections"]] == [told["connectionId"]] == [other]
    assert api.get(f"/api/snapshot?connectionId={connection_id}", token=token).status == 403


def test_who_was_away_asks_for_what_came_since(api: ApiWorld, connection_id: str) -> None:
    slot_ms = _more_ticks(api, connection_id, 4)

    asked = f"connectionId={connection_id}&candles=3&ticks=4&cadence=true"
    told = api.get(f"/api/snapshot?{asked}").body

    performance = api.get(f"/api/trade-engine/performance?connectionId={connection_id}").body
    (measured,) = performance["connections"]
    assert len(told["candles"]["candles"]) == 3
    slots = [cycle["slot_ms"] for cycle in told["progression"]["tradeCycles"]]
    assert slots == [slot_ms - 1_000 * ago for ago in range(4)]
    assert told["cadence"] == {name: measured[name] for name in ("trade_loop", "position_loop")}
    assert told["cadence"]["trade_loop"]["ticks"] == 5


@pytest.mark.parametrize(("lost", "reads"), [("", READS - 2), ("candle", READS), ("tick", READS)])
def test_candles_of_the_last_ticks_are_read_with_them_unless_one_is_missing(
    api: ApiWorld, connection_id: str, lost: str, reads: int
) -> None:
    _more_ticks(api, connection_id, 3, lost)
    asked = f"connectionId={connection_id}"

    with watched_store() as watch:
        told = api.get(f"/api/snapshot?{asked}&candles=3&ticks=3").body["candles"]

    assert watch.reads == reads
    assert told == api.get(f"/api/market-data?{asked}&symbol=BTCUSDT&limit=3").body
    assert len(told["candles"]) == 3


def test_orders_that_ended_are_told_beside_those_that_work(
    api: ApiWorld, connection_id: str
) -> None:
    for number in range(3):
        ended = replace(an_order(f"e{number}", at_ms=9_000 + number), state=OrderState.FILLED)
        order_row(connection_id, ended).save()

    told = api.get(f"/api/snapshot?connectionId={connection_id}").body["orders"]

    assert [order["clientOrderId"] for order in told["data"]] == ["s0"]
    assert [order["clientOrderId"] for order in told["ended"]] == ["e2", "e1", "e0"]


def test_what_changed_since_the_last_call_is_told_and_what_is_gone_is_not(
    api: ApiWorld, connection_id: str
) -> None:
    asked = f"/api/snapshot?connectionId={connection_id}"
    api.get(asked)
    stop = replace(an_order("s0", position_id="p0"), purpose=Purpose.STOP)
    order_row(connection_id, replace(stop, state=OrderState.CANCELLED)).save()
    (row,) = PositionRow.live.query(connection_id, limit=1)
    row.update([PositionRow.stop_price.set(Decimal("66500.5"))])

    told = api.get(asked).body

    first = next(one for one in told["positions"]["data"] if one["id"] == row.position_id)
    assert (first["stopPrice"], first["isProtected"]) == ("66500.5", False)
    assert told["orders"]["data"] == []
    assert [one["status"] for one in told["orders"]["ended"]] == ["cancelled"]

    row.delete()
    assert len(api.get(asked).body["positions"]["data"]) == 1


def test_a_screen_takes_few_reads(api: ApiWorld, connection_id: str) -> None:
    with watched_store() as watch:
        api.get(f"/api/snapshot?connectionId={connection_id}&candles=600&ticks=300&cadence=true")

    assert watch.wrong() == []
    assert watch.reads <= READS
