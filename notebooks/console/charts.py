"""The live candle chart: pure functions make its data, one widget draws it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from console.figures import age, places, price
from console.models import Candle, Order, Position
from console.panels.positions import SIDE_MARKS
from console.state import Screen

_ASSETS = Path(__file__).parent / "assets"
type Point = list[float | None]
type Drawn = dict[str, Any]
_ENTRIES = ("entry", "add")


class CandleChart(anywidget.AnyWidget):  # type: ignore[misc]  # untyped
    """Candles with trade marks and the levels of open positions, drawn by lightweight-charts."""

    _esm = "\n".join(
        (_ASSETS / name).read_text(encoding="utf-8")
        for name in ("lightweight-charts.js", "chart.js")
    )
    _css = _ASSETS / "console.css"

    symbol = traitlets.Unicode().tag(sync=True)
    symbols = traitlets.List(traitlets.Dict()).tag(sync=True)
    points = traitlets.List(traitlets.List()).tag(sync=True)
    places = traitlets.Int(2).tag(sync=True)
    marks = traitlets.List(traitlets.Dict()).tag(sync=True)
    levels = traitlets.List(traitlets.Dict()).tag(sync=True)
    missing = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._choose = choose
        self.on_msg(self._clicked)

    def _clicked(self, _widget: object, content: dict[str, str], _buffers: object) -> None:
        self._choose(content.get("action", ""))

    def show(self, screen: Screen) -> None:
        """Draw this state; parts that are the same are not sent again."""
        figure = chart_figure(screen)
        with self.hold_sync():
            self.symbol, self.symbols = figure.symbol, figure.symbols
            self.points, self.places = figure.points, figure.places
            self.marks, self.levels = figure.marks, figure.levels
            self.missing, self.note = figure.missing, figure.note


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What the chart draws; `points` are [second, open, high, low, close, volume]."""

    symbol: str
    symbols: list[Drawn]
    points: list[Point]
    places: int
    marks: list[Drawn]
    levels: list[Drawn]
    missing: str
    note: str


def chart_figure(screen: Screen) -> Figure:
    """The chart of the chosen symbol."""
    symbol, engine = screen.choice.symbol, screen.engine
    held = screen.positions
    candles = screen.candles.candles if screen.candles else []
    sides = {position.symbol: SIDE_MARKS.get(position.side, "") for position in held}
    return Figure(
        symbol=symbol,
        symbols=[{"name": s, "held": sides.get(s, "")} for s in (engine.symbols if engine else [])],
        points=[point(candle) for candle in candles],
        places=places(candle.close for candle in candles),
        marks=trade_marks((o for o in screen.all_orders if o.symbol == symbol), candles),
        levels=[level for p in held if p.symbol == symbol for level in levels(p)],
        missing=_missing(screen),
        note=_note(screen),
    )


def point(candle: Candle) -> Point:
    """A candle as the chart takes it; a gap is its second alone."""
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    if candle.close is None:
        return [candle.time_ms / 1000]
    return [candle.time_ms / 1000, *(None if p is None else float(p) for p in prices)]


def trade_marks(orders: Iterable[Order], candles: list[Candle]) -> list[Drawn]:
    """One mark per filled order within the candles' time, oldest first."""
    if not candles:
        return []
    first_ms, last_ms = candles[0].time_ms, candles[-1].time_ms
    filled = (order for order in orders if order.filled_quantity > 0)
    shown = [order for order in filled if order.updated_at_ms >= first_ms]
    shown.sort(key=lambda order: order.updated_at_ms)
    return [_mark(order, min(order.updated_at_ms, last_ms) // 1000) for order in shown]


def _mark(order: Order, second: int) -> Drawn:
    paid = "" if order.average_price is None else f" @ {price(order.average_price)}"
    label = order.side if order.purpose == "entry" else order.purpose
    return {
        "time": second,
        "entry": order.purpose in _ENTRIES,
        "buys": order.order_side == "BUY",
        "label": label,
        "hint": f"{order.order_side} {price(order.filled_quantity)}{paid}",
    }


def levels(position: Position) -> list[Drawn]:
    """The entry of a position, and its stop and target where it has them."""
    stop_name = "trailing stop" if position.trailing_armed else "stop"
    named = (
        (f"{position.side} entry", "entry", position.entry_price),
        (stop_name, "stop", position.stop_price),
        ("target", "target", position.target_price),
    )
    return [
        {"label": label, "kind": kind, "price": float(value)}
        for label, kind, value in named
        if isinstance(value, Decimal)
    ]


def _missing(screen: Screen) -> str:
    if screen.candles is None:
        return f"No candles yet. {screen.snapshot.problem}".strip()
    return "" if screen.candles.candles else "No candles yet"


def _note(screen: Screen) -> str:
    if not screen.snapshot.is_stale(screen.now_ms):
        return ""
    return f"\u25f7 {age(screen.snapshot.age_ms(screen.now_ms))} old"
