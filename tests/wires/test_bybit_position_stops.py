"""Stops that Bybit keeps with a position: set, shown, moved, fired, and cleared with it."""

from typing import Any

import pytest
from tests.wires.bybit_desk import Desk

SET = "position/trading-stop"
BOTH_SIDES = pytest.mark.parametrize(
    ("opens", "closes", "sign"), [("Buy", "Sell", 1), ("Sell", "Buy", -1)]
)


def stops(desk: Desk) -> dict[str, str]:
    (row,) = desk.rows("position/list")
    return {name: row[name] for name in ("stopLoss", "takeProfit", "trailingStop")}


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
def test_they_are_shown_with_the_position_and_as_orders(
    opens: str, closes: str, sign: int, hedge: bool
) -> None:
    desk = Desk(10_000)
    if hedge:
        desk.post("position/switch-mode", mode=3)
    index = {"Buy": 1, "Sell": 2}[opens] if hedge else 0
    desk.order(opens, positionIdx=index)
    stop, target = str(10_000 - 100 * sign), str(10_000 + 200 * sign)

    answer = desk.post(SET, positionIdx=index, stopLoss=stop, takeProfit=target, trailingStop="50")

    (row,) = [one for one in desk.rows("position/list") if one["side"]]
    assert answer["retCode"] == 0
    assert (row["stopLoss"], row["takeProfit"], row["trailingStop"]) == (stop, target, "50")
    orders = desk.rows("order/realtime")
    assert {one["stopOrderType"] for one in orders} == {"StopLoss", "TakeProfit", "TrailingStop"}
    assert {(one["side"], one["reduceOnly"], one["closeOnTrigger"]) for one in orders} == {
        (closes, True, True)
    }


@BOTH_SIDES
def test_a_trailing_stop_keeps_its_distance_from_the_best_price(
    opens: str, closes: str, sign: int
) -> None:
    path = [0] * 6 + [100, 60, 49]
    desk = Desk(*[10_000 + sign * step for step in path])
    desk.order(opens)
    desk.post(SET, trailingStop="50")

    held = []
    for second in (6, 7, 8):
        desk.stage.at(second)
        held.append(desk.rows("position/list")[0]["size"])

    assert held == ["0.1", "0.1", "0"]
    assert [one["side"] for one in desk.rows("execution/list")] == [closes, opens]


@BOTH_SIDES
def test_a_stop_loss_closes_all_that_is_held_by_then(opens: str, closes: str, sign: int) -> None:
    desk = Desk(*[10_000] * 6, 10_000 - 200 * sign)
    desk.order(opens)
    desk.post(SET, stopLoss=str(10_000 - 100 * sign), takeProfit=str(10_000 + 100 * sign))
    desk.order(opens)
    desk.stage.at(6)

    closed = desk.rows("execution/list")[0]
    assert (closed["side"], closed["execQty"], closed["closedSize"]) == (closes, "0.2", "0.2")
    assert stops(desk) == {"stopLoss": "", "takeProfit": "", "trailingStop": "0"}
    assert desk.rows("order/realtime") == []


def test_what_is_given_is_set_anew_and_zero_takes_it_away() -> None:
    desk = Desk(10_000)
    desk.order("Buy")
    desk.post(SET, stopLoss="9900", takeProfit="10100")
    desk.post(SET, stopLoss="9950")
    moved = stops(desk)
    desk.post(SET, takeProfit="0")

    assert moved == {"stopLoss": "9950", "takeProfit": "10100", "trailingStop": "0"}
    assert stops(desk) == {"stopLoss": "9950", "takeProfit": "", "trailingStop": "0"}


def test_they_go_with_the_position_and_do_not_touch_the_next() -> None:
    desk = Desk(10_000)
    desk.order("Buy")
    desk.post(SET, stopLoss="9900")
    desk.order("Sell", reduceOnly=True)
    desk.order("Buy")

    assert stops(desk)["stopLoss"] == ""
    assert desk.rows("order/realtime") == []


@pytest.mark.parametrize(
    "given",
    [
        {"stopLoss": "10100"},
        {"takeProfit": "9900"},
        {"stopLoss": "9900", "takeProfit": "9900"},
        {"trailingStop": "50", "activePrice": "9900"},
        {"stopLoss": "9900", "tpslMode": "Partial"},
        {"stopLoss": "9900", "slSize": "0.1"},
        {"stopLoss": "9900", "positionIdx": 1},
    ],
)
def test_what_cannot_be_is_refused_and_leaves_all_as_it_was(given: dict[str, Any]) -> None:
    desk = Desk(10_000)
    desk.order("Buy")
    desk.post(SET, stopLoss="9800", takeProfit="10200")

    assert desk.post(SET, **given)["retCode"] == 10001
    assert stops(desk) == {"stopLoss": "9800", "takeProfit": "10200", "trailingStop": "0"}


def test_without_a_position_there_is_nothing_to_stop() -> None:
    assert Desk(10_000).post(SET, stopLoss="9900")["retCode"] == 10001
