"""Positions at the exchange, and whether a stop that covers them rests there."""

from decimal import Decimal

from console.elements import Element, block, button, span, table
from console.figures import UNKNOWN, age, places, price, signed
from console.models import Position
from console.panels.controls import asked
from console.panels.frame import framed, nothing
from console.state import Screen

SIDE_MARKS = {"LONG": "\u25b2", "SHORT": "\u25bc"}
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
    ("", "number", ""),
)


def positions_panel(screen: Screen) -> Element:
    """One row per open position, latest first."""
    held = screen.positions
    summary = _summary(held, screen)
    return framed(
        "Positions", "positions", screen, _content(held, screen), summary=summary,
        actions=_actions(held, screen),
    )  # fmt: skip


def _summary(held: list[Position], screen: Screen) -> Element:
    if not held:
        return span("", "summary")
    total = sum((p.unrealized_pnl or Decimal(0) for p in held), Decimal(0))
    parts = [span(f"{len(held)} open \u00b7 uPnL {signed(total)}")]
    bare = sum(1 for position in held if _lacks_stop(position))
    if bare:
        parts.append(span(f"\u26a0 {bare} not protected", "bad alert", of="unprotected"))
    told = screen.snapshot.value
    if told is not None and not told.positions.complete:
        parts.append(span("\u26a0 more than are shown", "bad", of="more-positions"))
    return Element(tag="span", kind="summary", children=tuple(parts))


def _actions(held: list[Position], screen: Screen) -> Element:
    """Closing what gains or all of it; the question where one waits."""
    choice = screen.choice
    if choice.asks.startswith("close"):
        return asked(screen, "closing")
    if not held or choice.busy:
        return block(kind="controls")
    return block(
        button("Close gaining\u2026", "ask:close-profitable", hint="Close what gains, fees paid"),
        button("Close all\u2026", "ask:close-all", hint="Close all; the engine runs on"),
        kind="controls small",
    )


def _lacks_stop(position: Position) -> bool:
    return position.status != "opening" and not position.is_protected


def _content(held: list[Position], screen: Screen) -> Element:
    if screen.snapshot.value is None:
        return nothing("No data yet", screen.snapshot.problem)
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
        _protection(position),
        _cell(age(None if opened_ms is None else screen.now_ms - opened_ms), "number faint"),
        _close(position),
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


def _protection(position: Position) -> Element:
    if position.status == "opening":
        return _cell("opening", "faint", "Nothing is filled yet")
    if position.is_protected:
        return _cell("\u2714 at exchange", "good", "Stops for the whole quantity rest there")
    missing = price(position.quantity - position.protected_quantity)
    return _cell(f"\u26a0 {missing} open", "bad alert", "This quantity has no stop at the exchange")


def _close(position: Position) -> Element:
    """A button; nothing for what is closing already."""
    if position.status == "closing":
        return _cell("closing", "busy")
    hint = f"Close this {position.side} of {position.symbol}"
    closing = button("\u2715", f"ask:close:{position.id}", "small", hint=hint)
    return Element(tag="td", children=(closing,), kind="number")
