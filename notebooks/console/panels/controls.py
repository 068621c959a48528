"""Start and stop; a stop names its engine and asks once more."""

from dataclasses import replace

from console.elements import Element, block, button, span
from console.state import Screen


def controls(screen: Screen) -> Element:
    """The buttons that fit the engine's state."""
    engine, choice = screen.engine, screen.choice
    if engine is None:
        return block(kind="controls")
    if choice.busy:
        return block(span(choice.busy, "faint"), kind="controls", of="controls")
    if choice.asks_stop:
        return _stop_question(engine.name, close_positions=choice.close_positions)
    wanted = engine.desired_state == "running"
    start = replace(
        button("\u25b6 Start", "start", "go", hint=f"Start {engine.name}"), disabled=wanted
    )
    at_rest = not wanted and engine.actual_state in {"stopped", "idle"}
    stop = replace(
        button("\u25a0 Stop\u2026", "ask-stop", "halt", hint=f"Stop {engine.name}"),
        disabled=at_rest,
    )
    return block(start, stop, kind="controls", of="controls")


def _stop_question(name: str, *, close_positions: bool) -> Element:
    mark = "\u2611" if close_positions else "\u2610"
    hint = "Otherwise they stay open, guarded by their stops at the exchange"
    tick = replace(
        button(f"{mark} close positions", "toggle-close", "tick", hint=hint),
        pressed=close_positions,
    )
    return block(
        span(f"Stop {name}?", "question"),
        tick,
        button("\u25a0 Stop it", "stop", "halt"),
        button("Keep running", "keep"),
        kind="controls asking",
        of="controls",
    )
