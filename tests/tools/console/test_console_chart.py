from pathlib import Path

import pytest
from tests.tools.console.screens import NOW_MS, a_position, a_screen, an_order

from console.charts import chart_figure, levels, point, trade_marks
from console.models import Candle
from console.state import Screen


def a_candle(time_ms: int = NOW_MS, close: str | None = "1.50") -> Candle:
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    return Candle.model_validate({"time_ms": time_ms, **prices})


def test_a_gap_is_a_second_without_prices() -> None:
    assert point(a_candle(close=None)) == [NOW_MS / 1000]
    assert point(a_candle()) == [NOW_MS / 1000, 1.5, 1.5, 1.5, 1.5, 1.5]


@pytest.mark.parametrize(("side", "order_side"), [("LONG", "BUY"), ("SHORT", "SELL")])
def test_an_entry_is_marked_with_its_side(side: str, order_side: str) -> None:
    entry = an_order(
        side=side, order_side=order_side, purpose="entry", filled_quantity="2",
        average_price="1.51", updated_at_ms=NOW_MS + 400,
    )  # fmt: skip

    marks = trade_marks([entry], [a_candle(NOW_MS), a_candle(NOW_MS + 1000)])

    assert marks == [
        {
            "time": NOW_MS // 1000, "entry": True, "buys": order_side == "BUY", "label": side,
            "hint": f"{order_side} 2 @ 1.51",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("purpose", "enters"), [("add", True), ("reduce", False)])
def test_steps_are_marked_as_entries_and_shares_as_exits(purpose: str, enters: bool) -> None:
    order = an_order(purpose=purpose, filled_quantity="2", updated_at_ms=NOW_MS)

    (mark,) = trade_marks([order], [a_candle()])

    assert (mark["label"], mark["entry"]) == (purpose, enters)


def test_only_fills_within_the_candles_are_marked_oldest_first() -> None:
    candles = [a_candle(NOW_MS), a_candle(NOW_MS + 1000)]
    orders = [
        an_order(filled_quantity="2", updated_at_ms=NOW_MS + 1_900),
        an_order(filled_quantity="1", updated_at_ms=NOW_MS + 100, purpose="target"),
        an_order(filled_quantity="2", updated_at_ms=NOW_MS - 1),
        an_order(updated_at_ms=NOW_MS + 500),
    ]

    marks = trade_marks(orders, candles)

    assert [mark["label"] for mark in marks] == ["target", "stop"]
    assert [mark["time"] for mark in marks] == [NOW_MS // 1000, NOW_MS // 1000 + 1]


def test_levels_name_what_protects_the_position() -> None:
    shown = levels(a_position(trailing_armed=True, target_price=None))

    assert [(level["label"], level["price"]) for level in shown] == [
        ("LONG entry", 100.0),
        ("trailing stop", 99.0),
    ]


def test_the_chart_shows_the_chosen_symbol_and_which_symbols_are_held(tmp_path: Path) -> None:
    figure = chart_figure(a_screen(tmp_path))

    assert figure.symbol == "BTCUSDT"
    assert figure.symbols[:2] == [
        {"name": "BTCUSDT", "held": "\u25b2"},
        {"name": "ETHUSDT", "held": "\u25bc"},
    ]
    assert figure.missing == ""
    assert {mark["label"] for mark in figure.marks} == {"LONG", "SHORT", "target", "close"}


def test_without_candles_the_chart_says_so_instead_of_inventing_some() -> None:
    figure = chart_figure(Screen(now_ms=NOW_MS))

    assert figure.points == []
    assert figure.missing == "No candles yet."
