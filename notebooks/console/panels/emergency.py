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
    return (block(*lines, *_bar(held), kind=kind, of="emergency"),)


def _progress(held: Emergency, screen: Screen) -> str:
    if held.verified:
        return _verified(held)
    goal = "flattening" if held.flatten else "cancelling entries, positions keep their stops"
    parts = [
        f"{goal} for {age(screen.now_ms - held.since_ms)}",
        f"{_told(held.open_positions)} open",
        f"{_told(held.closed_positions)} closed",
        f"{_told(held.cancelled_entries)} entries cancelled",
        "not verified yet",
    ]
    return " \u00b7 ".join(parts)


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


def _bar(held: Emergency) -> tuple[Element, ...]:
    """How much of what was open is closed; nothing while nobody knows."""
    left, closed = held.open_positions, held.closed_positions
    if held.verified or left is None or closed is None or not left + closed:
        return ()
    return (block(Element(kind="filled", fill_pct=100 * closed // (left + closed)), kind="bar"),)


def _told(number: int | None) -> str:
    return UNKNOWN if number is None else count(number)
