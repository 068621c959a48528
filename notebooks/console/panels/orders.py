"""Orders from intent to final state, latest first; an unclear fate stands out."""

from console.elements import Element, block, span, table
from console.figures import age, count, price
from console.models import Order
from console.panels.frame import framed, nothing
from console.state import Screen

SHOWN = 40
_COLUMNS = (
    ("State", "", "unknown: the exchange's answer was unclear and is being looked up"),
    ("Purpose", "", "What the order is for"),
    ("Symbol", "", ""),
    ("Order", "", "What it does at the exchange"),
    ("Filled", "number", "Filled of ordered quantity, in base units"),
    ("Price", "number", "Average fill price; before a fill the trigger price"),
    ("Age", "number", "Since the intent was stored"),
)
_STATE_KINDS = {
    "new": ("faint", "\u25cb"),
    "submitting": ("busy", "\u25d4"),
    "unknown": ("bad alert", "?"),
    "open": ("working", "\u25cf"),
    "partially_filled": ("working", "\u25d1"),
    "filled": ("good", "\u2714"),
    "cancelled": ("faint", "\u2298"),
    "rejected": ("bad", "\u2716"),
    "expired": ("faint", "\u2298"),
}


def orders_panel(screen: Screen) -> Element:
    """Unclear orders first, then the others by time."""
    return framed("Orders", "orders", screen, *_content(screen))


def _content(screen: Screen) -> tuple[Element, ...]:
    if screen.snapshot.value is None:
        return (nothing("No data yet", screen.snapshot.problem),)
    found = sorted(screen.all_orders, key=lambda order: order.status != "unknown")
    if not found:
        return (nothing("No orders yet"),)
    columns = tuple(Element(tag="th", text=t, kind=k, hint=h) for t, k, h in _COLUMNS)
    rows = tuple(_row(order, screen) for order in found[:SHOWN])
    shown = table(columns, rows, "orders-table")
    left_out = len(found) - len(rows)
    if not left_out:
        return (shown,)
    return (shown, block(span(f"and {count(left_out)} older ones"), kind="more"))


def _row(order: Order, screen: Screen) -> Element:
    kind, mark = _STATE_KINDS.get(order.status, ("bad", "?"))
    name = "UNKNOWN" if order.status == "unknown" else order.status.replace("_", " ")
    paid = order.average_price if order.filled_quantity else order.trigger_price
    cells = (
        Element(tag="td", text=f"{mark} {name}", kind=kind, hint=order.error_message),
        Element(tag="td", text=order.purpose),
        Element(tag="td", text=order.symbol, kind="symbol"),
        Element(tag="td", text=f"{order.order_side} {order.side}", kind=order.side.lower()),
        _filled(order),
        Element(tag="td", text=price(paid), kind="number"),
        Element(tag="td", text=age(screen.now_ms - order.created_at_ms), kind="number faint"),
    )
    return Element(
        tag="tr",
        children=cells,
        kind="choice unclear" if order.status == "unknown" else "choice",
        action=f"symbol:{order.symbol}",
        of=order.client_order_id,
    )


def _filled(order: Order) -> Element:
    of_all = span(f" / {price(order.quantity)}", "faint")
    return Element(tag="td", children=(span(price(order.filled_quantity)), of_all), kind="number")
