"""The emergency stop that holds an engine: how far it has come, and that it stays until a reset."""

from console.elements import Element, block, span
from console.figures import UNKNOWN, age, clock, count
from console.models import Emergency
from console.state import Screen


def emergency_banner(screen: Screen) -> tuple[Element, ...]:
    """Nothing, or the latch in full width below the bar's first line."""
    held = screen.engine.emergency if screen.engine else None
    if held is None:
        return ()
    head = f"\u25a0 EMERGENCY STOP since {clock(held.since_ms)} UTC by {held.by}: {held.reason}"
    lines = [
        span(head, "title"),
        span(_progress(held, screen), of="emergency-progress"),
    ]
    if held.left:
        lines.append(span(f"Not ours and left alone: {', '.join(held.left)}", of="emergency-left"))
    if held.error:
        lines.append(span(f"\u26a0 {held.error}", "bad", of="emergency-error"))
    kind = "emergency verified" if held.verified else "emergency"
    return (block(*lines, *_bar(held, screen), kind=kind, of="emergency"),)


def _progress(held: Emergency, screen: Screen) -> str:
    if held.verified:
        return _verified(held)
    goal = "flattening" if held.flatten else "cancelling entries, positions keep their stops"
    numbers = (
        (len(screen.positions), "open"),
        (held.closed_positions, "closed"),
        (held.cancelled_entries, "entries cancelled"),
    )
    known = [f"{count(number)} {what}" for number, what in numbers if number is not None]
    passed = f"{goal} for {age(screen.now_ms - held.since_ms)}"
    return " \u00b7 ".join([passed, *known, "not verified yet"])


def _verified(held: Emergency) -> str:
    """What the venue proved, and what an operator does next."""
    at = UNKNOWN if held.verified_at_ms is None else f"{clock(held.verified_at_ms)} UTC"
    flat = not held.open_positions
    proof = "verified flat" if flat else f"verified, {count(held.open_positions)} open with stops"
    parts = [f"\u2714 {proof} at {at}"]
    if flat and held.time_to_flat_ms is not None:
        parts.append(f"time to flat {age(held.time_to_flat_ms)}")
    parts.append("nothing starts before an admin resets it")
    return " \u00b7 ".join(parts)


def _bar(held: Emergency, screen: Screen) -> tuple[Element, ...]:
    """How much of what was open is closed; nothing while nobody knows."""
    left, closed = len(screen.positions), held.closed_positions
    if held.verified or closed is None or not left + closed:
        return ()
    return (block(Element(kind="filled", fill_pct=100 * closed // (left + closed)), kind="bar"),)
