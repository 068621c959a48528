"""The buttons of the engine; what is dangerous names what it hits and asks once more."""

from dataclasses import replace

from console.commands import COMMANDS, question
from console.elements import Element, block, button, span
from console.state import Screen

_OF_ENGINE = frozenset({"stop", "emergency", "reset"})


def controls(screen: Screen) -> Element:
    """The buttons that fit the engine's state, or the question that waits."""
    engine, choice = screen.engine, screen.choice
    if engine is None:
        return block(kind="controls")
    if choice.busy:
        return block(span(choice.busy, "faint"), kind="controls", of="controls")
    if choice.asks in _OF_ENGINE:
        return asked(screen, "controls")
    if engine.emergency is not None:
        lift = button("Reset\u2026", "ask:reset", hint=f"Lift the emergency stop of {engine.name}")
        return block(lift, _emergency(engine.name), kind="controls", of="controls")
    wanted, name = engine.desired_state, engine.name
    start = button("\u25b6 Start", "do:start", "go", hint=f"Start {name}")
    stop = button("\u25a0 Stop\u2026", "ask:stop", "halt", hint=f"Stop {name}")
    at_rest = wanted == "stopped" and engine.actual_state in {"stopped", "idle"}
    return block(
        replace(start, disabled=wanted != "stopped"),
        _pause(wanted, name),
        replace(stop, disabled=at_rest),
        _emergency(name),
        kind="controls",
        of="controls",
    )


def asked(screen: Screen, of: str) -> Element:
    """The question of the command that waits, its box and both answers."""
    choice = screen.choice
    name = choice.asks.partition(":")[0]
    command = COMMANDS[name]
    parts = [span(question(choice.asks, screen), "question")]
    if command.tick:
        mark = "\u2611" if choice.ticked else "\u2610"
        tick = button(f"{mark} {command.tick}", "tick", "tick", hint=command.hint)
        parts.append(replace(tick, pressed=choice.ticked))
    parts.append(button(command.confirm, f"do:{choice.asks}", "halt"))
    parts.append(button(command.keep, "keep"))
    return block(*parts, kind="controls asking", of=of)


def _pause(wanted: str, name: str) -> Element:
    if wanted == "paused":
        hint = f"Let {name} open positions again"
        return button("\u25b6 Resume", "do:resume", "go", hint=hint)
    hint = f"{name} opens nothing new; open positions are protected and closed as before"
    pause = button("\u2016 Pause", "do:pause", hint=hint)
    return replace(pause, disabled=wanted != "running")


def _emergency(name: str) -> Element:
    hint = f"Latch {name}, cancel its entries and close its positions until the exchange proves it"
    return button("EMERGENCY\u2026", "ask:emergency", "emergency", hint=hint)
