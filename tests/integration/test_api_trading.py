"""Positions, orders, candles, cycles and their figures over the API."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import a_key, a_position, a_tick, an_order, position_ticks

from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow
from adapters.trade_rows import order_row
from engine.ledger import OrderState, Position, PositionStatus
from engine.records import Lease
from engine.values import CloseReason, IndicationType, Loop, Side


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running connection that follows two symbols."""
    made = api.running()
    instruments = (an_instrument("BTCUSDT"), an_instrument("ETHUSDT"))
    EngineStateRow(made).update([EngineStateRow.instruments.set(instruments)])
    return made


def _taken(api: ApiWorld, connection_id: str, loop: Loop) -> Lease:
    return api.leases.take(connection_id, loop, token=0, owner="burst", lease_ms=15_000)


def _second(api: ApiWorld) -> int:
    return api.clock.now_ms() // 1000 * 1000


def _write_ticks(api: ApiWorld, connection_id: str, count: int) -> None:
    store, lease = DynamoStore(api.clock), _taken(api, connection_id, Loop.TRADE)
    for number in range(count):
        lease = store.write_tick(lease, a_tick(_second(api)), ())
        if number < count - 1:
            api.clock.advance(1000)


def _closed(name: str, side: Side, pnl: str, fees: str = "1") -> Position:
    return replace(
        a_position(name, key=a_key(side=side)),
        status=PositionStatus.CLOSED,
        quantity=Decimal(0),
        entry_quantity=Decimal("0.015"),
        entry_price=Decimal(60_000),
        realized_pnl=Decimal(pnl),
        fees=Decimal(fees),
        closed_at_ms=1_760_000_001_000,
        close_reason=CloseReason.TAKE_PROFIT if Decimal(pnl) > 0 else CloseReason.STOP_LOSS,
    )


@pytest.mark.parametrize(("side", "sign"), [(Side.LONG, 1), (Side.SHORT, -1)])
def test_an_open_position_is_valued_at_the_last_tick(
    api: ApiWorld, connection_id: str, side: Side, sign: int
) -> None:
    _write_ticks(api, connection_id, 1)
    held = replace(
        a_position(key=a_key(side=side)),
        status=PositionStatus.OPEN,
        quantity=Decimal("2"),
        entry_quantity=Decimal("2"),
        entry_price=Decimal("67023.4"),
        fees=Decimal("3"),
    )
    position_row(connection_id, held).save()

    answer = api.get(f"/api/positions/{connection_id}")

    (told,) = answer.body["data"]
    assert told["currentPrice"] == "67123.4"
    assert Decimal(told["unrealizedPnl"]) == sign * Decimal(200)
    assert Decimal(told["pnl"]) == sign * Decimal(200) - 3
    assert (told["side"], told["quantity"], told["status"]) == (side, "2", "open")


def test_positions_come_in_pages_without_loss_or_repetition(
    api: ApiWorld, connection_id: str
) -> None:
    for number in range(7):
        position_row(connection_id, a_position(f"p{number}", at_ms=1000 + number)).save()

    seen: list[str] = []
    following = ""
    while True:
        page = api.get(f"/api/positions/{connection_id}?limit=3{following}").body
        seen += [one["id"] for one in page["data"]]
        if page["cursor"] is None:
            break
        following = f"&cursor={page['cursor']}"

    assert seen == ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]


@pytest.mark.parametrize("cursor", ["x", "e30=", "bm90IGpzb24=", "eyJhIjoxfQ=="])
def test_a_cursor_that_was_never_given_is_refused(
    api: ApiWorld, connection_id: str, cursor: str
) -> None:
    assert api.get(f"/api/positions/{connection_id}?cursor={cursor}").status == 400


def test_a_cursor_of_another_connection_is_refused(api: ApiWorld, connection_id: str) -> None:
    other = api.created()
    for number in range(2):
        position_row(other, a_position(f"p{number}", at_ms=1000 + number)).save()
    cursor = api.get(f"/api/positions/{other}?limit=1").body["cursor"]

    assert api.get(f"/api/positions/{connection_id}?cursor={cursor}").status == 400


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("mode=main", {"moved"}),
        ("mode=preset", {"preset"}),
        ("indicationType=move", {"moved"}),
        ("indicationType=move&mode=preset", set()),
        ("indicationType=preset&symbol=BTCUSDT", {"preset"}),
    ],
)
def test_positions_are_chosen_by_indication_and_mode(
    api: ApiWorld, connection_id: str, asked: str, wanted: set[str]
) -> None:
    preset = replace(a_key(), indication=IndicationType.PRESET)
    position_row(connection_id, a_position("moved")).save()
    position_row(connection_id, a_position("preset", key=preset)).save()

    told = api.get(f"/api/positions/{connection_id}?{asked}").body["data"]

    assert {one["id"] for one in told} == wanted
    assert {one["mode"] for one in told} == {
        "preset" if one == "preset" else "main" for one in wanted
    }
    assert api.get(f"/api/positions?{asked}x").status == 400


def test_every_type_of_indication_can_be_asked_for(api: ApiWorld, connection_id: str) -> None:
    path = f"/api/positions/{connection_id}?indicationType="

    assert {api.get(f"{path}{one.value}").status for one in IndicationType} == {200}


def test_positions_are_chosen_by_status_and_symbol(api: ApiWorld, connection_id: str) -> None:
    position_row(connection_id, a_position("live")).save()
    position_row(connection_id, a_position("other", key=a_key("ETHUSDT"))).save()
    position_row(connection_id, _closed("ended", Side.LONG, "5")).save()

    def ids(query: str) -> set[str]:
        return {one["id"] for one in api.get(f"/api/positions{query}").body["data"]}

    assert ids("") == {"live", "other"}
    assert ids("?status=closed") == {"ended"}
    assert ids("?status=all") == {"live", "other", "ended"}
    assert ids(f"?connectionId={connection_id}&symbol=ETHUSDT") == {"other"}


@pytest.mark.parametrize(
    "query", ["?status=lost", "?limit=0", "?limit=501", "?symbol=btc/usdt", "?colour=red"]
)
def test_a_wrong_query_is_refused(api: ApiWorld, query: str) -> None:
    assert api.get(f"/api/positions{query}").status == 400


@pytest.mark.parametrize("path", ["/api/positions/c-1", "/api/positions/c-1/stats"])
def test_positions_of_an_unknown_connection_are_not_found(api: ApiWorld, path: str) -> None:
    assert api.get(path).status == 404


def test_statistics_are_sums_over_fills_for_both_sides(api: ApiWorld, connection_id: str) -> None:
    for position in (
        _closed("a", Side.LONG, "11"),
        _closed("b", Side.LONG, "-4"),
        _closed("c", Side.SHORT, "21"),
    ):
        position_row(connection_id, position).save()

    stats = api.get(f"/api/positions/{connection_id}/stats").body["stats"]

    assert (stats["closed_positions"], stats["active_positions"]) == (3, 0)
    assert Decimal(stats["total_pnl"]) == 25
    assert Decimal(stats["total_fees"]) == 3
    assert (stats["win_rate"], stats["profit_factor"]) == ("66.67", "6.00")
    assert Decimal(stats["avg_profit"]) == 15
    assert Decimal(stats["avg_loss"]) == -5
    assert (stats["long"]["wins"], stats["short"]["wins"]) == (1, 1)
    assert stats["close_reasons"] == {"take_profit": 2, "stop_loss": 1}


def test_statistics_without_positions_have_no_rates(api: ApiWorld, connection_id: str) -> None:
    stats = api.get(f"/api/positions/{connection_id}/stats").body["stats"]

    assert (stats["total_positions"], stats["win_rate"], stats["profit_factor"]) == (0, None, None)


def test_orders_are_told_latest_first_with_what_became_of_them(
    api: ApiWorld, connection_id: str
) -> None:
    refused = replace(an_order("o2", at_ms=2000), state=OrderState.REJECTED, reason="-2019 margin")
    order_row(connection_id, an_order("o1", at_ms=1000)).save()
    order_row(connection_id, refused).save()

    everything = api.get("/api/orders").body["data"]
    live = api.get(f"/api/orders?connectionId={connection_id}&status=open").body["data"]

    assert [one["clientOrderId"] for one in everything] == ["o2", "o1"]
    assert [one["clientOrderId"] for one in live] == ["o1"]
    assert (everything[0]["status"], everything[0]["errorMessage"]) == ("rejected", "-2019 margin")
    assert everything[1]["orderSide"] == "BUY"


def test_candles_reach_up_to_the_last_tick(api: ApiWorld, connection_id: str) -> None:
    _write_ticks(api, connection_id, 5)

    answer = api.get(f"/api/market-data?connectionId={connection_id}&symbol=ETHUSDT&limit=3")

    candles = answer.body["candles"]
    assert answer.body["spanMs"] == 1000
    assert [one["time_ms"] for one in candles] == [_second(api) - 1000 * back for back in (3, 2, 1)]
    assert candles[-1]["close"] == "67223.4"
    assert candles[-1]["kind"] == "traded"
    assert candles[-1]["volume"] is not None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("symbol=BTCUSDT", 400),
        ("connectionId={id}&symbol=XRPUSDT", 404),
        ("connectionId=c-1&symbol=BTCUSDT", 404),
        ("connectionId={id}&symbol=BTCUSDT&limit=0", 400),
    ],
)
def test_candles_that_cannot_be_are_refused(
    api: ApiWorld, connection_id: str, query: str, status: int
) -> None:
    assert api.get(f"/api/market-data?{query.format(id=connection_id)}").status == status


def test_cycles_of_both_loops_are_told_newest_first(api: ApiWorld, connection_id: str) -> None:
    _write_ticks(api, connection_id, 3)
    store, lease = DynamoStore(api.clock), _taken(api, connection_id, Loop.POSITION)
    store.write_position_ticks(lease, position_ticks(_second(api)))

    answer = api.get(f"/api/trade-engine/progression?connectionId={connection_id}&limit=2")

    (told,) = answer.body["connections"]
    slots = [one["slot_ms"] for one in told["tradeCycles"]]
    assert slots == [_second(api), _second(api) - 1000]
    assert told["tradeCycles"][0]["counts"] == {"signals": 3, "opened": 1}
    assert told["tradeCycles"][0]["start_jitter_ms"] == "0.300"
    assert told["positionCycles"][0]["ticks"] == 3
    assert told["isEngineRunning"] is True


def test_performance_measures_what_was_stored(api: ApiWorld, connection_id: str) -> None:
    _write_ticks(api, connection_id, 3)
    store, lease = DynamoStore(api.clock), _taken(api, connection_id, Loop.POSITION)
    store.write_position_ticks(lease, position_ticks(_second(api)))

    (told,) = api.get("/api/trade-engine/performance").body["connections"]

    trade, position = told["trade_loop"], told["position_loop"]
    assert (trade["ticks"], trade["compute_ms"]["p50"]) == (3, "7.900")
    assert trade["tick_ms"]["max"] == "11.800"
    assert trade["start_jitter_ms"]["p99"] == "0.300"
    assert trade["skipped"] == {"burst": 3}
    assert (position["ticks"], position["start_jitter_ms"]["p50"]) == (3, "0.200")
    assert (trade["last_tick_ms"], position["last_tick_ms"]) == ("11.800", "1.700")
    assert told["health"] == "unhealthy"  # two of five deadlines passed while a tick ran
    assert told["components"]["realtime"]["errorCount"] == 2


def _measured_ticks(api: ApiWorld, connection_id: str, indications_ms: int) -> None:
    store, lease = DynamoStore(api.clock), _taken(api, connection_id, Loop.TRADE)
    for number in range(2):
        tick = replace(
            a_tick(_second(api)),
            compute_us=indications_ms * 1000 + 900,
            indications_us=indications_ms * 1000,
            store_us=6_400 if number else None,
        )
        lease = store.write_tick(lease, tick, ())
        api.clock.advance(1000)


def test_each_stage_is_told_beside_what_is_expected_of_it(
    api: ApiWorld, connection_id: str
) -> None:
    _measured_ticks(api, connection_id, 7)

    answer = api.get("/api/trade-engine/performance").body

    metrics = answer["connections"][0]["metrics"]
    stage = metrics["indicationProcessing"]
    assert (stage["samples"], stage["avg"], stage["p95"]) == (2, "7.000", "7.000")
    assert (stage["expected_avg"], stage["as_expected"]) == (3000, True)
    assert metrics["strategyProcessing"]["max"] == "0.900"
    assert (metrics["databaseQuery"]["samples"], metrics["databaseQuery"]["last"]) == (1, "6.400")
    assert metrics["realtimeProcessing"]["avg"] is None
    assert metrics["memoryUsage"]["current_mb"] > 0
    assert metrics["cpuUsage"]["percent"] is None
    assert "share of a core" in metrics["cpuUsage"]["reason"]
    assert answer["metrics"] == metrics
    assert answer["warnings"] == []


def test_a_slow_stage_is_warned_of_and_degrades_the_engine(
    api: ApiWorld, connection_id: str
) -> None:
    _measured_ticks(api, connection_id, 11_000)

    answer = api.get("/api/trade-engine/performance").body

    (warning,) = answer["warnings"]
    assert (warning["metric"], warning["threshold"]) == ("indications", "5000")
    assert warning["connection_id"] == connection_id
    assert answer["connections"][0]["components"]["indications"]["status"] == "degraded"
    assert answer["health"] == "degraded"


def test_a_workers_memory_is_told_against_what_lambda_gave_it(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "64")
    _measured_ticks(api, connection_id, 7)

    answer = api.get("/api/trade-engine/performance").body

    memory = answer["metrics"]["memoryUsage"]
    assert memory["limit_mb"] == 64
    assert Decimal(memory["percent"]) > 80
    assert [one["metric"] for one in answer["warnings"]] == ["memory"]
