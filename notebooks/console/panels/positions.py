"""Positions at the exchange, and whether a stop that covers them rests there."""

from decimal import Decimal

from console.elements import Element, span, table
from console.figures import UNKNOWN, age, places, price, signed
from console.models import Order, Position
from console.panels.frame import framed, nothing
from console.state import Screen

SIDE_MARKS = {"LONG": "\u25b2", "SHORT": "\u25bc"}
_RESTING = frozenset({"open", "partially_filled"})
_COLUMNS = (
    ("Side", "", "Which way the position earns"),
    ("Symbol", "", "Click a row to see its chart"),
    ("Quantity", "number", "In base units, as filled"),
    ("Entry", "number", "Average entry price, in quote currency"),
    ("Mark", "number", "The price it is valued at"),
    (
        "uPnL",
        "number",
        "Unrealised, in quote currency and percent of its cost, before fees",
    ),
    ("Stop", "number", "Price of the stop loss; follows the price once trailing is armed"),
    ("Target", "number", "Price of the take profit"),
    ("Trail", "", "Whether the trailing stop is armed"),
    ("Protected", "", "Whether stop orders for the whole quantity rest at the exchange"),
    ("Age", "number", "Since it was opened"),
)


def positions_panel(screen: Screen) -> Element:
    """One row per open position, latest first."""
    readings = (screen.positions, screen.working)
    summary = _summary(screen)
    return framed(
        "Positions", "positions", readings, screen.now_ms, _content(screen), summary=summary
    )


def _summary(screen: Screen) -> Element:
    held = screen.positions.value.data if screen.positions.value else []
    if not held:
        return span("", "summary")
    total = sum((p.unrealized_pnl or Decimal(0) for p in held), Decimal(0))
    parts = [span(f"{len(held)} open \u00b7 uPnL {signed(total)}")]
    bare = sum(1 for position in held if _lacks_stop(position, screen))
    if bare:
        parts.append(span(f"\u26a0 {bare} not protected", "bad alert", of="unprotected"))
    return Element(tag="span", kind="summary", children=tuple(parts))


def _lacks_stop(position: Position, screen: Screen) -> bool:
    working = screen.working.value
    if working is None or position.status == "opening":
        return False
    return protected_quantity(position, working.data) < position.quantity


def _content(screen: Screen) -> Element:
    if screen.positions.value is None:
        return nothing("No data yet", screen.positions.problem)
    held = screen.positions.value.data
    if not held:
        return nothing("No open positions")
    columns = tuple(Element(tag="th", text=t, kind=k, hint=h) for t, k, h in _COLUMNS)
    rows = tuple(_row(position, screen) for position in held)
    return table(columns, rows, "positions-table")


def _row(position: Position, screen: Screen) -> Element:
    opened_ms = position.opened_at_ms
    trailing = "armed" if position.trailing_armed else "off"
    prices = (
        position.entry_price,
        position.current_price,
        position.stop_price,
        position.target_price,
    )
    entry, mark, stop, target = (price(value, places(prices)) for value in prices)
    cells = (
        _cell(f"{SIDE_MARKS.get(position.side, '')} {position.side}", position.side.lower()),
        _cell(position.symbol, "symbol"),
        _cell(price(position.quantity), "number"),
        _cell(entry, "number"),
        _cell(mark, "number"),
        _profit(position),
        _cell(stop, "number"),
        _cell(target, "number"),
        _cell(trailing, "good" if position.trailing_armed else "faint"),
        _protection(position, screen),
        _cell(age(None if opened_ms is None else screen.now_ms - opened_ms), "number faint"),
    )
    shown = position.symbol == screen.choice.symbol
    return Element(
        tag="tr",
        children=cells,
        kind="choice chosen" if shown else "choice",
        action=f"symbol:{position.symbol}",
        of=position.id,
    )


def _cell(text: str, kind: str = "", hint: str = "") -> Element:
    return Element(tag="td", text=text, kind=kind, hint=hint)


def _profit(position: Position) -> Element:
    value = position.unrealized_pnl
    kind = "faint" if not value else "good" if value > 0 else "bad"
    paid = (position.entry_price or Decimal(0)) * position.quantity
    share = UNKNOWN if value is None or not paid else f"{signed(100 * value / paid)} %"
    parts = (span(signed(value)), span(share, "share"))
    return Element(tag="td", children=parts, kind=f"number {kind}")


def _protection(position: Position, screen: Screen) -> Element:
    if screen.working.value is None:
        return _cell(UNKNOWN, "faint", "The orders are not known")
    if position.status == "opening":
        return _cell("opening", "faint", "Nothing is filled yet")
    resting = protected_quantity(position, screen.working.value.data)
    if resting >= position.quantity:
        return _cell("\u2714 at exchange", "good", "Stops for the whole quantity rest there")
    missing = price(position.quantity - resting)
    return _cell(f"\u26a0 {missing} open", "bad alert", "This quantity has no stop at the exchange")


def protected_quantity(position: Position, orders: list[Order]) -> Decimal:
    """What the position's stop orders resting at the exchange would close, in base units."""
    stops = (
        order.quantity - order.filled_quantity
        for order in orders
        if order.position_id == position.id and order.purpose == "stop" and order.status in _RESTING
    )
    return sum(stops, Decimal(0))
